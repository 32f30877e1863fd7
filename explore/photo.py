"""How a photo becomes a picture like MNIST's, and what a network reads in it.

MNIST's digits were scanned: white ink on black, 20 x 20 pixels, centred in 28 x 28. A photo has shadows, a table at its
edge, a pen of any width and a digit anywhere. The functions below, in their order, turn a photo into such a picture.
"""

import os
import warnings

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from PIL import Image, ImageFilter, ImageOps

import utils

LARGE = 1000  # pixels on the longer side are enough to read a photo
SIDE = 200  # pixels on the longer side of the copy in which a digit is looked for
FAINT = 12  # of 255: what takes less of the paper's light, 5%, is no ink
FAINT_AT_EDGE = 70  # 27%: there the light often falls off
STROKE = 20  # pixels of a digit of 200: half of MNIST's digits have strokes of 16 to 22
DOUBTFUL = 0.9  # a probability
FULL = 85  # of 255, the mean of 28 x 28 pixels: one in 10,000 of MNIST's digits has more ink
NO_DIGIT = "there is no digit in the picture: "
NO_SOFTMAX = (
    "the model's ten numbers are no probabilities: they do not add up to 1. "
    'Give its last layer activation="softmax", and train it again'
)


class DoubtfulReading(UserWarning):
    """A digit was read, but perhaps a wrong one."""


warnings.simplefilter("always", DoubtfulReading, append=True)  # each time, in a REPL too


def predict_digit(model, file, show=False):
    """Read one handwritten digit from a photo or scan.

    Args:
        model: a trained network of the chapter.
        file: the path of a picture with one digit, dark on light or light on dark, in any size; or a PIL picture; or
            an array of shape (28, 28) with light ink on black, such as `X_test_image[0]`.
        show: whether to draw the photo, what the network sees, and the probabilities.

    Returns:
        A pandas Series of the probabilities of the digits 0 to 9.

    Warns:
        DoubtfulReading: the highest probability is below 0.9, or there are several digits.

    Raises:
        OSError, ValueError: there is no such file, no picture in it, or no digit in the picture.

    Example:
        >>> predict_digit(model, "photo.png").idxmax()
        7
    """
    check_network(model)
    image, photo, box, several = prepare(file)
    probabilities = read_digit(model, image)
    if probabilities.max() < DOUBTFUL:
        doubt = f"this {probabilities.idxmax()} is doubtful: about half of the readings below 90% are wrong"
        warnings.warn(doubt, DoubtfulReading, stacklevel=2)
    if several:
        doubt = "there are several digits side by side, of which the largest was read"
        warnings.warn(doubt, DoubtfulReading, stacklevel=2)
    if show:
        show_reading(photo, box, image, probabilities)
    return probabilities


def prepare_image(file):
    """Return what the network sees: a uint8 array of shape (28, 28), 0 = paper, 255 = ink. See `predict_digit`.

    Example:
        >>> prepare_image("photo.png").shape
        (28, 28)
    """
    return prepare(file)[0]


def prepare(file):
    """Return what the network sees, the grey photo, the digit's box, and whether there are several digits."""
    if isinstance(file, np.ndarray):
        image = check_array(file)
        return image, 255 - image, (0, 0, 28, 28), False
    photo = read_grey(file)
    ink = find_ink(photo)
    digit, several = look(ink)
    # The digit was found in a small copy. Now look at it close by.
    left, top, width, height = box = [round(length * max(ink.shape) / SIDE) for length in box_of(digit)]
    margin = max(width, height) // 4
    rows, columns = slice(max(0, top - margin), top + height + margin), slice(max(0, left - margin), left + width + margin)
    image = center(set_stroke_width(look(ink[rows, columns])[0]))
    if image.mean() > FULL:
        raise ValueError(NO_DIGIT + "it is full of ink, or there is nothing but a spot")
    return image, photo, box, several


