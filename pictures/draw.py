"""Draw the pictures of the READMEs anew, from real runs of the scripts: `python pictures/draw.py`."""

import os
import runpy
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))
os.environ["MPLBACKEND"] = "agg"

import numpy as np
from PIL import Image, ImageFilter

import explore
from utils import plot_images_labels_predict

PICTURES = PROJECT / "pictures"
RUNS = {
    "256_units": ["ch6_1.py"],
    "1000_units": ["ch6_1.py", "--units", "1000"],
    "dropout": ["ch7_dropout.py"],
    "two_layers": ["ch6_2.py"],
}


def run(script, *options):
    """Run a script as a reader does and return its variables."""
    sys.argv = [str(PROJECT / script), *options]
    return runpy.run_path(sys.argv[0], run_name="__main__")


def save(axes, name):
    np.ravel(axes)[0].figure.savefig(PICTURES / f"{name}.png", bbox_inches="tight", dpi=80)


def side_by_side(pictures, path):
    """Save pictures next to each other, on white, at the same height."""
    height = min(picture.height for picture in pictures)
    pictures = [
        picture.convert("RGB").resize((picture.width * height // picture.height, height)) for picture in pictures
    ]
    joined = Image.new("RGB", (sum(picture.width for picture in pictures), height), "white")
    left = 0
    for picture in pictures:
        joined.paste(picture, (left, 0))
        left += picture.width
    joined.save(path, optimize=True)


def photo_of(image):
    """Return a test digit as a photo shows it: blown up, dark ink on greyish paper, off the middle."""
    page = Image.new("L", (420, 480), 0)
    page.paste(Image.fromarray(image).resize((300, 300), Image.Resampling.BICUBIC), (30, 140))
    return page.point(lambda level: 205 - 165 * level / 255).filter(ImageFilter.GaussianBlur(2))


with tempfile.TemporaryDirectory() as folder:
    folder = Path(folder)
    runs = {}
    for name, command in RUNS.items():
        runs[name] = run(*command, "--figures", str(folder / name))
        curves = [Image.open(folder / name / f"{metric}.png") for metric in ("accuracy", "loss")]
        side_by_side(curves, PICTURES / f"curves_{name}.png")
    for name in ("first_ten_digits", "predictions_from_240", "confusion_matrix"):
        Image.open(folder / "256_units" / f"{name}.png").convert("RGB").save(PICTURES / f"{name}.png", optimize=True)

    chapter = runs["256_units"]
    images, labels, prediction = chapter["X_test_image"], chapter["y_test_label"], chapter["prediction"]
    model = chapter["model"]

    fives = np.flatnonzero((labels == 5) & (prediction == 3))
    save(plot_images_labels_predict(images[fives], labels[fives], prediction[fives], 0, 25), "fives_read_as_threes")

    probabilities = model.predict(chapter["x_Test_norm"], batch_size=10000, verbose=0)
    save(explore.plot_confident_mistakes(images, labels, probabilities), "confident_mistakes")
    save(explore.plot_hidden_units(model, range(10)), "hidden_units")

    photo_of(images[0]).save(folder / "photo.png")
    prepared = Image.fromarray(255 - explore.prepare_image(folder / "photo.png")).resize(
        (480, 480), Image.Resampling.NEAREST
    )
    gap = Image.new("RGB", (40, 480), "white")
    side_by_side([Image.open(folder / "photo.png"), gap, prepared], PICTURES / "handwriting.png")
