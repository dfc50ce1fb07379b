"""What a clock measured, for the one block of the page that holds it: times of trials, and when each of them ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from tuner import columns as col
from tuner.findings import Findings
from tuner.page.data import importance_groups
from tuner.page.numbers import plain, records
from tuner.page.pareto import pareto_front
from tuner.report.timing import introduction, total_time

#: The ledger notes the second in which a trial ended: one may have ended up to so much later, and begun so much later.
_BLUR = 1.0
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
        "introduction": introduction(findings).replace("[Provenance](#provenance)", "Provenance"),
        "total": total_time(findings),
        "seconds": {row[col.TRIAL]: row[col.SECONDS] for row in trials},
        "per_epoch": {row[col.TRIAL]: row[col.SECONDS_PER_EPOCH] for row in trials},
        "models": models,
        "importance": importance_groups(tables.get("timing_importance.csv")),
        "timeline": timeline(findings),
    }


def timeline(findings: Findings) -> dict[str, Any]:
    """Return when trials ran, in seconds since the first of them began, without long pauses between runs.

    A bar is `[row, begin, end, model, data set, role, trial, completed]`. The ledger does not hold which worker had a
    trial, and when it ended to the second alone: bars stand in as few rows as they fit into, up to a second off.
    `earlier` counts trials that had been trained before the search began, `pauses` are the places on the axis where
    time was cut out, with how much.
    """
    spans, earlier = [], 0
    for member, record in findings.members:
        ended = findings.ended.get(member.trial)
        if ended is None or not findings.began:
            continue
        if ended < findings.began:
            earlier += 1
            continue
        end = datetime.fromisoformat(ended).timestamp()
        spans.append((end - record.result.seconds, end, member, record))
    spans.sort(key=lambda span: (span[0], span[1], span[2].trial))
    removed, pauses = _pauses([(begin, end) for begin, end, _, _ in spans])
    noted: list[float] = []
    drawn: list[float] = []
    bars = []
    for (begin, end, member, record), cut in zip(spans, removed, strict=True):
        row = _row_for(begin, noted, drawn)
        start = max([begin, *drawn[row : row + 1]])
        stop = max(start, min(start + end - begin, end + _BLUR))
        noted[row : row + 1], drawn[row : row + 1] = [end], [stop]
        origin = spans[0][0] + cut
        what = [member.model, member.dataset, member.role, member.trial, record.completed]
        bars.append([row, round(start - origin, 2), round(stop - origin, 2), *plain(what)])
    return {"bars": bars, "rows": len(noted), "earlier": earlier, "pauses": plain(pauses)}


def _row_for(begin: float, noted: Sequence[float], drawn: Sequence[float]) -> int:
    """Return the row of a bar: one whose last trial may have ended before this one began, a new one where none is.

    Of several it is that whose last bar ends closest before this one, else that whose last bar ends first.

    Args:
        begin: when the trial began, as far as is known.
        noted: when the last trial of each row ended, as far as is known.
        drawn: where the last bar of each row ends.
    """
    free = [row for row, end in enumerate(noted) if end <= begin + _BLUR]
    before = [row for row in free if drawn[row] <= begin]
    if before:
        return max(before, key=lambda row: drawn[row])
    return min(free, key=lambda row: drawn[row], default=len(noted))


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
