"""The tables of changes: each row alone, and whole old scripts that nothing but the rows makes run."""

import contextlib
import functools
import io
import re
import shutil
import urllib.error
import warnings
from unittest import mock

import keras
import pytest
import tensorflow as tf
from conftest import PROJECT
from matplotlib import pyplot as plt

import mnist

TABLES = ["README.md", "README.zh-TW.md"]
PAGES = ["docs/older_code.md", "docs/older_code.zh-TW.md"]
CODE = r"`` ?(.+?) ?``(?!`)|`([^`]+)`"
PAGE = (PROJECT / PAGES[0]).read_text(encoding="utf-8")


def rows(*names):
    """Return the rows of the tables of changes: the line, what it says today, the cure; None for mere words."""
    lines = [line for name in names for line in (PROJECT / name).read_text(encoding="utf-8").splitlines()]
    rows = [[re.fullmatch(CODE, cell.strip()) for cell in line.strip("|").split(" | ")] for line in lines]
    rows = [cells[:3] for cells in rows if len(cells) == 4 and cells[0] and (cells[1] or cells[2])]
    return [tuple(cell and (cell[1] or cell[2]) for cell in cells) for cells in rows]


ROWS = rows(TABLES[0], PAGES[0])
TESTED = [row for row in ROWS if row[1] and row[2]]
FAILS_LATER = {  # where the line itself does not fail: what is said, and the line that does
    "URL fetch failure": "mnist.load_data()",
    "Paths are no longer accepted": "mnist.load_data(os.path.join('.', 'mnist.npz'))",
    "KeyError: 'acc'": "train().history['acc']",
    "callback received monitor": "train(keras.callbacks.EarlyStopping(monitor='val_acc'))",
    "Early stopping conditioned": "train(keras.callbacks.EarlyStopping(monitor='val_acc', mode='max'))",
    "Can save best model only": "train(ModelCheckpoint('a.keras', 'val_acc', save_best_only=True, mode='max'))",
    "Failed to format": "train(ModelCheckpoint('a{val_acc:.2f}.keras'))",
    "Unknown variable": "model.fit(x_Train_norm, y_TrainOneHot)",
    "instance of class Layer": "Sequential().add(keras.layers.Dense(1))",
    "instances of `keras.Layer`": "keras.Sequential().add(Dense(1))",
    "'keras.backend' has no attribute 'mean'": "K.mean(tf.constant([1.0]))",
    "module 'tensorflow' has no attribute 'ConfigProto'": "tf.ConfigProto",
    "module 'tensorflow' has no attribute 'logging'": "tf.logging",
    "module 'tensorflow' has no attribute 'placeholder'": "tf.placeholder",
    "module 'tensorflow' has no attribute 'Session'": "tf.Session",
}
SILENT = {  # a line without a message: the line in its place, what it prints, and what its cure prints
    "fig = plt.gcf()": ("plt.plot([1, 2]); {}; plt.subplot(5, 5, 1); print(len(fig.axes))", "2\n", "1\n"),
    "plt.show": ("{}; print(plt.show.call_count)", "0\n", "1\n"),
    "Conv2D(32, 3, 3)": ("print({}.strides)", "(3, 3)\n", "(1, 1)\n"),
    "df['label'][0] = 7": ("{}; print(df.label[0])", "5\n", "7\n"),
    "optimizer='adadelta'": (
        "print(round(float(keras.optimizers.get(dict({})['optimizer']).learning_rate), 4))",
        "0.001\n",
        "1.0\n",
    ),
    "model.metrics_names[1]": ("train(); print({})", "compile_metrics\n", "acc\n"),
    "y_TrainOneHot[:1]": ("{}", "", "[[0. 0. 0. 0. 0. 1. 0. 0. 0. 0.]]\n"),
}
READER = """
import os, pickle, sys, time, keras, matplotlib, ch6_1, numpy as np, pandas as pd, tensorflow as tf
from PIL import Image; from matplotlib import pyplot as plt; from keras import backend as K, Model, Sequential
from keras.callbacks import ModelCheckpoint, TensorBoard; from keras.datasets import mnist; from keras.layers import *
from keras.models import load_model; from keras.optimizers import Adam; from keras.utils import to_categorical
x_Train_norm, y_TrainOneHot, y_train = ch6_1.x_Train_norm[:50], ch6_1.y_TrainOneHot[:50], ch6_1.y_train_label[:50]
x_Test_norm, y_TestOneHot, prediction = ch6_1.x_Test_norm[:50], ch6_1.y_TestOneHot[:50], np.arange(10)
model, metrics, image = ch6_1.build_model(8), ['accuracy'], np.zeros((28, 28), 'uint8')
batches, inputs, outputs = ((x_Train_norm, y_TrainOneHot) for _ in range(9)), model.inputs, model.outputs
df = pd.DataFrame({'label': [5, 3], 'predict': [3, 3]})
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=metrics)
def train(*callbacks):
    model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=metrics)
    return model.fit(x_Train_norm, y_TrainOneHot, 50, verbose=0, validation_split=0.2, callbacks=list(callbacks))
"""
FILES = r"""
train(), os.mkdir('logs'), np.save('objects.npy', [{}], allow_pickle=True)
open('py2.pkl', 'wb').write(b"S'\\xe4'\n.")
model.save('model.h5'), model.save('mnist.keras'), model.save_weights('mnist.weights.h5')
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    (folder / "input_data.py").write_text(re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1], encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        exec(READER + FILES, {})
    return folder


@pytest.fixture
def names(tmp_path, monkeypatch):
    """What a reader has in the interpreter, in an empty folder; the download is blocked, the trainings are short."""
    keras.config.set_max_epochs(1)
    keras.config.set_max_steps_per_epoch(3)
    tf.config.run_functions_eagerly(True)  # a step is not worth making a graph for
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", mock.Mock(side_effect=urllib.error.URLError("no")))
    monkeypatch.setattr("keras.src.utils.file_utils.config.keras_home", lambda: str(tmp_path))
    monkeypatch.setattr("tensorflow.compat.v1.disable_v2_behavior", lambda: None)  # it would be for all tests
    monkeypatch.setattr("mnist.load_data", functools.cache(mnist.load_data))
    monkeypatch.setattr(plt, "show", mock.Mock(side_effect=plt.close))
    names = {"__name__": "__main__"}
    exec(READER, names)
    yield names
    plt.close("all")
    keras.config.set_max_epochs(None)
    keras.config.set_max_steps_per_epoch(None)
    tf.config.run_functions_eagerly(False)


def execute(text, names=None, warned="input_dim"):
    """Run a text, and return what it prints; a warning with the words `warned` is an error."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()) as printed:
        warnings.simplefilter("ignore")
        warnings.filterwarnings("error", message=f"(?s).*{warned}")
        exec(text, {"__name__": "__main__"} if names is None else names)
    return printed.getvalue()


