"""What a reader's machine can do to a script: no traceback, nothing lost."""

import io
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import keras
import pytest
from conftest import PROJECT, SHORT, environment, own_lines
from test_networks import compiled

import ch6_1
from command_line import read_options, saving, write_model

posix_only = pytest.mark.skipif(os.name != "posix", reason="signals and special files of Unix")


def start(script, *arguments, folder, **changes):
    return subprocess.Popen(
        [sys.executable, PROJECT / script, *arguments],
        cwd=folder,
        env=environment(**changes),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def read_until(process, text):
    for line in process.stdout:
        if text in line:
            return
    raise AssertionError(f"{text!r} was not printed; standard error:\n{process.stderr.read()}")


# Ctrl-C

STOPPED = "Stopping for Ctrl-C; once more ends at once, and saves nothing."


@posix_only
def test_ctrl_c_in_training(tmp_path):
    """One line, status 130, and the model under a name of its own: the older file stays."""
    (tmp_path / "m.keras").write_text("yesterday's")
    process = start("ch6_1.py", "--epochs", "1000", "--save", "m.keras", folder=tmp_path)
    read_until(process, "Epoch 3/")
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert own_lines(errors) == [STOPPED]
    assert (tmp_path / "m.keras").read_text() == "yesterday's"
    kept = [path.name for path in tmp_path.glob("*.keras") if path.name != "m.keras"]
    assert re.fullmatch(r"m_unfinished_\d{8}_\d{6}\.keras", *kept) and f"Model saved: {kept[0]}\n" in output
    assert keras.saving.load_model(tmp_path / kept[0]).count_params() == 203530


def test_ctrl_c_on_jax_and_in_the_first_step(tmp_path):
    """Keras on JAX takes the weights out of the model while it trains: they are back before it is saved."""
    pytest.importorskip("jax")
    process = start("ch7_dropout.py", "--save", "m.keras", folder=tmp_path, KERAS_BACKEND="jax")
    read_until(process, "Epoch 1/")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and own_lines(errors) == [STOPPED]
    (kept,) = tmp_path.glob("m_unfinished_*.keras")
    assert keras.saving.load_model(kept).count_params() == 795010


@pytest.fixture
def model():
    return compiled(ch6_1.build_model)


@pytest.mark.parametrize("path", [None, "m.keras"])
def test_ctrl_c_once_and_twice(path, model, tmp_path, monkeypatch, capsys):
    """Without a path the first one ends the training too; the second one ends it at once, and nothing is saved."""

    class Press(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            signal.raise_signal(signal.SIGINT)

    monkeypatch.chdir(tmp_path)
    times = 1 if path is None else 2
    x, y = ch6_1.x_Train_norm[:400], ch6_1.y_TrainOneHot[:400]
    with pytest.raises(SystemExit) as end, saving(model, path and Path(path)):
        model.fit(x, y, epochs=1000, callbacks=[Press()] * times, verbose=0)
    assert end.value.code == 130 and capsys.readouterr().err == f"\n{STOPPED}\n"
    assert os.listdir(tmp_path) == []


def test_ctrl_c_while_the_model_is_saved_does_not_lose_it(model, tmp_path, monkeypatch, capsys):
    save = model.save

    def interrupted(path):
        signal.raise_signal(signal.SIGINT)
        save(path)

    monkeypatch.setattr(keras.Model, "save", lambda self, path: interrupted(path))
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(SystemExit) as end, saving(model, tmp_path / "m.keras"):
        model.stop_training = False  # as `fit` leaves it
    assert end.value.code == 130 and capsys.readouterr().err == f"\n{STOPPED}\n"
    assert os.listdir(tmp_path) == ["m.keras"] and signal.getsignal(signal.SIGINT) is before


def test_early_stopping_is_no_ctrl_c_and_an_error_saves_nothing(model, tmp_path, capsys):
    path = tmp_path / "m.keras"
    x, y = ch6_1.x_Train_norm[:400], ch6_1.y_TrainOneHot[:400]
    with saving(model, path):
        model.fit(x, y, epochs=9, callbacks=[keras.callbacks.EarlyStopping("loss", min_delta=100)], verbose=0)
    assert len(model.history.epoch) == 2 and "Model saved" in capsys.readouterr().out
    good = path.read_bytes()
    with pytest.raises(ZeroDivisionError), saving(model, path):
        1 / 0  # noqa: B018
    assert path.read_bytes() == good and os.listdir(tmp_path) == ["m.keras"]


# Files


@posix_only
def test_two_save_at_once_and_one_is_killed(model, tmp_path):
    """Two processes write a model in the same place, again and again, and one is killed: the file is always whole."""
    path = tmp_path / "model.keras"
    code = (
        "import sys, pathlib; from ch6_1 import build_model; from command_line import write_model\n"
        "model = build_model()\n"
        "while True:\n"
        "    write_model(model, pathlib.Path('model.keras'))\n"
        "    sys.stdout.flush()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(PROJECT)),
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    for _ in range(20):
        assert process.stdout.readline() == "\t[Info] Model saved: model.keras\n"
        write_model(model, path)
        assert keras.saving.load_model(path).count_params() == 203530
    process.kill()
    process.communicate()
    assert keras.saving.load_model(path).count_params() == 203530


@posix_only
def test_a_disk_that_is_full(tmp_path, run_here, short, monkeypatch, capsys):
    """A limit on the size of a file stands for a full disk: both make writing fail half-way."""
    import resource

    (tmp_path / "model.keras").write_text("old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))
    try:
        with pytest.raises(SystemExit) as end:
            run_here("ch6_1.py", "--save", "model.keras")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    output, errors = capsys.readouterr()
    assert end.value.code == 1
    assert "Accuracy of testing data" in output and "Display Confusion Matrix" in output
    lines = errors.splitlines()
    assert sum(line.startswith("The model could not be saved as 'model.keras'") for line in lines) == 1
    assert sum(line.startswith("The figure 'figures/ch6_1/06_confusion_matrix.png' could not") for line in lines) == 1
    assert all(re.match(r"The (figure|model) .*could not be saved", line) for line in lines)
    assert (tmp_path / "model.keras").read_text() == "old"
    assert [path.name for path in tmp_path.rglob("*.keras")] == ["model.keras"]


def test_folders_deleted_during_training(tmp_path, run_here, short, monkeypatch, capsys):
    (tmp_path / "models").mkdir()
    fit = keras.Model.fit

    def fit_meanwhile(*arguments, **options):
        shutil.rmtree(tmp_path / "pictures")
        (tmp_path / "models").rmdir()
        return fit(*arguments, **options)

    monkeypatch.setattr(keras.Model, "fit", fit_meanwhile)
    run_here("ch6_1.py", "--save", "models/m.keras", "--figures", "pictures")
    output, errors = capsys.readouterr()
    assert errors == "" and "Accuracy of testing data" in output
    assert (tmp_path / "pictures/03_accuracy.png").exists() and (tmp_path / "models/m.keras").exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a folder of Linux in which nobody can make a file")
@pytest.mark.parametrize("arguments", [["--figures", "/proc"], ["--save", "/proc/model.keras"]])
def test_a_folder_that_takes_no_files(arguments, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["ch6_1.py", *arguments])
    with pytest.raises(SystemExit) as end:
        read_options("The chapter.")
    output = capsys.readouterr()
    assert end.value.code == 2 and output.out == "" and len(output.err.splitlines()) == 1
    assert f"argument {arguments[0]}: no file can be written in '/proc'" in output.err


# Where the output goes


@posix_only
def test_a_pipe_that_closes_in_training(tmp_path):
    """What was learned is kept, as after Ctrl-C."""
    process = start("ch6_1.py", "--save", "m.keras", folder=tmp_path)
    read_until(process, "Epoch 2/")
    process.stdout.close()
    errors = process.stderr.read()
    assert process.wait(timeout=60) == 1
    assert len(own_lines(errors)) == 2 and "[Info] Model saved: m_unfinished_" in own_lines(errors)[0]
    assert own_lines(errors)[1] == "Training stopped: Broken pipe"
    assert not (tmp_path / "m.keras").exists() and len(list(tmp_path.glob("m_unfinished_*.keras"))) == 1


def test_where_not_even_an_error_can_be_printed_the_model_is_kept(model, tmp_path, monkeypatch):
    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Closed())
    monkeypatch.setattr(sys, "stderr", Closed())
    with pytest.raises(BrokenPipeError), saving(model, tmp_path / "m.keras"):
        print("Epoch 1/10")
    (kept,) = tmp_path.iterdir()
    assert kept.name.startswith("m_unfinished_")


@pytest.mark.parametrize("backend", ["agg", "pdf", "svg"])
def test_backends_that_open_no_window(backend, tmp_path):
    code = "import utils\nutils.plot_image([[0] * 28] * 28)\nprint(utils.isDisplayAvl())\n"
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(PROJECT), MPLBACKEND=backend),
        capture_output=True,
        encoding="utf-8",
    )
    assert ended.stdout.splitlines()[1:] == ["False"] and ended.stderr == ""
    assert [path.name for path in tmp_path.rglob("*.png")] == ["01_digit.png"]


def test_two_runs_at_once_in_one_folder(tmp_path, run_here, short, capsys):
    from PIL import Image

    other = start("ch6_1.py", "--save", "m.keras", "--seed", "1", folder=tmp_path, **SHORT)
    read_until(other, "train data=")
    run_here("ch6_1.py", "--save", "m.keras", "--seed", "2")
    assert capsys.readouterr().err == ""
    _, errors = other.communicate(timeout=200)
    assert other.returncode == 0 and own_lines(errors) == []
    pictures = list((tmp_path / "figures/ch6_1").iterdir())
    assert len(pictures) == 7
    for path in pictures:
        with Image.open(path) as picture:
            picture.load()
    assert keras.saving.load_model(tmp_path / "m.keras").count_params() == 203530


# Other backends


def test_on_jax(tmp_path):
    """The three scripts, one after the other in one process, which starts Keras once."""
    pytest.importorskip("jax")
    scripts = ["ch6_1", "ch7_dropout", "ch6_2"]
    code = (
        f"import runpy, sys\nfor name in {scripts}:\n"
        "    sys.argv = [name, '--save', f'{name}.keras']\n    runpy.run_module(name, run_name='__main__')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(PROJECT), KERAS_BACKEND="jax", **SHORT),
        capture_output=True,
        encoding="utf-8",
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("\n3/3 - ") == ended.stdout.count("Display Confusion Matrix") == 3
    assert own_lines(ended.stderr) == []
    assert sorted(path.stem for path in tmp_path.glob("*.keras")) == sorted(scripts)
