"""MNIST without a download: use `import mnist` instead of the book's `from keras.datasets import mnist`."""

import hashlib
import io
from pathlib import Path

import numpy as np

MNIST_FILE = Path(__file__).with_name("data") / "mnist.npz"
MNIST_SHA256 = "06af5dfe73b70e3bc1c36439982b18a8d76803db9b544f6fdf838a37fbb01b64"


def load_data(path="mnist.npz"):
    """Return `(x_train, y_train), (x_test, y_test)`, as `keras.datasets.mnist.load_data()` does.

    Images are uint8, shape (60000, 28, 28) and (10000, 28, 28); 0 is paper, 255 is ink. Labels are uint8, shape
    (60000,) and (10000,). `path` is ignored: the data always comes from the bundled file. OSError if that is damaged.
    """
    content = MNIST_FILE.read_bytes() if MNIST_FILE.is_file() else b""
    if hashlib.sha256(content).hexdigest() != MNIST_SHA256:
        raise OSError(f"{MNIST_FILE} is missing or damaged: download this project's data folder again")
    with np.load(io.BytesIO(content)) as data:
        return (data["x_train"], data["y_train"]), (data["x_test"], data["y_test"])
