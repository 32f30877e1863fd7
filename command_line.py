"""What the chapter's scripts do alike around the chapter: read the options, save the model, end."""

import argparse
import contextlib
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from matplotlib import pyplot as plt

from utils import failures, report_failure, save_figures


def read_options(description, units=None):
    """Return the options of the command line: `epochs`, `batch_size`, `seed`, `figures`, `save`, and perhaps `units`.

    `description` is for `--help`; `units` is the default of `--units`, without it there is no such option. `--figures`
    saves pictures from now on. A wrong option or a path that cannot be written ends the script with one line, status 2.
    """
    parser = argparse.ArgumentParser(
        usage=argparse.SUPPRESS,  # so that an error is one line
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )

    def add_number(option, default, low, high, meaning):
        help = f"{meaning}, {low} to {high:,} (default: {default})"
        parser.add_argument(option, type=whole_number(low, high), default=default, metavar="N", help=help)

    if units:
        add_number("--units", units, 1, 10_000, "units in the hidden layer")
    add_number("--epochs", 10, 1, 1_000_000, "times the training data is gone through")
    add_number("--batch-size", 200, 1, 60_000, "images in one training step")
    add_number("--seed", 10, 0, 2**32 - 1, "where the random numbers start: the same seed, the same result")
    help = "save the pictures in this folder, open no window (default: windows, or figures/ where there is no display)"
    parser.add_argument("--figures", type=writable_folder, metavar="DIR", help=help)
    help = "save the trained model in this file (default: it is not saved)"
    parser.add_argument("--save", type=model_path, metavar="FILE.keras", help=help)
    options = parser.parse_args()
    if options.figures:
        save_figures(options.figures)
    return options


def whole_number(low, high):
    """Return a function that turns text into an integer from `low` to `high`, for `add_argument(type=...)`."""

    def convert(text):
        with contextlib.suppress(ValueError):
            if low <= int(text) <= high:
                return int(text)
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")

    return convert


def model_path(text):
    path = Path(text)
    with contextlib.suppress(OSError):  # raised for a name that is too long
        if path.suffix == ".keras" and not path.is_dir() and path.parent.is_dir():
            writable_folder(path.parent)
            return path
    raise argparse.ArgumentTypeError(f"{text!r} is not a file name that ends in .keras, in a folder that exists")


def writable_folder(text):
    """Return `text` as the path of a folder, made if need be, once a file could be written there."""
    try:
        Path(text).mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=text).close()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"no file can be written in {str(text)!r} ({error.strerror})") from error
    return Path(text)


@contextlib.contextmanager
def saving(model, path):
    """Save `model` at `path` after the training in the block, if there is a path.

    After Ctrl-C or an OSError (a closed pipe) it is saved as far as it came, under a name of its own; else not at all.
    """
    status = None

    def stop(number, frame):
        nonlocal status
        status = 130  # what shells expect after Ctrl-C
        signal.signal(signal.SIGINT, before)
        print("\nStopping for Ctrl-C; once more ends at once, and saves nothing.", file=sys.stderr)
        if model.stop_training is None:  # `fit` has not begun
            raise KeyboardInterrupt
        model.stop_training = True  # an exception in the midst of a step would leave no model to save

    model.stop_training, before = None, signal.signal(signal.SIGINT, stop)
    try:
        try:
            yield
        except OSError as error:
            sys.stdout, status = sys.stderr, f"Training stopped: {error.strerror or error}"
        if path:
            ending = f"_unfinished_{time.strftime('%Y%m%d_%H%M%S')}" if status else ""
            write_model(model, path.with_stem(path.stem + ending))
    except KeyboardInterrupt:
        status = 130
    finally:
        signal.signal(signal.SIGINT, before)
    if status:
        plt.close("all")
        sys.exit(status)


def write_model(model, path):
    """Save a model whole or not at all: an older file is replaced only once the new one is complete."""
    unfinished = path.with_name(f".unfinished_{os.getpid()}.keras")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        model.save(unfinished)
        os.replace(unfinished, path)
    except OSError as error:
        report_failure(f"The model could not be saved as {str(path)!r}: {error.strerror or error}")
    else:
        print(f"\t[Info] Model saved: {path}")
    finally:
        unfinished.unlink(missing_ok=True)


def end_script():
    """End the script with status 1 if a file could not be saved."""
    if failures:
        sys.exit(1)
