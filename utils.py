"""Helpers that the chapter's scripts share: the pictures, the confusion matrix.

Each can be used alone, in a REPL or in a script of your own, on NumPy arrays, lists or pandas Series. Those that draw
return their Matplotlib axes, for several digits an array of them; `axes.figure.savefig("name.png")` keeps a copy. In a
REPL or a notebook a picture comes at once. In a script the windows open at `plt.show()`, or at its end; `plt.figure()`
begins a picture of your own. Where there is no display, pictures are saved under `figures`, and their paths printed.
"""

import atexit
import itertools
import os
import re
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd

if not hasattr(sys, "ps1") and re.search("inline|ipympl|nbagg", os.environ.get("MPLBACKEND", "")):
    matplotlib.use("agg")  # `!python ch6_1.py` in a notebook inherits what shows pictures in the notebook alone
from matplotlib import pyplot as plt
from matplotlib.backends import BackendFilter, backend_registry
from matplotlib.colors import PowerNorm

from mnist import load_data as load_mnist

__all__ = [
    "confusion_matrix", "isDisplayAvl", "load_mnist", "plot_confusion_matrix", "plot_image", "plot_images",
    "plot_images_labels_predict", "plot_images_labels_prediction", "plt", "save_figures", "show_train_history",
]  # fmt: skip

WRONG_COLOR = "#d55e00"  # a red that the colour-blind can tell from black, by Okabe and Ito

figures_folder = Path("figures")
figure_numbers = itertools.count(1)


def isDisplayAvl():
    """Return whether pictures can be shown: in a window, or inline in a notebook."""
    return plt.get_backend().lower() not in backend_registry.list_builtin(BackendFilter.NON_INTERACTIVE)


def save_figures(folder):
    """Save every picture of these helpers from now on in `folder`, numbered from 01, and open no window."""
    global figures_folder, figure_numbers
    figures_folder, figure_numbers = Path(folder), itertools.count(1)
    plt.switch_backend("agg")


def plot_image(image):
    """Draw one digit of shape (28, 28), 2 x 2 inches, black on white, and return the Matplotlib axes."""
    image = np.asarray(image)
    if image.shape != (28, 28):
        raise ValueError(f"image must have the shape (28, 28), not {image.shape}")
    axes = plt.figure(figsize=(2, 2), layout="constrained").subplots()
    axes.imshow(image, cmap="binary")
    show("digit")
    return axes


def plot_images(images, titles, wrong=None, name="digits", **colors):
    """Draw up to 25 images, five in a row, each under its title.

    Args:
        images, titles: shape (n, 28, 28), and n texts.
        wrong: n booleans: which images stand out by a bold orange-red title and a thick frame.
        name, **colors: the name of the file, if it is saved; options of `imshow`, such as `cmap="gray"`.

    Returns an array of n Matplotlib axes; raises ValueError for other shapes or lengths.
    """
    images = np.asarray(images)
    if images.shape[1:] != (28, 28) or not 1 <= len(images) <= 25:
        raise ValueError(f"images must have the shape (n, 28, 28), n from 1 to 25, not {images.shape}")
    wrong = np.zeros(len(images), bool) if wrong is None else np.asarray(wrong)
    check_length("titles", titles, images)
    check_length("wrong", wrong, images)
    rows = (len(images) + 4) // 5
    figure = plt.figure(figsize=(12, 2.8 * rows), layout="constrained")  # the book's 12 x 14 inches for 25 images
    for place, (image, title) in enumerate(zip(images, titles)):
        axes = figure.add_subplot(rows, 5, place + 1, title=title, xticks=[], yticks=[])
        axes.imshow(image, **{"cmap": "binary", **colors})
        if wrong[place]:
            axes.title.set(color=WRONG_COLOR, weight="bold")
            axes.spines[:].set(color=WRONG_COLOR, linewidth=4)
    show(name)
    return np.array(figure.axes)


def plot_images_labels_predict(images, labels, prediction, idx, num=10):
    """Draw up to 25 digits, five in a row, titled `l=5`, or `l=5,p=3` with a prediction; a wrong one stands out in red.

    Args:
        images, labels: shape (n, 28, 28), and n digits.
        prediction: n digits, or `[]` for none.
        idx, num: the first digit to draw, 0 to n - 1, and how many; fewer when the data ends before.

    Returns an array of the Matplotlib axes; raises ValueError for lengths that differ or an `idx` outside the data.
    """
    labels, prediction = np.asarray(labels), np.asarray([] if prediction is None else prediction)
    check_length("labels", labels, images)
    if not 0 <= idx < len(images) or num < 1:
        raise ValueError(f"idx must be from 0 to {len(images) - 1} and num at least 1, not idx={idx} and num={num}")
    shown = slice(idx, idx + min(num, 25))
    titles, wrong = [f"l={label}" for label in labels[shown]], None
    if prediction.size:
        check_length("prediction", prediction, images)
        titles = [f"{title},p={predict}" for title, predict in zip(titles, prediction[shown])]
        wrong = labels[shown] != prediction[shown]
    return plot_images(images[shown], titles, wrong, f"digits_from_{idx}")


