"""Are the book's figures true? Make the author's run again, and train the four networks with many seeds.

- The proof: the author's figures beside those of `python -m replay`, seed 10, and what the arithmetic does to them: the
  same random numbers, with the sums rounded in other ways and with both epsilons that Keras 2 had for Adam.
- The seeds: each network with seeds 1 to 20, by its script and by the replay. Does the chapter hold?

Each training runs in a process and on a core of its own. Dask hands them to the cores of this machine, or of a cluster
that is running: start its workers, one thread each, in a copy of the project. `results/reproduce_runs.csv` has the
results as they come; a run that was stopped goes on where it was. At the end tables are printed, the picture is drawn.
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
from environment import NETWORKS, PROJECT, as_markdown, record_environment, replaced_whole
from matplotlib.figure import Figure

from replay.author import FIVES, FROM_240

RUNS = Path(__file__).resolve().with_name("results") / "reproduce_runs.csv"
METRICS = ["loss", "acc", "val_loss", "val_acc"]
SCRIPTS = dict(zip(NETWORKS, (["ch6_1.py"], ["ch6_1.py", "--units", "1000"], ["ch7_dropout.py"], ["ch6_2.py"])))
PROGRAMS, SEEDS = ("script", "replay"), range(1, 21)
KEY = ["program", "network", "seed", "arithmetic"]
TEXTS = {"predictions_from_240": str, "fives_read_as_3": str}
ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
USUAL, AS_RUN = "one thread", "two threads"  # of each training here; of `python -m replay` on a computer with two cores

# How the replay's arithmetic is done: variables of the environment, the type of its numbers, and Adam's epsilon, which
# Keras changed from 1e-8 to 1e-7 within version 2. The kernels are those of NumPy's OpenBLAS for an older processor.
ROUNDING = {
    USUAL: ({}, "float32"),
    "two threads": ({"OPENBLAS_NUM_THREADS": "2"}, "float32"),
    "kernels for Haswell": ({"OPENBLAS_CORETYPE": "Haswell"}, "float32"),
    "float64": ({}, "float64"),
}
ARITHMETIC = {rounding: (*how, 1e-8) for rounding, how in ROUNDING.items()}
ARITHMETIC |= {f"{rounding}, epsilon 1e-7": (*ROUNDING[rounding], 1e-7) for rounding in (USUAL, "float64")}

# Run in a process of its own: a script as a reader runs it, or the replay's network; then its figures as JSON.
TRAIN = """
import json, runpy, sys
import pandas as pd
from by_hand import Adam, build_network, load_rows
from replay.author import NETWORKS
from replay.keras2_random import Keras2Random
program, title, seed, dtype, epsilon, *command = json.loads(sys.argv[1])
if program == "script":
    sys.argv = [*command, "--seed", str(seed)]
    run = runpy.run_path(command[0], run_name="__main__")
    scores, df, history = run["scores"], run["df"], run["train_history"].history
else:
    network = next(network for network in NETWORKS.values() if network["title"] == title)
    model = build_network(network["hidden"], network["dropout"], Adam(epsilon=epsilon), Keras2Random(seed))
    for layer in model.layers:
        layer.parameters = [parameter.astype(dtype) for parameter in layer.parameters]
    (x_train, y_train), (x_test, y_test) = ((x.astype(dtype), y) for x, y in load_rows())
    history = model.fit(x_train, y_train)
    scores = model.evaluate(x_test, y_test)
    df = pd.DataFrame({"label": y_test, "predict": model.predict(x_test).argmax(axis=1)})
