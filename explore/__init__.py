"""One step further than the chapter: your own handwriting, the mistakes, the hidden units, the hard digits.

In a REPL: start with `python -i ch6_1.py`. After the training, `model`, `prediction`, `probabilities` and the arrays
are there. Then `from explore import *`.

In a terminal, with a model that a script saved with --save:

    python -m explore digits.keras                      opens a page to draw on
    python -m explore digits.keras photo.jpg photos     reads photos, and those in folders
"""

from explore.drawing import draw_digit
from explore.network import confident_mistakes, digit_report, plot_confident_mistakes, plot_hidden_units
from explore.photo import predict_digit, prepare_image

__all__ = ["confident_mistakes", "digit_report", "draw_digit", "plot_confident_mistakes", "plot_hidden_units"]
__all__ += ["predict_digit", "prepare_image"]
