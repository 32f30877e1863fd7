"""Options for the three scripts."""

import argparse
import re
import sys
from pathlib import Path

from utils import isDisplayAvl, save_figures


def read_options(description, units=None):
    """Return the command-line options. A wrong one ends the program with a sentence."""
    if hasattr(sys.stdout, "reconfigure"):  # not in a notebook
        sys.stdout.reconfigure(errors="replace")  # print "?" for characters the console lacks
    parser = argparse.ArgumentParser(usage=argparse.SUPPRESS, description=description, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    if units:
        parser.add_argument("--units", type=int, default=units, metavar="N", help=f"hidden units ({units})")
    parser.add_argument("--epochs", type=int, default=10, metavar="N", help="passes over 48,000 images (10)")
    parser.add_argument("--batch-size", type=int, default=200, metavar="N", help="images per step (200)")
    parser.add_argument("--seed", type=int, default=10, metavar="N", help="random seed (10)")
    parser.add_argument("--figures", type=Path, metavar="DIR", help="save pictures in DIR; open no windows")
    parser.add_argument("--save", type=Path, metavar="FILE.keras", help="save the trained model")
    parser.add_argument("-f", "--f", help=argparse.SUPPRESS)  # notebook kernels pass it
    options = parser.parse_args()
    if options.save and options.save.suffix != ".keras":
        parser.error(f"--save needs a name ending in .keras, not {str(options.save)!r}")
    for name, value in vars(options).items():
        if isinstance(value, int) and not 1 <= value < 2**32:
            parser.error(f"--{name.replace('_', '-')} must be from 1 to 4294967295, not {value}")
    return options


def prepare_folders(options):
    """Make the folders for pictures and model. Check, before training, that we can write there."""
    if not (options.figures or isDisplayAvl()):
        run = [Path(sys.argv[0]).stem, *re.findall(r"--([\w-]+[ =]\d+)", " ".join(sys.argv[1:]))]
        options.figures = Path("figures", re.sub("[ =]", "_", "_".join(run)))  # such as ch6_1_units_1000
    for path in filter(None, (options.figures and options.figures / "01_digit.png", options.save)):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            is_new = not path.exists()
            path.open("ab").close()
            if is_new:
                path.unlink()
        except OSError as error:
            sys.exit(f"cannot write to {str(path)!r}: {error.strerror}")
    if options.figures:
        save_figures(options.figures)
