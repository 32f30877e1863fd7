"""One step further than the chapter: your own handwriting, the mistakes, the hidden layer, the hard digits.

In a REPL: start with `python -i ch6_1.py`; after the training, `model`, `prediction`, `probabilities` and the arrays
are there. Then `from explore import *`. How a photo is read is in photo.py, the sheet to draw on in drawing.py.

In a terminal, with a model that a script saved with --save:

    python explore.py digits.keras                      opens the sheet to draw on
    python explore.py digits.keras photo.jpg photos     reads photos, and those in folders
"""

import argparse
import sys
import textwrap
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from drawing import draw_digit
from photo import DoubtfulReading, check_network, predict_digit, prepare_image
from utils import confusion_matrix, plot_images, save_figures

__all__ = [
    "confident_mistakes",
    "digit_report",
    "draw_digit",
    "plot_confident_mistakes",
    "plot_hidden_units",
    "predict_digit",
    "prepare_image",
]


# What the network was wrongly sure of


def confident_mistakes(label, probabilities):
    """List the misclassified digits, the most confident mistake first.

    Args:
        label: n digits from 0 to 9, the true ones.
        probabilities: shape (n, 10), what `model.predict` returns.

    Returns:
        A pandas DataFrame with the columns `label`, `predict`, `p_label`, `p_predict` (the probabilities that the
        network gave to the true and to the predicted digit); the row's name is the image's number.

    Raises:
        ValueError: shapes that do not fit, or a label that is no digit.

    Example:
        >>> mistakes = confident_mistakes(y_test_label, probabilities)
        >>> mistakes.p_predict.is_monotonic_decreasing
        True
    """
    label, probabilities = np.asarray(label), np.asarray(probabilities)
    if probabilities.shape != (len(label), 10) or not np.isin(label, range(10)).all():
        raise ValueError(f"for {len(label)} labels from 0 to 9 probabilities must have the shape ({len(label)}, 10)")
    rows, predict = np.arange(len(label)), probabilities.argmax(axis=1)
    df = pd.DataFrame({"label": label, "predict": predict})
    df["p_label"], df["p_predict"] = probabilities[rows, label], probabilities[rows, predict]
    return df[df.label != df.predict].sort_values("p_predict", ascending=False, kind="stable")


def plot_confident_mistakes(images, label, probabilities, num=10):
    """Draw the most confident mistakes, up to 25, each under its label and its prediction with their probabilities.

    Args:
        images: shape (n, 28, 28).
        label, probabilities: see `confident_mistakes`.
        num: how many to draw.

    Returns:
        A NumPy array of the Matplotlib axes, one for each digit.

    Raises:
        ValueError: shapes that do not fit, or no mistake to draw.

    Example:
        >>> axes = plot_confident_mistakes(X_test_image, y_test_label, probabilities, num=5)
        >>> len(axes)
        5
    """
    if len(images) != len(label):
        raise ValueError(f"images must be {len(label)}, one for each label, not {len(images)}")
    mistakes = confident_mistakes(label, probabilities)[: min(num, 25)]
    if mistakes.empty:
        raise ValueError("there is no mistake to draw")
    titles = [f"l={m.label} ({m.p_label:.1%})\np={m.predict} ({m.p_predict:.1%})" for m in mistakes.itertuples()]
    return plot_images(np.asarray(images)[mistakes.index], titles, name="confident_mistakes")


# What the hidden layer looks at


def plot_hidden_units(model, units=None):
    """Draw the weights between the picture and chosen units of the first hidden layer, as pictures on one scale.

    Where a unit's picture is orange, ink makes the unit more active; where it is purple, less.

    Args:
        model: a network of the chapter.
        units: up to 25 numbers of hidden units, counted from 0; without them the first 25.

    Returns:
        A NumPy array of the Matplotlib axes, one for each unit.

    Raises:
        ValueError: the network's first layer does not take 784 numbers; more than 25 units, or one that is not there.

    Example:
        >>> axes = plot_hidden_units(model, units=[0, 1, 2])
        >>> axes[2].get_title()
        'unit 2'
    """
    weights = model.get_weights()[0]
    if weights.shape[:-1] != (784,):
        raise ValueError(f"the model's first layer must take 784 numbers, its weights have the shape {weights.shape}")
    count = weights.shape[1]
    units = list(range(min(count, 25)) if units is None else units)
    if not 1 <= len(units) <= 25 or not set(units) <= set(range(count)):
        raise ValueError(f"units must be up to 25 numbers from 0 to {count - 1}")
    limit = np.abs(weights[:, units]).max()
    pictures = weights[:, units].T.reshape(-1, 28, 28)
    titles = [f"unit {unit}" for unit in units]
    return plot_images(pictures, titles, name="hidden_units", cmap="PuOr_r", vmin=-limit, vmax=limit)


# Which digit is hard


def digit_report(label, prediction):
    """Tell for each digit how well it was read.

    Args:
        label, prediction: n digits from 0 to 9 each, the true and the predicted ones.

    Returns:
        A pandas DataFrame, a row for each digit 0 to 9: `right` and `wrong` (how many of its images were read right
        and wrong), `precision` (the share of right ones among the images read as it), `recall` (the share of right
        ones among its images), `taken_for` (what its wrong ones were most often read as). Where there is nothing to
        tell, NaN or <NA>.

    Raises:
        ValueError: lengths that differ, or a number that is no digit.

    Example:
        >>> digit_report(y_test_label, prediction).right.idxmax()
        1
    """
    counts = confusion_matrix(label, prediction).to_numpy()
    right, images, predicted = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    errors = counts - np.diag(right)
    with np.errstate(invalid="ignore"):
        shares = {"precision": right / predicted, "recall": right / images}
    report = pd.DataFrame({"right": right, "wrong": images - right, **shares}, index=pd.RangeIndex(10, name="digit"))
    report["taken_for"] = pd.array(errors.argmax(axis=1), "Int64")
    report.loc[report.wrong == 0, "taken_for"] = pd.NA
    return report


# From the terminal


def main():
    if hasattr(sys.stdout, "reconfigure"):  # not in a notebook
        sys.stdout.reconfigure(errors="replace")  # print "?" for characters the console lacks
    description = "Let a saved network read photos, or what you draw with the mouse."
    parser = argparse.ArgumentParser(allow_abbrev=False, description=description)
    parser.add_argument("model", help="a model that a script saved with --save, such as digits.keras")
    parser.add_argument("photos", nargs="*", default=[], help="or folders; without any the sheet to draw on opens")
    options = parser.parse_args()
    try:
        model = load_model(options.model)
        if not options.photos:
            print(draw_digit(model))
            return
        check_network(model)
    except (ValueError, RuntimeError) as error:
        sys.exit(f"explore.py: {error}")
    paths = [path for photo in options.photos for path in files(Path(photo))]
    if not paths:
        sys.exit(f"explore.py: there is no file in {', '.join(options.photos)}")
    if len(paths) > 1:
        save_figures("figures")  # rather than open a window for each
    if not all([read_photo(model, path) for path in paths]):
        sys.exit(1)


def load_model(file):
    import keras  # it takes seconds, and --help needs none

    try:
        return keras.saving.load_model(file)
    except Exception as error:  # of many kinds, for a model of another Keras and for a file that is none
        reason = textwrap.shorten(str(error), 100)
        raise ValueError(f"{file} is no model that Keras {keras.__version__} can load ({reason})") from error


def files(path):
    """Return the files of a folder, except hidden ones, by name; or the file alone."""
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))


def read_photo(model, path):
    """Print what is read in a photo, and draw it; return whether it could be read."""
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
