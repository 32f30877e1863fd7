"""Are the book's figures true? Make the author's run again, and train the four networks with many seeds.

- The proof: the author's figures beside those of `python replay`, seed 10, and what rounding does to them: the same run
  with the arithmetic done in other ways.
- The seeds: each network with seeds 1 to 20, once by the script as it is, once by the replay. Does the chapter hold?

Each training runs in a process and on a core of its own, so that its figures do not depend on how many run at once.
Dask hands them to the cores of this machine, or of a cluster that is already running: start its workers, one thread
each, in a copy of the project. Results go to `results/reproduce_*.csv` as they come, and a run that was stopped goes on
where it was. At the end the tables are printed as Markdown and the pictures drawn.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from environment import NETWORKS, PROJECT, as_markdown, command, record_environment, replaced_whole
from matplotlib.figure import Figure

from command_line import whole_number

METRICS = ["loss", "accuracy", "val_loss", "val_accuracy"]
KEY = ["program", "network", "seed", "arithmetic"]
TEXTS = {"predictions_from_240": str, "fives_read_as_3": str}
USUAL = "one thread"
ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}

# How the arithmetic of a training is done: changes of the environment that TensorFlow reads.
ARITHMETIC = {
    USUAL: ONE_THREAD,
    "two threads": {"TF_NUM_INTRAOP_THREADS": "2"},
    "four threads": {"TF_NUM_INTRAOP_THREADS": "4"},
    "oneDNN off": {**ONE_THREAD, "TF_ENABLE_ONEDNN_OPTS": "0"},
    "XLA": {**ONE_THREAD, "TF_XLA_FLAGS": "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit"},
}

# Run by a process of its own: a script or the replay as a reader runs it, then its variables as JSON on the last line.
TRAIN = """
import json, runpy, sys
sys.argv = sys.argv[1:]
run = runpy.run_path(sys.argv[0], run_name="__main__")
df = run["df"]
print(json.dumps({
    "test_accuracy": run["scores"][1],
    "history": run["train_history"].history,
    "right": [int(((df.label == digit) & (df.predict == digit)).sum()) for digit in range(10)],
    "five_read_as": [int(((df.label == 5) & (df.predict == digit)).sum()) for digit in range(10)],
    "predictions_from_240": " ".join(map(str, df.predict[240:250])),
    "fives_read_as_3": " ".join(map(str, df.index[(df.label == 5) & (df.predict == 3)])),
}))
"""


def train(arguments, environment):
    """Run a script or the replay in a process of its own, in the copy of the project where the Dask worker was started.

    Args:
        arguments: what a reader types after `python`.
        environment: variables to be changed.

    Returns:
        The dictionary that `TRAIN` prints.
    """
    program = Path(arguments[0]).absolute()
    if not program.exists():
        raise FileNotFoundError(f"start the Dask workers in a copy of the project: there is no {program}")
    with tempfile.TemporaryDirectory() as folder:
        ended = subprocess.run(
            [sys.executable, "-c", TRAIN, program, *arguments[1:]],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(program.parent), "MPLBACKEND": "agg", **environment},
            capture_output=True,
            encoding="utf-8",
        )
    if ended.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with status {ended.returncode}:\n{ended.stderr}")
    return json.loads(ended.stdout.splitlines()[-1])


def list_trainings(seeds):
    """Return the keys of all trainings: tuples of program, network, seed and arithmetic."""
    of_replay = [("replay", network, 10, arithmetic) for network in NETWORKS for arithmetic in ARITHMETIC]
    of_seeds = [
        (program, network, seed, USUAL)
        for seed in sorted(range(1, seeds + 1), key=lambda seed: seed != 10)  # the book's first
        for program in ("script", "replay")
        for network in NETWORKS
    ]
    return list(dict.fromkeys(of_replay + of_seeds))


class Results:
    """Two tables: a row for each training, and a row for each epoch of each training."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.paths = {"runs": folder / "reproduce_runs.csv", "epochs": folder / "reproduce_epochs.csv"}
        self.runs, self.epochs = (
            pd.read_csv(path, dtype=TEXTS, keep_default_na=False) if path.exists() else pd.DataFrame(columns=KEY)
            for path in self.paths.values()
        )

    def done(self):
        return set(self.runs[KEY].itertuples(index=False, name=None))

    def add(self, training, result):
        """Add a training and write both tables, the epochs first: a training counts once it is in `runs`."""
        key = dict(zip(KEY, training))
        epochs = pd.DataFrame(result["history"])[METRICS]
        run = {
            **key,
            "test_accuracy": result["test_accuracy"],
            **epochs.iloc[-1],
            **{f"right_{digit}": count for digit, count in enumerate(result["right"])},
            **{f"five_read_as_{digit}": count for digit, count in enumerate(result["five_read_as"])},
            "predictions_from_240": result["predictions_from_240"],
            "fives_read_as_3": result["fives_read_as_3"],
        }
        epochs = epochs.assign(**key, epoch=range(1, len(epochs) + 1))[[*KEY, "epoch", *METRICS]]
        self.epochs = pd.DataFrame([*self.epochs.to_dict("records"), *epochs.to_dict("records")])
        self.epochs = self.epochs.drop_duplicates([*KEY, "epoch"], keep="last").sort_values([*KEY, "epoch"])
        self.runs = pd.DataFrame([*self.runs.to_dict("records"), run]).sort_values(KEY)
        for name in ("epochs", "runs"):
            with replaced_whole(self.paths[name]) as temporary:
                getattr(self, name).to_csv(temporary, index=False, float_format="%.9g")


