"""Trials that were pruned, or might have been: of the trainings of one, each to a further epoch, the furthest tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tuner.ledger.rows import SearchTrial
from tuner.trial import Record


def furthest(search_trials: Sequence[tuple[SearchTrial, Record | None]]) -> list[tuple[SearchTrial, Record | None]]:
    """Return the trials of a search without the trainings that another of the same trial went further than.

    A trial stands where its first training stood. Trials that have not finished stay as they are.
    """
    if not any(record is not None and record.trial.is_partial for _, record in search_trials):
        return list(search_trials)
    found: dict[tuple[str, str, str, str], tuple[SearchTrial, Record | None]] = {}
    for search_trial, record in search_trials:
        trained = search_trial.trial if record is None else record.trial.whole
        place = (search_trial.model, search_trial.dataset, search_trial.role, trained)
        first, before = found.setdefault(place, (search_trial, record))
        if record is not None and (before is None or record.trial.last_epoch >= before.trial.last_epoch):
            found[place] = replace(first, trial=record.trial.id), record
    return list(found.values())
