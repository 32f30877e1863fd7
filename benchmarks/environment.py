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
sys.path += [str(PROJECT), str(PROJECT / "replay")]

from author import NETWORKS  # noqa: E402


def command(network):
    """Return the script of a network and its options, as a reader types them after `python`."""
    script, units = NETWORKS[network]["script"], NETWORKS[network]["units"]
    return [f"{script}.py", *(["--units", str(units)] if units else [])]


@contextlib.contextmanager
def replaced_whole(path):
    """Give the block a path to write to, and put what it wrote in the place of `path` once it is complete."""
    temporary = path.with_name(f".unfinished-{os.getpid()}{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def processor_name():
    """Return the processor's name, which Python's `platform` does not know on Linux."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":")[1].strip()
    return platform.processor()


def record_environment(path, packages):
    """Write a table of the machine, the versions, the date and the command."""
    rows = {
        "date": datetime.date.today().isoformat(),
        "command": " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]]),
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
    }
    for package in packages:
        try:
            rows[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            rows[package] = "not installed"
    with replaced_whole(path) as temporary:
        pd.DataFrame({"what": rows.keys(), "value": rows.values()}).to_csv(temporary, index=False)


def as_markdown(table):
    """Return a pandas DataFrame of texts, its index included, as a Markdown table."""
    table = table.reset_index()
    rows = [table.columns, ["---"] * len(table.columns), *table.itertuples(index=False)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
