"""How a photo becomes a picture like MNIST's, and what a network reads in it.

A network reads well what looks like its training pictures. MNIST's were made from scanned forms: one digit in a box,
black ink on white paper, scaled to 20 x 20 pixels and centred in 28 x 28. A photo has shadows, a table at its edge, a
pen of any width, a digit anywhere. The functions below, in their order, turn the one into the other.

They are written with OpenCV, as in a textbook of image processing: each step is one or two of its functions, under the
names that the field uses. It takes 16 ms to import.
"""

import warnings

import cv2
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from PIL import Image, ImageOps

import utils

SIDE = 200  # pixels on the longer side of the copy in which the digit is looked for; the lengths below are for it
FAINT = 20  # of 255: what takes less of the paper's light, 8%, is no ink
FAINT_AT_EDGE = 50  # 20%: there the light often falls off
STROKE = 20  # pixels of a digit of 200: measured by `set_stroke_width`, half of MNIST's digits have 16 to 22
DOUBTFUL = 0.9  # a probability; see `predict_digit`
FULL = 85  # of 255, the mean of 28 x 28 pixels: one in 10,000 of MNIST's digits has more ink


class DoubtfulReading(UserWarning):
    """A digit was read, but perhaps a wrong one."""


warnings.simplefilter("always", DoubtfulReading, append=True)  # not only the first time, as is usual in a REPL


def predict_digit(model, file, show=False):
    """Read one handwritten digit from a photo or scan.

    Args:
        model: a trained network of the chapter.
        file: the path of a picture with one digit, dark on light or light on dark, of any size, in colour or grey; or
            a PIL picture; or an array of shape (28, 28) as the network sees it, such as `X_test_image[0]`.
        show: whether to draw the photo with a frame around the digit, what the network sees, and the probabilities.

    Returns:
        A pandas Series of the probabilities of the digits 0 to 9; they add up to 1.

    Warns:
        DoubtfulReading: the highest probability is below 0.9, or there are several digits side by side. Of 77 photos
            of digits by many hands 73 were read right with 256 hidden units, 5 of them below 0.9, and 4 wrong, 3 of
            them below 0.9; with 1000 units 72 right (2 below 0.9), and 5 wrong (3 below 0.9).

    Raises:
        OSError: there is no such file, or it may not be read.
        ValueError: `file` is no picture, or has no digit; `model` is no network of the chapter.

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
    """Return the uint8 array of shape (28, 28), 0 = paper, 255 = ink, that the network sees of a photo or scan.

    Args, Raises: see `predict_digit`.

    Example:
        >>> prepare_image("photo.png").shape
        (28, 28)
    """
    return prepare(file)[0]


def prepare(file):
    """Return what the network sees, the photo in grey, the digit's box in it, and whether there are several digits."""
    if isinstance(file, np.ndarray):
        if file.shape != (28, 28):
            raise ValueError(f"an array must have the shape (28, 28), as X_test_image[0] has, not {file.shape}")
        image = np.uint8(np.clip(255.0 * file if file.max() <= 1 else file, 0, 255))
        return image, 255 - image, (0, 0, 28, 28), False
    photo = read_grey(file)
    digit, box, several = find_digit(photo)
    image = center(set_stroke_width(digit))
    if image.mean() > FULL:
        raise ValueError("there is no digit in the picture: it is full of ink, or there is nothing but a spot")
    return image, photo, box, several


def read_grey(file):
    """Return a picture's brightness, uint8, 0 = black, 255 = white."""
    try:
        picture = file
        if not isinstance(file, Image.Image):
            picture = Image.open(file)
            picture.draft("L", (1000, 1000))  # large JPEG files are decoded in a smaller size, which is enough
        picture = ImageOps.exif_transpose(picture)  # upright, as the camera was held
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        raise
    except Exception as error:  # Pillow's decoders raise errors of many kinds for broken files
        raise ValueError(
            "this is not a picture that can be read: save it as JPEG or PNG (an iPhone's HEIC: export it as JPEG, or "
            f"choose Settings > Camera > Formats > Most Compatible) ({error})"
        ) from error
    if picture.mode[0] in "IF":  # 16 bits or a float for each pixel, of which often only 12 bits or 0 to 1 are used
        values = np.asarray(picture, float)
        return np.uint8(255 * values / max(values.max(), 1e-9))
    if not picture.has_transparency_data:
        return np.asarray(picture.convert("L"))
    grey, alpha = (np.asarray(band, float) for band in picture.convert("LA").split())
    paper = 0 if np.sum(grey * alpha) > 127 * np.sum(alpha) else 255  # behind it: the opposite of the ink
    return np.uint8(paper + (grey - paper) * alpha / 255)


def find_digit(photo):
    """Find the digit in a photo: from afar where it is, and then from close by, without the rest, what it looks like.

    Returns its ink, white on black, uint8; its box (left, top, width, height); whether there are several digits.
    """
    ink = find_ink(photo)
    digit, several = look(ink)
    pixels = max(photo.shape) / SIDE
    left, top, width, height = (round(length * pixels) for length in cv2.boundingRect(digit))
    margin = max(width, height) // 4
    rows = slice(max(0, top - margin), top + height + margin)
    columns = slice(max(0, left - margin), left + width + margin)
    return look(ink[rows, columns])[0], (left, top, width, height), several


