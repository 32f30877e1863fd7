"""Script 3 of 3: two hidden layers of 1000 units, each with dropout.

The deepest network here, to be read after ch7_dropout.py. It has 1.8 million weights and biases (params) to learn in
place of 0.8 million, so its training takes about twice as long.

    test accuracy in the book   here, 20 seeds      the book's last epoch: loss, acc, val_loss, val_acc
    97.9%                       97.9% to 98.3%      0.0523  0.9828  0.0786  0.9791

The accuracy curves nearly meet, partly because training is measured with dropout on. Without the two Dropout lines
you see how far they hold overfitting back. The book's 97.9, 98.0 and 97.9% do not tell which network is best: each is
one run, and runs differ by more. (One that reads 98% of all such digits has 97.7% to 98.3% on 19 of 20 such test sets.)
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


def build_model():
    """Return the untrained network: 784 inputs, two hidden layers of 1000 with dropout, an output for each digit."""
    model = Sequential()
    model.add(Input((784,)))
    model.add(Dense(units=1000, kernel_initializer="normal", activation="relu"))
    model.add(Dropout(0.5))
    model.add(Dense(units=1000, kernel_initializer="normal", activation="relu"))  # new since ch7_dropout.py
    model.add(Dropout(0.5))  # new since ch7_dropout.py
    model.add(Dense(units=10, kernel_initializer="normal", activation="softmax"))
    return model


# `from ch6_2 import *` ends here; `python ch6_2.py` goes on: it trains the network and tests it.
if __name__ == "__main__":
    options = read_options(__doc__)
    np_utils.set_random_seed(options.seed)
    model = build_model()
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
