"""What the pages say is true: commands, links, figures and pictures. Both languages say the same."""

import os
import re
import shutil
import subprocess
import sys

import pytest
import reproduce
from conftest import PROJECT, SHORT, environment
from packaging.requirements import Requirement
from packaging.version import Version

PAGES = sorted(path for path in PROJECT.glob("**/*.md") if ".venv" not in path.parts)
TEXTS = {str(path.relative_to(PROJECT)): path.read_text(encoding="utf-8") for path in PAGES}
ENGLISH, CHINESE = TEXTS["README.md"], TEXTS["README.zh-TW.md"]
RUNS = reproduce.read_runs()
a_page = pytest.mark.parametrize("name", TEXTS)


def blocks(text, language=r"\w+"):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_first_page_is_short():
    assert len(ENGLISH.split()) <= 1000 and len(ENGLISH.splitlines()) <= 150
    assert len(re.sub(r"(?ms)^```.*?^```", "", CHINESE)) <= 3500
    for line in ENGLISH.splitlines():
        assert len(line) <= 100 or line.startswith(("|", "![")), line
        assert not line.startswith("|") or line.count(" | ") <= 3


@a_page
def test_links_and_pictures_are_there(name):
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", TEXTS[name]):
        file, _, anchor = target.partition("#")
        path = ((PROJECT / name).parent / file).resolve() if file else PROJECT / name
        assert path.exists(), target
        assert path.suffix not in (".png", ".gif") or path.stat().st_size <= 500_000
        if anchor:
            text = path.read_text(encoding="utf-8")
            headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in anchors | set(re.findall(r'<a id="([^"]+)"', text)), target


def test_every_page_is_found_from_the_first():
    linked = set(re.findall(r"\]\(([^)#]+\.md)", ENGLISH + CHINESE))
    assert {page for page in TEXTS if page.startswith("docs/")} <= linked


@pytest.mark.parametrize("name", [name for name in TEXTS if name.replace(".md", ".zh-TW.md") in TEXTS])
def test_both_languages_say_the_same(name):
    pair = TEXTS[name], TEXTS[name.replace(".md", ".zh-TW.md")]
    for pattern in (r"!\[[^\]]{10,}\]\((.*?)\)", r"\d+\.\d+%", r"^```((?!text)\w+\n.*?)^```"):
        english, chinese = (sorted(set(re.findall(pattern, text, re.MULTILINE | re.DOTALL))) for text in pair)
        assert english == chinese, pattern


def test_the_ranges_are_those_of_the_results():
    """In the tables of the first pages, and in the docstrings."""
    for network, (script, *options) in reproduce.SCRIPTS.items():
        low_to_high = reproduce.accuracy_range(RUNS, network, "script", "no seed")
        row = f"| `python {' '.join([script, *options])}` | "
        book = reproduce.text("test accuracy", reproduce.NETWORKS[network]["book"]["test accuracy"])
        for text, to in ((ENGLISH, "to"), (CHINESE, "到")):
            (line,) = [line for line in text.splitlines() if line.startswith(row)]
            assert line.endswith(f" | {book} | {low_to_high.replace('to', to)} |")
        docstring = (PROJECT / script).read_text(encoding="utf-8")
        assert reproduce.accuracy_range(RUNS, network, "script") in docstring
    docstring = (PROJECT / "by_hand.py").read_text(encoding="utf-8")
    for program in ("by hand", "script"):
        assert reproduce.accuracy_range(RUNS, "256 units", program) in docstring


def test_the_commands_run_as_typed(tmp_path):
    """Those of the first page, in its order, with shortened trainings. `.ci/run` installs as the page says."""
    kept = shutil.ignore_patterns(".*", "tests", "benchmarks", "figures", "*.keras")
    shutil.copytree(PROJECT, tmp_path / "project", ignore=kept)
    commands = "".join(blocks(ENGLISH, "bash")).splitlines()
    commands = [command for command in commands if command.startswith("python ")]
    assert len(commands) >= 3
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    pipes = {"capture_output": True, "encoding": "utf-8", "shell": True}
    for command in commands:
        ended = subprocess.run(command, cwd=tmp_path / "project", env=environment(PATH=path, **SHORT), **pipes)
        assert ended.returncode == 0, ended.stderr


def test_the_versions_that_were_tested_lie_in_the_ranges():
    lines = (PROJECT / "tested_versions.txt").read_text().splitlines()
    versions = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert re.match(r"# Python 3\.1[0-3]\.\d+", lines[0])
    for line in (PROJECT / "requirements.txt").read_text().splitlines():
        if not line.startswith("#"):
            requirement = Requirement(line)
            assert Version(versions[requirement.name]) in requirement.specifier, line
