"""The replay draws the numbers of Keras 2.0, its loop does what Keras's own `fit` does, and it refuses the rest."""

import re
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import PROJECT, environment, type_in
from test_networks import NETWORKS, compiled, equal, some_data, what_training_gives

import ch6_1
import ch7_dropout

sys.path.insert(0, str(PROJECT / "replay"))
import author
import keras2_random

keras_fit = keras.Model.fit
OP_SEEDS = [7685385, 8100989, 5242852, 3589440, 6909297]  # what np.random.randint(10_000_000) gives after seed 10


def dense(**arguments):
    return keras.layers.Dense(**{"units": 10, "kernel_initializer": "normal", "activation": "softmax", **arguments})


@pytest.fixture(autouse=True)
def replay(monkeypatch):
    """Install the replay for one test."""
    monkeypatch.setattr(keras.Sequential, "add", keras2_random.add)
    monkeypatch.setattr(keras.layers.Dropout, "call", keras2_random.dropout)
    monkeypatch.setattr(keras.Model, "fit", keras2_random.fit)


@pytest.fixture(scope="module")
def stateful(tmp_path_factory):
    """What TensorFlow's stateful operations draw in a fresh process, where their streams begin anew."""
    code = (
        "import sys, numpy as np, tensorflow as tf\n"
        f"uniform = tf.function(lambda: tf.random.uniform((200, 1000), seed={OP_SEEDS[1]}))\n"
        f"hidden = tf.random.normal((784, 256), 0.0, 0.05, seed={OP_SEEDS[0]})\n"
        f"output = tf.random.normal((256, 10), 0.0, 0.05, seed={OP_SEEDS[1]})\n"
        "np.savez(sys.argv[1], hidden=hidden, output=output, masks=[tf.floor(0.5 + uniform()) for _ in range(2)])\n"
    )
    path = tmp_path_factory.mktemp("stateful") / "numbers.npz"
    subprocess.run([sys.executable, "-c", code, path], env=environment(), check=True, capture_output=True)
    with np.load(path) as numbers:
        return dict(numbers)


# The random numbers


def test_the_op_seeds_are_drawn_when_layers_are_added():
    for build, _, _ in NETWORKS.values():
        model = compiled(build)
        assert [int(keras2_random.streams[layer][1]) for layer in model.layers] == OP_SEEDS[: len(model.layers)]


def test_the_first_weights_are_those_of_the_stateful_operation(stateful):
    model = compiled(ch6_1.build_model)
    hidden, output = model.layers
    assert (hidden.kernel.numpy() == stateful["hidden"]).all()
    assert (output.kernel.numpy() == stateful["output"]).all()
    assert not hidden.bias.numpy().any() and not output.bias.numpy().any()


def test_the_masks_of_the_first_two_steps(stateful):
    keras.utils.set_random_seed(10)
    model = ch7_dropout.build_model()
    dropout = model.layers[1]
    drop = tf.function(lambda x: dropout(x, training=True))
    masks = [drop(tf.ones((200, 1000))).numpy() for _ in range(2)]
    assert (np.array(masks) == 2 * stateful["masks"]).all()
    assert (masks[0] != masks[1]).any()


def orders_of(fit, epochs):
    """Return the order in which `fit` shows 25 images, 20 of them for the training, in each epoch."""
    seen = []
    order = np.random.shuffle

    def record(rows):
        order(rows)
        seen.append(rows.copy())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np.random, "shuffle", record)
        fit(epochs)
    return seen


def test_each_epoch_shuffles_the_order_of_the_last_one():
    x, y = some_data(25)
    np.random.seed(10)
    model = compiled(ch6_1.build_model)
    state = np.random.get_state()
    seen = orders_of(lambda epochs: model.fit(x, y, epochs=epochs, validation_split=0.2, verbose=0), 2)
    np.random.set_state(state)
    expected = np.arange(20)
    for order in seen:
        np.random.shuffle(expected)
        assert (order == expected).all()
    assert len(seen) == 2


