"""What the clock has decided of a search, in words: the same in the terminal and in the report."""

from __future__ import annotations

from collections.abc import Sequence

from tuner.ledger.events import Event, Stop
from tuner.ledger.requests import OF_A_TRIAL, Decision, Request
from tuner.search_file.model import Search
from tuner.text import setting


def hours_in_words(hours: float) -> str:
    """Return so many hours as people say them: "2 hours", "1.2 min", "1 hour"."""
    if hours < 0.1:
        return f"{60 * hours:.3g} min"
    return "1 hour" if hours == 1 else f"{hours:.4g} hours"


def stop_in_words(search: Search, stop: Stop) -> str:
    """Return how far a model search came on a data set: "12 of 65 configurations of CNN on fashion_mnist"."""
    label = search.model_search(stop.model).label
    return f"{stop.after - stop.left_out:,} of {stop.planned:,} configurations of {label} on {stop.dataset}"


def ended_in_words(search: Search, event: Event) -> str:
    """Return how far a search came within its hours."""
    told = [stop_in_words(search, stop) for stop in event.stops if stop.model in _names(search)]
    within = f" within {hours_in_words(event.hours)}" if event.hours else ""
    return f"{' and '.join(told)}{within}"


def events_in_words(search: Search, events: Sequence[Event]) -> list[str]:
    """Return what happened to a search, a text for each event, in their order."""
    return [
        f"ended by {'hand' if event.by_hand else 'its hours'} after {ended_in_words(search, event)}"
        if event.kind == "ended"
        else f"gone on with from there{f' for {hours_in_words(event.hours)}' if event.hours else ' without a limit'}"
        for event in events
    ]


def by_in_words(event: Event) -> str:
    """Return by what a search has ended before its end."""
    return "by hand" if event.by_hand else "by its hours"


#: What is said of a request that was granted, but for those of trials.
_GRANTED = {"pause": "paused", "resume": "gone on with", "report": "ended, to be reported as it was"}
_ASKED = {
    "stop": "to stop",
    "skip": "to skip",
    "pause": "to pause",
    "resume": "to go on",
    "report": "to end and report",
    "add": "to add a configuration to",
    "max_trials": "for another max_trials of",
}


def request_in_words(request: Request) -> str:
    """Return what is asked of a search."""
    return f"asked {_ASKED[request.what]}{_about(request)}"


def asked_in_words(decision: Decision) -> str:
    """Return what was decided on a request, and when."""
    after = f"after {decision.after:,} recorded trial{'' if decision.after == 1 else 's'}"
    if decision.refused:
        return f"asked {_ASKED[decision.what]}{_about(decision)} {after}, which came to nothing: {decision.refused}"
    if decision.what == "add":
        names = " and ".join(dict.fromkeys(change.trial for change in decision.changes))
        return f"{_values_in_words(decision)} added to {decision.model} as trial {names} {after}"
    if decision.what == "max_trials":
        before, now = f"{decision.instead_of or 0:,}", f"{decision.max_trials or 0:,}"
        return f"max_trials of {decision.model} changed from {before} to {now} {after}"
    if decision.what in OF_A_TRIAL:
        return f"trial {decision.trial} {'stopped while it was trained,' if decision.trained else 'skipped'} {after}"
    return f"{_GRANTED[decision.what]} {after}"


def _about(one: Request | Decision) -> str:
    """Return what a request is about, with a blank in front; empty where it is about the whole search."""
    if one.values is not None:
        return f" {one.model} ({_values_in_words(one)})"
    number = "" if one.max_trials is None else f" ({one.max_trials:,})"
    return f" trial {one.trial}" if one.trial else f" {one.model}{number}" if one.model else ""


def _values_in_words(one: Request | Decision) -> str:
    """Return what somebody gave of a configuration, which is what varies."""
    return ", ".join(f"{name} {setting(value)}" for name, value in (one.values or {}).items())


def _names(search: Search) -> set[str]:
    return {model_search.name for model_search in search.model_searches}
