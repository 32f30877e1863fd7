"""What both benchmarks need: networks, files written whole, tables for the README, versions."""

import contextlib
import datetime
import importlib.metadata
import os
import platform
import re
import sys
from pathlib import Path

import pandas as pd

PROJECT = Path(__file__).resolve().parent.parent
RESULTS = PROJECT / "benchmarks/results"
README = PROJECT / "benchmarks/README.md"
sys.path.append(str(PROJECT))

from replay.author import NETWORKS as AUTHOR  # noqa: E402

# By the names that the tables have.
NETWORKS = {facts["title"]: {"name": name, **facts} for name, facts in AUTHOR.items()}
COMMANDS = "ch6_1.py", "ch6_1.py --units 1000", "ch7_dropout.py", "ch6_2.py"
SCRIPTS = {network: command.split() for network, command in zip(NETWORKS, COMMANDS)}


def book_options(network):
    """Return the options of book.py: hidden layers, and dropout or not."""
    facts = NETWORKS[network]
    return [",".join(map(str, facts["hidden"])), str(facts["dropout"] > 0)]


@contextlib.contextmanager
def replacing(path):
    """Give the block a path to write to. Then put the complete file in the place of `path`."""
    temporary = path.with_name(f".unfinished-{os.getpid()}{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def record_machine(path):
    """Write a table of the machine, the versions, the date and the command."""
    rows = {
        "date": datetime.date.today().isoformat(),
        "command": " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]]),
        "machine": platform.platform(terse=True),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
    for package in ("tensorflow", "keras", "numpy", "pandas"):
        rows[package] = importlib.metadata.version(package)
    pd.DataFrame({"what": rows.keys(), "value": rows.values()}).to_csv(path, index=False)


def as_markdown(table):
    """Return a pandas DataFrame of texts, its index included, as a Markdown table."""
    table = table.reset_index()
    rows = [table.columns, ["---"] * len(table.columns), *table.itertuples(index=False)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def write_tables(tables):
    """Put tables into the README: each replaces the table with the same heading."""
    text = README.read_text(encoding="utf-8")
    for table in map(as_markdown, tables):
        heading = re.escape(table.splitlines()[0])
        text = re.sub(rf"(?m)^{heading}\n(\|.*\n)+", lambda _, new=table: f"{new}\n", text)
    with replacing(README) as temporary:
        temporary.write_text(text, encoding="utf-8")
