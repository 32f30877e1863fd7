"""What the READMEs say is true: line references, errors of old lines, figures, pictures, and both say the same."""

import json
import re
import subprocess
import sys
import urllib.error
import warnings

import keras
import numpy as np
import pandas as pd
import pytest
from conftest import PROJECT, environment
from matplotlib import pyplot as plt

import ch6_1

sys.path.insert(0, str(PROJECT / "benchmarks"))
import compare
import reproduce

READMES = ["README.md", "README.zh-TW.md"]
ENGLISH, CHINESE = ((PROJECT / name).read_text(encoding="utf-8") for name in READMES)
REFERENCE = r"\[`([^`]+)`\]\((\w+\.py)#L(\d+)\)"
CODE = r"`` ?(.+?) ?``(?!`)|`([^`]+)`"
HEADINGS = [
    "下載 Mnist 資料",
    "查看訓練資料",
    "查看多筆訓練資料 images 與 labels",
    "多層感知器模型資料前處理: features",
    "多層感知器模型資料前處理: labels",
    "建立模型",
    "進行訓練",
    "建立 show_train_history 顯示訓練過程",
    "評估模型準確率",
    "進行預測",
    "顯示混淆矩陣 (Confusion matrix)",
    "建立真實與預測的 dataframe",
    "查詢 label=5, prediction=3 的資料",
    "查看第 340 筆資料",
    "隱藏層增加為 1000 個神經元",
    "多層感知器加入 DropOut 功能以避免 Overfitting",
    "建立多層感知器模型 (包含兩個 Hidden Layers)",
]


def test_every_line_reference_is_right():
    references = re.findall(REFERENCE, ENGLISH)
    assert len(references) >= 20
    assert references == re.findall(REFERENCE, CHINESE)
    for snippet, name, number in references:
        lines = (PROJECT / name).read_text(encoding="utf-8").splitlines()
        where = [i for i, line in enumerate(lines, start=1) if snippet in line]
        assert int(number) in where, f"{snippet} is on line {where} of {name}, not {number}"


@pytest.mark.parametrize("text", [ENGLISH, CHINESE], ids=READMES)
def test_every_heading_of_the_book_is_there(text):
    headings = re.findall(r"^\| ([^|]+) \| \[`.*#L\d+", text, re.MULTILINE)
    assert headings == HEADINGS


@pytest.mark.parametrize("text", [ENGLISH, CHINESE], ids=READMES)
def test_every_link_within_a_readme_has_its_heading(text):
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    links = re.findall(r"\]\(#([^)]+)\)", text)
    assert len(links) >= 4 and set(links) <= anchors


def changes(text):
    """Return the rows of the table of changes: the old line, what it says today, the new line; None for mere words."""
    rows = []
    for line in text.splitlines():
        cells = [re.fullmatch(CODE, cell.strip()) for cell in line.strip("|").split(" | ")]
        if len(cells) == 4 and cells[0] and (cells[1] or cells[2]) and "#L" not in line:
            rows.append(tuple(cell and (cell[1] or cell[2]) for cell in cells[:3]))
    return rows


CHANGES = changes(ENGLISH)
OF_CODE = [row for row in CHANGES if row[2]]


def test_both_readmes_have_the_same_changes():
    assert changes(CHINESE) == CHANGES and len(CHANGES) > 35
    assert len(CHANGES) - len(OF_CODE) == 4 and sum(row[1] is None for row in CHANGES) == 2


@pytest.fixture(scope="module")
def trained():
    """The chapter's arrays, cut to a few images, and its network, trained a little on them."""
    names = {name: getattr(ch6_1, name)[:50] for name in ("x_Train_norm", "y_TrainOneHot", "y_train_label")}
    names |= {name: getattr(ch6_1, name)[:50] for name in ("x_Test_norm", "y_TestOneHot", "y_test_label")}
    model = ch6_1.build_model()
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    train_history = model.fit(names["x_Train_norm"], names["y_TrainOneHot"], validation_split=0.2, verbose=0)
    return names | {"model": model, "train_history": train_history}


@pytest.fixture
def no_download(tmp_path, monkeypatch):
    def blocked(*arguments, **options):
        raise urllib.error.URLError("blocked")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", blocked)
    monkeypatch.setattr("keras.src.utils.file_utils.config.keras_home", lambda: str(tmp_path))