plot_images_labels_prediction = plot_images_labels_predict  # its name in the printed book


def show_train_history(train_history, train, validation):
    """Draw how a metric changed from epoch to epoch, and return the Matplotlib axes.

    Args:
        train_history: what `model.fit` returned, or a dictionary such as its `history`.
        train, validation: `"acc", "val_acc"`, or the same as `"accuracy", "val_accuracy"`, or `"loss", "val_loss"`.

    Raises ValueError where the history has no such metric. Without any validation only the training is drawn.
    """
    history = getattr(train_history, "history", train_history)
    # Keras names them as they were asked for in `compile`.
    names = {"acc": "accuracy", "val_acc": "val_accuracy", "accuracy": "acc", "val_accuracy": "val_acc"}
    keys = [key if key in history else names.get(key, key) for key in (train, validation)]
    if not any(key.startswith("val_") for key in history):
        keys.pop()
    for key in keys:
        if key not in history:
            raise ValueError(f"the history has {', '.join(history)}, but no {key!r}")
    axes = plt.figure(figsize=(6.4, 4.8), layout="constrained").subplots()
    for key, label in zip(keys, ("train", "validation")):
        axes.plot(range(1, len(history[key]) + 1), history[key], "o-", markersize=4, label=label)
    axes.set(title="Train History", xlabel="Epoch", ylabel=train)
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    axes.margins(y=0.2)  # room for the legend above the curves
    axes.legend(loc="upper left")
    show(train)
    return axes


def confusion_matrix(label, prediction):
    """Return how often each digit was read as each digit: a pandas DataFrame, 10 labels by 10 predictions.

    `label` and `prediction` are n digits from 0 to 9 each, the true and the predicted ones; else ValueError is raised.
    """
    label, prediction = np.asarray(label), np.asarray(prediction)
    if label.ndim != 1:
        raise ValueError(f"label must have the shape (n,), not {label.shape}")
    check_length("prediction", prediction, label)
    counts = pd.crosstab(label, prediction, rownames=["label"], colnames=["predict"])
    counts = counts.reindex(index=range(10), columns=range(10), fill_value=0)
    if counts.to_numpy().sum() != len(label):
        raise ValueError("label and prediction must hold nothing but digits from 0 to 9")
    return counts


def plot_confusion_matrix(label, prediction):
    """Draw the `confusion_matrix` as a heat map, the more the darker, and return the Matplotlib axes."""
    counts = confusion_matrix(label, prediction).to_numpy()
    axes = plt.figure(figsize=(7, 6), layout="constrained").subplots()
    scale = PowerNorm(0.3, vmin=0, vmax=counts.max())  # so that a few errors are seen beside a thousand hits
    axes.imshow(counts, cmap="Blues", norm=scale)
    for (row, column), count in np.ndenumerate(counts):
        axes.text(column, row, count, ha="center", va="center", color="white" if scale(count) > 0.6 else "black")
    axes.set(title="Confusion Matrix", xlabel="predict", ylabel="label", xticks=range(10), yticks=range(10))
    show("confusion_matrix")
    return axes


def show(name):
    """Show the current figure at once in a REPL or a notebook; in a script leave it open; without a display save it."""
    if not isDisplayAvl():
        path = figures_folder / f"{next(figure_numbers):02}_{name}.png"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            plt.gcf().savefig(path, bbox_inches="tight")
            print(f"\t[Info] Figure saved: {path}")
        except OSError as error:  # a full disk must not end a training
            print(f"The figure {str(path)!r} could not be saved: {error.strerror or error}", file=sys.stderr)
        plt.close()
    elif hasattr(sys, "ps1"):
        plt.show(block=False)


@atexit.register
def show_windows():
    """Show what a script has drawn and not shown, unless it ended with an error."""
    if plt.get_fignums() and isDisplayAvl() and not hasattr(sys, "ps1") and not hasattr(sys, "last_value"):
        plt.show()


def check_length(name, values, others):
    if np.shape(values) != (len(others),):
        raise ValueError(f"{name} must have the shape ({len(others)},), not {np.shape(values)}")
