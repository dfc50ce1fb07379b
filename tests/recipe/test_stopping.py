"""Early stopping over sequences of metrics that were worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tuner.recipe import Stopping


def follow(values: dict[str, Any], metrics: list[float]) -> tuple[int, list[int], int]:
    """Return how many epochs ran, which were the best so far, and which one counts."""
    stopping = Stopping(values)
    bests = []
    for epoch, metric in enumerate(metrics, start=1):
        # The metric that is not watched says the opposite.
        opposite = {"val_loss": -metric, "val_accuracy": -metric}
        stopping.observe({"loss": 1.0, **opposite, str(values["early_stopping"]): metric})
        if stopping.best_epoch == epoch:
            bests.append(epoch)
        if stopping.over:
            return epoch, bests, stopping.best_epoch
    return len(metrics), bests, stopping.best_epoch


@pytest.mark.parametrize(
    ("watched", "patience", "metrics", "expected"),
    [
        # improving to the end
        ("val_loss", 1, [3, 2, 1], (3, [1, 2, 3], 3)),
        ("val_accuracy", 1, [0.1, 0.2, 0.3], (3, [1, 2, 3], 3)),
        # one bad epoch within the patience, then two
        ("val_loss", 2, [3, 2, 2.5, 1, 1.5, 1.2, 0.1], (6, [1, 2, 4], 4)),
        ("val_accuracy", 2, [0.5, 0.7, 0.6, 0.8, 0.7, 0.7, 0.9], (6, [1, 2, 4], 4)),
        # an equal epoch is no improvement: the earlier one counts
        ("val_loss", 3, [1, 1, 1, 1, 0.5], (4, [1], 1)),
        ("val_accuracy", 2, [0.9, 0.9, 0.9, 1.0], (3, [1], 1)),
        # the first is the best
        ("val_loss", 1, [1, 2, 0], (2, [1], 1)),
        # patience longer than the training
        ("val_loss", 10, [2, 1, 3, 3, 3], (5, [1, 2], 2)),
        # a best epoch of 0 and of 1, where the comparison begins
        ("val_loss", 2, [0, 0, 0, 0], (3, [1], 1)),
        ("val_accuracy", 2, [0, 0, 0, 0], (3, [1], 1)),
    ],
)
def test_the_best_epoch_is_told_and_patience_counts_from_it(
    recipe: Any, watched: str, patience: int, metrics: list[float], expected: tuple[int, list[int], int]
) -> None:
    assert follow(recipe(early_stopping=watched, patience=patience), metrics) == expected


def test_patience_begins_to_count_behind_a_first_stage_of_which_an_epoch_may_be_the_best(recipe: Any) -> None:
    stopping = Stopping(recipe(early_stopping="val_loss", patience=2), not_before=4)
    over = []
    for loss in (1.0, 3.0, 3.0, 3.0, 3.0, 3.0):
        stopping.observe({"val_loss": loss})
        over.append(stopping.over)
    assert over == [False] * 5 + [True]
    assert stopping.best_epoch == 1


def test_switched_off_it_never_stops_and_chooses_no_epoch(recipe: Any) -> None:
    assert follow(recipe(), [1, 2, 3, 4, 5, 6, 7, 8, 9]) == (9, [], 0)
    assert "patience" not in recipe()


def test_before_the_first_epoch_nothing_is_over(recipe: Any) -> None:
    assert not Stopping(recipe(early_stopping="val_loss", patience=1)).over
