"""Helpers that the chapter's scripts share: the MNIST data, the pictures, the confusion matrix.

Each can be used alone in a REPL, on NumPy arrays, plain lists, pandas objects or tensors. Wrong input raises
`ValueError` (or `TypeError` where a whole number is asked for) with the argument's name. Where figures can be shown,
the plot helpers show theirs at once, in a window or in the notebook; elsewhere `axes.figure.savefig("name.png")` keeps
it.

No helper needs TensorFlow, but for `load_mnist` when the bundled data file is gone.
"""

import hashlib
import io
import logging
import operator
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from command_line import printable, replaced_whole, report_failure

logging.getLogger("matplotlib").setLevel(logging.ERROR)  # no notes about its caches
already_imported = "matplotlib" in sys.modules
named_backend = os.environ.pop("MPLBACKEND", None)  # an unknown name would stop the import
from matplotlib import pyplot as plt
from matplotlib.backends import BackendFilter, backend_registry
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

if not already_imported:
    try:
        plt.switch_backend(named_backend or plt.get_backend())
    except (ImportError, ValueError):  # not a backend, or one that cannot work here
        plt.switch_backend("agg")
    if plt.get_backend().lower() == "webagg":  # it would stop the run at each figure
        plt.switch_backend("agg")
if named_backend:
    os.environ["MPLBACKEND"] = plt.get_backend()

__all__ = [
    "confusion_matrix",
    "is_display_available",
    "isDisplayAvl",
    "keep_figure",
    "load_mnist",
    "misclassified_digits",
    "plot_confusion_matrix",
    "plot_image",
    "plot_images_labels_predict",
    "plot_images_labels_prediction",
    "prediction_table",
    "preprocess_images",
    "show_data",
    "show_predictions",
    "show_train_history",
    "wait_for_windows",
]

MNIST_FILE = Path(__file__).with_name("data") / "mnist.npz"
MNIST_SHA256 = "06af5dfe73b70e3bc1c36439982b18a8d76803db9b544f6fdf838a37fbb01b64"
WRONG_COLOR = "#d55e00"  # the vermilion that Okabe and Ito chose to be told apart by the colour-blind


# The data (chapter 6)


def load_mnist():
    """Load MNIST from the file that comes with the project, or by Keras's download where that file is missing.

    Returns:
        `(x_train, y_train), (x_test, y_test)`, like `keras.datasets.mnist.load_data()`: images uint8 of shape
        (60000, 28, 28) and (10000, 28, 28), 0 = paper, 255 = ink; labels uint8 of shape (60000,) and (10000,), 0 to 9.

    Raises:
        OSError: the file is not, byte for byte, the one that comes with the project, or the download failed.
    """
    try:
        content = MNIST_FILE.read_bytes()
    except FileNotFoundError:
        return download_mnist()
    except OSError as error:
        raise OSError(f"{MNIST_FILE} cannot be read ({error.strerror}); restore it from the project") from error
    if hashlib.sha256(content).hexdigest() != MNIST_SHA256:
        raise OSError(
            f"{MNIST_FILE} is damaged or not MNIST; restore it from the project, or delete it to download MNIST"
        )
    with np.load(io.BytesIO(content), allow_pickle=False) as data:
        return (data["x_train"], data["y_train"]), (data["x_test"], data["y_test"])


def download_mnist():
    import keras

    try:
        return keras.datasets.mnist.load_data()
    except Exception as error:  # Keras raises a bare Exception when a download fails
        raise OSError(f"{MNIST_FILE} is missing and Keras cannot download MNIST ({error}); restore the file") from error


def preprocess_images(images):
    """Turn images into the rows of numbers that the network takes.

    Args:
        images: shape (n, 28, 28), from 0 to 255.

    Returns:
        A float32 array of shape (n, 784), from 0 to 1.

    Raises:
        ValueError: another shape, or a value outside 0 to 255.
    """
    images = as_images(images)
    if images.dtype != np.uint8 and not ((images >= 0) & (images <= 255)).all():
        raise ValueError("images must hold numbers from 0 to 255")
    return images.reshape(len(images), 784).astype("float32") / 255


# The pictures


