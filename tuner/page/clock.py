"""What a clock measured, for the one block of the page that holds it: times of trials, and when each of them ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from tuner import columns as col
from tuner.analysis.findings import Findings
from tuner.analysis.pareto import pareto_front
from tuner.page.data import importance_groups
from tuner.page.numbers import plain, records

#: A pause of more than this share of the time in which trials ran is cut out of the timeline.
_PAUSE = 0.1


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
        "timeline": timeline(findings),
    }


def timeline(findings: Findings) -> dict[str, Any]:
    """Return when trials ran and in which worker, in seconds since the first of them began, without long pauses.

    A bar is `[row, begin, end, model, data set, role, trial, completed]`; `rows` holds of each row the node, empty
    where there is one machine, and the worker. `earlier` counts trials that had been trained before the search began,
    `unplaced` those of which no worker is known, `pauses` are the places on the axis where time was cut out, with how
    much.
    """
    spans, earlier, unplaced = [], 0, 0
    for search_trial, record in findings.search_trials:
        attempt = findings.attempts.get(search_trial.trial)
        if attempt is None or findings.began is None or attempt.worker is None:
            unplaced += 1
        elif attempt.ended < findings.began:
            earlier += 1
        else:
            spans.append((attempt, (attempt.node, attempt.worker), search_trial, record))
    spans.sort(key=lambda span: (span[0].began, span[0].ended, span[2].trial))
    rows = {place: row for row, place in enumerate(sorted({place for _, place, _, _ in spans}))}
    removed, pauses = _pauses([(attempt.began, attempt.ended) for attempt, *_ in spans])
    bars = []
    for (attempt, place, search_trial, record), cut in zip(spans, removed, strict=True):
        origin = spans[0][0].began + cut
        what = [search_trial.model, search_trial.dataset, search_trial.role, search_trial.trial, record.completed]
        bars.append([rows[place], round(attempt.began - origin, 2), round(attempt.ended - origin, 2), *plain(what)])
    return {
        "bars": bars,
        "rows": [[plain(node), worker] for node, worker in rows],
        "earlier": earlier,
        "unplaced": unplaced,
        "pauses": plain(pauses),
    }


def _pauses(spans: Sequence[tuple[float, float]]) -> tuple[list[float], list[list[float]]]:
    """Return how much time is cut out before each span, and the pauses themselves: where, and how long."""
    busy = sum(end - begin for begin, end in spans)
    removed, pauses = [], []
    cut, until = 0.0, spans[0][0] if spans else 0.0
    for begin, end in spans:
        idle = begin - until
        if idle > max(5.0, _PAUSE * busy):
            kept = 0.02 * busy
            pauses.append([until - spans[0][0] - cut + kept / 2, idle])
            cut += idle - kept
        removed.append(cut)
        until = max(until, end)
    return removed, pauses
