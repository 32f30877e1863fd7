"""Does the chapter hold? Train its four networks with many seeds and compare with what the author printed.

Each training runs a chapter script from start to end, in a process of its own, and its figures go to
`results/reproduce_runs.csv` and `results/reproduce_epochs.csv` as soon as it ends. A run that was interrupted goes on
where it stopped. At the end, or at once when all trainings are there already, the tables are printed as Markdown and
the two pictures drawn.
"""

import argparse
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import numpy as np
import pandas as pd
from environment import PROJECT, VARIANTS, describe_environment
from matplotlib.figure import Figure

sys.path.insert(0, str(PROJECT))
from command_line import replaced_whole, whole_number

# Run by a process of its own: the script as a reader runs it, then its variables as JSON on the last line.
TRAIN = """
import json, runpy, sys, tempfile
with tempfile.TemporaryDirectory() as folder:
    sys.argv += ["--figures", folder]
    script = runpy.run_path(sys.argv[0], run_name="__main__")
df = script["df"]
print(json.dumps({
    "test_accuracy": script["scores"][1],
    "history": script["train_history"].history,
    "right": [int(((df.label == digit) & (df.predict == digit)).sum()) for digit in range(10)],
    "five_read_as": [int(((df.label == 5) & (df.predict == digit)).sum()) for digit in range(10)],
}))
"""


def train(variant, seed):
    """Run the script of `variant` with `seed` in a process of its own and return what came out."""
    command = [sys.executable, "-c", f"import sys; sys.argv = sys.argv[1:]{TRAIN}"]
    arguments = [str(PROJECT / VARIANTS[variant]["script"]), *VARIANTS[variant]["options"], "--seed", str(seed)]
    ended = subprocess.run(command + arguments, cwd=PROJECT, capture_output=True, text=True)
    if ended.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with status {ended.returncode}:\n{ended.stderr}")
    return json.loads(ended.stdout.splitlines()[-1])


class Results:
    """The two tables of results: a row for each training, and a row for each epoch of each training."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.runs_path, self.epochs_path = folder / "reproduce_runs.csv", folder / "reproduce_epochs.csv"
        self.runs = pd.read_csv(self.runs_path) if self.runs_path.exists() else pd.DataFrame()
        self.epochs = pd.read_csv(self.epochs_path) if self.epochs_path.exists() else pd.DataFrame()

    def has(self, variant, seed):
        return len(self.runs) > 0 and ((self.runs.variant == variant) & (self.runs.seed == seed)).any()

    def add(self, variant, seed, result):
        """Add a training to both tables and write them, the epochs first: a training counts once it is in `runs`."""
        key = {"variant": variant, "seed": seed}
        epochs = pd.DataFrame(result["history"])
        last = epochs.iloc[-1].to_dict()
        run = {
            **key,
            "test_accuracy": result["test_accuracy"],
            **last,
            **{f"right_{digit}": count for digit, count in enumerate(result["right"])},
            **{f"five_read_as_{digit}": count for digit, count in enumerate(result["five_read_as"])},
        }
        epochs = epochs.assign(**key, epoch=range(1, len(epochs) + 1))
        self.epochs = pd.concat([self.epochs, epochs[[*key, "epoch", *result["history"]]]], ignore_index=True)
        self.epochs = self.epochs.drop_duplicates(["variant", "seed", "epoch"], keep="last")
        self.runs = pd.concat([self.runs, pd.DataFrame([run])], ignore_index=True)
        for table, path in ((self.epochs, self.epochs_path), (self.runs, self.runs_path)):
            with replaced_whole(path) as temporary:
                table.to_csv(temporary, index=False, float_format="%.6g")


def accuracy_table(runs):
    """Compare the test accuracy of each network with the author's."""
    groups = runs.groupby("variant").test_accuracy
    table = pd.DataFrame({"mean": groups.mean(), "std": groups.std(), "lowest": groups.min(), "highest": groups.max()})
    table = table.loc[list(VARIANTS)]
    table["book"] = [network["book_test_accuracy"] for network in VARIANTS.values()]
    table = table.map("{:.2%}".format)
    # The author printed one decimal, so his figure stands for all that round to it.
    table["book inside the range"] = [
        "yes" if groups.min()[name] < book + 0.0005 and groups.max()[name] >= book - 0.0005 else "no"
        for name, book in ((name, network["book_test_accuracy"]) for name, network in VARIANTS.items())
    ]
    return table


def last_epoch_table(runs):
    """Compare the last epoch's figures with the author's, where he gives them."""
    rows = {}
    for name, network in VARIANTS.items():
        of_network = runs[runs.variant == name]
        for metric, book in (network["book_last_epoch"] or {}).items():
            values = of_network[metric]
            rows[name, metric] = {
                "mean": f"{values.mean():.4f}",
                "lowest": f"{values.min():.4f}",
                "highest": f"{values.max():.4f}",
                "book": f"{book:.4f}",
                "book inside the range": "yes" if values.min() <= book <= values.max() else "no",
            }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["network", "figure"])


