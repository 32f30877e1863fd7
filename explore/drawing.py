"""A page to draw on: the browser itself computes what the network reads."""

import base64
import html
import json
import sys
import webbrowser
from pathlib import Path

import numpy as np

from explore.photo import DOUBTFUL, FULL, NO_SOFTMAX, STROKE, check_network

ACTIVATIONS = ["linear", "relu", "sigmoid", "softmax", "tanh"]  # those that page.html knows


def draw_digit(model, file="digits.html"):
    """Make a page on which you draw a digit while the network reads it, and open it.

    The page is one file with the network in it. It needs neither Python nor a connection.
    In a notebook it appears below the cell as well.

    Args:
        model: a trained network of the chapter.
        file: the page's name. A file of this name is replaced.

    Raises:
        OSError: the file cannot be written.
        ValueError: `model` is no network of the chapter.

    Example:
        >>> draw_digit(model, "my_digits.html")
        The page to draw on: ...my_digits.html
    """
    network = {"layers": page_layers(model), "doubtful": DOUBTFUL, "stroke": STROKE, "full": FULL}
    page = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    page = page.replace("NETWORK", json.dumps(network))
    path = Path(file).resolve()
    path.write_text(page, encoding="utf-8")
    print(f"The page to draw on: {path}")
    if "ipykernel" in sys.modules and "spyder_kernels" not in sys.modules:  # a notebook; Spyder shows no pages
        from IPython.display import HTML, display

        style = "width: 100%; max-width: 1080px; height: 680px; border: 0"
        display(HTML(f'<div><iframe srcdoc="{html.escape(page)}" style="{style}"></iframe></div>'))
    else:
        webbrowser.open(path.as_uri())


def page_layers(model):
    """Return the layers for the page: weights in 8 bits, and for each unit the number that scales them."""
    check_network(model)
    layers = []
    for layer in model.layers:
        kind, activation = type(layer).__name__, getattr(getattr(layer, "activation", None), "__name__", "")
        if kind == "Dropout":  # does nothing after the training
            continue
        if kind != "Dense" or activation not in ACTIVATIONS:
            raise ValueError(f"a page can hold Dense and Dropout layers only, not {layer.name} ({kind} {activation})")
        weights, bias = [*layer.get_weights(), np.zeros(layer.units, "float32")][:2]
        scale = np.maximum(np.abs(weights).max(axis=0) / 127, np.float32(1e-30))
        arrays = {"weights": np.round(weights / scale).T.astype("int8"), "scale": scale, "bias": bias}
        arrays = {name: base64.b64encode(array.tobytes()).decode() for name, array in arrays.items()}
        layers.append({"activation": activation, **arrays})
    if activation != "softmax":
        raise ValueError(NO_SOFTMAX)
    return layers
