"""Class weights and balanced sampling, against numbers worked out by hand and against scikit-learn."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from tuner.recipe.imbalance import balanced_order, class_weights

UNEVEN = np.repeat([0, 1, 2], [12, 6, 2])


def test_balanced_weights_are_scikit_learns() -> None:
    found = class_weights({"class_weight": "balanced"}, UNEVEN, 3)
    assert found is not None
    assert found == pytest.approx([20 / 36, 20 / 18, 20 / 6])
    assert found == pytest.approx(compute_class_weight("balanced", classes=np.arange(3), y=UNEVEN))
    assert found[UNEVEN].mean() == pytest.approx(1)


def test_a_class_without_images_is_no_class() -> None:
    found = class_weights({"class_weight": "balanced"}, UNEVEN, 4)
    assert found is not None
    assert found[:3] == pytest.approx([20 / 36, 20 / 18, 20 / 6])


@pytest.mark.parametrize("values", [{}, {"class_weight": "none"}])
def test_without_weights_all_images_count_the_same(values: dict[str, str]) -> None:
    assert class_weights(values, UNEVEN, 3) is None


def test_a_balanced_epoch_has_as_many_images_of_each_class() -> None:
    labels = np.random.default_rng(0).permutation(UNEVEN)
    order = balanced_order(labels, np.random.default_rng(1))
    shown = Counter(labels[order].tolist())
    assert len(order) == 20
    assert sorted(shown.values()) == [6, 7, 7]
    times = Counter(order.tolist())
    rare = [times[place] for place in np.flatnonzero(labels == 2)]
    assert max(rare) - min(rare) <= 1, "the images of a class come in turn"
    assert max(times[place] for place in np.flatnonzero(labels == 0)) == 1


def test_the_remainder_goes_to_every_class_in_turn_of_chance() -> None:
    rng = np.random.default_rng(0)
    more = Counter[int]()
    for _ in range(300):
        shown = Counter(UNEVEN[balanced_order(UNEVEN, rng)].tolist())
        more.update(label for label, count in shown.items() if count == 7)
    assert all(150 < more[label] < 250 for label in range(3))


def test_epochs_differ_and_a_seed_repeats_them() -> None:
    one, other = np.random.default_rng(1), np.random.default_rng(1)
    first, second = balanced_order(UNEVEN, one), balanced_order(UNEVEN, one)
    assert (first != second).any()
    assert (balanced_order(UNEVEN, other) == first).all()
