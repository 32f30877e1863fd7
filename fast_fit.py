"""Make `model.fit` fast on TensorFlow: one compiled loop an epoch.

Keras hands TensorFlow one batch at a time. For a network as small as the chapter's, the handing over takes several
times as long as the arithmetic. `compile_epochs` lets TensorFlow run all the batches of an epoch by itself.
The work stays the same: Keras's own training step, its loss, metrics and optimizer, a new shuffle each epoch, the same
batch size, validation after each epoch. The module holds nothing of the chapter: you can read the book without it.
"""

import functools
import math
import sys

import keras
import numpy as np


def compile_epochs(model):
    """Let `model.fit` run each epoch as one compiled loop.

    It serves the chapter's way of calling `fit`: two NumPy arrays and any of `batch_size`, `epochs`, `verbose` and
    `validation_split`. Every other call goes to Keras's own `fit`, which also knows what to say about a wrong one, and
    so does every call on a backend other than TensorFlow. `evaluate`, `predict` and `save` are untouched.

    Args:
        model: a `keras.Model` with one input and one output.
    """
    if keras.backend.backend() != "tensorflow":
        return
    keras_fit = model.fit

    @functools.wraps(keras_fit)
    def fit(x=None, y=None, *others, **arguments):
        chosen = {"batch_size": 32, "epochs": 1, "verbose": "auto", "validation_split": 0.0} | arguments
        if len(chosen) > 4 or others or model.run_eagerly or not fits_in_batches(x, y, **chosen):
            return keras_fit(x, y, *others, **arguments)
        return fit_arrays(model, x, y, **chosen)

    model.fit = fit


def fits_in_batches(x, y, batch_size, epochs, verbose, validation_split):
    """Return whether `fit_arrays` serves this call: arrays of one length, of which no part or batch is empty."""
    if not (isinstance(x, np.ndarray) and isinstance(y, np.ndarray) and x.shape[:1] == y.shape[:1] != ()):
        return False
    if None in (batch_size, epochs, verbose, validation_split) or not isinstance(batch_size, int) or batch_size < 1:
        return False
    size = training_size(x, validation_split)
    return 0 < size < len(x) or (validation_split == 0 and size > 0)


def training_size(x, validation_split):
    return math.floor(len(x) * (1 - validation_split))


def count_batches(size, batch_size):
    return min(math.ceil(size / batch_size), keras.config.max_steps_per_epoch() or math.inf)


def fit_arrays(model, x, y, batch_size, epochs, verbose, validation_split):
    """Train `model` on two arrays as `keras.Model.fit` does, and return the same history."""
    import tensorflow as tf

    model.stop_training = False
    epochs = min(epochs, keras.config.max_epochs() or epochs)
    size = training_size(x, validation_split)
    x, y, x_val, y_val = map(to_tensor, (x[:size], y[:size], x[size:], y[size:]))

    # Keras uses XLA on a GPU only. On a CPU it halves the time of a network without dropout, whose random numbers it
    # draws slowly there. TensorFlow is sure to have it on Linux.
    able = all(layer.supports_jit and not isinstance(layer, keras.layers.Dropout) for layer in model.layers)
    xla = model.jit_compile or (sys.platform == "linux" and able)
    train = compile_loop(model, model.train_step, batch_size, xla)
    validate = compile_loop(model, model.test_step, batch_size, xla=False)

    callbacks = keras.callbacks.CallbackList(
        add_history=True,
        add_progbar=verbose != 0,
        model=model,
        verbose=verbose,
        epochs=epochs,
        steps=count_batches(size, batch_size),
    )
    callbacks.on_train_begin()
    logs = {}
    for epoch in range(epochs):
        callbacks.on_epoch_begin(epoch)
        logs = train(x, y, tf.random.shuffle(tf.range(size)))
        if len(x_val):
            val_logs = validate(x_val, y_val, tf.range(len(x_val)))
            logs |= {f"val_{name}": value for name, value in val_logs.items()}
        callbacks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    model.optimizer.finalize_variable_values(model.trainable_weights)
    callbacks.on_train_end(logs)
    return model.history


def compile_loop(model, step, batch_size, xla):
    """Return a function of (x, y, order) that does `step` batch by batch and returns the model's metrics.

    `order` is a tensor of row numbers: the first batch takes the rows that its first numbers name, and so on.
    """
    import tensorflow as tf

    @tf.function(jit_compile=xla, autograph=False)
    def loop(x, y, order):
        def take(rows):
            step((tf.gather(x, rows), tf.gather(y, rows)))

        def take_full_batch(i):
            take(full_batches[i])
            return i + 1

        batches = count_batches(order.shape[0], batch_size)
        full = min(order.shape[0] // batch_size, batches)
        full_batches = tf.reshape(order[: full * batch_size], (full, batch_size))
        tf.while_loop(lambda i: i < full, take_full_batch, [0])
        if full < batches:  # the last batch may be a smaller one
            take(order[full * batch_size :])
        return model.get_metrics_result()

    def run(x, y, order):
        model.reset_metrics()
        return loop(x, y, order)

    return run


def to_tensor(array):
    """Copy an array to a float32 tensor.

    `tf.convert_to_tensor` copies a large array twice. Memory that starts at a multiple of 64 bytes TensorFlow takes as
    it is, so one copy will do; that saves 190 MB, and half a second of filling them.
    """
    import tensorflow as tf

    memory = np.empty(4 * array.size + 64, "uint8")
    start = -memory.ctypes.data % 64
    aligned = memory[start : start + 4 * array.size].view("float32").reshape(array.shape)
    aligned[:] = array
    return tf.experimental.dlpack.from_dlpack(aligned.__dlpack__())
