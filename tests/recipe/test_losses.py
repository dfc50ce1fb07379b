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
