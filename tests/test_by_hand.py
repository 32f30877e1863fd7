"""by_hand.py does what Keras does: the same figures and weights from the same first weights, order and masks."""

import re
import sys
import textwrap
from unittest import mock

import keras
import numpy as np
import pytest
from conftest import PROJECT, run

import by_hand
import ch6_1
from by_hand import Adam, Dense, Dropout, GradientDescent, Layer, Network, ReLU, build_network, check_gradients

X, LABELS, ONE_HOT = ch6_1.x_Train_norm[:1300], ch6_1.y_train_label[:1300], ch6_1.y_TrainOneHot[:1300]


def twins(hidden, dropout, dtype, optimizer):
    """Return a network in Keras, by its own layers alone, and the same one by hand, with its weights and its masks."""
    model, network = keras.Sequential([keras.Input((784,), dtype=dtype)]), build_network(hidden, dropout, optimizer)
    for seed, units in enumerate(hidden):
        model.add(keras.layers.Dense(units, "relu", kernel_initializer="normal", dtype=dtype))
        if dropout:
            model.add(keras.layers.Dropout(dropout, seed=seed, dtype=dtype))
    model.add(keras.layers.Dense(10, "softmax", kernel_initializer="normal", dtype=dtype))
    network.generator = mock.Mock(permutation=np.arange)  # leaves the order as it is
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


def small_network(hidden=(12, 8), dropout=0.4):
    """A network of every kind of layer, whose biases are not 0."""
    network = build_network(hidden, dropout)
    for parameter in network.parameters:
        parameter += np.random.default_rng(1).normal(0, 0.1, parameter.shape)
    return network


@pytest.mark.parametrize("hidden, dropout", [([], 0), ([20], 0), ([20], 0.5), ([20, 10], 0.5), ([1, 1], 0)])
def test_the_gradients_pass_the_check_and_the_network_stays_as_it_was(hidden, dropout):
    network, fresh = build_network(hidden, dropout), build_network(hidden, dropout)
    assert check_gradients(network, X[:20], LABELS[:20]) < 1e-6
    for after, before in zip(network.parameters, fresh.parameters, strict=True):
        assert after.dtype == np.float32 and (after == before).all()
    assert (network.generator.random(9) == fresh.generator.random(9)).all()


def dense(weights=1, biases=1, half=False):
    """Return a wrong `Dense.backward`, whose gradients are multiplied by these numbers."""

    def wrong(right, self, gradient):
        inputs = right(self, gradient)
        columns = np.arange(gradient.shape[1]) % 2 if half else 1
        self.gradients = [self.gradients[0] * weights * columns, self.gradients[1] * biases]
        return inputs

    return wrong


BUGS = {
    "weights": (Dense, dense(weights=1.01)),
    "weights, half": (Dense, dense(half=True)),
    "weights, none": (Dense, dense(weights=0)),
    "biases": (Dense, dense(biases=0.05)),
    "inputs": (Dense, lambda right, self, g: np.abs(right(self, g))),
    "ReLU": (ReLU, lambda right, self, g: g),
    "Dropout": (Dropout, lambda right, self, g: g * (self.factors > 0)),
}


@pytest.mark.parametrize("bug", BUGS)
def test_the_check_finds_a_bug_in_every_layer(bug, monkeypatch):
    kind, wrong = BUGS[bug]
    right = kind.backward
    assert check_gradients(small_network(), X[:20], LABELS[:20]) < 1e-6
    monkeypatch.setattr(kind, "backward", lambda self, gradient: wrong(right, self, gradient))
    assert check_gradients(small_network(), X[:20], LABELS[:20]) > 1e-5


def test_the_example_of_the_docstring_is_what_the_program_computes(capsys):
    by_hand.example()
    printed = capsys.readouterr().out
    assert textwrap.indent(printed, "    ") in by_hand.__doc__
    for line in printed.splitlines()[:9]:  # and what a pencil makes of the numbers that stand there
        for formula, result in re.findall(r"([-\d.][-\d.*+ ]*[*+-] [-\d.]+) = (-?[\d.]+)", line):
            assert f"{eval(formula):.3f}" == f"{float(result):.3f}"


