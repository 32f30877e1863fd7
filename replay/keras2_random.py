"""The random numbers of Keras 2.0 on TensorFlow 1, in NumPy.

All of them followed from `np.random.seed`. Each layer took a seed of its own from NumPy when it was added to the
network (Keras 2.0, keras/backend/tensorflow_backend.py). TensorFlow 1 made the layer's numbers from it, the "op seed",
and the graph's seed, by default 87654321 (python/framework/random_seed.py), by Philox 4x32-10: it counts, and ten
rounds scramble each count into four numbers (Salmon and others, "Parallel Random Numbers: As Easy as 1, 2, 3", 2011).
"""

import numpy as np

GRAPH_SEED = 87654321


class Keras2Random(np.random.RandomState):
    """NumPy's own generator, seeded as by `np.random.seed`: it shuffles the images, and seeds the layers."""

    def spawn(self, count):
        """Return the generators of the next layers."""
        return [LayerRandom(self.randint(10_000_000)) for _ in range(count)]


class LayerRandom:
    """The generator of one layer, with the two methods that the layers of by_hand.py call."""

    def __init__(self, op_seed):
        self.op_seed = op_seed
        self.count = 0

    def normal(self, mean, deviation, shape):
        """Return an even count of float32 normal numbers, by Box and Muller (random_distributions.h); called once."""
        u, v = self.uniform(shape).reshape(-1, 2).T
        radius = np.sqrt(-2 * np.log(np.maximum(u, np.float32(1e-7))))
        angle = np.float32(2 * np.pi * v.astype(float)).astype(float)  # TensorFlow, too, rounds it in between
        pairs = radius * np.float32([np.sin(angle), np.cos(angle)])
        return mean + deviation * pairs.T.reshape(shape)

    def random(self, shape, dtype):
        """Return numbers from 0 to below 1. The next call begins 256 counts later for each number (random_op.cc)."""
        numbers = self.uniform(shape)
        self.count += 256 * numbers.size
        return numbers.astype(dtype, copy=False)

    def uniform(self, shape):
        size = int(np.prod(shape))
        counts = np.arange(self.count, self.count + (size + 3) // 4, dtype="uint64")  # each gives four numbers
        bits = philox(counts, self.op_seed)[:size] & np.uint32(2**23 - 1)
        return bits.astype("float32").reshape(shape) / np.float32(2**23)


def philox(counts, op_seed):
    """Return four numbers of 32 bits for each count, all in one row."""
    half = np.uint64(32)
    low = np.uint64(2**32 - 1)
    a, b, c, d = counts & low, counts >> half, np.uint64(op_seed), np.uint64(0)
    key, other_key = GRAPH_SEED, 0
    for _ in range(10):
        p, q = a * np.uint64(0xD2511F53), c * np.uint64(0xCD9E8D57)
        a, b = (q >> half) ^ b ^ np.uint64(key), q & low
        c, d = (p >> half) ^ d ^ np.uint64(other_key), p & low
        key, other_key = (key + 0x9E3779B9) % 2**32, (other_key + 0xBB67AE85) % 2**32
    return np.stack([a, b, c, d], axis=1, dtype="uint32", casting="unsafe").ravel()
