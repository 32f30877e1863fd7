"""What both benchmarks need: where the project is, a file written whole, a record of where figures were measured."""

import contextlib
import datetime
import importlib.metadata
import os
import platform
import sys
from pathlib import Path

import pandas as pd

PROJECT = Path(__file__).resolve().parent.parent
sys.path.append(str(PROJECT))

from replay.author import NETWORKS as AUTHOR  # noqa: E402

# By the names that the tables have, the figures alone: without the ranges that these tables are the source of.
NETWORKS = {
    facts["title"]: facts | {"name": name, "book": {figure: author for figure, (author, _) in facts["book"].items()}}
    for name, facts in AUTHOR.items()
}


@contextlib.contextmanager
def replaced_whole(path):
    """Give the block a path to write to, and put what it wrote in the place of `path` once it is complete."""
    temporary = path.with_name(f".unfinished-{os.getpid()}{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def record_environment(path, packages):
    """Write a table of the machine, the versions, the date and the command."""
    rows = {
        "date": datetime.date.today().isoformat(),
        "command": " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]]),
        "machine": platform.platform(terse=True),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
    rows |= {package: importlib.metadata.version(package) for package in packages}
    pd.DataFrame({"what": rows.keys(), "value": rows.values()}).to_csv(path, index=False)


def as_markdown(table):
    """Return a pandas DataFrame of texts, its index included, as a Markdown table."""
    table = table.reset_index()
    rows = [table.columns, ["---"] * len(table.columns), *table.itertuples(index=False)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
