"""What several test files use: the scripts run as a reader runs them, and a trained network."""

import itertools
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(PROJECT), str(PROJECT / "benchmarks")]
os.environ["MPLBACKEND"] = "agg"
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # NumPy's matrix products slow down ten times when they share their cores

# A short run: three training steps, one epoch.
SHORT = {"KERAS_MAX_EPOCHS": "1", "KERAS_MAX_STEPS_PER_EPOCH": "3"}


def environment(**changes):
    """Return the environment of a reader without a display, who can import the project; None removes a variable."""
    of_reader = {"DISPLAY": None, "WAYLAND_DISPLAY": None, "MPLBACKEND": None, "PYTHONPATH": str(PROJECT), **changes}
    return {name: value for name, value in (os.environ | of_reader).items() if value is not None}


def run(*words, folder, typed=None, encoding="utf-8", **changes):
    """Run `python words` in `folder`, type what is to be typed, and return the completed process."""
    words, changed = [sys.executable, *map(str, words)], environment(**changes)
    pipes = {"input": typed, "capture_output": True, "encoding": encoding}
    return subprocess.run(words, cwd=folder, env=changed, timeout=280, **pipes)


def type_in(text, *words, folder, **changes):
    """Type `text` into `python -i words`, and return the completed process, without the prompts."""
    ended = run("-q", "-i", *words, folder=folder, typed=text, **changes)
    assert "Traceback" not in ended.stderr, ended.stderr
    ended.stderr = ended.stderr.replace(">>> ", "").replace("... ", "")
    return ended


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """Save a test's pictures in a folder of its own, and close what it leaves open."""
    from matplotlib import pyplot as plt

    import utils

    monkeypatch.setattr(utils, "figures_folder", tmp_path / "figures")
    monkeypatch.setattr(utils, "figure_numbers", itertools.count(1))
    yield tmp_path / "figures"
    plt.close("all")


@pytest.fixture
def run_here(pictures, tmp_path, monkeypatch):
    """Return a function that runs a module in this process, where Keras is imported, in a new folder."""

    def run(module, *arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [module, *map(str, arguments)])
        runpy.run_module(module, run_name="__main__")

    return run


def own_lines(text):
    """Return the lines of standard error without TensorFlow's start-up notes and Keras's notes on shortened runs."""
    # What TensorFlow logs begins with a letter and a number, or, before 2.20, with the date.
    noise = re.compile(
        r"WARNING: All log|[IWE]0\d+ |\d{4}-\d\d-\d\d \S+ [IWE] |To enable the following|  warnings.warn|  self._"
        r"|.*UserWarning: (Limiting|Your input ran out of data)"
    )
    return [line for line in text.splitlines() if line and not noise.match(line)]


@pytest.fixture(scope="session")
def model_file(tmp_path_factory):
    """The chapter's first network in a file, trained for half as long as in the chapter; once for all processes."""
    path = tmp_path_factory.getbasetemp().parent / "trained.keras"
    if not path.exists():
        import ch6_1

        ch6_1.np_utils.set_random_seed(10)
        model = ch6_1.build_model()
        model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
        model.fit(ch6_1.x_Train_norm, ch6_1.y_TrainOneHot, epochs=5, batch_size=200, verbose=0)
        own = path.with_stem(f"trained_{os.getpid()}")
        model.save(own)
        own.replace(path)
    return path


@pytest.fixture(scope="session")
def model(model_file):
    import keras

    return keras.saving.load_model(model_file)
