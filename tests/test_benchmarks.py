"""The benchmarks run what they say: trainings handed to Dask, and programs that are measured from outside."""

import sys

import compare
import pytest
import reproduce
from conftest import SHORT


def test_trainings_by_dask_are_recorded_once(tmp_path, monkeypatch, capsys):
    pytest.importorskip("distributed")
    for name, value in SHORT.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "runs.csv"
    wanted = [("replay", "256 units", 10, "two threads"), ("script", "256 units", 2, reproduce.USUAL)]
    reproduce.run_trainings(wanted, path)
    assert capsys.readouterr().out.count("/2  ") == 2
    runs = reproduce.read_runs(path).set_index("program")
    recorded = reproduce.read_runs(reproduce.RUNS)
    same = recorded[(recorded.arithmetic == "two threads") & (recorded.network == "256 units")].iloc[0]
    assert abs(runs.test_accuracy["replay"] - same.test_accuracy) < 0.002  # another processor rounds otherwise
    assert 0 < runs.test_accuracy["script"] < 1 and runs.loc["script", "right_0"] >= 0
    assert len(runs) == 2


@pytest.mark.parametrize("entry", ["by hand", "floor"])
def test_a_program_is_measured(entry):
    python, program, peer, *_ = compare.command(entry, "256 units", sys.executable)
    figures = compare.measure([python, program, peer, "5", "False"])  # five units
    assert 0 < figures["training"] < figures["whole"] and figures["memory"] > 50
