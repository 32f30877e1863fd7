"""The data and the helpers: what they load, draw and count, on real digits, and what they refuse."""

import hashlib
import re
import struct
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from conftest import PROJECT, run, type_in
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from matplotlib.colors import same_color

import mnist
import utils
from utils import confusion_matrix, plot_image, plot_images_labels_predict, show_train_history

pytestmark = pytest.mark.usefixtures("pictures")
TRAIN, TEST = mnist.load_data()
IMAGES, LABELS = TEST


def test_the_arrays_are_those_of_the_four_original_files():
    """An original file is a header and the array; data/README.md has the checksums, as they came with the files."""
    readme = (PROJECT / "data/README.md").read_text(encoding="utf-8")
    checksums = re.findall(r"`([\w-]+-ubyte)` \| `([0-9a-f]{64})`", readme)
    assert len(checksums) == 4 and mnist.MNIST_SHA256 in readme
    for array, (_, checksum) in zip([*TRAIN, *TEST], checksums, strict=True):
        header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
        assert array.dtype == np.uint8 and hashlib.sha256(header + array.tobytes()).hexdigest() == checksum
    given_with_them = PROJECT.parent / "shared/mnist/SHA256SUMS"
    if given_with_them.exists():
        assert {checksum for _, checksum in checksums} == set(re.findall("[0-9a-f]{64}", given_with_them.read_text()))


def test_a_path_of_the_books_readers_changes_nothing():
    assert (mnist.load_data("D:/mnist.npz")[0][0] == TRAIN[0]).all()


def test_damaged_data_is_refused_before_it_is_parsed(tmp_path, monkeypatch):
    content = mnist.MNIST_FILE.read_bytes()
    monkeypatch.setattr(mnist, "MNIST_FILE", tmp_path / "mnist.npz")
    for damaged in (None, content[:-1], content[:5000] + bytes([content[5000] ^ 1]) + content[5001:]):
        if damaged:
            mnist.MNIST_FILE.write_bytes(damaged)
        with pytest.raises(OSError, match="npz is missing or damaged: download this project's data folder again$"):
            mnist.load_data()


def drawn(axes):
    return axes.images[0].get_array()


def test_plot_image():
    axes = plot_image(IMAGES[0].tolist())
    assert tuple(axes.figure.get_size_inches()) == (2, 2) and axes.images[0].get_cmap().name == "binary"
    assert (drawn(axes) == IMAGES[0]).all()


@pytest.mark.parametrize("name, nothing", [("plot_images_labels_predict", []), ("plot_images_labels_prediction", None)])
def test_digits_with_labels(name, nothing):
    every_axes = getattr(utils, name)(IMAGES, LABELS, nothing, 0, 10)
    assert len(every_axes) == 10
    assert tuple(every_axes[0].figure.get_size_inches()) == pytest.approx((12, 14 * 2 / 5))  # two rows of five
    for i, axes in enumerate(every_axes):
        assert (drawn(axes) == IMAGES[i]).all() and axes.get_title() == f"l={LABELS[i]}"
        assert axes.get_subplotspec().get_geometry() == (2, 5, i, i)
        assert len(axes.get_xticks()) == len(axes.get_yticks()) == 0


@pytest.mark.parametrize("idx, num, count", [(0, 1000, 25), (9995, 10, 5), (240, 10, 10)])
def test_at_most_25_and_not_past_the_end(idx, num, count):
    every_axes = plot_images_labels_predict(IMAGES, LABELS, LABELS, idx, num)
    assert len(every_axes) == count == len(every_axes[0].figure.axes)
    assert every_axes[0].get_title() == f"l={LABELS[idx]},p={LABELS[idx]}"
    assert count < 25 or tuple(every_axes[0].figure.get_size_inches()) == (12, 14)


