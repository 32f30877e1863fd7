"""The scripts as a reader runs them, and the book's passages typed after them."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from conftest import PROJECT, SHORT, environment, own_lines, run, type_in

import ch6_1
from command_line import read_options, save_model

FIGURES = """01_digit
02_digits_from_0
03_acc
04_loss
05_digits_from_240
06_confusion_matrix
07_digits_from_340""".splitlines()
# What is printed, in the chapter's order and form, as regular expressions.
INFO_LINES = r"""	\[Info\] train data= 60,000
	\[Info\] test  data= 10,000
	\[Info\] Shape of train data=\(60000, 28, 28\)
	\[Info\] Shape of train label=\(60000,\)
	\[Info\] xTrain: \(60000, 784\)
	\[Info\] xTest: \(10000, 784\)
	\[Info\] Model summary:
	\[Info\] Accuracy of testing data = \d+\.\d%
	\[Info\] Making prediction to x_Test_norm
	\[Info\] Show 10 prediction result \(From 240\):
\[\d( \d){9}\]
	\[Info\] Error analysis:
	At \d+'th: \d is with wrong prediction as \d!
	\[Info\] Display Confusion Matrix:""".splitlines()
LINES_OF_ALL = [line for line in INFO_LINES if re.search("Model|Accuracy of|Making|Confusion", line)]
TYPED = {  # the book's lines and what they give, once the script has run
    "print('typed:')": None,
    "df[:2].label.tolist()": "[7, 2]",
    "fives = np.flatnonzero((y_test_label == 5) & (prediction == 3))": None,
    "set(df[(df.label == 5) & (df.predict == 3)].index) == set(fives)": "True",
    "pd.crosstab(y_test_label, prediction, rownames=['label'], colnames=['predict']).to_numpy().sum().item()": "10000",
    "len(plot_images_labels_predict(X_test_image, y_test_label, prediction, idx=340, num=1))": "1",
    "bool(round(scores[1], 4) == round((prediction == y_test_label).mean(), 4))": "True",
    "show_train_history(train_history, 'acc', 'val_acc').get_ylabel()": "'acc'",
    "len(train_history.history['acc']), model.count_params(), probabilities.shape": "(10, 203530, (10000, 10))",
}


def check_order(output, lines):
    """Check that each line of the chapter is printed, in its order and form."""
    place = 0
    for line in lines:
        found = re.compile(f"^{line}$", re.MULTILINE).search(output, place)
        assert found, f"{line} is missing or out of order in:\n{output}"
        place = found.end()


@pytest.fixture(scope="module")
def full_run(tmp_path_factory):
    """A full run of ch6_1.py, from another folder, without a display or a home folder; then lines are typed."""
    folder = tmp_path_factory.mktemp("full")
    arguments = [PROJECT / "ch6_1.py", "--save", "models/model.keras"]
    ended = type_in("\n".join(TYPED) + "\n", *arguments, folder=folder, HOME=str(folder / "nowhere"))
    assert ended.returncode == 0, ended.stderr
    return folder, ended


def test_a_full_run_reaches_the_chapters_accuracy(full_run):
    _, ended = full_run
    check_order(ended.stdout, INFO_LINES)
    assert float(re.search(r"Accuracy of testing data = (.*)%", ended.stdout)[1]) >= 97.0
    epoch = r"^240/240 - .* - acc: 0\.\d{4} - loss: 0\.\d{4} - val_acc: 0\.\d{4} - val_loss: 0\.\d{4}$"
    assert len(re.findall(epoch, ended.stdout, re.MULTILINE)) == 10
    assert "Total params: 203,530 " in ended.stdout and own_lines(ended.stderr) == []


def test_the_book_after_a_run(full_run):
    _, ended = full_run
    typed = [line for line in ended.stdout.split("typed:\n")[1].splitlines() if "Figure saved" not in line]
    assert typed == [result for result in TYPED.values() if result]


def test_what_a_full_run_prints_agrees_with_itself(full_run, test_labels, test_images):
    folder, ended = full_run
    printed = re.findall(r"^\tAt (\d+)'th: (\d) is with wrong prediction as (\d)!$", ended.stdout, re.MULTILINE)
    count = int(re.search(r"^\t(\d+) errors in all", ended.stdout, re.MULTILINE)[1])
    accuracy = float(re.search(r"Accuracy of testing data = (.*)%", ended.stdout)[1])
    assert f"{(10000 - count) / 100:.1f}" == f"{accuracy:.1f}"
    matrix_text = ended.stdout.split("Display Confusion Matrix:\n")[1].splitlines()[2:12]
    matrix = np.array([line.split()[1:] for line in matrix_text], int)
    assert (matrix.sum(axis=1) == np.bincount(test_labels)).all() and matrix.trace() == 10000 - count
    fives = ended.stdout.split("Every 5 that was read as 3:\n")[1].splitlines()
    rows = [line.split()[0] for line in fives if re.fullmatch(r"\d+ +5 +3", line)]
    assert len(rows) == matrix[5, 3] and set(test_labels[np.int64(rows)]) == {5}
    model = keras.saving.load_model(folder / "models/model.keras")  # the saved network makes the same mistakes
    prediction = model.predict(ch6_1.x_Test_norm, batch_size=10000, verbose=0).argmax(axis=1)
    wrong = np.flatnonzero(prediction != test_labels)[:10]
    assert [(str(i), str(test_labels[i]), str(prediction[i])) for i in wrong] == printed


def test_the_figures_of_a_full_run(full_run):
    from PIL import Image

    folder, ended = full_run
    printed = re.findall(r"^\t\[Info\] Figure saved: (.*)$", ended.stdout.split("typed:")[0], re.MULTILINE)
    assert printed == [str(Path("figures/ch6_1", f"{name}.png")) for name in FIGURES]
    for path in printed:
        with Image.open(folder / path) as picture:
            assert min(picture.size) > 100 and len(picture.convert("L").getcolors()) > 2


@pytest.mark.parametrize(
    "script, options, parameters, folder, terminal",
    [
        ("ch6_1.py", ["--units", "1000"], "795,010", "ch6_1_units_1000", {"PYTHONIOENCODING": "cp1252"}),
        (
            "ch7_dropout.py",
            ["--seed", "3"],
            "795,010",
            "ch7_dropout_seed_3",
            {"PYTHONIOENCODING": "cp950", "COLUMNS": "40"},
        ),
        ("ch6_2.py", [], "1,796,010", "ch6_2", {"LC_ALL": "C"}),
    ],
    ids=["1000 units, cp1252", "dropout, cp950, 40 columns", "two layers, LC_ALL=C"],
)
def test_a_short_run_on_any_terminal(script, options, parameters, folder, terminal, tmp_path):
    """The other three networks, each on a terminal of another kind, that cannot show the model's name."""
    encoding = terminal.get("PYTHONIOENCODING", "utf-8")
    name = "手写 '数字'.keras"
    ended = run(PROJECT / script, *options, "--save", name, folder=tmp_path, encoding=encoding, **SHORT, **terminal)
    assert ended.returncode == 0, ended.stderr
    check_order(ended.stdout, INFO_LINES if script == "ch6_1.py" else LINES_OF_ALL)
    assert f"Total params: {parameters} " in ended.stdout and own_lines(ended.stderr) == []
    drawn = FIGURES if script == "ch6_1.py" else ["01_acc", "02_loss"]
    assert sorted(path.stem for path in (tmp_path / "figures" / folder).iterdir()) == drawn
    assert f"{keras.saving.load_model(tmp_path / name).count_params():,}" == parameters


