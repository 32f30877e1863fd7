"""The chapter's way of calling Keras. Only the names that Keras has removed are changed.

Run by `compare.py`, such as `python book.py 1000,1000 True`: hidden layers, and dropout or not.
"""

import sys

import keras
import matplotlib.pyplot as plt  # noqa: F401  the book imports it
import numpy as np
import pandas as pd
from keras.layers import Dense, Dropout
from keras.models import Sequential

import mnist

hidden, dropout = [int(units) for units in sys.argv[1].split(",")], sys.argv[2] == "True"
np.random.seed(10)

(X_train_image, y_train_label), (X_test_image, y_test_label) = mnist.load_data()
x_Train = X_train_image.reshape(60000, 784).astype("float32")
x_Test = X_test_image.reshape(10000, 784).astype("float32")
x_Train_norm = x_Train / 255
x_Test_norm = x_Test / 255
y_TrainOneHot = keras.utils.to_categorical(y_train_label)
y_TestOneHot = keras.utils.to_categorical(y_test_label)

model = Sequential()
model.add(keras.Input((784,)))
for units in hidden:
    model.add(Dense(units=units, kernel_initializer="normal", activation="relu"))
    if dropout:
        model.add(Dropout(0.5))
model.add(Dense(units=10, kernel_initializer="normal", activation="softmax"))
model.summary()

model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
fit_options = {"validation_split": 0.2, "epochs": 10, "batch_size": 200, "verbose": 2}
train_history = model.fit(x=x_Train_norm, y=y_TrainOneHot, **fit_options)

scores = model.evaluate(x_Test_norm, y_TestOneHot)
prediction = np.argmax(model.predict(x_Test_norm), axis=1)
print(pd.crosstab(y_test_label, prediction, rownames=["label"], colnames=["predict"]))
df = pd.DataFrame({"label": y_test_label, "predict": prediction})
print(df[(df.label == 5) & (df.predict == 3)])
