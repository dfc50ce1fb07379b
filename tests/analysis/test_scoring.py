"""Scores of saved predictions, against figures worked out by hand."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from tuner import columns as col
from tuner.analysis.class_metrics import CLASS_METRICS
from tuner.analysis.scoring import Predictions, averages, load_predictions, per_class
from tuner.errors import CheckError

NAMES = ("cat", "dog", "eel", "fox", "gnu")
NAN = float("nan")

# true   predicted
#  cat    cat
#  cat    dog
#  cat    cat
#  dog    dog
#  dog    fox
#  eel    cat
# So eel occurs and is never predicted, fox is predicted and never occurs, gnu neither.
LABELS = np.array([0, 0, 0, 1, 1, 2])
PROBABILITIES = np.array(
    [
        [0.70, 0.10, 0.10, 0.10, 0.00],
        [0.20, 0.60, 0.10, 0.10, 0.00],
        [0.50, 0.20, 0.20, 0.10, 0.00],
        [0.10, 0.80, 0.05, 0.05, 0.00],
        [0.30, 0.10, 0.20, 0.40, 0.00],
        [0.60, 0.10, 0.30, 0.00, 0.00],
    ],
    dtype=np.float32,
)


@pytest.fixture
def predictions() -> Predictions:
    return Predictions(LABELS, PROBABILITIES, NAMES)


def test_half_of_the_six_images_are_right(predictions):
    assert predictions.predicted.tolist() == [0, 1, 0, 1, 3, 0]
    assert predictions.correct.tolist() == [True, False, True, True, False, False]
    assert predictions.accuracy == 0.5


def test_of_two_equally_probable_classes_the_first_is_predicted():
    tied = Predictions(np.array([1]), np.array([[0.2, 0.4, 0.4]], np.float32), NAMES[:3])
    assert tied.predicted.tolist() == [1]


def test_the_confusion_matrix_has_true_classes_in_rows_and_every_class_in_it(predictions):
    assert predictions.confusion.tolist() == [
        [2, 1, 0, 0, 0],  # cat: twice itself, once a dog
        [0, 1, 0, 1, 0],  # dog: once itself, once a fox
        [1, 0, 0, 0, 0],  # eel: a cat
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
    ]


# cat: 2 true positives, 1 false (the eel), 1 missed: precision = recall = F1 = 2/3.
#      Ranked by probability: .7+ .6- .5+ .3- .2+ .1-. Of the 9 pairs of a cat and another, 3 + 1 + 2 = 6 are in
#      the right order. Average precision: (1/1 + 2/3 + 3/5) / 3 = 34/45.
# dog: 1 true positive, 1 false, 1 missed: 1/2 each. Ranked: .8+ .6- .2- and .1+ .1- .1- tied. Of the 8 pairs 4
#      are right for the first dog, and for the second 2 ties count half: 5/8. Average precision: the first dog at
#      precision 1, the second at 2/6, a half each: 2/3.
# eel: never predicted, so precision is 0/0; recall 0/1; F1 = 0 / (0 + 0 + 1). Its one image ranks first.
# fox: predicted once, wrongly: precision 0/1; recall 0/0; F1 = 0 / (0 + 1 + 0). It has no positives to rank.
# gnu: every figure is 0/0, as nothing is right, wrong or missed.
BY_HAND = {
    "cat": (2 / 3, 2 / 3, 2 / 3, 6 / 9, 34 / 45, 3),
    "dog": (1 / 2, 1 / 2, 1 / 2, 5 / 8, 2 / 3, 2),
    "eel": (NAN, 0, 0, 1, 1, 1),
    "fox": (0, NAN, 0, NAN, NAN, 0),
    "gnu": (NAN, NAN, NAN, NAN, NAN, 0),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("place", "metric"), list(enumerate((*CLASS_METRICS, col.SUPPORT))))
def test_the_figures_of_each_class_are_those_worked_out_by_hand(predictions, name, place, metric):
    row = per_class(predictions).set_index(col.CLASS).loc[name]
    assert row[metric] == pytest.approx(BY_HAND[name][place], nan_ok=True)


# Over cat, dog and eel, which occur; eel's precision counts as 0.
# macro:    precision (2/3 + 1/2 + 0) / 3 = 7/18, and so recall and F1; AUC (2/3 + 5/8 + 1) / 3 = 55/72;
#           average precision (34/45 + 2/3 + 1) / 3 = 109/135.
# weighted: by 3, 2 and 1 of 6: precision (2 + 1 + 0) / 6 = 1/2, and so recall and F1; AUC (2 + 5/4 + 1) / 6 = 17/24;
#           average precision (34/15 + 4/3 + 1) / 6 = 23/30.
AVERAGES_BY_HAND = {
    "macro average": (7 / 18, 7 / 18, 7 / 18, 55 / 72, 109 / 135, 6),
    "weighted average": (1 / 2, 1 / 2, 1 / 2, 17 / 24, 23 / 30, 6),
}


@pytest.mark.parametrize("name", AVERAGES_BY_HAND)
def test_the_averages_are_those_worked_out_by_hand(predictions, name):
    row = averages(per_class(predictions)).set_index(col.CLASS).loc[name]
    assert [row[metric] for metric in (*CLASS_METRICS, col.SUPPORT)] == pytest.approx(AVERAGES_BY_HAND[name])


def test_the_weighted_recall_is_the_accuracy(predictions):
    table = averages(per_class(predictions)).set_index(col.CLASS)
    assert table.loc["weighted average", col.RECALL] == pytest.approx(predictions.accuracy)


def test_never_predicting_a_class_costs_precision_as_much_as_predicting_it_wrongly(predictions):
    # The eel's image, taken for a cat until now, is taken for a gnu: the eel is still never predicted.
    taken_for_gnu = PROBABILITIES.copy()
    taken_for_gnu[5] = [0.1, 0.1, 0.1, 0.1, 0.6]
    # cat 2/2, dog 1/2, eel 0: (1 + 1/2 + 0) / 3
    table = averages(per_class(Predictions(LABELS, taken_for_gnu, NAMES))).set_index(col.CLASS)
    assert table.loc["macro average", col.PRECISION] == pytest.approx(1 / 2)


def test_perfect_predictions_score_1_everywhere():
    labels = np.array([0, 1, 2, 1])
    table = per_class(Predictions(labels, np.eye(3, dtype=np.float32)[labels], NAMES[:3]))
    scores = list(CLASS_METRICS)
    assert (table[scores] == 1).all(axis=None)
    assert (averages(table)[scores] == 1).all(axis=None)
    assert table[col.SUPPORT].tolist() == [1, 2, 1]


def test_the_roc_curve_of_a_class_has_the_points_worked_out_by_hand(predictions):
    # Ranked: .7+ .6- .5+ .3- .2+ .1-, so up, right, up, right, up, right, by thirds.
    false_rate, true_rate = predictions.roc(0)
    third = 1 / 3
    assert false_rate == pytest.approx([0, 0, third, third, 2 * third, 2 * third, 1])
    assert true_rate == pytest.approx([0, third, third, 2 * third, 2 * third, 1, 1])


def test_a_tie_makes_the_roc_curve_slant(predictions):
    # .8+ up a half; .6- and .2- right by a quarter each; .1+ .1- .1- together: up a half and right a half.
    false_rate, true_rate = predictions.roc(1)
    assert {(0.0, 0.0), (0.0, 0.5), (0.5, 0.5), (1.0, 1.0)} <= set(zip(false_rate, true_rate, strict=True))
    assert np.interp(0.75, false_rate, true_rate) == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("labels", "index"),
    [
        pytest.param(LABELS, 3, id="predicted and never there"),
        pytest.param(LABELS, 4, id="neither"),
        pytest.param(np.full(6, 2), 2, id="nothing else there"),
    ],
)
def test_a_class_without_rest_or_without_images_has_no_roc_curve(labels, index):
    false_rate, true_rate = Predictions(labels, PROBABILITIES, NAMES).roc(index)
    assert false_rate.size == true_rate.size == 0


def write(path: Path, **arrays: np.ndarray) -> str:
    np.savez(path, **arrays)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_saved_predictions_are_read_back(tmp_path):
    sha256 = write(tmp_path / "p.npz", labels=LABELS, probabilities=PROBABILITIES)
    loaded = load_predictions(tmp_path / "p.npz", sha256, NAMES)
    np.testing.assert_array_equal(loaded.labels, LABELS)
    np.testing.assert_array_equal(loaded.probabilities, PROBABILITIES)
    assert loaded.class_names == NAMES


def test_saved_predictions_of_which_one_byte_changed_are_refused(tmp_path):
    path = tmp_path / "p.npz"
    sha256 = write(path, labels=LABELS, probabilities=PROBABILITIES)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckError, match=r"p\.npz: the saved predictions are not those that were recorded"):
        load_predictions(path, sha256, NAMES)


def test_saved_predictions_that_are_gone_are_named(tmp_path):
    with pytest.raises(CheckError, match=r"gone\.npz: the saved predictions cannot be read \(No such file"):
        load_predictions(tmp_path / "gone.npz", "0" * 64, NAMES)


def test_a_file_of_the_right_hash_without_predictions_in_it_is_refused(tmp_path):
    sha256 = write(tmp_path / "p.npz", labels=LABELS)
    with pytest.raises(CheckError, match="cannot be read"):
        load_predictions(tmp_path / "p.npz", sha256, NAMES)


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        pytest.param({"probabilities": PROBABILITIES[:-1]}, "for 6 labels and 5 classes", id="fewer rows"),
        pytest.param({"probabilities": PROBABILITIES[:, :-1]}, "for 6 labels and 5 classes", id="fewer classes"),
        pytest.param({"probabilities": PROBABILITIES[0]}, "probabilities are", id="one row"),
        pytest.param({"probabilities": PROBABILITIES.astype("U5")}, "probabilities are <U5", id="text"),
        pytest.param({"labels": LABELS.astype(float)}, "labels are float64", id="real labels"),
        pytest.param({"labels": LABELS[:, None]}, r"of the shape \(6, 1\)", id="labels in a column"),
        pytest.param({"labels": LABELS + 3}, "and there are 5 classes", id="a label too high"),
        pytest.param({"labels": LABELS - 9}, "labels are -9 to", id="a negative label"),
        pytest.param({"labels": LABELS[:0], "probabilities": PROBABILITIES[:0]}, "labels are", id="nothing"),
        pytest.param({"labels": LABELS.astype(object)}, "Object arrays are pickles", id="a pickle"),
        pytest.param({"view": np.array([{}], dtype=object)}, "Object arrays are pickles", id="a pickle beside them"),
    ],
)
def test_predictions_that_do_not_fit_their_classes_are_refused(tmp_path, arrays, problem):
    sha256 = write(tmp_path / "p.npz", **{"labels": LABELS, "probabilities": PROBABILITIES, **arrays})
    with pytest.raises(CheckError, match=problem) as caught:
        load_predictions(tmp_path / "p.npz", sha256, NAMES)
    assert str(caught.value).startswith(f"{tmp_path / 'p.npz'}: the saved predictions cannot be read (")
    assert "\n" not in str(caught.value)
