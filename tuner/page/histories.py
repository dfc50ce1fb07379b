"""What trials scored after each epoch, small enough that the page can hold it of every trial."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

from tuner import columns as col
from tuner.analysis.findings import Findings

#: Epochs of a curve that are held at most, the first and the last among them.
MOST_POINTS = 60
#: Numbers are held as whole ones of so many parts, which no figure tells from what was recorded.
PARTS = 1000
#: A loss beyond this is drawn as this.
_MOST = 1e6


def histories(findings: Findings, whole: Collection[str]) -> dict[str, Any]:
    """Return score and loss of every completed trial by epoch, but for those whose `whole` curves the page holds.

    `columns` are what lists are of, `parts` what their numbers are parts of, and `trials` has by trial the number of
    its epochs and a list each: its first number, then how much each differs from the one before; None is no number.
    Of more than `MOST_POINTS` epochs evenly spaced ones are held.
    """
    columns = list(dict.fromkeys((findings.search.objective.column, col.VAL_ACCURACY, col.VAL_LOSS)))
    found: dict[str, list[Any]] = {}
    for record in findings.trials():
        lists = [list(record.result.history.get(name, [])) for name in columns]
        epochs = max(map(len, lists))
        if record.completed and epochs and record.trial.id not in whole:
            found[record.trial.id] = [epochs, *(_steps(values) for values in lists)]
    return {"columns": columns, "parts": PARTS, "most": MOST_POINTS, "trials": found}


def _steps(values: Sequence[float | None]) -> list[int | None]:
    """Return numbers as whole ones, each but the first as its difference from the one before that is one."""
    steps: list[int | None] = []
    before = 0
    for value in _spaced(values):
        if value is None or not math.isfinite(value):
            steps.append(None)
            continue
        whole = round(PARTS * min(max(value, -_MOST), _MOST))
        steps.append(whole - before)
        before = whole
    return steps


def _spaced(values: Sequence[float | None]) -> list[float | None]:
    """Return at most so many of the values, evenly spaced."""
    if len(values) <= MOST_POINTS:
        return list(values)
    last = len(values) - 1
    return [values[(2 * k * last + MOST_POINTS - 1) // (2 * (MOST_POINTS - 1))] for k in range(MOST_POINTS)]
