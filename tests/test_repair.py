"""repair.py: old lines fail today and new ones run; old scripts run to their end; bad input is told."""

import contextlib
import functools
import io
import json
import re
import urllib.error
import warnings
from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow.compat.v1 as v1
from conftest import PROJECT, run
from matplotlib import pyplot as plt

import mnist
from repairing import pages
from repairing.functions import repair
from repairing.tree import RULES

OLD = sorted(path for path in (PROJECT / "tests/old").iterdir() if path.suffix in (".py", ".ipynb"))
REPAIRS = {"moved", "calls", "find", "run", "gone"}
ROWS = [(rule, row) for rule in RULES for row in rule.get("row", [])]
TESTED = [(rule, row) for rule, row in ROWS if "new" in row and row.get("tested", True)]
IMPORTS = """
import os
import pickle
import sys
import time
import keras
import matplotlib
import numpy as np
import pandas as pd
import tensorflow as tf
from PIL import Image
from matplotlib import pyplot as plt
from keras import Model, Sequential, backend as K
from keras.callbacks import EarlyStopping, ModelCheckpoint, TensorBoard
from keras.layers import *
from keras.models import load_model
from keras.optimizers import Adam, SGD
from keras.utils import plot_model, to_categorical
model = Sequential()
model.add(Dense(10))
df = pd.DataFrame({'label': [5, 3], 'predict': [3, 3]})
"""
READER = """
import ch6_1
from keras.datasets import mnist
x_Train_norm, y_TrainOneHot, y_train = ch6_1.x_Train_norm[:50], ch6_1.y_TrainOneHot[:50], ch6_1.y_train_label[:50]
x_Test_norm, y_TestOneHot, prediction = ch6_1.x_Test_norm[:50], ch6_1.y_TestOneHot[:50], np.arange(10)
model, image = ch6_1.build_model(8), np.zeros((28, 28), 'uint8')
one = Sequential([Dense(1)])
one.compile(loss='mse', optimizer='adam')
batches, inputs, outputs = ((x_Train_norm, y_TrainOneHot) for _ in range(9)), model.inputs, model.outputs
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
def train():
    return model.fit(x_Train_norm, y_TrainOneHot, 50, verbose=0, validation_split=0.2)
"""
FILES = r"""
os.mkdir('logs'), np.save('objects.npy', [{}], allow_pickle=True)
open('py2.pkl', 'wb').write(b"S'\\xe4'\n.")
train(), model.save('model.h5'), model.save('mnist.keras'), model.save_weights('mnist.weights.h5')
open('input_data.py', 'w').close()
"""


@pytest.fixture
def names(tmp_path, monkeypatch):
    """What a reader has in the interpreter, in an empty folder; no download, and short trainings."""
    keras.config.set_max_epochs(1)
    keras.config.set_max_steps_per_epoch(2)
    tf.config.run_functions_eagerly(True)  # a step is not worth making a graph for
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", mock.Mock(side_effect=urllib.error.URLError("no")))
    monkeypatch.setattr("keras.src.utils.file_utils.config.keras_home", lambda: str(tmp_path))
    monkeypatch.setattr(v1, "disable_v2_behavior", lambda: None)  # it would be for all tests
    monkeypatch.setattr("mnist.load_data", functools.cache(mnist.load_data))
    monkeypatch.setattr(plt, "show", mock.Mock(side_effect=plt.close))
    cifar = np.zeros((64, 32, 32, 3), "uint8"), np.arange(64).reshape(-1, 1) % 10
    monkeypatch.setattr("keras.datasets.cifar10.load_data", lambda: (cifar, cifar))
    names = {"__name__": "__main__"}
    exec(IMPORTS + READER, names)
    yield names
    plt.close("all")
    keras.config.set_max_epochs(None)
    keras.config.set_max_steps_per_epoch(None)
    tf.config.run_functions_eagerly(False)


