"""Fewer trials than a search file asks for, and why: one sentence, the same in the terminal and in the report."""

from __future__ import annotations

from tuner.oracles.base import MOST_DRAWS, hyperband_trials
from tuner.search_file.model import Entry


def planned_shortfall(entry: Entry) -> str:
    """Return why an entry will have fewer trials on a data set than its `max_trials`; empty where it will not."""
    planned, asked = entry.planned(), entry.max_trials
    if entry.algorithm == "grid" or asked is None or planned >= asked:
        return ""
    if entry.algorithm == "hyperband":
        sweep = f"one sweep of Hyperband over at most {entry.epochs} epoch{'s' if entry.epochs > 1 else ''}"
        few = (
            f" in so small a space (configurations: {entry.space.configurations})"
            if planned < hyperband_trials(entry.epochs)
            else ""
        )
        return f"{entry.label} has {_trials(planned)}, not the {asked} of max_trials: {sweep}{few} has no more."
    return (
        f"{entry.label} has {_trials(planned)}, not the {asked} of max_trials: its space holds no more {_kind(entry)}."
    )


def shortfall(entry: Entry, proposed: int, failed: int) -> str:
    """Return why an entry of a finished search had fewer trials on a data set than its file asks for.

    Args:
        entry: the `[[search]]`.
        proposed: how many search trials it had there.
        failed: how many of them failed.
    """
    if entry.algorithm == "grid" or proposed >= entry.planned():
        return planned_shortfall(entry)
    asked = entry.max_trials or entry.planned()
    had = f"{entry.label} had {_trials(proposed)}, not {asked}: "
    if entry.algorithm == "hyperband" and failed:
        return f"{had}{failed} of them failed, so that fewer could go on to more epochs."
    return f"{had}{MOST_DRAWS:,} random draws in a row came to no further one that its rules allow."


def _trials(number: int) -> str:
    return f"{number:,} trial{'s' if number != 1 else ''}"


def _kind(entry: Entry) -> str:
    return "configurations" + (" that its rules allow" if entry.space.rules else "")
