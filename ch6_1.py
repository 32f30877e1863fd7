"""The book's first network: a multilayer perceptron with one hidden layer, trained on MNIST.

Chapter 6 turns pictures of handwritten digits into numbers. Chapter 7 trains a network with 256 units in its hidden
layer, then one with 1000 (--units 1000), which reads the digits a little better.

Look for overfitting. In training the loss falls and falls; in validation it stops falling, or rises: the network learns
its training pictures by heart. The gap between the two accuracy curves shows it too. With 1000 units it is wider.
"""

import keras
import numpy as np
import pandas as pd

from command_line import end_script, read_options, saving
from utils import (
    confusion_matrix,
    isDisplayAvl,  # for the REPL: a name of the book
    load_mnist,
    plot_confusion_matrix,
    plot_image,
    plot_images_labels_predict,
    plot_images_labels_prediction,  # for the REPL: its name in the printed book
    save_figures,
    show_train_history,
)

# Chapter 6: the data. Each picture of 28 x 28 pixels becomes a row of 784 numbers from 0 to 1.
(X_train_image, y_train_label), (X_test_image, y_test_label) = load_mnist()

x_Train = X_train_image.reshape(-1, 784).astype("float32")
x_Test = X_test_image.reshape(-1, 784).astype("float32")
x_Train_norm = x_Train / 255
x_Test_norm = x_Test / 255

# One-hot: the label 5 becomes [0 0 0 0 0 1 0 0 0 0], one place for each output of the network.
y_TrainOneHot = keras.utils.to_categorical(y_train_label)
y_TestOneHot = keras.utils.to_categorical(y_test_label)


# Chapter 7: the network. A hidden unit adds up the 784 numbers, each times a weight; the weights are what is learned.
def build_model(units=256):
    """Return the untrained network: 784 inputs, a hidden layer of `units`, an output for each of the 10 digits."""
    model = keras.Sequential()
    model.add(keras.Input((784,)))
    # "normal": small random weights to begin with, so that the units differ. "relu": a sum below 0 becomes 0.
    model.add(keras.layers.Dense(units=units, kernel_initializer="normal", activation="relu"))
    # "softmax" turns the ten sums into ten probabilities, which add up to 1.
    model.add(keras.layers.Dense(units=10, kernel_initializer="normal", activation="softmax"))
    return model


# What the author printed, for the book's units, epochs and batch size.
BOOK_ACCURACY = {(256, 10, 200): "97.6%", (1000, 10, 200): "97.9%"}
BOOK_LAST_EPOCH = {(1000, 10, 200): "accuracy: 0.9993 - loss: 0.0064 - val_accuracy: 0.9807 - val_loss: 0.0701"}


# `from ch6_1 import *` ends here; `python ch6_1.py` goes on: it looks at the data, trains the network and tests it.
if __name__ == "__main__":
    options = read_options(__doc__, units=256)
    settings = (options.units, options.epochs, options.batch_size)
    if options.figures:
        save_figures(options.figures)

    print(f"\t[Info] train data={len(X_train_image):7,}")
    print(f"\t[Info] test  data={len(X_test_image):7,}")
    print(f"\t[Info] Shape of train data={X_train_image.shape}")
    print(f"\t[Info] Shape of train label={y_train_label.shape}")
    plot_image(X_train_image[0])
    plot_images_labels_predict(X_train_image, y_train_label, [], 0, 10)
    print(f"\t[Info] xTrain: {x_Train.shape}")
    print(f"\t[Info] xTest: {x_Test.shape}")

    keras.utils.set_random_seed(options.seed)
    model = build_model(options.units)
    print("\t[Info] Model summary:")
    model.summary()

    # The loss says how far the ten probabilities are from the one-hot labels. In each training step Adam changes the
    # weights a little, in the direction that makes the loss smaller.
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])

    # A step takes a batch of 200 pictures; the 240 steps of an epoch go through all of them once, in a new order. The
    # last fifth of the training data is held back: it validates the network after each epoch.
    with saving(model, options.save):
        train_history = model.fit(
            x=x_Train_norm,
            y=y_TrainOneHot,
            validation_split=0.2,
            epochs=options.epochs,
            batch_size=options.batch_size,
            verbose=2,
        )
    if settings in BOOK_LAST_EPOCH:
        print(f"The book's last epoch: {BOOK_LAST_EPOCH[settings]}")
    show_train_history(train_history, "accuracy", "val_accuracy")
    show_train_history(train_history, "loss", "val_loss")

    # The test data has played no part so far: it tells how well the network reads digits that it has never seen.
    scores = model.evaluate(x_Test_norm, y_TestOneHot, batch_size=10000, verbose=0)
    print(f"\t[Info] Accuracy of testing data = {scores[1]:.1%}")
    if settings in BOOK_ACCURACY:
        print(f"\t[Info] Accuracy in the book = {BOOK_ACCURACY[settings]}")

    print("\t[Info] Making prediction to x_Test_norm")
    probabilities = model.predict(x_Test_norm, batch_size=10000, verbose=0)
    prediction = np.argmax(probabilities, axis=1)  # the digit with the highest probability
    print("\t[Info] Show 10 prediction result (From 240):")
    print(prediction[240:250])
    plot_images_labels_predict(X_test_image, y_test_label, prediction, idx=240, num=10)

    df = pd.DataFrame({"label": y_test_label, "predict": prediction})
    errors = df[df.label != df.predict]
    print("\t[Info] Error analysis:")
    for i, label, predict in errors[:10].itertuples():
        print(f"\tAt {i}'th: {label} is with wrong prediction as {predict}!")
    print(f"\t{len(errors)} errors in all; print(errors.to_string()) lists them, after python -i ch6_1.py")

    # A row for each label, a column for each prediction: what is right stands on the diagonal.
    print("\t[Info] Display Confusion Matrix:")
    print(confusion_matrix(y_test_label, prediction))
    plot_confusion_matrix(y_test_label, prediction)

    print("\t[Info] The first two rows of df:")
    print(df[:2])
    print("\t[Info] Every 5 that was read as 3:")
    print(df[(df.label == 5) & (df.predict == 3)])

    # The book looks at digit 340, a 5 that its network read as a 3.
    plot_images_labels_predict(X_test_image, y_test_label, prediction, idx=340, num=1)

    end_script()
