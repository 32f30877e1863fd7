"""The tables of predictions, against independent counts."""

import numpy as np
import pandas as pd
import pytest

import explore
from utils import confusion_matrix


@pytest.fixture
def prediction(test_labels):
    """Predictions of which every seventh is one too high."""
    prediction = test_labels.astype(int)
    prediction[::7] = (prediction[::7] + 1) % 10
    return prediction


def test_the_crosstab_counts(test_labels, prediction):
    matrix = confusion_matrix(test_labels, prediction)
    assert matrix.index.name == "label" and matrix.columns.name == "predict"
    for label in range(10):
        for predict in range(10):
            assert matrix.loc[label, predict] == sum((test_labels == label) & (prediction == predict))
    books = pd.crosstab(test_labels, prediction, rownames=["label"], colnames=["predict"])
    pd.testing.assert_frame_equal(matrix, books, check_index_type=False, check_column_type=False)


def test_it_stays_10_by_10_where_a_digit_was_never_predicted(test_labels):
    matrix = confusion_matrix(test_labels, np.zeros(10000, int))
    assert matrix.shape == (10, 10) and matrix[0].sum() == 10000 and matrix.loc[:, 1:].to_numpy().sum() == 0
    assert confusion_matrix([5, 5, 1], [3, 5, 1]).loc[5, 3] == 1


def test_lists_series_and_tensors(test_labels, prediction):
    import tensorflow as tf

    expected = confusion_matrix(test_labels, prediction)
    shuffled = pd.Series(prediction).sample(frac=1, random_state=1)  # an index that must not count
    for kind in (list, pd.Series, lambda x: pd.Series(x, dtype="Int64"), lambda x: x.astype(float), tf.constant):
        pd.testing.assert_frame_equal(confusion_matrix(kind(test_labels), kind(prediction)), expected)
    ordered = confusion_matrix(test_labels[shuffled.index], shuffled)
    pd.testing.assert_frame_equal(ordered, expected)


@pytest.mark.parametrize(
    "label, prediction, message",
    [
        ([1, 2], [1], "^prediction must have the shape"),
        ([1, 11], [1, 1], "^label and prediction must hold nothing but digits"),
        ([1, 1], [1, 0.5], "^label and prediction must hold nothing but digits"),
        ([1, 1], [[0, 1], [0, 1]], "^prediction must have the shape"),
        ([1, 1], ["1", "1"], "^label and prediction must hold nothing but digits"),
    ],
)
def test_what_would_be_a_wrong_count_is_refused(label, prediction, message):
    with pytest.raises(ValueError, match=message):
        confusion_matrix(label, prediction)


def test_the_report_counts(test_labels, prediction):
    prediction = np.where(prediction == 9, 0, prediction)  # a digit that is never predicted
    report = explore.digit_report(test_labels, prediction)
    for digit in range(10):
        of_images, of_predicted = prediction[test_labels == digit] == digit, test_labels[prediction == digit] == digit
        assert report.right[digit] == of_images.sum() and report.wrong[digit] == (~of_images).sum()
        assert report.recall[digit] == pytest.approx(of_images.mean())
        if digit != 9:
            assert report.precision[digit] == pytest.approx(of_predicted.mean())
    assert np.isnan(report.precision[9])
    assert report.taken_for.tolist()[1:5] == [2, 3, 4, 5]
    assert explore.digit_report([1, 2], [1, 2]).taken_for.isna().all()


def test_confident_mistakes(test_labels):
    labels = test_labels[:100]
    probabilities = np.full((100, 10), 0.02)
    probabilities[np.arange(100), labels] = 0.82
    probabilities[3] = probabilities[8] = 0.01
    probabilities[3, [labels[3], 8]] = 0.3, 0.62
    probabilities[8, [labels[8], 0]] = 0.1, 0.82
    mistakes = explore.confident_mistakes(labels, probabilities)
    assert list(mistakes.index) == [8, 3]
    assert mistakes.loc[3].tolist() == [labels[3], 8, 0.3, 0.62]
    with pytest.raises(ValueError, match="^for 100 labels from 0 to 9 probabilities must"):
        explore.confident_mistakes(labels + 10, probabilities)
    with pytest.raises(ValueError, match=r"probabilities must have the shape \(100, 10\)$"):
        explore.confident_mistakes(labels, probabilities[:, :9])