@pytest.mark.parametrize("kind", [int, float, str])  # a table that was read from a file has texts
def test_a_wrong_prediction_is_marked(kind):
    prediction = LABELS.astype(kind)
    prediction[340] = 3
    right, wrong = plot_images_labels_predict(IMAGES, LABELS.tolist(), prediction, idx=339, num=2)
    assert wrong.get_title() == "l=5,p=3" and right.get_title() == f"l={LABELS[339]},p={LABELS[339]}"
    assert wrong.title.get_weight() == "bold" and right.title.get_weight() != "bold"
    assert same_color(wrong.spines["left"].get_edgecolor(), utils.WRONG_COLOR)
    assert wrong.spines["left"].get_linewidth() > 2 * right.spines["left"].get_linewidth()


HISTORY = {"acc": [0.8, 0.9, 0.95], "loss": [0.4, 0.2, 0.1], "val_acc": [0.9, 0.94, 0.96], "val_loss": [0.2, 0.1, 0.1]}


@pytest.mark.parametrize("keys", [("acc", "val_acc"), ("accuracy", "val_accuracy"), ("loss", "val_loss")])
@pytest.mark.parametrize("named", ["acc", "accuracy"])
def test_show_train_history(keys, named):
    """By either name, whatever name `compile` was given; by what `fit` returned or a dictionary."""
    history = {key.replace("acc", named): values for key, values in HISTORY.items()}
    for of_fit in (history, SimpleNamespace(history=history)):
        axes = show_train_history(of_fit, *keys)
        assert (axes.get_title(), axes.get_xlabel(), axes.get_ylabel()) == ("Train History", "Epoch", keys[0])
        assert [text.get_text() for text in axes.get_legend().get_texts()] == ["train", "validation"]
        assert axes.get_legend()._loc == 2  # Matplotlib's code of "upper left"
        for line, key in zip(axes.lines, keys, strict=True):
            assert list(line.get_xdata()) == [1, 2, 3]
            assert list(line.get_ydata()) == HISTORY[key.replace("accuracy", "acc")]


FOR_EACH = "must be digits from 0 to 9, one for each of 10000 images$"
EVERY_SECOND = HISTORY | {"val_acc": [0.9]}  # fit(validation_freq=2)
digits = st.integers(0, 9)
kinds = st.sampled_from([list, pd.Series, lambda x: np.array(x, float), lambda x: pd.Series(x, dtype="Int64")])


@settings(deadline=None)  # on a machine that is shared
@given(st.lists(st.tuples(digits, digits), min_size=1, max_size=12), kinds, kinds)
def test_the_matrix_counts(pairs, kind, other_kind):
    label, prediction = map(list, zip(*pairs))
    matrix = confusion_matrix(kind(label), other_kind(prediction))
    expected = np.zeros((10, 10), int)
    np.add.at(expected, (label, prediction), 1)
    assert (matrix.to_numpy() == expected).all()
    assert (matrix.index.name, matrix.columns.name) == ("label", "predict")


def test_plot_confusion_matrix():
    axes = utils.plot_confusion_matrix(LABELS, np.where(LABELS == 5, 3, LABELS))
    assert axes.get_xlabel() == "predict" and axes.get_ylabel() == "label"
    texts = {text.get_position(): text for text in axes.texts}
    assert texts[3, 5].get_text() == "892" and texts[1, 1].get_text() == "1135" and texts[0, 1].get_text() == "0"
    assert texts[1, 1].get_color() == "white" and texts[5, 5].get_color() == "black"


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda x, y: plot_images_labels_predict(x, y[:9], [], 0), f"^labels and predictions {FOR_EACH}"),
        (lambda x, y: plot_images_labels_predict(x, y, y[:9], 0), f"^labels and predictions {FOR_EACH}"),
        (lambda x, y: plot_images_labels_predict(x, y, np.eye(10)[y], 0), f"^labels and predictions {FOR_EACH}"),
        (lambda x, y: plot_images_labels_predict(x, y, y / 10, 0), f"^labels and predictions {FOR_EACH}"),
        (lambda x, y: plot_images_labels_predict(x, y, [], 10000), "^idx must be from 0 to 9999 .* not 10000 "),
        (lambda x, y: plot_images_labels_predict(x, y, [], 0, 0), "num at least 1, not 0 and 0$"),
        (lambda x, y: show_train_history(HISTORY, "auc", "val_acc"), "^the history needs auc .* it has acc, loss"),
        (lambda x, y: show_train_history(EVERY_SECOND, "acc", "val_acc"), "^the history needs .* for every epoch"),
        (lambda x, y: utils.plot_confusion_matrix(y, y[:5]), f"^labels and predictions {FOR_EACH}"),
        (lambda x, y: confusion_matrix([1, 11], [1, 1]), "^labels and predictions .* one for each of 2 images$"),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(IMAGES, LABELS)


