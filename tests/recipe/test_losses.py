"""The loss, with and without smoothed targets, against the formula and against Keras' own."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from tuner.recipe.losses import make_loss

PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.25, 0.25, 0.5]], np.float32)
LABELS = np.array([0, 2])


def value(loss: keras.losses.Loss, labels: np.ndarray = LABELS) -> float:
    return float(loss(labels, PROBABILITIES))


def test_without_smoothing_it_is_keras_sparse_cross_entropy(recipe: Any) -> None:
    loss = make_loss(recipe())
    assert type(loss) is keras.losses.SparseCategoricalCrossentropy
    assert value(loss) == pytest.approx(-(np.log(0.7) + np.log(0.5)) / 2)


@pytest.mark.parametrize("smoothing", [0.1, 0.3, 0.9])
def test_a_smoothed_target_gives_each_class_its_share(recipe: Any, smoothing: float) -> None:
    targets = np.full((2, 3), smoothing / 3)
    targets[[0, 1], LABELS] += 1 - smoothing
    by_hand = -(targets * np.log(PROBABILITIES)).sum(axis=1).mean()
    assert value(make_loss(recipe(label_smoothing=smoothing))) == pytest.approx(by_hand, rel=1e-5)


def test_a_smoothed_loss_is_keras_own_of_one_hot_labels(recipe: Any) -> None:
    keras_own = keras.losses.CategoricalCrossentropy(label_smoothing=0.2)
    expected = float(keras_own(np.eye(3, dtype=np.float32)[LABELS], PROBABILITIES))
    assert value(make_loss(recipe(label_smoothing=0.2))) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "float32"])
def test_labels_are_taken_in_any_type_and_as_a_column(recipe: Any, dtype: str) -> None:
    loss = make_loss(recipe(label_smoothing=0.2))
    assert value(loss, LABELS.astype(dtype)) == value(loss)
    assert value(loss, LABELS.astype(dtype).reshape(-1, 1)) == value(loss)


def test_one_image_and_many_classes_are_taken(recipe: Any) -> None:
    even = np.full((1, 200), 1 / 200, np.float32)
    assert float(make_loss(recipe(label_smoothing=0.5))(np.array([199]), even)) == pytest.approx(np.log(200), rel=1e-4)


def test_a_smoothed_loss_counts_accuracy_on_whole_number_labels(recipe: Any) -> None:
    network = keras.Sequential([keras.Input((3,)), keras.layers.Activation("linear")])
    network.compile("sgd", make_loss(recipe(label_smoothing=0.2)), metrics=["accuracy"])
    found = network.evaluate(PROBABILITIES, np.array([0, 1]), verbose=0, return_dict=True)
    assert found["accuracy"] == 0.5


@pytest.mark.parametrize("gamma", [0.5, 2.0, 5.0])
def test_focal_loss_counts_less_what_is_right_already(recipe: Any, gamma: float) -> None:
    of_true_class = np.array([0.7, 0.5])
    by_hand = -((1 - of_true_class) ** gamma * np.log(of_true_class)).mean()
    assert value(make_loss(recipe(loss="focal", focal_gamma=gamma))) == pytest.approx(by_hand, rel=1e-5)


def test_focal_loss_of_gamma_0_is_cross_entropy(recipe: Any) -> None:
    expected = value(make_loss(recipe()))
    assert value(make_loss(recipe(loss="focal", focal_gamma=0.0))) == pytest.approx(expected, rel=1e-5)


def test_focal_loss_takes_smoothed_targets(recipe: Any) -> None:
    targets = np.full((2, 3), 0.3 / 3)
    targets[[0, 1], LABELS] += 0.7
    by_hand = -((1 - PROBABILITIES) ** 2 * targets * np.log(PROBABILITIES)).sum(axis=1).mean()
    loss = make_loss(recipe(loss="focal", focal_gamma=2.0, label_smoothing=0.3))
    assert value(loss) == pytest.approx(by_hand, rel=1e-5)


def test_what_a_loss_is_made_of_stands_in_its_configuration(recipe: Any) -> None:
    given = [{}, {"label_smoothing": 0.2}, {"loss": "focal"}, {"loss": "focal", "focal_gamma": 3.0}]
    told = [str(make_loss(recipe(**one)).get_config()) for one in given]
    assert len(set(told)) == 4  # by which compiled epochs are told apart
