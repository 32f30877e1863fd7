"""The chapter's networks in NumPy, written for speed.

Large arrays are allocated once, and Adam works in pieces that fit into the cache. The order of the
float operations is fixed: on one machine, with the same number of threads in NumPy's matrix
products, every run gives the same bits. (Threads of our own gained nothing: they compete with
those of the matrix products.)
"""

import itertools
import time

import numpy as np

import mnist
from replay.random_numbers import Philox

BATCH_SIZE, VALIDATION_SPLIT = 200, 0.2
PIECE = 32_768  # Adam updates so many weights at a time, because they stay in the processor's cache


class Network:
    """Dense layers with ReLU, dropout at the rate 0.5 if wanted, ten outputs; Adam.

    `parameters` is a list of weights and biases, as Keras's `model.set_weights` takes it.
    """

    def __init__(self, hidden, dropout, seed=10, dtype="float32", epsilon=1e-8):
        self.random = np.random.RandomState(seed)
        self.epsilon, self.steps = epsilon, 0
        sizes = [784, *hidden, 10]
        shapes = [shape for n, m in itertools.pairwise(sizes) for shape in ((n, m), (m,))]
        # One long array of everything that Adam updates; the layers have views of its parts.
        ends = np.cumsum([np.prod(shape) for shape in shapes])
        self.flat = np.zeros((4, ends[-1]), dtype)  # parameters, gradients, means, squares
        self.parameters, self.gradients = (
            [part.reshape(shape) for part, shape in zip(np.split(row, ends[:-1]), shapes)]
            for row in self.flat[:2]  # views: what changes there changes here
        )
        self.weights, self.biases = self.parameters[::2], self.parameters[1::2]
        self.scratch = np.empty((2, PIECE), dtype)
        self.streams = []
        for weights in self.weights:  # each layer takes its seed as it is added
            stream = Philox(self.random.randint(10_000_000))
            weights[:] = stream.normal(0.05, weights.shape)
            if dropout and weights is not self.weights[-1]:
                self.streams.append(Philox(self.random.randint(10_000_000)))
        self.outputs = [np.empty((BATCH_SIZE, units), dtype) for units in hidden]
        self.slopes = [np.empty_like(output) for output in self.outputs]

    def fit(self, x, labels, epochs=10):
        """Train, print a line for each epoch, and return its figures: {"acc": [...], ...}."""
        size = int(len(x) * (1 - VALIDATION_SPLIT))
        order, history = np.arange(size), {}
        labels = labels.astype("intp")
        rows = np.empty((BATCH_SIZE, x.shape[1]), x.dtype)
        for epoch in range(1, epochs + 1):
            begin, figures = time.perf_counter(), {"acc": 0, "loss": 0}
            self.random.shuffle(order)  # each epoch shuffles the last one's order further
            batches = order.reshape(-1, BATCH_SIZE)
            for batch in batches:
                np.take(x, batch, axis=0, out=rows, mode="clip")
                inputs = self.forward(rows)
                loss, accuracy = self.backward(inputs, labels[batch])
                self.adam()
                # Means over the epoch, as in Keras, while the weights still change.
                figures["acc"] += accuracy * len(batch) / size
                figures["loss"] += loss * len(batch) / size
            figures["val_loss"], figures["val_acc"] = self.evaluate(x[size:], labels[size:])
            seconds = time.perf_counter() - begin
            line = f"Epoch {epoch}/{epochs} - {len(batches)}/{len(batches)} - {seconds:.1f}s"
            for name, value in sorted(figures.items()):
                history.setdefault(name, []).append(float(value))
                line += f" - {name}: {value:.4f}"
            print(line, flush=True)
        return history

    def forward(self, x):
        """Return the inputs of every layer, then the last layer's sums, for one batch."""
        inputs = [x]
        for layer, output in enumerate(self.outputs):
            np.matmul(inputs[-1], self.weights[layer], out=output)
            output += self.biases[layer]
            np.maximum(output, 0, out=output)
            if self.streams:
                output *= self.streams[layer].dropout_factors(output.shape)
            inputs.append(output)
        return [*inputs, inputs[-1] @ self.weights[-1] + self.biases[-1]]

    def backward(self, inputs, labels):
        """Set the gradients for one batch, and return its mean loss and its accuracy."""
        *inputs, sums = inputs
        log_p = log_softmax(sums)
        right = (np.arange(len(labels)), labels)
        slope = np.exp(log_p)
        slope[right] -= 1
        slope /= len(labels)
        for layer in reversed(range(len(inputs))):
            np.matmul(inputs[layer].T, slope, out=self.gradients[2 * layer])
            np.sum(slope, axis=0, out=self.gradients[2 * layer + 1])
            if layer:
                slope = np.matmul(slope, self.weights[layer].T, out=self.slopes[layer - 1])
                slope *= inputs[layer] > 0  # what ReLU or dropout set to 0 passes nothing back
                if self.streams:
                    slope *= 2
        return -log_p[right].mean(), (log_p.argmax(axis=1) == labels).mean()

    def adam(self):
        """Update the weights, in the order of operations of Keras 2.0."""
        self.steps += 1
        rate = 0.001 * (1 - 0.999**self.steps) ** 0.5 / (1 - 0.9**self.steps)
        for start in range(0, self.flat.shape[1], PIECE):
            parameter, gradient, mean, square = self.flat[:, start : start + PIECE]
            change, root = self.scratch[:, : len(mean)]
            np.subtract(gradient, mean, out=change)
            change *= 1 - 0.9
            mean += change
            np.multiply(gradient, gradient, out=change)
            change -= square
            change *= 1 - 0.999
            square += change
            np.sqrt(square, out=root)
            root += self.epsilon
            np.multiply(mean, rate, out=change)
            change /= root
            parameter -= change

    def evaluate(self, x, labels):
        """Return the mean loss and the accuracy, from 0 to 1."""
        log_p = self.log_probabilities(x)
        right = log_p[np.arange(len(x)), labels]
        return float(-right.mean()), float((log_p.argmax(axis=1) == labels).mean())

    def predict(self, x):
        """Return the probabilities of the ten digits, shape (n, 10)."""
        return np.exp(self.log_probabilities(x))

    def log_probabilities(self, x):
        # In pieces, because 1000 units for 12,000 images at once would take 48 MB.
        found = []
        for piece in np.array_split(x, len(x) // 1000 + 1):
            for weights, biases in zip(self.weights[:-1], self.biases):
                piece = piece @ weights
                piece += biases
                np.maximum(piece, 0, out=piece)
            found.append(log_softmax(piece @ self.weights[-1] + self.biases[-1]))
        return np.concatenate(found)


def log_softmax(sums):
    sums = sums - sums.max(axis=1, keepdims=True)
    return sums - np.log(np.exp(sums).sum(axis=1, keepdims=True))


def load_rows():
    """Return `(x_train, y_train), (x_test, y_test)`: float32 rows of 784 numbers from 0 to 1."""
    return tuple((x.reshape(-1, 784) / np.float32(255), y) for x, y in mnist.load_data())
