"""A first neural network in Keras. One hidden layer learns to read handwritten digits.

    python ch6_1.py                 256 hidden units
    python ch6_1.py --units 1000    1000 hidden units

The script follows chapters 6 and 7 of 林大貴, 《TensorFlow+Keras 深度學習人工智慧實務應用》
(2017). Training takes ten to thirty seconds. Then the pictures open; close them to end the script.

                  test accuracy               the book's last epoch
    hidden units  book   20 runs here         loss    acc     val_loss  val_acc
    256           97.6%  97.5% to 97.8%       (the book does not say)
    1000          97.9%  97.7% to 98.2%       0.0064  0.9993  0.0701    0.9807

Watch for overfitting: the network memorizes its training images. `loss` keeps falling, but
`val_loss`, measured on other images, falls ever more slowly. With 1000 units it rises in the end,
and the gap between `acc` and `val_acc` widens. Even so, 1000 units usually test better than 256.

Reading order: ch6_1.py, ch7_dropout.py, ch6_2.py, by_hand.py.
"""

import numpy as np
import pandas as pd
from keras import Input
from keras import utils as np_utils  # the book's name for it
from keras.layers import Dense
from keras.models import Sequential
from matplotlib import pyplot as plt

import mnist  # the data comes with this project, so nothing is downloaded
from command_line import prepare_folders, read_options
from utils import (
    confusion_matrix,
    plot_confusion_matrix,
    plot_image,
    plot_images_labels_predict,
    show_train_history,
)

# Chapter 6, the data: 60,000 training images and 10,000 test images of 28 x 28 pixels.
(X_train_image, y_train_label), (X_test_image, y_test_label) = mnist.load_data()

# Features: each image becomes a row of 784 numbers. Divided by 255, they lie between 0 and 1.
x_Train = X_train_image.reshape(60000, 784).astype("float32")
x_Test = X_test_image.reshape(10000, 784).astype("float32")
x_Train_norm = x_Train / 255
x_Test_norm = x_Test / 255

# One-hot labels: one place per digit. The label 5 becomes [0 0 0 0 0 1 0 0 0 0].
y_TrainOneHot = np_utils.to_categorical(y_train_label)
y_TestOneHot = np_utils.to_categorical(y_test_label)


# Chapter 7, the network. A unit multiplies each of its inputs by a weight, adds up the products,
# and adds its bias. Training finds good weights and biases.
def build_model(units=256):
    """Return an untrained network: 784 inputs, `units` hidden units, 10 outputs."""
    model = Sequential()
    model.add(Input((784,)))
    # "normal": the weights start as small random numbers. "relu": a sum below 0 becomes 0.
    model.add(Dense(units=units, kernel_initializer="normal", activation="relu"))
    # "softmax" turns the ten sums into ten probabilities, which add up to 1.
    model.add(Dense(units=10, kernel_initializer="normal", activation="softmax"))
    return model


# `from ch6_1 import *` stops here. You get the data and build_model, but no training.
if __name__ == "__main__":
    options = read_options(__doc__, units=256)
    prepare_folders(options)
    np_utils.set_random_seed(options.seed)  # same seed, same computer: same result

    print(f"\t[Info] train data={len(X_train_image):7,}")
    print(f"\t[Info] test  data={len(X_test_image):7,}")
    print(f"\t[Info] Shape of train data={X_train_image.shape}")
    print(f"\t[Info] Shape of train label={y_train_label.shape}")
    plot_image(X_train_image[0])
    plot_images_labels_predict(X_train_image, y_train_label, [], 0, 10)
    print(f"\t[Info] xTrain: {x_Train.shape}")
    print(f"\t[Info] xTest: {x_Test.shape}")
    model = build_model(options.units)
    print("\t[Info] Model summary:")
    model.summary()
    # An image's loss is -ln(p), where p is the probability given to its label.
    # Adam lowers the loss by changing the weights a little after each batch.
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["acc"])
    # `fit` holds back the last 20% of the images to validate the network after each epoch.
    # It shuffles the other 48,000 into batches of 200. One epoch is 240 batches.
    train_history = model.fit(
        x=x_Train_norm, y=y_TrainOneHot, validation_split=0.2,
        epochs=options.epochs, batch_size=options.batch_size, verbose=2,
    )  # fmt: skip
    show_train_history(train_history, "acc", "val_acc")
    show_train_history(train_history, "loss", "val_loss")

    # The finished network is tested on new images. `scores` holds the loss and the accuracy.
    scores = model.evaluate(x_Test_norm, y_TestOneHot, batch_size=10000, verbose=0)
    print(f"\t[Info] Accuracy of testing data = {scores[1]:.1%}")
    print("\t[Info] Making prediction to x_Test_norm")
    probabilities = model.predict(x_Test_norm, batch_size=10000, verbose=0)
    prediction = np.argmax(probabilities, axis=1)  # each image's most probable digit
    print("\t[Info] Show 10 prediction result (From 240):")
    print(prediction[240:250])
    plot_images_labels_predict(X_test_image, y_test_label, prediction, idx=240, num=10)
    df = pd.DataFrame({"label": y_test_label, "predict": prediction})
    errors = df[df.label != df.predict]
    print("\t[Info] Error analysis:")
    for i, row in errors[:10].iterrows():
        print(f"\tAt {i}'th: {row.label} is with wrong prediction as {row.predict}!")
    print(f"\t{len(errors)} errors in all")
    print("\t[Info] Display Confusion Matrix:")
    print(confusion_matrix(y_test_label, prediction))
    plot_confusion_matrix(y_test_label, prediction)
    print("\t[Info] The first two rows of df:")
    print(df[:2])
    print("\t[Info] Every 5 that was read as 3:")
    print(df[(df.label == 5) & (df.predict == 3)])
    plot_images_labels_predict(X_test_image, y_test_label, prediction, idx=340, num=1)  # is it a 3?
    if options.save:
        model.save(options.save)
    plt.show()
