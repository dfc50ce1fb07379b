"""A run that has so many hours: it keeps what retraining and report need, and takes nothing new that does not fit.

What the clock decides is written to the ledger as an event (`tuner.ledger.events`), so that a run that goes on decides
the same.
"""

from __future__ import annotations

import heapq
import math
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from tuner.ledger.events import Event, Stop
from tuner.ledger.ledger import SearchTrial
from tuner.running.planning.needs import Training
from tuner.running.planning.outlook import Outlook
from tuner.running.planning.pace import LEAST_SLOWER, MOST_SLOWER, kind_of, measured
from tuner.running.proposals import Proposals
from tuner.search_file.model_search import ModelSearch
from tuner.trial import Record, Trial

#: Of the trainings of this run, so many tell how busy the machine is now.
_RECENT = 8

#: Of a kind of which so many trainings were measured, the pace is known.
_ENOUGH = 20


@dataclass
class Deadline:
    """When a run has to be over: `hours` after it began, by the monotonic clock."""

    hours: float
    begun: float = field(default_factory=time.monotonic)

    @property
    def ends(self) -> float:
        """When the time is over."""
        return self.begun + 3600 * self.hours

    def of_split(self, splits_left: int, report: float) -> float:
        """Return when the split that begins now has to be over, where as many have to follow; without the report."""
        now = time.monotonic()
        return now + max(0.0, self.ends - report - now) / splits_left