def test_another_seed_is_another_seed_of_numpy():
    keras.utils.set_random_seed(11)
    model = ch6_1.build_model()
    np.random.seed(11)
    assert int(keras2_random.streams[model.layers[0]][1]) == np.random.randint(10_000_000)


def test_a_list_of_layers_is_as_good_as_adding_them():
    keras.utils.set_random_seed(10)
    layers = [dense(units=1000, activation="relu"), keras.layers.Dropout(0.5), dense()]
    model = keras.Sequential([keras.Input((784,)), *layers])
    assert equal(model.get_weights(), compiled(ch7_dropout.build_model).get_weights())


def test_a_layer_that_was_trained_keeps_its_weights_in_another_network():
    x, y = some_data(400)
    model = compiled(ch6_1.build_model)
    model.fit(x, y, verbose=0)
    trained = model.layers[0].get_weights()
    part = keras.Sequential([keras.Input((784,)), model.layers[0]])
    assert equal(part.get_weights(), trained)


# The loop


@pytest.fixture
def in_order(monkeypatch):
    monkeypatch.setattr(np.random, "shuffle", lambda order: None)


@pytest.mark.parametrize("batch_size", [200, 300, 1000])
@pytest.mark.parametrize("validation_split", [0.0, 0.2])
def test_it_computes_what_keras_computes(batch_size, validation_split, in_order):
    """The batches in the same order, whole ones and a smaller last one: both ways must agree."""
    x, y = some_data(1000)
    arguments = {"batch_size": batch_size, "epochs": 3, "validation_split": validation_split, "verbose": 0}
    ours, theirs = compiled(ch6_1.build_model), compiled(ch6_1.build_model)
    history = ours.fit(x, y, **arguments).history
    expected = keras_fit(theirs, x, y, shuffle=False, **arguments).history
    assert history.keys() == expected.keys()
    for name in history:
        np.testing.assert_allclose(history[name], expected[name], rtol=1e-4)
    for weight, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(weight, other, rtol=1e-3, atol=1e-5)
    assert int(ours.optimizer.iterations) == int(theirs.optimizer.iterations)


@pytest.mark.parametrize("dtype", ["uint8", "float64", "float32"])
def test_no_data_changes_its_type(dtype, in_order):
    x, y = (X.astype(dtype) for X in some_data(400))
    ours, theirs = compiled(ch6_1.build_model), compiled(ch6_1.build_model)
    ours.fit(x, y, epochs=2, verbose=0)
    keras_fit(theirs, x, y, epochs=2, shuffle=False, verbose=0)
    assert x.dtype == y.dtype == dtype
    for weight, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(weight, other, rtol=1e-3, atol=1e-5)


def printed_by(fit, capsys, **arguments):
    """Return what a training prints, without its times."""
    x, y = some_data(500)
    fit(compiled(ch6_1.build_model), x, y, batch_size=200, epochs=2, validation_split=0.2, **arguments)
    text = re.sub(r"\x1b\[\d*m|\x08", "", capsys.readouterr().out)
    return re.sub(r"\d+(ms|s)\b(/step)?", "TIME", text)


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_the_printed_lines_are_keras_own(verbose, in_order, capsys):
    ours = printed_by(keras2_random.fit, capsys, verbose=verbose)
    theirs = printed_by(keras_fit, capsys, verbose=verbose, shuffle=False)
    ends = [re.findall(r"(?:Epoch|2/2) .*", re.sub(r"(\d\.\d\d)\d\d", r"\1", text)) for text in (ours, theirs)]
    assert ends[0] == ends[1] and len(ends[0]) == (4 if verbose else 0)