def is_display_available():
    """Return whether figures can be shown: in a window, or inline in a notebook."""
    return plt.get_backend().lower() not in backend_registry.list_builtin(BackendFilter.NON_INTERACTIVE)


isDisplayAvl = is_display_available  # its name in the book


def new_figure(width, height):
    """Return an empty figure of `width` x `height` inches, which a window or notebook knows of only if there is one."""
    if not is_display_available():
        return Figure(figsize=(width, height), layout="constrained")
    with plt.rc_context({"figure.max_open_warning": 0}):
        return plt.figure(figsize=(width, height), layout="constrained")


def show(figure):
    """Show a new figure where that is possible, and go on at once."""
    if is_display_available():
        plt.pause(0.1)  # the time a window takes to appear


def draw_grid(images, titles, marked=(), **colors):
    """Draw up to 25 images, five in a row, the marked places in a red frame; return the array of axes and show it."""
    figure = new_figure(12, 14)
    every_axes = np.array([figure.add_subplot(5, 5, place + 1) for place in range(len(images))])
    for place, axes in enumerate(every_axes):
        axes.imshow(images[place], **{"cmap": "binary", **colors})
        axes.set(xticks=[], yticks=[])
        axes.set_title(titles[place])
        if place in marked:
            axes.title.set(color=WRONG_COLOR, weight="bold")
            axes.spines[:].set(color=WRONG_COLOR, linewidth=4)
    show(figure)
    return every_axes


def plot_image(image):
    """Draw one digit, 2 x 2 inches, black on white.

    Args:
        image: shape (28, 28).

    Returns:
        The Matplotlib axes.

    Raises:
        ValueError: another shape, or no numbers.
    """
    image = as_numbers(image, "image", (28, 28))
    figure = new_figure(2, 2)
    axes = figure.subplots()
    axes.imshow(image, cmap="binary")
    show(figure)
    return axes


def plot_images_labels_predict(images, labels, prediction, idx, num=10):
    """Draw up to 25 digits, five in a row, each under its label and, if given, its prediction.

    A digit's title is `l=5`, or `l=5,p=3` with a prediction. A wrong one has a bold red title and a thick red frame.

    Args:
        images: shape (n, 28, 28).
        labels: n whole numbers.
        prediction: n whole numbers, or `[]` or None for none.
        idx: the first digit to draw, 0 to n - 1.
        num: how many to draw; fewer when the data ends before.

    Returns:
        A NumPy array of the Matplotlib axes, one for each digit.

    Raises:
        ValueError: shapes or lengths that do not fit, `idx` outside the data, `num` below 1.
        TypeError: `idx` or `num` is not a whole number.
    """
    images = as_images(images)
    labels = as_digits(labels, "labels", len(images))
    if prediction is not None:
        prediction = as_array(prediction, "prediction")
        prediction = as_digits(prediction, "prediction", len(images)) if prediction.size else None
    idx, num = as_whole_number(idx, "idx"), as_whole_number(num, "num")
    if not 0 <= idx < len(images):
        raise ValueError(f"idx must be from 0 to {len(images) - 1}, not {idx}")
    if num < 1:
        raise ValueError(f"num must be at least 1, not {num}")

    shown = slice(idx, idx + min(num, 25))
    if prediction is None:
        return draw_grid(images[shown], [f"l={label}" for label in labels[shown]])
    titles = [f"l={label},p={predict}" for label, predict in zip(labels[shown], prediction[shown])]
    return draw_grid(images[shown], titles, marked=np.flatnonzero(labels[shown] != prediction[shown]))


plot_images_labels_prediction = plot_images_labels_predict  # its name in the printed book