class Timekeeper:
    """Says which trial is taken next, and whether there is time for it.

    Of several model searches and data sets, the one goes on that has the smallest part of its configurations. Each has
    one trial, whatever the clock says, since without one there is nothing to report.

    Args:
        outlook: knows how long trainings take; it learns of those of this run.
        ends: when search and retraining have to be over, by the monotonic clock.
        places: trainings at a time.
        recorded: the names of trials that the outlook knows about.
    """

    def __init__(self, outlook: Outlook, ends: float, places: int, recorded: Iterable[str] = ()) -> None:
        self._outlook, self._ends, self._places = outlook, ends, places
        self._stopped: dict[tuple[str, str], int] = {}
        self._best: dict[tuple[str, str], Record] = {}
        self._seen = set(recorded)
        self._groups: set[str] = set()
        self._measured: set[str] = set()
        self._trained: dict[str, int] = {}
        self._told: dict[str, float] = {}
        self._recent: deque[float] = deque(maxlen=_RECENT)

    def order(self, all_proposals: Sequence[Proposals]) -> Sequence[Proposals]:
        """Return the proposals that have not been stopped, the least advanced first; see `Watch.order`."""
        going = [one for one in all_proposals if not one.exhausted and (one.model, one.dataset) not in self._stopped]
        return sorted(going, key=self._part_done)

    def _part_done(self, proposals: Proposals) -> float:
        return proposals.configurations / max(1, proposals.planned)

    def allows(self, proposals: Proposals, trial: Trial) -> bool:
        """Tell whether a trial, and all that comes after the search, end in time; see `Watch.allows`."""
        # This one is proposed already; one that goes on is of an earlier configuration.
        earlier = proposals.proposed - proposals.gone_on - (not proposals.last_goes_on)
        seconds = self._seconds(trial)
        enough = (
            seconds is None
            or earlier - proposals.failed < 1
            or time.monotonic() + self._by_clock(trial, seconds) * self._slower(trial) + self.kept(trial) <= self._ends
        )
        if not enough:
            self._stopped[proposals.model, proposals.dataset] = earlier
            return False
        if seconds is not None and trial.course not in self._trained:
            self._told[trial.id] = seconds
        self._groups.add(trial.compile_group)
        return True

    def finished(self, search_trial: SearchTrial, record: Record) -> None:
        """Hear what came of a trial; see `Listener`."""
        if search_trial.role != "search":
            return
        place = search_trial.model, search_trial.dataset
        if record.completed and (place not in self._best or record.gain > self._best[place].gain):
            self._best[place] = record
        if record.trial.id in self._seen:
            return
        self._seen.add(record.trial.id)
        told = self._told.get(record.trial.id)
        if told and record.result.seconds:
            self._recent.append(record.result.seconds / told)
        self._trained[record.trial.course] = record.trial.last_epoch
        one = measured(record, self._outlook.load(record.trial), self._measured)
        if one is not None and self._outlook.pace.count([kind_of(record.trial)]) < _ENOUGH:
            self._outlook.pace.add([one])

    def kept(self, instead: Trial | None = None) -> float:
        """Return how many seconds the rest of the run needs when the search ends now, but for the report.

        Args:
            instead: what stands for the winner of a model search that has no trial yet.
        """
        search = self._outlook.search
        lengths = []
        for one in (search.model_search(contender.searched) for contender in search.contenders):
            for dataset in search.compare or search.datasets:
                best = self._best.get((one.name, search.chosen_on(dataset)))
                trial = best.trial if best else instead if instead and instead.family == one.path else None
                if trial is None:
                    continue
                fingerprint = self._outlook.prepared[dataset].fingerprint
                whole = search.trial(one, dataset, fingerprint, trial.values, trial.epochs)
                final = whole.as_final(search.seed + 1, best.result.best_epoch if best else None)
                lengths += [(self._seconds(final) or 0.0) * self._slower(final)] * search.repeats
        further = search.most_retrained - len(search.contenders)  # members of an ensemble
        lengths += [max(lengths, default=0.0)] * further * len(search.compare or search.datasets) * search.repeats
        return makespan(lengths, self._places) + self._further()

    def _further(self) -> float:
        """Return how long the best of what was pruned trains further, once nothing new comes."""
        search = self._outlook.search
        seconds = 0.0
        for (model, _), record in self._best.items():
            if search.model_search(model).pruning is not None:
                trial = record.trial
                whole = search.trial(
                    search.model_search(model), trial.dataset, trial.fingerprint, trial.values, trial.epochs
                )
                seconds += self._by_clock(whole, self._seconds(whole) or 0.0) * self._slower(whole)
        return seconds

    def _by_clock(self, trial: Trial, seconds: float) -> float:
        """Return how long so many seconds of a trial take by the clock, whose folds run at the same time."""
        folds = len(trial.parts) or 1
        return seconds * math.ceil(folds / self._places) / folds

    def _seconds(self, trial: Trial) -> float | None:
        """Return how long a training, or all folds of a trial, take by what was measured; None if nothing was."""
        if not self._outlook.pace.knows(trial):
            return None
        before = self._trained.get(trial.course, 0) if trial.role == "search" else 0
        epochs = max(1, trial.last_epoch - before)
        later = trial.role == "search" and trial.compile_group in self._groups
        each = self._outlook.pace.seconds(trial, self._outlook.load(trial), epochs, later)
        return each * (len(trial.parts) or 1)

    def _slower(self, trial: Trial) -> float:
        """Return how much longer that takes now, on the safe side, by the last trainings of this run."""
        if not self._outlook.pace.knows(trial):
            return 1.0
        slower = median(self._recent) if self._recent else 1.0
        return min(MOST_SLOWER, max(LEAST_SLOWER, slower)) * math.exp(self._outlook.pace.drift(trial))

    def event(self, hours: float, all_proposals: Sequence[Proposals]) -> Event | None:
        """Return what the clock has decided of these proposals, if it has decided anything."""
        stops = []
        for one in all_proposals:
            after = self._stopped.get((one.model, one.dataset))
            if after is not None:
                stops.append(Stop(one.model, one.dataset, after, max(after - one.cut, one.planned), one.cut))
        return Event("ended", hours, tuple(stops)) if stops else None

    def _model_search(self, name: str) -> ModelSearch:
        return self._outlook.search.model_search(name)


def makespan(lengths: Iterable[float], places: int) -> float:
    """Return when the last of some trainings ends, the longest first, so many at a time."""
    free = [0.0] * max(1, places)
    for length in sorted(lengths, reverse=True):
        heapq.heappush(free, heapq.heappop(free) + length)
    return max(free)


def expected(
    searched: Mapping[tuple[str, str], Sequence[Training]], outlook: Outlook, seconds: float, places: int
) -> dict[tuple[str, str], int]:
    """Return how many trainings of each model search on each data set fit into so many seconds, taken in turn.

    One of each is trained whatever fits.
    """
    left = seconds * places
    reached = dict.fromkeys(searched, 0)
    total = {place: sum(one.weight for one in trainings) for place, trainings in searched.items()}
    waiting = {place: deque(trainings) for place, trainings in searched.items() if trainings}
    while waiting and left > 0:
        place = min(waiting, key=lambda one: reached[one] / max(1.0, total[one]))
        one = waiting[place].popleft()
        each = outlook.pace.seconds(one.trial, one.load, one.epochs, one.later)
        fit = min(one.weight, left / each if each else one.weight)
        reached[place] += math.floor(fit)
        left -= fit * each
        if not waiting[place]:
            del waiting[place]
    return {place: max(several, 1 if searched[place] else 0) for place, several in reached.items()}