def find_ink(grey):
    """Return how much of the paper's light is missing at each pixel, uint8, 0 = nothing, 255 = all: no shadows.

    How bright the paper is, under the ink too, tells a closing: a maximum over the surroundings, wider than a stroke,
    and then a minimum, which takes the edges of shadows back to their places.
    """
    small = cv2.copyMakeBorder(scale(grey, 48), *[18] * 4, cv2.BORDER_REFLECT)
    around = cv2.medianBlur(small, 37)  # most of what is around a stroke is paper
    if cv2.subtract(small, around).max() > cv2.subtract(around, small).max():  # light ink on dark paper
        grey, small = 255 - grey, 255 - small
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, square(15))[18:-18, 18:-18]
    paper = cv2.resize(paper, grey.shape[::-1])
    return cv2.divide(cv2.subtract(paper, grey), paper, scale=255)


def look(ink):
    """Return the digit in a copy of SIDE pixels, white on black, and whether there are several."""
    ink = cv2.GaussianBlur(scale(ink, SIDE), (0, 0), 0.7)  # against noise, grain and hair-thin lines
    _, mask = cv2.threshold(ink, 0, 255, cv2.THRESH_OTSU)  # the level that parts ink and paper best
    digit, several, at_edge = choose_digit(mask)
    around = cv2.dilate(digit, square(9)) - cv2.dilate(digit, square(5))  # a shadow does not end at its outline
    contrast = cv2.mean(ink, digit)[0] - cv2.mean(ink, around)[0]
    if contrast < (FAINT_AT_EDGE if at_edge else FAINT):
        raise ValueError("there is no digit in the picture: nothing on it stands out from the paper as ink does")
    return digit, several


def choose_digit(mask):
    """Return the digit among the parts of the ink, whether another is beside it, and whether it is at the edge."""
    joined = cv2.dilate(mask, square(5))  # a pen that runs dry leaves gaps
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
    parts = pd.DataFrame(stats, columns=["left", "top", "width", "height", "area"])[1:]  # part 0 is the paper
    if parts.empty:
        raise ValueError("there is no digit in the picture: it is all of one brightness")
    parts["right"], parts["bottom"] = parts.left + parts.width, parts.top + parts.height
    parts["length"] = parts[["width", "height"]].max(axis=1)

    # What touches the edge is the table, or is cut off, unless there is nothing else of a fair size.
    height, width = mask.shape
    inside = parts[(parts.left >= 4) & (parts.top >= 4) & (parts.right <= width - 4) & (parts.bottom <= height - 4)]
    at_edge = inside.empty or inside.length.max() < parts.length.max() / 4
    if not at_edge:
        parts = inside

    # The largest part, and what is near, such as the roof of a 5; but what is as tall, beside it, is another digit.
    digit = parts.loc[parts.area.idxmax()]
    across = np.maximum(parts.left - digit.right, digit.left - parts.right)  # gaps; below 0 where they overlap
    down = np.maximum(parts.top - digit.bottom, digit.top - parts.bottom)
    beside = (across > 0) & (down < 0) & (parts.height > 0.6 * digit.height) & (parts.area > 0.3 * digit.area)
    near = (np.maximum(across, down) < digit.length / 4) & (parts.area > 0.03 * digit.area)
    chosen = np.isin(labels, parts.index[near & ~beside])
    return np.where(chosen, mask, 0).astype("uint8"), beside.any(), at_edge


def set_stroke_width(digit):
    """Scale white ink on black to 200 pixels, and make its strokes STROKE wide."""
    digit = cv2.copyMakeBorder(scale(crop(digit), 200), *[STROKE] * 4, cv2.BORDER_CONSTANT)
    _, digit = cv2.threshold(digit, 127, 255, cv2.THRESH_BINARY)
    area = cv2.countNonZero(digit)
    outline = area - cv2.countNonZero(cv2.erode(digit, square(3)))
    width = 2 * area / outline  # a stroke has two sides
    change = round((STROKE - width) / 2)
    pen = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * abs(change) + 1, 2 * abs(change) + 1))
    return cv2.dilate(digit, pen) if change > 0 else cv2.erode(digit, pen)


def center(digit):
    """Scale white ink on black to 20 x 20 pixels, its centre of mass in the middle of 28 x 28, as MNIST was made."""
    digit = scale(crop(digit), 20)
    height, width = digit.shape
    mass = cv2.moments(digit)
    top = int(np.clip(round(14 - mass["m01"] / mass["m00"]), 0, 28 - height))  # as far as the digit stays inside
    left = int(np.clip(round(14 - mass["m10"] / mass["m00"]), 0, 28 - width))
    return cv2.copyMakeBorder(digit, top, 28 - height - top, left, 28 - width - left, cv2.BORDER_CONSTANT)


def scale(picture, side):
    """Scale a picture, keeping its shape, so that its longer side has `side` pixels."""
    factor = side / max(picture.shape)
    height, width = (max(1, round(length * factor)) for length in picture.shape)
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def crop(picture):
    """Cut off what is black around the ink."""
    left, top, width, height = cv2.boundingRect(picture)
    return picture[top : top + height, left : left + width]


def square(side):
    """Return a neighbourhood, over which `dilate` takes the maximum and `erode` the minimum."""
    return np.ones((side, side), "uint8")


def check_network(model):
    """Raise ValueError unless `model` is a network of the chapter."""
    shapes = getattr(model, "input_shape", None), getattr(model, "output_shape", None)
    if shapes != ((None, 784), (None, 10)):
        raise ValueError(f"model must be a trained network of the chapter, 784 numbers in, ten out, not {model!r}")


def read_digit(model, image):
    """Return the probabilities that `model` gives to one image of shape (28, 28), from 0 to 255, as a pandas Series."""
    probabilities = model.predict_on_batch(image.reshape(1, 784).astype("float32") / 255)[0]
    return pd.Series(probabilities, index=pd.RangeIndex(10, name="digit"), name="probability")


def show_reading(photo, box, image, probabilities):
    """Draw the photo with a frame around the digit, what the network sees, and the probabilities."""
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
