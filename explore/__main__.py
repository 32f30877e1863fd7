"""`python -m explore`: photos are read, or a page to draw on opens."""

import argparse
import sys
import textwrap
import warnings
from pathlib import Path

from explore.drawing import draw_digit
from explore.photo import DoubtfulReading, check_network, predict_digit
from utils import save_figures


def main():
    if hasattr(sys.stdout, "reconfigure"):  # not in a notebook
        sys.stdout.reconfigure(errors="replace")  # print "?" for characters the console lacks
    description = "Let a saved network read photos, or what you draw on a page in the browser."
    parser = argparse.ArgumentParser("python -m explore", allow_abbrev=False, description=description)
    parser.add_argument("model", help="a model that a script saved with --save, such as digits.keras")
    parser.add_argument("photos", nargs="*", default=[], help="or folders; without any, a page to draw on opens")
    parser.add_argument("--page", metavar="FILE.html", default="digits.html", help="the page's name (digits.html)")
    options = parser.parse_args()
    try:
        model = load_model(options.model)
        if not options.photos:
            return draw_digit(model, options.page)
        check_network(model)
    except (OSError, ValueError) as error:
        sys.exit(f"explore: {error}")
    paths = [path for photo in map(Path, options.photos) for path in (sorted(photo.glob("[!.]*")) or [photo])]
    if len(paths) > 1:
        save_figures("figures")  # rather than open a window for each
    if not all([read_photo(model, path) for path in paths]):
        sys.exit(1)


def load_model(file):
    import keras  # it takes seconds, and --help needs none

    try:
        return keras.saving.load_model(file)
    except Exception as error:  # of many kinds, for a model of another Keras and for a file that is none
        cause = textwrap.shorten(str(error).rpartition("Exception encountered: ")[2], 200)  # Keras names it last
        raise ValueError(f"Keras {keras.__version__} cannot load {file} as a model ({cause})") from error


def read_photo(model, path):
    """Print what is read in a photo, and draw it. Return whether it could be read."""
    with warnings.catch_warnings(record=True) as caught:
        try:
            probabilities = predict_digit(model, path, show=True)
        except (OSError, ValueError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            return False
    doubts = [f"; {warning.message}" for warning in caught if warning.category is DoubtfulReading]
    print(f"{path}: {probabilities.idxmax()} ({probabilities.max():.1%})", *doubts, sep="")
    return True


if __name__ == "__main__":
    main()
