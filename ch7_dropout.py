"""Less overfitting: the network from `python ch6_1.py --units 1000`, plus a Dropout layer.

Run `python ch7_dropout.py`. Reading order: ch6_1.py, ch7_dropout.py, ch6_2.py, by_hand.py.

    test accuracy           the book's last epoch
    book   20 runs here     loss    acc     val_loss  val_acc
    98.0%  98.0% to 98.4%   0.0380  0.9882  0.0666    0.9807

Each time the network trains on an image, Dropout(0.5) switches off each hidden unit with
probability 0.5 and doubles the others' outputs. A network that cannot rely on any single unit
memorizes less. Testing uses all units. The gap between `acc` and `val_acc` is narrower than
without dropout. Part of this is how `acc` is measured: during training, with dropout on.
"""

import numpy as np
from keras import Input
from keras import utils as np_utils
from keras.layers import Dense, Dropout
from keras.models import Sequential
from matplotlib import pyplot as plt

import mnist
from command_line import prepare_folders, read_options
from utils import confusion_matrix, show_train_history

(X_train_image, y_train_label), (X_test_image, y_test_label) = mnist.load_data()
x_Train_norm = X_train_image.reshape(60000, 784).astype("float32") / 255
x_Test_norm = X_test_image.reshape(10000, 784).astype("float32") / 255
y_TrainOneHot = np_utils.to_categorical(y_train_label)
y_TestOneHot = np_utils.to_categorical(y_test_label)


def build_model(units=1000):
    """Return an untrained network: 784 inputs, a hidden layer with dropout, 10 outputs."""
    model = Sequential()
    model.add(Input((784,)))
    model.add(Dense(units=units, kernel_initializer="normal", activation="relu"))
    model.add(Dropout(0.5))  # new
    model.add(Dense(units=10, kernel_initializer="normal", activation="softmax"))
    return model


if __name__ == "__main__":
    options = read_options(__doc__, units=1000)
    prepare_folders(options)
    np_utils.set_random_seed(options.seed)
    model = build_model(options.units)
    print("\t[Info] Model summary:")
    model.summary()
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["acc"])
    train_history = model.fit(
        x=x_Train_norm, y=y_TrainOneHot, validation_split=0.2,
        epochs=options.epochs, batch_size=options.batch_size, verbose=2,
    )  # fmt: skip
    show_train_history(train_history, "acc", "val_acc")
    show_train_history(train_history, "loss", "val_loss")
    scores = model.evaluate(x_Test_norm, y_TestOneHot, batch_size=10000, verbose=0)
    print(f"\t[Info] Accuracy of testing data = {scores[1]:.1%}")
    print("\t[Info] Making prediction to x_Test_norm")
    prediction = np.argmax(model.predict(x_Test_norm, batch_size=10000, verbose=0), axis=1)
    print("\t[Info] Display Confusion Matrix:")
    print(confusion_matrix(y_test_label, prediction))
    if options.save:
        model.save(options.save)
    plt.show()
