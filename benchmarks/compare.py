"""How fast is it? The chapter's four trainings, by Keras, by this project's own NumPy and by PyTorch, side by side.

In each round every entry runs once, in a process of its own with all cores: 10 epochs with validation after each, then
the test accuracy. Only figures of one round compare, for a shared machine may be twice as fast a minute later; so the
tables give medians, and ratios within the rounds. Each figure goes to `results/compare.csv` as soon as it is there, and
a run that was interrupted goes on where it stopped. At the end the tables are printed and the picture is drawn.

Keras imports scikit-learn where it finds it, and starts a second later. So run this in an environment that has what
`requirements.txt` lists, and name the Python of another one, which has PyTorch: `--peers ../peers/bin/python`.
"""

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from environment import NETWORKS, PROJECT, as_markdown, record_environment, replaced_whole
from matplotlib.figure import Figure

HERE = Path(__file__).resolve().parent
ENTRIES = ("book", "replay", "by hand", "PyTorch", "floor")
KEY = ["round", "network", "entry"]

# What is aimed at: an entry's figure as a ratio to another's, in each network at most this.
TARGETS = [
    ("replay", "whole", "book", [0.5, 0.7, 0.8, 1.0]),
    ("replay", "whole", "PyTorch", [1.0] * 4),
    ("by hand", "training", "floor", [2.1, 1.6, 2.0, 1.6]),
    ("by hand", "memory", "book", [1.0] * 4),
    ("replay", "memory", "book", [1.0] * 4),
]


def command(entry, network, peers):
    """Return what is typed to run an entry."""
    facts = NETWORKS[network]
    layers = [",".join(map(str, facts["hidden"])), str(facts["dropout"] > 0)]
    return {
        "book": [sys.executable, HERE / "book.py", *layers],
        "replay": [sys.executable, "-m", "replay", facts["name"]],
        "by hand": [sys.executable, HERE / "peers.py", "by_hand", *layers],
        "PyTorch": [peers, HERE / "peers.py", "pytorch", *layers],
        "floor": [sys.executable, HERE / "peers.py", "floor", *layers],
    }[entry]


def measure(words):
    """Run a program and return its figures: seconds in all and in training (0 if it does not tell), memory in MB."""
    environment = os.environ | {"MPLBACKEND": "agg", "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(PROJECT)}
    with tempfile.TemporaryDirectory() as folder:
        begin, moments = time.perf_counter(), {"training": 0, "trained": 0}
        process = subprocess.Popen(
            list(map(str, words)), cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        for line in process.stdout:
            if line.decode().strip() in moments:
                moments[line.decode().strip()] = time.perf_counter() - begin
        _, status, usage = os.wait4(process.pid, 0)
        whole = time.perf_counter() - begin
    if status:
        raise RuntimeError(f"{words} ended with status {os.waitstatus_to_exitcode(status)}")
    return {"whole": whole, "training": moments["trained"] - moments["training"], "memory": usage.ru_maxrss / 1000}


def ratio(results, network, entry, figure, other):
    """Return the median of one entry's figure divided by another's, in each round in which both ran."""
    table = results[results.network == network].pivot(index="round", columns="entry", values=figure)
    return (table[entry] / table[other]).median()


def targets_table(results):
    """Compare the medians of the ratios with what is aimed at."""
    rows = {}
    for entry, figure, other, limits in TARGETS:
        cells = {}
        for network, limit in zip(NETWORKS, limits):
            value = ratio(results, network, entry, figure, other)
            cells[network] = f"{value:.2f} (at most {limit:g}{': missed' if value > limit else ''})"
        rows[f"{entry}, {figure}, to {other}"] = cells
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("ratio")


def figures_table(results):
    """Show the medians, and in brackets the lowest and the highest."""
    rows = {}
    for network in NETWORKS:
        for entry in ENTRIES:
            of_entry = results[(results.network == network) & (results.entry == entry)]
            cells = {}
            for figure, form in (("whole", "{:.1f} s"), ("training", "{:.1f} s"), ("memory", "{:.0f} MB")):
                low, median, high = (form.format(of_entry[figure].quantile(q)) for q in (0, 0.5, 1))
                cells[figure] = f"{median} ({low} to {high})" if of_entry[figure].min() > 0 else ""
            rows[network, entry] = cells
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["network", "entry"])


def draw_times(results):
    """Draw for each network how long each entry trains and how long its whole process takes, with the range seen."""
    figure = Figure(figsize=(12, 3), layout="constrained", dpi=100)
    for axes, network in zip(figure.subplots(1, len(NETWORKS)), NETWORKS):
        groups = results[results.network == network].groupby("entry")
        low, median, high = (groups[["whole", "training"]].quantile(q).loc[list(ENTRIES)] for q in (0, 0.5, 1))
        spread = [median.whole - low.whole, high.whole - median.whole]
        axes.barh(ENTRIES, median.whole, color="#bcd9ea", xerr=spread, ecolor="#555555", label="whole process")
        axes.barh(ENTRIES, median.training, color="#0072b2", height=0.4, label="training")
        axes.invert_yaxis()
        axes.set(title=network, xlabel="seconds")
        axes.grid(axis="x", alpha=0.3)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def tables(results):
    """Return the tables as Markdown."""
    return [as_markdown(table(results)) for table in (targets_table, figures_table)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="rounds (default: 5)")
    help = "the Python of the peers (default: this one)"
    parser.add_argument("--peers", type=os.path.abspath, default=sys.executable, help=help)
    options = parser.parse_args()

    path = HERE / "results/compare.csv"
    results = pd.read_csv(path) if path.exists() else pd.DataFrame(columns=KEY)
    for number, network, entry in itertools.product(range(1, options.rounds + 1), NETWORKS, ENTRIES):
        if (number, network, entry) in set(results[KEY].itertuples(index=False, name=None)):
            continue
        row = {"round": number, "network": network, "entry": entry, **measure(command(entry, network, options.peers))}
        results = pd.DataFrame([*results.to_dict("records"), row])
        with replaced_whole(path) as temporary:
            results.to_csv(temporary, index=False, float_format="%.6g")
        record_environment(path.with_name("compare_environment.csv"), ("tensorflow", "keras", "numpy", "pandas"))
        print(f"round {number}, {network}, {entry}: {row['whole']:.1f} s", flush=True)
    print("", *tables(results), sep="\n\n")
    with replaced_whole(path.with_name("compare_times.png")) as temporary:
        draw_times(results).savefig(temporary)


if __name__ == "__main__":
    main()