def test_pictures_are_saved(pictures, tmp_path, capsys):
    first = plot_image(IMAGES[0])
    show_train_history(HISTORY, "loss", "val_loss")
    assert plt.get_fignums() == []  # nothing piles up
    paths = [pictures / "01_digit.png", pictures / "02_loss.png"]
    assert capsys.readouterr().out.splitlines() == [f"\t[Info] Figure saved: {path}" for path in paths]
    assert sorted(pictures.iterdir()) == paths
    first.figure.savefig(tmp_path / "copy.png")
    assert (tmp_path / "copy.png").read_bytes()[1:4] == b"PNG"
    utils.save_figures(tmp_path / "a/b")
    plot_image(IMAGES[0])
    assert [path.name for path in (tmp_path / "a/b").iterdir()] == ["01_digit.png"]


def test_importing_changes_nothing(tmp_path):
    code = "import utils, matplotlib; print(matplotlib.get_backend(auto_select=False), utils.__all__)"
    exported = "isDisplayAvl plot_image plot_images_labels_predict plot_images_labels_prediction show_train_history"
    exported += " confusion_matrix plot_confusion_matrix save_figures"
    assert run("-c", code, folder=tmp_path).stdout == f"None {sorted(exported.split())}\n"


@pytest.mark.parametrize("backend", ["pdf", "module://matplotlib_inline.backend_inline", "module://ipympl.not_there"])
def test_backends_that_can_show_nothing(backend, tmp_path):
    """What `!python` in a notebook hands on to a script can show pictures in the notebook alone."""
    code = "import utils; utils.plot_image([[0] * 28] * 28); print(utils.isDisplayAvl())"
    ended = run("-c", code, folder=tmp_path, MPLBACKEND=backend)
    assert ended.stdout.splitlines()[1:] == ["False"] and ended.stderr == ""
    assert [path.name for path in tmp_path.rglob("*.png")] == ["01_digit.png"]


# A stand-in for a toolkit of windows, which prints what is asked of it.
WINDOWS = """
from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
class FigureManager(FigureManagerBase):
    def show(self):
        print("window", self.num)
    @classmethod
    def start_main_loop(cls):
        print("waits")
class FigureCanvas(FigureCanvasAgg):
    manager_class = FigureManager
    required_interactive_framework = None
"""


def test_windows_of_a_script_open_when_it_says_so(tmp_path):
    (tmp_path / "windows.py").write_text(WINDOWS)
    code = "from utils import *; plot_image([[0] * 28] * 28); print('drawn')"
    show = "; from matplotlib import pyplot as plt; plt.show(); print('end')"
    for rest, output in (("", "drawn"), (show, "drawn window 1 waits end")):
        ended = run("-c", code + rest, folder=tmp_path, MPLBACKEND="module://windows")
        assert " ".join(ended.stdout.split()) == output, ended.stderr


def test_windows_of_the_repl_open_at_once(tmp_path):
    (tmp_path / "windows.py").write_text(WINDOWS)
    typed = "from utils import *\nplot_image([[0] * 28] * 28).get_title()\nprint('end')\n"
    ended = type_in(typed, folder=tmp_path, MPLBACKEND="module://windows")
    assert ended.stdout.splitlines() == ["window 1", "''", "end"]
