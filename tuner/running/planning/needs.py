"""What a run needs: hours, memory and room on the disk, each with an interval that is to hold it nine times in ten."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev

from tuner.running.planning.pace import Load, Pace, kind_of
from tuner.trial import Trial

#: So many deviations to either side hold nine of ten.
_NINE_OF_TEN = 1.645
#: What an algorithm that learns prefers, nobody knows: all of it may be this part of a deviation larger or smaller.
_PREFERENCE = 0.5
#: How far starting up, and writing the report, may lie from what is forecast.
_START_SPREAD, _REPORT_SPREAD = 0.3, 0.35
#: Seconds that a core takes for a report and its page: what draws to be imported, and each model on each data set, with
#: how fast it is.
_REPORT, _REPORT_OF_ONE, _REPORT_OF_A_SPLIT = 5.0, 4.0, 2.0


@dataclass(frozen=True)
class Interval:
    """A number that is forecast, with the ends of its interval."""

    low: float
    middle: float
    high: float

    @classmethod
    def around(cls, middle: float, spread: float) -> Interval:
        """Return the interval of a number whose logarithm is wrong by a standard deviation of `spread`."""
        factor = math.exp(_NINE_OF_TEN * spread)
        return cls(middle / factor, middle, middle * factor)


@dataclass(frozen=True)
class Needs:
    """What a run needs.

    `seconds` is its whole time by the clock, of which `start`, `search`, `retraining` and `report` are the parts.
    `places` trainings run at a time. `memory` and `disk` are in bytes, `disk` what it adds. `basis` says what the times
    rest on.
    """

    seconds: Interval
    start: float
    search: float
    retraining: float
    report: float
    places: int
    memory: Interval
    disk: Interval
    basis: str


@dataclass(frozen=True)
class Training:
    """A training, or one that stands for `weight` of them, of which `alike` are all the same where it is a guess.

    `epochs` is how many of its epochs are to be trained: it may go on from where another stood. `later` if another of
    its compile group comes before it. `guessed` if only results will tell it: "" for known, "drawn" of a space,
    "learned" for what an algorithm learns to prefer, "winner" for a retraining of one of many.
    """

    trial: Trial
    load: Load
    epochs: float
    later: bool
    weight: float = 1.0
    guessed: str = ""


class Steps:
    """Turns trials into trainings: what was trained before, and with what it shares a compile group.

    Args:
        load: returns the load of an epoch of a trial.
        done: trials that are recorded.
    """

    def __init__(self, load: Callable[[Trial], Load], done: Iterable[Trial]) -> None:
        self._load = load
        self._trained: dict[str, int] = {}
        self._groups: set[str] = set()
        self._known: set[str] = set()
        for trial in done:
            self._note(trial)

    def _note(self, trial: Trial) -> None:
        self._known.add(trial.id)
        if trial.role == "search":
            self._trained[trial.course] = max(self._trained.get(trial.course, 0), trial.last_epoch)

    def of(self, trials: Iterable[Trial], weight: float = 1.0, guessed: str = "") -> Iterator[Training]:
        """Yield the trainings of trials that are not recorded, each once; the folds of one by their weight."""
        for trial in trials:
            if trial.id in self._known:
                continue
            later = trial.compile_group in self._groups
            self._groups.add(trial.compile_group)
            before = self._trained.get(trial.course, 0) if trial.role == "search" else 0
            self._note(trial)
            several = weight * (len(trial.parts) or 1)
            yield Training(trial, self._load(trial), max(1, trial.last_epoch - before), later, several, guessed)

    def winners(self, candidates: Sequence[Trial], repeats: int, hold_out: float) -> list[Training]:
        """Return what stands for the retrainings of a winner that is one of these."""
        found = []
        for trial in candidates:
            final = trial.as_final(trial.seed + 1, None, hold_out)
            weight = repeats / len(candidates)
            found.append(Training(final, self._load(final), final.last_epoch, False, weight, "winner"))
        return found


@dataclass(frozen=True)
class Span:
    """How long trainings take: `seconds` by the clock, `spread` as the deviation of the logarithm, `longest` of one."""

    seconds: float
    spread: float
    longest: float


def span_of(trainings: Sequence[Training], pace: Pace, places: int) -> Span:
    """Return how long trainings take, so many at a time; their kinds must have been measured."""
    if not trainings:
        return Span(0.0, 0.0, 0.0)
    each = [pace.seconds(one.trial, one.load, one.epochs, one.later) for one in trainings]
    total = sum(seconds * one.weight for seconds, one in zip(each, trainings, strict=True))
    variance = sum(
        one.weight * (seconds * pace.spread(one.trial)) ** 2 for seconds, one in zip(each, trainings, strict=True)
    )
    for kind in {kind_of(one.trial) for one in trainings}:
        mine = [(s, one) for s, one in zip(each, trainings, strict=True) if kind_of(one.trial) == kind]
        variance += (sum(s * one.weight for s, one in mine) * pace.drift(mine[0][1].trial)) ** 2
        variance += sum(
            _guessing([(s, one.weight) for s, one in mine if one.guessed == guessed], guessed)
            for guessed in {one.guessed for _, one in mine} - {""}
        )
    at_a_time = max(1.0, min(float(places), sum(one.weight for one in trainings)))
    # The last ones are not all as long: while the longest ends, other places stand still.
    longest = max(each)
    return Span(max(total / at_a_time, longest), math.sqrt(variance) / total if total else 0.0, longest)


def _guessing(drawn: Sequence[tuple[float, float]], guessed: str) -> float:
    """Return the variance of the sum of trainings of which only some were drawn, each with its weight."""
    count = sum(weight for _, weight in drawn)
    deviation = pstdev([seconds for seconds, _ in drawn]) if len(drawn) > 1 else fmean(s for s, _ in drawn) / 2
    independent = count * deviation**2
    if guessed == "drawn":
        return independent
    return (count * deviation * (_PREFERENCE if guessed == "learned" else 1.0)) ** 2


def whole_time(start: float, search: Span, retraining: Span, report: float) -> Interval:
    """Return how long a run takes as a whole. Its parts err together: a machine that is slow is slow for all of it."""
    seconds = start + search.seconds + retraining.seconds + report
    spread = (
        start * _START_SPREAD
        + search.seconds * search.spread
        + retraining.seconds * retraining.spread
        + report * _REPORT_SPREAD
    )
    return Interval.around(seconds, spread / seconds if seconds else 0.0)


def report_seconds(shown: int, splits: int, busyness: float) -> float:
    """Return how long a report takes to be drawn and written, on a machine as busy as this one.

    Args:
        shown: how many models it shows, one on two data sets as two.
        splits: of all images.
        busyness: of the machine.
    """
    return busyness * (_REPORT + _REPORT_OF_ONE * shown + _REPORT_OF_A_SPLIT * (splits - 1))


#: What a process of Keras takes before it trains, and of what a training takes how many copies are held.
_PROCESS, _MAIN = 450e6, 700e6
#: Weights, gradients and an optimizer's two slots.
_COPIES = 4
#: What a layer hands on is kept for the way back, and its gradient beside it.
_KEPT = 2


@dataclass(frozen=True)
class Network:
    """What a built network holds: parameters, and the numbers that its layers hand on for an image."""

    parameters: int
    handed_on: int


def memory_of(networks: Sequence[tuple[Network, int]], pixels: float, places: int) -> Interval:
    """Return how much memory a run takes at a time.

    Args:
        networks: some of the networks, each with its batch size.
        pixels: bytes of the training images, of the largest data set.
        places: trainings at a time.
    """
    each = [4.0 * (_COPIES * one.parameters + _KEPT * batch * one.handed_on) for one, batch in networks] or [0.0]
    middle, most = fmean(each), max(each)
    fixed = _PROCESS + 2 * pixels
    low = _MAIN + places * (0.7 * fixed + min(each))
    return Interval(low, _MAIN + places * (fixed + middle), _MAIN + places * (1.5 * fixed + 2.5 * most))


def disk_of(parts: Mapping[str, float], models: Sequence[float], files: int) -> Interval:
    """Return how many bytes a run adds to the disk.

    Args:
        parts: bytes that are known, by what they are.
        models: bytes of some of the models that may be saved.
        files: how many models are saved.
    """
    known = sum(parts.values())
    sizes = list(models) or [0.0]
    return Interval(
        0.8 * known + files * min(sizes), known + files * fmean(sizes), 1.3 * known + files * max(sizes) * 1.1
    )
