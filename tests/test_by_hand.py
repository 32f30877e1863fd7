"""by_hand.py does what Keras does: the same figures and weights from the same first weights, order and masks."""

import doctest
import re
from unittest import mock

import keras
import numpy as np
import pytest
from conftest import PROJECT, run

import by_hand
import ch6_1
from by_hand import Adam, Dense, Dropout, GradientDescent, Network, ReLU, build_network

X, LABELS, ONE_HOT = ch6_1.x_Train_norm[:1300], ch6_1.y_train_label[:1300], ch6_1.y_TrainOneHot[:1300]


def twins(hidden, dropout, dtype, optimizer):
    """Return a network in Keras, by its own layers alone, and the same one by hand, with its weights and its masks."""
    model, network = keras.Sequential([keras.Input((784,), dtype=dtype)]), build_network(hidden, dropout, optimizer)
    for seed, units in enumerate(hidden):
        model.add(keras.layers.Dense(units, "relu", kernel_initializer="normal", dtype=dtype))
        if dropout:
            model.add(keras.layers.Dropout(dropout, seed=seed, dtype=dtype))
    model.add(keras.layers.Dense(10, "softmax", kernel_initializer="normal", dtype=dtype))
    network.generator = mock.Mock()  # its `shuffle` leaves the order as it is
    own_layers = [layer for layer in network.layers if not isinstance(layer, ReLU)]
    for of_keras, own in zip(model.layers, own_layers, strict=True):
        own.parameters = of_keras.get_weights()
        if isinstance(own, Dropout):
            # Its random numbers: those of another layer of Keras with this seed, called as often.
            twin = keras.layers.Dropout(0.5, seed=of_keras.seed, dtype=dtype)
            own.generator = mock.Mock(random=lambda shape, _, of=twin: np.asarray(of(np.ones(shape), training=True)))
    return model, network


FOUR = {"256": ([256], 0), "1000": ([1000], 0), "dropout": ([1000], 0.5), "two_layers": ([1000, 1000], 0.5)}
BOTH = {"adam": (keras.optimizers.Adam, Adam, 0.001), "sgd": (keras.optimizers.SGD, GradientDescent, 0.1)}


@pytest.mark.parametrize("optimizer", BOTH)
@pytest.mark.parametrize("network, dtype", [*zip(FOUR, ["float64"] * 4), ("256", "float32"), ("dropout", "float32")])
def test_an_epoch_is_that_of_keras(network, dtype, optimizer):
    """1040 images in batches of 200, so that the last one is smaller; 260 to validate."""
    keras.utils.set_random_seed(1)
    theirs, own, rate = BOTH[optimizer]
    rate = float(np.float32(rate))  # as which Keras keeps it
    model, own_network = twins(*FOUR[network], dtype, own(rate))
    model.compile(theirs(rate), "categorical_crossentropy", metrics=["acc"])
    x = X.astype(dtype)
    expected = model.fit(x, ONE_HOT, 200, 1, validation_split=0.2, shuffle=False, verbose=0).history
    history = own_network.fit(x, LABELS, 1, 200)
    assert list(history) == sorted(expected)  # the names, and the order in which Keras prints them
    for name, values in history.items():
        assert values == pytest.approx(expected[name], abs=2e-5), name
    for weights, of_keras in zip(own_network.parameters, model.get_weights(), strict=True):
        difference = np.abs(weights - of_keras)
        assert difference.mean() < 1e-6  # in float32 Adam turns the rounding of a gradient near 0 into a step
        assert dtype == "float32" or difference.max() < 1e-5
    assert np.allclose(own_network.predict(x), model.predict(x, verbose=0), atol=2e-4)
    assert own_network.evaluate(x, LABELS) == pytest.approx(model.evaluate(x, ONE_HOT, verbose=0), abs=1e-4)


def test_gradients_are_finite_differences():
    """Of every weight and bias, in float64, with the same mask in each step."""
    random, mask = np.random.default_rng(1), np.random.default_rng(3).random((7, 5))
    same = mock.Mock(random=lambda shape, dtype: mask)
    network = Network([Dense(6, 5, random), ReLU(), Dropout(0.4, same), Dense(5, 10, random)])
    for layer in network.layers:
        layer.parameters = [random.normal(size=parameter.shape) for parameter in layer.parameters]
    x, labels = random.normal(size=(7, 6)), random.integers(0, 10, 7)
    network.loss_and_gradients(x, labels)
    for parameter, gradient in zip(network.parameters, network.gradients, strict=True):
        for place in np.ndindex(parameter.shape):
            before, losses = parameter[place], []
            for parameter[place] in (before - 1e-6, before + 1e-6):
                losses.append(network.loss_and_gradients(x, labels)[0])
            parameter[place] = before
            assert gradient[place] == pytest.approx((losses[1] - losses[0]) / 2e-6, abs=1e-7)


