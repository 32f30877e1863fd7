"""Make `model.fit` fast on TensorFlow: one compiled loop an epoch.

Keras hands TensorFlow one batch at a time. For a network as small as the chapter's, the handing over takes several
times as long as the arithmetic. `compile_epochs` lets TensorFlow run all the batches of an epoch by itself.
The work stays the same: Keras's own training step, its loss, metrics and optimizer, a new shuffle each epoch, the same
batch size, validation after each epoch. The module holds nothing of the chapter: you can read the book without it.
"""

import math

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
    import tensorflow as tf

    keras_fit = model.fit

    def fit(x, y, **arguments):
        if not arguments.keys() <= {"batch_size", "epochs", "verbose", "validation_split"}:
            return keras_fit(x, y, **arguments)
        return fit_arrays(x, y, **arguments)

    def fit_arrays(x, y, batch_size=32, epochs=1, verbose="auto", validation_split=0.0):
        model.stop_training = False
        epochs = min(epochs, keras.config.max_epochs() or epochs)
        x, y = np.asarray(x, "float32"), np.asarray(y, "float32")
        train_size = math.floor(len(x) * (1 - validation_split))
        train_epoch, steps = compile_loop(model.train_step, x[:train_size], y[:train_size], batch_size)
        if train_size < len(x):
            test_epoch, _ = compile_loop(model.test_step, x[train_size:], y[train_size:], batch_size)

        callbacks = keras.callbacks.CallbackList(
            add_history=True, add_progbar=verbose != 0, model=model, verbose=verbose, epochs=epochs, steps=steps
        )
        callbacks.on_train_begin()
        logs = {}
        for epoch in range(epochs):
            callbacks.on_epoch_begin(epoch)
            logs = train_epoch(tf.random.shuffle(tf.range(train_size)))
            callbacks.on_train_batch_end(steps - 1, logs)
            if train_size < len(x):
                validation_logs = test_epoch(tf.range(len(x) - train_size))
                logs |= {f"val_{name}": value for name, value in validation_logs.items()}
            callbacks.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
        callbacks.on_train_end(logs)
        return model.history

    def compile_loop(step, x, y, batch_size):
        """Return a function that takes the rows of `x` and `y` in the given order, a batch at a time, and its steps."""
        x, y = tf.convert_to_tensor(x), tf.convert_to_tensor(y)
        tf.constant(0.0)  # with the next constant, TensorFlow frees the copies it made of the last ones
        steps = min(math.ceil(len(x) / batch_size), keras.config.max_steps_per_epoch() or math.inf)
        full_steps = min(len(x) // batch_size, steps)

        @tf.function(jit_compile=model.jit_compile, autograph=False)
        def run(order):
            def take_batch(rows):
                step((tf.gather(x, rows), tf.gather(y, rows)))

            def take_full_batch(i):
                take_batch(order[i * batch_size : (i + 1) * batch_size])
                return i + 1

            tf.while_loop(lambda i: i < full_steps, take_full_batch, [0])
            if full_steps < steps:  # the last batch of an epoch may be a smaller one
                take_batch(order[full_steps * batch_size :])
            return model.get_metrics_result()

        def epoch(order):
            model.reset_metrics()
            return {name: float(value) for name, value in run(order).items()}

        return epoch, steps

    model.fit = fit