def execute(text, names, warned="nothing"):
    """Run a text, and return what it prints; a warning with the words `warned` is an error."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()) as printed:
        warnings.simplefilter("ignore")
        warnings.filterwarnings("error", message=f"(?s).*{warned}")
        exec(text, names)
    return printed.getvalue()


def name_of(value):
    return value["old"][:60].replace("\n", "; ") if "old" in value else value.get("id")


@pytest.mark.parametrize("rule, row", ROWS, ids=name_of)
def test_a_rule_makes_the_new_line_of_the_old_one(rule, row):
    before = "" if re.match("import|from", row["old"]) else IMPORTS
    if REPAIRS & rule.keys():
        assert row["new"] in repair(f"{before}{row['old']}\n", here=True)[0]


@pytest.mark.parametrize("rule, row", TESTED, ids=name_of)
def test_an_old_line_fails_as_the_rule_tells_and_the_new_one_runs(rule, row, names):
    exec(FILES if re.search(r"\.(h5|npy|pkl|keras)|logs|input_data|load_", row["old"]) else "", names)
    for package in [package for package in ("scipy", "cv2", "sklearn") if package in row["old"]]:
        names[package] = pytest.importorskip(package)
    then, before = row.get("then", ""), "train_history = train()" if "train_history.history.keys" in row["old"] else ""
    execute(before + "\nmodel = Sequential()" * ("model.add(" in row["old"]), names)
    if "shows" in row:
        old, new = (
            execute(f"{row[key]}\n{then.replace('LINE', repr(row[key]))}", dict(names)) for key in ("old", "new")
        )
        assert [old.strip(), new.strip()] == row["shows"]
        return
    with pytest.raises(BaseException) as caught:
        execute(f"{row['old']}\n{then}", names, re.escape(row["error"].partition("Warning: ")[2]) or "nothing")
    assert row["error"] in f"{caught.typename}: {caught.value}"
    execute(f"{row['new']}\n{then}", names)


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.name)
def test_an_old_script_runs_to_its_end_and_is_repaired_once(path, names, tmp_path):
    copy = tmp_path / path.name
    copy.write_bytes(path.read_bytes())
    done = run(PROJECT / "repair.py", copy, "--data", folder=tmp_path)
    assert done.returncode == 0 and copy.read_bytes() == path.read_bytes(), done.stderr
    repaired = copy.with_stem(copy.stem + "_keras3")
    again = run(PROJECT / "repair.py", "--diff", repaired, folder=tmp_path)
    assert "\n-" not in again.stdout.replace("\n---", "")
    text = repaired.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        old, new = json.loads(path.read_text(encoding="utf-8")), json.loads(text)
        for cell in old["cells"] + new["cells"]:
            if cell["cell_type"] == "code":
                cell["text"] = "".join(cell.pop("source"))
        text = "\n".join(
            re.sub("(?m)^[%!].*", "", cell["text"])
            for cell in new["cells"]
            if "text" in cell and not cell["text"].startswith("%%")
        )
        for cell in old["cells"] + new["cells"]:
            cell.pop("text", None)
        assert old == new
    if "graph" not in path.name:
        return execute(text, {"__name__": "__main__"})
    done = run(repaired.name, folder=tmp_path)  # TensorFlow 1's way is for a whole process
    assert done.returncode == 0, done.stderr


def test_both_pages_are_those_of_the_rules():
    for name in pages.TEXTS:
        assert (PROJECT / "docs" / name).read_text(encoding="utf-8") == pages.page(name), "python -m repairing.pages"


UNCHANGED = """
class Dense:
    def __init__(self, init=None): pass
    def predict_classes(self, x): return x
text = "Dense(5, init='normal'), np.int"  # np_utils, init='normal'
layer = Dense(init='normal')
layer.predict_classes(3)
"""


def test_the_same_word_elsewhere_stays():
    assert repair(UNCHANGED)[0] == UNCHANGED


def test_only_the_line_changes(tmp_path):
    old = "\ufeff# 註解\r\nfrom keras.utils import np_utils   # 中文\r\n\r\nx =  1 ;y = 2\r\n".encode()
    (tmp_path / "a.py").write_bytes(old)
    run(PROJECT / "repair.py", "a.py", folder=tmp_path)
    new = old.replace(b"from keras.utils import np_utils", b"from keras import utils as np_utils")
    assert (tmp_path / "a_keras3.py").read_bytes() == new
    assert run(PROJECT / "repair.py", "--in-place", "a.py", folder=tmp_path).returncode == 0
    assert (tmp_path / "a.py").read_bytes() == new and (tmp_path / "a_original.py").read_bytes() == old


def test_big5_becomes_utf_8_and_the_language_is_chosen(tmp_path):
    (tmp_path / "a.py").write_bytes("# -*- coding: big5 -*-\nprint('數字')\n".encode("cp950"))
    done = run(PROJECT / "repair.py", "a.py", "--lang", "zh-TW", folder=tmp_path, PYTHONIOENCODING="utf-8")
    assert "Big5" in done.stdout and "修好" in done.stdout
    assert (tmp_path / "a_keras3.py").read_text(encoding="utf-8") == "# -*- coding: utf-8 -*-\nprint('數字')\n"


@pytest.mark.parametrize(
    "name, content, said",
    [
        ("a.py", b"this is no Python at all\n", "no Python from line 1"),
        ("a.py", b"", "no code"),
        ("a.py", b"\xff\xff\x00\x80", "no text file"),
        ("a.txt", b"x", "only scripts"),
        ("a.ipynb", b"{", "damaged"),
        ("a.ipynb", b'{"worksheets": []}', "format 3"),
        ("folder", None, "no script or notebook"),
        ("missing.py", None, "cannot be read"),
    ],
)
def test_bad_input_is_told_in_one_sentence(name, content, said, tmp_path):
    if name == "folder":
        (tmp_path / name).mkdir()
    elif content is not None:
        (tmp_path / name).write_bytes(content)
    before = sorted(tmp_path.iterdir())
    done = run(PROJECT / "repair.py", name, folder=tmp_path, LANG="C.UTF-8")
    assert done.returncode == 1 and said in done.stderr and len(done.stderr.splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == before


def test_a_copy_is_never_overwritten_and_skipped_in_a_folder(tmp_path):
    (tmp_path / "a.py").write_text("import keras.utils.np_utils\n")
    assert run(PROJECT / "repair.py", ".", folder=tmp_path).returncode == 0
    done = run(PROJECT / "repair.py", ".", folder=tmp_path)
    assert done.returncode == 1 and "a_keras3.py" in done.stderr and "a_keras3_keras3" not in done.stdout
