"""Make `model.fit` fast on TensorFlow: one compiled loop an epoch.

Keras hands TensorFlow one batch at a time. For a network as small as the chapter's, the handing over takes several
times as long as the arithmetic. `compile_epochs` lets TensorFlow run all the batches of an epoch by itself.
The work stays the same: Keras's own training step, its loss, metrics and optimizer, a new shuffle each epoch, the same
batch size, validation after each epoch. The module holds nothing of the chapter: you can read the book without it.
"""

import math
import sys

import keras
import numpy as np


def compile_epochs(model):
    """Let `model.fit` run each epoch as one compiled loop; call it after `model.compile`.

    It serves the chapter's way of calling `fit`: two arrays and any of `batch_size`, `epochs`, `verbose` and
    `validation_split`. A call with any other argument goes to Keras's own `fit`, and so does every call on a backend
    other than TensorFlow. `evaluate`, `predict` and `save` are untouched.

    Args:
        model: a compiled `keras.Model` with one input and one output.
    """
    if keras.backend.backend() != "tensorflow":
        return
    keras_fit = model.fit

    def fit(x=None, y=None, *others, **arguments):
        known = {"batch_size", "epochs", "verbose", "validation_split"}
        if y is None or others or not arguments.keys() <= known or None in arguments.values() or model.run_eagerly:
            return keras_fit(x, y, *others, **arguments)
        return fit_arrays(model, x, y, **arguments)

    model.fit = fit


def fit_arrays(model, x, y, batch_size=32, epochs=1, verbose="auto", validation_split=0.0):
    """Train `model` on two arrays as `keras.Model.fit` does, and return the same history."""
    import tensorflow as tf

    model.stop_training = False
    epochs = min(epochs, keras.config.max_epochs() or epochs)
    x, y = np.asarray(x, "float32"), np.asarray(y, "float32")
    size = math.floor(len(x) * (1 - validation_split))
    steps = min(math.ceil(size / batch_size), keras.config.max_steps_per_epoch() or math.inf)
    x, y, x_val, y_val = map(to_tensor, (x[:size], y[:size], x[size:], y[size:]))

    # Keras uses XLA on a GPU only. On a CPU it halves the time of a network without dropout, whose random numbers it
    # draws slowly there. TensorFlow is sure to have it on Linux.
    dropout = any(isinstance(layer, keras.layers.Dropout) for layer in model.layers)
    xla = model.jit_compile or (sys.platform == "linux" and not dropout)
    train = compile_loop(model, model.train_step, batch_size, steps, xla)
    validate = compile_loop(model, model.test_step, batch_size, math.ceil(len(x_val) / batch_size), xla=False)

    callbacks = keras.callbacks.CallbackList(
        add_history=True, add_progbar=verbose != 0, model=model, verbose=verbose, epochs=epochs, steps=steps
    )
    callbacks.on_train_begin()
    logs = {}
    for epoch in range(epochs):
        callbacks.on_epoch_begin(epoch)
        logs = train(x, y, tf.random.shuffle(tf.range(size)))
        callbacks.on_train_batch_end(steps - 1, logs)
        if len(x_val):
            val_logs = validate(x_val, y_val, tf.range(len(x_val)))
            logs |= {f"val_{name}": value for name, value in val_logs.items()}
        callbacks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    callbacks.on_train_end(logs)
    return model.history


def compile_loop(model, step, batch_size, steps, xla):
    """Return a function of (x, y, order) that does `step` with `steps` batches and returns the model's metrics.

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

        full_steps = min(order.shape[0] // batch_size, steps)
        full_batches = tf.reshape(order[: full_steps * batch_size], (full_steps, batch_size))
        tf.while_loop(lambda i: i < full_steps, take_full_batch, [0])
        if full_steps < steps:  # the last batch may be a smaller one
            take(order[full_steps * batch_size :])
        return model.get_metrics_result()

    def run(x, y, order):
        model.reset_metrics()
        return {name: float(value) for name, value in loop(x, y, order).items()}

    return run


def to_tensor(array):
    """Copy a float32 array to a tensor.

    `tf.convert_to_tensor` copies a large array twice. Memory that starts at a multiple of 64 bytes TensorFlow takes as
    it is, so one copy will do; that saves 190 MB, and half a second of filling them.
    """
    import tensorflow as tf

    memory = np.empty(array.nbytes + 64, "uint8")
    start = -memory.ctypes.data % 64
    aligned = memory[start : start + array.nbytes].view("float32").reshape(array.shape)
    aligned[:] = array
    return tf.experimental.dlpack.from_dlpack(aligned.__dlpack__())
