"""A plan as a value, and in sentences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from tuner.running.planning.needs import Interval, Needs


@dataclass(frozen=True)
class Part:
    """What a run would do for a model search on a data set, on one of the splits of all images.

    `configurations` is how many it will have, at most; `recorded` how many trainings count already, `to_train` how many
    are certain to be trained; `unknown` how many configurations only results, or a look at more than is looked at,
    will tell. `pruned` if a configuration may have several trainings, each to a further epoch.
    """

    model: str
    label: str
    dataset: str
    split: int
    configurations: int
    recorded: int
    to_train: int
    unknown: int
    pruned: bool


@dataclass(frozen=True)
class Retrainings:
    """The retrainings of the winners: how many, and how many of them are recorded.

    `decided` if the search has all its results, so that the winners are known; otherwise those that are recorded are of
    the best so far, and count if these stay the best.
    """

    total: int
    recorded: int
    decided: bool


@dataclass(frozen=True)
class LeftBehind:
    """Trials that finished before the search file changed, `total`, of which `left` are not proposed again.

    `open` if some of these may yet be proposed, by an algorithm that learns. `changed` names what changed.
    """

    total: int
    left: int
    open: bool
    changed: str


@dataclass(frozen=True)
class Plan:
    """What a run of the search `name` would do; `notes` are lines on it that the user should read.

    Printed, it is its sentences. `needs` is None where a forecast cannot be made, and `why_none` says why.
    """

    name: str
    parts: tuple[Part, ...]
    retrainings: Retrainings
    left_behind: LeftBehind | None
    notes: tuple[str, ...]
    needs: Needs | None
    why_none: str

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as JSON can hold it."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Return the plan in sentences."""
        several = len({part.split for part in self.parts}) > 1
        lines = [_part_in_words(part, several) for part in self.parts]
        lines.append(_retrainings_in_words(self.retrainings))
        if self.left_behind is not None:
            lines.append(_left_in_words(self.name, self.left_behind))
        return [*lines, *(needs_in_words(self.needs) if self.needs else [f"no forecast: {self.why_none}"])]


def _part_in_words(part: Part, several_splits: bool) -> str:
    """Return what a run would do for a model search on a data set."""
    where = f"{part.label} on {part.dataset}{f', split {part.split}' if several_splits else ''}"
    trainings = "trainings" if part.pruned else "trials"
    if not part.recorded and not part.unknown:
        told = "all are to be trained" if part.to_train else "nothing is to be trained"
    elif not part.to_train and not part.unknown and not part.pruned:
        told = "all are recorded and count"
    else:
        told = f"{part.recorded:,} recorded {trainings} count, {part.to_train:,} are to be trained for certain"
    if part.unknown:
        told += f", and what the other {part.unknown:,} are is told by results"
    if part.pruned:
        told += "; which of them are trained further is told by results"
    return f"{where}: {_number(part.configurations, 'configuration')}; {told}"


def _retrainings_in_words(retrainings: Retrainings) -> str:
    total, recorded = _number(retrainings.total, "retraining"), retrainings.recorded
    if retrainings.decided:
        return f"{total} of the winners, of which {recorded:,} are recorded and count"
    kept = f"; {recorded:,} are recorded and count if the best so far stay the best" if recorded else ""
    return f"{total} of winners that the search will tell{kept}"


def _left_in_words(name: str, left: LeftBehind) -> str:
    changed = f"{name} has changed since it last ran ({left.changed})"
    if not left.left:
        return f"{changed}: all of the {left.total:,} trials that finished then belong to it still"
    less = ", fewer if results lead to some of them again" if left.open else ""
    return (
        f"{changed}: {left.left:,} of the {left.total:,} trials that finished then are left behind{less}; they stay in "
        "the ledger"
    )


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def needs_in_words(needs: Needs) -> list[str]:
    """Return what a run needs, in sentences."""
    parts = {
        "to start": needs.start,
        "of search": needs.search,
        "of retraining": needs.retraining,
        "for the report": needs.report,
    }
    told = ", ".join(f"{duration(seconds)} {what}" for what, seconds in parts.items() if seconds)
    at_a_time = "one training at a time" if needs.places == 1 else f"{needs.places} trainings at a time"
    return [
        f"about {_interval(needs.seconds, duration)}, {at_a_time}: {told}",
        f"about {_interval(needs.memory, _bytes)} of memory, and {_interval(needs.disk, _bytes)} more on the disk",
        f"intervals are to hold nine times in ten, on a machine as busy as it is now; times rest on {needs.basis}",
    ]


def _interval(interval: Interval, form: Callable[[float], str]) -> str:
    return f"{form(interval.middle)} ({form(interval.low)} to {form(interval.high)})"


def duration(seconds: float) -> str:
    """Return a time as people say it: in seconds, minutes or hours."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} hours"


def _bytes(count: float) -> str:
    return f"{count / 1e6:,.0f} MB" if count < 1e9 else f"{count / 1e9:,.1f} GB"
