"""How a photo becomes a picture like MNIST's, and what a network reads in it.

MNIST's digits are white on black, 20 x 20 pixels, centred in 28 x 28. A photo has shadows, a table at its edge, a pen
of any width and a digit anywhere. The functions below, in their order, turn a photo into such a picture.
"""

import os
import warnings

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from PIL import Image, ImageFilter, ImageOps

import utils

LARGE, SIDE = 1000, 200  # pixels on the longer side of a photo, and of the copy in which a digit is looked for
FAINT, FAINT_AT_EDGE = 12, 70  # of 255: ink takes more of the paper's light. At the edge the light often falls off
STROKE = 20  # pixels of a digit of 200: half of MNIST's digits have strokes of 16 to 22
DOUBTFUL = 0.9  # a probability
FULL = 85  # of 255, the mean of 28 x 28 pixels: one in 10,000 of MNIST's digits has more ink
NO_DIGIT = "there is no digit in the picture: "
NO_SOFTMAX = 'the ten numbers do not add up to 1: give the last layer activation="softmax", and train the model again'


class DoubtfulReading(UserWarning):
    """A digit was read, but perhaps a wrong one."""


warnings.simplefilter("always", DoubtfulReading, append=True)  # each time, in a REPL too


def predict_digit(model, file, show=False):
    """Read one handwritten digit from a photo or scan. A `DoubtfulReading` warns that it may be wrong.

    `file` is the path of a picture with one digit, in any size; or a PIL picture; or an array of shape (28, 28) with
    light ink on black, such as `X_test_image[0]`. `show` draws the photo, what the network sees, and the probabilities.
    Returns a pandas Series, the probabilities of the digits 0 to 9.
    """
    check_network(model)
    image, photo, box, several = prepare(file)
    probabilities = read_digit(model, image)
    doubtful = f"this {probabilities.idxmax()} is doubtful: about half of the readings below 90% are wrong"
    beside = "there are several digits side by side, of which the largest was read"
    for doubt in [doubtful] * bool(probabilities.max() < DOUBTFUL) + [beside] * several:
        warnings.warn(doubt, DoubtfulReading, stacklevel=2)
    if show:
        show_reading(photo, box, image, probabilities)
    return probabilities


def prepare_image(file):
    """Return what the network sees of a picture, uint8, shape (28, 28), 0 = paper, 255 = ink. See `predict_digit`."""
    return prepare(file)[0]


def prepare(file):
    """Return what the network sees, the grey photo, the digit's box, and whether there are several digits."""
    if isinstance(file, np.ndarray):
        if file.shape != (28, 28):
            raise ValueError(f"an array must have the shape (28, 28), as X_test_image[0] has, not {file.shape}")
        image = np.uint8(np.clip(255.0 * file if file.max() <= 1 else file, 0, 255))
        if np.median(image) > 60:
            raise ValueError("the array has dark ink on light paper: give 255 - array, or 1 - array for numbers to 1")
        return image, 255 - image, (0, 0, 28, 28), False
    ink = find_ink(photo := read_grey(file))
    digit, several = look(ink)
    # The digit was found in a small copy. Now look at it close by.
    left, top, width, height = box = [round(length * max(ink.shape) / SIDE) for length in box_of(digit)]
    margin = max(width, height) // 4
    ink = ink[max(0, top - margin) : top + height + margin, max(0, left - margin) : left + width + margin]
    image = center(set_stroke_width(look(ink)[0]))
    if image.mean() > FULL:
        raise ValueError(NO_DIGIT + "it is full of ink, or there is nothing but a spot")
    return image, photo, box, several


