"""One step further than the chapter, in a REPL: your own handwriting, the mistakes, the hidden layer, the hard digits.

Start with `python -i ch6_1.py`: after the training, `model`, `prediction`, `probabilities` and the arrays are there.
Then `from explore import *`. With a saved model, `python explore.py digits.keras` opens the sheet to draw on.
"""

import argparse
import sys

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.widgets import Button
from PIL import Image, ImageOps

from utils import WRONG_COLOR, confusion_matrix, isDisplayAvl, plot_image, plot_images

__all__ = [
    "confident_mistakes",
    "digit_report",
    "draw_digit",
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
    return read_digit(model, image)


def read_digit(model, image):
    """Return the probabilities that `model` gives to one image of shape (28, 28), from 0 to 255, as a pandas Series."""
    probabilities = model.predict_on_batch(image.reshape(1, 784).astype("float32") / 255)[0]
    return pd.Series(probabilities, index=pd.RangeIndex(10, name="digit"), name="probability")


def prepare_image(file):
    """Prepare a photo or scan of one digit the way MNIST was made.

    Args, Raises: see `predict_digit`.

    Returns:
        A uint8 array of shape (28, 28), 0 = paper, 255 = ink.

    Example:
        >>> prepare_image("photo.png").shape
        (28, 28)
    """
    return center_ink(find_ink(read_grey(file)))


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


def center_ink(ink):
    """Turn ink on paper of any size into the picture that the network sees.

    The ink is scaled to fit 20 x 20 pixels keeping its shape, and put into 28 x 28 pixels with its centre of mass in
    the middle, as http://yann.lecun.com/exdb/mnist/ describes it.

    Args:
        ink: a uint8 array of two dimensions, 0 = paper, 255 = ink.

    Returns:
        A uint8 array of shape (28, 28).
    """
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


# Drawn with the mouse


def draw_digit(model):
    """Open a window to draw a digit in with the mouse, and watch the network read it.

    Args:
        model: a trained network of the chapter.

    Returns:
        When the window is closed: a pandas Series of the probabilities of the digits 0 to 9 for what was drawn, NaN
        for an empty sheet.

    Raises:
        ValueError: the network does not take 784 numbers, or does not give ten.
        RuntimeError: no window can be opened.

    Example:
        >>> draw_digit(model).idxmax()  # doctest: +SKIP
        7
    """
    if (model.input_shape, model.output_shape) != ((None, 784), (None, 10)):
        raise ValueError("model must be a network of the chapter, which takes 784 numbers and gives ten")
    if not isDisplayAvl() or "inline" in plt.get_backend():
        raise RuntimeError("draw_digit needs a window: call it from a terminal, on a computer with a screen")
    sheet = Sheet(model)
    try:
        sheet.figure.canvas.start_event_loop()
    finally:
        plt.close(sheet.figure)
    return sheet.probabilities


class Sheet:
    """A window: paper to draw on, the picture that the network sees, and its probabilities as bars."""

    SIZE = 112  # pixels of the paper on each side, four for each of MNIST's
    PEN = 4.5  # half the width of a stroke, in these pixels: two of MNIST's and a little

    def __init__(self, model):
        self.model = model
        with plt.rc_context({"toolbar": "None"}):
            self.figure = plt.figure("Draw a digit", figsize=(9, 4.6))
        self.paper = self.figure.add_axes([0.03, 0.12, 0.42, 0.78], xticks=[], yticks=[])
        self.paper.set_title("draw a digit; c clears; close the window to end", fontsize=10)
        self.drawing = self.paper.imshow(np.zeros((self.SIZE, self.SIZE)), cmap="binary", vmin=0, vmax=255)
        seen = self.figure.add_axes([0.47, 0.12, 0.13, 0.26], xticks=[], yticks=[], title="the network sees")
        self.seen = seen.imshow(np.zeros((28, 28)), cmap="binary", vmin=0, vmax=255)
        chances = self.figure.add_axes([0.66, 0.12, 0.31, 0.78], xlim=(0, 1), yticks=range(10), title="probability")
        self.bars = chances.barh(range(10), np.zeros(10))
        chances.invert_yaxis()
        self.button = Button(self.figure.add_axes([0.47, 0.8, 0.13, 0.1]), "clear")
        self.button.on_clicked(self.clear)

        canvas = self.figure.canvas
        canvas.mpl_connect("button_press_event", self.press)
        canvas.mpl_connect("motion_notify_event", self.move)
        canvas.mpl_connect("button_release_event", self.release)
        canvas.mpl_connect("key_press_event", lambda event: event.key == "c" and self.clear())
        canvas.mpl_connect("close_event", self.close)
        # Strokes are drawn at once; the network is asked now and then, so that drawing never waits for it.
        self.timer = canvas.new_timer(interval=30, callbacks=[(self.read, (), {})])
        read_digit(model, np.zeros((28, 28)))  # Keras compiles its function when it is first called
        self.clear()
        self.timer.start()
        plt.show(block=False)

    def clear(self, event=None):
        self.ink = np.zeros((self.SIZE, self.SIZE), "uint8")
        self.pen = None  # where it touches the paper
        self.changed = True
        self.read()

    def position(self, event):
        return self.paper.transData.inverted().transform((event.x, event.y))

    def press(self, event):
        if event.inaxes is self.paper and event.button == 1:
            self.pen = self.position(event)
            self.move(event)

    def release(self, event):
        self.pen = None

    def move(self, event):
        """Draw a straight stroke from where the pen was to where it is, so that a quick movement leaves no gaps."""
        if self.pen is None:
            return
        start, self.pen = self.pen, self.position(event)
        stroke = self.pen - start
        pixels = np.stack(np.meshgrid(np.arange(self.SIZE), np.arange(self.SIZE)), axis=-1) - start
        along = np.clip(pixels @ stroke / max(stroke @ stroke, 1e-9), 0, 1)  # the nearest point of the stroke
        distance = np.hypot(*np.moveaxis(pixels - along[..., None] * stroke, -1, 0))
        soft = np.uint8(255 * np.clip((self.PEN + 1 - distance) / 2, 0, 1))
        self.ink = np.maximum(self.ink, soft)
        self.changed = True
        self.drawing.set_data(self.ink)
        self.figure.canvas.draw_idle()

    def close(self, event):
        self.timer.stop()
        self.figure.canvas.stop_event_loop()

    def read(self):
        """Let the network read what was drawn since it was last asked, and move the bars."""
        if not self.changed:
            return
        self.changed = False
        image = center_ink(self.ink) if self.ink.any() else np.zeros((28, 28), "uint8")
        self.probabilities = read_digit(self.model, image)
        if not self.ink.any():
            self.probabilities[:] = np.nan
        for digit, bar in enumerate(self.bars):
            bar.set_width(np.nan_to_num(self.probabilities[digit]))
            bar.set_color(WRONG_COLOR if self.probabilities[digit] == self.probabilities.max() else "#0072b2")
        self.drawing.set_data(self.ink)
        self.seen.set_data(image)
        self.figure.canvas.draw_idle()


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


if __name__ == "__main__":
    import keras

    parser = argparse.ArgumentParser(description="Draw a digit with the mouse and watch a saved network read it.")
    parser.add_argument("file", help="a model that a script saved with --save, such as digits.keras")
    file = parser.parse_args().file
    try:
        print(draw_digit(keras.saving.load_model(file)))
    except (OSError, ValueError, RuntimeError) as error:
        sys.exit(f"explore.py: {error}")
