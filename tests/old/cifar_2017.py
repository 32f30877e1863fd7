# coding: utf-8
# CIFAR-10 in the style of 2017, with files of weights and a generator of images
import os
from keras.datasets import cifar10
import numpy as np
np.random.seed(10)
from keras.utils import np_utils
from keras.models import Sequential
from keras.layers.core import Dense, Dropout, Flatten
from keras.layers.convolutional import Conv2D
from keras.layers.pooling import MaxPooling2D
from keras.layers.normalization import BatchNormalization
from keras.optimizers import SGD
from keras.preprocessing.image import ImageDataGenerator
from keras.callbacks import ModelCheckpoint, EarlyStopping, TensorBoard

(x_img_train, y_label_train), (x_img_test, y_label_test) = cifar10.load_data()
x_train = x_img_train.astype('float32') / 255.0
x_test = x_img_test.astype('float32') / 255.0
y_train = np_utils.to_categorical(y_label_train)
y_test = np_utils.to_categorical(y_label_test)

def build(units):
    model = Sequential()
    model.add(Conv2D(filters=8, kernel_size=(3, 3), input_shape=(32, 32, 3), activation='relu', padding='same'))
    model.add(BatchNormalization())
    model.add(MaxPooling2D(pool_size=(2, 2)))
    model.add(Flatten())
    model.add(Dropout(rate=0.25))
    model.add(Dense(units, activation='relu'))
    model.add(Dense(10, activation='softmax'))
    return model

model = build(16)
sgd = SGD(lr=0.01, decay=1e-6, momentum=0.9, nesterov=True)
model.compile(loss='categorical_crossentropy', optimizer=sgd, metrics=['accuracy'])
weights_file = 'cifarCnnModel.h5'
try:
    model.load_weights(weights_file)
    print("載入模型成功!繼續訓練模型")
except:
    print("載入模型失敗!開始訓練一個新模型")
callbacks = [ModelCheckpoint('cifar.{epoch:02d}-{val_acc:.2f}.hdf5', monitor='val_acc', save_best_only=True, mode='max', period=1),
             EarlyStopping(monitor='val_acc', patience=2)]
datagen = ImageDataGenerator(horizontal_flip=True)
train_history = model.fit_generator(datagen.flow(x_train, y_train, batch_size=32), steps_per_epoch=len(x_train) / 32, epochs=2,
                                    validation_data=(x_test, y_test), workers=4, callbacks=callbacks)
assert sorted(train_history.history)[0] == 'acc'
model.save_weights(weights_file)
assert os.path.exists(weights_file)
prediction = model.predict_classes(x_test)
print(prediction.reshape(-1)[:5], model.evaluate_generator(datagen.flow(x_test, y_test, batch_size=10), 2))
assert model.predict_generator(datagen.flow(x_test, batch_size=10), 2).shape == (20, 10)
