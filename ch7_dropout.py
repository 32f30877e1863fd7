"""Script 2 of 3: the network of `python ch6_1.py --units 1000`, with dropout. Next comes ch6_2.py.

In training Dropout(0.5) silences each hidden unit with a probability of 0.5, drawn anew for every image in every step;
kept outputs are multiplied by 1 / (1 - 0.5), so that the sums stay the same in the mean. The idea: a unit that cannot
count on any other one learns what is of use by itself. In validation and testing all take part.

    test accuracy in the book   here, 20 seeds      the book's last epoch: loss, acc, val_loss, val_acc
    98.0%                       98.0% to 98.4%      0.0380  0.9882  0.0666  0.9807

Look at the curves beside those without dropout: the gap is narrower, there is less overfitting. Compare val_loss too,
for a part of the narrowing is only the measuring: training is measured with dropout on.
"""

import numpy as np
import pandas as pd
from keras import Input
from keras import utils as np_utils
from keras.layers import Dense, Dropout
from keras.models import Sequential

import mnist
from command_line import read_options, save_model
from utils import confusion_matrix, plt, show_train_history

# The data, as in ch6_1.py.
(X_train_image, y_train_label), (X_test_image, y_test_label) = mnist.load_data()
x_Train_norm, x_Test_norm = (x.reshape(-1, 784).astype("float32") / 255 for x in (X_train_image, X_test_image))
y_TrainOneHot, y_TestOneHot = map(np_utils.to_categorical, (y_train_label, y_test_label))


def build_model(units=1000):
    """Return the untrained network: 784 inputs, a hidden layer of `units`, dropout, an output for each digit."""
    model = Sequential()
    model.add(Input((784,)))
    model.add(Dense(units=units, kernel_initializer="normal", activation="relu"))
    model.add(Dropout(0.5))  # new since ch6_1.py
    model.add(Dense(units=10, kernel_initializer="normal", activation="softmax"))
    return model


# `from ch7_dropout import *` ends here; `python ch7_dropout.py` goes on: it trains the network and tests it.
if __name__ == "__main__":
    options = read_options(__doc__, units=1000)
    np_utils.set_random_seed(options.seed)
    model = build_model(options.units)
    print("\t[Info] Model summary:")
    model.summary()

    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["acc"])
    epochs, batch_size = options.epochs, options.batch_size
    train_history = model.fit(
        x=x_Train_norm, y=y_TrainOneHot, validation_split=0.2, epochs=epochs, batch_size=batch_size, verbose=2
    )
    show_train_history(train_history, "acc", "val_acc")
    show_train_history(train_history, "loss", "val_loss")

    scores = model.evaluate(x_Test_norm, y_TestOneHot, batch_size=10000, verbose=0)
    print(f"\t[Info] Accuracy of testing data = {scores[1]:.1%}")
    print("\t[Info] Making prediction to x_Test_norm")
    probabilities = model.predict(x_Test_norm, batch_size=10000, verbose=0)
    prediction = np.argmax(probabilities, axis=1)
    df = pd.DataFrame({"label": y_test_label, "predict": prediction})  # for the book's queries, after python -i
    print("\t[Info] Display Confusion Matrix:")
    print(confusion_matrix(y_test_label, prediction))

    if options.save:
        save_model(model, options.save)
    plt.show()
