"""Helpers for the three scripts: they draw digits, curves and the confusion matrix.

The `plot_` and `show_` helpers return Matplotlib axes. `axes.figure.savefig("name.png")` saves a copy of a picture.
In a REPL or notebook, a picture appears at once. End a script with `plt.show()`: it opens all windows. If no
window can open, each picture is saved in the folder `figures` and its path printed.
"""

import itertools
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.backends import BackendFilter, backend_registry
from matplotlib.figure import Figure

__all__ = ["confusion_matrix", "isDisplayAvl", "plot_confusion_matrix", "plot_image", "plot_images_labels_predict"]
__all__ += ["plot_images_labels_prediction", "save_figures", "show_train_history"]
WRONG_COLOR = "#d55e00"  # an orange-red that color-blind readers can tell from black
figures_folder, figure_numbers = None, itertools.count(1)


def isDisplayAvl():
    """Return whether pictures can be shown, in a window or below a notebook cell."""
    backend = plt.get_backend().lower()
    if "inline" in backend or "ipympl" in backend:
        return "ipykernel" in sys.modules  # `!python` inherits the notebook's backend but shows nothing
    return backend not in backend_registry.list_builtin(BackendFilter.NON_INTERACTIVE)


def save_figures(folder):
    """From now on, save pictures in `folder`, numbered from 01, and open no windows."""
    global figures_folder, figure_numbers
    figures_folder, figure_numbers = Path(folder), itertools.count(1)


def new_figure(width, height):
    """Return an empty figure, sized in inches, with a window if one can open."""
    make = plt.figure if figures_folder is None and isDisplayAvl() else Figure
    return make(figsize=(width, height), layout="constrained")


def show(axes, name):
    """Show the figure of `axes` at once in a REPL or a notebook. Save it if it has no window. Return `axes`."""
    figure = np.ravel(axes)[0].figure
    if figure.canvas.manager is None:
        path = (figures_folder or Path("figures")) / f"{next(figure_numbers):02}_{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)
        print(f"\t[Info] Figure saved: {path}")
    elif hasattr(sys, "ps1"):  # Python sets ps1 in a REPL and in a notebook
        plt.show(block=False)
    return axes


def plot_image(image):
    """Draw one digit, a (28, 28) array, in black on white, 2 x 2 inches."""
    axes = new_figure(2, 2).subplots()
    axes.imshow(image, cmap="binary")
    return show(axes, "digit")


def plot_images(images, titles, wrong=(), name="digits", **colors):
    """Draw titled images, five to a row, mark the places in `wrong`, and return an array of axes."""
    rows = (len(images) + 4) // 5
    figure = new_figure(12, 2.8 * rows)  # 25 images: 12 x 14 inches, as in the book
    for place, (image, title) in enumerate(zip(images, titles, strict=True)):
        axes = figure.add_subplot(rows, 5, place + 1, title=title, xticks=[], yticks=[])
        axes.imshow(image, **{"cmap": "binary", **colors})
        if place in wrong:
            axes.title.set(color=WRONG_COLOR, weight="bold")
            axes.spines[:].set(color=WRONG_COLOR, linewidth=4)
    return show(np.array(figure.axes), name)


def plot_images_labels_predict(images, labels, prediction, idx, num=10):
    """Draw `num` digits (at most 25), starting at `idx`, and return an array of axes.

    `images` has shape (n, 28, 28). `labels` and `prediction` hold n digits; `[]` means no prediction.
    A title is `l=5`, or `l=5,p=3` with a prediction. A wrong prediction is marked in orange-red.
    """
    labels, wrong = as_digits(labels, images), []
    if not 0 <= idx < len(images) or num < 1:
        raise ValueError(f"idx must be from 0 to {len(images) - 1} and num at least 1, not {idx} and {num}")
    shown = range(idx, min(idx + min(num, 25), len(images)))
    titles = [f"l={labels[i]}" for i in shown]
    if prediction is not None and len(prediction):
        prediction = as_digits(prediction, images)
        titles = [f"l={labels[i]},p={prediction[i]}" for i in shown]
        wrong = [i - idx for i in shown if labels[i] != prediction[i]]
    return plot_images([images[i] for i in shown], titles, wrong, f"digits_from_{idx}")


plot_images_labels_prediction = plot_images_labels_predict  # its name in the printed book


def show_train_history(train_history, train, validation):
    """Draw a metric after each epoch. `train_history` is what `fit` returned, or its `history` dictionary."""
    history = getattr(train_history, "history", train_history).items()  # below, "acc" finds "accuracy", too
    history = {name.replace("accuracy", "acc"): values for name, values in history}
    trained, validated = (history.get(name.replace("accuracy", "acc"), []) for name in (train, validation))
    if not 0 < len(trained) == len(validated):
        raise ValueError(f"the history needs {train} and {validation} for every epoch; it has {', '.join(history)}")
    curves = pd.DataFrame({"train": trained, "validation": validated}, index=range(1, len(trained) + 1))
    axes = new_figure(6.4, 4.8).subplots()
    curves.plot(ax=axes, style="o-", markersize=4, title="Train History", xlabel="Epoch", ylabel=train)
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    axes.margins(y=0.2)  # room for the legend above the curves
    axes.legend(loc="upper left")
    return show(axes, train)


def confusion_matrix(label, prediction):
    """Return a DataFrame of counts: 10 labels by 10 predictions."""
    label, prediction = as_digits(label, label), as_digits(prediction, label)
    counts = pd.crosstab(label, prediction, rownames=["label"], colnames=["predict"])
    return counts.reindex(index=range(10), columns=range(10), fill_value=0)


def plot_confusion_matrix(label, prediction):
    """Draw the `confusion_matrix`: the larger a count, the darker its cell."""
    counts = confusion_matrix(label, prediction).to_numpy()
    shades = (counts / max(counts.max(), 1)) ** 0.3  # so that a few errors show beside a thousand hits
    axes = new_figure(7, 6).subplots()
    axes.imshow(shades, cmap="Blues")
    for place, count in np.ndenumerate(counts):
        axes.text(*place[::-1], count, ha="center", va="center", color="white" if shades[place] > 0.6 else "black")
    axes.set(title="Confusion Matrix", xlabel="predict", ylabel="label", xticks=range(10), yticks=range(10))
    return show(axes, "confusion_matrix")


def as_digits(values, others):
    """Return digits as integers, even from strings like "5". There must be as many as in `others`."""
    digits = np.asarray(values).astype(float)
    if digits.shape != (len(others),) or not np.isin(digits, range(10)).all():
        raise ValueError(f"labels and predictions must be digits from 0 to 9, one for each of {len(others)} images")
    return digits.astype(int)
