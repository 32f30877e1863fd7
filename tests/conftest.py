"""What several test files use: the scripts run as a reader runs them, the data, the networks."""

import itertools
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))
os.environ["MPLBACKEND"] = "agg"
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # NumPy's matrix products slow down ten times when they share their cores
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")


def environment(**changes):
    """Return the environment of a reader without a display; a change to None removes a variable."""
    changed = {"DISPLAY": None, "WAYLAND_DISPLAY": None, "MPLBACKEND": None, **changes}
    kept = {name: value for name, value in os.environ.items() if name not in changed}
    return kept | {name: value for name, value in changed.items() if value is not None}


# A short run: three training steps, one epoch.
SHORT = {"KERAS_MAX_EPOCHS": "1", "KERAS_MAX_STEPS_PER_EPOCH": "3"}


def run(*words, folder, encoding="utf-8", **changes):
    """Run `python words` in `folder`, where the project can be imported, and return the completed process."""
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=folder,
        env=environment(**{"PYTHONPATH": str(PROJECT), **changes}),
        capture_output=True,
        encoding=encoding,
        timeout=280,
    )


def type_in(text, *arguments, folder, **changes):
    """Type `text` into `python -i arguments`, started in `folder`, and return the completed process."""
    ended = subprocess.run(
        [sys.executable, "-q", "-i", *arguments],
        input=text,
        cwd=folder,
        env=environment(PYTHONPATH=str(PROJECT), **changes),
        capture_output=True,
        encoding="utf-8",
        timeout=280,
    )
    assert "Traceback" not in ended.stderr, ended.stderr
    ended.stderr = ended.stderr.replace(">>> ", "").replace("... ", "")
    return ended


@pytest.fixture
def run_here(tmp_path, monkeypatch):
    """Return a function that runs a script or the replay in this process, where Keras is imported, in a new folder."""
    from matplotlib import pyplot as plt

    import utils

    def run(program, *arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [program, *map(str, arguments)])
        monkeypatch.setattr(sys, "path", sys.path[:])
        if program.endswith(".py"):
            runpy.run_path(str(PROJECT / program), run_name="__main__")
        else:
            runpy.run_module(program, run_name="__main__")

    monkeypatch.setattr(utils, "figures_folder", utils.figures_folder)
    monkeypatch.setattr(utils, "figure_numbers", itertools.count(1))
    yield run
    plt.close("all")


@pytest.fixture
def short():
    """Shorten every training in this process to three steps in one epoch, too few to be worth making graphs for."""
    import keras
    import tensorflow as tf

    keras.config.set_max_epochs(1)
    keras.config.set_max_steps_per_epoch(3)
    tf.config.run_functions_eagerly(True)
    yield
    keras.config.set_max_epochs(None)
    keras.config.set_max_steps_per_epoch(None)
    tf.config.run_functions_eagerly(False)


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
        import keras

        import ch6_1

        keras.utils.set_random_seed(10)
        model = ch6_1.build_model()
        model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
        model.fit(ch6_1.x_Train_norm, ch6_1.y_TrainOneHot, epochs=5, batch_size=200, verbose=0)
        own = path.with_stem(f"trained_{os.getpid()}")
        model.save(own)
        own.replace(path)
    return path


@pytest.fixture(scope="session")
def data():
    import mnist

    return mnist.load_data()


@pytest.fixture(scope="session")
def test_images(data):
    return data[1][0]


@pytest.fixture(scope="session")
def test_labels(data):
    return data[1][1]
