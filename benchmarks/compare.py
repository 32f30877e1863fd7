"""How fast is it? The chapter's trainings as the book calls Keras, by this project, by PyTorch.

In each round every entry runs once, as a whole process with all cores: 10 epochs with validation,
then the test accuracy. A shared machine may be twice as fast a minute later, so only figures of
one round compare. The tables give medians, and medians of the ratios within a round. Each figure
goes to `results/compare.csv` at once, and an interrupted run goes on where it stopped.

Keras starts a second later where it finds scikit-learn. So run this where only `requirements.txt`
is installed, and name a second Python that has PyTorch: `--pytorch ../torch/bin/python`.
"""

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import time

import pandas as pd
from environment import NETWORKS, PROJECT, RESULTS, SCRIPTS, book_options, record_machine, replacing, write_tables

ENTRIES = ("book", "script", "replay", "by hand", "PyTorch")
KEY = ["round", "network", "entry"]
TIMES = RESULTS / "compare.csv"

# An entry's figure divided by another's, in every network at most this.
TARGETS = [
    ("replay", "whole", "PyTorch", 0.9),
    ("by hand", "whole", "PyTorch", 1),
    ("script", "whole", "book", 1.05),
    ("replay", "memory", "book", 1),
    ("by hand", "memory", "book", 1),
]


def command(entry, network, pytorch=sys.executable):
    """Return the words that run an entry."""
    facts = NETWORKS[network]
    units = list(map(str, facts["hidden"]))
    layers = book_options(network)
    script, *options = SCRIPTS[network]
    by_hand = [PROJECT / "by_hand.py", "--hidden", *units, *["--dropout"] * (facts["dropout"] > 0)]
    return {
        "book": [sys.executable, PROJECT / "benchmarks/book.py", *layers],
        "script": [sys.executable, PROJECT / script, *options],
        "replay": [sys.executable, "-m", "replay", facts["name"]],
        "by hand": [sys.executable, *by_hand],
        "PyTorch": [pytorch, PROJECT / "benchmarks/pytorch.py", *layers],
    }[entry]


def measure(words):
    """Run a program and return what it took: seconds, and MB of memory."""
    own = os.environ | {"MPLBACKEND": "agg", "PYTHONPATH": str(PROJECT)}
    with tempfile.TemporaryDirectory() as folder:
        quiet = dict.fromkeys(("stdout", "stderr"), subprocess.DEVNULL)
        begin = time.perf_counter()
        process = subprocess.Popen(list(map(str, words)), cwd=folder, env=own, **quiet)
        _, status, usage = os.wait4(process.pid, 0)
        whole = time.perf_counter() - begin
    if status:
        raise RuntimeError(f"{words} ended with status {os.waitstatus_to_exitcode(status)}")
    return {"whole": whole, "memory": usage.ru_maxrss / 1000}


def targets_table(results):
    """Compare the medians of the ratios within a round with the targets."""
    rows = {}
    for entry, figure, other, limit in TARGETS:
        cells = {}
        for network in NETWORKS:
            of_network = results[results.network == network]
            table = of_network.pivot(index="round", columns="entry", values=figure)
            table = table.reindex(columns=ENTRIES).astype(float)
            value = (table[entry] / table[other]).median()
            cells[network] = "" if pd.isna(value) else f"{value:.2f}{' (missed)' if value > limit else ''}"
        rows[f"{entry} / {other}, {figure}"] = {"at most": f"{limit:g}", **cells}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("ratio")


def figures_table(results):
    """Show the medians, and in brackets the lowest and the highest."""
    rows = []
    for network, entry in itertools.product(NETWORKS, ENTRIES):
        of_entry = results[(results.network == network) & (results.entry == entry)]
        if len(of_entry):
            cells = []
            for figure, form in (("whole", "{:.1f} s"), ("memory", "{:.0f} MB")):
                low, median, high = (form.format(of_entry[figure].quantile(q)) for q in (0, 0.5, 1))
                cells.append(f"{median} ({low} to {high})")
            rows.append((network, entry, *cells))
    columns = ["network", "entry", "whole process", "memory"]
    return pd.DataFrame(rows, columns=columns).set_index("network")


def tables(results):
    return [targets_table(results), figures_table(results)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--rounds", type=int, default=3, help="rounds (default: 3)")
    help = "the Python that has PyTorch (default: this one)"
    parser.add_argument("--pytorch", type=os.path.abspath, default=sys.executable, help=help)
    options = parser.parse_args()

    results = pd.read_csv(TIMES)
    for key in itertools.product(range(1, options.rounds + 1), NETWORKS, ENTRIES):
        if key in set(results[KEY].itertuples(index=False, name=None)):
            continue
        row = {**dict(zip(KEY, key)), **measure(command(key[2], key[1], options.pytorch))}
        results = pd.DataFrame([*results.to_dict("records"), row])
        with replacing(TIMES) as temporary:
            results.to_csv(temporary, index=False, float_format="%.6g")
        record_machine(TIMES.with_name("compare_environment.csv"))
        print(f"round {', '.join(map(str, key))}: {row['whole']:.1f} s", flush=True)
    write_tables(tables(results))


if __name__ == "__main__":
    main()
