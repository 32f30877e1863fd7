import tensorflow as tf
import keras
from keras.backend.tensorflow_backend import set_session
config = tf.ConfigProto()
config.gpu_options.allow_growth = True
set_session(tf.Session(config=config))
import keras.backend as K
from keras.models import load_model
import numpy as np, time

started = time.clock()
model = keras.models.Sequential([
    keras.layers.core.Dense(8, input_shape=(4,), W_regularizer=keras.regularizers.l2(0.01)),
    keras.layers.advanced_activations.LeakyReLU(0.1),
    keras.layers.Dense(3, activation="softmax")])
def my_loss(y_true, y_pred):
    return K.mean(K.square(y_pred - y_true), axis=-1)
model.compile(loss=my_loss, optimizer=keras.optimizers.adam(lr=1e-3, epsilon=None), metrics=['accuracy'])
x, y = np.random.rand(40, 4), keras.utils.np_utils.to_categorical(np.arange(40) % 3, 3)
def batches():
    while True:
        yield x[:10], y[:10]
gen = batches()
h = model.fit_generator(gen, 4, 2, validation_data=(x, y), max_q_size=10)
print(h.history["acc"][-1], "%.2f seconds" % (time.clock() - started))
K.set_value(model.optimizer.lr, 0.5)
assert round(float(K.get_value(model.optimizer.lr)), 3) == 0.5
model.model_name = 'no file'
model.save('my_model.hdf5')
again = load_model('my_model.hdf5', custom_objects={'my_loss': my_loss})
again.fit(x, y, epochs=1, verbose=0)
print(again.predict_classes(x)[:3], model.layers[0].output_shape)
