"""What the plot helpers draw, on real digits."""

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


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    """Save each test's pictures in a folder of its own, and close them at the end."""
    monkeypatch.setattr(utils, "figures_folder", tmp_path / "figures")
    yield
    plt.close("all")


HISTORY = {
    "accuracy": [0.88, 0.94, 0.96],
    "loss": [0.44, 0.19, 0.14],
    "val_accuracy": [0.94, 0.95, 0.96],
    "val_loss": [0.22, 0.16, 0.13],
}


def drawn_image(axes):
    return axes.images[0].get_array()


def test_the_name_in_the_printed_book(test_images, test_labels):
    every_axes = utils.plot_images_labels_prediction(test_images, test_labels, [], 0)
    assert [axes.get_title() for axes in every_axes[:3]] == ["l=7", "l=2", "l=1"]
    with pytest.raises(TypeError, match=r"^plot_images_labels_prediction\(\) missing"):
        utils.plot_images_labels_prediction(test_images, test_labels)


def test_plot_image(test_images):
    axes = plot_image(test_images[0])
    assert tuple(axes.figure.get_size_inches()) == (2, 2)
    assert axes.images[0].get_cmap().name == "binary"
    assert (drawn_image(axes) == test_images[0]).all()
    assert (drawn_image(plot_image(test_images[0].tolist())) == test_images[0]).all()


@pytest.mark.parametrize("nothing", [[], None, np.array([])])
def test_digits_with_labels(test_images, test_labels, nothing):
    every_axes = plot_images_labels_predict(test_images, test_labels, nothing, 0, 10)
    assert tuple(every_axes[0].figure.get_size_inches()) == pytest.approx((12, 14 * 2 / 5))  # two rows of five
    assert [axes.get_title() for axes in every_axes] == [f"l={label}" for label in test_labels[:10]]
    assert [axes.get_title() for axes in every_axes[:3]] == ["l=7", "l=2", "l=1"]
    for i, axes in enumerate(every_axes):
        assert (drawn_image(axes) == test_images[i]).all()
        assert list(axes.get_xticks()) == list(axes.get_yticks()) == []
        place = axes.get_subplotspec()
        assert place.get_geometry()[:2] == (2, 5) and place.num1 == i


def test_25_digits_fill_the_books_figure(test_images, test_labels):
    every_axes = plot_images_labels_predict(test_images, test_labels, [], 0, 25)
    assert tuple(every_axes[0].figure.get_size_inches()) == (12, 14)
    assert every_axes[24].get_subplotspec().get_geometry() == (5, 5, 24, 24)


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
        assert [list(line.get_xdata()) for line in axes.lines] == [[1, 2, 3]] * 2
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
    assert [tick.get_text() for tick in axes.get_xticklabels()] == list("0123456789")
    assert [tick.get_text() for tick in axes.get_yticklabels()] == list("0123456789")
    texts = {text.get_position(): text for text in axes.texts}
    assert texts[3, 5].get_text() == "892" and texts[1, 1].get_text() == "1135" and texts[0, 1].get_text() == "0"
    assert texts[1, 1].get_color() == "white" and texts[5, 5].get_text() == "0"
    assert texts[5, 5].get_color() == "black"  # nothing on the diagonal where a digit was never read right


def test_each_picture_is_a_file_with_a_name_of_its_own(test_images, test_labels, tmp_path, capsys):
    first, second = plot_image(test_images[0]), plot_image(test_images[1])
    assert first.figure is not second.figure and len(first.images) == len(second.images) == 1
    show_train_history(HISTORY, "loss", "val_loss")
    printed = [line.removeprefix("\t[Info] Figure saved: ") for line in capsys.readouterr().out.splitlines()]
    saved = sorted(path.name for path in (tmp_path / "figures").iterdir())
    assert [name.partition("_")[2] for name in saved] == ["digit.png", "digit.png", "loss.png"]
    assert sorted(printed) == [str(tmp_path / "figures" / name) for name in saved]


def test_the_figure_just_drawn_is_the_current_one(test_images, tmp_path):
    axes = plot_image(test_images[0])
    assert plt.gcf() is axes.figure and plt.gca() is axes
    plt.savefig(tmp_path / "copy.png")
    assert (tmp_path / "copy.png").read_bytes()[1:4] == b"PNG"


def test_scattered_images(test_images, test_labels):
    places = [340, 247]
    every_axes = utils.plot_images(test_images[places], ["a 5", "a 4"], wrong=[False, True], cmap="gray")
    assert [axes.get_title() for axes in every_axes] == ["a 5", "a 4"]
    assert (drawn_image(every_axes[1]) == test_images[247]).all()
    assert every_axes[1].title.get_weight() == "bold" and every_axes[0].title.get_weight() != "bold"
    assert every_axes[0].images[0].get_cmap().name == "gray"


def test_a_history_without_validation():
    axes = show_train_history({"accuracy": [0.9], "loss": [0.3]}, "accuracy", "val_accuracy")
    assert len(axes.lines) == 1 and [text.get_text() for text in axes.get_legend().get_texts()] == ["train"]


def test_figures_go_where_they_are_sent(test_images, tmp_path, monkeypatch):
    monkeypatch.setattr(utils, "figures_folder", utils.figures_folder)
    utils.save_figures(tmp_path / "a/b")
    plot_image(test_images[0])
    assert [path.suffix for path in (tmp_path / "a/b").iterdir()] == [".png"]


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda x, y: plot_image(x), r"^image must have the shape \(28, 28\), not \(10000, 28, 28\)$"),
        (lambda x, y: plot_image(x[0][:27]), r"^image must have the shape \(28, 28\), not \(27, 28\)$"),
        (lambda x, y: utils.plot_images(x[:2], ["one"]), r"^titles must have the shape \(2,\), not \(1,\)$"),
        (
            lambda x, y: utils.plot_images(x[:26], [""] * 26),
            r"^images must have the shape \(n, 28, 28\), n from 1 to 25",
        ),
        (
            lambda x, y: plot_images_labels_predict(x.reshape(-1, 784), y, [], 0),
            r"^images must have the shape \(n, 28, 28\)",
        ),
        (
            lambda x, y: plot_images_labels_predict(x, y[:9], [], 0),
            r"^labels must have the shape \(10000,\), not \(9,\)$",
        ),
        (
            lambda x, y: plot_images_labels_predict(x, y, y[:9], 0),
            r"^prediction must have the shape \(10000,\), not \(9,\)$",
        ),
        (lambda x, y: plot_images_labels_predict(x, y, [], 10000), "^idx must be from 0 to 9999 .* not idx=10000 "),
        (lambda x, y: plot_images_labels_predict(x, y, [], -1), "^idx must be from 0 to 9999 .* not idx=-1 "),
        (lambda x, y: plot_images_labels_predict(x, y, [], 0, 0), "num at least 1, not idx=0 and num=0$"),
        (lambda x, y: show_train_history(HISTORY, "auc", "val_acc"), "^the history has accuracy, .*, but no 'auc'$"),
        (lambda x, y: show_train_history(HISTORY, "acc", "val_auc"), "^the history has .*, but no 'val_auc'$"),
        (lambda x, y: plot_confusion_matrix(y, y[:5]), "^prediction must have the shape"),
        (lambda x, y: plot_images_labels_predict(x, y, np.zeros((10000, 10)), 0), "^prediction must have the shape"),
    ],
)
def test_wrong_input_is_named(test_images, test_labels, call, message):
    with pytest.raises(ValueError, match=message):
        call(test_images, test_labels)
    assert plt.get_fignums() == []
