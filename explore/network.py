"""What a network does: its mistakes, its hidden units, the digits that are hard for it."""

import numpy as np
import pandas as pd

from utils import confusion_matrix, plot_images


def confident_mistakes(label, probabilities):
    """List the misread digits, the most confident mistake first.

    `label` holds n digits, the true ones. `probabilities`, of shape (n, 10), is what `model.predict` returns. Returns a
    DataFrame with `label`, `predict`, `p_label` and `p_predict`, the two probabilities. A row's name is its image's
    number.

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
    """Draw the `num` most confident mistakes, up to 25, with their probabilities. Returns an array of Matplotlib axes.

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


def plot_hidden_units(model, units=None):
    """Draw the weights of hidden units: ink on orange makes a unit more active, ink on purple less.

    `units` are up to 25 numbers, counted from 0; without them the first 25. Returns an array of Matplotlib axes.

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
    titles = [f"unit {unit}" for unit in units]
    pictures = weights[:, units].T.reshape(-1, 28, 28)
    return plot_images(pictures, titles, name="hidden_units", cmap="PuOr_r", vmin=-limit, vmax=limit)


def digit_report(label, prediction):
    """Tell how well each digit was read. Both hold n digits, the true and the predicted ones.

    Returns a DataFrame with a row for each digit. `right`, `wrong`: its images read right and wrong. `precision`: the
    right ones' share of what was read as this digit. `recall`: their share of its images. `taken_for`: what its wrong
    ones were most often read as.

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
