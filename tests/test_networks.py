"""The four networks are the chapter's, and the fast way of training them does what Keras's own does."""

import keras
import numpy as np
import pytest

import ch6_1
import ch6_2
import ch7_dropout
from fast_fit import compile_epochs

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
    assert (script.x_Test_norm == script.preprocess_images(x_test)).all()
    assert script.y_TrainOneHot[:1].tolist() == [[0, 0, 0, 0, 0, 1, 0, 0, 0, 0]]
    assert (script.y_TestOneHot.argmax(axis=1) == y_test).all()


def some_data(count):
    return ch6_1.x_Train_norm[:count], ch6_1.y_TrainOneHot[:count]


@pytest.mark.parametrize("platform", ["linux", "without XLA"])
@pytest.mark.parametrize("batch_size", [200, 300])
def test_it_computes_what_keras_computes(platform, batch_size, monkeypatch):
    """The batches in the same order, whole ones and a smaller last one: both ways must agree."""
    import tensorflow as tf

    monkeypatch.setattr("fast_fit.sys.platform", platform)
    monkeypatch.setattr(tf.random, "shuffle", lambda order: order)
    x, y = some_data(1000)
    histories, weights = [], []
    for prepare in (compile_epochs, lambda model: None):
        model = compiled(ch6_1.build_model)
        keras_alone = {"shuffle": False} if histories else {}
        prepare(model)
        history = model.fit(x, y, batch_size=batch_size, epochs=3, validation_split=0.2, verbose=0, **keras_alone)
        histories.append(history.history)
        weights.append(model.get_weights())
    assert histories[0].keys() == histories[1].keys() == {"accuracy", "loss", "val_accuracy", "val_loss"}
    for name in histories[0]:
        np.testing.assert_allclose(histories[0][name], histories[1][name], rtol=1e-4)
    for ours, theirs in zip(*weights, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5)


def test_an_optimizer_that_averages_the_weights(monkeypatch):
    import tensorflow as tf

    monkeypatch.setattr(tf.random, "shuffle", lambda order: order)
    x, y = some_data(400)
    weights = []
    for prepare in (compile_epochs, lambda model: None):
        keras.utils.set_random_seed(10)
        model = ch6_1.build_model()
        model.compile(loss="categorical_crossentropy", optimizer=keras.optimizers.Adam(use_ema=True))
        prepare(model)
        model.fit(x, y, batch_size=400, epochs=3, verbose=0)
        weights.append(model.get_weights())
    for ours, theirs in zip(*weights, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5)


def test_a_layer_that_xla_cannot_compile_and_a_metric_for_each_digit():
    x, y = some_data(100)
    layers = [keras.Input((784,)), keras.layers.Reshape((28, 28, 1)), keras.layers.RandomRotation(0.1)]
    model = keras.Sequential([*layers, keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")])
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=[keras.metrics.F1Score()])
    compile_epochs(model)
    history = model.fit(x, y, batch_size=50, epochs=2, verbose=0).history
    assert np.shape(history["f1_score"]) == (2, 10) and np.isfinite(history["loss"]).all()


@pytest.mark.parametrize(
    "images, labels, arguments",
    [
        (100, 200, {}),
        (200, 100, {"validation_split": 0.2}),
        (100, 100, {"validation_split": 1.0}),
        (4, 4, {"validation_split": 0.9}),
        (100, 100, {"batch_size": -5}),
    ],
)
def test_a_wrong_call_gets_keras_own_error(images, labels, arguments):
    errors = []
    for prepare in (compile_epochs, lambda model: None):
        model = compiled(ch6_1.build_model)
        prepare(model)
        with pytest.raises(Exception) as caught:
            model.fit(ch6_1.x_Train_norm[:images], ch6_1.y_TrainOneHot[:labels], verbose=0, **arguments)
        errors.append(caught)
    assert errors[0].type == errors[1].type and str(errors[0].value) == str(errors[1].value)


class Recorder(keras.layers.Layer):
    """Writes down which images pass through it, by their first number."""

    def build(self, shape):
        self.seen = self.add_weight(shape=(50,), initializer="zeros", trainable=False)
        self.count = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False)

    def call(self, x):
        rows = x[:, 0]
        places = self.count + keras.ops.arange(keras.ops.shape(rows)[0])
        self.seen.assign(keras.ops.scatter_update(self.seen, places[:, None], rows))
        self.count.assign(self.count + keras.ops.shape(rows)[0])
        return x


def test_every_image_is_seen_once_an_epoch_in_a_new_order():
    recorder = Recorder()
    model = keras.Sequential([keras.Input((1,)), recorder, keras.layers.Dense(1)])
    model.compile(loss="mse", optimizer="adam")
    compile_epochs(model)
    recorder.count.assign(0)
    model.fit(
        np.arange(25.0).reshape(25, 1), np.zeros((25, 1)), batch_size=6, epochs=2, validation_split=0.2, verbose=0
    )
    first, second = recorder.seen.numpy().reshape(2, 25)
    for epoch in (first, second):
        assert sorted(epoch[:20]) == list(range(20))  # for training, each once
        assert list(epoch[20:]) == list(range(20, 25))  # for validation, the last
    assert list(first[:20]) != list(second[:20]) and list(first[:20]) != list(range(20))
    assert int(model.optimizer.iterations) == 2 * 4  # batches of 6, 6, 6 and 2


def test_a_smaller_last_batch_and_no_validation():
    x, y = some_data(450)
    model = compiled(ch6_1.build_model)
    compile_epochs(model)
    history = model.fit(x, y, batch_size=200, epochs=2, verbose=0).history
    assert history.keys() == {"accuracy", "loss"} and len(history["loss"]) == 2
    assert int(model.optimizer.iterations) == 6


def test_other_arguments_go_to_keras():
    x, y = some_data(400)
    model = compiled(ch6_1.build_model)
    compile_epochs(model)
    history = model.fit(x, y, batch_size=200, epochs=2, validation_data=some_data(100), verbose=0).history
    assert len(history["val_loss"]) == 2
    model.fit(x, y, sample_weight=np.ones(400), batch_size=None, verbose=0)
    model.fit(x, y, 200, verbose=0)
    assert int(model.optimizer.iterations) == 2 * 2 + 13 + 2  # in batches of 200, of 32 and of 200


def test_it_respects_keras_limits(capsys):
    x, y = some_data(1000)
    model = compiled(ch6_1.build_model)
    compile_epochs(model)
    keras.config.set_max_epochs(2)
    keras.config.set_max_steps_per_epoch(3)
    try:
        history = model.fit(x, y, batch_size=100, epochs=10, validation_split=0.2, verbose=2)
    finally:
        keras.config.set_max_epochs(None)
        keras.config.set_max_steps_per_epoch(None)
    assert history.epoch == [0, 1]
    assert int(model.optimizer.iterations) == 6
    assert "3/3" in capsys.readouterr().out


@pytest.mark.parametrize("build", [network[0] for network in NETWORKS.values()], ids=NETWORKS)
def test_the_same_seed_gives_the_same_bits(build):
    x, y = some_data(2000)
    results = []
    for _ in range(2):
        model = compiled(build)
        compile_epochs(model)
        history = model.fit(x, y, batch_size=200, epochs=2, validation_split=0.2, verbose=0).history
        results.append([*model.get_weights(), model.predict(x, verbose=0), *map(np.array, history.values())])
    assert equal(*results)


def test_another_seed_gives_another_result():
    first = compiled(ch6_1.build_model).get_weights()
    keras.utils.set_random_seed(11)
    assert not equal(first, ch6_1.build_model().get_weights())
