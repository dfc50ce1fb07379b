"""Curves of every trial on the page: small, and no further from what was recorded than a figure shows."""

from __future__ import annotations

import math
from itertools import accumulate, pairwise

import pytest
from whole_page import Page

from tuner.page.histories import MOST_POINTS, PARTS, _spaced, _steps


@pytest.mark.parametrize("epochs", [1, 2, 59, 60, 61, 200, 1000])
def test_a_curve_keeps_its_first_and_last_epoch_and_evenly_spaced_ones_between(epochs: int) -> None:
    kept = _spaced([float(k) for k in range(epochs)])
    assert len(kept) == min(epochs, MOST_POINTS)
    assert (kept[0], kept[-1]) == (0, epochs - 1)
    gaps = [b - a for a, b in pairwise(kept) if a is not None and b is not None]
    assert not gaps or max(gaps) - min(gaps) <= 1


def test_numbers_are_held_as_steps_and_what_is_no_number_as_none() -> None:
    values = [0.5, 0.7504, math.nan, 0.1, math.inf, -2.0]
    steps = _steps(values)
    assert steps == [500, 250, None, -650, None, -2100]
    back = [total / PARTS for total in accumulate(step for step in steps if step is not None)]
    assert back == pytest.approx([0.5, 0.75, 0.1, -2.0])


def test_each_completed_trial_has_its_curve_whole_or_small(page: Page) -> None:
    report = page.blocks["report"]
    columns = report["trials"]["columns"]
    completed = {row[0] for row in report["trials"]["rows"] if row[columns.index("status")] == "completed"}
    small = set(report["histories"]["trials"])
    assert small | set(report["curves"]) == completed
    assert not small & set(report["curves"])
    assert report["histories"]["columns"] == ["val_accuracy", "val_loss"]


def test_each_trial_has_its_number_in_the_order_in_which_its_model_s_were_proposed(page: Page) -> None:
    trials = page.blocks["report"]["trials"]
    by_model: dict[str, list[int]] = {}
    for row, number in zip(trials["rows"], trials["order"], strict=True):
        by_model.setdefault(row[trials["columns"].index("model")], []).append(number)
    assert {model: sorted(numbers) for model, numbers in by_model.items()} == {
        "ann": [1, 2],
        "cnn": [1, 2, 3, 4, 5, 6],
    }
    assert trials["given"] == {"ann": ["dense_units"], "cnn": ["conv_depth", "filters_1", "filters_2"]}
