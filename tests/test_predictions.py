"""The tables of predictions, against independent counts."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import classification_report

import explore
from utils import confusion_matrix, misclassified_digits, prediction_table, preprocess_images


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


def test_the_books_queries(test_labels, prediction):
    df = prediction_table(test_labels, prediction)
    assert df[:2].to_numpy().tolist() == [[7, 8], [2, 2]]
    found = df[(df.label == 5) & (df.predict == 6)]
    assert list(found.index) == [i for i in range(0, 10000, 7) if test_labels[i] == 5]


def test_the_misclassified(test_labels, prediction):
    wrong = misclassified_digits(test_labels, prediction)
    assert list(wrong.index) == list(range(0, 10000, 7))
    assert (wrong.label != wrong.predict).all()
    assert misclassified_digits([1, 2], [1, 2]).empty


def test_tables_take_lists_and_pandas(test_labels, prediction):
    expected = prediction_table(test_labels, prediction)
    for kind in (list, pd.Series, lambda x: pd.Series(x, dtype="Int64"), lambda x: x.astype(float)):
        pd.testing.assert_frame_equal(prediction_table(kind(test_labels), kind(prediction)), expected)


def test_preprocess_images(test_images):
    rows = preprocess_images(test_images)
    assert rows.shape == (10000, 784) and rows.dtype == np.float32
    assert rows.min() == 0 and rows.max() == 1
    assert rows[0, 28 * 7 + 6] == np.float32(test_images[0, 7, 6] / 255)
    assert (preprocess_images(test_images[:2].tolist()) == rows[:2]).all()
    with pytest.raises(ValueError, match="^images must hold numbers from 0 to 255$"):
        preprocess_images(test_images.astype(int) + 1)


def test_the_report_agrees_with_scikit_learn(test_labels, prediction):
    prediction = np.where(prediction == 9, 0, prediction)  # a digit that is never predicted
    ours = explore.digit_report(test_labels, prediction)
    theirs = classification_report(test_labels, prediction, output_dict=True, zero_division=np.nan)
    for digit in range(10):
        row = theirs[str(digit)]
        np.testing.assert_allclose(ours.precision[digit], row["precision"])
        np.testing.assert_allclose(ours.recall[digit], row["recall"])
        assert ours.right[digit] + ours.wrong[digit] == row["support"]
    assert ours.taken_for.tolist()[1:5] == [2, 3, 4, 5]
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
    with pytest.raises(ValueError, match="^label must hold digits"):
        explore.confident_mistakes(labels + 10, probabilities)
    with pytest.raises(ValueError, match=r"^probabilities must have the shape \(n, 10\)"):
        explore.confident_mistakes(labels, probabilities[:, :9])