def read_grey(file):
    """Return a picture's brightness, uint8, 0 = black, 255 = white, LARGE pixels or a few more."""
    if isinstance(file, (str, os.PathLike)):
        if not os.path.isfile(file):
            name = os.fspath(file)
            hint = "" if name.isprintable() else ": the name has an invisible mark in it, so type it by hand"
            hint = ": this is a pattern, so name one file or a folder" if "*" in name or "?" in name else hint
            raise FileNotFoundError(f"there is no file {name!r}{hint}")
    elif not isinstance(file, Image.Image) and not hasattr(file, "read"):
        kind = "None (cv2.imread returns it for a wrong path)" if file is None else f"a {type(file).__name__}"
        raise ValueError(f"file must be one path, one PIL picture or one array, not {kind}")
    try:
        picture = file if isinstance(file, Image.Image) else Image.open(file)
        if picture is not file:
            picture.draft("L", (LARGE, LARGE))  # JPEG files are decoded in a smaller size
        if max(picture.size) >= 2 * LARGE and picture.mode in ("L", "RGB"):
            picture = picture.reduce(max(picture.size) // LARGE)
        picture = ImageOps.exif_transpose(picture)  # upright, as the camera was held
    except Image.DecompressionBombError as error:
        raise ValueError(f"the picture is too large: make it smaller ({error})") from error
    except Exception as error:  # Pillow raises errors of many kinds for broken files
        advice = "save it as JPEG or PNG (an iPhone's HEIC: export it as JPEG)"
        raise ValueError(f"this is no picture that can be read: {advice}; {error}") from error
    if picture.mode[0] in "IF":  # 16 bits or a float for each pixel, often only a part of the range
        return np.uint8(255 * np.asarray(picture, float) / max(np.max(picture), 1e-9))
    if not picture.has_transparency_data:
        return np.asarray(picture.convert("L"))
    grey, alpha = (np.asarray(band, float) for band in picture.convert("LA").split())
    paper = 0 if np.sum(grey * alpha) > 127 * np.sum(alpha) else 255  # the opposite of the ink
    return np.uint8(paper + (grey - paper) * alpha / 255)


def find_ink(grey):
    """Return how much of the paper's light is missing, uint8, 0 = nothing, 255 = all: no shadows."""
    small = scale(grey, 48).astype(float)
    slope = slope_of(small)
    flat = np.pad(np.clip(127 * small / slope, 0, 255), 18, "symmetric").astype("uint8")
    around = np.asarray(Image.fromarray(flat).filter(ImageFilter.MedianFilter(37)))  # mostly paper
    darker = np.subtract(around, flat, dtype=float)
    if -darker.min() > darker.max():  # light ink on dark paper
        grey, small = 255 - grey, 255 - small
        slope = slope_of(small)
    # A closing, a minimum of maxima, tells the paper's brightness, under the ink too. Where the light falls off evenly,
    # a closing without this fall is better: then less light is missing in all.
    pads = (np.pad(light, 18, "symmetric") for light in (small, small / slope))
    closed, even = (-grow(-grow(light, 15), 15)[18:-18, 18:-18] for light in pads)
    paper = Image.fromarray(np.float32(min(closed, even * slope, key=np.sum)))
    paper = np.maximum(paper.resize(grey.shape[::-1], Image.Resampling.BILINEAR), 1)
    return np.uint8(255 * np.maximum(1 - grey / paper, 0) + 0.5)


def slope_of(small):
    """Return light that falls off evenly to a side: the plane that fits a small picture best."""
    terms = np.stack([np.ones(small.size), *np.indices(small.shape).reshape(2, -1)], axis=1)
    light = terms @ np.linalg.lstsq(terms, small.ravel())[0]
    return np.maximum(light, small.mean() / 5 + 1).reshape(small.shape)


def look(ink):
    """Return the digit in a copy of SIDE pixels, white on black, and whether there are several."""
    ink = np.asarray(Image.fromarray(scale(ink, SIDE)).filter(ImageFilter.GaussianBlur(0.7)))  # without noise
    counts = np.bincount(ink.ravel(), minlength=256)  # Otsu's threshold parts ink and paper best
    below, total = counts.cumsum(), (counts * np.arange(256)).cumsum()
    apart = (total[-1] * below / ink.size - total) ** 2 / np.maximum(below * (ink.size - below), 1)
    digit, several, at_edge = choose_digit(ink > apart.argmax())
    # Paper begins a stroke's width away, beyond its blur. At the edge look nearer: a shadow does not end there.
    away = 2 if at_edge else round(stroke_width(digit))
    paper = grow(digit, 2 * away + 5) & ~grow(digit, 2 * away + 1)
    contrast = ink[digit].mean() - (ink[paper].mean() if paper.any() else 0)
    if contrast < (FAINT_AT_EDGE if at_edge else FAINT):
        raise ValueError(NO_DIGIT + "nothing on it stands out from the paper as ink does")
    return digit, several


def choose_digit(mask):
    """Return the digit among the parts of the ink, whether another is beside it, whether it is at the edge."""
    if not mask.any():
        raise ValueError(NO_DIGIT + "it is all of one brightness")
    labels = label_parts(grow(mask, 5))  # a pen that runs dry leaves gaps
    row, column = np.nonzero(labels)
    parts = pd.DataFrame({"top": row, "bottom": row, "left": column, "right": column, "area": row})
    by = {"top": "min", "bottom": "max", "left": "min", "right": "max", "area": "size"}
    parts = parts.groupby(labels[row, column]).agg(by)
    parts["height"] = parts.bottom - parts.top + 1
    parts["length"] = np.maximum(parts.height, parts.right - parts.left + 1)
    # What touches the edge is the table, unless there is nothing else of a fair size.
    bottom, right = (side - 4 for side in mask.shape)
    inside = (parts.left >= 4) & (parts.top >= 4) & (parts.right < right) & (parts.bottom < bottom)
    at_edge = not inside.any() or parts.length[inside].max() < parts.length.max() / 4
    parts = parts if at_edge else parts[inside]
    # The digit is the largest part with what is near, such as the roof of a 5. What is as tall and beside it is another
    # digit. Gaps are below 0 where two parts overlap.
    digit = parts.loc[parts.area.idxmax()]
    across = np.maximum(parts.left - digit.right, digit.left - parts.right) - 1
    down = np.maximum(parts.top - digit.bottom, digit.top - parts.bottom) - 1
    beside = (across > 0) & (down < 0) & (parts.height > 0.6 * digit.height) & (parts.area > 0.3 * digit.area)
    near = (np.maximum(across, down) < digit.length / 4) & (parts.area > 0.03 * digit.area)
    return mask & np.isin(labels, parts.index[near & ~beside]), bool(beside.any()), at_edge


def label_parts(mask):
    """Give each connected part of `mask` a number of its own, and the paper 0."""
    labels, before = np.arange(1, mask.size + 1).reshape(mask.shape) * mask, None  # first each pixel its own
    while not np.array_equal(labels, before):
        before, labels = labels, grow(labels, 3) * mask  # the largest number around
        labels = np.append(0, labels)[labels]  # a number names a pixel: take that pixel's number
    return labels


def set_stroke_width(digit):
    """Scale white ink on black to 200 pixels, and make its strokes STROKE wide."""
    digit = np.pad(fit(digit, 200), STROKE) > 127
    change = round((STROKE - stroke_width(digit)) / 2)
    across = np.arange(-abs(change), abs(change) + 1)
    pen = np.hypot(across, across[:, None]) <= abs(change)
    return grow(digit, pen) if change > 0 else ~grow(~digit, pen)


def stroke_width(digit):
    """Return how wide the strokes are: the area over the length, half of the outline's."""
    return 2 * digit.sum() / (digit & grow(~digit, 3)).sum()


def center(digit):
    """Scale white ink on black to 20 x 20 pixels, and put its centre of mass in the middle of 28 x 28."""
    digit = fit(digit, 20)
    means = [np.average(places, weights=digit) for places in np.indices(digit.shape)]
    top, left = (int(np.clip(round(14 - mean), 0, 28 - side)) for mean, side in zip(means, digit.shape))
    return np.asarray(Image.fromarray(digit).crop((-left, -top, 28 - left, 28 - top)))


def scale(picture, side):
    """Scale a picture, keeping its shape, so that its longer side has `side` pixels."""
    picture = np.uint8(255) * picture if picture.dtype == bool else picture
    factor = side / max(picture.shape)
    height, width = (max(1, round(length * factor)) for length in picture.shape)
    how = Image.Resampling.BOX if factor < 1 else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(picture).resize((width, height), how))


