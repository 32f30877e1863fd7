"""Are the book's figures true? Make its run again, and train the four networks with many seeds.

- The proof: the book's figures beside those of `python -m replay`, seed 10. The same random numbers
  are trained again with the sums rounded in other ways, and with both epsilons that Adam had.
- The seeds: each network with seeds 1 to 20, by its script and by the replay; 256 units by
  by_hand.py as well. Does what the chapter says hold?
- No seed: each network 20 times by the chapter's own lines, `book.py`, as a reader types them.

Each training has a process and a core of its own. `results/reproduce_runs.csv` gets each result at
once, and an interrupted run goes on where it stopped. At the end the README's tables are made anew.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed

import pandas as pd
from environment import NETWORKS, PROJECT, RESULTS, SCRIPTS, book_options, record_machine, replacing, write_tables

from replay.author import FIVES, from_row, spread, text

RUNS = RESULTS / "reproduce_runs.csv"
SEEDS = range(1, 21)
PROGRAMS = {
    "script": list(NETWORKS),
    "no seed": list(NETWORKS),  # by book.py; a run's number stands in the column of the seed
    "replay": list(NETWORKS),
    "by hand": ["256 units"],
}
KEY = ["program", "network", "seed", "arithmetic"]
TEXTS = {"predictions_from_240": str, "fives_read_as_3": str}
THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OPENBLAS_NUM_THREADS")
USUAL, AS_RUN = "one thread", "two threads"  # here; and `python -m replay` with two cores

# How the replay computes: variables of the environment, the type of its numbers, Adam's epsilon.
# The kernels are those that NumPy's OpenBLAS has for an older processor.
ARITHMETIC = {
    USUAL: ({}, "float32", 1e-8),
    AS_RUN: ({"OPENBLAS_NUM_THREADS": "2"}, "float32", 1e-8),
    "kernels for Haswell": ({"OPENBLAS_CORETYPE": "Haswell"}, "float32", 1e-8),
    "float64": ({}, "float64", 1e-8),
    "one thread, epsilon 1e-7": ({}, "float32", 1e-7),
    "float64, epsilon 1e-7": ({}, "float64", 1e-7),
}

# Run in a process of its own. It prints the figures as JSON.
TRAIN = """
import json, runpy, sys
import numpy as np
program, name, seed, dtype, epsilon, *command = json.loads(sys.argv[1])
if program in ("script", "no seed"):
    sys.argv = command
    run = runpy.run_path(command[0], run_name="__main__")
    accuracy, prediction, labels = run["scores"][1], run["prediction"], run["y_test_label"]
    history = {k.replace("accuracy", "acc"): v for k, v in run["train_history"].history.items()}
else:
    from replay.author import NETWORKS
    from replay.network import Network, load_rows
    (x_train, labels_train), (x_test, labels) = ((x.astype(dtype), y) for x, y in load_rows())
    hidden, dropout = NETWORKS[name]["hidden"], NETWORKS[name]["dropout"]
    if program == "replay":
        network = Network(hidden, dropout, seed, dtype, epsilon)
    else:
        from by_hand import build_network
        network = build_network(hidden, dropout, seed=seed)
    history = network.fit(x_train, labels_train)
    accuracy = network.evaluate(x_test, labels)[1]
    prediction = network.predict(x_test).argmax(axis=1)
