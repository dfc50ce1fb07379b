"""What a clock measured, for the one block of the page that holds it: times of trials, and when each of them ran."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from tuner import columns as col
from tuner.analysis.findings import Findings
from tuner.analysis.pareto import pareto_front
from tuner.analysis.timeline import Timeline
from tuner.page.data import importance_groups
from tuner.page.numbers import plain, records


def clock_data(findings: Findings, tables: Mapping[str, pd.DataFrame], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the times of a search; empty where nothing ran.

    `seconds` and `per_epoch` are by trial, `models` are the rows of timing_models.csv, each with `front`: whether no
    other model of its data set classifies an image sooner and scores better.
    """
    if "timing.csv" not in tables:
        return {}
    trials = records(tables["timing.csv"])
    models = records(tables["timing_models.csv"])
    means = {(chosen["model"], chosen["dataset"]): chosen[col.RETRAINED_MEAN] for chosen in data["chosen"]}
    for dataset in data["datasets"]:
        timed = [m for m in models if m[col.DATASET] == dataset and m[col.LATENCY_MS] is not None]
        timed = [m for m in timed if (m[col.MODEL], dataset) in means]
        on_front = pareto_front([m[col.LATENCY_MS] for m in timed], [means[m[col.MODEL], dataset] for m in timed])
        for model, on in zip(timed, on_front, strict=True):
            model["front"] = on
    return {
        "seconds": {row[col.TRIAL]: row[col.SECONDS] for row in trials},
        "per_epoch": {row[col.TRIAL]: row[col.SECONDS_PER_EPOCH] for row in trials},
        "models": models,
        "importance": importance_groups(tables.get("timing_importance.csv")),
        "timeline": _timeline(findings),
    }


def _timeline(findings: Findings) -> dict[str, Any]:
    """Return the timeline, its seconds with two decimals however long it is."""
    told = Timeline.of(findings).as_json()
    return {**plain(told), "bars": [[row, begin, end, *plain(what)] for row, begin, end, *what in told["bars"]]}