def box_of(picture):
    """Return the box around the ink: left, top, width, height."""
    left, top, right, bottom = Image.fromarray(picture).getbbox()
    return left, top, right - left, bottom - top


def fit(ink, side):
    """Scale what is in the box around the ink."""
    left, top, width, height = box_of(ink)
    return scale(ink[top : top + height, left : left + width], side)


def grow(picture, brush):
    """Let light spread: each pixel takes the maximum under a brush on it. A number is a square brush's side."""
    brush = np.ones((brush, brush)) if isinstance(brush, int) else brush
    (height, width), padded = picture.shape, np.pad(picture, len(brush) // 2)
    for top, left in np.argwhere(brush):
        picture = np.maximum(picture, padded[top : top + height, left : left + width])
    return picture


def check_network(model):
    if (getattr(model, "input_shape", 0), getattr(model, "output_shape", 0)) != ((None, 784), (None, 10)):
        raise ValueError(f"model must be a trained network of the chapter, 784 numbers in, ten out, not {model!r}")


def read_digit(model, image):
    probabilities = model.predict_on_batch(image.reshape(1, 784).astype("float32") / 255)[0]
    if probabilities.min() < 0 or abs(probabilities.sum() - 1) > 0.01:
        raise ValueError(NO_SOFTMAX)
    return pd.Series(probabilities, index=pd.RangeIndex(10, name="digit"), name="probability")


def show_reading(photo, box, image, probabilities):
    """Draw the photo with a frame around the digit, what the network sees, the probabilities."""
    figure = utils.new_figure(10, 3.6)
    seen, network, bars = figure.subplots(1, 3, width_ratios=[4, 3, 4])
    for axes, picture, title in (seen, photo, "the photo"), (network, 255 - image, "what the network sees"):
        axes.imshow(picture, cmap="gray", vmin=0, vmax=255)
        axes.set(title=title, xticks=[], yticks=[])
    seen.add_patch(plt.Rectangle(box[:2], *box[2:], fill=False, color=utils.WRONG_COLOR, linewidth=2))
    bars.barh(range(10), probabilities)
    bars.set(title="probability", xlim=(0, 1), yticks=range(10), ylim=(9.5, -0.5))
    utils.show(figure, "reading")
