"""The random numbers of Keras 2.0 on TensorFlow 1, drawn with today's Keras and TensorFlow.

All of them followed from NumPy's global generator, so from `np.random.seed(10)`:

- A layer took a seed from it, its op seed, when it was added to the network: Dense for its first weights, Dropout for
  its masks (Keras 2.0, keras/models.py and keras/backend/tensorflow_backend.py).
- TensorFlow made the numbers from this op seed and one graph seed by Philox 4x32-10, a generator that counts: it turns
  each count into numbers (TensorFlow 1, python/framework/random_seed.py and core/util/guarded_philox_random.cc). For
  each uniform number it moved on by 256 counts (core/kernels/random_op.cc).
- Each epoch shuffled the order of the last one with `np.random.shuffle` (Keras 2.0, keras/engine/training.py), as
  training_loop.py does.
"""

import weakref

import keras
import numpy as np
import tensorflow as tf
import training_loop

GRAPH_SEED = 87654321
PHILOX = 1  # TensorFlow's number for the algorithm
NORMAL = keras.initializers.get("normal").get_config()

keras_add = keras.Sequential.add
counters = weakref.WeakKeyDictionary()  # layer: how far its stream of random numbers has been used, and its op seed


class CannotReplay(ValueError):
    """Keras 2.0 would have drawn random numbers that are not known here."""


def draw(op, shape, counter):
    """Return the float32 numbers that TensorFlow 1 drew with the op seed `counter[1]` after `counter[0]` counts."""
    key = tf.constant([GRAPH_SEED], tf.uint64)
    return op(shape=shape, key=key, counter=tf.cast(counter, tf.uint64), alg=PHILOX)


def add(model, layer, rebuild=True):
    """Add a layer to a `keras.Sequential`, and draw its op seed and its first weights at once, as Keras 2.0 did."""
    keras_add(model, layer)
    if layer in counters or not is_known(layer):
        return
    counters[layer] = tf.Variable([0, np.random.randint(10_000_000)], dtype=tf.int64)
    if isinstance(layer, keras.layers.Dense):
        normal = draw(tf.raw_ops.StatelessRandomNormalV2, layer.kernel.shape, counters[layer])
        layer.kernel.assign(0.05 * normal)


def is_known(layer):
    if isinstance(layer, keras.layers.Dropout):
        return layer.seed is None and layer.noise_shape is None and 0 < layer.rate < 1
    if isinstance(layer, keras.layers.Dense):
        kernel, bias = layer.kernel_initializer, layer.bias_initializer
        normal = isinstance(kernel, keras.initializers.RandomNormal) and kernel.get_config() == NORMAL
        return layer.built and normal and isinstance(bias, keras.initializers.Zeros)
    return False


def drop(layer, x):
    """Return `x` after a Dropout layer in the next training step: part of the numbers 0, the others larger."""
    keep = 1 - layer.rate
    mask = tf.floor(keep + draw(tf.raw_ops.StatelessRandomUniformV2, tf.shape(x), counters[layer]))
    counters[layer].assign_add(tf.stack([256 * tf.size(x, tf.int64), 0]))
    return x / keep * mask


def fit(
    model, x=None, y=None, batch_size=None, epochs=1, verbose="auto", callbacks=None, validation_split=0.0, **others
):
    """Train `model` as `keras.Model.fit` does, but with the random numbers of Keras 2.0.

    Raises:
        CannotReplay: what was asked for is not known to give the numbers of Keras 2.0; nothing has been trained.
    """
    callbacks = keras.tree.flatten(callbacks or [])
    if others:
        refuse(f"fit({', '.join(others)}=...)")
    for layer in model.layers:
        if layer not in counters:
            refuse(f"the layer {layer.name!r} of {model.name!r}")
    for callback in callbacks:
        if called_in_batches(callback):
            refuse(f"{type(callback).__name__}, a callback that is called in each batch,")
    if not (isinstance(x, np.ndarray) and isinstance(y, np.ndarray) and len(x) == len(y)):
        refuse("fit without two NumPy arrays of one length")
    if not 0 <= validation_split < 1 or int(len(x) * (1 - validation_split)) < 1:
        refuse(f"validation_split={validation_split} of {len(x)} images")

    def in_training(x):
        for layer in model.layers:
            x = drop(layer, x) if isinstance(layer, keras.layers.Dropout) else layer(x)
        return x

    history = training_loop.fit(
        model, in_training, x, y, batch_size or 32, epochs, verbose, callbacks, validation_split
    )
    model.optimizer.finalize_variable_values(model.trainable_variables)  # for optimizers that average the weights
    return history


def refuse(what):
    raise CannotReplay(
        f"{what} cannot be replayed: the random numbers are known for a keras.Sequential that begins with keras.Input,"
        " of Dense layers with kernel_initializer='normal' and Dropout layers, trained on arrays"
    )


def called_in_batches(callback):
    hooks = [f"on_{phase}batch_{moment}" for phase in ("", "train_", "test_") for moment in ("begin", "end")]
    own = [getattr(getattr(callback, hook), "__func__", None) for hook in hooks]
    of_keras = [getattr(keras.callbacks.Callback, hook) for hook in hooks]
    return own != of_keras and getattr(callback, "save_freq", None) != "epoch"  # as ModelCheckpoint's is


def install():
    """In this process, build and train every network with the random numbers of Keras 2.0."""
    keras.Sequential.add = add
    keras.Model.fit = fit