# Options


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["--epochs", "0"], "argument --epochs: must be a whole number of at least 1, not '0'"),
        (["--batch-size", "-3"], "argument --batch-size: must be a whole number of at least 1, not '-3'"),
        (["--units", "many"], "argument --units: must be a whole number of at least 1, not 'many'"),
        (["--units", "256.5"], "argument --units: must be"),
        (["--seed=-1"], "--seed must be from 0 to 4294967295, not -1"),
        (["--no-such-option"], "unrecognized arguments: --no-such-option"),
        (["--save", "model.h5"], "--save takes a file name that ends in .keras, not 'model.h5'"),
        (["--save", "folder.keras"], "--save takes a file name that ends in .keras, not 'folder.keras'"),
        (["--save", "file/model.keras"], "no file can be written in 'file'"),
        (["--figures", "file"], "no file can be written in 'file'"),
        (["--figures", "x" * 300], "no file can be written in 'xxx"),
    ],
)
def test_a_wrong_option_is_one_line_and_status_2(arguments, sentence, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    (tmp_path / "folder.keras").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["ch6_1.py", *arguments])
    with pytest.raises(SystemExit) as end:
        read_options("The chapter.", units=256)
    output = capsys.readouterr()
    assert end.value.code == 2 and output.out == ""
    assert output.err.startswith(f"ch6_1.py: error: {sentence}") and len(output.err.splitlines()) == 1


def test_a_script_refuses_before_it_prints_anything(tmp_path):
    """And it names a setting of the home folder that would spoil the training."""
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras/keras.json").write_text('{"floatx": "float16"}')
    ended = run(PROJECT / "ch6_2.py", folder=tmp_path, HOME=str(tmp_path), USERPROFILE=str(tmp_path))
    assert ended.returncode == 2 and ended.stdout == ""
    (line,) = own_lines(ended.stderr)
    assert line.startswith("ch6_2.py: error: keras.json in the folder .keras of your home folder changes floatx")


def test_help_on_any_terminal(tmp_path):
    ended = run(PROJECT / "ch6_1.py", "--help", folder=tmp_path, encoding="cp1252", PYTHONIOENCODING="cp1252")
    assert ended.returncode == 0 and "--units N" in ended.stdout and "Script 1 of 3" in ended.stdout


def test_figures_open_no_window_and_go_where_they_are_sent(run_here, short, tmp_path, capsys):
    run_here("ch7_dropout.py", "--units", "5", "--figures", "圖 片/of today")
    assert sorted(path.name for path in (tmp_path / "圖 片/of today").iterdir()) == ["01_acc.png", "02_loss.png"]
    assert f"Figure saved: {Path('圖 片/of today/01_acc.png')}\n" in capsys.readouterr().out