def test_both_languages_have_the_same_rows():
    assert rows(TABLES[1], PAGES[1]) == ROWS and len(set(ROWS)) == len(ROWS) > 200
    assert {row[0] for row in ROWS if row[1] is None} == {*SILENT, "np.random.seed(10)"}


@pytest.mark.parametrize("old, error, new", TESTED, ids=lambda text: text[:60])
def test_a_row_alone(old, error, new, names, files, tmp_path):
    shutil.copytree(files, tmp_path, dirs_exist_ok=True)
    for package in [package for package in ("scipy.misc", "cv2") if package in old]:
        pytest.importorskip(package)
        exec(f"import {package}", names)
    later = next((line for words, line in FAILS_LATER.items() if words in error and "load_data" not in old), "")
    before = "train_history = train()\n" * ("history" in old) + "model = Sequential()\n" * ("model.add(" in old)
    warned = re.escape(error.partition("Warning: ")[2]) or "nothing"
    with pytest.raises(BaseException) as caught:
        execute(before, names)
        execute(f"{old}\n{later}", names, warned)
    assert error in f"{caught.typename}: {caught.value}"
    execute(f"{before}{new}\n{later}", names, warned)


@pytest.mark.parametrize("old", SILENT)
def test_a_row_without_a_message(old, names):
    new = next(row[2] for row in ROWS if row[0] == old and row[1] is None)
    line, *given = SILENT[old]
    assert [execute(line.format(each), names) for each in (old, new)] == given


def cure(script):
    """Whenever the script fails, apply the cure of the row with this error to it, word for word, until it runs."""
    keras.config.set_max_steps_per_epoch(1)
    text, cured = (PROJECT / "tests" / script).read_text(encoding="utf-8"), []
    while True:
        try:
            execute(text)
            return text, cured
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            old, _, new = row = next(row for row in TESTED if row[1] in said and row[0] in text)
            assert row not in cured
            cured.append(row)
            text = f"{new}\n{text}" if new.startswith("from utils") else text.replace(old, new)


def test_the_rows_make_an_old_notebook_run(names):
    assert len(cure("old_notebook.py")[1]) >= 15


def test_the_rows_make_an_old_script_run(names, tmp_path):
    text, cured = cure("old_script.py")
    assert len(cured) >= 7 and "loading failed" in execute(text)  # for ever, which no error tells
    for old in ("np.random.seed(10)", "model.load_weights('mnist.h5')"):
        text = text.replace(old, next(row[2] for row in ROWS if row[0] == old))
    outputs = []
    for _ in range(2):
        (tmp_path / "mnist.weights.h5").unlink()
        outputs.append(execute(text))
        assert "loading failed" in outputs[-1] and "training goes on" in execute(text)
    assert re.search("accuracy = .*", outputs[0])[0] in outputs[1]
