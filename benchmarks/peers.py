"""The chapter's training written for other libraries: the same network, batches, shuffling, optimizer and validation.

Run by `compare.py` as `python peers.py PEER HIDDEN DROPOUT`, such as `python peers.py pytorch 1000,1000 True`.
Each prints `data ready`, `training`, `trained` and `accuracy ...` as it gets there.
"""

import sys
from pathlib import Path

import numpy as np

EPOCHS, BATCH_SIZE, TRAIN_SIZE = 10, 200, 48_000


def read_arguments():
    """Return the sizes of the hidden layers and whether dropout follows each, from the last two arguments."""
    hidden, dropout = sys.argv[-2:]
    return [int(units) for units in hidden.split(",")], dropout == "True"


def read_mnist():
    with np.load(Path(__file__).parent.parent / "data/mnist.npz") as data:
        return (data["x_train"], data["y_train"]), (data["x_test"], data["y_test"])


def read_rows():
    """Return the images as float32 rows from 0 to 1, and their labels, for training, validation and test."""
    (x_train, y_train), (x_test, y_test) = read_mnist()
    x_train, x_test = (x.reshape(len(x), 784).astype("float32") / 255 for x in (x_train, x_test))
    y_train, y_test = y_train.astype("int64"), y_test.astype("int64")
    return x_train[:TRAIN_SIZE], y_train[:TRAIN_SIZE], x_train[TRAIN_SIZE:], y_train[TRAIN_SIZE:], x_test, y_test


def say(*words):
    print(*words, flush=True)


def pytorch(hidden, dropout):
    import torch
    from torch import nn

    torch.manual_seed(10)
    x_train, y_train, x_val, y_val, x_test, y_test = map(torch.from_numpy, read_rows())
    say("data ready")

    layers, inputs = [], 784
    for units in hidden:
        layers += [nn.Linear(inputs, units), nn.ReLU()] + [nn.Dropout(0.5)] * dropout
        inputs = units
    model = nn.Sequential(*layers, nn.Linear(inputs, 10))
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.05)
            nn.init.zeros_(layer.bias)
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), fused=True)

    def evaluate(x, y):
        model.eval()
        with torch.no_grad():
            output = model(x)
            return loss_function(output, y).item(), (output.argmax(1) == y).float().mean().item()

    say("training")
    for epoch in range(EPOCHS):
        model.train()
        for rows in torch.randperm(TRAIN_SIZE).split(BATCH_SIZE):
            optimizer.zero_grad()
            loss = loss_function(model(x_train[rows]), y_train[rows])
            loss.backward()
            optimizer.step()
        say(epoch + 1, *evaluate(x_val, y_val))
    say("trained")
    say("accuracy", evaluate(x_test, y_test)[1])


def scikit_learn(hidden, dropout):
    from sklearn.neural_network import MLPClassifier

    x_train, y_train, x_val, y_val, x_test, y_test = read_rows()
    x, y = np.concatenate([x_train, x_val]), np.concatenate([y_train, y_val])
    say("data ready")

    # early_stopping is what makes it validate after each epoch; with n_iter_no_change it never stops early.
    model = MLPClassifier(
        hidden, alpha=0, batch_size=BATCH_SIZE, max_iter=EPOCHS, random_state=10,
        early_stopping=True, validation_fraction=0.2, n_iter_no_change=EPOCHS,
    )  # fmt: skip
    say("training")
    model.fit(x, y)
    say("trained")
    say("accuracy", model.score(x_test, y_test))


def jax_scan(hidden, dropout):
    import jax
    from jax import lax
    from jax import numpy as jnp

    x_train, y_train, x_val, y_val, x_test, y_test = map(jnp.asarray, read_rows())
    say("data ready")

    key = jax.random.key(10)
    sizes = [784, *hidden, 10]
    keys = jax.random.split(key, len(sizes) - 1)
    parameters = [
        (0.05 * jax.random.normal(k, (inputs, outputs)), jnp.zeros(outputs))
        for k, inputs, outputs in zip(keys, sizes, sizes[1:])
    ]

    def forward(parameters, x, key=None):
        *hidden_layers, (last_weights, last_bias) = parameters
        for i, (weights, bias) in enumerate(hidden_layers):
            x = jax.nn.relu(x @ weights + bias)
            if dropout and key is not None:
                x = x * 2 * jax.random.bernoulli(jax.random.fold_in(key, i), 0.5, x.shape)
        return x @ last_weights + last_bias

    def loss(parameters, x, y, key=None):
        log_probabilities = jax.nn.log_softmax(forward(parameters, x, key))
        return -jnp.take_along_axis(log_probabilities, y[:, None], axis=1).mean()

    def adam_step(state, rows):
        parameters, means, squares, step, key = state
        key, dropout_key = jax.random.split(key)
        gradients = jax.grad(loss)(parameters, x_train[rows], y_train[rows], dropout_key)
        step += 1
        means = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, means, gradients)
        squares = jax.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, squares, gradients)
        rate = 0.001 * jnp.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        parameters = jax.tree.map(lambda p, m, s: p - rate * m / (jnp.sqrt(s) + 1e-7), parameters, means, squares)
        return (parameters, means, squares, step, key), None

    @jax.jit
    def train_epoch(state):
        parameters, means, squares, step, key = state
        key, shuffle_key = jax.random.split(key)
        order = jax.random.permutation(shuffle_key, TRAIN_SIZE).reshape(-1, BATCH_SIZE)
        return lax.scan(adam_step, (parameters, means, squares, step, key), order)[0]

    @jax.jit
    def evaluate(parameters, x, y):
        return loss(parameters, x, y), (forward(parameters, x).argmax(axis=1) == y).mean()

    say("training")
    zeros = jax.tree.map(jnp.zeros_like, parameters)
    state = parameters, zeros, zeros, jnp.zeros(()), key
    for epoch in range(EPOCHS):
        state = train_epoch(state)
        say(epoch + 1, *map(float, evaluate(state[0], x_val, y_val)))
    say("trained")
    say("accuracy", float(evaluate(state[0], x_test, y_test)[1]))


def floor(hidden, dropout):
    """Only the matrix products of the training steps, forward and backward: what the arithmetic costs in NumPy."""
    x_train, *_ = read_rows()
    say("data ready")

    random = np.random.default_rng(10)
    sizes = [784, *hidden, 10]
    weights = [random.normal(size=pair).astype("float32") for pair in zip(sizes, sizes[1:])]

    say("training")
    for _ in range(EPOCHS):
        for start in range(0, TRAIN_SIZE, BATCH_SIZE):
            activations = [x_train[start : start + BATCH_SIZE]]
            for w in weights:
                activations.append(activations[-1] @ w)
            gradient = activations.pop()
            for i in reversed(range(len(weights))):
                activations[i].T @ gradient
                if i:
                    gradient = gradient @ weights[i].T
    say("trained")
    say("accuracy", "nan")


if __name__ == "__main__":
    {peer.__name__: peer for peer in (pytorch, scikit_learn, jax_scan, floor)}[sys.argv[1]](*read_arguments())
