"""What happens inside `fit`: shuffle, take a batch, predict, compare with the labels, improve the weights; validate."""

import math

import keras
import numpy as np
import tensorflow as tf


def fit(model, x, y, batch_size, epochs, verbose, callbacks, validation_split):
    """Train a compiled network on NumPy arrays as `keras.Model.fit` does, and return its `keras.callbacks.History`.

    Loss, metrics, optimizer, callbacks and printed lines are Keras's own. `tf.function` turns a function into one
    operation of TensorFlow, which is fast; without these two lines you can follow step by step, slowly.
    """
    size = int(len(x) * (1 - validation_split))
    # TensorFlow's own copies. (tf.constant would do, but it makes two of each.)
    x_train, y_train = tf.identity(x[:size]), tf.identity(y[:size])
    x_val, y_val = tf.identity(x[size:]), tf.identity(y[size:])

    def compare(labels, predictions):
        """Return the loss of a batch, and add the batch to the means that are printed after the epoch."""
        loss = model.compute_loss(y=labels, y_pred=predictions)
        for metric in model.metrics:
            if metric.name == "loss":
                metric.update_state(loss, sample_weight=len(labels))  # a smaller batch counts less
            else:
                metric.update_state(labels, predictions)
        return loss

    @tf.function
    def train(x_train, y_train, order):
        for start in tf.range(0, size, batch_size):
            batch = order[start : start + batch_size]
            with tf.GradientTape() as tape:  # it records how the weights lead to the loss
                predictions = model(tf.gather(x_train, batch), training=True)  # with dropout
                loss = compare(tf.gather(y_train, batch), predictions)
            gradients = tape.gradient(loss, model.trainable_variables)  # how the loss changes with each weight
            model.optimizer.apply(gradients, model.trainable_variables)  # moves each weight a little

    @tf.function
    def validate(x_val, y_val):
        for start in tf.range(0, len(x_val), batch_size):
            batch = slice(start, start + batch_size)
            compare(y_val[batch], model(x_val[batch], training=False))  # all units take part, nothing is learned

    callbacks = keras.callbacks.CallbackList(
        callbacks,
        add_history=True,
        add_progbar=verbose != 0,
        model=model,
        verbose=verbose,
        epochs=epochs,
        steps=math.ceil(size / batch_size),
    )
    model.stop_training = False  # a callback such as EarlyStopping may set it
    callbacks.on_train_begin()
    order, logs = np.arange(size), {}
    for epoch in range(epochs):
        callbacks.on_epoch_begin(epoch)
        np.random.shuffle(order)  # once more, from the order of the last epoch
        model.reset_metrics()
        train(x_train, y_train, order)
        logs = model.get_metrics_result()
        if len(x_val):
            callbacks.on_test_begin()
            model.reset_metrics()
            validate(x_val, y_val)
            val_logs = model.get_metrics_result()
            callbacks.on_test_end(val_logs)
            logs.update({f"val_{name}": value for name, value in val_logs.items()})
        callbacks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    callbacks.on_train_end(logs)
    return model.history
