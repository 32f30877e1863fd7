"""The scripts as a reader runs them: what they print, what they save, what they refuse."""

import re
import string

import numpy as np
import pytest
from conftest import PROJECT, SHORT, own_lines, run_script, type_in
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from command_line import read_options

FIGURES = [
    "01_digit", "02_digits_from_0", "03_accuracy", "04_loss", "05_digits_from_240", "06_confusion_matrix",
    "07_digits_from_340",
]  # fmt: skip
INFO_LINES = [  # in the chapter's order and form, as regular expressions
    r"\t\[Info\] train data= 60,000",
    r"\t\[Info\] test  data= 10,000",
    r"\t\[Info\] Shape of train data=\(60000, 28, 28\)",
    r"\t\[Info\] Shape of train label=\(60000,\)",
    r"\t\[Info\] xTrain: \(60000, 784\)",
    r"\t\[Info\] xTest: \(10000, 784\)",
    r"\t\[Info\] Model summary:",
    r"\t\[Info\] Accuracy of testing data = \d+\.\d%",
    r"\t\[Info\] Accuracy in the book = \d+\.\d%",
    r"\t\[Info\] Making prediction to x_Test_norm",
    r"\t\[Info\] Show 10 prediction result \(From 240\):",
    r"\[\d( \d){9}\]",
    r"\t\[Info\] Error analysis:",
    r"\tAt \d+'th: \d is with wrong prediction as \d!",
    r"\t\[Info\] Display Confusion Matrix:",
]


TYPED = {  # the book's queries and what they give, once the script has run
    "print('typed:')": None,
    "df[:2].label.tolist()": "[7, 2]",
    "fives = np.flatnonzero((y_test_label == 5) & (prediction == 3))": None,
    "set(df[(df.label == 5) & (df.predict == 3)].index) == set(fives)": "True",
    "pd.crosstab(y_test_label, prediction, rownames=['label'], colnames=['predict']).to_numpy().sum().item()": "10000",
    "len(plot_images_labels_predict(X_test_image, y_test_label, prediction, idx=340, num=1))": "1",
    "bool(round(scores[1], 4) == round((prediction == y_test_label).mean(), 4))": "True",
    "show_train_history(train_history, 'acc', 'val_acc').get_ylabel()": "'acc'",
    "model.count_params()": "203530",
}

LINES_OF_ALL = [line for line in INFO_LINES if re.search("Model|Accuracy of|Making|Confusion", line)]


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
    arguments = [PROJECT / "ch6_1.py", "--save", "model.keras"]
    ended = type_in("\n".join(TYPED) + "\n", *arguments, folder=folder, HOME=str(folder / "nowhere"))
    assert ended.returncode == 0, ended.stderr
    return folder, ended


def test_a_full_run_reaches_the_chapters_accuracy(full_run):
    _, ended = full_run
    check_order(ended.stdout, INFO_LINES)
    accuracy = float(re.search(r"Accuracy of testing data = (.*)%", ended.stdout)[1])
    assert accuracy >= 97.0
    assert len(re.findall(r"^240/240 - .*val_accuracy: ", ended.stdout, re.MULTILINE)) == 10
    assert "Total params: 203,530 " in ended.stdout and "Accuracy in the book = 97.6%\n" in ended.stdout
    assert own_lines(ended.stderr) == []


def test_the_book_after_a_run(full_run):
    """It leaves everything to explore, and the book's queries work on it."""
    _, ended = full_run
    typed = [line for line in ended.stdout.split("typed:\n")[1].splitlines() if "Figure saved" not in line]
    assert typed == [result for result in TYPED.values() if result]


def test_what_a_full_run_prints_agrees_with_itself(full_run, test_labels):
    _, ended = full_run
    errors = re.findall(r"^\tAt (\d+)'th: (\d) is with wrong prediction as (\d)!$", ended.stdout, re.MULTILINE)
    assert len(errors) == 10 and all(test_labels[int(i)] == int(label) for i, label, _ in errors)
    count = int(re.search(r"^\t(\d+) errors in all", ended.stdout, re.MULTILINE)[1])
    accuracy = float(re.search(r"Accuracy of testing data = (.*)%", ended.stdout)[1])
    assert f"{(10000 - count) / 100:.1f}" == f"{accuracy:.1f}"
    matrix_text = ended.stdout.split("Display Confusion Matrix:\n")[1].splitlines()[2:12]
    matrix = np.array([line.split()[1:] for line in matrix_text], int)
    assert (matrix.sum(axis=1) == np.bincount(test_labels)).all()
    assert matrix.trace() == 10000 - count
    fives = ended.stdout.split("Every 5 that was read as 3:\n")[1].splitlines()
    rows = [line.split()[0] for line in fives if re.fullmatch(r"\d+ +5 +3", line)]
    assert len(rows) == matrix[5, 3] and set(test_labels[np.int64(rows)]) == {5}


