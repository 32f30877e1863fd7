"""The random numbers of Keras 2.0 on TensorFlow 1, drawn with today's Keras and TensorFlow.

All of them followed from NumPy's global generator, so from `np.random.seed(10)`:

- A layer took a seed from it, its op seed, when it was added to the network: Dense for its first weights, Dropout for
  its masks (Keras 2.0, keras/models.py and keras/backend/tensorflow_backend.py).
- TensorFlow made the numbers from this op seed and one graph seed by Philox 4x32-10, a generator that counts, and turns
  each count into four numbers (TensorFlow 1, python/framework/random_seed.py, core/util/guarded_philox_random.cc).
  For each uniform number it moved on by 256 counts (core/kernels/random_op.cc).
- Each epoch shuffled the order of the last one with `np.random.shuffle` (Keras 2.0, keras/engine/training.py), as
  training_loop.py does.

The rest is today's: the loss, the metrics, Adam (with an epsilon of 1e-7 for 1e-8), and how sums are rounded.
"""

import weakref

import keras
import numpy as np
import tensorflow as tf
import training_loop

GRAPH_SEED = 87654321
PHILOX = 1  # TensorFlow's number for the algorithm

keras_add, keras_dropout = keras.Sequential.add, keras.layers.Dropout.call
streams = weakref.WeakKeyDictionary()  # layer: the next count of its random numbers, and its op seed


class CannotReplay(ValueError):
    """Keras 2.0 would have drawn random numbers that are not known here."""


def draw(op, shape, stream):
    """Return the float32 numbers that TensorFlow 1 drew at this place of the stream: count and op seed."""
    key, counter = tf.constant([GRAPH_SEED], tf.uint64), tf.cast(stream, tf.uint64)
    return op(shape=shape, key=key, counter=counter, alg=PHILOX)


def add(model, layer, rebuild=True):
    """Add a layer to a `keras.Sequential`, and draw its op seed and its first weights at once, as Keras 2.0 did."""
    keras_add(model, layer)  # `rebuild` is not handed on: the layer must be built at once, for its first weights
    if layer not in streams and is_known(layer):
        streams[layer] = tf.Variable([0, np.random.randint(10_000_000)], dtype=tf.int64)
        if isinstance(layer, keras.layers.Dense):
            normal = draw(tf.raw_ops.StatelessRandomNormalV2, layer.kernel.shape, streams[layer])
            layer.kernel.assign(layer.kernel_initializer.stddev * normal)


def is_known(layer):
    if type(layer) is keras.layers.Dropout:  # SpatialDropout is one too, but draws other masks
        return layer.seed is None and layer.noise_shape is None and 0 < layer.rate < 1
    if type(layer) is keras.layers.Dense:
        kernel, bias = layer.kernel_initializer, layer.bias_initializer
        normal = isinstance(kernel, keras.initializers.RandomNormal)
        as_in_book = normal and kernel.get_config() == keras.initializers.get("normal").get_config()
        return layer.built and as_in_book and isinstance(bias, keras.initializers.Zeros)
    return False


def dropout(layer, inputs, training=False):
    """Do what a Dropout layer does: in training, silence part of the inputs and make the others larger."""
    if not training or layer not in streams:
        return keras_dropout(layer, inputs, training=training)
    keep, stream = 1 - layer.rate, streams[layer]
    mask = tf.floor(keep + draw(tf.raw_ops.StatelessRandomUniformV2, tf.shape(inputs), stream))
    stream.assign_add(tf.stack([256 * tf.size(inputs, tf.int64), 0]))
    return inputs / keep * mask


def fit(
    model, x=None, y=None, batch_size=None, epochs=1, verbose="auto", callbacks=None, validation_split=0.0, **others
):
    """Train `model` as `keras.Model.fit` does, but with the random numbers of Keras 2.0.

    Raises:
        CannotReplay: what was asked for is not known to give the numbers of Keras 2.0; nothing has been trained.
    """
    batch_size, callbacks = 32 if batch_size is None else batch_size, keras.tree.flatten(callbacks or [])
    unknown = [layer for layer in model.layers if layer not in streams]
    in_batches = [type(callback).__name__ for callback in callbacks if called_in_batches(callback)]
    if others:
        refuse(f"fit({', '.join(others)}=...)", "of fit's arguments those that the book uses, and callbacks")
    if unknown:
        refuse(
            f"the layer {unknown[0].name!r} of {model.name!r}",
            "Dropout(rate), and Dense with kernel_initializer='normal' and biases that begin at zero,"
            " in a keras.Sequential that begins with keras.Input",
        )
    if not model.compiled or model.optimizer.use_ema:
        refuse("this model", "one that is compiled, with an optimizer that does not average the weights")
    if in_batches:
        refuse(in_batches[0], "callbacks that are called once an epoch")
    if not (isinstance(x, np.ndarray) and isinstance(y, np.ndarray) and len(x) == len(y)):
        refuse("this data", "two NumPy arrays of one length")
    if not (0 <= validation_split < 1 and int(len(x) * (1 - validation_split)) >= 1 and batch_size >= 1):
        refuse(f"fit(validation_split={validation_split}, batch_size={batch_size})", "what leaves images to train on")
    return training_loop.fit(model, x, y, batch_size, epochs, verbose, callbacks, validation_split)


def refuse(what, known):
    raise CannotReplay(f"{what} cannot be replayed; the replay knows {known}")


def called_in_batches(callback):
    if isinstance(callback, keras.callbacks.ModelCheckpoint):
        return callback.save_freq != "epoch"
    hooks = [f"on_{phase}batch_{moment}" for phase in ("", "train_", "test_") for moment in ("begin", "end")]
    own = [getattr(getattr(callback, hook), "__func__", None) for hook in hooks]
    return own != [getattr(keras.callbacks.Callback, hook) for hook in hooks]


def install():
    """In this process, build and train every network with the random numbers of Keras 2.0."""
    keras.Sequential.add = add
    keras.layers.Dropout.call = dropout
    keras.Model.fit = fit
