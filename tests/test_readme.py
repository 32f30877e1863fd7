"""What the READMEs say is true: line references, errors of old lines, figures, pictures, and both say the same."""

import itertools
import re
import sys
import urllib.error
import warnings

import keras
import numpy as np
import pandas as pd
import pytest
from conftest import PROJECT

import ch6_1

sys.path.insert(0, str(PROJECT / "benchmarks"))
import compare
import reproduce

READMES = ["README.md", "README.zh-TW.md"]
ENGLISH, CHINESE = ((PROJECT / name).read_text(encoding="utf-8") for name in READMES)
REFERENCE = r"\[`([^`]+)`\]\((\w+\.py)#L(\d+)\)"
CODE = r"`` ?(.+?) ?``(?!`)|`([^`]+)`"


def test_every_line_reference_is_right():
    references = re.findall(REFERENCE, ENGLISH)
    assert len(references) >= 20
    assert references == re.findall(REFERENCE, CHINESE)
    for snippet, name, number in references:
        lines = (PROJECT / name).read_text(encoding="utf-8").splitlines()
        where = [i for i, line in enumerate(lines, start=1) if snippet in line]
        assert int(number) in where, f"{snippet} is on line {where} of {name}, not {number}"


@pytest.mark.parametrize("text", [ENGLISH, CHINESE], ids=READMES)
def test_every_step_of_the_chapter_is_there(text):
    steps = re.findall(r"^\| ([67]\.\d+) \|.*#L\d+", text, re.MULTILINE)
    assert steps == [f"6.{i}" for i in range(1, 8)] + [f"7.{i}" for i in range(1, 13)]


def changes(text):
    """Return the rows of the table of changes: the old line, its error, the new line."""
    rows = []
    for line in text.splitlines():
        codes = [one or other for one, other in re.findall(CODE, line)]
        if line.startswith("| `") and len(codes) >= 3 and re.match(r"\w*(Error|Exception|Warning)\b|got an", codes[1]):
            rows.append(tuple(codes[:3]))
    return rows


def test_both_readmes_have_the_same_changes():
    assert changes(ENGLISH) == changes(CHINESE) and len(changes(ENGLISH)) > 25


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
def readers_names(trained, tmp_path, monkeypatch):
    """What a reader of the book has in the interpreter, with the download blocked."""
    monkeypatch.chdir(tmp_path)

    def blocked(*arguments, **options):
        raise urllib.error.URLError("blocked")

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", blocked)
    monkeypatch.setattr("keras.src.utils.file_utils.config.keras_home", lambda: str(tmp_path))
    import tensorflow as tf

    return trained | {
        "np": np,
        "pd": pd,
        "tf": tf,
        "keras": keras,
        "K": keras.backend,
        "Sequential": keras.Sequential,
        "Dense": keras.layers.Dense,
        "Dropout": keras.layers.Dropout,
        "Adam": keras.optimizers.Adam,
        "batches": (batch for batch in itertools.repeat((trained["x_Train_norm"], trained["y_TrainOneHot"]))),
        "df": pd.DataFrame({"label": [5], "predict": [3]}),
    }


@pytest.mark.parametrize("old, error, new", changes(ENGLISH), ids=lambda text: text[:60])
def test_a_change_since_the_book(old, error, new, readers_names):
    with warnings.catch_warnings():
        warnings.simplefilter("error" if "Warning" in error else "ignore")
        with pytest.raises(Exception) as caught:
            exec(old, dict(readers_names))
    assert error in f"{type(caught.value).__name__}: {caught.value}"
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*input_dim")
        exec(new, dict(readers_names))


RESULTS = PROJECT / "benchmarks/results"


@pytest.mark.parametrize("text", [ENGLISH, CHINESE], ids=READMES)
def test_the_figures_are_those_that_were_measured(text):
    runs = pd.read_csv(RESULTS / "reproduce_runs.csv")
    accuracies = re.findall(r"\| (\S+%) \| (\S+%) \((\S+%) \w+ (\S+%)\) \|$", text, re.MULTILINE)
    table = reproduce.accuracy_table(runs)
    books = [f"{float(book.rstrip('%')):.1f}%" for book in table.book]
    assert accuracies == list(zip(books, table["mean"], table.lowest, table.highest))
    claims = re.findall(r"^\| (.*) \| (?:(\d+) of 20 seeds|20 次中有 (\d+) 次) \|$", text, re.MULTILINE)
    measured = reproduce.claims_table(runs)["held with"]
    assert [int(english or chinese) for _, english, chinese in claims] == [int(held.split()[0]) for held in measured]
    assert text is CHINESE or [claim for claim, _, _ in claims] == list(measured.index)
    assert runs.groupby("variant").seed.nunique().eq(20).all()
    times = compare.overview(compare.summarize(pd.read_csv(RESULTS / "compare.csv"))).splitlines()[2:]
    assert "\n".join(row.partition(" | ")[2] for row in times) in re.sub(r"^\| [^|]* \| ", "", text, flags=re.MULTILINE)


def test_the_tables_of_the_benchmarks_are_those_that_were_measured():
    text = (PROJECT / "benchmarks/README.md").read_text(encoding="utf-8")
    measured = pd.read_csv(RESULTS / "compare.csv")
    assert measured.groupby(["variant", "entry"])["round"].nunique().ge(5).all()
    for table in reproduce.tables(pd.read_csv(RESULTS / "reproduce_runs.csv")):
        assert table in text
    for table in compare.details(compare.summarize(measured)):
        assert table in text


def test_every_picture_is_there_and_is_described():
    pictures = [re.findall(r"!\[(.*?)\]\((.*?)\)", text) for text in (ENGLISH, CHINESE)]
    assert [path for _, path in pictures[0]] == [path for _, path in pictures[1]]
    for alternative, path in pictures[0] + pictures[1]:
        assert (PROJECT / path).stat().st_size < 200_000 and len(alternative) >= 10


def test_both_readmes_have_the_same_parts():
    headings = [re.findall(r"^(#+) ", text, re.MULTILINE) for text in (ENGLISH, CHINESE)]
    assert headings[0] == headings[1]
    commands = [re.findall(r"^```bash\n(.*)\n```", text, re.MULTILINE) for text in (ENGLISH, CHINESE)]
    assert commands[0] == commands[1] and len(commands[0]) == 2
    assert "python ch6_1.py" in commands[0][0] and commands[0][1].endswith("python -m pytest")
    assert "](README.zh-TW.md)" in ENGLISH and "](README.md)" in CHINESE
    explorations = [re.findall(r"^\| `(\w+)\(", text, re.MULTILINE) for text in (ENGLISH, CHINESE)]
    assert explorations[0] == explorations[1]