def run_trainings(trainings, results, workers=None, scheduler=None):
    """Let Dask run the trainings that `results` has not, and add each as it comes.

    Args:
        trainings: keys, as `list_trainings` gives them.
        results: the `Results`.
        workers: how many trainings at a time on this machine; one for each core without it.
        scheduler: the address of a Dask scheduler that is running already, such as `tcp://127.0.0.1:8786`.
    """
    missing = [training for training in trainings if training not in results.done()]
    if not missing:
        return

    from dask.system import CPU_COUNT  # here, for the tables can be made without Dask
    from distributed import Client, LocalCluster, as_completed

    os.chdir(PROJECT)  # where the workers on this machine start
    cluster = scheduler or LocalCluster(n_workers=workers or CPU_COUNT, threads_per_worker=1, dashboard_address=None)
    with Client(cluster) as client:
        futures = {}
        for place, training in enumerate(missing):
            program, network, seed, arithmetic = training
            arguments = [*(["replay"] if program == "replay" else []), *command(network), "--seed", str(seed)]
            key = ("train", *training)  # with one first word, Dask hands them out in the order of their priority
            future = client.submit(train, arguments, ARITHMETIC[arithmetic], key=key, priority=-place)
            futures[future] = training
        for future, result in as_completed(futures, with_results=True):
            results.add(futures[future], result)
            print(
                f"{len(trainings) - len(set(trainings) - results.done())}/{len(trainings)}  "
                f"{', '.join(map(str, futures[future]))}: {result['test_accuracy']:.2%}",
                flush=True,
            )
    if not scheduler:
        cluster.close()


def proof_table(runs):
    """Put the author's figures beside the replay's, seed 10, and the ranges with other arithmetic and other seeds."""
    replays = runs[(runs.program == "replay") & (runs.seed == 10)]
    others = of_seeds(runs, "replay").query("seed != 10")
    rows = []
    for network in NETWORKS:
        of_network, of_others = (table[table.network == network] for table in (replays, others))
        usual = of_network[of_network.arithmetic == USUAL].iloc[0]
        for figure, author in NETWORKS[network]["book"].items():
            rounded, reseeded = (spread(table, figure, author) for table in (of_network, of_others))
            rows.append((network, figure, author, printed(usual, figure), rounded, reseeded))
    columns = ["network", "figure", "the author", "the replay", "with other rounding", "with other seeds"]
    return pd.DataFrame(rows, columns=columns).set_index("network")


def printed(run, figure):
    """Return a figure of a run in the form in which the book prints it."""
    texts = {
        **{metric: f"{run[metric]:.4f}" for metric in METRICS},
        "test accuracy": f"{run.test_accuracy:.1%}",
        "predictions from 240 on": run.predictions_from_240,
        "every 5 read as 3": run.fives_read_as_3,
        "digit 1 right": str(run.right_1),
        "digit 5 right": str(run.right_5),
    }
    return texts[figure]


