"""Whether answers are more than chance: by how many are right, and by how many of each class."""

from __future__ import annotations

import numpy as np
import pytest

from tuner.analysis.chance import says_nothing

#: 114 images of one class and 42 of another.
UNEVEN = np.repeat([0, 1], [114, 42])


def answers(found: int, taken: int) -> np.ndarray:
    """Return answers that find so many of the 42, and take as many of the 114 for them."""
    named = np.zeros(156, np.int64)
    named[:taken] = 1
    named[114 : 114 + found] = 1
    return named


@pytest.mark.parametrize(
    ("found", "taken", "nothing"),
    [
        (0, 0, True),  # always the largest class
        (32, 27, False),  # right in 119 of 156, 0.763, where the largest class has 0.731; recalls 0.76 and 0.76
        (11, 30, True),  # as many of either: 26 %
        (42, 114, True),  # always the other class
        (42, 0, False),
    ],
)
def test_where_one_class_is_large_mean_recall_tells_what_accuracy_does_not(
    found: int, taken: int, nothing: bool
) -> None:
    assert says_nothing(UNEVEN, answers(found, taken)) is nothing


def test_answers_dealt_at_random_hardly_ever_tell_classes_apart() -> None:
    rng = np.random.default_rng(0)
    dealt = [says_nothing(UNEVEN, rng.permutation(answers(20, 40))) for _ in range(400)]
    assert np.mean(dealt) > 0.98


def test_of_few_images_all_right_is_more_than_chance() -> None:
    assert not says_nothing(np.array([0, 1]), np.array([0, 1]))
    assert says_nothing(np.array([0, 1]), np.array([1, 1]))


def test_of_even_classes_it_is_accuracy_that_tells() -> None:
    labels = np.repeat(np.arange(10), 100)
    named = labels.copy()
    named[: 1000 - 140] = (labels[: 1000 - 140] + 1) % 10
    assert not says_nothing(labels, named)