def books_show_train_history(train_history, train, validation):
    plt.plot(train_history.history[train])
    plt.plot(train_history.history[validation])


@pytest.fixture
def readers_names(trained, no_download):
    """What a reader of the book has in the interpreter, with the download blocked."""
    import tensorflow as tf

    return trained | {
        "np": np,
        "pd": pd,
        "plt": plt,
        "tf": tf,
        "K": keras.backend,
        "mnist": keras.datasets.mnist,
        "Sequential": keras.Sequential,
        "Conv2D": keras.layers.Conv2D,
        "Dense": keras.layers.Dense,
        "Dropout": keras.layers.Dropout,
        "Adam": keras.optimizers.Adam,
        "show_train_history": books_show_train_history,
        "batches": (batch for batch in [(trained["x_Train_norm"], trained["y_TrainOneHot"])] * 9),
        "y_train": trained["y_train_label"],
        "df": pd.DataFrame({"label": [5], "predict": [3]}),
    }


@pytest.mark.parametrize("old, error, new", OF_CODE, ids=lambda text: str(text)[:60])
def test_a_change_since_the_book(old, error, new, readers_names):
    def execute(line):
        names = dict(readers_names)
        if line.startswith(("to_categorical", "np_utils")) and line == new:
            names["to_categorical"] = keras.utils.to_categorical  # by the row above
        if "model.add(" in line:
            names["model"] = keras.Sequential()
        exec(line, names)

    with warnings.catch_warnings():
        warnings.simplefilter("error" if error and "Warning" in error else "ignore")
        if error is None:
            execute(old)
        else:
            with pytest.raises(Exception) as caught:
                execute(old)
            assert error in f"{type(caught.value).__name__}: {caught.value}"
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*input_dim")
        execute(new)
    plt.close("all")


def test_the_rows_turn_an_old_script_into_a_running_one(no_download, short, monkeypatch, capsys):
    """Whenever the script fails, the cure of the row with this error is applied to it, word for word."""
    monkeypatch.setattr(plt, "show", plt.close)
    text = (PROJECT / "tests/old_script.py").read_text(encoding="utf-8")
    cured = []
    while True:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                warnings.filterwarnings("error", message=".*input_dim")
                exec(text, {"__name__": "__main__"})
            break
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            row = next(row for row in OF_CODE if row[1] and row[1] in said and row[0] in text)
            text = text.replace(row[0], row[2])
            cured.append(row[0])
    assert len(cured) == len(set(cured)) >= 7
    assert "accuracy = 0." in capsys.readouterr().out

    # And the change that no error tells of.
    silent = next(row for row in OF_CODE if row[0] == "np.random.seed(10)")
    outputs = []
    for _ in range(2):
        exec(text.replace(silent[0], silent[2]), {"__name__": "__main__"})
        outputs.append(re.search(r"accuracy = (.*)", capsys.readouterr().out)[1])
    assert outputs[0] == outputs[1]


def test_helpers_are_found_in_this_folder_only(tmp_path):
    old, error, _ = next(row for row in CHANGES if row[0] == "from utils import load_mnist")
    (tmp_path / "own.py").write_text(old)
    ended = subprocess.run(
        [sys.executable, tmp_path / "own.py"], env=environment(PYTHONPATH=None), capture_output=True, encoding="utf-8"
    )
    assert ended.stderr.rstrip().endswith(error)


def test_a_file_that_keras_2_left(tmp_path):
    setting, error, _ = next(row for row in CHANGES if "theano" in row[0])
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras/keras.json").write_text(f"{{{setting}}}")
    assert json.loads(f"{{{setting}}}")
    changed = environment(HOME=str(tmp_path), USERPROFILE=str(tmp_path), KERAS_BACKEND=None)
    ended = subprocess.run([sys.executable, "-c", "import keras"], env=changed, capture_output=True, encoding="utf-8")
    assert error in ended.stderr


RESULTS = PROJECT / "benchmarks/results"


def cells(text):
    """Return the cells of every row of every Markdown table."""
    return [tuple(line[2:-2].split(" | ")) for line in text.splitlines() if line.startswith("| ")]


