"""How long the rest of a phase takes, told from its trials that have finished, from the first one on.

A trial's seconds are of two kinds. What it took before and between its epochs, most of all to compile, a trial has in
common with others, and those of its group after it hardly pay it again; its epochs go by its cost. What is left is
shared by all places, and cannot end before its longest trial does.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from itertools import islice
from statistics import fmean, stdev

from tuner.trial import Record, Trial

#: Until one was seen, a later trial of a group is taken to pay such a part of what the first one paid beside its
#: epochs.
LATER_PART = 0.2
#: By how much a trial is off, in logarithms: at least; and until two were seen. So many of the last ones tell.
_LEAST_OFF, _UNKNOWN_OFF, _RECENT = 0.05, 0.5, 200
#: What takes longer than it should has this part of it ahead.
STILL_AHEAD = 0.1


@dataclass
class _Ahead:
    trial: Trial
    cost: float
    begun: float | None = None


@dataclass
class Forecast:
    """Follows the trials of a phase that this run trains. `begun` is when the phase began, by the monotonic clock."""

    begun: float
    _ahead: dict[str, _Ahead] = field(default_factory=dict)
    _groups: set[str] = field(default_factory=set)
    _first: list[float] = field(default_factory=list)  # seconds beside the epochs, of the first of each group
    _later: list[float] = field(default_factory=list)
    _in_epochs: float = 0.0
    _cost: float = 0.0
    _finished: int = 0
    _off: list[float] = field(default_factory=list)  # logarithms of what trials took beside what was told of them
    _start: float | None = None  # how long the first worker took until it began

    def proposed(self, trial: Trial, cost: float) -> None:
        """A trial is to be trained, at such a cost beside others."""
        self._ahead[trial.id] = _Ahead(trial, cost)

    def left_out(self, trial: Trial) -> None:
        """A trial is not trained."""
        self._ahead.pop(trial.id, None)

    def waiting(self, most: int) -> list[Trial]:
        """Return trials that nobody has begun, at most so many, in the order of their proposal."""
        return list(islice((one.trial for one in self._ahead.values() if one.begun is None), most))

    def started(self, trial: Trial) -> None:
        """A trial has been handed to a worker."""
        if trial.id in self._ahead:
            self._ahead[trial.id].begun = time.monotonic()

    def finished(self, record: Record) -> None:
        """A trial has been trained."""
        seconds, epochs = record.result.seconds, len(next(iter(record.result.history.values()), []))
        in_epochs = min(seconds, (record.result.seconds_per_epoch or 0.0) * epochs) or seconds
        known = self._ahead.pop(record.trial.id, None)
        if known and seconds and self._finished and self._first:
            told = self._seconds(known, record.trial.compile_group in self._groups)
            self._off.extend([math.log(seconds / told)] if told else [])
        (self._later if record.trial.compile_group in self._groups else self._first).append(seconds - in_epochs)
        self._groups.add(record.trial.compile_group)
        self._in_epochs += in_epochs
        self._cost += known.cost if known else 0.0
        self._finished += 1
        if self._start is None:
            self._start = max(0.0, time.monotonic() - self.begun - seconds)

    def seconds_left(self, trials: int, places: int) -> float | None:
        """Return how long so many trials take that have not finished, at so many places; None before one has."""
        if not self._finished:
            return None
        now = time.monotonic()
        if not self._in_epochs + sum(self._first) + sum(self._later):  # trials that do not tell how long they took
            return (now - self.begun) / self._finished * trials
        groups, lengths, left = set(self._groups), [], 0.0
        for one in self._ahead.values():
            lengths.append(self._seconds(one, one.trial.compile_group in groups))
            groups.add(one.trial.compile_group)
            left += self._left_of(one, lengths[-1], now)
        rest = trials - len(self._ahead)  # not proposed yet
        known = self._in_epochs + sum(self._first) + sum(self._later) + sum(lengths)
        total = left + rest * known / (self._finished + len(lengths))
        longest = max((self._left_of(o, s, now) for o, s in zip(self._ahead.values(), lengths, strict=True)), default=0)
        return max(total / max(1, min(places, trials)), longest)

    def left_between(self, trials: int, places: int) -> tuple[float, float] | None:
        """Return between which two numbers of seconds the same lies, in about 19 of 20 cases; None before one is known.

        Trials are taken to be off by as much as those that have finished were, each on its own, and their mean as well.
        """
        left = self.seconds_left(trials, places)
        if left is None:
            return None
        known = self._off[-_RECENT:]
        spread = max(stdev(known), _LEAST_OFF) if len(known) > 1 else _UNKNOWN_OFF
        off = 2 * spread * math.sqrt(1 / max(1, len(known)) + 1 / max(1, trials))
        return left * math.exp(-off), left * math.exp(off)

    def _seconds(self, one: _Ahead, later: bool) -> float:
        first = fmean(self._first)
        beside = first if not later else fmean(self._later) if self._later else LATER_PART * first
        epochs = self._in_epochs / self._cost * one.cost if self._cost else self._in_epochs / self._finished
        return beside + epochs

    def _left_of(self, one: _Ahead, seconds: float, now: float) -> float:
        if one.begun is None:
            return seconds
        begun = max(one.begun, self.begun + (self._start or 0.0))
        return max(seconds - (now - begun), STILL_AHEAD * seconds)
