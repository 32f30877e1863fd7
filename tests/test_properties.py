"""Whatever a helper is given, it draws and counts what it was given, or refuses."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from matplotlib import pyplot as plt

import explore
import utils

small = settings(max_examples=200, deadline=None)
digits = st.lists(st.integers(0, 9), min_size=1, max_size=12)
kinds = st.sampled_from([list, tuple, np.array, pd.Series, pd.Index, lambda x: np.array(x, "uint8"), pd.Categorical])
images = hnp.arrays(np.uint8, st.tuples(st.integers(1, 3), st.just(28), st.just(28)))
arrays = hnp.arrays(
    st.sampled_from([np.uint8, np.int64, np.float32, np.float64, np.bool_, "U3"]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)


@pytest.fixture(autouse=True)
def no_files(monkeypatch):
    """Draw, but save nothing."""
    monkeypatch.setattr(utils, "show", lambda name: plt.close("all"))


@small
@given(digits, st.data(), kinds, kinds)
def test_counts_of_digits(label, data, kind, other_kind):
    prediction = data.draw(st.lists(st.integers(0, 9), min_size=len(label), max_size=len(label)))
    matrix = utils.confusion_matrix(kind(label), other_kind(prediction))
    expected = np.zeros((10, 10), int)
    np.add.at(expected, (label, prediction), 1)
    assert (matrix.to_numpy() == expected).all()
    report = explore.digit_report(kind(label), other_kind(prediction))
    assert report.right.sum() + report.wrong.sum() == len(label)
    assert report.wrong.sum() == sum(a != b for a, b in zip(label, prediction))


@small
@given(arrays, arrays)
def test_counts_of_anything(label, prediction):
    try:
        matrix = utils.confusion_matrix(label, prediction)
    except (ValueError, TypeError):  # NumPy's own TypeError for something that has no length
        return
    assert matrix.to_numpy().sum() == len(label) == len(prediction)


@settings(max_examples=40, deadline=None)
@given(images, st.data(), st.integers(-5, 5), st.integers(-5, 40))
def test_drawn_digits(array, data, idx, num):
    labels, prediction = (data.draw(hnp.arrays(np.int64, len(array), elements=st.integers(0, 9))) for _ in range(2))
    if 0 <= idx < len(array) and num >= 1:
        every_axes = utils.plot_images_labels_predict(array, labels, prediction, idx, num)
        assert len(every_axes) == min(num, 25, len(array) - idx)
        for place, axes in enumerate(every_axes, start=idx):
            assert axes.get_title() == f"l={labels[place]},p={prediction[place]}"
            assert (axes.images[0].get_array() == array[place]).all()
    else:
        with pytest.raises(ValueError, match="^idx must be from 0 to"):
            utils.plot_images_labels_predict(array, labels, prediction, idx, num)


keys = ["acc", "accuracy", "loss", "val_loss", "val_acc", "val_accuracy"]
histories = st.dictionaries(st.sampled_from(keys), st.lists(st.floats(0, 1), min_size=1, max_size=4))


@small
@given(histories, st.sampled_from([*keys, "auc"]), st.sampled_from([*keys, "auc"]))
def test_any_history(history, train, validation):
    todays = {"acc": "accuracy", "val_acc": "val_accuracy"}
    found = [history.get(key, history.get(todays.get(key))) for key in (train, validation)]
    validated = any(key.startswith("val_") for key in history)
    if found[0] is None or (validated and found[1] is None):
        with pytest.raises(ValueError, match="^the history has"):
            utils.show_train_history(history, train, validation)
    else:
        axes = utils.show_train_history(history, train, validation)
        drawn = [list(line.get_ydata()) for line in axes.lines]
        assert drawn == (found if validated else found[:1])
