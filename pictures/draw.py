"""Draw the pictures of the first page anew, from real runs: `python pictures/draw.py`.

The scripts compute on one thread, as in the tables. `animate.py` makes the animation.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))
os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}

import keras
import numpy as np
from matplotlib import pyplot as plt
from PIL import Image, ImageFilter

import explore
from ch6_1 import x_Test_norm
from utils import WRONG_COLOR, save_figures

PICTURES = PROJECT / "pictures"


def backpropagation():
    """Draw the example of by_hand.py: the numbers forward above the line, the gradients below it."""
    axes = plt.figure(figsize=(12, 4.2), layout="constrained").subplots()
    axes.axis("off")
    places = {"input 1": (0, 1.6), "input 2": (0, 0), "hidden sum": (2.2, 0.8), "ReLU": (3.6, 0.8)}
    places |= {"output 1": (6.6, 1.6), "output 2": (6.6, 0)}
    forward = {"input 1": "2", "input 2": "3", "hidden sum": "0.5", "ReLU": "0.5", "output 1": "0.5"}
    forward |= {"output 2": "-0.35"}
    unit = "1 * 0.70057 +\n-0.7 * -0.70057\n= 1.1910"
    backward = {"hidden sum": "1.1910", "ReLU": unit, "output 1": "0.70057", "output 2": "-0.70057"}
    arrows = [
        ("input 1", "hidden sum", "weight 0.4", "2 * 1.1910 = 2.382"),
        ("input 2", "hidden sum", "weight -0.2", "3 * 1.1910 = 3.573"),
        ("hidden sum", "ReLU", "", ""),
        ("ReLU", "output 1", "weight 1", "0.5 * 0.70057 = 0.3503"),
        ("ReLU", "output 2", "weight -0.7", "0.5 * -0.70057 = -0.3503"),
    ]
    clear = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}  # of the arrows
    for start, end, weight, rate in arrows:
        (x, y), (to_x, to_y) = places[start], places[end]
        axes.annotate("", (to_x - 0.2, to_y), (x + 0.2, y), arrowprops={"arrowstyle": "->", "color": "grey"})
        middle = (x + to_x) / 2, (y + to_y) / 2
        texts = {"textcoords": "offset points", "ha": "center", "va": "center", "bbox": clear if weight else None}
        axes.annotate(weight, middle, (0, 10), **texts)
        axes.annotate(rate, middle, (0, -10), color=WRONG_COLOR, weight="bold", **texts)
    for name, (x, y) in places.items():
        axes.add_patch(plt.Circle((x, y), 0.19, fill=False))
        axes.annotate(forward[name], (x, y), ha="center", va="center", weight="bold")
        axes.annotate(name, (x, y + 0.24), ha="center", va="bottom")
        axes.annotate(backward.get(name, ""), (x, y - 0.24), ha="center", va="top", color=WRONG_COLOR, weight="bold")
    axes.annotate("bias 0.3", (2.2, 1.25), ha="center")
    axes.annotate("bias 1.1910", (2.2, 0.1), ha="center", color=WRONG_COLOR, weight="bold")
    axes.set(xlim=(-0.4, 7.2), ylim=(-0.5, 2.1), aspect="equal")
    axes.set_title("forward in black · gradients, backward, in orange · the second output is the right one")
    return axes


def photo_of(image):
    """Return a test digit of numbers to 1 as a photo: blown up, a pen on paper in a falling light, off the middle."""
    page = Image.new("L", (420, 480), 0)
    page.paste(Image.fromarray(np.uint8(255 * image + 0.5)).resize((260, 260), Image.Resampling.BICUBIC), (40, 180))
    ink = np.asarray(page.filter(ImageFilter.GaussianBlur(2)), float) / 255
    light = np.linspace(225, 110, 420) * np.linspace(1, 0.8, 480)[:, None]
    grain = np.random.default_rng(10).normal(0, 3, ink.shape)
    return Image.fromarray(np.uint8(np.clip(light * (1 - 0.75 * ink) + grain, 0, 255)))


def run_script(folder, *options):
    subprocess.run([sys.executable, PROJECT / "ch6_1.py", *options, "--figures", folder], check=True)


def main(folder):
    run_script(folder / "1000", "--units", "1000")
    curves = [Image.open(folder / "1000" / name).convert("RGB") for name in ("03_acc.png", "04_loss.png")]
    Image.fromarray(np.hstack(curves)).save(PICTURES / "curves_1000_units.png", optimize=True)

    backpropagation().figure.savefig(PICTURES / "backpropagation.png", bbox_inches="tight", dpi=80)

    run_script(folder / "256", "--save", folder / "digits.keras")
    photo_of(x_Test_norm[0].reshape(28, 28)).save(PICTURES / "photo.png")
    save_figures(folder)
    explore.predict_digit(keras.saving.load_model(folder / "digits.keras"), PICTURES / "photo.png", show=True)
    Image.open(folder / "01_reading.png").convert("RGB").save(PICTURES / "reading.png", optimize=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
