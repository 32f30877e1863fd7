"""What a reader's machine can do to a script: no traceback, nothing lost."""

import os
import re
import signal
import subprocess
import sys
import time

import keras
import pytest
from conftest import PROJECT, SHORT, environment, own_lines, run_script

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


@posix_only
@pytest.mark.parametrize("seconds", [1, 3])
def test_ctrl_c_while_it_starts(seconds, tmp_path):
    process = start("ch6_1.py", folder=tmp_path, COVERAGE_PROCESS_START=None)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert own_lines(errors) == ["Stopped by Ctrl-C."]


@posix_only
@pytest.mark.parametrize(
    "moment, options", [("Epoch 1/", ["--batch-size", "1"]), ("Making prediction", ["--epochs", "3"])]
)
def test_ctrl_c_in_any_phase(moment, options, tmp_path):
    process = start("ch6_1.py", *options, folder=tmp_path)
    read_until(process, moment)
    time.sleep(2 if "--batch-size" in options else 0)  # then it is in the midst of an epoch that takes long
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert own_lines(errors) == ["Stopped by Ctrl-C."]
    assert "48000/48000" not in output


@posix_only
def test_ctrl_c_in_training_saves_the_model(tmp_path):
    process = start("ch6_1.py", "--epochs", "1000", "--save", "so far.keras", folder=tmp_path)
    read_until(process, "Epoch 3/")
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert own_lines(errors) == ["Stopped by Ctrl-C; the model as trained so far is saved: so far.keras"]
    accuracy = float(re.findall(r"val_accuracy: ([\d.]+)", output)[-1])
    import ch6_1

    model = keras.saving.load_model(tmp_path / "so far.keras")
    _, loaded = model.evaluate(ch6_1.x_Train_norm[48000:], ch6_1.y_TrainOneHot[48000:], batch_size=12000, verbose=0)
    assert loaded == pytest.approx(accuracy, abs=1e-4)
    assert [path.name for path in tmp_path.iterdir() if path.suffix] == ["so far.keras"]


# Files


