"""What both benchmarks need: the four networks, and a record of where figures were measured."""

import datetime
import importlib.metadata
import os
import platform
import sys
from pathlib import Path

import pandas as pd

PROJECT = Path(__file__).resolve().parent.parent

# The author's figures are printed in the book; where it gives none there is None.
VARIANTS = {
    "256 units": {
        "script": "ch6_1.py",
        "options": [],
        "hidden": [256],
        "dropout": False,
        "book_test_accuracy": 0.976,
        "book_last_epoch": None,
    },
    "1000 units": {
        "script": "ch6_1.py",
        "options": ["--units", "1000"],
        "hidden": [1000],
        "dropout": False,
        "book_test_accuracy": 0.979,
        "book_last_epoch": {"loss": 0.0064, "accuracy": 0.9993, "val_loss": 0.0701, "val_accuracy": 0.9807},
    },
    "1000 units, dropout": {
        "script": "ch7_dropout.py",
        "options": [],
        "hidden": [1000],
        "dropout": True,
        "book_test_accuracy": 0.980,
        "book_last_epoch": {"loss": 0.0380, "accuracy": 0.9882, "val_loss": 0.0666, "val_accuracy": 0.9807},
    },
    "2 x 1000 units, dropout": {
        "script": "ch6_2.py",
        "options": [],
        "hidden": [1000, 1000],
        "dropout": True,
        "book_test_accuracy": 0.979,
        "book_last_epoch": {"loss": 0.0523, "accuracy": 0.9828, "val_loss": 0.0786, "val_accuracy": 0.9791},
    },
}


def processor_name():
    """Return the processor's name, which Python's `platform` does not know on Linux."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":")[1].strip()
    return platform.processor()


def describe_environment():
    """Return a table of the machine, the versions, the date and the command."""
    rows = {
        "date": datetime.date.today().isoformat(),
        "command": " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]]),
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
    }
    for package in ("tensorflow", "keras", "numpy", "pandas", "matplotlib", "jax", "torch", "scikit-learn"):
        try:
            rows[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            rows[package] = "not installed"
    return pd.DataFrame({"what": rows.keys(), "value": rows.values()})
