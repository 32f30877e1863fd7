"""The book's last network: two hidden layers of 1000 units, each with dropout, trained on MNIST.

Chapter 7 ends with a deeper network: its second hidden layer combines what the first has found in the pictures. It has
1.8 million weights and biases (params) to learn, where one hidden layer of 1000 has 0.8 million, and takes longer.

Look at the curves beside those of `python ch7_dropout.py`: training and validation accuracy nearly meet, partly because
training is measured with dropout on, validation with it off. Take the two Dropout lines out to see how far it holds the
overfitting back. A deeper network is not always the better one: in the book the validation loss ends at 0.0786, after
0.0666 with one hidden layer, and the validation accuracy at 0.9791, after 0.9807.
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

# What the author printed, with 10 epochs and batches of 200.
BOOK_ACCURACY = "97.9%"
BOOK_LAST_EPOCH = "accuracy: 0.9828 - loss: 0.0523 - val_accuracy: 0.9791 - val_loss: 0.0786"

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
def build_model():
    """Return the untrained network: 784 inputs, two hidden layers of 1000 with dropout, an output for each digit."""
    model = keras.Sequential()
    model.add(keras.Input((784,)))
    model.add(keras.layers.Dense(units=1000, kernel_initializer="normal", activation="relu"))
    model.add(keras.layers.Dropout(0.5))  # in training, silences each unit with this probability
    model.add(keras.layers.Dense(units=1000, kernel_initializer="normal", activation="relu"))
    model.add(keras.layers.Dropout(0.5))
    model.add(keras.layers.Dense(units=10, kernel_initializer="normal", activation="softmax"))
    return model


# `from ch6_2 import *` ends here; `python ch6_2.py` goes on: it trains the network and tests it.
if __name__ == "__main__":
    options = read_options(__doc__)
    as_in_book = (options.epochs, options.batch_size) == (10, 200)

    keras.utils.set_random_seed(options.seed)
    model = build_model()
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
    # To try the book's queries on, after python -i ch6_2.py.
    df = pd.DataFrame({"label": y_test_label, "predict": prediction})
    print("\t[Info] Display Confusion Matrix:")
    print(confusion_matrix(y_test_label, prediction))

    end_script()
