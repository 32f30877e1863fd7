"""Whatever a public helper is given, it returns what it documents or names the argument that is wrong."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import explore
import utils

small = settings(max_examples=300, deadline=None)

numbers = st.integers(-3, 300) | st.floats(allow_nan=True, allow_infinity=True)
arrays = hnp.arrays(
    st.sampled_from([np.uint8, np.int64, np.float32, np.float64, np.bool_, np.complex64, "U3", object, "M8[s]"]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)
lists = st.recursive(numbers | st.none() | st.text(max_size=2), lambda inner: st.lists(inner, max_size=4), max_leaves=9)
anything = arrays | lists | st.dictionaries(st.text(max_size=2), numbers, max_size=2)

digits = st.lists(st.integers(0, 9), min_size=1, max_size=12)
kinds = st.sampled_from([list, tuple, np.array, pd.Series, pd.Index, lambda x: np.array(x, "uint8"), pd.Categorical])
images = hnp.arrays(np.uint8, st.tuples(st.integers(1, 3), st.just(28), st.just(28)))


def names(call, *arguments):
    """Call a helper and return its result, or None if it raised an error that names one of `arguments`."""
    try:
        return call()
    except (ValueError, TypeError) as error:
        message = str(error)
        assert any(message.startswith(name) for name in arguments), f"{type(error).__name__}: {message}"
        return None


@small
@given(anything, anything)
def test_tables_of_anything(label, prediction):
    for helper in (utils.prediction_table, utils.confusion_matrix, utils.misclassified_digits, explore.digit_report):
        result = names(lambda helper=helper: helper(label, prediction), "label", "prediction")
        assert result is None or isinstance(result, pd.DataFrame)


@small
@given(digits, st.data(), kinds, kinds)
def test_tables_of_digits(label, data, kind, other_kind):
    prediction = data.draw(st.lists(st.integers(0, 9), min_size=len(label), max_size=len(label)))
    table = utils.prediction_table(kind(label), other_kind(prediction))
    assert table.label.tolist() == label and table.predict.tolist() == prediction
    matrix = utils.confusion_matrix(kind(label), other_kind(prediction))
    assert matrix.to_numpy().sum() == len(label)
    wrong = utils.misclassified_digits(kind(label), other_kind(prediction))
    assert list(wrong.index) == [i for i in range(len(label)) if label[i] != prediction[i]]
    report = explore.digit_report(kind(label), other_kind(prediction))
    assert report.right.sum() + report.wrong.sum() == len(label) and report.wrong.sum() == len(wrong)


@small
@given(digits, digits)
def test_lengths_that_differ(label, prediction):
    if len(label) != len(prediction):
        with pytest.raises(ValueError, match="^prediction must have"):
            utils.prediction_table(label, prediction)


@small
@given(anything)
def test_preprocess_anything(thing):
    result = names(lambda: utils.preprocess_images(thing), "images")
    assert result is None or result.shape[1:] == (784,)


@small
@given(images)
def test_preprocess_images(array):
    result = utils.preprocess_images(array)
    assert result.shape == (len(array), 784) and result.dtype == np.float32
    assert (np.rint(result * 255).reshape(array.shape) == array).all()


@settings(max_examples=150, deadline=None)
@given(anything)
def test_plot_anything(thing):
    names(lambda: utils.plot_image(thing), "image")
    names(lambda: utils.show_train_history(thing, "loss", "val_loss"), "train")
    names(lambda: utils.plot_confusion_matrix(thing, thing), "label", "prediction")
    names(lambda: utils.plot_images_labels_predict(thing, thing, thing, 0), "images", "labels", "prediction", "idx")
    names(lambda: explore.confident_mistakes(thing, thing), "label", "probabilities")


@settings(max_examples=40, deadline=None)
@given(images, anything, anything, st.integers(-5, 5) | anything, st.integers(-5, 40) | anything)
def test_plot_digits_with_anything(array, labels, prediction, idx, num):
    words = ("labels", "prediction", "idx", "num")
    names(lambda: utils.plot_images_labels_predict(array, labels, prediction, idx, num), *words)
    names(lambda: utils.plot_images_labels_predict(array, range(len(array)), prediction, 0), *words)
    every_axes = names(lambda: utils.plot_images_labels_predict(array, range(len(array)), None, idx, num), *words)
    if every_axes is not None:
        assert len(every_axes) == min(num, 25, len(array) - idx)


histories = st.dictionaries(
    st.sampled_from(["acc", "accuracy", "loss", "val_loss", "val_acc", "val_accuracy", "auc"]),
    st.lists(st.floats(0, 1), max_size=4) | anything,
)
keys = st.sampled_from(["acc", "accuracy", "loss", "val_acc", "val_loss", "val_accuracy", "", None, 3]) | anything


@settings(max_examples=100, deadline=None)
@given(histories, keys, keys)
def test_any_history(history, train, validation):
    axes = names(lambda: utils.show_train_history(history, train, validation), "train", "validation")
    if axes is not None:
        assert len(axes.lines) == 2 and axes.get_ylabel() == train


def test_tensors(test_images, test_labels):
    import tensorflow as tf

    images, labels = tf.constant(test_images[:5]), tf.constant(test_labels[:5])
    assert (utils.preprocess_images(images) == utils.preprocess_images(test_images[:5])).all()
    assert utils.prediction_table(labels, labels).label.tolist() == test_labels[:5].tolist()
    assert len(utils.plot_images_labels_predict(images, labels, labels, 0)) == 5
    assert utils.plot_image(images[0]).images


def test_keep_figure_is_for_any_folder(tmp_path, capsys, test_images):
    utils.keep_figure(utils.plot_image(test_images[0]), tmp_path / "a" / "b", "digit")
    assert (tmp_path / "a/b/digit.png").exists()
    assert "digit.png" in capsys.readouterr().out
