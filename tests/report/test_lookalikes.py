"""The classes that are taken for one another most: no other group has more mistakes in it."""

from __future__ import annotations

from itertools import combinations
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from made_up import Project
from written import words

from tuner.report.lookalikes import LookAlikes, look_alikes, lookalikes_section


def model(confusion: Any) -> Any:
    return SimpleNamespace(predictions=SimpleNamespace(confusion=np.array(confusion)))


def test_three_classes_that_are_confused_evenly_beat_the_worst_pair_with_its_greedy_third() -> None:
    counts = np.zeros((5, 5), int)
    counts[0, 1] = 10  # the worst pair, whose best third class adds 3
    counts[1, 2] = 3
    counts[2, 3] = counts[3, 4] = counts[4, 2] = 8  # each of these three pairs is a smaller one
    assert look_alikes([model(counts)]) == LookAlikes((2, 3, 4), 24)


def test_mistakes_of_both_ways_and_of_all_models_count() -> None:
    one, two = np.diag([5, 5, 5]), np.diag([5, 5, 5])
    one[0, 1], two[1, 0], two[1, 2] = 2, 3, 1
    assert look_alikes([model(one), model(two)]) == LookAlikes((0, 1, 2), 6)


@pytest.mark.parametrize("classes", [2, 3, 4, 7, 12])
def test_no_other_group_has_more(classes: int) -> None:
    rng = np.random.default_rng(classes)
    for _ in range(40):
        counts = rng.poisson(rng.gamma(0.3, 3, (classes, classes)))
        found = look_alikes([model(counts)])
        groups = [group for size in (2, 3) for group in combinations(range(classes), size)]
        sums = [sum(counts[a, b] + counts[b, a] for a, b in combinations(group, 2)) for group in groups]
        assert found.mistakes == max(sums)
        assert found.mistakes == sum(counts[a, b] + counts[b, a] for a, b in combinations(found.classes, 2))


def test_a_third_class_that_is_confused_with_neither_is_left_out_and_none_is_named_without_a_mistake() -> None:
    counts = np.diag([9, 9, 9])
    counts[0, 2] = 4
    assert look_alikes([model(counts)]) == LookAlikes((0, 2), 4)
    assert look_alikes([model(np.diag([5, 5, 5]))]) == LookAlikes()


def test_the_caption_says_how_many_of_the_mistakes_are_among_them(project: Project) -> None:
    section = lookalikes_section(project.findings())
    assert section is not None
    assert (  # of 15 and 2 mistakes; each class is taken for the next
        "The three classes of blobs that are most often taken for one another: top, bottom and middle (first test "
        "images). Among them the 2 saved models made 17 of the 17 mistakes."
    ) in words(section)