def show_train_history(train_history, train, validation):
    """Draw how a metric changed from epoch to epoch, in training and in validation.

    Args:
        train_history: what `model.fit` returned, or its `history` dictionary.
        train: the metric in training: `"accuracy"` or `"loss"`; the book's `"acc"` works too.
        validation: the metric in validation: `"val_accuracy"` or `"val_loss"`; the book's `"val_acc"` works too.

    Returns:
        The Matplotlib axes.

    Raises:
        ValueError: the history has no such metric.
    """
    history = getattr(train_history, "history", train_history)
    if not isinstance(history, dict):
        raise ValueError("train_history must be what fit returned, or its history dictionary")
    curves = [metric_history(history, name, key) for name, key in (("train", train), ("validation", validation))]
    figure = new_figure(6.4, 4.8)
    axes = figure.subplots()
    for curve, marker in zip(curves, "os"):
        axes.plot(curve, marker=marker, markersize=4)
    axes.set(title="Train History", xlabel="Epoch", ylabel=train)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.margins(y=0.2)  # room for the legend above the curves
    axes.legend(["train", "validation"], loc="upper left")
    show(figure)
    return axes


def metric_history(history, name, key):
    """Return the values of one metric, under its present name or its name in the book."""
    present = {"acc": "accuracy", "val_acc": "val_accuracy"}
    for known in (key, present.get(key)) if isinstance(key, str) else ():
        if known in history:
            return as_numbers(history[known], f"train_history[{known!r}]", (None,))
    raise ValueError(f"{name} must be one of {', '.join(map(repr, history))}, not {key!r}")


def plot_confusion_matrix(label, prediction):
    """Draw the confusion matrix as a heat map with its counts; a darker cell has a higher count.

    Args:
        label: n whole numbers, the true digits.
        prediction: n whole numbers, the predicted digits.

    Returns:
        The Matplotlib axes.

    Raises:
        ValueError: lengths that differ, or something else than whole numbers.
    """
    matrix = confusion_matrix(label, prediction)
    figure = new_figure(7, 6)
    axes = figure.subplots()
    color_scale = PowerNorm(0.3, vmin=0, vmax=matrix.to_numpy().max())  # a few errors are seen beside a thousand hits
    axes.imshow(matrix, cmap="Blues", norm=color_scale)
    for row, counts in enumerate(matrix.to_numpy()):
        for column, count in enumerate(counts):
            color = "white" if color_scale(count) > 0.6 else "black"
            axes.text(column, row, count, ha="center", va="center", color=color)
    axes.set_xticks(range(matrix.shape[1]), matrix.columns)
    axes.set_yticks(range(matrix.shape[0]), matrix.index)
    axes.set(title="Confusion Matrix", xlabel="predict", ylabel="label")
    show(figure)
    return axes


# The predictions (chapter 7)


def confusion_matrix(label, prediction):
    """Count how often each label got each prediction.

    Args:
        label: n whole numbers, the true digits.
        prediction: n whole numbers, the predicted digits.

    Returns:
        A pandas DataFrame: a row for each digit in `label`, a column for each in `prediction`, the counts in the cells.

    Raises:
        ValueError: lengths that differ, or something else than whole numbers.
    """
    table = prediction_table(label, prediction)
    return pd.crosstab(table["label"], table["predict"])


def prediction_table(label, prediction):
    """Put labels and predictions side by side, to query as the book does: `df[(df.label == 5) & (df.predict == 3)]`.

    Args:
        label: n whole numbers, the true digits.
        prediction: n whole numbers, the predicted digits.

    Returns:
        A pandas DataFrame with the int64 columns `label` and `predict`; the row's number is the image's.

    Raises:
        ValueError: lengths that differ, or something else than whole numbers.
    """
    label = as_digits(label, "label")
    return pd.DataFrame({"label": label, "predict": as_digits(prediction, "prediction", len(label))})


def misclassified_digits(label, prediction):
    """Return the rows of `prediction_table` in which the prediction is wrong."""
    df = prediction_table(label, prediction)
    return df[df.label != df.predict]


# The steps that are the same in every script


def show_data(X_train_image, y_train_label, X_test_image, figures):
    """Print the sizes of the data (6.2, 6.3) and draw the first digits (6.4, 6.5); `figures` is a folder."""
    print(f"\t[Info] train data={len(X_train_image):7,}")
    print(f"\t[Info] test  data={len(X_test_image):7,}")
    print(f"\t[Info] Shape of train data={X_train_image.shape}")
    print(f"\t[Info] Shape of train label={y_train_label.shape}")
    keep_figure(plot_image(X_train_image[0]), figures, "first_digit")
    keep_figure(plot_images_labels_predict(X_train_image, y_train_label, [], 0, 10), figures, "first_ten_digits")