def test_the_picture_of_the_example_has_its_numbers():
    sys.path.append(str(PROJECT / "pictures"))
    import draw

    texts = " ".join(text.get_text().replace("\n", " ") for text in draw.backpropagation().texts)
    assert set(re.findall(r"-?\d[\d.]+", texts)) <= set(re.findall(r"-?\d[\d.]+", by_hand.__doc__))
    for formula in re.findall(r"-?[\d.]+ \* .*? = -?[\d.]+", texts):
        assert formula in by_hand.__doc__


def test_a_layer_of_ones_own_is_trained():
    class Shift(Layer):
        """Adds to each number one of its own."""

        parameters = [np.zeros(30, "float32")]

        def forward(self, x, training=False):
            return x + self.parameters[0]

        def backward(self, gradient):
            self.gradients = [gradient.sum(axis=0)]
            return gradient

    class SignDescent:
        def step(self, parameters, gradients):
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter -= 0.001 * np.sign(gradient)

    random = np.random.default_rng(1)
    layers = [Dense(784, 30, random), ReLU(), Shift(), Dense(30, 10, random)]
    network = Network(layers, SignDescent(), random)
    assert check_gradients(network, X[:20], LABELS[:20]) < 1e-6
    history = network.fit(X, LABELS, epochs=3, batch_size=50)
    assert history["loss"][2] < history["loss"][0] and Shift.parameters[0].all()


def test_sizes_that_keras_takes_too(capsys):
    """A batch larger than the data is one batch."""
    build_network([5]).fit(X, LABELS, 1, batch_size=10**6)
    assert capsys.readouterr().out.startswith("Epoch 1/1 - ")


def fit(x=X, labels=LABELS, **options):
    return build_network([5]).fit(x, labels, **options)


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda: build_network([0]), "a hidden layer needs at least 1 unit; dropout must be"),
        (lambda: build_network([5], dropout=1), "a hidden layer needs at least 1 unit; dropout must be"),
        (lambda: fit(x=ch6_1.X_train_image[:1300]), "x must have the shape "),
        (lambda: fit(labels=LABELS + 10), "x must have .* and labels must be n digits from 0 to 9, not one-hot"),
        (lambda: fit(labels=ONE_HOT), "x must have the shape"),
        (lambda: fit(labels=LABELS[:9]), "x must have the shape"),
        (lambda: build_network([5]).evaluate(X, LABELS[:5]), "x must have the shape"),
    ],
)
def test_wrong_values_are_named(call, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}"):
        call()


def test_the_command(tmp_path):
    options = ["--hidden", "20", "10", "--dropout", "--gradient-descent", "--learning-rate", "0.3", "--epochs", "2"]
    ended = run(PROJECT / "by_hand.py", *options, folder=tmp_path)
    assert ended.returncode == 0 and ended.stderr == ""
    results = " - ".join(rf"{name}: \d\.\d{{4}}" for name in ("acc", "loss", "val_acc", "val_loss"))
    epochs = [rf"Epoch {epoch}/2 - \d+s - {results}\n" for epoch in (1, 2)]
    check = r"\t\[Info\] Gradient check: relative error \de-\d\d, ok\n"
    assert re.fullmatch(rf"{check}{''.join(epochs)}\t\[Info\] Accuracy of testing data = \d\d\.\d%\n", ended.stdout)


def test_the_baseline_without_a_hidden_layer(tmp_path):
    ended = run(PROJECT / "by_hand.py", "--hidden", "--epochs", "1", folder=tmp_path)
    assert 85 < float(re.search(r"testing data = (.*)%", ended.stdout)[1]) < 95


WRONG = ["--hidden 0", "--learning-rate -1", "--dropout 2", "--seed -1", "--epochs x", "--epoch 3"]


@pytest.mark.parametrize("option", WRONG)
def test_a_wrong_option_is_one_line(option, tmp_path):
    ended = run(PROJECT / "by_hand.py", *option.split(), folder=tmp_path)
    assert ended.returncode == 2 and ended.stdout == "" and len(ended.stderr.splitlines()) == 1


def test_numpy_is_all_that_it_needs(tmp_path):
    code = "import sys, by_hand; print({'tensorflow', 'keras', 'pandas', 'matplotlib'} & set(sys.modules))"
    assert run("-c", code, folder=tmp_path).stdout == "set()\n"
