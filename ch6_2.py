"""The book's last network: two hidden layers of 1000 units, each with dropout, trained on MNIST.

Chapter 7 ends with a deeper network: the second hidden layer combines what the first has found in the pictures. It has
1.8 million weights to learn (one hidden layer of 1000 has 0.8 million), and each training step takes longer.

Look at the accuracy curves and compare them with those of `python ch7_dropout.py`: training and validation nearly meet.
The dropout after each hidden layer holds the overfitting back; take the two lines out to see how much.
"""

if __name__ == "__main__":  # before the imports, which take seconds, so that a wrong option is told at once
    from command_line import end_script, read_options, saving

    options = read_options(__doc__)

import keras
import numpy as np
import pandas as pd

from fast_fit import compile_epochs
from utils import *

# Chapter 6: the data. Each picture of 28 x 28 pixels becomes a row of 784 numbers from 0 to 1.
(X_train_image, y_train_label), (X_test_image, y_test_label) = load_mnist()

x_Train = X_train_image.reshape(60000, 784).astype("float32")
x_Test = X_test_image.reshape(10000, 784).astype("float32")
x_Train_norm = x_Train / 255
x_Test_norm = x_Test / 255

# One-hot: the label 5 becomes [0 0 0 0 0 1 0 0 0 0], one place for each output of the network.
y_TrainOneHot = keras.utils.to_categorical(y_train_label)
y_TestOneHot = keras.utils.to_categorical(y_test_label)


# Chapter 7: the network.
def build_model():
    """Return the untrained network: 784 inputs, two hidden layers of 1000, an output for each digit."""
    model = keras.Sequential()
    model.add(keras.Input((784,)))
    model.add(keras.layers.Dense(units=1000, kernel_initializer="normal", activation="relu"))
    model.add(keras.layers.Dropout(0.5))  # in training, silences a random half of the units
    model.add(keras.layers.Dense(units=1000, kernel_initializer="normal", activation="relu"))
    model.add(keras.layers.Dropout(0.5))
    model.add(keras.layers.Dense(units=10, kernel_initializer="normal", activation="softmax"))
    return model


# `from ch6_2 import *` ends here; `python ch6_2.py` goes on to train the network and test it.
if __name__ == "__main__":
    show_data(X_train_image, y_train_label, X_test_image, options.figures)
    print(f"\t[Info] xTrain: {x_Train.shape}")
    print(f"\t[Info] xTest: {x_Test.shape}")

    keras.utils.set_random_seed(options.seed)
    model = build_model()
    print("\t[Info] Model summary:")
    model.summary()

    # The last fifth of the training data is not trained on: it validates the network after each epoch.
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    compile_epochs(model)  # the same training steps, faster: see fast_fit.py
    with saving(model, options.save):
        train_history = model.fit(
            x=x_Train_norm,
            y=y_TrainOneHot,
            validation_split=0.2,
            epochs=options.epochs,
            batch_size=options.batch_size,
            verbose=2,
        )
    keep_figure(show_train_history(train_history, "acc", "val_acc"), options.figures, "accuracy")
    keep_figure(show_train_history(train_history, "loss", "val_loss"), options.figures, "loss")

    # The test data was never seen in training. As one batch it takes one step, not 313.
    scores = model.evaluate(x_Test_norm, y_TestOneHot, batch_size=10000, verbose=0)
    print(f"\t[Info] Accuracy of testing data = {scores[1]:.1%}")
    print("\t[Info] Accuracy in the book = 97.9%")

    print("\t[Info] Making prediction to x_Test_norm")
    prediction = np.argmax(model.predict(x_Test_norm, batch_size=10000, verbose=0), axis=1)
    df = pd.DataFrame({"label": y_test_label, "predict": prediction})
    show_predictions(X_test_image, df, options.figures, options.all_errors)

    wait_for_windows()
    end_script()
