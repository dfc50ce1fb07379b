"""Metrics of a class that are not defined: how tables mark why, and what of it counts in the averages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tuner import columns as col
from tuner.analysis.class_metrics import CLASS_METRICS
from tuner.analysis.class_scores import ABSENT, undefined_of
from tuner.contents.cells import DASH, number
from tuner.text import escape

#: Marks of a number beside `ABSENT`, which stands at the name of a class; `_NOTES` is what they say.
NEVER, ALONE, AT_TIMES = "‡", "§", "¶"
_NOTES = {
    ABSENT: "has no test image: recall, ROC AUC and average precision are not defined, and the class is left out of "
    "the averages",
    NEVER: "never predicted: the precision is 0/0, and counts as 0 in the averages",
    AT_TIMES: "never predicted in the other retrainings, of which the precision is 0/0: the mean leaves them out, and "
    "the averages count 0 for them",
    ALONE: "not defined, since the test images hold no other class",
}


def class_head(row: Mapping[Any, Any]) -> str:
    """Return how a table calls a row of `per_class`, or of the averages, which no class can be called like."""
    if row[col.KIND] == col.AVERAGE:
        return f"*{escape(row[col.CLASS])}*"
    return escape(row[col.CLASS]) + mark_of(row)


def mark_of(row: Mapping[Any, Any]) -> str:
    """Return the mark at the name of a class without test images, which is empty for the others."""
    return f" {ABSENT}" if row[col.KIND] != col.AVERAGE and not row[col.SUPPORT] else ""


def metric_cell(row: Mapping[Any, Any], name: str) -> str:
    """Return a metric with four decimals, or why it has none."""
    value = float(row[name])
    if math.isfinite(value):
        return number(value)
    if not row[col.SUPPORT]:
        return DASH
    return f"0 {NEVER}" if CLASS_METRICS[name].counts_as_zero else f"{DASH} {ALONE}"


def defined_at_times(row: Mapping[Any, Any], name: str) -> str:
    """Return of how many retrainings a mean is, with a mark; nothing where the metric is defined of all or of none."""
    lacking, every = row.get(undefined_of(name), 0), row.get(col.REPEATS, 0)
    return f" ({every - lacking} of {every}) {AT_TIMES}" if 0 < lacking < every else ""


def notes(rows: Sequence[Mapping[Any, Any]], names: Sequence[str]) -> list[str]:
    """Return what the marks say that a table of these rows and metrics has, a sentence each."""
    shown = "".join(
        mark_of(row) + "".join(metric_cell(row, name) + defined_at_times(row, name) for name in names) for row in rows
    )
    return [f"{mark} {text}." for mark, text in _NOTES.items() if mark in shown]
