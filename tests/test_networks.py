"""The four networks are the chapter's, and a seed decides what becomes of them."""

import keras
import numpy as np
import pytest

import ch6_1
import ch6_2
import ch7_dropout

NETWORKS = {
    "256": (lambda: ch6_1.build_model(), [256, 10], 203_530),
    "1000": (lambda: ch6_1.build_model(1000), [1000, 10], 795_010),
    "dropout": (lambda: ch7_dropout.build_model(), [1000, "Dropout", 10], 795_010),
    "two layers": (lambda: ch6_2.build_model(), [1000, "Dropout", 1000, "Dropout", 10], 1_796_010),
}


def compiled(build):
    keras.utils.set_random_seed(10)
    model = build()
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


def equal(first, second):
    return all((a == b).all() for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("build, layers, parameters", NETWORKS.values(), ids=NETWORKS)
def test_layers_and_parameters(build, layers, parameters):
    model = build()
    assert model.input_shape == (None, 784)
    assert model.count_params() == parameters
    assert [getattr(layer, "units", "Dropout") for layer in model.layers] == layers
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    assert [layer.activation.__name__ for layer in dense] == ["relu"] * (len(dense) - 1) + ["softmax"]
    for layer in dense:
        assert isinstance(layer.kernel_initializer, keras.initializers.RandomNormal)
        assert layer.kernel_initializer.stddev == 0.05
    assert all(layer.rate == 0.5 for layer in model.layers if isinstance(layer, keras.layers.Dropout))


@pytest.mark.parametrize("script", [ch6_1, ch6_2, ch7_dropout])
def test_the_arrays_of_chapter_6(script, mnist):
    (x_train, y_train), (x_test, y_test) = mnist
    assert (script.X_train_image == x_train).all() and (script.y_test_label == y_test).all()
    assert script.x_Train.shape == (60000, 784) and script.x_Train.dtype == np.float32
    assert script.x_Test_norm.shape == (10000, 784) and script.x_Test_norm.dtype == np.float32
    assert script.x_Train_norm.min() == 0 and script.x_Train_norm.max() == 1
    assert (script.x_Test_norm == x_test.reshape(10000, 784).astype("float32") / 255).all()
    assert script.y_TrainOneHot[:1].tolist() == [[0, 0, 0, 0, 0, 1, 0, 0, 0, 0]]
    assert (script.y_TestOneHot.argmax(axis=1) == y_test).all()


def some_data(count):
    return ch6_1.x_Train_norm[:count], ch6_1.y_TrainOneHot[:count]


def what_training_gives(build):
    """Return the weights and the history of a short training, as arrays."""
    x, y = some_data(2000)
    model = compiled(build)
    history = model.fit(x, y, batch_size=200, epochs=2, verbose=0).history
    return [*model.get_weights(), *map(np.array, history.values())]


@pytest.mark.parametrize("build", [network[0] for network in NETWORKS.values()], ids=NETWORKS)
def test_the_same_seed_gives_the_same_bits(build):
    assert equal(what_training_gives(build), what_training_gives(build))


def test_another_seed_gives_another_result():
    first = compiled(ch6_1.build_model).get_weights()
    keras.utils.set_random_seed(11)
    assert not equal(first, ch6_1.build_model().get_weights())