right = np.bincount(labels[labels == prediction], minlength=10)
fives = np.bincount(prediction[labels == 5], minlength=10)
print(json.dumps({
    "test_accuracy": float(accuracy),
    **{metric: float(history[metric][-1]) for metric in ("loss", "acc", "val_loss", "val_acc")},
    **{f"right_{digit}": int(right[digit]) for digit in range(10)},
    **{f"five_read_as_{digit}": int(fives[digit]) for digit in range(10)},
    "predictions_from_240": " ".join(map(str, prediction[240:250])),
    "fives_read_as_3": " ".join(map(str, np.nonzero((labels == 5) & (prediction == 3))[0])),
}))
"""


def train(program, network, seed, arithmetic):
    """Train in a process of its own, and return the figures."""
    changes, dtype, epsilon = ARITHMETIC[arithmetic]
    script, *options = SCRIPTS[network]
    options += ["--seed", str(seed)]
    if program == "no seed":
        script, options = "benchmarks/book.py", book_options(network)
    name = NETWORKS[network]["name"]
    arguments = json.dumps([program, name, seed, dtype, epsilon, str(PROJECT / script), *options])
    own = {**dict.fromkeys(THREADS, "1"), "PYTHONPATH": str(PROJECT), "MPLBACKEND": "agg"}
    with tempfile.TemporaryDirectory() as folder:
        ended = subprocess.run(
            [sys.executable, "-c", TRAIN, arguments],
            cwd=folder,
            env=os.environ | own | changes,
            capture_output=True,
            encoding="utf-8",
        )
    if ended.returncode:
        raise RuntimeError(f"{program}, {network}, seed {seed} failed:\n{ended.stderr}")
    return json.loads(ended.stdout.splitlines()[-1])


def list_trainings():
    """Return the keys of all trainings: tuples of program, network, seed and arithmetic."""
    of_author = [("replay", network, 10, how) for how in ARITHMETIC for network in NETWORKS]
    of_seeds = [
        (program, network, seed, USUAL)
        for seed in SEEDS
        for program, networks in PROGRAMS.items()
        for network in networks
    ]
    return list(dict.fromkeys(of_author + of_seeds))


def read_runs(path=RUNS):
    """Return the trainings recorded so far, a row each."""
    if not path.exists():
        return pd.DataFrame(columns=KEY)
    return pd.read_csv(path, dtype=TEXTS, keep_default_na=False)


def add(training, result, path):
    """Add a training to the table in a file, which is replaced whole."""
    run = {**dict(zip(KEY, training)), **result}
    runs = pd.DataFrame([*read_runs(path).to_dict("records"), run]).sort_values(KEY)
    with replacing(path) as temporary:
        runs.to_csv(temporary, index=False, float_format="%.9g")


def run_trainings(trainings, path):
    """Train, as many at once as there are cores, and add each result to the file."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        futures = {pool.submit(train, *training): training for training in trainings}
        for number, future in enumerate(as_completed(futures), start=1):
            add(futures[future], future.result(), path)
            print(f"{number}/{len(trainings)}  {', '.join(map(str, futures[future]))}", flush=True)


def of_seeds(runs, program, network):
    """Return the runs of a program with all seeds, by seed."""
    usual = (runs.program == program) & (runs.network == network) & (runs.arithmetic == USUAL)
    return runs[usual].set_index("seed").sort_index()


def accuracy_range(runs, network, *programs):
    """Return the lowest and the highest test accuracy of all runs: "97.5% to 97.8%"."""
    accuracies = pd.concat([of_seeds(runs, program, network).test_accuracy for program in programs])
    return f"{accuracies.min():.1%} to {accuracies.max():.1%}"


def of_author(runs, network):
    """Return the runs with the book's random numbers, by arithmetic."""
    same = (runs.program == "replay") & (runs.seed == 10) & (runs.network == network)
    return runs[same].set_index("arithmetic").loc[list(ARITHMETIC)]


def figures(runs):
    """Return the figures of some runs, as the replay compares them."""
    return [from_row(row) for _, row in runs.iterrows()]


def proof_table(runs):
    """Put the book's figures beside the replay's, other arithmetic's and other seeds'."""
    rows = []
    for network, facts in NETWORKS.items():
        same = of_author(runs, network)
        (as_run,) = figures(same.loc[[AS_RUN]])
        six, others = figures(same), figures(of_seeds(runs, "replay", network).drop(10))
        for figure, author in facts["book"].items():
            lists = [[run[figure] for run in some] for some in (six, others)]
            ranges = [spread(figure, values, author) for values in lists]
            values = [text(figure, value) for value in (author, as_run[figure])]
            rows.append((network, figure, *values, *ranges))
    columns = ["network", "figure", "the author", "the replay", "the six runs", "other seeds"]
    return pd.DataFrame(rows, columns=columns).set_index("network")


