"""The book's first network: a multilayer perceptron with one hidden layer, trained on MNIST.

Chapter 6 prepares the pictures of handwritten digits. Chapter 7 trains a network with 256 units in its hidden layer,
then one with 1000 (--units 1000), which reads the digits a little better. The next script is ch7_dropout.py.

Look for overfitting. In training the loss falls and falls; in validation it stops falling, or rises: the network learns
its training pictures by heart. The gap between the two accuracy curves shows it too. With 1000 units it is wider, but
new pictures are still read a little better. (In the first epoch training looks the worse: its figures are means over
the epoch, validation is measured at its end.)
"""

import keras
import numpy as np
import pandas as pd

from command_line import end_script, read_options, saving
from utils import (
    confusion_matrix,
    isDisplayAvl,  # not needed here, but the book's reader may type it after `from ch6_1 import *`
    load_mnist,
    plot_confusion_matrix,
    plot_image,
    plot_images_labels_predict,
    plot_images_labels_prediction,  # the same: its name in the printed book
    show_train_history,
)

# What the author printed, by the number of hidden units, after 10 epochs in batches of 200 (for 256 no last epoch). A
# tenth of a percent more or less is chance: see what --seed 11 gives.
BOOK_ACCURACY = {256: "97.6%", 1000: "97.9%"}
BOOK_LAST_EPOCH = {1000: "accuracy: 0.9993 - loss: 0.0064 - val_accuracy: 0.9807 - val_loss: 0.0701"}

# Chapter 6: the data. Each picture of 28 x 28 pixels becomes a row of 784 numbers (-1: as many rows as pictures). Small
# numbers, from 0 to 1, are easier to learn from than those from 0 to 255.
(X_train_image, y_train_label), (X_test_image, y_test_label) = load_mnist()

x_Train = X_train_image.reshape(-1, 784).astype("float32")
x_Test = X_test_image.reshape(-1, 784).astype("float32")
x_Train_norm = x_Train / 255
x_Test_norm = x_Test / 255

# One-hot: the label 5 becomes [0 0 0 0 0 1 0 0 0 0], one place for each output of the network.
y_TrainOneHot = keras.utils.to_categorical(y_train_label)
y_TestOneHot = keras.utils.to_categorical(y_test_label)


# Chapter 7: the network. A unit adds up its inputs, each times a weight, and a number of its own, the bias. The weights
# and biases are what is learned.
def build_model(units=256):
    """Return the untrained network: 784 inputs, a hidden layer of `units`, an output for each of the 10 digits."""
    model = keras.Sequential()  # one layer after the other
    model.add(keras.Input((784,)))
    # Dense: each unit takes all the numbers of the layer before. "normal": small random weights to begin with, so that
    # the units differ. "relu": a sum below 0 becomes 0; without it two layers could do no more than one.
    model.add(keras.layers.Dense(units=units, kernel_initializer="normal", activation="relu"))
    # "softmax" turns the ten sums into ten probabilities, which add up to 1.
    model.add(keras.layers.Dense(units=10, kernel_initializer="normal", activation="softmax"))
    return model


# `from ch6_1 import *` ends here, with the data and the network to try out; `python ch6_1.py` goes on and trains.
if __name__ == "__main__":
    options = read_options(__doc__, units=256)
    as_in_book = options.epochs == 10 and options.batch_size == 200

    print(f"\t[Info] train data={len(X_train_image):7,}")
    print(f"\t[Info] test  data={len(X_test_image):7,}")
    print(f"\t[Info] Shape of train data={X_train_image.shape}")
    print(f"\t[Info] Shape of train label={y_train_label.shape}")
    plot_image(X_train_image[0])
    plot_images_labels_predict(X_train_image, y_train_label, [], 0, 10)  # titled by their labels; no predictions yet
    print(f"\t[Info] xTrain: {x_Train.shape}")
    print(f"\t[Info] xTest: {x_Test.shape}")

    keras.utils.set_random_seed(options.seed)  # before the network is built, for its first weights are random
    model = build_model(options.units)
    print("\t[Info] Model summary:")
    model.summary()

    # The loss of a picture is minus the logarithm of the probability of its right digit: 0 where that is 1, 2.3 for a
    # blind guess. In each training step Adam changes the weights a little, so that the mean loss of the pictures in
    # this step becomes smaller.
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])

    # The last fifth of the training data is held back, to validate the network after each epoch. The other 48,000
    # pictures are shuffled and taken in batches: 240 steps of 200 pictures are an epoch.
    with saving(model, options.save):  # for --save, and for Ctrl-C; the lesson is fit
        train_history = model.fit(
            x=x_Train_norm,
            y=y_TrainOneHot,
            validation_split=0.2,
            epochs=options.epochs,
            batch_size=options.batch_size,
            verbose=2,
        )
    if as_in_book and options.units in BOOK_LAST_EPOCH:
        print(f"The book's last epoch: {BOOK_LAST_EPOCH[options.units]}")
    show_train_history(train_history, "accuracy", "val_accuracy")
    show_train_history(train_history, "loss", "val_loss")

    # The test data has played no part so far, not even in choosing a network, which is what the validation is for: it
    # tells how well new digits are read. The scores are the loss and the accuracy. Nothing is learned here, so the size
    # of the batch only changes the speed.
    scores = model.evaluate(x_Test_norm, y_TestOneHot, batch_size=10000, verbose=0)
    print(f"\t[Info] Accuracy of testing data = {scores[1]:.1%}")
    if as_in_book and options.units in BOOK_ACCURACY:
        print(f"\t[Info] Accuracy in the book = {BOOK_ACCURACY[options.units]}")

    print("\t[Info] Making prediction to x_Test_norm")
    probabilities = model.predict(x_Test_norm, batch_size=10000, verbose=0)
    prediction = np.argmax(probabilities, axis=1)  # the digit with the highest probability
    print("\t[Info] Show 10 prediction result (From 240):")
    print(prediction[240:250])
    plot_images_labels_predict(X_test_image, y_test_label, prediction, idx=240, num=10)

    df = pd.DataFrame({"label": y_test_label, "predict": prediction})
    errors = df[df.label != df.predict]
    print("\t[Info] Error analysis:")
    for i, row in errors[:10].iterrows():
        print(f"\tAt {i}'th: {row.label} is with wrong prediction as {row.predict}!")
    print(f"\t{len(errors)} errors in all; after python -i ch6_1.py, print(errors.to_string()) lists them")

    # A row for each label, a column for each prediction: what is right stands on the diagonal.
    print("\t[Info] Display Confusion Matrix:")
    print(confusion_matrix(y_test_label, prediction))
    plot_confusion_matrix(y_test_label, prediction)

    print("\t[Info] The first two rows of df:")
    print(df[:2])
    print("\t[Info] Every 5 that was read as 3:")
    print(df[(df.label == 5) & (df.predict == 3)])

    # Digit 340 is a 5 that the book's network read as a 3; this one may read it right.
    plot_images_labels_predict(X_test_image, y_test_label, prediction, idx=340, num=1)

    end_script()