def spread(runs, figure, author):
    """Return the range of a figure in some runs; for a list of numbers, how much of the author's they have."""
    values, wanted = [printed(run, figure) for _, run in runs.iterrows()], author.split()
    if figure == "predictions from 240 on":
        return f"the same in {values.count(author)} of {len(values)}"
    if figure == "every 5 read as 3":
        found = [len(set(value.split()) & set(wanted)) for value in values]
        more = [len(set(value.split()) - set(wanted)) for value in values]
        return f"{low_to_high(found)} of these {len(wanted)}, and {low_to_high(more)} more"
    return low_to_high(values)


def low_to_high(values):
    low, high = min(values), max(values)
    return f"{low}" if low == high else f"{low} to {high}"


def arithmetic_table(runs):
    """Show the test accuracy of the replay, seed 10, with the arithmetic done in several ways."""
    replays = runs[(runs.program == "replay") & (runs.seed == 10)]
    table = replays.pivot(index="arithmetic", columns="network", values="test_accuracy")
    return table.loc[list(ARITHMETIC), list(NETWORKS)].map("{:.2%}".format)


def of_seeds(runs, program):
    """Return the runs of a program with the seeds that both programs have finished for all networks."""
    usual = runs[runs.arithmetic == USUAL]
    finished = usual.groupby("seed")[["program", "network"]].apply(lambda of_seed: len(of_seed.drop_duplicates()) == 8)
    return usual[(usual.program == program) & usual.seed.map(finished)]


def accuracy_table(runs):
    """Compare the test accuracies of all seeds, by the scripts and by the replay, with the author's."""
    rows = {}
    for network in NETWORKS:
        for program in ("script", "replay"):
            values = of_seeds(runs, program).query("network == @network").set_index("seed").test_accuracy
            rows[network, program] = {
                "mean": f"{values.mean():.2%}",
                "std": f"{values.std():.2%}",
                "lowest": f"{values.min():.2%}",
                "highest": f"{values.max():.2%}",
                "seed 10": f"{values[10]:.2%}",
                "seeds below it": f"{(values < values[10]).sum()} of {len(values) - 1}",
                "book": NETWORKS[network]["book"]["test accuracy"],
            }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["network", "program"])


def last_epoch_table(runs):
    """Compare the last epoch's figures of all seeds, by the scripts, with the author's, where he gives them."""
    rows = {}
    for network, facts in NETWORKS.items():
        for metric in METRICS:
            if metric in facts["book"]:
                values = of_seeds(runs, "script").query("network == @network")[metric]
                low, high, book = f"{values.min():.4f}", f"{values.max():.4f}", facts["book"][metric]
                inside = "yes" if low <= book <= high else "no"
                mean = f"{values.mean():.4f}"
                rows[network, metric] = {"mean": mean, "lowest": low, "highest": high, "book": book, "inside": inside}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["network", "figure"])


def claims_table(runs):
    """Count the seeds with which each claim of the chapter held, by the scripts and by the replay."""
    held = {program: claims(of_seeds(runs, program)) for program in ("script", "replay")}
    table = pd.DataFrame(held).map(lambda seeds: f"{seeds.sum()} of {len(seeds)} seeds")
    return table.rename_axis("claim of the chapter")


def claims(runs):
    small, large, dropout, deep = (runs[runs.network == name].set_index("seed").sort_index() for name in NETWORKS)

    def gap(network):
        return network.accuracy - network.val_accuracy

    right = small[[f"right_{digit}" for digit in range(10)]]
    others = small[[f"five_read_as_{digit}" for digit in range(10) if digit not in (3, 5)]]
    wide = "The gap between training and validation accuracy is wider with 1000 units than with 256"
    return {
        "1000 units test better than 256": large.test_accuracy > small.test_accuracy,
        wide: gap(large) > gap(small),
        "Dropout makes the gap narrower": gap(dropout) < gap(large),
        "Two hidden layers with dropout make it narrower again": gap(deep) < gap(dropout),
        "1000 units test better with dropout than without": dropout.test_accuracy > large.test_accuracy,
        "256 units: digit 1, with 1,135 images, has the most right": right.idxmax(axis=1) == "right_1",
        "256 units: digit 5, with 892 images, has the fewest right": right.idxmin(axis=1) == "right_5",
        "256 units: 5 is read as 3 more often than as any other digit": small.five_read_as_3 > others.max(axis=1),
    }


