#!/usr/bin/env python

# # A reader's notebook, turned into a script as it was done in 2018: tests/test_repair.py repairs and runs it.
# # It is never imported.

# In[1]:
import os
import time
import numpy as np
import tensorflow as tf
from keras import backend as K
from keras.datasets import mnist
from keras.utils.np_utils import to_categorical

get_ipython().run_line_magic('matplotlib', 'inline')
import matplotlib.pyplot as plt

tf.set_random_seed(10)

# In[2]:
(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, y_train, x_test = x_train[:3000], y_train[:3000], x_test[:np.int(300)]
x_Train_norm = x_train.reshape(len(x_train), 784).astype('float32') / 255
x_Test_norm = x_test.reshape(len(x_test), 784).astype('float32') / 255
y_TrainOneHot = to_categorical(y_train, nb_classes=10)

# In[3]:
def plot_image(image):
    fig = plt.gcf()
    fig.set_size_inches(2, 2)
    plt.subplot(1, 1, 1)
    plt.imshow(image, cmap='binary')
    plt.show()

plot_image(x_train[0])

# In[4]:
from keras.callbacks import ModelCheckpoint
from keras.layers import Activation, Dense
from keras.models import Sequential, load_model
from keras.optimizers import Adam

model = Sequential()
model.add(Dense(units=256, input_dim=784, activation='relu'))
model.add(Dense(256, init='normal'))
model.add(Activation('relu'))
model.add(Dense(10, activation='softmax'))
print(model.layers[0].output_shape)
model.compile(loss='categorical_crossentropy', optimizer=Adam(lr=0.001), metrics=['accuracy'])

# In[5]:
train_history = model.fit(x_Train_norm, y_TrainOneHot, epochs=10, batch_size=200, validation_split=0.2,
                          callbacks=[ModelCheckpoint('best.hdf5')])
model.save('mnist.model')
model.fit(x_Train_norm, y_TrainOneHot, nb_epoch=1)
K.set_value(model.optimizer.lr, 0.01)

# In[6]:
plt.plot(train_history.history['acc'])
plt.plot(train_history.history['val_acc'])
plot_image(x_test[0])

# In[7]:
model.save('model.h5')
model = load_model('model.h5')
model.fit(x_Train_norm, y_TrainOneHot, epochs=1)
os.mkdir('logs')

# In[8]:
prediction = model.predict_classes(x_Test_norm)
print('read as ' + '%d' % prediction[0])
print(y_TrainOneHot[:1])
print(time.clock())
