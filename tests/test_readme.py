"""What the pages say is true: line references, links, figures, pictures, commands; and both languages say the same."""

import re

import pytest
import reproduce
from conftest import PROJECT, run
from packaging.requirements import Requirement
from packaging.version import Version

import explore

READMES = ["README.md", "README.zh-TW.md"]
ENGLISH, CHINESE = ((PROJECT / name).read_text(encoding="utf-8") for name in READMES)
both = pytest.mark.parametrize("text", [ENGLISH, CHINESE], ids=READMES)
REFERENCE = r"\[`([^`]+)`\]\((\w+\.py)\)"
HEADINGS = """
下載 Mnist 資料; 查看訓練資料; 查看多筆訓練資料 images 與 labels; 多層感知器模型資料前處理: features;
多層感知器模型資料前處理: labels; 建立模型; 進行訓練; 建立 show_train_history 顯示訓練過程; 評估模型準確率; 進行預測;
顯示混淆矩陣 (Confusion matrix); 建立真實與預測的 dataframe; 查詢 label=5, prediction=3 的資料; 查看第 340 筆資料;
隱藏層增加為 1000 個神經元; 多層感知器加入 DropOut 功能以避免 Overfitting; 建立多層感知器模型 (包含兩個 Hidden Layers)
"""


def test_every_heading_of_the_book_is_there_and_every_line_is_in_its_file():
    for text in (ENGLISH, CHINESE):
        assert re.findall(r"^\| ([^|]+) \| \[`.*\.py\)", text, re.MULTILINE) == re.split(r";\s", HEADINGS.strip())
    references = re.findall(REFERENCE, ENGLISH)
    assert len(references) >= 20 and references == re.findall(REFERENCE, CHINESE)
    for snippet, name in references:
        assert snippet in (PROJECT / name).read_text(encoding="utf-8"), (snippet, name)


@both
def test_a_page_is_short_and_its_links_lead_somewhere(text):
    assert len(text.splitlines()) <= 250
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    links = re.findall(r"\]\(#([^)]+)\)", text)
    assert len(links) >= 4 and set(links) <= anchors
    for path in re.findall(r"\]\((?!#|https:)([^)#]+)", text):
        assert (PROJECT / path).exists(), path


def test_both_say_the_same():
    levels, code, pictures, typed = (
        [re.findall(pattern, text, re.MULTILINE | re.DOTALL) for text in (ENGLISH, CHINESE)]
        for pattern in (r"^(#+) ", r"^```(\w+\n.*?)\n```", r"!\[[^\]]{10,}\]\((.*?)\)", r"^\| `(\w+)\(")
    )
    assert levels[0] == levels[1] and code[0] == code[1] and pictures[0] == pictures[1] and typed[0] == typed[1]
    assert len(pictures[0]) >= 8 and all((PROJECT / path).stat().st_size < 300_000 for path in pictures[0])
    assert len(set(typed[0]) & set(explore.__all__)) == 5


RESULTS = PROJECT / "benchmarks/results"
RUNS = reproduce.read_runs(RESULTS / "reproduce_runs.csv")


@both
def test_the_figures_are_those_that_were_measured(text):
    rows = [line[2:-2].split(" | ") for line in text.splitlines() if line.startswith("| ")]
    accuracies = reproduce.accuracy_table(RUNS)
    for network, script in reproduce.SCRIPTS.items():
        row = next(row for row in rows if row[0] == f"`python {' '.join(script)}`")
        of_script = accuracies.loc[network, "script"]
        assert row[2] == of_script["book"]
        assert re.findall(r"[\d.]+%", row[3]) == list(of_script[["mean", "lowest", "highest"]])


def test_the_ranges_in_the_docstrings_are_those_that_were_measured():
    programs = [("by hand", "256 units", "by_hand.py"), ("script", "256 units", "by_hand.py")]
    programs += [("script", network, script[0]) for network, script in reproduce.SCRIPTS.items()]
    for program, network, file in programs:
        assert reproduce.accuracy_range(RUNS, program, network) in (PROJECT / file).read_text(encoding="utf-8"), file


def test_the_versions_that_were_tested_lie_in_the_ranges():
    lines = (PROJECT / "tested_versions.txt").read_text().splitlines()
    versions = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert re.match(r"# Python 3\.1[0-3]\.\d+", lines[0])
    for line in (PROJECT / "requirements.txt").read_text().splitlines():
        if not line.startswith("#"):
            requirement = Requirement(line)
            assert Version(versions[requirement.name]) in requirement.specifier, line


def test_a_file_that_keras_2_left_and_a_script_outside_of_the_folder(tmp_path):
    """Two rows of the table of changes that need a process of their own."""
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras/keras.json").write_text('{"backend": "theano"}')
    home = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path), "KERAS_BACKEND": None, "PYTHONPATH": None}
    for line, code, error in (
        ('"backend": "theano"', "import keras", "ValueError: Unable to import backend : theano"),
        ("import mnist", "import mnist", "ModuleNotFoundError: No module named 'mnist'"),
        ("from utils import *", "from utils import *", "ModuleNotFoundError: No module named 'utils'"),
    ):
        assert f"| `{line}` | `{error}` |" in ENGLISH
        assert error in run("-c", code, folder=tmp_path, **home).stderr