class Killed(BaseException):
    """Ends a block like a kill does, in the middle."""


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    from command_line import replaced_whole

    path = tmp_path / "model.keras"
    path.write_text("old")
    with pytest.raises(Killed), replaced_whole(path) as temporary:
        temporary.write_text("ha")
        raise Killed
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["model.keras"]
    with replaced_whole(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new" and os.listdir(tmp_path) == ["model.keras"]


@posix_only
def test_killed_while_saving_leaves_the_old_file(tmp_path):
    """A process that is killed while it writes a model over an older one, again and again."""
    code = (
        "import sys, keras, pathlib; from ch6_1 import build_model; from command_line import replaced_whole\n"
        "model = build_model()\n"
        "while True:\n"
        "    with replaced_whole(pathlib.Path('model.keras')) as temporary: model.save(temporary)\n"
        "    print('saved', flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(PROJECT)),
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    for _ in range(20):
        assert process.stdout.readline() == "saved\n"
    time.sleep(0.01)
    process.kill()
    process.communicate()
    assert keras.saving.load_model(tmp_path / "model.keras").count_params() == 203530


@posix_only
def test_a_disk_that_is_full(tmp_path):
    """A limit on the size of a file stands for a full disk: both make writing fail half-way."""
    (tmp_path / "model.keras").write_text("old")
    ended = subprocess.run(
        ["bash", "-c", 'ulimit -f 8; exec "$@"', "bash", sys.executable, PROJECT / "ch6_1.py", "--save", "model.keras"],
        cwd=tmp_path,
        env=environment(COVERAGE_PROCESS_START=None, **SHORT),
        capture_output=True,
        encoding="utf-8",
    )
    assert ended.returncode == 1
    assert "Accuracy of testing data" in ended.stdout and "Display Confusion Matrix" in ended.stdout
    lines = own_lines(ended.stderr)
    assert sum(line.startswith("The model could not be saved as 'model.keras'") for line in lines) == 1
    assert sum(line.startswith("The figure 'figures/ch6_1/confusion_matrix.png' could not") for line in lines) == 1
    assert all(re.match(r"The (figure|model) .*could not be saved", line) for line in lines)
    assert (tmp_path / "model.keras").read_text() == "old"
    assert not [path for path in tmp_path.rglob("*unfinished*")]


@posix_only
def test_folders_deleted_during_training(tmp_path):
    (tmp_path / "models").mkdir()
    process = start("ch6_1.py", "--epochs", "3", "--save", "models/m.keras", "--figures", "pictures", folder=tmp_path)
    read_until(process, "Epoch 2/")
    for path in (tmp_path / "pictures").iterdir():
        path.unlink()
    (tmp_path / "pictures").rmdir()
    (tmp_path / "models").rmdir()
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert len(own_lines(errors)) == 1 and "The model could not be saved as 'models/m.keras'" in errors
    assert "Accuracy of testing data" in output and (tmp_path / "pictures/accuracy.png").exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a folder of Linux in which nobody can make a file")
@pytest.mark.parametrize("arguments", [["--figures", "/proc"], ["--save", "/proc/model.keras"]])
def test_a_folder_that_takes_no_files(arguments, tmp_path):
    ended = run_script("ch6_1.py", *arguments, folder=tmp_path)
    assert ended.returncode == 2 and ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1 and f"{arguments[0]}: no file can be written in '/proc'" in ended.stderr


def test_a_package_that_is_not_installed(tmp_path):
    (tmp_path / "keras.py").write_text("import no_such_package")
    ended = run_script("ch6_1.py", folder=tmp_path, PYTHONPATH=str(tmp_path))
    assert ended.returncode == 1 and ended.stdout == ""
    assert ended.stderr.startswith("ch6_1.py: No module named 'no_such_package'; README.md tells how")
    assert len(ended.stderr.splitlines()) == 1


# Where the output goes


@posix_only
@pytest.mark.parametrize("moment, saved", [("Shape of train label", False), ("Epoch 2/", True)])
def test_a_pipe_that_closes_early(moment, saved, tmp_path):
    process = start("ch6_1.py", "--save", "m.keras", folder=tmp_path)
    read_until(process, moment)
    process.stdout.close()
    errors = process.stderr.read()
    process.wait(timeout=60)
    assert own_lines(errors) == []
    assert (tmp_path / "m.keras").exists() == saved


@pytest.mark.parametrize("backend", ["agg", "pdf", "svg", "tkagg", "qtagg", "webagg", "module://none", "nonsense", ""])
def test_any_backend_in_the_environment(backend, tmp_path):
    code = (
        "import os, utils\n"
        "axes = utils.plot_image([[0] * 28] * 28)\n"
        "axes.figure.savefig('digit.png')\n"
        "print(utils.is_display_available())\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(PROJECT), MPLBACKEND=backend, HOME=str(tmp_path / "nowhere")),
        capture_output=True,
        encoding="utf-8",
    )
    assert (ended.stdout, ended.stderr) == ("False\n", "")
    assert (tmp_path / "digit.png").exists()


def test_two_runs_at_once_in_one_folder(tmp_path):
    from PIL import Image

    runs = [start("ch6_1.py", "--save", "m.keras", "--seed", seed, folder=tmp_path, **SHORT) for seed in ("1", "2")]
    for run in runs:
        _, errors = run.communicate(timeout=200)
        assert run.returncode == 0 and own_lines(errors) == []
    for path in (tmp_path / "figures/ch6_1").iterdir():
        with Image.open(path) as picture:
            picture.load()
    assert keras.saving.load_model(tmp_path / "m.keras").count_params() == 203530


# Other backends


@pytest.mark.parametrize("script", ["ch6_1.py", "ch7_dropout.py", "ch6_2.py"])
def test_on_jax(script, tmp_path):
    pytest.importorskip("jax")
    ended = run_script(script, "--save", "m.keras", folder=tmp_path, KERAS_BACKEND="jax", **SHORT)
    assert ended.returncode == 0, ended.stderr
    assert "3/3 - " in ended.stdout and "Display Confusion Matrix" in ended.stdout
    assert own_lines(ended.stderr) == []
    assert (tmp_path / "m.keras").exists()
