"""The book's third network: one hidden layer of 1000 units with dropout, trained on MNIST.

Chapter 7 adds one line to the network of `python ch6_1.py --units 1000`: Dropout(0.5). In training it silences each
hidden unit with a probability of 0.5, drawn anew for every picture, so that no unit can rely on its neighbours to learn
the pictures by heart; those that speak are twice as loud. In validation and testing all take part.

Look at the curves beside those without dropout: training and validation are closer, there is less overfitting. A part
of it is the measuring: training is measured with dropout on, so its figures are worse than the network is, validation
with it off. In the book the validation loss ends at 0.0666, without dropout at 0.0701, the accuracy both times at
0.9807. (Each is one run; see what --seed 11 gives.) The next script is ch6_2.py.
"""

import keras
import numpy as np
import pandas as pd

from command_line import end_script, read_options, saving
from utils import (
    confusion_matrix,
    isDisplayAvl,  # not needed here, but for the REPL, as are the plot_image... below
    load_mnist,
    plot_image,
    plot_images_labels_predict,
    plot_images_labels_prediction,
    show_train_history,
)

# What the author printed, with 1000 units, 10 epochs and batches of 200.
BOOK_ACCURACY = "98.0%"
BOOK_LAST_EPOCH = "accuracy: 0.9882 - loss: 0.0380 - val_accuracy: 0.9807 - val_loss: 0.0666"

# Chapter 6: the data. Each picture of 28 x 28 pixels becomes a row of 784 numbers from 0 to 1.
(X_train_image, y_train_label), (X_test_image, y_test_label) = load_mnist()

x_Train = X_train_image.reshape(-1, 784).astype("float32")
x_Test = X_test_image.reshape(-1, 784).astype("float32")
x_Train_norm = x_Train / 255
x_Test_norm = x_Test / 255

# One-hot: the label 5 becomes [0 0 0 0 0 1 0 0 0 0], one place for each output of the network.
y_TrainOneHot = keras.utils.to_categorical(y_train_label)
y_TestOneHot = keras.utils.to_categorical(y_test_label)


# Chapter 7: the network.
def build_model(units=1000):
    """Return the untrained network: 784 inputs, a hidden layer of `units`, dropout, an output for each digit."""
    model = keras.Sequential()
    model.add(keras.Input((784,)))
    model.add(keras.layers.Dense(units=units, kernel_initializer="normal", activation="relu"))
    model.add(keras.layers.Dropout(0.5))  # in training, silences each unit with this probability
    model.add(keras.layers.Dense(units=10, kernel_initializer="normal", activation="softmax"))
    return model


# `from ch7_dropout import *` ends here; `python ch7_dropout.py` goes on: it trains the network and tests it.
if __name__ == "__main__":
    options = read_options(__doc__, units=1000)
    as_in_book = (options.units, options.epochs, options.batch_size) == (1000, 10, 200)

    keras.utils.set_random_seed(options.seed)
    model = build_model(options.units)
    print("\t[Info] Model summary:")
    model.summary()

    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    with saving(model, options.save):
        train_history = model.fit(
            x=x_Train_norm,
            y=y_TrainOneHot,
            validation_split=0.2,
            epochs=options.epochs,
            batch_size=options.batch_size,
            verbose=2,
        )
    if as_in_book:
        print(f"The book's last epoch: {BOOK_LAST_EPOCH}")
    show_train_history(train_history, "accuracy", "val_accuracy")
    show_train_history(train_history, "loss", "val_loss")

    scores = model.evaluate(x_Test_norm, y_TestOneHot, batch_size=10000, verbose=0)
    print(f"\t[Info] Accuracy of testing data = {scores[1]:.1%}")
    if as_in_book:
        print(f"\t[Info] Accuracy in the book = {BOOK_ACCURACY}")

    print("\t[Info] Making prediction to x_Test_norm")
    probabilities = model.predict(x_Test_norm, batch_size=10000, verbose=0)
    prediction = np.argmax(probabilities, axis=1)
    # To try the book's queries on, after python -i ch7_dropout.py.
    df = pd.DataFrame({"label": y_test_label, "predict": prediction})
    print("\t[Info] Display Confusion Matrix:")
    print(confusion_matrix(y_test_label, prediction))

    end_script()
