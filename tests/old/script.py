# A reader's script as such scripts were written from 2017 to 2020: tests/test_repair.py repairs and runs it.
# It is never imported.
from keras.datasets import mnist
from keras.utils import np_utils
from keras.models import Sequential
from keras.layers.core import Dense, Dropout
from keras.callbacks import EarlyStopping
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

np.random.seed(10)

(x_train, y_train), (x_test, y_test) = mnist.load_data('./mnist.npz')
x_Train_norm = x_train.reshape(60000, 784).astype('float32') / 255
x_Test_norm = x_test.reshape(10000, 784).astype('float32') / 255
y_TrainOneHot = np_utils.to_categorical(y_train)
y_TestOneHot = np_utils.to_categorical(y_test)

model = Sequential()
model.add(Dense(units=256, input_dim=784, activation='relu'))
model.add(Dropout(0.5))
model.add(Dense(units=10, kernel_initializer='normal', activation='softmax'))
print(model.summary())

try:
    model.load_weights('mnist.h5')
    print('loaded, training goes on')
except:
    print('loading failed, training anew')

model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
train_history = model.fit(x=x_Train_norm, y=y_TrainOneHot, validation_split=0.2, epochs=10, batch_size=200, verbose=2,
                          callbacks=[EarlyStopping(monitor='val_acc', patience=3)])
model.save_weights('mnist.h5')


def show_train_history(history, one, other):
    plt.plot(history.history[one])
    plt.plot(history.history[other])
    plt.title('Train History')
    plt.legend(['train', 'validation'], loc='upper left')
    plt.show()


show_train_history(train_history, 'acc', 'val_acc')
show_train_history(train_history, 'loss', 'val_loss')
print('accuracy =', model.evaluate(x_Test_norm, y_TestOneHot)[1])

prediction = model.predict_classes(x_Test_norm)
print('the first is read as %d, a %d' % (prediction[0], y_test[0]))
print(pd.crosstab(y_test, prediction, rownames=['label'], colnames=['predict']))
df = pd.DataFrame({'label': y_test, 'predict': prediction})
print(df[(df.label == 5) & (df.predict == 3)])