class Recorder(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.calls = []

    def on_train_begin(self, logs=None):
        self.calls.append("train begins")

    def on_epoch_begin(self, epoch, logs=None):
        self.calls.append(f"epoch {epoch} begins")

    def on_test_begin(self, logs=None):
        self.calls.append("test begins")

    def on_test_end(self, logs=None):
        self.calls.append(("test ends", sorted(logs)))

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append((epoch, sorted(logs), {type(value) for value in logs.values()}))

    def on_train_end(self, logs=None):
        self.calls.append(("train ends", sorted(logs)))


def test_callbacks_once_an_epoch(tmp_path):
    x, y = some_data(500)
    recorders = []
    for fit in (keras2_random.fit, keras_fit):
        recorders.append(Recorder())
        fit(compiled(ch6_1.build_model), x, y, validation_split=0.2, epochs=2, callbacks=[recorders[-1]], verbose=0)
    assert recorders[0].calls == recorders[1].calls
    stopping = keras.callbacks.EarlyStopping(monitor="loss", min_delta=100)
    best = keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", monitor="loss", save_best_only=True)
    history = compiled(ch6_1.build_model).fit(x, y, epochs=9, callbacks=[stopping, best], verbose=0)
    assert history.epoch == [0, 1] and (tmp_path / "best.keras").exists()


def test_a_second_fit_goes_on():
    """Two fits of one epoch each differ from one of two epochs in the order alone, which begins anew."""
    x, y = some_data(400)
    model = compiled(ch7_dropout.build_model)
    model.fit(x, y, batch_size=100, verbose=0)
    weights, position = model.get_weights(), int(keras2_random.streams[model.layers[1]][0])
    assert position == 4 * 256 * 100 * 1000
    model.fit(x, y, batch_size=100, verbose=0)
    assert not equal(weights, model.get_weights())
    assert int(keras2_random.streams[model.layers[1]][0]) == 2 * position
    assert int(model.optimizer.iterations) == 8


@pytest.mark.parametrize("build", [network[0] for network in NETWORKS.values()], ids=NETWORKS)
def test_the_same_seed_gives_the_same_bits(build):
    assert equal(what_training_gives(build), what_training_gives(build))


def test_layers_and_saved_models_are_no_different_after_it(tmp_path):
    x, y = some_data(400)
    model = compiled(ch7_dropout.build_model)
    before = [set(vars(layer)) for layer in model.layers]
    model.fit(x, y, verbose=0)
    assert [set(vars(layer)) for layer in model.layers] == before
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert equal(loaded.get_weights(), model.get_weights())
    assert [type(layer) for layer in loaded.layers] == [type(layer) for layer in model.layers]
    loaded.fit(x, y, verbose=0)  # and goes on


# What it cannot replay


def network(*layers, build=True, optimizer="adam"):
    model = keras.Sequential([*([keras.Input((784,))] if build else []), *layers])
    if optimizer:
        model.compile(loss="categorical_crossentropy", optimizer=optimizer)
    return model


REFUSED = {
    "another initializer": (lambda: network(dense(kernel_initializer="he_normal")), {}),
    "another standard deviation": (
        lambda: network(dense(kernel_initializer=keras.initializers.RandomNormal(stddev=0.1))), {}
    ),
    "a truncated normal": (lambda: network(dense(kernel_initializer="truncated_normal")), {}),
    "a random bias": (lambda: network(dense(bias_initializer="normal")), {}),
    "another layer": (lambda: network(keras.layers.BatchNormalization(), dense()), {}),
    "a layer made from Dropout": (lambda: network(type("Other", (keras.layers.Dropout,), {})(0.5), dense()), {}),
    "no compile": (lambda: network(dense(), optimizer=None), {}),
    "averaged weights": (lambda: network(dense(), optimizer=keras.optimizers.Adam(use_ema=True)), {}),
    "a batch size of 0": (lambda: network(dense()), {"batch_size": 0}),
    "no input": (lambda: network(dense(), build=False), {}),
    "validation_data": (lambda: network(dense()), {"validation_data": some_data(10)}),
    "sample_weight": (lambda: network(dense()), {"sample_weight": np.ones(100)}),
    "shuffle": (lambda: network(dense()), {"shuffle": False}),
    "a callback for each batch": (
        lambda: network(dense()), {"callbacks": [keras.callbacks.LambdaCallback(on_train_batch_end=print)]}
    ),
    "another length": (lambda: network(dense()), {"y": np.zeros((99, 10))}),
    "a data set": (lambda: network(dense()), {"x": tf.data.Dataset.from_tensors(some_data(10)), "y": None}),
    "nothing to train on": (lambda: network(dense()), {"validation_split": 1.0}),
}  # fmt: skip


@pytest.mark.parametrize("build, arguments", REFUSED.values(), ids=REFUSED)
def test_what_it_cannot_replay_is_refused_before_anything_is_trained(build, arguments):
    x, y = some_data(100)
    model = build()
    weights = model.get_weights()
    with pytest.raises(keras2_random.CannotReplay, match="cannot be replayed") as caught:
        model.fit(**{"x": x, "y": y, "verbose": 0, **arguments})
    assert "\n" not in str(caught.value) and equal(model.get_weights(), weights)


def test_a_refusal_in_a_script_is_one_sentence(run_here, tmp_path):
    (tmp_path / "own.py").write_text(
        "import keras, numpy\n"
        "model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])\n"
        "model.compile(loss='mse', optimizer='adam')\n"
        "model.fit(numpy.zeros((8, 4)), numpy.zeros((8, 1)))\n"
    )
    with pytest.raises(SystemExit, match="^replay: the layer 'dense.*' of 'sequential.*' cannot be replayed; .*$"):
        run_here("replay", "own.py")


@pytest.mark.parametrize(
    "arguments, named",
    [
        (["ch8.py"], "there is no script 'ch8.py'"),
        (["--seed", "5"], "--seed"),
        (["ch6_1.py", "--epochs", "0"], "--epochs"),
    ],
)
def test_a_wrong_call_is_one_line_and_status_2(arguments, named, run_here, capsys):
    with pytest.raises(SystemExit) as end:
        run_here("replay", *arguments)
    errors = capsys.readouterr().err
    assert end.value.code == 2 and len(errors.splitlines()) == 1 and named in errors


def test_another_backend_is_refused(run_here, monkeypatch, capsys):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(SystemExit) as end:
        run_here("replay", "ch6_1.py")
    errors = capsys.readouterr().err
    assert end.value.code == 2 and len(errors.splitlines()) == 1 and "cannot be replayed on jax" in errors


# The book's run


@pytest.fixture(scope="module")
def full_run(tmp_path_factory):
    """A run by `python -i`, with lines typed after it."""
    lines = "print('typed:')\ndf[:2].label.tolist()\nmodel.count_params()\nsorted(train_history.history)\n"
    return type_in(lines, PROJECT / "replay", "ch6_1.py", folder=tmp_path_factory.mktemp("replay"))


def test_the_books_run(full_run):
    assert full_run.returncode == 0, full_run.stderr
    book = author.NETWORKS["256 units"]["book"]
    assert full_run.stdout.startswith("\t[Replay] ")
    assert f"[{book['predictions from 240 on']}]" in full_run.stdout
    assert "\tAt 247'th: 4 is with wrong prediction as 2!\n" in full_run.stdout
    assert "\tAt 340'th: 5 is with wrong prediction as 3!\n" in full_run.stdout
    fives = full_run.stdout.split("Every 5 that was read as 3:\n")[1]
    found = set(re.findall(r"^(\d+) +5 +3$", fives, re.MULTILINE))
    assert len(found & set(book["every 5 read as 3"].split())) >= 12
    accuracy = float(re.search(r"Accuracy of testing data = (.*)%", full_run.stdout)[1])
    assert abs(accuracy - float(book["test accuracy"].rstrip("%"))) <= 0.11


def test_it_leaves_the_scripts_variables_to_explore(full_run):
    assert full_run.stdout.split("typed:\n")[1].splitlines() == [
        "[7, 2]",
        "203530",
        "['accuracy', 'loss', 'val_accuracy', 'val_loss']",
    ]


def test_the_scripts_say_what_the_author_printed():
    """His figures stand in the scripts, which need nothing of the replay, and in the replay."""
    for facts in author.NETWORKS.values():
        text = (PROJECT / f"{facts['script']}.py").read_text()
        book = facts["book"]
        assert f'"{book["test accuracy"]}"' in text
        if "loss" in book:
            metrics = ("accuracy", "loss", "val_accuracy", "val_loss")
            assert " - ".join(f"{metric}: {book[metric]}" for metric in metrics) in text