def show_predictions(X_test_image, df, figures, all_errors=False):
    """Print and draw what the network made of the test images (7.5 to 7.9).

    Args:
        X_test_image: the test images, shape (10000, 28, 28).
        df: their `prediction_table`.
        figures: the folder for the figures where there is no display.
        all_errors: whether to list all wrong predictions, not just the first ten.
    """
    y_test_label, prediction = df.label.to_numpy(), df.predict.to_numpy()

    print("\t[Info] Show 10 prediction result (From 240):")
    print(prediction[240:250])
    keep_figure(
        plot_images_labels_predict(X_test_image, y_test_label, prediction, idx=240), figures, "predictions_from_240"
    )

    print("\t[Info] Error analysis:")
    errors = misclassified_digits(df.label, df.predict)
    listed = errors if all_errors else errors[:10]
    for i, label, predict in listed.itertuples():
        print(f"\tAt {i}'th: {label} is with wrong prediction as {predict}!")
    if len(errors) > len(listed):
        print(f"\t... and {len(errors) - len(listed)} more (--all-errors lists them all)")

    print("\t[Info] Display Confusion Matrix:")
    print(confusion_matrix(y_test_label, prediction).to_string())
    keep_figure(plot_confusion_matrix(y_test_label, prediction), figures, "confusion_matrix")

    print("\t[Info] The first two rows of df:")
    print(df[:2])
    print("\t[Info] Every 5 that was read as 3:")
    print(df[(df.label == 5) & (df.predict == 3)])
    keep_figure(
        plot_images_labels_predict(X_test_image, y_test_label, prediction, idx=340, num=1), figures, "digit_340"
    )


def keep_figure(axes, folder, name):
    """Save a figure as `folder/name.png` and print its path, where there is no display to show it on.

    Args:
        axes: what a plot helper returned.
        folder: a `pathlib.Path`; made if it does not exist.
        name: the file's name without `.png`.
    """
    if is_display_available():
        return
    path = folder / f"{name}.png"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with replaced_whole(path) as temporary:
            np.ravel(axes)[0].figure.savefig(temporary, bbox_inches="tight")
    except OSError as error:
        report_failure(f"The figure {str(path)!r} could not be saved: {error.strerror or error}")
    else:
        print(f"\t[Info] Figure saved: {printable(path)}")


def wait_for_windows():
    """Keep the windows open until they are closed, at the end of a script."""
    if is_display_available():
        plt.show()


# Checks of what a helper was given


def as_array(values, name):
    try:
        array = np.asarray(values)
        return array.astype(float) if array.dtype == object else array
    except Exception as error:  # each kind of tensor has its own
        raise ValueError(f"{name} must be an array of numbers ({error})") from error


def as_numbers(values, name, shape):
    """Return `values` as an array of finite numbers of the given shape, where None stands for any length but 0."""
    array = as_array(values, name)
    if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
        raise ValueError(f"{name} must hold finite numbers")
    if array.size == 0:
        raise ValueError(f"{name} must not be empty")
    if array.ndim != len(shape) or any(want not in (None, size) for want, size in zip(shape, array.shape)):
        wanted = ", ".join("n" if want is None else str(want) for want in shape)
        raise ValueError(f"{name} must have the shape ({wanted}), not {array.shape}")
    return array


def as_images(images):
    return as_numbers(images, "images", (None, 28, 28))


def as_digits(digits, name, length=None):
    """Return `digits` as an int64 array of one dimension, of the given length if there is one."""
    array = as_numbers(digits, name, (None,))
    if (array != np.floor(array)).any() or (abs(array.astype(float)) > 2**53).any():
        raise ValueError(f"{name} must hold whole numbers")
    if length not in (None, len(array)):
        raise ValueError(f"{name} must have {length} entries, one for each image or label, not {len(array)}")
    return array.astype("int64")


def as_whole_number(number, name):
    try:
        return operator.index(number)
    except TypeError:
        raise TypeError(f"{name} must be a whole number, not {number!r}") from None
