"""How fast this machine trains each kind of network, told from trainings that were measured.

An epoch takes a time for each step and a time for each multiply-add; what a training takes beside its epochs, most of
all to compile, those of its compile group after it hardly pay again. Both are learned for each kind of network apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean

import numpy as np

from tuner.running.forecast import LATER_PART
from tuner.trial import Record, Trial

#: What a forecast may be wrong by at least, as the standard deviation of its logarithm: the machine does other things
#: too, and was as busy as it was when trainings were measured.
DRIFT = 0.12
#: The same of one that rests on a probe, whose steps are few.
PROBE_DRIFT = 0.25
#: A machine is not taken to be slower, or faster, than it was by more than this.
MOST_SLOWER, LEAST_SLOWER = 8.0, 0.2
#: A passing of the images through the network, without learning, takes such a part of a training step.
FORWARD = 1 / 3
#: Where nobody knows how early early stopping stops, a training is taken to have such a part of its epochs.
STOPPED_AT = 0.75


@dataclass(frozen=True)
class Load:
    """What an epoch of a training consists of: multiply-adds, those of its validation included, and steps."""

    work: float
    steps: float


@dataclass(frozen=True)
class Measured:
    """A training that was measured: its trial, its load, seconds an epoch, and seconds beside its epochs.

    `later` if another of its compile group came before it. `share` is the part of its epochs that it was trained for.
    """

    trial: Trial
    load: Load
    per_epoch: float
    beside: float
    later: bool
    share: float = 1.0


def kind_of(trial: Trial) -> tuple[str, ...]:
    """Return what trainings have in common that one can tell about the other: kind of network, how it is computed."""
    frozen = trial.family == "pretrained" and not trial.values.get("fine_tune")
    precision = str(trial.values.get("precision", "float32"))
    return trial.family, precision, trial.backend, str(trial.threads), "features" if frozen else ""


def load_of(trial: Trial, work: float, images: int) -> Load:
    """Return the load of an epoch of a trial.

    Args:
        trial: the training.
        work: multiply-adds of one image.
        images: how many training images there are.
    """
    taken = min(trial.train_size or images, images)
    final = trial.role == "final"
    held = trial.hold_out if final else 0.0 if trial.protocol == "published" else trial.validation
    if trial.folds:  # the load of one of them
        held = 1 / trial.folds
    fitted, validated = taken * (1 - held), taken * (held or (0.0 if final else 0.15))
    batch = float(trial.values.get("batch_size", 32))
    return Load(work * (fitted + FORWARD * validated), max(1.0, fitted / batch))


def measured(record: Record, load: Load, seen: set[str]) -> Measured | None:
    """Return what a record measured, None if nothing; `seen` are the compile groups before it, to which its is added.

    What went on from where another training stood counts as if it had trained all of it. A trial of several folds tells
    of one of them, on average.
    """
    result, trial = record.result, record.trial
    epochs = len(next(iter(result.history.values()), []))
    if not record.completed or not epochs or not result.seconds_per_epoch:
        return None
    later = trial.compile_group in seen
    seen.add(trial.compile_group)
    beside = max(0.0, result.seconds / (len(trial.parts) or 1) - epochs * result.seconds_per_epoch)
    return Measured(trial, load, result.seconds_per_epoch, beside, later, epochs / trial.last_epoch)


@dataclass(frozen=True)
class _Rates:
    per_step: float
    per_work: float
    first: float
    later: float
    share: float
    spread: float
    count: int

    def epoch(self, load: Load) -> float:
        return self.per_step * load.steps + self.per_work * load.work


@dataclass
class Pace:
    """How fast each kind of network trains. `probed` are the kinds that only a probe tells about.

    `slower` is how much longer recorded trainings would take now, as the machine does more or less beside them.
    """

    probed: set[tuple[str, ...]] = field(default_factory=set)
    slower: float = 1.0
    _measured: dict[tuple[str, ...], list[Measured]] = field(default_factory=dict)
    _rates: dict[tuple[str, ...], _Rates] = field(default_factory=dict)

    def add(self, found: Iterable[Measured], probed: bool = False) -> None:
        """Learn of trainings; those of a run take the place of what a probe told."""
        for one in found:
            kind = kind_of(one.trial)
            if kind in self.probed and not probed:
                self.probed.discard(kind)
            if probed:
                self.probed.add(kind)
            self._measured.setdefault(kind, []).append(one)
            self._rates.pop(kind, None)

    def knows(self, trial: Trial) -> bool:
        """Tell whether a training of this kind was measured."""
        return kind_of(trial) in self._measured

    def count(self, kinds: Iterable[tuple[str, ...]]) -> int:
        """Return how many trainings of some kinds were measured."""
        return sum(len(self._measured.get(kind, ())) for kind in set(kinds))

    def seconds(self, trial: Trial, load: Load, epochs: float, later: bool) -> float:
        """Return how long a training takes.

        Args:
            trial: what is trained, of a kind that was measured.
            load: that of its epochs.
            epochs: how many of them, which may go on from where another training stood.
            later: whether another of its compile group is trained before it.
        """
        rates = self._rates_of(kind_of(trial))
        share = rates.share if stops_early(trial) else 1.0
        slower = 1.0 if kind_of(trial) in self.probed else self.slower
        return slower * ((rates.later if later else rates.first) + share * epochs * rates.epoch(load))

    def check(self, found: Iterable[Measured]) -> None:
        """See by trainings of now how much longer recorded ones would take."""
        ratios = [math.log(max(one.per_epoch, 1e-6) / self._epoch(one)) for one in found]
        if ratios:
            self.slower = min(MOST_SLOWER, max(LEAST_SLOWER, math.exp(fmean(ratios))))

    def _epoch(self, one: Measured) -> float:
        return max(1e-6, self._rates_of(kind_of(one.trial)).epoch(one.load))

    def seconds_an_image(self, kind: tuple[str, ...]) -> float:
        """Return how long a frozen backbone takes for an image, by those that took longest before their epochs."""
        found = [one.beside / (one.load.steps * float(one.trial.values["batch_size"])) for one in self._measured[kind]]
        return max(found)

    def spread(self, trial: Trial) -> float:
        """Return how far single trainings of a kind lie from what is forecast, as a deviation of the logarithm."""
        return self._rates_of(kind_of(trial)).spread

    def drift(self, trial: Trial) -> float:
        """Return how far all trainings of a kind together may lie from what is forecast, in the same unit."""
        kind = kind_of(trial)
        rates = self._rates_of(kind)
        floor = PROBE_DRIFT if kind in self.probed else DRIFT
        return math.hypot(floor, rates.spread / math.sqrt(rates.count))

    def _rates_of(self, kind: tuple[str, ...]) -> _Rates:
        if kind not in self._rates:
            self._rates[kind] = _fitted(self._measured[kind])
        return self._rates[kind]


def stops_early(trial: Trial) -> bool:
    """Tell whether a training may end before its last epoch by itself."""
    return trial.role == "search" and trial.values.get("early_stopping", "off") != "off"


def _fitted(found: Sequence[Measured]) -> _Rates:
    """Return the rates that fit what was measured best, by its relative error."""
    from scipy.optimize import nnls

    seconds = np.array([max(one.per_epoch, 1e-6) for one in found])
    loads = np.array([[one.load.steps, one.load.work] for one in found])
    scale = np.maximum(loads.max(axis=0), 1e-12)
    if len(found) > 1 and loads[:, 1].any():
        per_step, per_work = nnls(loads / scale / seconds[:, None], np.ones(len(found)))[0] / scale
    elif loads[:, 1].any():
        per_step, per_work = 0.0, float(np.mean(seconds / loads[:, 1]))
    else:
        per_step, per_work = float(np.mean(seconds / loads[:, 0])), 0.0
    told = np.maximum(loads @ np.array([per_step, per_work]), 1e-9)
    errors = np.log(seconds / told)
    spread = float(np.sqrt(np.mean(errors**2))) if len(found) > 2 else DRIFT
    firsts, laters = ([one.beside for one in found if one.later is later] for later in (False, True))
    first = fmean(firsts or laters)
    stopped = [one.share for one in found if stops_early(one.trial)]
    share = fmean(stopped) if stopped else STOPPED_AT
    later = fmean(laters) if laters else LATER_PART * first
    return _Rates(float(per_step), float(per_work), first, later, share, spread, len(found))
