"""The benchmarks run what they say, and their README shows what was measured."""

import sys

import compare
import pandas as pd
import pytest
import reproduce
from conftest import SHORT
from environment import README, as_markdown


def test_trainings_are_recorded_once(tmp_path, monkeypatch, capsys):
    for name, value in SHORT.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "runs.csv"
    wanted = [("replay", "256 units", 10, "one thread"), ("script", "256 units", 2, "one thread")]
    reproduce.run_trainings(wanted, path)
    assert capsys.readouterr().out.count("/2  ") == 2
    runs = reproduce.read_runs(path).set_index("program")
    recorded = reproduce.of_seeds(reproduce.read_runs(), "replay", "256 units").loc[10]
    # Another processor rounds in another way.
    assert runs.test_accuracy["replay"] == pytest.approx(recorded.test_accuracy, abs=0.002)
    assert 0 < runs.test_accuracy["script"] < 1 and runs.loc["script", "right_0"] >= 0
    assert len(runs) == 2


def test_a_program_is_measured():
    figures = compare.measure([sys.executable, "-c", "x = bytearray(10**8)"])
    assert 0 < figures["whole"] < 10 and figures["memory"] > 100
    with pytest.raises(RuntimeError, match="status 3"):
        compare.measure([sys.executable, "-c", "raise SystemExit(3)"])


def test_the_readme_shows_what_was_measured():
    tables = reproduce.tables(reproduce.read_runs())
    tables += compare.tables(pd.read_csv(compare.TIMES))
    text = README.read_text(encoding="utf-8")
    for table in tables:
        assert f"{as_markdown(table)}\n" in text
