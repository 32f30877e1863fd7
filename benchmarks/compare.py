"""How fast is it? The chapter's four trainings, by this project and by others, side by side.

In each round every entry runs once, in a process of its own with all cores: 10 epochs with validation after each, then
the test accuracy. Only figures from the same round compare, for a shared machine may be twice as fast a minute later;
so the tables give medians, and ratios taken within the rounds. Each figure goes to `results/compare.csv` as soon as it
is there, and a run that was interrupted goes on where it stopped. At the end, or at once when all is measured already,
`results/compare_summary.csv` is written, the tables are printed as Markdown and the picture is drawn.

Keras imports scikit-learn where it finds it, and starts a second later. So run this in an environment that has what
`requirements.txt` lists and JAX, and name the Python of another one for the peers: `--peers ../peers/bin/python`.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from environment import NETWORKS, PROJECT, as_markdown, command, record_environment, replaced_whole
from matplotlib.figure import Figure

from command_line import whole_number

HERE = Path(__file__).resolve().parent
ENTRIES = ("book", "ours", "ours, JAX", "replay", "PyTorch", "scikit-learn", "JAX", "floor")
PEERS = {"PyTorch": "pytorch", "scikit-learn": "scikit_learn", "JAX": "jax_scan", "floor": "floor"}
LAYERS = dict(zip(NETWORKS, (("256", "False"), ("1000", "False"), ("1000", "True"), ("1000,1000", "True"))))

# How the line begins at which a phase has ended; of several such lines, the last counts.
MARKS_OF_SCRIPTS = {
    "start_up": "[Info] Model summary:",
    "summary": "Non-trainable params",
    "training": "240/240",
    "accuracy": "[Info] Accuracy of testing data =",
}
MARKS_OF_OTHERS = {"start_up": "data ready", "summary": "training", "training": "trained", "accuracy": "accuracy"}

# What is aimed at: an entry's time as a ratio to another's, in each network at most this.
TARGETS = [
    ("replay", "training", "PyTorch", [1.0] * 4),
    ("replay", "training", "scikit-learn", [1.0] * 4),
    ("replay", "training", "book", [0.5] * 4),
    ("replay", "training", "floor", [2.0, 1.5, 1.5, 1.5]),
    ("replay", "whole", "book", [0.65] * 4),
    ("replay", "memory", "book", [1.0] * 4),
    ("ours", "whole", "book", [1.0] * 4),
    ("ours", "memory", "book", [1.0] * 4),
    ("ours, JAX", "training", "book", [0.6] * 4),
]


def has(entry, network):
    return not (entry == "scikit-learn" and LAYERS[network][1] == "True")  # it has no dropout


def measure(entry, network, peers):
    """Run one entry and return its figures: times in seconds, memory in MB, the test accuracy from 0 to 1."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "MPLBACKEND": "agg", "PYTHONUNBUFFERED": "1"}
    environment["KERAS_BACKEND"] = "jax" if entry == "ours, JAX" else "tensorflow"
    marks = MARKS_OF_OTHERS
    if entry in ("ours", "ours, JAX", "replay"):
        marks = MARKS_OF_SCRIPTS
        script, *options = command(network)
        words = [sys.executable, *([PROJECT / "replay"] if entry == "replay" else []), PROJECT / script, *options]
    elif entry == "book":
        words = [sys.executable, HERE / "book.py", *LAYERS[network]]
    else:
        words = [peers, HERE / "peers.py", PEERS[entry], *LAYERS[network]]
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        process = subprocess.Popen(
            list(map(str, words)), cwd=folder, env=environment, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, encoding="utf-8",
        )  # fmt: skip
        moments, lines = {}, {}
        for line in process.stdout:
            for phase, mark in marks.items():
                if line.strip().startswith(mark):
                    moments[phase], lines[phase] = time.perf_counter() - begin, line.strip()
        _, status, usage = os.wait4(process.pid, 0)
        whole = time.perf_counter() - begin
    if status:
        raise RuntimeError(f"{entry} on {network} ended with status {os.waitstatus_to_exitcode(status)}")
    accuracy = lines["accuracy"].split()[-1]
    return {
        "whole": whole,
        "training": moments["training"] - moments["summary"],
        "start_up": moments["start_up"],
        "memory": usage.ru_maxrss / 1000,
        "accuracy": float(accuracy.rstrip("%")) / (100 if accuracy.endswith("%") else 1),
    }


def summarize(results):
    """Return, for each network and entry, the medians, their spread, and the ratios to the book's way."""
    figures = ["whole", "training", "start_up", "memory", "accuracy"]
    groups = results.groupby(["network", "entry"])[figures]
    summary = groups.median()
    for figure in ("whole", "training", "start_up", "memory"):
        summary[f"{figure}_low"], summary[f"{figure}_high"] = groups.min()[figure], groups.max()[figure]
    for figure in ("whole", "training"):
        summary[f"{figure}_to_book"] = [
            ratio(results, network, entry, figure, "book").median() for network, entry in summary.index
        ]
    order = [(network, entry) for network in NETWORKS for entry in ENTRIES if (network, entry) in summary.index]
    return summary.loc[order]