def arithmetic_table(runs):
    """Show the test accuracies of the six runs, and which fives they read as 3."""
    of_network = {network: of_author(runs, network) for network in NETWORKS}
    rows = {}
    for arithmetic in ARITHMETIC:
        row = {name: f"{some.test_accuracy[arithmetic]:.2%}" for name, some in of_network.items()}
        (found,) = figures(of_network["256 units"].loc[[arithmetic]])
        wanted = NETWORKS["256 units"]["book"][FIVES]
        rows[arithmetic] = {**row, "the fives": spread(FIVES, [found[FIVES]], wanted)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("arithmetic")


def accuracy_table(runs):
    """Compare the test accuracies of all seeds, by each program, with the book's."""
    rows = {}
    for network, facts in NETWORKS.items():
        for program in PROGRAMS:
            values = of_seeds(runs, program, network).test_accuracy
            if len(values) == len(SEEDS):
                told = (values.mean(), values.std(), values.min(), values.max())
                names = ("mean", "std", "lowest", "highest")
                below = f"{(values < values[10]).sum()} of {len(values) - 1}"
                of_seed_10 = ("", "") if program == "no seed" else (f"{values[10]:.2%}", below)
                rows[network, program] = {n: f"{value:.2%}" for n, value in zip(names, told)} | {
                    "seed 10": of_seed_10[0],
                    "seeds below it": of_seed_10[1],
                    "book": text("test accuracy", facts["book"]["test accuracy"]),
                }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["network", "program"])


def claims_table(runs):
    """Count the seeds with which each claim of the chapter held, by each program."""
    held = {program: claims(runs, program) for program in ("script", "no seed", "replay")}
    table = pd.DataFrame(held).map(lambda runs: f"{runs.sum()} of {len(runs)} runs")
    return table.rename_axis("claim of the chapter")


def claims(runs, program):
    small, large, dropout, deep = (of_seeds(runs, program, network) for network in NETWORKS)
    gap = [network.acc - network.val_acc for network in (small, large, dropout, deep)]
    right = small[[f"right_{digit}" for digit in range(10)]]
    others = small[[f"five_read_as_{digit}" for digit in range(10) if digit not in (3, 5)]]
    better = large.test_accuracy > small.test_accuracy
    better_with_dropout = dropout.test_accuracy > large.test_accuracy
    threes = small.five_read_as_3 > others.max(axis=1)
    return {
        "1000 units test better than 256": better,
        "The gap between acc and val_acc is wider with 1000 units than with 256": gap[1] > gap[0],
        "Dropout makes the gap narrower": gap[2] < gap[1],
        "Two hidden layers with dropout make it narrower again": gap[3] < gap[2],
        "1000 units test better with dropout than without": better_with_dropout,
        "256 units: digit 1, 1,135 images, has the most right": right.idxmax(axis=1) == "right_1",
        "256 units: digit 5, 892 images, has the fewest right": right.idxmin(axis=1) == "right_5",
        "256 units: 5 is read as 3 more often than as any other digit": threes,
    }


def tables(runs):
    return [table(runs) for table in (proof_table, arithmetic_table, accuracy_table, claims_table)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.parse_args()
    done = set(read_runs()[KEY].itertuples(index=False, name=None))
    trainings = [training for training in list_trainings() if training not in done]
    if trainings:
        record_machine(RUNS.with_name("reproduce_environment.csv"))
        run_trainings(trainings, RUNS)

    write_tables(tables(read_runs()))


if __name__ == "__main__":
    main()
