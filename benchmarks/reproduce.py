"""Does the chapter hold? Train its four networks with many seeds and compare with what the author printed.

Each training runs a chapter script from start to end, in a process of its own, and its figures go to
`results/reproduce_runs.csv` and `results/reproduce_epochs.csv` as soon as it ends. A run that was interrupted goes on
where it stopped. At the end, or when all trainings are there already, the tables are printed and the pictures drawn.
"""

import argparse
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import pandas as pd
from environment import PROJECT, VARIANTS, describe_environment

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


if __name__ == "__main__":
    main()
