"""Fewer trials than a search file asks for, and why: one sentence, the same in the terminal and in the report."""

from __future__ import annotations

from tuner.search_file.model import Entry


def planned_shortfall(entry: Entry) -> str:
    """Return why an entry will have fewer trials on a data set than its `max_trials`; empty where it will not."""
    planned, asked = entry.planned(), entry.max_trials
    if asked is None or planned >= asked:
        return ""
    why = entry.algorithm.why_fewer(entry.space, asked, entry.epochs)
    return f"{entry.label} has {_trials(planned)}, not the {asked} of max_trials: {why}."


def shortfall(entry: Entry, proposed: int, failed: int) -> str:
    """Return why an entry of a finished search had fewer trials on a data set than its file asks for.

    Args:
        entry: the `[[search]]`.
        proposed: how many search trials it had there.
        failed: how many of them failed.
    """
    if entry.algorithm.lists_grid or proposed >= entry.planned():
        return planned_shortfall(entry)
    asked = entry.max_trials or entry.planned()
    return f"{entry.label} had {_trials(proposed)}, not {asked}: {entry.algorithm.why_ended(failed)}."


def _trials(number: int) -> str:
    return f"{number:,} trial{'s' if number != 1 else ''}"