def ratio(results, network, entry, figure, other):
    """Return a figure of one entry divided by another's, in each round in which both ran."""
    table = results[results.network == network].pivot(index="round", columns="entry", values=figure)
    return (table[entry] / table[other]).dropna()


def targets_table(results):
    """Compare the medians of the ratios with what is aimed at."""
    rows = {}
    for entry, figure, other, limits in TARGETS:
        cells = {}
        for network, limit in zip(NETWORKS, limits):
            measured = set(results[results.network == network].entry)
            if {entry, other} <= measured:
                value = ratio(results, network, entry, figure, other).median()
                cells[network] = f"{value:.2f}" + (" (missed)" if value > limit else "")
        most = " / ".join(f"{limit:g}" for limit in dict.fromkeys(limits))
        rows[f"{entry}, {figure}, to {other}"] = {"at most": most, **cells}
    return pd.DataFrame.from_dict(rows, orient="index").fillna("").rename_axis("ratio")


def overview(summary):
    """Return the training times and, in brackets, those of the whole process as one Markdown table, in seconds."""
    lines = [f"| | {' | '.join(NETWORKS)} |", "| --- " * (1 + len(NETWORKS)) + "|"]
    for entry in ENTRIES:
        keys = [(network, entry) for network in NETWORKS]
        rows = [summary.loc[key] if key in summary.index else None for key in keys]
        cells = ["" if row is None else f"{row.training:.1f} ({row.whole:.1f})" for row in rows]
        lines.append(f"| {entry} | {' | '.join(cells)} |")
    return "\n".join(lines)


def details(summary):
    """Return the summary as Markdown, a table for each network."""
    texts = []
    for network in summary.index.unique("network"):
        lines = [
            f"| {network} | whole process, s | x book | training, s | x book | start-up, s | memory, MB | accuracy |",
            "| --- " * 8 + "|",
        ]
        for entry, row in summary.loc[network].iterrows():
            accuracy = "" if pd.isna(row.accuracy) else f"{row.accuracy:.1%}"
            cells = [
                entry,
                f"{row.whole:.1f} ({row.whole_low:.1f} to {row.whole_high:.1f})",
                f"{row.whole_to_book:.2f}",
                f"{row.training:.1f} ({row.training_low:.1f} to {row.training_high:.1f})",
                f"{row.training_to_book:.2f}",
                f"{row.start_up:.1f}",
                f"{row.memory:.0f}",
                accuracy,
            ]
            lines.append(f"| {' | '.join(cells)} |")
        texts.append("\n".join(lines))
    return texts


def draw_times(summary):
    """Draw for each network how long each entry trains and how long its whole process takes, with the range seen."""
    figure = Figure(figsize=(12, 3.5), layout="constrained", dpi=100)
    for axes, network in zip(figure.subplots(1, len(NETWORKS)), summary.index.unique("network")):
        times = summary.loc[network]
        entries = list(times.index)
        spread = [times.whole - times.whole_low, times.whole_high - times.whole]
        axes.barh(entries, times.whole, color="#bcd9ea", xerr=spread, ecolor="#555555", label="whole process")
        axes.barh(entries, times.training, color="#0072b2", height=0.4, label="training")
        axes.invert_yaxis()
        axes.set(title=network, xlabel="seconds")
        axes.grid(axis="x", alpha=0.3)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=whole_number(1, 1000), default=5, help="rounds (default: 5)")
    help = "the Python of the peers (default: this one)"
    parser.add_argument("--peers", type=os.path.abspath, default=sys.executable, help=help)
    parser.add_argument("--output", type=Path, default=HERE / "results", help="folder of the results")
    options = parser.parse_args()

    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "compare.csv"
    results = pd.read_csv(path) if path.exists() else pd.DataFrame(columns=["round", "network", "entry"])
    done = set(results[["round", "network", "entry"]].itertuples(index=False, name=None))
    wanted = [
        (number, network, entry)
        for number in range(1, options.rounds + 1)
        for network in NETWORKS
        for entry in ENTRIES
        if has(entry, network)
    ]
    if not done.issuperset(wanted):
        record_environment(options.output / "compare_environment.csv", ("tensorflow", "keras", "numpy", "jax"))
    for place, key in enumerate(wanted, start=1):
        if key in done:
            continue
        number, network, entry = key
        row = {"round": number, "network": network, "entry": entry, **measure(entry, network, options.peers)}
        results = pd.DataFrame([*results.to_dict("records"), row])
        with replaced_whole(path) as temporary:
            results.to_csv(temporary, index=False, float_format="%.6g")
        print(
            f"{place}/{len(wanted)}  round {number}, {network}, {entry}: "
            f"whole {row['whole']:.1f} s, training {row['training']:.1f} s",
            flush=True,
        )
    summary = summarize(results)
    with replaced_whole(options.output / "compare_summary.csv") as temporary:
        summary.to_csv(temporary, float_format="%.4g")
    with replaced_whole(options.output / "compare_times.png") as temporary:
        draw_times(summary).savefig(temporary)
    print(
        "\nTraining and, in brackets, the whole process, in seconds:",
        overview(summary),
        as_markdown(targets_table(results)),
        *details(summary),
        sep="\n\n",
    )


if __name__ == "__main__":
    main()
