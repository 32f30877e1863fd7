'''A CNN in the style of 2016: Keras 1 with Theano's order of the axes, by Python 2.'''
from __future__ import print_function
import numpy as np
np.random.seed(1337)  # for reproducibility

from keras.datasets import mnist
from keras.models import Sequential
from keras.layers import Dense, Dropout, Activation, Flatten
from keras.layers import Convolution2D, MaxPooling2D
from keras.utils import np_utils
from keras import backend as K
K.set_image_dim_ordering('th')

nb_classes, nb_epoch = 10, 2
img_rows, img_cols = 28, 28
(X_train, y_train), (X_test, y_test) = mnist.load_data()
X_train, y_train, X_test, y_test = X_train[:600], y_train[:600], X_test[:100], y_test[:100]
X_train = X_train.reshape(X_train.shape[0], 1, img_rows, img_cols).astype('float32') / 255
X_test = X_test.reshape(X_test.shape[0], 1, img_rows, img_cols).astype('float32') / 255
Y_train = np_utils.to_categorical(y_train, nb_classes)
Y_test = np_utils.to_categorical(y_test, nb_classes)

model = Sequential()
model.add(Convolution2D(8, 3, 3, border_mode='valid', input_shape=(1, img_rows, img_cols)))
model.add(Activation('relu'))
model.add(Convolution2D(8, 3, 3, init='glorot_uniform', subsample=(1, 1)))
model.add(MaxPooling2D(pool_size=(2, 2)))
model.add(Dropout(p=0.25))
model.add(Flatten())
model.add(Dense(output_dim=16, init='uniform'))
model.add(Dense(nb_classes))
model.add(Activation('softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adadelta', metrics=['accuracy'])
model.fit(X_train, Y_train, batch_size=128, nb_epoch=nb_epoch, verbose=1, validation_data=(X_test, Y_test))
score = model.evaluate(X_test, Y_test, verbose=0)
print('Test score:', score[0])
assert model.layers[0].strides == (1, 1) and model.predict_classes(X_test).shape == (100,)
