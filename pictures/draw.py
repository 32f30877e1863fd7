"""Draw the pictures of the READMEs anew, from real runs of the scripts: `python pictures/draw.py`.

They are computed by one thread, as the tables are. The window of draw_digit needs a display; `xvfb-run` gives one.
"""

import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))
os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.backend_bases import MouseEvent
from PIL import Image, ImageFilter

import explore
from utils import plot_images, save_figures

PICTURES = PROJECT / "pictures"
RUNS = {
    "256_units": ["ch6_1.py"],
    "1000_units": ["ch6_1.py", "--units", "1000"],
    "dropout": ["ch7_dropout.py"],
    "two_layers": ["ch6_2.py"],
}
A_TWO = [(30, 38), (36, 24), (52, 16), (70, 20), (78, 34), (72, 50), (52, 72), (32, 92), (56, 92), (84, 92)]


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


def draw_with_the_mouse(model):
    """Draw a 2 in the window of `draw_digit`, by the events that a mouse causes, and save a picture of the window."""
    plt.close("all")
    plt.switch_backend("tkagg")
    sheet = explore.Sheet(model)
    canvas = sheet.figure.canvas
    canvas.draw()
    places = sheet.paper.transData.transform(A_TWO)
    names = ["button_press_event", *["motion_notify_event"] * (len(places) - 1), "button_release_event"]
    for name, (x, y) in zip(names, [*places, places[-1]]):
        canvas.callbacks.process(name, MouseEvent(name, canvas, x, y, button=1))
    sheet.read()
    sheet.figure.savefig(PICTURES / "draw_digit.png", dpi=80)
    plt.close(sheet.figure)


with tempfile.TemporaryDirectory() as folder:
    folder = Path(folder)
    for name, command in RUNS.items():
        subprocess.run([sys.executable, PROJECT / command[0], *command[1:], "--figures", folder / name], check=True)
        curves = [Image.open(next((folder / name).glob(f"*_{metric}.png"))) for metric in ("accuracy", "loss")]
        side_by_side(curves, PICTURES / f"curves_{name}.png")

    # The pictures that show the book's own digits come from the book's own run.
    sys.argv = ["replay", "ch6_1.py", "--figures", str(folder / "replay")]
    chapter = runpy.run_path(str(PROJECT / "replay"), run_name="__main__")
    for name, number in (
        ("first_ten_digits", "02_digits_from_0"),
        ("predictions_from_240", "05_digits_from_240"),
        ("confusion_matrix", "06_confusion_matrix"),
    ):
        picture = Image.open(folder / "replay" / f"{number}.png")
        picture.convert("RGB").save(PICTURES / f"{name}.png", optimize=True)

    save_figures(folder)
    images, labels, prediction = chapter["X_test_image"], chapter["y_test_label"], chapter["prediction"]
    model = chapter["model"]
    fives = np.flatnonzero((labels == 5) & (prediction == 3))
    save(plot_images(images[fives], [f"{i}: l=5,p=3" for i in fives], np.ones(len(fives))), "fives_read_as_threes")
    save(explore.plot_confident_mistakes(images, labels, chapter["probabilities"]), "confident_mistakes")
    save(explore.plot_hidden_units(model, range(10)), "hidden_units")

    photo_of(images[0]).save(PICTURES / "photo.png")
    prepared = Image.fromarray(255 - explore.prepare_image(PICTURES / "photo.png")).resize(
        (480, 480), Image.Resampling.NEAREST
    )
    gap = Image.new("RGB", (40, 480), "white")
    side_by_side([Image.open(PICTURES / "photo.png"), gap, prepared], PICTURES / "handwriting.png")
    if os.environ.get("DISPLAY"):
        draw_with_the_mouse(model)
