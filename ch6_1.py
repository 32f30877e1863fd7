"""Script 1 of 3: a multilayer perceptron with one hidden layer learns to read handwritten digits.

It follows chapters 6 and 7 of 林大貴, 《TensorFlow+Keras 深度學習人工智慧實務應用》 (博碩, 2017): first the data, then
a network with 256 units in its hidden layer, and one with 1000 (--units 1000). Next comes ch7_dropout.py.

                 test accuracy in the book   here, 20 seeds      the book's last epoch: loss, acc, val_loss, val_acc
    256 units    97.6%                       97.5% to 97.8%      (not given)
    1000 units   97.9%                       97.7% to 98.2%      0.0064  0.9993  0.0701  0.9807

Look for overfitting. The training loss goes on falling while the validation loss levels off, or rises: what is still
learned no longer lowers the loss of new images. (At a steady accuracy the loss rises when the network grows too sure of
its mistakes.) The gap between the accuracy curves widens too, more so with 1000 units, which in the mean test better.

An image becomes a row of 784 numbers, which does not tell which pixels are neighbours. Networks like these reach about
98%; the book's next chapter keeps rows and columns, looks at small patches with convolutions, and passes 99%.
"""

import numpy as np
import pandas as pd
from keras import Input
from keras import utils as np_utils  # by the book's name, so that its lines stand as printed
from keras.layers import Dense
from keras.models import Sequential
from matplotlib import pyplot as plt

import mnist  # the book: from keras.datasets import mnist
from command_line import read_options, save_model
from utils import confusion_matrix, plot_confusion_matrix, plot_image, plot_images_labels_predict, show_train_history

# Chapter 6: the data. Each image of 28 x 28 pixels becomes a row of 784 numbers (-1: as many rows as images).
# Divided by 255 they run from 0 to 1: a scale that suits the first weights, and the size of the steps in training.
(X_train_image, y_train_label), (X_test_image, y_test_label) = mnist.load_data()

x_Train = X_train_image.reshape(-1, 784).astype("float32")
x_Test = X_test_image.reshape(-1, 784).astype("float32")
x_Train_norm = x_Train / 255
x_Test_norm = x_Test / 255

# One-hot: the label 5 becomes [0 0 0 0 0 1 0 0 0 0], one place for each output of the network.
y_TrainOneHot = np_utils.to_categorical(y_train_label)
y_TestOneHot = np_utils.to_categorical(y_test_label)


# Chapter 7: the network. A unit adds up its inputs, each multiplied by a weight, and a bias, a number of its own.
# The weights and biases are what is learned.
def build_model(units=256):
    """Return the untrained network: 784 inputs, a hidden layer of `units`, an output for each of the 10 digits."""
    model = Sequential()  # one layer after the other
    model.add(Input((784,)))  # the book: input_dim=784 in the first Dense
    # Dense: each unit takes all the numbers of the layer before. "normal": small random weights to begin with, so that
    # the units differ. "relu": a sum below 0 becomes 0; without it two layers could do no more than one.
    model.add(Dense(units=units, kernel_initializer="normal", activation="relu"))
    # "softmax" turns the ten sums into ten probabilities, which add up to 1.
    model.add(Dense(units=10, kernel_initializer="normal", activation="softmax"))
    return model


# `from ch6_1 import *` ends here, with the data and the network to try out; `python ch6_1.py` goes on and trains.
if __name__ == "__main__":
    options = read_options(__doc__, units=256)
    np_utils.set_random_seed(options.seed)  # for all random numbers: the first weights, the order of the images

    print(f"\t[Info] train data={len(X_train_image):7,}")
    print(f"\t[Info] test  data={len(X_test_image):7,}")
    print(f"\t[Info] Shape of train data={X_train_image.shape}")
    print(f"\t[Info] Shape of train label={y_train_label.shape}")
    plot_image(X_train_image[0])
    plot_images_labels_predict(X_train_image, y_train_label, [], 0, 10)  # titled by labels; no predictions yet
    print(f"\t[Info] xTrain: {x_Train.shape}")
    print(f"\t[Info] xTest: {x_Test.shape}")

    model = build_model(options.units)
    print("\t[Info] Model summary:")
    model.summary()

    # The loss of an image is minus the natural logarithm of the probability of its right digit: 0 where that is 1, 2.3
    # where it is 1/10. A training step takes a batch of images. Backpropagation finds the gradient, how fast their loss
    # grows with each weight; to lower it, Adam moves each weight a little against a running mean of its gradients,
    # divided by their usual size. (The book asks for "accuracy" here and for "acc" later; Keras keeps the name given.)
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["acc"])

    # The last fifth of the training data is held back, to validate the network after each epoch. The other 48,000
    # images are shuffled (with a seed Keras 3.15 takes them in the same order in every epoch) and taken in batches: 240
    # steps of 200 images are an epoch. by_hand.py shows what `fit` does.
    epochs, batch_size = options.epochs, options.batch_size
    train_history = model.fit(
        x=x_Train_norm, y=y_TrainOneHot, validation_split=0.2, epochs=epochs, batch_size=batch_size, verbose=2
    )
    # (In the first epochs training looks worse than validation: it is measured while the weights still change.)
    show_train_history(train_history, "acc", "val_acc")
    show_train_history(train_history, "loss", "val_loss")

    # Nothing is learned from the test data: it stands for new digits of this kind. (To choose between networks compare
    # their validation.) The scores are the loss and the accuracy. The size of a batch is a matter of speed here.
    scores = model.evaluate(x_Test_norm, y_TestOneHot, batch_size=10000, verbose=0)
    print(f"\t[Info] Accuracy of testing data = {scores[1]:.1%}")

    print("\t[Info] Making prediction to x_Test_norm")
    probabilities = model.predict(x_Test_norm, batch_size=10000, verbose=0)
    prediction = np.argmax(probabilities, axis=1)  # the digit with the highest probability; the book: predict_classes
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
    if options.save:
        save_model(model, options.save)
    plt.show()  # the windows stay until they are closed