def check_array(array):
    if array.shape != (28, 28):
        raise ValueError(f"an array must have the shape (28, 28), as X_test_image[0] has, not {array.shape}")
    image = np.uint8(np.clip(255.0 * array if array.max() <= 1 else array, 0, 255))
    if np.median(image) > 60:
        raise ValueError(
            "the array has dark ink on light paper; the network knows light ink on black, as in X_test_image[0]: "
            "give 255 - array, or 1 - array if its numbers go from 0 to 1"
        )
    return image


def check_file(file):
    """Raise an error that says what `file` is, if no picture can be behind it."""
    if not isinstance(file, (str, os.PathLike, Image.Image)) and not hasattr(file, "read"):
        kind = "None (cv2.imread returns it for a wrong path)" if file is None else f"a {type(file).__name__}"
        raise ValueError(f"file must be one path, one PIL picture or one array, not {kind}")
    if isinstance(file, (str, os.PathLike)) and not os.path.exists(file):
        name, hint = os.fspath(file), ""
        if not name.isprintable():
            hint = ": the name has an invisible mark in it, type it by hand"
        elif "*" in name or "?" in name:
            hint = ": it is a pattern, name one file or a folder"
        raise FileNotFoundError(f"there is no file {name!r}{hint}")


def read_grey(file):
    """Return a picture's brightness, uint8, 0 = black, 255 = white, LARGE pixels or a few more."""
    check_file(file)
    try:
        picture = file
        if not isinstance(file, Image.Image):
            picture = Image.open(file)
            picture.draft("L", (LARGE, LARGE))  # JPEG files are decoded in a smaller size
        if max(picture.size) >= 2 * LARGE and picture.mode in ("L", "RGB"):
            picture = picture.reduce(max(picture.size) // LARGE)
        picture = ImageOps.exif_transpose(picture)  # upright, as the camera was held
    except (IsADirectoryError, PermissionError):
        raise
    except Image.DecompressionBombError as error:
        raise ValueError(f"the picture is too large: make it smaller ({error})") from error
    except Exception as error:  # Pillow raises errors of many kinds for broken files
        advice = "save it as JPEG or PNG. An iPhone's HEIC picture: choose Settings > Camera > Formats > Most Compatible"
        raise ValueError(f"this is not a picture that can be read ({error}): {advice}") from error
    if picture.mode[0] in "IF":  # 16 bits or a float for each pixel, often only a part of the range
        values = np.asarray(picture, float)
        return np.uint8(255 * values / max(values.max(), 1e-9))
    if not picture.has_transparency_data:
        return np.asarray(picture.convert("L"))
    grey, alpha = (np.asarray(band, float) for band in picture.convert("LA").split())
    paper = 0 if np.sum(grey * alpha) > 127 * np.sum(alpha) else 255  # the opposite of the ink
    return np.uint8(paper + (grey - paper) * alpha / 255)


def find_ink(grey):
    """Return how much of the paper's light is missing, uint8, 0 = nothing, 255 = all: no shadows.

    A closing tells the paper's brightness, under the ink too. It is a maximum over surroundings wider than a stroke, and
    then a minimum, which takes the edges of shadows back to their places.
    """
    small = scale(grey, 48).astype(float)
    flat = np.pad(np.clip(127 * small / slope(small), 0, 255), 18, "symmetric").astype("uint8")
    around = np.asarray(Image.fromarray(flat).filter(ImageFilter.MedianFilter(37)))  # mostly paper
    darker = np.subtract(around, flat, dtype=float)
    if -darker.min() > darker.max():  # light ink on dark paper
        grey, small = 255 - grey, 255 - small
    # Towards a dark edge of the picture a closing is too bright. Where the light falls off evenly, a closing without
    # this fall is not: then less light is missing in all.
    paper = min(closing(small), closing(small / slope(small)) * slope(small), key=np.sum)
    paper = Image.fromarray(np.float32(paper)).resize(grey.shape[::-1], Image.Resampling.BILINEAR)
    return np.uint8(255 * np.maximum(1 - grey / np.maximum(paper, 1), 0) + 0.5)


def closing(small):
    """Return the minimum over 15 pixels of the maximum over 15 pixels."""
    padded = np.pad(small, 18, "symmetric")
    return -grow(-grow(padded, square(15)), square(15))[18:-18, 18:-18]


def slope(small):
    """Return light that falls off evenly to a side: the plane that fits a small picture best."""
    terms = np.stack([np.ones(small.size), *np.indices(small.shape).reshape(2, -1)], axis=1)
    light = terms @ np.linalg.lstsq(terms, small.ravel())[0]
    return np.maximum(light, small.mean() / 5 + 1).reshape(small.shape)


def look(ink):
    """Return the digit in a copy of SIDE pixels, white on black, and whether there are several."""
    blurred = Image.fromarray(scale(ink, SIDE)).filter(ImageFilter.GaussianBlur(0.7))
    ink = np.asarray(blurred)  # without noise, grain and hair-thin lines
    digit, several, at_edge = choose_digit(ink > otsu(ink))
    # Paper begins a stroke's width away, beyond its blur. At the edge look nearer: a shadow does not end there.
    away = 2 if at_edge else round(stroke_width(digit))
    paper = grow(digit, square(2 * away + 5)) & ~grow(digit, square(2 * away + 1))
    contrast = ink[digit].mean() - (ink[paper].mean() if paper.any() else 0)
    if contrast < (FAINT_AT_EDGE if at_edge else FAINT):
        raise ValueError(NO_DIGIT + "nothing on it stands out from the paper as ink does")
    return digit, several


def otsu(ink):
    """Return the brightness that parts ink and paper best: Otsu's threshold."""
    counts = np.bincount(ink.ravel(), minlength=256)
    below, total = counts.cumsum(), (counts * np.arange(256)).cumsum()  # up to each brightness
    return ((total[-1] * below / ink.size - total) ** 2 / np.maximum(below * (ink.size - below), 1)).argmax()


def choose_digit(mask):
    """Return the digit among the parts of the ink, whether another is beside it, whether it is at the edge."""
    if not mask.any():
        raise ValueError(NO_DIGIT + "it is all of one brightness")
    labels = label_parts(grow(mask, square(5)))  # a pen that runs dry leaves gaps
    row, column = np.nonzero(labels)
    parts = pd.DataFrame({"part": labels[row, column], "row": row, "column": column}).groupby("part")
    parts = parts.agg(["min", "max", "size"]).set_axis(["top", "bottom", "area", "left", "right", "same"], axis=1)
    parts["height"] = parts.bottom - parts.top + 1
    parts["length"] = np.maximum(parts.height, parts.right - parts.left + 1)

    # What touches the edge is the table, unless there is nothing else of a fair size.
    height, width = mask.shape
    inside = (parts.left >= 4) & (parts.top >= 4) & (parts.right < width - 4) & (parts.bottom < height - 4)
    at_edge = not inside.any() or parts.length[inside].max() < parts.length.max() / 4
    if not at_edge:
        parts = parts[inside]

    # The digit is the largest part with what is near, such as the roof of a 5. What is as tall and beside it is another
    # digit. Gaps are below 0 where two parts overlap.
    digit = parts.loc[parts.area.idxmax()]
    across = np.maximum(parts.left - digit.right, digit.left - parts.right) - 1
    down = np.maximum(parts.top - digit.bottom, digit.top - parts.bottom) - 1
    beside = (across > 0) & (down < 0) & (parts.height > 0.6 * digit.height) & (parts.area > 0.3 * digit.area)
    near = (np.maximum(across, down) < digit.length / 4) & (parts.area > 0.03 * digit.area)
    return mask & np.isin(labels, parts.index[near & ~beside]), beside.any(), at_edge


def label_parts(mask):
    """Give each connected part of `mask` a number of its own, and the paper 0."""
    labels = np.arange(1, mask.size + 1).reshape(mask.shape) * mask  # first each pixel its own
    while True:
        before, labels = labels, grow(labels, square(3)) * mask  # the largest number around
        labels = np.append(0, labels)[labels]  # a number names a pixel: take that pixel's number
        if (labels == before).all():
            return labels


def set_stroke_width(digit):
    """Scale white ink on black to 200 pixels, and make its strokes STROKE wide."""
    digit = np.pad(scale(crop(digit), 200), STROKE) > 127
    change = round((STROKE - stroke_width(digit)) / 2)
    across = np.arange(-abs(change), abs(change) + 1)
    return (grow if change > 0 else shrink)(digit, np.hypot(across, across[:, None]) <= abs(change))


def stroke_width(digit):
    """Return how wide the strokes are: the area over the length, half of the outline's."""
    return 2 * digit.sum() / (digit & ~shrink(digit, square(3))).sum()


def center(digit):
    """Scale white ink on black to 20 x 20 pixels, and put its centre of mass in the middle of 28 x 28."""
    digit = scale(crop(digit), 20)
    places = []
    for axis, length in enumerate(digit.shape):
        mean = np.average(np.arange(length), weights=digit.sum(axis=1 - axis, dtype=float))
        place = int(np.clip(round(14 - mean), 0, 28 - length))
        places.append((place, 28 - place - length))
    return np.pad(digit, places)


def scale(picture, side):
    """Scale a picture, keeping its shape, so that its longer side has `side` pixels."""
    if picture.dtype == bool:
        picture = np.uint8(255) * picture
    factor = side / max(picture.shape)
    height, width = (max(1, round(length * factor)) for length in picture.shape)
    how = Image.Resampling.BOX if factor < 1 else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(picture).resize((width, height), how))