def claims_table(runs):
    """Count the seeds with which each claim of the chapter held."""
    by_seed = {name: runs[runs.variant == name].set_index("seed").sort_index() for name in VARIANTS}
    small, large, dropout, deep = by_seed.values()

    def gap(network):
        return network.accuracy - network.val_accuracy

    right = small[[f"right_{digit}" for digit in range(10)]]
    five_as_others = small[[f"five_read_as_{digit}" for digit in range(10) if digit not in (3, 5)]]
    claims = {
        "1000 units test better than 256": large.test_accuracy > small.test_accuracy,
        "The gap between training and validation accuracy is wider with 1000 units than with 256": gap(large)
        > gap(small),
        "Dropout makes the gap narrower": gap(dropout) < gap(large),
        "Two hidden layers with dropout make it narrower again": gap(deep) < gap(dropout),
        "1000 units test better with dropout than without": dropout.test_accuracy > large.test_accuracy,
        "256 units: digit 1 has the most right": right.idxmax(axis=1) == "right_1",
        "256 units: digit 5 has the fewest right": right.idxmin(axis=1) == "right_5",
        "256 units: 5 is read as 3 more often than as any other digit": small.five_read_as_3
        > five_as_others.max(axis=1),
    }
    table = pd.DataFrame({"held with": {claim: f"{held.sum()} of {len(held)} seeds" for claim, held in claims.items()}})
    return table.rename_axis("claim of the chapter")


def draw_accuracies(runs):
    """Draw the test accuracies of each network as points, and the author's as a mark."""
    figure = Figure(figsize=(8, 4), layout="constrained", dpi=120)
    axes = figure.subplots()
    for place, (name, network) in enumerate(VARIANTS.items()):
        values = runs[runs.variant == name].test_accuracy.sort_values() * 100
        spread = place + np.linspace(-0.2, 0.2, len(values))
        axes.plot(spread, values, "o", color="#0072b2", markersize=5, label="one training" if place == 0 else None)
        axes.plot(
            place, network["book_test_accuracy"] * 100, "D", color="#d55e00", markersize=9, markeredgecolor="black",
            label="the author's figure" if place == 0 else None,
        )  # fmt: skip
    axes.set_xticks(range(len(VARIANTS)), VARIANTS)
    axes.set(ylabel="test accuracy, %", title=f"The chapter's four networks, {runs.seed.nunique()} trainings each")
    axes.grid(axis="y", alpha=0.3)
    axes.legend(loc="lower right")
    return figure


def draw_curves(epochs):
    """Draw the mean accuracy of each network by epoch, in training and in validation, with the range seen."""
    figure = Figure(figsize=(12, 4), layout="constrained", dpi=100)
    for axes, name in zip(figure.subplots(1, len(VARIANTS), sharey=True), VARIANTS):
        groups = epochs[epochs.variant == name].groupby("epoch")
        for metric, color, style, label in (
            ("accuracy", "#0072b2", "-", "train"),
            ("val_accuracy", "#d55e00", "--", "validation"),
        ):
            values = groups[metric]
            axes.plot(values.mean(), style, color=color, label=label)
            axes.fill_between(values.mean().index, values.min(), values.max(), color=color, alpha=0.2, linewidth=0)
        axes.set(title=name, xlabel="epoch", xticks=range(1, 11, 3))
        axes.grid(alpha=0.3)
    figure.axes[0].set(ylabel="accuracy")
    figure.axes[0].legend(loc="lower right")
    return figure


def tables(runs):
    """Return the three tables as Markdown."""
    texts = []
    for table in (accuracy_table(runs), last_epoch_table(runs), claims_table(runs)):
        table = table.reset_index()
        rows = [table.columns, ["---"] * len(table.columns), *table.itertuples(index=False)]
        texts.append("\n".join(f"| {' | '.join(row)} |" for row in rows))
    return texts


def report(results, output):
    """Print the tables as Markdown and draw the pictures."""
    print("", *tables(results.runs), sep="\n\n")
    for figure, name in ((draw_accuracies(results.runs), "accuracies"), (draw_curves(results.epochs), "curves")):
        with replaced_whole(output / f"reproduce_{name}.png") as temporary:
            figure.savefig(temporary)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=whole_number(1, 1000), default=20, help="seeds 1 to this (default: 20)")
    parser.add_argument("--jobs", type=whole_number(1, 64), default=2, help="trainings at a time (default: 2)")
    parser.add_argument(
        "--output", type=Path, default=Path(__file__).with_name("results"), help="folder of the results"
    )
    options = parser.parse_args()

    results = Results(options.output)
    wanted = [(variant, seed) for seed in range(1, options.seeds + 1) for variant in VARIANTS]
    missing = [pair for pair in wanted if not results.has(*pair)]
    if missing:
        with replaced_whole(options.output / "reproduce_environment.csv") as temporary:
            describe_environment().to_csv(temporary, index=False)
    with ThreadPoolExecutor(options.jobs) as pool:
        trainings = {pool.submit(train, *pair): pair for pair in missing}
        for training in as_completed(trainings):
            (variant, seed), result = trainings[training], training.result()
            results.add(variant, seed, result)
            done = sum(results.has(*pair) for pair in wanted)
            print(f"{done}/{len(wanted)}  {variant}, seed {seed}: {result['test_accuracy']:.2%}", flush=True)
    report(results, options.output)


if __name__ == "__main__":
    main()