def test_a_saved_model_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "m.keras"
    path.write_text("a good one")
    model = ch6_1.build_model(5)

    def fails_half_way(path):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(model, "save", fails_half_way)
        with pytest.raises(OSError, match="No space left"):
            save_model(model, path)
    assert path.read_text() == "a good one" and os.listdir(tmp_path) == ["m.keras"]
    save_model(model, path)
    assert keras.saving.load_model(path).count_params() == model.count_params() and os.listdir(tmp_path) == ["m.keras"]


@pytest.mark.skipif(os.name != "posix", reason="a signal of Unix")
def test_ctrl_c_is_pythons_own(tmp_path):
    """It ends the script at once, and nothing is saved. (Hit in the midst of a step, TensorFlow may abort.)"""
    words = [sys.executable, "-u", PROJECT / "ch6_1.py", "--epochs", "1000", "--save", "m.keras"]
    process = subprocess.Popen(
        words, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    )
    while "Epoch 2/" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode != 0 and not (tmp_path / "m.keras").exists()


def test_on_jax(tmp_path):
    pytest.importorskip("jax")
    ended = run(PROJECT / "ch7_dropout.py", "--save", "m.keras", folder=tmp_path, KERAS_BACKEND="jax", **SHORT)
    assert ended.returncode == 0 and own_lines(ended.stderr) == []
    check_order(ended.stdout, LINES_OF_ALL)
    assert (tmp_path / "m.keras").exists()


# The book's passages in the REPL and in notebooks

PASSAGES = {
    "from {script} import *": None,
    "print(y_train_label[0])": "5",
    "y_TrainOneHot[:1]": "array([[0., 0., 0., 0., 0., 1., 0., 0., 0., 0.]])",
    "np_utils.to_categorical(y_train_label).shape, x_Train_norm.shape, x_Test_norm.dtype": (
        "((60000, 10), (60000, 784), dtype('float32'))"
    ),
    "X_train_image.shape, y_test_label.shape, y_TestOneHot.shape, np.__name__, pd.__name__": (
        "((60000, 28, 28), (10000,), (10000, 10), 'numpy', 'pandas')"
    ),
    "model = Sequential()": None,
    "model.add(Dense(units=256, input_dim=784, kernel_initializer='normal', activation='relu'))": None,
    "model.add(Dense(units=10, kernel_initializer='normal', activation='softmax')); model.count_params()": "203530",
    "model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])": None,
    "build_model().count_params()": "{parameters}",
}
OF_CH6_1 = {
    "x_Train.shape, x_Test.max().item()": "((60000, 784), 255.0)",
    "plot_image(X_train_image[0]).figure.get_size_inches()": "array([2., 2.])",
    "len(plot_images_labels_predict(X_train_image, y_train_label, [], 0, 10))": "10",
    "from utils import *; len(plot_images_labels_prediction(X_train_image, y_train_label, [], 0)), isDisplayAvl()": (
        "(10, False)"
    ),
}


@pytest.mark.parametrize(
    "script, parameters, more", [("ch6_1", 203530, OF_CH6_1), ("ch7_dropout", 795010, {}), ("ch6_2", 1796010, {})]
)
def test_import_gives_the_chapter_and_trains_nothing(script, parameters, more, tmp_path):
    passages = {**PASSAGES, **more}
    typed = "\n".join(passages).format(script=script) + "\n"
    output = type_in(typed, folder=tmp_path).stdout
    expected = [result.format(parameters=parameters) for result in passages.values() if result]
    assert [line for line in output.splitlines() if "Figure saved" not in line] == expected


def test_jupyter_shows_figures_inline(tmp_path, monkeypatch):
    """A notebook that imports, draws, runs a script, and the replay: each picture appears once, in no file."""
    import nbformat
    from nbclient import NotebookClient

    for name, value in SHORT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MPLBACKEND", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    cells = [
        "from ch6_1 import *",
        "for i in range(3):\n    plot_image(X_train_image[i])\nplt.plot([1, 2]); plt.gca().images",
        f"%run {json.dumps(str(PROJECT / 'ch6_1.py'))} --epochs 1",
        "prediction.shape",
        "%run -m replay",
        "prediction.shape, len(network.layers), 'by hand' in model.name",
        f"!{sys.executable} {json.dumps(str(PROJECT / 'ch6_1.py'))} --epochs 1",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=200, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()

    def pictures(cell):
        return sum("image/png" in output.get("data", {}) for output in cell.outputs)

    assert [pictures(cell) for cell in notebook.cells] == [0, 4, 7, 0, 5, 0, 0]
    assert notebook.cells[3].outputs[0].data["text/plain"] == "(10000,)"
    assert notebook.cells[5].outputs[0].data["text/plain"] == "((10000,), 3, False)"
    assert sorted(path.stem for path in tmp_path.rglob("*.png")) == FIGURES  # of `!python`, which shows nothing itself