def box_of(picture):
    """Return the box around the ink: left, top, width, height."""
    left, top, right, bottom = Image.fromarray(picture).getbbox()
    return left, top, right - left, bottom - top


def crop(picture):
    left, top, width, height = box_of(picture)
    return picture[top : top + height, left : left + width]


def square(side):
    return np.ones((side, side), bool)


def grow(picture, brush):
    """Let light spread: each pixel takes the maximum of what is under a `brush` put on it."""
    height, width = picture.shape
    padded, grown = np.pad(picture, len(brush) // 2), picture
    for top, left in np.argwhere(brush):
        grown = np.maximum(grown, padded[top : top + height, left : left + width])
    return grown


def shrink(picture, brush):
    """Let dark spread: each pixel takes the minimum."""
    return ~grow(~picture, brush)


def check_network(model):
    """Raise ValueError unless `model` is a network of the chapter."""
    if (getattr(model, "input_shape", 0), getattr(model, "output_shape", 0)) != ((None, 784), (None, 10)):
        raise ValueError(f"model must be a trained network of the chapter, 784 numbers in, ten out, not {model!r}")


def read_digit(model, image):
    """Return the probabilities that `model` gives to one image of shape (28, 28), 0 to 255."""
    probabilities = model.predict_on_batch(image.reshape(1, 784).astype("float32") / 255)[0]
    if probabilities.min() < 0 or abs(probabilities.sum() - 1) > 0.01:
        raise ValueError(NO_SOFTMAX)
    return pd.Series(probabilities, index=pd.RangeIndex(10, name="digit"), name="probability")


def show_reading(photo, box, image, probabilities):
    """Draw the photo with a frame around the digit, what the network sees, the probabilities."""
    figure = utils.new_figure(10, 3.6)
    seen, network, bars = figure.subplots(1, 3, width_ratios=[4, 3, 4])
    seen.imshow(photo, cmap="gray", vmin=0, vmax=255)
    seen.add_patch(plt.Rectangle(box[:2], *box[2:], fill=False, color=utils.WRONG_COLOR, linewidth=2))
    seen.set(title="the photo", xticks=[], yticks=[])
    network.imshow(image, cmap="binary", vmin=0, vmax=255)
    network.set(title="what the network sees", xticks=[], yticks=[])
    bars.barh(range(10), probabilities)
    bars.set(title="probability", xlim=(0, 1), yticks=range(10))
    bars.invert_yaxis()
    utils.show(figure, "reading")
