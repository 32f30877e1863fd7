"""The options of the chapter's three scripts, and how they save their model."""

import argparse
import contextlib
import os
import sys
import tempfile
from pathlib import Path

import keras

from utils import isDisplayAvl, save_figures


def read_options(description, units=None):
    """Return the options `epochs`, `batch_size`, `seed`, `figures`, `save`, and `units` if a default for it is given.

    A wrong one ends the script with one line, status 2, before anything is trained. With `figures`, or where no window
    can open, every picture is saved from here on.
    """
    with contextlib.suppress(AttributeError):  # in a notebook
        sys.stdout.reconfigure(errors="replace")  # a letter that the terminal does not have must not end a training
    parser = argparse.ArgumentParser(
        usage=argparse.SUPPRESS, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    if units:
        parser.add_argument("--units", type=at_least_1, default=units, metavar="N", help=f"hidden units ({units})")
    parser.add_argument("--epochs", type=at_least_1, default=10, metavar="N", help="passes over 48,000 images (10)")
    parser.add_argument("--batch-size", type=at_least_1, default=200, metavar="N", help="images in a step (200)")
    parser.add_argument("--seed", type=int, default=10, metavar="N", help="same seed, same result on one CPU (10)")
    parser.add_argument("--figures", type=Path, metavar="DIR", help="save the pictures in this folder, open no window")
    parser.add_argument("--save", type=Path, metavar="FILE.keras", help="save the trained model")
    options = parser.parse_args()
    if not 0 <= options.seed < 2**32:
        parser.error(f"--seed must be from 0 to {2**32 - 1}, not {options.seed}")
    if options.save and (options.save.suffix != ".keras" or options.save.is_dir()):
        parser.error(f"--save takes a file, no folder, whose name ends in .keras, not {str(options.save)!r}")
    if (keras.config.floatx(), keras.config.epsilon()) != ("float32", 1e-7):
        parser.error("keras.json in the folder .keras of your home folder changes floatx or epsilon: take that out")
    for folder in filter(None, (options.figures, options.save and options.save.parent)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            parser.error(f"no file can be written in {str(folder)!r}: {error.strerror}")
    if options.figures or not isDisplayAvl():
        run = Path(parser.prog).stem
        for name in ("units", "epochs", "batch_size", "seed"):
            if getattr(options, name, None) != parser.get_default(name):
                run += f"_{name}_{getattr(options, name)}"  # a folder that tells the run
        save_figures(options.figures or Path("figures", run))
    return options


def at_least_1(text):
    if text.isdecimal() and int(text) >= 1:
        return int(text)
    raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not {text!r}")


def save_model(model, path):
    """Save a model whole or not at all: an older file is replaced only once the new one is complete."""
    unfinished = path.with_stem(f".{path.stem}_unfinished")
    try:
        model.save(unfinished)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    os.replace(unfinished, path)
    print(f"\t[Info] Model saved: {path}")