print(json.dumps({
    "test_accuracy": float(scores[1]),
    **{metric: values[-1] for metric, values in history.items()},
    **{f"right_{digit}": int(((df.label == digit) & (df.predict == digit)).sum()) for digit in range(10)},
    **{f"five_read_as_{digit}": int(((df.label == 5) & (df.predict == digit)).sum()) for digit in range(10)},
    "predictions_from_240": " ".join(map(str, df.predict[240:250])),
    "fives_read_as_3": " ".join(map(str, df.index[(df.label == 5) & (df.predict == 3)])),
}))
"""


def train(program, network, seed, arithmetic):
    """Train in a process of its own, in the copy of the project in which the Dask worker was started."""
    project = Path.cwd()
    if not (project / "by_hand.py").exists():
        raise FileNotFoundError(f"start the Dask workers in a copy of the project: there is none in {project}")
    environment, dtype, epsilon = ARITHMETIC[arithmetic]
    script, *options = SCRIPTS[network]
    arguments = json.dumps([program, network, seed, dtype, epsilon, str(project / script), *options])
    environment = {**ONE_THREAD, "PYTHONPATH": str(project), "MPLBACKEND": "agg", **environment}
    with tempfile.TemporaryDirectory() as folder:
        ended = subprocess.run(
            [sys.executable, "-c", TRAIN, arguments],
            cwd=folder,
            env=os.environ | environment,
            capture_output=True,
            encoding="utf-8",
        )
    if ended.returncode:
        raise RuntimeError(f"{program}, {network}, seed {seed} ended with an error:\n{ended.stderr}")
    return json.loads(ended.stdout.splitlines()[-1])


def list_trainings():
    """Return the keys of all trainings: tuples of program, network, seed and arithmetic."""
    of_author = [("replay", network, 10, arithmetic) for arithmetic in ARITHMETIC for network in NETWORKS]
    of_seeds = [(program, network, seed, USUAL) for seed in SEEDS for program in PROGRAMS for network in NETWORKS]
    return list(dict.fromkeys(of_author + of_seeds))


def read_runs(path):
    """Return the trainings recorded so far, a row each."""
    return pd.read_csv(path, dtype=TEXTS, keep_default_na=False) if path.exists() else pd.DataFrame(columns=KEY)


def add(training, result, path):
    """Add a training to the table in a file, which is replaced whole."""
    run = {**dict(zip(KEY, training)), **result}
    runs = pd.DataFrame([*read_runs(path).to_dict("records"), run]).sort_values(KEY)
    with replaced_whole(path) as temporary:
        runs.to_csv(temporary, index=False, float_format="%.9g")


def run_trainings(trainings, path, scheduler=None):
    """Let Dask run trainings, on this machine's cores or by a `scheduler` that is running; add each to the file."""
    from distributed import Client, LocalCluster, as_completed  # here, for the tables can be made without Dask

    os.chdir(PROJECT)  # where the workers on this machine start
    cluster = scheduler or LocalCluster(threads_per_worker=1, n_workers=os.cpu_count(), dashboard_address=None)
    with Client(cluster) as client:
        # With one first word in their keys Dask hands them out in the order of their priority.
        futures = {
            client.submit(train, *training, key=("train", *training), priority=-place): training
            for place, training in enumerate(trainings)
        }
        for number, (future, result) in enumerate(as_completed(futures, with_results=True), start=1):
            add(futures[future], result, path)
            print(f"{number}/{len(trainings)}  {', '.join(map(str, futures[future]))}", flush=True)
    if not scheduler:
        cluster.close()


def of_seeds(runs, program):
    """Return the runs of a program with the seeds that it has finished for all networks."""
    usual = runs[(runs.program == program) & (runs.arithmetic == USUAL)]
    return usual[usual.seed.map(usual.seed.value_counts()) == len(NETWORKS)]


def of_author(runs):
    """Return the runs with the author's random numbers, one for each arithmetic."""
    return runs[(runs.program == "replay") & (runs.seed == 10)]


def proof_table(runs):
    """Put the author's figures beside the replay's, seed 10, and the ranges with other arithmetic and other seeds."""
    rows = []
    for network, facts in NETWORKS.items():
        of_network = of_author(runs).query("network == @network")
        others = of_seeds(runs, "replay").query("network == @network and seed != 10")
        as_run = of_network[of_network.arithmetic == AS_RUN].iloc[0]
        for figure, author in facts["book"].items():
            ranges = (spread(table, figure, author) for table in (of_network, others))
            rows.append((network, figure, author, printed(as_run, figure), *ranges))
    columns = ["network", "figure", "the author", "the replay", "with other arithmetic", "with other seeds"]
    return pd.DataFrame(rows, columns=columns).set_index("network")


def printed(run, figure):
    """Return a figure of a run in the form in which the book prints it."""
    texts = {
        **{metric: f"{run[metric]:.4f}" for metric in METRICS},
        "test accuracy": f"{run.test_accuracy:.1%}",
        FROM_240: run.predictions_from_240,
        FIVES: run.fives_read_as_3,
        "digit 1 right": str(run.right_1),
        "digit 5 right": str(run.right_5),
    }
    return texts[figure]


def spread(runs, figure, author):
    """Return the range of a figure in some runs; for a list of numbers, how much of the author's they have."""
    values, wanted = [printed(run, figure) for _, run in runs.iterrows()], author.split()
    if figure == FROM_240:
        return f"the same in {values.count(author)} of {len(values)}"
    if figure == FIVES:
        found = [len(set(value.split()) & set(wanted)) for value in values]
        more = [len(set(value.split()) - set(wanted)) for value in values]
        return f"{low_to_high(found)} of these {len(wanted)}, and {low_to_high(more)} more"
    return low_to_high(values)


