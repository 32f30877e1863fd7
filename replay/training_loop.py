"""What happens inside `fit`: shuffle, take a batch, predict, compare with the labels, improve the weights; validate."""

import keras
import numpy as np
import tensorflow as tf


def fit(model, in_training, x, y, batch_size, epochs, verbose, callbacks, validation_split):
    """Train a compiled network, and return its `keras.callbacks.History`.

    Loss, metrics, optimizer, callbacks and printed lines are Keras's own; TensorFlow compiles the two inner functions.

    Args:
        model: the `keras.Sequential`.
        in_training: what predicts a batch in training, with dropout: a function of a tensor like `x`.
        x, y: NumPy arrays of n images and n labels, in the form that the network and its loss take.
        batch_size, epochs, verbose, callbacks, validation_split: as for `keras.Model.fit`.
    """
    size = int(len(x) * (1 - validation_split))  # the rows after these are for the validation
    x, x_val, y, y_val = (tf.constant(part) for part in (x[:size], x[size:], y[:size], y[size:]))

    def compare(labels, predictions):
        loss = model.compute_loss(y=labels, y_pred=predictions)
        for metric in model.metrics:
            if metric.name == "loss":
                metric.update_state(loss, sample_weight=len(labels))
            else:
                metric.update_state(labels, predictions)
        return loss

    def step(rows):
        with tf.GradientTape() as tape:  # records how the weights lead to the loss
            loss = compare(tf.gather(y, rows), in_training(tf.gather(x, rows)))
        gradients = tape.gradient(loss, model.trainable_variables)
        model.optimizer.apply(gradients, model.trainable_variables)

    @tf.function
    def train(order):
        whole = size - size % batch_size
        for rows in tf.reshape(order[:whole], (-1, batch_size)):
            step(rows)
        if whole < size:  # the last batch may be a smaller one
            step(order[whole:])

    @tf.function
    def validate():
        for start in tf.range(0, len(x_val), batch_size):
            batch = slice(start, start + batch_size)
            compare(y_val[batch], model(x_val[batch]))

    callbacks = keras.callbacks.CallbackList(
        callbacks,
        add_history=True,
        add_progbar=verbose != 0,
        model=model,
        verbose=verbose,
        epochs=epochs,
        steps=-(-size // batch_size),
    )
    model.stop_training = False
    callbacks.on_train_begin()
    order, logs = np.arange(size), {}
    for epoch in range(epochs):
        callbacks.on_epoch_begin(epoch)
        np.random.shuffle(order)
        model.reset_metrics()
        train(order)
        logs = model.get_metrics_result()
        if len(x_val):
            callbacks.on_test_begin()
            model.reset_metrics()
            validate()
            val_logs = model.get_metrics_result()
            callbacks.on_test_end(val_logs)
            logs |= {f"val_{name}": value for name, value in val_logs.items()}
        callbacks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    callbacks.on_train_end(logs)
    return model.history