def test_the_figures_of_a_full_run(full_run):
    from PIL import Image

    folder, ended = full_run
    printed = re.findall(r"^\t\[Info\] Figure saved: (.*)$", ended.stdout.split("typed:")[0], re.MULTILINE)
    assert [re.fullmatch(r"figures[/\\]ch6_1[/\\](\w+)\.png", path)[1] for path in printed] == FIGURES
    for path in printed:
        with Image.open(folder / path) as picture:
            assert min(picture.size) > 100 and len(picture.convert("L").getcolors()) > 2


def test_the_saved_model_predicts_the_same(full_run, test_images, test_labels):
    import keras

    folder, ended = full_run
    model = keras.saving.load_model(folder / "model.keras")
    rows = test_images.reshape(10000, 784).astype("float32") / 255
    prediction = model.predict(rows, batch_size=10000, verbose=0).argmax(axis=1)
    wrong = np.flatnonzero(prediction != test_labels)[:10]
    printed = re.findall(r"^\tAt (\d+)'th: (\d) is with wrong prediction as (\d)!$", ended.stdout, re.MULTILINE)
    assert [(str(i), str(test_labels[i]), str(prediction[i])) for i in wrong] == printed


@pytest.mark.parametrize(
    "script, options, parameters, accuracy, last_epoch, terminal",
    [
        ("ch6_1.py", ["--units", "1000"], "795,010", "97.9%", "0.9993", {"PYTHONIOENCODING": "cp1252"}),
        ("ch7_dropout.py", [], "795,010", "98.0%", "0.9882", {"PYTHONIOENCODING": "cp950", "COLUMNS": "40"}),
        ("ch6_2.py", [], "1,796,010", "97.9%", "0.9828", {"LC_ALL": "C"}),
    ],
    ids=["1000 units, cp1252", "dropout, cp950, 40 columns", "two layers, LC_ALL=C"],
)
def test_a_short_run_on_any_terminal(script, options, parameters, accuracy, last_epoch, terminal, tmp_path):
    """The other three networks, each on a terminal of another kind, with names that it can show."""
    import keras

    encoding = terminal.get("PYTHONIOENCODING", "utf-8")
    folder, file = ("à 'la/of today", "ç.keras") if encoding == "cp1252" else ('圖 "片"/of today', "手寫 '數字'.keras")
    arguments = [script, *options, "--figures", folder, "--save", file]
    ended = run_script(*arguments, folder=tmp_path, encoding=encoding, **SHORT, **terminal)
    assert ended.returncode == 0, ended.stderr
    check_order(ended.stdout, INFO_LINES if script == "ch6_1.py" else LINES_OF_ALL)
    assert f"Total params: {parameters} " in ended.stdout
    assert f"Accuracy in the book = {accuracy}\n" in ended.stdout
    epoch = re.search(r"^3/3 - .*?(accuracy: .*)$\n(^\t.*\n)?^The book's last epoch: (.*)$", ended.stdout, re.MULTILINE)
    assert re.sub(r"\d\.\d{4}", "", epoch[1]) == re.sub(r"\d\.\d{4}", "", epoch[3])
    assert epoch[3].startswith(f"accuracy: {last_epoch} - ")
    assert own_lines(ended.stderr) == []
    drawn = FIGURES if script == "ch6_1.py" else ["01_accuracy", "02_loss"]
    assert sorted(path.stem for path in (tmp_path / folder).glob("*.png")) == drawn
    assert f"{keras.saving.load_model(tmp_path / file).count_params():,}" == parameters
    summary = ended.stdout.split("Model summary:\n")[1].split("3/3 - ")[0]
    assert "?" not in summary
    if "COLUMNS" in terminal:
        assert max(map(len, summary.splitlines())) <= 40
    else:
        assert re.search(r"dense \(Dense\) .*\(None, 1000\) .*785,000", summary), summary


