"""The timeline of a search: when each of its trials ran, and in which worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from tuner.analysis.findings import Findings

#: A pause of more than this share of the time in which trials ran is cut out of the timeline.
_PAUSE = 0.1


class Bar(NamedTuple):
    """A trial on the timeline: its row, when it began and ended, and which it is."""

    row: int
    begin: float
    end: float
    model: str
    dataset: str
    role: str
    trial: str
    completed: bool


@dataclass(frozen=True, eq=False)
class Timeline:
    """Bars of trials in seconds since the first of them began, without long pauses.

    `rows` holds of each row the node, empty where there is one machine, and the worker. `earlier` counts trials that
    had been trained before the search began, `unplaced` those of which no worker is known, `pauses` are the places on
    the axis where time was cut out, with how much.
    """

    bars: tuple[Bar, ...]
    rows: tuple[tuple[str, int], ...]
    earlier: int
    unplaced: int
    pauses: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, findings: Findings) -> Self:
        """Return the timeline of a search."""
        spans, earlier, unplaced = [], 0, 0
        trainings = (*findings.search_trials, *findings.earlier_trainings, *findings.fold_trainings)
        for search_trial, record in trainings:
            if record.trial.parts:  # whose folds ran
                continue
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
        for (attempt, place, one, record), cut in zip(spans, removed, strict=True):
            origin = spans[0][0].began + cut
            begin, end = round(attempt.began - origin, 2), round(attempt.ended - origin, 2)
            bars.append(Bar(rows[place], begin, end, one.model, one.dataset, one.role, one.trial, record.completed))
        return cls(tuple(bars), tuple(rows), earlier, unplaced, tuple(pauses))

    def as_json(self) -> dict[str, Any]:
        """Return all of it as lists and numbers; a bar is a list of what `Bar` names."""
        return {
            "bars": [list(bar) for bar in self.bars],
            "rows": [list(row) for row in self.rows],
            "earlier": self.earlier,
            "unplaced": self.unplaced,
            "pauses": [list(pause) for pause in self.pauses],
        }


def _pauses(spans: Sequence[tuple[float, float]]) -> tuple[list[float], list[tuple[float, float]]]:
    """Return how much time is cut out before each span, and the pauses themselves: where, and how long."""
    busy = sum(end - begin for begin, end in spans)
    removed, pauses = [], []
    cut, until = 0.0, spans[0][0] if spans else 0.0
    for begin, end in spans:
        idle = begin - until
        if idle > max(5.0, _PAUSE * busy):
            kept = 0.02 * busy
            pauses.append((until - spans[0][0] - cut + kept / 2, idle))
            cut += idle - kept
        removed.append(cut)
        until = max(until, end)
    return removed, pauses