@pytest.mark.parametrize("text", [ENGLISH, CHINESE], ids=READMES)
def test_the_figures_are_those_that_were_measured(text):
    runs = reproduce.Results(RESULTS).runs
    rows = cells(text)
    proof = reproduce.proof_table(runs)
    for _, of_network in proof.groupby("network"):
        values = of_network.set_index("figure")
        author, replay = values["the author"], values["the replay"]
        both = [
            f"{author[figure]} / {replay[figure]}"
            for figure in ("test accuracy", *reproduce.METRICS)
            if figure in author
        ]
        row = next(row for row in rows if row[1] == both[0])
        assert sorted(cell for cell in row if " / " in cell) == sorted(both)
        ranges = values.loc["test accuracy", ["with other rounding", "with other seeds"]]
        assert [re.findall(r"[\d.]+", cell) for cell in row[2:4]] == [re.findall(r"[\d.]+", text) for text in ranges]
        for figure in values.index.difference(["test accuracy", *reproduce.METRICS]):
            row = next(row for row in rows if row[1:3] == (author[figure], replay[figure]))
            others = re.findall(r"\d+", values["with other seeds"][figure])
            cell = row[3].replace("被看成 3", "").replace("其他的 5", "")
            assert sorted(re.findall(r"\d+", cell)) == sorted(others)

    accuracies = reproduce.accuracy_table(runs)
    for network, command in zip(reproduce.NETWORKS, map(reproduce.command, reproduce.NETWORKS)):
        script, replay = (accuracies.loc[network, program] for program in ("script", "replay"))
        typed = " ".join(command).removesuffix(" --units 256")
        typed = typed.removesuffix(" --units 1000") if "ch7" in typed else typed
        row = next(row for row in rows if row[0] == f"`python {typed}`")
        at_seed_10 = proof.query("network == @network and figure == 'test accuracy'")
        assert row[2:4] == (script.book, at_seed_10["the replay"].item())
        assert re.findall(r"[\d.]+%", row[4]) == [script["mean"], script.lowest, script.highest]
        assert replay.book == script.book

    measured = reproduce.claims_table(runs)
    first = next(i for i, row in enumerate(rows) if len(row) == 3 and "1000" in row[0] and "256" in row[0])
    for row, held in zip(rows[first:], measured.itertuples(index=False)):
        assert [re.findall(r"\d+", cell)[0] for cell in row[1:]] == [cell.split()[0] for cell in held]
    assert re.search(rf"\b{len(reproduce.of_seeds(runs, 'script').seed.unique())} (seeds|個(亂數)?種子)", text)
    times = [row[1:] for row in cells(compare.overview(compare.summarize(pd.read_csv(RESULTS / "compare.csv"))))[2:]]
    assert set(times) <= {row[1:] for row in rows}


def test_the_tables_of_the_benchmarks_are_those_that_were_measured():
    text = (PROJECT / "benchmarks/README.md").read_text(encoding="utf-8")
    measured = pd.read_csv(RESULTS / "compare.csv")
    summary = compare.summarize(measured)
    for table in reproduce.tables(reproduce.Results(RESULTS).runs):
        assert table in text
    for table in [*compare.details(summary), compare.as_markdown(compare.targets_table(measured))]:
        assert table in text


def test_every_picture_is_there_and_is_described():
    pictures = [re.findall(r"!\[(.*?)\]\((.*?)\)", text) for text in (ENGLISH, CHINESE)]
    assert [path for _, path in pictures[0]] == [path for _, path in pictures[1]]
    for alternative, path in pictures[0] + pictures[1]:
        assert (PROJECT / path).stat().st_size < 200_000 and len(alternative) >= 10


def test_both_readmes_have_the_same_parts():
    headings = [re.findall(r"^(#+) ", text, re.MULTILINE) for text in (ENGLISH, CHINESE)]
    assert headings[0] == headings[1]
    commands = [
        re.findall(r"^```(?:bash|bat)\n(.*?)\n```", text, re.MULTILINE | re.DOTALL) for text in (ENGLISH, CHINESE)
    ]
    assert commands[0] == commands[1]
    assert commands[0][0].endswith("ch6_1.py") and any(command.endswith("python -m pytest") for command in commands[0])
    assert "](README.zh-TW.md)" in ENGLISH and "](README.md)" in CHINESE
    explorations = [re.findall(r"^\| `(\w+)\(", text, re.MULTILINE) for text in (ENGLISH, CHINESE)]
    assert explorations[0] == explorations[1]
