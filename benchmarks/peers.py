"""The chapter's training by hand and by PyTorch, and its floor: the matrix products alone.

Run by `compare.py` as `python peers.py PEER HIDDEN DROPOUT`, such as `python peers.py pytorch 1000,1000 True`.
Each prints `training` and `trained` as it gets there.
"""

import sys

import numpy as np

from by_hand import build_network, load_rows

EPOCHS, BATCH_SIZE, TRAIN_SIZE = 10, 200, 48_000


def read_arguments():
    """Return the sizes of the hidden layers and whether dropout follows each, from the last two arguments."""
    hidden, dropout = sys.argv[-2:]
    return [int(units) for units in hidden.split(",")], dropout == "True"


def read_rows():
    """Return the images as float32 rows from 0 to 1, and their labels, for training, validation and test."""
    (x_train, y_train), (x_test, y_test) = load_rows()
    y_train, y_test = y_train.astype("int64"), y_test.astype("int64")
    return x_train[:TRAIN_SIZE], y_train[:TRAIN_SIZE], x_train[TRAIN_SIZE:], y_train[TRAIN_SIZE:], x_test, y_test


def say(*words):
    print(*words, flush=True)


def by_hand(hidden, dropout):
    (x_train, y_train), (x_test, y_test) = load_rows()
    network = build_network(hidden, 0.5 * dropout)
    say("training")
    network.fit(x_train, y_train)
    say("trained")
    say("accuracy", network.evaluate(x_test, y_test)[1])


def pytorch(hidden, dropout):
    import torch
    from torch import nn

    torch.manual_seed(10)
    x_train, y_train, x_val, y_val, x_test, y_test = map(torch.from_numpy, read_rows())
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


def floor(hidden, dropout):
    """Only the matrix products of the training steps, forward and backward: what the arithmetic costs in NumPy."""
    x_train, *_ = read_rows()
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


if __name__ == "__main__":
    {"by_hand": by_hand, "pytorch": pytorch, "floor": floor}[sys.argv[1]](*read_arguments())
