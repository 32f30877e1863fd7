"""One step further than the chapter, in a REPL: your own handwriting, the mistakes, the hidden layer, the hard digits.

Start with `python -i ch6_1.py`: after the training, `model`, `prediction` and the arrays are there. Then
`from explore import *`.
"""

import numpy as np
import pandas as pd
from PIL import Image, ImageOps

from utils import (
    as_digits,
    as_images,
    as_numbers,
    as_whole_number,
    confusion_matrix,
    draw_grid,
    plot_image,
    prediction_table,
    preprocess_images,
)

__all__ = [
    "confident_mistakes",
    "digit_report",
    "plot_confident_mistakes",
    "plot_hidden_units",
    "predict_digit",
    "prepare_image",
]


# Your own handwriting


def predict_digit(model, file, show=False):
    """Read one handwritten digit from a photo or scan.

    Args:
        model: a trained network of the chapter.
        file: the picture's path: one digit and nothing else, dark on light or light on dark, of any size, in colour or
            grey.
        show: whether to draw the picture as it was prepared for the network.

    Returns:
        A pandas Series of the probabilities of the digits 0 to 9; they add up to 1.

    Raises:
        OSError: there is no such file, or it cannot be read.
        ValueError: the file is no picture, or there is no digit in it.

    Example:
        >>> predict_digit(model, "photo.png").idxmax()
        7
    """
    image = prepare_image(file)
    if show:
        plot_image(image)
    probabilities = model.predict(preprocess_images([image]), verbose=0)[0]
    return pd.Series(probabilities, index=pd.RangeIndex(10, name="digit"), name="probability")