@pytest.mark.parametrize("options", [["--units", "50"], ["--epochs", "2"], ["--batch-size", "100"]])
def test_nothing_is_said_of_the_book_for_other_settings(options, run_here, short, capsys):
    run_here("ch7_dropout.py", *options)
    output = capsys.readouterr().out
    assert "Display Confusion Matrix" in output and "book" not in output


@pytest.mark.parametrize(
    "arguments, named",
    [
        (["--epochs", "0"], "--epochs"),
        (["--batch-size", "-3"], "--batch-size"),
        (["--units", "many"], "--units"),
        (["--units", "256.5"], "--units"),
        (["--units", "10001"], "--units"),
        (["--seed=-1"], "--seed"),
        (["--seed", "4294967296"], "--seed"),
        (["--epochs", "9" * 5000], "--epochs"),
        (["--unit", "5"], "--unit"),
        (["--no-such-option"], "--no-such-option"),
        (["epochs"], "epochs"),
        (["--save", "model.h5"], "a file name that ends in .keras"),
        (["--save", ""], "a file name that ends in .keras"),
        (["--save", "no such folder/model.keras"], "in a folder that exists"),
        (["--save", "folder.keras"], "a file name that ends in .keras"),
        (["--figures", "file"], "--figures"),
        (["--figures", "file/below"], "--figures"),
        (["--figures", "x" * 300], "--figures"),
    ],
)
def test_a_wrong_option_is_one_line_and_status_2(arguments, named, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    (tmp_path / "folder.keras").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["ch6_1.py", *arguments])
    with pytest.raises(SystemExit) as end:
        read_options("The chapter.", units=256)
    output = capsys.readouterr()
    assert end.value.code == 2 and output.out == ""
    assert len(output.err.splitlines()) == 1 and named in output.err


@pytest.mark.parametrize(
    "script, arguments, named",
    [
        ("ch6_1.py", ["--epochs", "0"], "--epochs"),
        ("ch7_dropout.py", ["--save", "model.h5"], "a file name that ends in .keras"),
        ("ch6_2.py", ["--units", "5"], "--units"),  # there is no one layer to size
    ],
)
def test_a_script_refuses_before_it_prints_anything(script, arguments, named, run_here, capsys):
    with pytest.raises(SystemExit) as end:
        run_here(script, *arguments)
    output = capsys.readouterr()
    assert end.value.code == 2 and output.out == ""
    assert len(output.err.splitlines()) == 1 and named in output.err


def test_a_refusal_in_a_process_of_its_own(tmp_path):
    ended = run_script("ch6_2.py", "--epochs", "0", folder=tmp_path)
    assert ended.returncode == 2 and ended.stdout == ""
    assert len(own_lines(ended.stderr)) == 1 and "--epochs" in ended.stderr


@pytest.mark.parametrize("script", ["ch6_1.py", "ch7_dropout.py", "ch6_2.py"])
def test_help_names_every_option_with_its_default(script, run_here, capsys):
    with pytest.raises(SystemExit) as end:
        run_here(script, "--help")
    output = capsys.readouterr()
    assert end.value.code == 0 and output.err == ""
    text = " ".join(output.out.split())
    for option in ("--epochs", "--batch-size", "--seed", "--figures", "--save"):
        assert re.search(rf"{option}( [\w.]+)? [^-].*?\(default: ", text), option
    for default in ("(default: 10)", "(default: 200)"):
        assert default in text
    assert ("--units" in text) == (script != "ch6_2.py")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_text_as_an_option_ends_in_one_line(tmp_path_factory, monkeypatch, capsys, data):
    monkeypatch.chdir(tmp_path_factory.mktemp("options"))
    text = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=20)
    text |= st.text(string.ascii_letters + string.digits + string.punctuation + " ", max_size=300)
    option = data.draw(st.sampled_from(["--epochs", "--batch-size", "--seed", "--units", "--save", "--figures", ""]))
    monkeypatch.setattr("sys.argv", ["ch6_1.py", *([option] if option else []), data.draw(text)])
    capsys.readouterr()
    try:
        options = read_options("The chapter.", units=256)
    except SystemExit as end:
        output = capsys.readouterr()
        assert end.code in (0, 2)
        if end.code == 2:
            assert len(output.err.rstrip("\n").split("\n")) == 1 and output.out == ""
    else:
        assert options.epochs >= 1 and options.units >= 1
