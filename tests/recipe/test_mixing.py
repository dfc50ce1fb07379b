"""Mixing: two images, and their labels, become one by the same shares; the loss counts a share as its class counts."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from tuner.recipe import Mixing, compile_network, mixing
from tuner.recipe.losses import make_loss
from tuner.recipe.mixing import MIXING

#: An image of each class in its own grey, so that an image says what it is made of.
LABELS = np.arange(40) % 4
IMAGES = np.broadcast_to((LABELS * 60.0)[:, None, None, None], (40, 12, 10, 1)).astype(np.uint8)
LOSSES: list[dict[str, Any]] = [
    {},
    {"label_smoothing": 0.2},
    {"loss": "focal"},
    {"loss": "focal", "focal_gamma": 1.0, "label_smoothing": 0.1},
]


def mixer(recipe: Any, seed: int = 3, **given: Any) -> Mixing:
    made = mixing(recipe(**given), 4, seed)
    assert made is not None
    return made


def mixed(one: Mixing, weights: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    images, shares = one(IMAGES, LABELS, weights)
    return keras.ops.convert_to_numpy(images), keras.ops.convert_to_numpy(shares)


@pytest.mark.parametrize("given", [{"mixup": 0.4}, {"cutmix": 1.0}, {"mixup": 0.4, "cutmix": 1.0}], ids=str)
class TestEveryMixing:
    def test_labels_are_shared_as_pixels_are(self, recipe: Any, given: dict[str, Any]) -> None:
        images, shares = mixed(mixer(recipe, **given))
        np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
        assert ((shares > 0.01).sum(axis=1) > 1).any(), "some have parts of two classes"
        greys = shares @ (np.arange(4) * 60.0)
        # A rectangle's sides are no whole pixels, of which the labels know nothing.
        np.testing.assert_allclose(images.mean(axis=(1, 2, 3)), greys, atol=0.01 if "cutmix" not in given else 40)

    def test_repeats_with_the_same_seed_and_with_no_other_and_draws_anew(
        self, recipe: Any, given: dict[str, Any]
    ) -> None:
        one = mixer(recipe, **given)
        first, second = mixed(one), mixed(one)
        again = mixed(mixer(recipe, **given))
        np.testing.assert_array_equal(first[0], again[0])
        np.testing.assert_array_equal(first[1], again[1])
        assert not np.array_equal(first[1], second[1])
        assert not np.array_equal(first[1], mixed(mixer(recipe, seed=4, **given))[1])

    def test_weights_of_classes_are_weights_of_shares(self, recipe: Any, given: dict[str, Any]) -> None:
        weights = np.array([0.5, 1.0, 2.0, 4.0], np.float32)
        plain, weighted = (mixed(mixer(recipe, **given), w)[1] for w in (None, weights))
        np.testing.assert_allclose(weighted, plain * weights, rtol=1e-6)


def test_where_nothing_is_asked_for_nothing_is_mixed_not_even_in_a_trial_older_than_mixing(recipe: Any) -> None:
    values = recipe()
    assert mixing(values, 4, 3) is None
    assert mixing({name: value for name, value in values.items() if name not in [p.name for p in MIXING]}, 4, 3) is None


@pytest.mark.parametrize("given", LOSSES, ids=str)
def test_the_loss_of_a_mixed_label_is_what_its_parts_would_lose_by_their_shares(
    recipe: Any, given: dict[str, Any]
) -> None:
    values = recipe(mixup=0.4, **given)
    answers = np.random.default_rng(1).dirichlet(np.ones(4), 6).astype(np.float32)
    shares = np.random.default_rng(2).dirichlet(np.ones(4), 6).astype(np.float32)
    shares *= np.array([[1], [1], [3], [0.5], [1], [2]], np.float32)  # what class weights make of them
    of_whole = make_loss(values)
    by_class = np.array([[float(of_whole(np.array([c]), row[None])) for c in range(4)] for row in answers])
    made = mixing(values, 4, 3)
    assert made is not None
    found = float(made.loss(shares, answers))
    assert found == pytest.approx((shares * by_class).sum(axis=1).mean(), rel=1e-5)


@pytest.mark.parametrize("given", LOSSES, ids=str)
def test_of_labels_that_are_whole_it_is_the_loss_without_mixing(recipe: Any, given: dict[str, Any]) -> None:
    values = recipe(cutmix=1.0, **given)
    answers = np.random.default_rng(1).dirichlet(np.ones(4), 8).astype(np.float32)
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, activation="softmax")])
    compile_network(network, values)
    labels, made = np.arange(8) % 4, mixing(values, 4, 3)
    assert made is not None
    rows = np.eye(4, dtype=np.float32)[labels]
    assert float(made.loss(rows, answers)) == pytest.approx(float(network.loss(labels, answers)), rel=1e-5)
