"""How fast is it? The chapter's four trainings, by this project and by others, side by side.

In each round every entry runs once, in a process of its own with all cores: 10 epochs with validation after each, then
the test accuracy. Only figures from the same round compare, for a shared machine may be twice as fast a minute later;
so the tables give medians, and ratios taken within the rounds. Each figure goes to `results/compare.csv` as soon as it
is there, and a run that was interrupted goes on where it stopped. At the end, or at once when all is measured already,
`results/compare_summary.csv` is written, the tables are printed as Markdown and the picture is drawn.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from environment import PROJECT, VARIANTS, describe_environment
from matplotlib.figure import Figure

sys.path.insert(0, str(PROJECT))
from command_line import replaced_whole, whole_number

HERE = Path(__file__).resolve().parent
ENTRIES = ("book", "ours", "ours, JAX", "PyTorch", "scikit-learn", "JAX", "floor")
PEERS = {"PyTorch": "pytorch", "scikit-learn": "scikit_learn", "JAX": "jax_scan", "floor": "floor"}

# How the line begins at which a phase has ended; of several such lines, the last counts.
MARKS_OF_OURS = {
    "start_up": "[Info] train data=",
    "summary": "Non-trainable params",
    "training": "240/240",
    "accuracy": "[Info] Accuracy of testing data =",
}
MARKS_OF_OTHERS = {"start_up": "data ready", "summary": "training", "training": "trained", "accuracy": "accuracy"}


def has(entry, variant):
    return not (entry == "scikit-learn" and VARIANTS[variant]["dropout"])  # it has no dropout


def measure(entry, variant):
    """Run one entry and return its figures: times in seconds, memory in MB, the test accuracy from 0 to 1."""
    network = VARIANTS[variant]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "MPLBACKEND": "agg", "PYTHONUNBUFFERED": "1"}
    arguments = [",".join(map(str, network["hidden"])), str(network["dropout"])]
    with tempfile.TemporaryDirectory() as folder:
        if entry.startswith("ours"):
            environment["KERAS_BACKEND"] = "jax" if entry == "ours, JAX" else "tensorflow"
            command = [PROJECT / network["script"], *network["options"], "--figures", folder]
        elif entry == "book":
            environment["KERAS_BACKEND"] = "tensorflow"
            command = [HERE / "book.py", *arguments]
        else:
            command = [HERE / "peers.py", PEERS[entry], *arguments]
        begin = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *map(str, command)], env=environment, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, encoding="utf-8",
        )  # fmt: skip
        moments, lines = {}, {}
        for line in process.stdout:
            for phase, mark in (MARKS_OF_OURS if entry.startswith("ours") else MARKS_OF_OTHERS).items():
                if line.strip().startswith(mark):
                    moments[phase], lines[phase] = time.perf_counter() - begin, line.strip()
        _, status, usage = os.wait4(process.pid, 0)
        whole = time.perf_counter() - begin
    if status:
        raise RuntimeError(f"{entry} on {variant} ended with status {os.waitstatus_to_exitcode(status)}")
    accuracy = lines["accuracy"].split()[-1]
    return {
        "whole": whole,
        "training": moments["training"] - moments["summary"],
        "start_up": moments["start_up"],
        "memory": usage.ru_maxrss / 1000,
        "accuracy": float(accuracy.rstrip("%")) / (100 if accuracy.endswith("%") else 1),
    }


def summarize(results):
    """Return, for each network and entry, the medians, their spread, and the ratios to ours."""
    figures = ["whole", "training", "start_up", "memory", "accuracy"]
    groups = results.groupby(["variant", "entry"])[figures]
    summary = groups.median()
    for figure in ("whole", "training", "start_up", "memory"):
        summary[f"{figure}_low"], summary[f"{figure}_high"] = groups.min()[figure], groups.max()[figure]
    per_round = results.set_index(["variant", "round", "entry"])[["whole", "training"]]
    ours = per_round.xs("ours", level="entry")
    ratios = per_round / ours.reindex(per_round.index.droplevel("entry")).to_numpy()
    for figure in ("whole", "training"):
        summary[f"{figure}_to_ours"] = ratios[figure].groupby(["variant", "entry"]).median()
    order = [(variant, entry) for variant in VARIANTS for entry in ENTRIES if (variant, entry) in summary.index]
    return summary.loc[order]


def overview(summary):
    """Return the training times and, in brackets, those of the whole process as one Markdown table, in seconds."""
    lines = [f"| | {' | '.join(VARIANTS)} |", "| --- " * (1 + len(VARIANTS)) + "|"]
    for entry in ENTRIES:
        rows = [summary.loc[(variant, entry)] if has(entry, variant) else None for variant in VARIANTS]
        cells = ["" if row is None else f"{row.training:.1f} ({row.whole:.1f})" for row in rows]
        lines.append(f"| {entry} | {' | '.join(cells)} |")
    return "\n".join(lines)


def details(summary):
    """Return the summary as Markdown, a table for each network."""
    texts = []
    for variant in summary.index.unique("variant"):
        lines = [
            f"| {variant} | whole process, s | x ours | training, s | x ours | start-up, s | memory, MB | accuracy |",
            "| --- " * 8 + "|",
        ]
        for entry, row in summary.loc[variant].iterrows():
            accuracy = "" if pd.isna(row.accuracy) else f"{row.accuracy:.1%}"
            cells = [
                entry,
                f"{row.whole:.1f} ({row.whole_low:.1f} to {row.whole_high:.1f})",
                f"{row.whole_to_ours:.2f}",
                f"{row.training:.1f} ({row.training_low:.1f} to {row.training_high:.1f})",
                f"{row.training_to_ours:.2f}",
                f"{row.start_up:.1f}",
                f"{row.memory:.0f}",
                accuracy,
            ]
            lines.append(f"| {' | '.join(cells)} |")
        texts.append("\n".join(lines))
    return texts


def draw_times(summary):
    """Draw for each network how long each entry trains and how long its whole process takes, with the range seen."""
    figure = Figure(figsize=(12, 3.2), layout="constrained", dpi=100)
    for axes, variant in zip(figure.subplots(1, len(VARIANTS)), VARIANTS):
        entries = [entry for entry in ENTRIES if has(entry, variant)]
        times = summary.loc[variant].loc[entries]
        spread = [times.whole - times.whole_low, times.whole_high - times.whole]
        axes.barh(entries, times.whole, color="#bcd9ea", xerr=spread, ecolor="#555555", label="whole process")
        axes.barh(entries, times.training, color="#0072b2", height=0.4, label="training")
        axes.invert_yaxis()
        axes.set(title=variant, xlabel="seconds")
        axes.grid(axis="x", alpha=0.3)
    figure.axes[0].legend(loc="lower right")
    return figure


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=whole_number(1, 1000), default=5, help="rounds (default: 5)")
    parser.add_argument("--output", type=Path, default=HERE / "results", help="folder of the results")
    options = parser.parse_args()

    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "compare.csv"
    results = pd.read_csv(path) if path.exists() else pd.DataFrame(columns=["round", "variant", "entry"])
    done = set(results[["round", "variant", "entry"]].itertuples(index=False, name=None))
    wanted = [
        (number, variant, entry)
        for number in range(1, options.rounds + 1)
        for variant in VARIANTS
        for entry in ENTRIES
        if has(entry, variant)
    ]
    if not done.issuperset(wanted):
        with replaced_whole(options.output / "compare_environment.csv") as temporary:
            describe_environment().to_csv(temporary, index=False)
    for place, key in enumerate(wanted, start=1):
        if key in done:
            continue
        number, variant, entry = key
        row = {"round": number, "variant": variant, "entry": entry, **measure(entry, variant)}
        results = pd.DataFrame([*results.to_dict("records"), row])
        with replaced_whole(path) as temporary:
            results.to_csv(temporary, index=False, float_format="%.6g")
        print(
            f"{place}/{len(wanted)}  round {number}, {variant}, {entry}: "
            f"whole {row['whole']:.1f} s, training {row['training']:.1f} s",
            flush=True,
        )
    summary = summarize(results)
    with replaced_whole(options.output / "compare_summary.csv") as temporary:
        summary.to_csv(temporary, float_format="%.4g")
    with replaced_whole(options.output / "compare_times.png") as temporary:
        draw_times(summary).savefig(temporary)
    print(
        "\nTraining and, in brackets, the whole process, in seconds:", overview(summary), *details(summary), sep="\n\n"
    )


if __name__ == "__main__":
    main()