def low_to_high(values):
    low, high = min(values), max(values)
    return f"{low}" if low == high else f"{low} to {high}"


def arithmetic_table(runs):
    """Show the author's run with each arithmetic: test accuracies, his fives, and the distance from his last epochs."""
    rows = {}
    for arithmetic in ARITHMETIC:
        of_this = of_author(runs).query("arithmetic == @arithmetic").set_index("network")
        accuracies = {network: f"{of_this.test_accuracy[network]:.2%}" for network in NETWORKS}
        fives = spread(of_this.loc[["256 units"]], FIVES, NETWORKS["256 units"]["book"][FIVES])
        distances = [
            abs(of_this.loc[network, metric] - float(facts["book"][metric]))
            for network, facts in NETWORKS.items()
            for metric in METRICS
            if metric in facts["book"]
        ]
        distance = f"{np.mean(distances):.4f}"
        rows[arithmetic] = {**accuracies, "his thirteen fives": fives, "from his last epochs": distance}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("arithmetic")


def accuracy_table(runs):
    """Compare the test accuracies of all seeds, by each program, with the author's."""
    rows = {}
    for network in NETWORKS:
        for program in PROGRAMS:
            values = of_seeds(runs, program).query("network == @network").set_index("seed").test_accuracy
            figures = {"mean": values.mean(), "std": values.std(), "lowest": values.min(), "highest": values.max()}
            rows[network, program] = {name: f"{value:.2%}" for name, value in figures.items()} | {
                "seed 10": f"{values[10]:.2%}",
                "seeds below it": f"{(values < values[10]).sum()} of {len(values) - 1}",
                "book": NETWORKS[network]["book"]["test accuracy"],
            }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["network", "program"])


def claims_table(runs):
    """Count the seeds with which each claim of the chapter held, by each program."""
    held = {program: claims(of_seeds(runs, program)) for program in PROGRAMS}
    table = pd.DataFrame(held).map(lambda seeds: f"{seeds.sum()} of {len(seeds)} seeds")
    return table.rename_axis("claim of the chapter")


def claims(runs):
    small, large, dropout, deep = (runs[runs.network == name].set_index("seed").sort_index() for name in NETWORKS)

    def gap(network):
        return network.acc - network.val_acc

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
        for program, side, color in zip(PROGRAMS, (-0.2, 0.2), ("#0072b2", "#009e73")):
            values = of_seeds(runs, program).query("network == @network").set_index("seed").test_accuracy * 100
            values = values.sort_values()
            across = pd.Series(place + side + np.linspace(-0.13, 0.13, len(values)), values.index)
            axes.plot(across, values, "o", color=color, markersize=4, label=f"{program}, a seed each")
            if program == "replay":
                axes.plot(across[10], values[10], "o", color="white", markeredgecolor="black", label="replay, seed 10")
        book = float(NETWORKS[network]["book"]["test accuracy"].rstrip("%"))
        axes.plot(place, book, "D", color="#d55e00", markersize=8, markeredgecolor="black", label="the author")
    axes.set_xticks(range(len(NETWORKS)), NETWORKS)
    axes.set(ylabel="test accuracy, %", title=f"The chapter's four networks, {len(values)} seeds each")
    axes.grid(axis="y", alpha=0.3)
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[:4], labels[:4], loc="lower right")
    return figure


def tables(runs):
    """Return the tables as Markdown."""
    every_table = (proof_table, arithmetic_table, accuracy_table, claims_table)
    return [as_markdown(table(runs)) for table in every_table]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scheduler", metavar="tcp://...", help="a Dask scheduler that is running already")
    options = parser.parse_args()

    done = set(read_runs(RUNS)[KEY].itertuples(index=False, name=None))
    trainings = [training for training in list_trainings() if training not in done]
    if trainings:
        packages = ("tensorflow", "keras", "numpy", "pandas", "matplotlib", "distributed")
        record_environment(RUNS.with_name("reproduce_environment.csv"), packages)
        run_trainings(trainings, RUNS, options.scheduler)

    runs = read_runs(RUNS)
    print("", *tables(runs), sep="\n\n")
    with replaced_whole(RUNS.with_name("reproduce_accuracies.png")) as temporary:
        draw_accuracies(runs).savefig(temporary)


if __name__ == "__main__":
    main()
