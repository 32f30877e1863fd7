"""The scripts as a reader runs them, and the book's passages typed after them."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import keras
import nbformat
import numpy as np
import pytest
from conftest import PROJECT, SHORT, environment, own_lines, run, type_in
from nbclient import NotebookClient
from PIL import Image

import ch6_1
from command_line import prepare_folders, read_options

DRAWN = ["digit", "digits_from_0", "acc", "loss", "digits_from_240", "confusion_matrix", "digits_from_340"]
FIGURES = [f"{number:02}_{name}" for number, name in enumerate(DRAWN, start=1)]
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
    rest = iter(output.splitlines())
    for line in lines:
        assert any(re.fullmatch(line, printed) for printed in rest), f"{line} is missing or out of order in:\n{output}"


@pytest.fixture(scope="module")
def full_run(tmp_path_factory):
    """A full run of ch6_1.py, from another folder, without a display or a home folder; then lines are typed."""
    folder = tmp_path_factory.mktemp("full")
    words = [PROJECT / "ch6_1.py", "--save", "models/model.keras"]
    ended = type_in("\n".join(TYPED) + "\n", *words, folder=folder, HOME=str(folder / "nowhere"))
    assert ended.returncode == 0 and own_lines(ended.stderr) == [], ended.stderr
    return folder, *ended.stdout.split("typed:\n")


def test_a_full_run_reaches_the_chapters_accuracy_and_the_book_goes_on(full_run):
    _, printed, after_it = full_run
    check_order(printed, INFO_LINES)
    assert float(re.search(r"Accuracy of testing data = (.*)%", printed)[1]) >= 97.0
    epoch = r"^240/240 - .* - acc: 0\.\d{4} - loss: 0\.\d{4} - val_acc: 0\.\d{4} - val_loss: 0\.\d{4}$"
    assert len(re.findall(epoch, printed, re.MULTILINE)) == 10 and "Total params: 203,530 " in printed
    typed = [line for line in after_it.splitlines() if "Figure saved" not in line]
    assert typed == [result for result in TYPED.values() if result]


def test_what_a_full_run_prints_agrees_with_itself(full_run):
    (folder, printed, _), labels = full_run, ch6_1.y_test_label
    count = int(re.search(r"^\t(\d+) errors in all", printed, re.MULTILINE)[1])
    assert f"Accuracy of testing data = {np.float32(1 - count / 10000):.1%}\n" in printed
    rows = printed.split("Display Confusion Matrix:\n")[1].splitlines()[2:12]
    matrix = np.array([row.split()[1:] for row in rows], int)
    assert (matrix.sum(axis=1) == np.bincount(labels)).all() and matrix.trace() == 10000 - count
    fives = re.findall(r"^(\d+) +5 +3$", printed.split("Every 5 that was read as 3:\n")[1], re.MULTILINE)
    assert len(fives) == matrix[5, 3] and set(labels[np.int64(fives)]) == {5}
    model = keras.saving.load_model(folder / "models/model.keras")  # the saved network makes the same mistakes
    prediction = model.predict(ch6_1.x_Test_norm, batch_size=10000, verbose=0).argmax(axis=1)
    wrong = np.flatnonzero(prediction != labels)[:10]
    told = [f"\tAt {i}'th: {labels[i]} is with wrong prediction as {prediction[i]}!" for i in wrong]
    assert re.findall("\tAt .*", printed) == told


def test_the_figures_of_a_full_run(full_run):
    folder, printed, _ = full_run
    paths = re.findall(r"^\t\[Info\] Figure saved: (.*)$", printed, re.MULTILINE)
    assert paths == [str(Path("figures/ch6_1", f"{name}.png")) for name in FIGURES]
    for path in paths:
        with Image.open(folder / path) as picture:
            assert min(picture.size) > 100 and len(picture.convert("L").getcolors()) > 2


@pytest.mark.parametrize(
    "command, parameters, folder, changes",
    [
        ("ch6_1.py --units 1000", "795,010", "figures/ch6_1_units_1000", {"PYTHONIOENCODING": "cp1252"}),
        ("ch7_dropout.py --seed 3", "795,010", "figures/ch7_dropout_seed_3", {"PYTHONIOENCODING": "cp950"}),
        ("ch6_2.py --figures 圖片/today", "1,796,010", "圖片/today", {"LC_ALL": "C", "COLUMNS": "40"}),
        ("ch7_dropout.py", "795,010", "figures/ch7_dropout", {"KERAS_BACKEND": "jax"}),
    ],
)
def test_a_short_run_on_any_terminal_and_on_jax(command, parameters, folder, changes, tmp_path):
    """The other three networks, each on a terminal of another kind, that cannot show the model's name."""
    if "KERAS_BACKEND" in changes:
        pytest.importorskip("jax")
    (script, *options), name = command.split(), "手写 '数字'.keras"
    encoding = changes.get("PYTHONIOENCODING", "utf-8")
    ended = run(PROJECT / script, *options, "--save", name, folder=tmp_path, encoding=encoding, **SHORT, **changes)
    assert ended.returncode == 0, ended.stderr
    check_order(ended.stdout, INFO_LINES if script == "ch6_1.py" else LINES_OF_ALL)
    assert f"Total params: {parameters} " in ended.stdout and own_lines(ended.stderr) == []
    drawn = FIGURES if script == "ch6_1.py" else ["01_acc", "02_loss"]
    assert sorted(path.stem for path in (tmp_path / folder).iterdir()) == drawn
    assert f"{keras.saving.load_model(tmp_path / name).count_params():,}" == parameters


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ("--epochs 0", "ch6_1.py: error: --epochs must be from 1 to 4294967295, not 0"),
        ("--units many", "ch6_1.py: error: argument --units: invalid int value: 'many'"),
        ("--seed 4294967296", "ch6_1.py: error: --seed must be from 1 to 4294967295, not 4294967296"),
        ("--epoch 3", "ch6_1.py: error: unrecognized arguments: --epoch 3"),
        ("--save model.h5", "ch6_1.py: error: --save needs a name ending in .keras, not 'model.h5'"),
        ("--save folder.keras", "cannot write to 'folder.keras'"),
        ("--save file/model.keras", f"cannot write to '{Path('file/model.keras')}'"),
        (f"--save {'a' * 300}.keras", "cannot write to 'aaa"),
        ("--figures file", f"cannot write to '{Path('file/01_digit.png')}'"),
    ],
)
def test_a_wrong_option_is_one_sentence(arguments, sentence, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    (tmp_path / "folder.keras").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["ch6_1.py", *arguments.split()])
    with pytest.raises(SystemExit) as end:
        prepare_folders(read_options("The chapter.", units=256))
    output = capsys.readouterr()
    said = output.err or end.value.code
    assert output.out == "" and said.startswith(sentence) and len(said.splitlines()) == 1