def draw_accuracies(runs):
    """Draw the test accuracies of each network as points, seed 10 of the replay and the author's as marks."""
    figure = Figure(figsize=(8, 4), layout="constrained", dpi=120)
    axes = figure.subplots()
    for place, network in enumerate(NETWORKS):
        for program, side, color in (("script", -0.2, "#0072b2"), ("replay", 0.2, "#009e73")):
            values = of_seeds(runs, program).query("network == @network").set_index("seed").test_accuracy * 100
            values = values.sort_values()
            spread = pd.Series(place + side + np.linspace(-0.13, 0.13, len(values)), values.index)
            axes.plot(spread, values, "o", color=color, markersize=4, label=f"{program}, a seed each")
        axes.plot(spread[10], values[10], "o", color="white", markeredgecolor="black", markersize=7,
                  label="replay, seed 10")  # fmt: skip
        book = float(NETWORKS[network]["book"]["test accuracy"].rstrip("%"))
        axes.plot(place, book, "D", color="#d55e00", markersize=9, markeredgecolor="black", label="the author")
    axes.set_xticks(range(len(NETWORKS)), NETWORKS)
    axes.set(ylabel="test accuracy, %", title=f"The chapter's four networks, {len(values)} seeds each")
    axes.grid(axis="y", alpha=0.3)
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[:4], labels[:4], loc="lower right")
    return figure


def draw_curves(epochs):
    """Draw the mean accuracy of each network by epoch, in training and in validation, with the range of the seeds."""
    epochs = of_seeds(epochs, "script")
    figure = Figure(figsize=(12, 4), layout="constrained", dpi=100)
    for axes, network in zip(figure.subplots(1, len(NETWORKS), sharey=True), NETWORKS):
        groups = epochs[epochs.network == network].groupby("epoch")
        for metric, color, style, label in (
            ("accuracy", "#0072b2", "-", "train"),
            ("val_accuracy", "#d55e00", "--", "validation"),
        ):
            values = groups[metric]
            axes.plot(values.mean(), style, color=color, label=label)
            axes.fill_between(values.mean().index, values.min(), values.max(), color=color, alpha=0.2, linewidth=0)
        axes.set(title=network, xlabel="epoch", xticks=range(1, 11, 3))
        axes.grid(alpha=0.3)
    figure.axes[0].set(ylabel="accuracy")
    figure.axes[0].legend(loc="lower right")
    return figure


def tables(runs):
    """Return the tables as Markdown."""
    every_table = (proof_table, arithmetic_table, accuracy_table, last_epoch_table, claims_table)
    return [as_markdown(table(runs)) for table in every_table]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=whole_number(10, 1000), default=20, help="seeds 1 to this (default: 20)")
    parser.add_argument(
        "--workers", type=whole_number(1, 1000), help="trainings at a time on this machine (default: one for each core)"
    )
    parser.add_argument("--scheduler", metavar="tcp://...", help="a Dask scheduler that is running already")
    parser.add_argument(
        "--output", type=Path, default=Path(__file__).with_name("results"), help="folder of the results"
    )
    options = parser.parse_args()

    output = options.output.absolute()
    results, trainings = Results(output), list_trainings(options.seeds)
    if not results.done().issuperset(trainings):
        packages = ("tensorflow", "keras", "numpy", "pandas", "matplotlib", "distributed")
        record_environment(output / "reproduce_environment.csv", packages)
    run_trainings(trainings, results, options.workers, options.scheduler)

    print("", *tables(results.runs), sep="\n\n")
    for figure, name in ((draw_accuracies(results.runs), "accuracies"), (draw_curves(results.epochs), "curves")):
        with replaced_whole(output / f"reproduce_{name}.png") as temporary:
            figure.savefig(temporary)


if __name__ == "__main__":
    main()
