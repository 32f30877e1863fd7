"""What the plot helpers draw, on real digits."""

import gc
import warnings

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import same_color

import utils
from utils import (
    plot_confusion_matrix,
    plot_image,
    plot_images_labels_predict,
    show_train_history,
)

HISTORY = {
    "accuracy": [0.88, 0.94, 0.96],
    "loss": [0.44, 0.19, 0.14],
    "val_accuracy": [0.94, 0.95, 0.96],
    "val_loss": [0.22, 0.16, 0.13],
}


def drawn_image(axes):
    return axes.images[0].get_array()


def test_the_books_names():
    assert utils.isDisplayAvl is utils.is_display_available
    assert utils.plot_images_labels_prediction is plot_images_labels_predict


def test_plot_image(test_images):
    axes = plot_image(test_images[0])
    assert tuple(axes.figure.get_size_inches()) == (2, 2)
    assert axes.images[0].get_cmap().name == "binary"
    assert (drawn_image(axes) == test_images[0]).all()
    assert (drawn_image(plot_image(test_images[0].tolist())) == test_images[0]).all()


@pytest.mark.parametrize("nothing", [[], None, np.array([])])
def test_digits_with_labels(test_images, test_labels, nothing):
    every_axes = plot_images_labels_predict(test_images, test_labels, nothing, 0, 10)
    assert tuple(every_axes[0].figure.get_size_inches()) == (12, 14)
    assert [axes.get_title() for axes in every_axes] == [f"l={label}" for label in test_labels[:10]]
    assert [axes.get_title() for axes in every_axes[:3]] == ["l=7", "l=2", "l=1"]
    for i, axes in enumerate(every_axes):
        assert (drawn_image(axes) == test_images[i]).all()
        assert list(axes.get_xticks()) == list(axes.get_yticks()) == []
        place = axes.get_subplotspec()
        assert place.get_geometry()[:2] == (5, 5) and place.num1 == i


def test_a_wrong_prediction_is_marked(test_images, test_labels):
    prediction = test_labels.copy()
    prediction[340] = 3
    right, wrong = plot_images_labels_predict(test_images, test_labels, prediction, idx=339, num=2)
    assert wrong.get_title() == "l=5,p=3" and right.get_title() == f"l={test_labels[339]},p={test_labels[339]}"
    assert wrong.title.get_weight() == "bold" and right.title.get_weight() != "bold"
    assert same_color(wrong.spines["left"].get_edgecolor(), utils.WRONG_COLOR)
    assert wrong.spines["left"].get_linewidth() > 2 * right.spines["left"].get_linewidth()


@pytest.mark.parametrize("idx, num, count", [(0, 25, 25), (0, 1000, 25), (9995, 10, 5), (9999, 1, 1), (240, 10, 10)])
def test_at_most_25_and_not_past_the_end(test_images, test_labels, idx, num, count):
    every_axes = plot_images_labels_predict(test_images, test_labels, test_labels, idx, num)
    assert len(every_axes) == count == len(every_axes[0].figure.axes)
    assert every_axes[0].get_title() == f"l={test_labels[idx]},p={test_labels[idx]}"


def test_plain_lists(test_images, test_labels):
    images, labels = test_images[:3].tolist(), test_labels[:3].tolist()
    assert [a.get_title() for a in plot_images_labels_predict(images, labels, [7, 2, 3], 0)] == [
        "l=7,p=7",
        "l=2,p=2",
        "l=1,p=3",
    ]


@pytest.mark.parametrize("keys", [("acc", "val_acc"), ("accuracy", "val_accuracy"), ("loss", "val_loss")])
def test_show_train_history(keys):
    class WhatFitReturns:
        history = HISTORY

    for history in (HISTORY, WhatFitReturns()):
        axes = show_train_history(history, *keys)
        assert axes.get_title() == "Train History"
        assert axes.get_ylabel() == keys[0] and axes.get_xlabel() == "Epoch"
        legend = axes.get_legend()
        assert [text.get_text() for text in legend.get_texts()] == ["train", "validation"]
        assert legend._loc == 2  # Matplotlib's code of "upper left"
        drawn = [list(line.get_ydata()) for line in axes.lines]
        metric = keys[0].replace("accuracy", "acc").replace("acc", "accuracy")
        assert drawn == [HISTORY[metric], HISTORY[f"val_{metric}"]]


def test_a_history_of_the_books_time():
    old = {"acc": [0.9], "val_acc": [0.8]}
    assert list(show_train_history(old, "acc", "val_acc").lines[0].get_ydata()) == [0.9]


def test_plot_confusion_matrix(test_labels):
    prediction = test_labels.copy()
    prediction[test_labels == 5] = 3
    axes = plot_confusion_matrix(test_labels, prediction)
    assert axes.get_xlabel() == "predict" and axes.get_ylabel() == "label"
    assert [tick.get_text() for tick in axes.get_xticklabels()] == list("012346789")
    assert [tick.get_text() for tick in axes.get_yticklabels()] == list("0123456789")
    texts = {text.get_position(): text.get_text() for text in axes.texts}
    assert texts[3, 5] == "892" and texts[1, 1] == "1135" and texts[0, 1] == "0"


def test_a_figure_is_never_drawn_over_and_none_stays_open(test_images, test_labels):
    first, second = plot_image(test_images[0]), plot_image(test_images[1])
    assert first.figure is not second.figure and len(first.images) == len(second.images) == 1
    show_train_history(HISTORY, "loss", "val_loss")
    plot_images_labels_predict(test_images, test_labels, [], 0)
    assert plt.get_fignums() == []


def test_a_thousand_figures(test_images, test_labels):
    def figures_alive():
        gc.collect()
        return sum(type(thing).__name__ == "Figure" for thing in gc.get_objects())

    before = figures_alive()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for i in range(1000):
            plot_image(test_images[i])
    assert figures_alive() <= before + 1
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda x, y: plot_image(x), r"^image must have the shape \(28, 28\), not \(10000, 28, 28\)$"),
        (lambda x, y: plot_image(["no", "numbers"]), "^image must"),
        (lambda x, y: plot_images_labels_predict(x[0], y, [], 0), r"^images must have the shape \(n, 28, 28\)"),
        (lambda x, y: plot_images_labels_predict(x, y[:9], [], 0), "^labels must have 10000 entries.*not 9$"),
        (lambda x, y: plot_images_labels_predict(x, y, y[:9], 0), "^prediction must have 10000 entries.*not 9$"),
        (lambda x, y: plot_images_labels_predict(x, y, [], 10000), "^idx must be from 0 to 9999, not 10000$"),
        (lambda x, y: plot_images_labels_predict(x, y, [], -1), "^idx must be from 0 to 9999, not -1$"),
        (lambda x, y: plot_images_labels_predict(x, y, [], 0, 0), "^num must be at least 1, not 0$"),
        (
            lambda x, y: show_train_history(HISTORY, "auc", "val_acc"),
            "^train must be one of 'accuracy', 'loss', .*'auc'$",
        ),
        (lambda x, y: show_train_history(HISTORY, "acc", "val_auc"), "^validation must be one of"),
        (lambda x, y: show_train_history([1, 2], "acc", "val_acc"), "^train_history must be"),
        (lambda x, y: plot_confusion_matrix(y, y[:5]), "^prediction must have 10000 entries"),
    ],
)
def test_wrong_input_is_named(test_images, test_labels, call, message):
    with pytest.raises(ValueError, match=message):
        call(test_images, test_labels)
