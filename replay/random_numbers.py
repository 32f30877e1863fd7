"""The random numbers of Keras 2.0 on TensorFlow 1, in NumPy.

They all follow from `np.random.seed`. Each layer took a seed of its own from NumPy when it was
added to the network (Keras 2.0, keras/backend/tensorflow_backend.py). This "op seed" and the
graph's seed, 87654321 by default (python/framework/random_seed.py), started TensorFlow's generator,
Philox 4x32-10. It counts, and ten rounds scramble each count into four numbers of 32 bits
(Salmon and others, "Parallel Random Numbers: As Easy as 1, 2, 3", 2011).
"""

import numpy as np

GRAPH_SEED = 87654321
FACTORS = np.array([[0xD2511F53], [0xCD9E8D57]], "<u8")
STEPS = np.array([[0x9E3779B9], [0xBB67AE85]], "<u8")  # what each round adds to the two keys
FIRST_KEYS = np.array([[GRAPH_SEED], [0]], "<u8")
KEYS = [((FIRST_KEYS + i * STEPS) % 2**32).astype("<u4") for i in range(10)]
PIECE = 12_500  # so many counts at a time stay in the processor's cache


class Philox:
    """One layer's stream of numbers, in arrays that are used again for each piece."""

    def __init__(self, op_seed):
        self.op_seed, self.count = op_seed, 0
        self.state, *self.products = (np.zeros((2, PIECE), "<u8") for _ in range(3))
        self.keyed = np.empty((2, PIECE), "<u4")

    def words(self, size):
        """Return the next numbers of 32 bits. The count stays where it is."""
        out = np.empty((-(-size // 4), 4), "uint32")
        for start in range(0, len(out), PIECE):
            self.scramble(out[start : start + PIECE], self.count + start)
        return out.ravel()[:size]

    def scramble(self, out, count):
        """Fill rows of four words, one for each count from `count` on."""
        size = len(out)
        counts = np.arange(count, count + size, dtype="<u8")
        state, product, other = (a[:, :size] for a in (self.state, *self.products))
        keyed = self.keyed[:, :size]
        # The words are a, b, c, d: `state` holds a and c, the low halves of `product` d and b.
        state[0], state[1] = counts & 0xFFFFFFFF, self.op_seed
        product[0], product[1] = 0, counts >> 32
        for key in KEYS:
            np.bitwise_xor(halves(product)[::-1, ::2], key, out=keyed)
            product, other = other, product
            np.multiply(state, FACTORS, out=product)
            np.bitwise_xor(halves(product)[::-1, 1::2], keyed, out=halves(state)[:, ::2])
        out[:, ::2] = halves(state)[:, ::2].T
        out[:, 1::2] = halves(product)[::-1, ::2].T

    def uniform(self, shape):
        """Return float32 numbers from 0 to below 1."""
        bits = self.words(int(np.prod(shape))) & np.uint32(2**23 - 1)
        return bits.astype("float32").reshape(shape) / np.float32(2**23)

    def normal(self, deviation, shape):
        """Return an even count of float32 normal numbers (random_distributions.h)."""
        u, v = self.uniform(shape).reshape(-1, 2).T
        radius = np.sqrt(-2 * np.log(np.maximum(u, np.float32(1e-7))))
        angle = np.float32(2 * np.pi * v.astype(float)).astype(float)  # TensorFlow rounds it, too
        pairs = radius * np.float32([np.sin(angle), np.cos(angle)])
        return deviation * pairs.T.reshape(shape)

    def dropout_factors(self, shape):
        """Return 0 or 2 for each unit: dropout at the rate 0.5. Then move on (random_op.cc).

        A uniform number of 0.5 or more has bit 22 set. Moved to bit 30, it is the float32 2.0.
        """
        size = int(np.prod(shape))
        bits = self.words(size)
        self.count += 256 * size
        bits <<= np.uint32(8)
        bits &= np.uint32(1 << 30)
        return bits.view("float32").reshape(shape)


def halves(words):
    """Return 64-bit words as 32-bit ones: low, high, low, high, ..."""
    return words.view("<u4")