@pytest.mark.parametrize("kernels", [["-f", "kernel-1.json"], ["--f=kernel-1.json"]])  # Jupyter's, and VS Code's
def test_a_script_in_a_notebook_cell_ignores_the_arguments_of_the_kernel(kernels, monkeypatch):
    monkeypatch.setattr("sys.argv", ["ipykernel_launcher.py", *kernels])
    assert read_options("The chapter.", units=256).units == 256


def test_an_older_model_is_kept_until_the_training_is_done(pictures, tmp_path, monkeypatch):
    (tmp_path / "m.keras").write_text("a good one")
    for name in ("m.keras", "new/n.keras"):
        monkeypatch.setattr("sys.argv", ["ch6_1.py", "--save", str(tmp_path / name), "--figures", str(pictures)])
        prepare_folders(read_options("The chapter."))
    assert (tmp_path / "m.keras").read_text() == "a good one"
    assert not list((tmp_path / "new").iterdir()) and not list(pictures.iterdir())


def test_help_on_any_terminal(tmp_path):
    ended = run(PROJECT / "ch6_1.py", "--help", folder=tmp_path, encoding="cp1252", PYTHONIOENCODING="cp1252")
    assert ended.returncode == 0 and "--units N" in ended.stdout and "A first neural network" in ended.stdout


@pytest.mark.skipif(os.name != "posix", reason="a signal of Unix")
def test_ctrl_c_is_pythons_own(tmp_path):
    """It ends the script at once, and nothing is saved. (Hit in the midst of a step, TensorFlow may abort.)"""
    words = [sys.executable, "-u", PROJECT / "ch6_1.py", "--epochs", "1000", "--save", "m.keras"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    process = subprocess.Popen(words, cwd=tmp_path, env=environment(), **pipes)
    while "Epoch 2/" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode != 0 and not (tmp_path / "m.keras").exists()


PASSAGES = {  # of the book, in the REPL
    "from {script} import *": None,
    "print(y_train_label[0])": "5",
    "y_TrainOneHot[:1]": "array([[0., 0., 0., 0., 0., 1., 0., 0., 0., 0.]])",
    "np_utils.to_categorical(y_train_label).shape, y_TestOneHot.shape": "((60000, 10), (10000, 10))",
    "x_Train_norm.shape, x_Test_norm.dtype, np.__name__": "((60000, 784), dtype('float32'), 'numpy')",
    "X_train_image.shape, y_test_label.shape": "((60000, 28, 28), (10000,))",
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
    "from utils import *; isDisplayAvl()": "False",
    "len(plot_images_labels_prediction(X_train_image, y_train_label, [], 0))": "10",
}


@pytest.mark.parametrize("script, parameters", [("ch6_1", 203530), ("ch7_dropout", 795010), ("ch6_2", 1796010)])
def test_import_gives_the_chapter_and_trains_nothing(script, parameters, tmp_path):
    passages = PASSAGES | (OF_CH6_1 if script == "ch6_1" else {})
    output = type_in("\n".join(passages).format(script=script) + "\n", folder=tmp_path).stdout
    expected = [result.format(parameters=parameters) for result in passages.values() if result]
    assert [line for line in output.splitlines() if "Figure saved" not in line] == expected


def test_jupyter_shows_figures_inline(tmp_path):
    """A notebook that imports, draws, runs a script, and the replay: each picture appears once, in no file."""
    cells = [
        "from ch6_1 import *",
        "for i in range(3):\n    plot_image(X_train_image[i])\nplt.plot([1, 2]); plt.gca().images",
        f"%run {json.dumps(str(PROJECT / 'ch6_1.py'))} --epochs 1",
        "prediction.shape",
        "%run -m replay",
        "prediction.shape, len(network.parameters), 'by hand' in model.name",
        f"!{sys.executable} {json.dumps(str(PROJECT / 'ch6_1.py'))} --epochs 1",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=200, kernel_name="python3").execute(env=environment(**SHORT), cwd=tmp_path)
    shown = [sum("image/png" in output.get("data", {}) for output in cell.outputs) for cell in notebook.cells]
    assert shown == [0, 4, 7, 0, 5, 0, 0]
    assert notebook.cells[3].outputs[0].data["text/plain"] == "(10000,)"
    assert notebook.cells[5].outputs[0].data["text/plain"] == "((10000,), 4, False)"
    assert sorted(path.stem for path in tmp_path.rglob("*.png")) == FIGURES  # of `!python`, which shows nothing itself
