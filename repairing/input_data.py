"""MNIST in batches, as TensorFlow 1 had it in a module of this name; repair.py puts it beside scripts that use it."""

import numpy as np
from keras.datasets import mnist


class DataSet:
    def __init__(self, images, labels, one_hot, reshape):
        images = images.astype("float32") / 255
        self.images = images.reshape(-1, 784) if reshape else images[..., np.newaxis]
        self.labels = np.eye(10)[labels] if one_hot else labels
        self.num_examples, self.order, self.epochs_completed = len(images), [], -1

    def next_batch(self, batch_size, shuffle=True):
        if len(self.order) < batch_size:
            self.order = np.random.permutation(self.num_examples) if shuffle else np.arange(self.num_examples)
            self.epochs_completed += 1
        batch, self.order = self.order[:batch_size], self.order[batch_size:]
        return self.images[batch], self.labels[batch]


class read_data_sets:
    def __init__(self, folder="", one_hot=False, reshape=True, **options):
        (images, labels), (test_images, test_labels) = mnist.load_data()
        self.train = DataSet(images[5000:], labels[5000:], one_hot, reshape)
        self.validation = DataSet(images[:5000], labels[:5000], one_hot, reshape)
        self.test = DataSet(test_images, test_labels, one_hot, reshape)