def test_the_worked_example_of_the_docstring():
    random = np.random.default_rng()
    hidden, output = Dense(2, 1, random), Dense(1, 2, random)
    network, x, labels = Network([hidden, ReLU(), output], GradientDescent(0.1)), np.array([[2.0, 3.0]]), [1]
    hidden.parameters = [np.array([[4.0], [-1.0]]), np.zeros(1)]
    output.parameters = [np.array([[1.0, -2.0]]), np.zeros(2)]
    assert network.forward(x).tolist() == [[5, -10]] and network.loss_and_gradients(x, labels)[0] == pytest.approx(15)
    gradients = [gradient.ravel().tolist() for gradient in network.gradients]
    assert gradients == [pytest.approx(expected, abs=1e-5) for expected in ([6, 9], [3], [5, -5], [1, -1])]
    hidden.parameters[0][0] = 4.1
    assert network.forward(x).tolist() == [[pytest.approx(5.2), pytest.approx(-10.4)]]
    assert network.evaluate(x, labels)[0] == pytest.approx(15.6)
    hidden.parameters[0][0] = 4
    network.optimizer.step([hidden.parameters[0], output.parameters[0]], [hidden.gradients[0], output.gradients[0]])
    weights = [*hidden.parameters[0].ravel(), *output.parameters[0].ravel()]
    assert weights == pytest.approx([3.4, -1.9, 0.5, -1.5])
    assert network.evaluate(x, labels)[0] == pytest.approx(2.3, abs=0.01)


def test_its_docstrings_are_right():
    assert doctest.testmod(by_hand) == (0, 3)  # failed, attempted


def test_a_layer_of_ones_own_is_trained():
    class Shift:
        """Adds to each number one of its own."""

        parameters, gradients = [np.zeros(30, "float32")], [None]

        def forward(self, x, training=False):
            return x + self.parameters[0]

        def backward(self, gradient):
            self.gradients[0] = gradient.sum(axis=0)
            return gradient

    random = np.random.default_rng(1)
    network = Network([Dense(784, 30, random), ReLU(), Shift(), Dense(30, 10, random)])
    history = network.fit(X, LABELS, epochs=3, batch_size=50)
    assert history["loss"][2] < history["loss"][0] and Shift.parameters[0].all()


def test_sizes_that_keras_takes_too(capsys):
    """A batch larger than the data is one batch; without a validation there are no figures of one."""
    history = build_network([5]).fit(X, LABELS, 1, batch_size=10**6, validation_split=0)
    assert list(history) == ["acc", "loss"]
    assert capsys.readouterr().out.startswith("Epoch 1/1 - 1/1 - ")


def fit(x=X, labels=LABELS, **options):
    return build_network([5]).fit(x, labels, **options)


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda: build_network([0]), "a layer needs at least 1 input and 1 unit, not 784 and 0"),
        (lambda: build_network([5], dropout=1), "the rate of dropout must be from 0 to below 1, not 1"),
        (lambda: Adam(-1), "the learning rate must be a number above 0, not -1"),
        (lambda: GradientDescent(float("nan")), "the learning rate must be a number above 0, not nan"),
        (lambda: fit(x=X[:, :28]), r"x must have the shape \(n, 784\), not \(200, 28\)"),
        (lambda: fit(labels=LABELS + 10), "labels must be digits from 0 to 9, one for each of 1300 images"),
        (lambda: fit(labels=ONE_HOT), "labels must be digits"),
        (lambda: fit(labels=LABELS[:9]), "labels must be digits"),
        (lambda: fit(x=X[:0], labels=LABELS[:0]), "labels must be .* and at least one"),
        (lambda: fit(epochs=0), "epochs and batch_size must be 1 or more"),
        (lambda: fit(batch_size=0), "epochs and batch_size must be 1 or more"),
        (lambda: fit(validation_split=1), "validation_split must leave images to learn from, not 1"),
        (lambda: fit(validation_split=-0.1), "validation_split must leave"),
        (lambda: build_network([5]).evaluate(X, LABELS[:5]), "labels must be digits"),
    ],
)
def test_wrong_values_are_named(call, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}"):
        call()


def test_the_command(tmp_path):
    options = ["--hidden", "20", "10", "--dropout", "--gradient-descent", "--learning-rate", "0.3", "--epochs", "2"]
    ended = run(PROJECT / "by_hand.py", *options, folder=tmp_path)
    assert ended.returncode == 0 and ended.stderr == ""
    figures = " - ".join(rf"{name}: \d\.\d{{4}}" for name in ("acc", "loss", "val_acc", "val_loss"))
    for epoch, line in enumerate(ended.stdout.splitlines()[:2], start=1):
        assert re.fullmatch(rf"Epoch {epoch}/2 - 240/240 - \d+\.\ds - {figures}", line)
    assert re.search(r"\[Info\] Accuracy of testing data = \d\d\.\d%\n", ended.stdout)


@pytest.mark.parametrize("option", ["--hidden 0", "--learning-rate -1", "--dropout 2", "--seed -1", "--epochs x"])
def test_a_wrong_option_is_one_line(option, tmp_path):
    ended = run(PROJECT / "by_hand.py", *option.split(), folder=tmp_path)
    assert ended.returncode == 2 and ended.stdout == "" and len(ended.stderr.splitlines()) == 1


def test_numpy_is_all_that_it_needs(tmp_path):
    code = "import sys, by_hand; print({'tensorflow', 'keras', 'pandas', 'matplotlib'} & set(sys.modules))"
    assert run("-c", code, folder=tmp_path).stdout == "set()\n"
