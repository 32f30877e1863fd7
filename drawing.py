"""A sheet to draw a digit on with the mouse, while the network reads it."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.backends import backend_registry
from matplotlib.widgets import Button

from photo import center, check_network, read_digit, set_stroke_width


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
    check_network(model)
    canvas = backend_registry.load_backend_module(plt.get_backend()).FigureCanvas
    if canvas.start_event_loop is FigureCanvasBase.start_event_loop:  # a picture in a file, a notebook or a pane
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
        if self.ink.max() > 127:  # more than the rim of a stroke over the edge
            image = center(set_stroke_width(self.ink))
            self.probabilities = read_digit(self.model, image)
        else:
            image = np.zeros((28, 28))
            self.probabilities = pd.Series(np.nan, index=pd.RangeIndex(10, name="digit"), name="probability")
        for bar, probability in zip(self.bars, self.probabilities.fillna(0)):
            bar.set_width(probability)
        self.drawing.set_data(self.ink)
        self.seen.set_data(image)
        self.figure.canvas.draw_idle()
