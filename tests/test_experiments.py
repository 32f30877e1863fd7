"""Each experiment of docs/experiments.md runs, and both pages say what benchmarks/experiments.py recorded."""

import re
import runpy
import sys

import experiments
import keras
import pandas as pd
import pytest
import reproduce
from conftest import PROJECT

CHINESE = PROJECT / "docs/experiments.zh-TW.md"
EXPERIMENTS = experiments.read_experiments()
RUNS = pd.read_csv(experiments.RUNS).set_index("experiment")


@pytest.mark.parametrize("title", EXPERIMENTS)
def test_an_experiment_runs(title, pictures, tmp_path, monkeypatch, capsys, request):
    keras.config.set_max_steps_per_epoch(2)
    request.addfinalizer(lambda: keras.config.set_max_steps_per_epoch(None))
    command = experiments.change_script(EXPERIMENTS[title], tmp_path)
    monkeypatch.setattr(sys, "argv", [*command, "--epochs", "1"])
    monkeypatch.chdir(tmp_path)
    runpy.run_path(command[0], run_name="__main__")
    figures = experiments.read_figures(capsys.readouterr().out)
    assert set(figures) == set(RUNS.columns) - {"seed"}
    assert 0 < figures["test_accuracy"] < 100


def test_an_old_line_that_is_gone_is_named(tmp_path):
    with pytest.raises(ValueError, match="ch6_1.py must have this once, not 0 times: gone"):
        experiments.change_script((["ch6_1.py"], "gone", "new"), tmp_path)


def test_every_experiment_was_recorded_and_is_on_both_pages():
    assert len(EXPERIMENTS) >= 8
    assert list(RUNS.index) == [title for title in EXPERIMENTS for _ in experiments.SEEDS]
    assert list(experiments.read_experiments(CHINESE).values()) == list(EXPERIMENTS.values())


@pytest.mark.parametrize("page, to", [(experiments.PAGE, " to "), (CHINESE, " 到 ")], ids=["en", "zh-TW"])
def test_every_figure_was_measured(page, to):
    introduction, *sections = page.read_text(encoding="utf-8").split("\n## ")
    for program in ("script", "by hand"):
        unchanged = reproduce.accuracy_range(reproduce.read_runs(), "256 units", program)
        assert unchanged.replace(" to ", to) in introduction
    for title, section in zip(EXPERIMENTS, sections, strict=True):
        recorded = RUNS.loc[title].agg(["min", "max"])
        recorded[["acc", "val_acc"]] *= 100
        low, high = (f"{accuracy:.1f}%" for accuracy in recorded.test_accuracy)
        percentages = {f"{value:.1f}%" for value in recorded.filter(like="acc").to_numpy().flat}
        losses = {f"{value:.2f}" for value in recorded.filter(like="loss").to_numpy().flat}
        answer = re.search(r"<details>.*</details>", section, re.DOTALL)[0]
        assert (low if low == high else f"{low}{to}{high}") in answer
        assert set(re.findall(r"\d+\.\d+%?", re.sub("`.*?`", "", answer))) <= percentages | losses
