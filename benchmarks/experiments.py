"""Run each experiment of docs/experiments.md with five seeds, and record what the scripts print at the end."""

import itertools
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
from environment import PROJECT, RESULTS, record_machine, replacing

PAGE = PROJECT / "docs/experiments.md"
RUNS = RESULTS / "experiments.csv"
SEEDS = range(10, 15)  # 10 is what the scripts take by themselves


def read_experiments(page=PAGE):
    """Return {title: (words of the command, old lines, new lines)}. A command without a change has "" for both."""
    experiments = {}
    for section in page.read_text(encoding="utf-8").split("\n## ")[1:]:
        command = re.search(r"^python (.+)$", section, re.MULTILINE)[1].split()
        change = "".join(re.findall(r"```diff\n(.*?)```", section, re.DOTALL)).splitlines(keepends=True)
        old, new = ("".join(line[1:] for line in change if line[0] in signs) for signs in (" -", " +"))
        experiments[section.splitlines()[0]] = command, old, new
    return experiments


def change_script(experiment, folder):
    """Write the changed script to `folder`. Return the words of the command that runs it."""
    (script, *words), old, new = experiment
    text = (PROJECT / script).read_text(encoding="utf-8")
    if old and text.count(old) != 1:
        raise ValueError(f"{script} must have this once, not {text.count(old)} times: {old}")
    changed = Path(folder, script)
    changed.write_text(text.replace(old, new), encoding="utf-8")
    return [str(changed), *words]


def read_figures(printed):
    """Return the last epoch's figures, from 0 to 1, and the test accuracy in percent."""
    figures = dict(re.findall(r" (\w*acc|\w*loss): ([\d.]+)", printed))  # of several epochs the last one stays
    figures["test_accuracy"] = re.search(r"testing data = ([\d.]+)%", printed)[1]
    return {name: float(value) for name, value in figures.items()}


def main():
    rows, environment = [], os.environ | {"PYTHONPATH": str(PROJECT), "MPLBACKEND": "agg"}
    for (title, experiment), seed in itertools.product(read_experiments().items(), SEEDS):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, *change_script(experiment, folder), "--seed", str(seed)]
            printed = subprocess.check_output(command, cwd=folder, env=environment, encoding="utf-8")
        rows.append({"experiment": title, "seed": seed, **read_figures(printed)})
        print(*rows[-1].values(), sep="  ", flush=True)
    record_machine(RUNS.with_name("experiments_environment.csv"))
    with replacing(RUNS) as path:
        pd.DataFrame(rows).to_csv(path, index=False)


if __name__ == "__main__":
    main()