def prepare_image(file):
    """Prepare a photo or scan of one digit the way MNIST was made.

    The ink is found, scaled to fit 20 x 20 pixels keeping its shape, and put into 28 x 28 pixels with its centre of
    mass in the middle, as http://yann.lecun.com/exdb/mnist/ describes it.

    Args, Raises: see `predict_digit`.

    Returns:
        A uint8 array of shape (28, 28), 0 = paper, 255 = ink.

    Example:
        >>> prepare_image("photo.png").shape
        (28, 28)
    """
    ink = find_ink(read_grey(file))
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    digit = Image.fromarray(ink).crop((columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
    scale = 20 / max(digit.size)
    width, height = (max(1, round(side * scale)) for side in digit.size)
    digit = np.asarray(digit.resize((width, height), Image.Resampling.LANCZOS), float)
    if not digit.any():
        raise ValueError("there is no digit in the picture: only specks, far from each other")
    digit *= 255 / digit.max()

    # The centre of mass goes to row and column 14, counted from 0, as far as the digit stays inside.
    top = 14 - np.average(np.arange(height), weights=digit.sum(axis=1))
    left = 14 - np.average(np.arange(width), weights=digit.sum(axis=0))
    top, left = round(np.clip(top, 0, 28 - height)), round(np.clip(left, 0, 28 - width))
    image = np.zeros((28, 28), "uint8")
    image[top : top + height, left : left + width] = digit
    return image


def read_grey(file):
    """Return a picture's brightness as a float array, 0 = black, 255 = white."""
    try:
        with Image.open(file) as picture:
            picture = ImageOps.exif_transpose(picture)  # upright, as the camera was held
            if picture.mode.startswith("I"):  # a scan with 16 bits for each pixel
                picture = Image.fromarray(np.uint8(np.asarray(picture) / 257))
            picture = picture.convert("RGBA")
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        raise
    except Exception as error:  # Pillow's decoders raise errors of many kinds for broken files
        raise ValueError(f"{file} is not a picture that can be read; try JPEG or PNG ({error})") from error
    paper = Image.new("RGBA", picture.size, "white")  # seen through what is transparent
    return np.asarray(Image.alpha_composite(paper, picture).convert("L"), float)


def find_ink(grey):
    """Return how much ink is on each pixel, uint8 from 0 to 255."""
    paper = np.median(grey)  # most of the picture is paper
    ink = paper - grey if paper - grey.min() > grey.max() - paper else grey - paper
    if ink.max() < 40:
        raise ValueError("there is no digit in the picture: hardly anything on it is darker or lighter than the rest")
    faint = 0.25 * ink.max()  # shadows, noise, the grain of the paper
    return np.uint8(255 * np.clip((ink - faint) / (ink.max() - faint), 0, 1))


# What the network was wrongly sure of


def confident_mistakes(label, probabilities):
    """List the misclassified digits, the most confident mistake first.

    Args:
        label: n whole numbers from 0 to 9, the true digits.
        probabilities: shape (n, 10), what `model.predict` returns.

    Returns:
        A pandas DataFrame with the columns `label`, `predict`, `p_label`, `p_predict` (the probabilities that the
        network gave to the true and to the predicted digit); the row's name is the image's number.

    Raises:
        ValueError: shapes that do not fit, or a label that is no digit.

    Example:
        >>> probabilities = model.predict(x_Test_norm, batch_size=10000, verbose=0)
        >>> mistakes = confident_mistakes(y_test_label, probabilities)
        >>> mistakes.p_predict.is_monotonic_decreasing
        True
    """
    probabilities = as_numbers(probabilities, "probabilities", (None, 10))
    df = prediction_table(label, probabilities.argmax(axis=1))
    if not df.label.between(0, 9).all():
        raise ValueError("label must hold digits from 0 to 9")
    df["p_label"] = probabilities[df.index, df.label]
    df["p_predict"] = probabilities[df.index, df.predict]
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
        ValueError: shapes that do not fit, `num` below 1, or no mistake to draw.
        TypeError: `num` is not a whole number.

    Example:
        >>> axes = plot_confident_mistakes(X_test_image, y_test_label, probabilities, num=5)
        >>> len(axes)
        5
    """
    images = as_images(images)
    if as_whole_number(num, "num") < 1:
        raise ValueError(f"num must be at least 1, not {num}")
    label = as_digits(label, "label", len(images))
    mistakes = confident_mistakes(label, probabilities)[: min(num, 25)]
    if mistakes.empty:
        raise ValueError("probabilities hold no mistake: every digit is predicted right")
    titles = [f"l={m.label} ({m.p_label:.1%})\np={m.predict} ({m.p_predict:.1%})" for m in mistakes.itertuples()]
    return draw_grid(images[mistakes.index], titles)


# What the hidden layer looks at


def plot_hidden_units(model, units=range(25)):
    """Draw the weights between the picture and chosen units of the first hidden layer, as pictures on one scale.

    Where a unit's picture is orange, ink makes the unit more active; where it is purple, less.

    Args:
        model: a network of the chapter.
        units: up to 25 numbers of hidden units, counted from 0.

    Returns:
        A NumPy array of the Matplotlib axes, one for each unit.

    Raises:
        ValueError: the network's first layer does not take 784 numbers; more than 25 units, or one that is not there.

    Example:
        >>> axes = plot_hidden_units(model, units=[0, 1, 2])
        >>> axes[2].get_title()
        'unit 2'
    """
    weights = as_numbers(model.get_weights()[0], "the model's first layer of weights", (784, None))
    units = as_digits(units, "units")
    count = weights.shape[1]
    if len(units) > 25 or units.min() < 0 or units.max() >= count:
        raise ValueError(f"units must be up to 25 numbers from 0 to {count - 1}")
    limit = np.abs(weights[:, units]).max()
    pictures = weights[:, units].T.reshape(-1, 28, 28)
    return draw_grid(pictures, [f"unit {unit}" for unit in units], cmap="PuOr_r", vmin=-limit, vmax=limit)


# Which digit is hard


def digit_report(label, prediction):
    """Tell for each digit how well it was read.

    Args:
        label: n whole numbers from 0 to 9, the true digits.
        prediction: n whole numbers from 0 to 9, the predicted digits.

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
    counts = confusion_matrix(label, prediction)
    for name, numbers in (("label", counts.index), ("prediction", counts.columns)):
        if not numbers.isin(range(10)).all():
            raise ValueError(f"{name} must hold digits from 0 to 9")
    counts = counts.reindex(index=range(10), columns=range(10), fill_value=0).to_numpy()
    right, images, predicted = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    errors = counts - np.diag(right)
    with np.errstate(invalid="ignore"):
        shares = {"precision": right / predicted, "recall": right / images}
    report = pd.DataFrame({"right": right, "wrong": images - right, **shares}, index=pd.RangeIndex(10, name="digit"))
    report["taken_for"] = pd.array(errors.argmax(axis=1), "Int64")
    report.loc[report.wrong == 0, "taken_for"] = pd.NA
    return report
