"""The only loop: asks the oracles, hands to the executor, writes to the ledger.

A proposal depends on recorded results alone. Trial k of an oracle is proposed when the oracle has heard of the
trials before k - lag, in their order, and of no others; so any number of workers, any interleaving and any crash
give the same trials. Resuming is therefore the same loop, in which the ledger answers first.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from copy import copy
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from tuner.errors import ResourceError
from tuner.executors import Executor, Limits, Outcome
from tuner.ledger.ledger import Ledger, SearchTrial
from tuner.running.folds import FoldAnswers, mean_of_folds, span_of
from tuner.running.proposals import Proposals
from tuner.system.interrupts import INTERRUPTS
from tuner.trial import RUNTIME_SCALARS, Job, Record, Result, Trial

#: How often a trial whose worker died is tried.
MOST_ATTEMPTS = 2
#: How often one is tried whose machine went away, in which it had no part.
MOST_MACHINES = 10
#: How often a run that waits for results looks at what is asked of it, in seconds.
SECONDS_BETWEEN_LOOKS = 0.5
#: Among so many proposed trials the next one is chosen: the longest first, and those of a group where
#: their process waits.
LOOK_AHEAD = 1000


class Observer(Protocol):
    """Watches a search; see `tuner.running.progress`."""

    def begin(self, what: str, total: int | None) -> None:
        """A phase of so many trials begins."""

    def proposed(self, trial: Trial, cost: float) -> None:
        """A trial is to be trained; `cost` says how long it takes beside others, 0 if nobody knows."""

    def started(self, trial: Trial) -> None:
        """A trial has been handed to a worker."""

    def finished(self, record: Record, known: bool, node: str = "") -> None:
        """A trial has finished, on the machine `node` where there are several; `known` if the ledger had it already."""

    def scored(self, record: Record) -> None:
        """All folds of a cross-validated trial have finished, and it has its score."""

    def retried(self, trial: Trial, reason: str) -> None:
        """A trial's worker died, and the trial is tried again."""

    def left_out(self, trial: Trial) -> None:
        """A trial that was to be trained, or is under way, is not trained, or no further."""

    def replanned(self, more: int) -> None:
        """The phase has so many trials more than it was begun with, or fewer."""


#: Is given a place of a search and the record of its trial. Two model searches may share a trial: it is trained and
#: observed once, and has two places.
Listener = Callable[[SearchTrial, Record], None]


#: Is given what came of a trial that was waited for.
PassedOn = Callable[[Record], None]


class Watch(Protocol):
    """Decides by the clock whether a trial is still to be taken; see `tuner.running.planning.hours`."""

    def order(self, all_proposals: Sequence[Proposals]) -> Sequence[Proposals]:
        """Return the proposals that something may be taken from, in the order in which they are to be asked."""

    def allows(self, proposals: Proposals, trial: Trial) -> bool:
        """Tell whether there is time for a trial; if not, nothing more will be asked of its proposals."""


class Control(Protocol):
    """Decides what somebody asks of a run; see `tuner.running.control`."""

    paused: bool
    #: Whether the search is to end now; whoever ends it takes that back.
    ends: bool

    def heed(self, what: str, places: Callable[[], Sequence[Place]], under_way: Callable[[str], bool]) -> Heeded:
        """Decide what is asked since the last look, and return what follows from that."""


@dataclass
class Heeded:
    """What follows for a run from what was asked of it.

    `left_out` are the names of trials that are not trained, or no further, from now on. `changed` says whether
    something else is proposed from now on, and `more` how many trainings more are planned, or fewer, but for those.
    """

    left_out: set[str] = field(default_factory=set)
    changed: bool = False
    more: int = 0


@dataclass(frozen=True)
class Place:
    """How far the proposals of a model search on a data set are, when something is decided.

    `configurations` have been proposed, `left_out` of them are not trained, `completed` trials have a score; `open` are
    those that nobody has recorded, and `unbegun` the configurations among them that nobody else waits for and of which
    nothing was trained, in the order of their proposal.
    """

    proposals: Proposals
    configurations: int
    left_out: int
    completed: int
    open: tuple[str, ...]
    unbegun: tuple[str, ...] = ()

    @property
    def model(self) -> str:
        """The name of the model search."""
        return self.proposals.model

    @property
    def dataset(self) -> str:
        """The name of the data set."""
        return self.proposals.dataset


@dataclass
class _Proposed:
    """A training that no record answers, with what waits for it: places of the search, or a trial whose fold it is."""

    trial: Trial
    waiting: list[PassedOn]
    cost: float
    first: bool = False  # before any other, since somebody asked for it
    left_out: bool = False  # while it was under way: whatever comes of it is none


@dataclass
class _Whole:
    """A cross-validated trial that no record answers, with its folds as far as they finished and what waits for it."""

    trial: Trial
    waiting: list[PassedOn]
    finished: dict[int, Record] = field(default_factory=dict)


def counts(record: Record, limits: Limits) -> bool:
    """Tell whether a recorded trial is not to be trained again by a run with these limits."""
    return not (record.result.transient or limits.allow_more(record.result.passed))


def is_kept(trial: Trial, record: Record, search: str, ledger: Ledger, limits: Limits, fresh: bool) -> bool:
    """Tell whether a recorded trial is not to be trained again by a run of a search with these limits.

    A `fresh` run trains again what no other search lists.
    """
    return counts(record, limits) and not (fresh and not ledger.is_listed_elsewhere(trial.id, search))


class Queue:
    """Trials that wait for a place, by their compile group. All of a group cost the same."""

    def __init__(self) -> None:
        self._by_group: dict[str, dict[str, _Proposed]] = {}
        self._by_id: dict[str, _Proposed] = {}
        self._first: dict[str, None] = {}  # the names of those that are taken before any other, in order

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, trial: str) -> _Proposed | None:
        """Return what waits under a trial's name."""
        return self._by_id.get(trial)

    def add(self, proposed: _Proposed) -> None:
        """Let a trial wait."""
        self._by_id[proposed.trial.id] = proposed
        self._by_group.setdefault(proposed.trial.compile_group, {})[proposed.trial.id] = proposed
        if proposed.first:
            self._first[proposed.trial.id] = None

    def remove(self, trial: str) -> _Proposed | None:
        """Remove what waits under a trial's name, and return it."""
        proposed = self._by_id.pop(trial, None)
        self._first.pop(trial, None)
        if proposed is not None:
            mine = self._by_group[proposed.trial.compile_group]
            del mine[trial]
            if not mine:
                del self._by_group[proposed.trial.compile_group]
        return proposed

    def take(self, ready: Set[str], busy: Set[str]) -> _Proposed:
        """Remove and return the trial to start next.

        One that somebody added by hand; or one for which a process waits; else the longest whose group nobody trains,
        since those of a group in one process share what it compiles; else one of the largest group. Of its group it is
        the one with the most runtime scalars above 0: what is compiled for it serves the others, too.

        Args:
            ready: compile groups for which a process waits.
            busy: groups that are being trained.
        """
        if self._first and (asked := self.remove(next(iter(self._first)))) is not None:
            return asked
        groups = [g for g in ready if g in self._by_group] or [g for g in self._by_group if g not in busy]
        if groups:
            group = max(groups, key=lambda g: next(iter(self._by_group[g].values())).cost)
        else:
            group = max(self._by_group, key=lambda g: len(self._by_group[g]))
        mine = self._by_group[group]
        taken = max(mine.values(), key=lambda p: sum(bool(p.trial.values.get(name)) for name in RUNTIME_SCALARS))
        del mine[taken.trial.id], self._by_id[taken.trial.id]
        if not mine:
            del self._by_group[group]
        return taken


class Runner:
    """Trains what oracles propose, until none has more.

    Args:
        search: the name under which the ledger lists the trials.
        ledger: where results are read and written.
        executor: where trials run.
        job_of: says where a trial finds its data.
        observer: is told what happens.
        fresh: train what is recorded again, unless another search lists it too.
        listeners: are told of each place of the search whose trial has finished.
        cost_of: says how long a trial takes beside others, in any unit; the longest are trained first.
        answers: keeps what the folds of a cross-validated trial answered as what the trial did.
        control: decides what somebody asks of the run; None where nobody can.
    """

    def __init__(
        self,
        search: str,
        ledger: Ledger,
        executor: Executor,
        job_of: Callable[[Trial], Job],
        observer: Observer,
        fresh: bool = False,
        listeners: Sequence[Listener] = (),
        cost_of: Callable[[Trial], float] = lambda trial: 0.0,
        answers: FoldAnswers | None = None,
        control: Control | None = None,
    ) -> None:
        self._search, self._ledger, self._executor = search, ledger, executor
        self._job_of, self._observer, self.fresh = job_of, observer, fresh
        self._listeners, self._cost_of = list(listeners), cost_of
        self._answers, self._control = answers, control
        self._open: dict[str, list[tuple[Proposals, int]]] = {}  # the places of the search that wait for a trial
        self._trained: set[str] = set()
        self._wholes: dict[str, _Whole] = {}  # by the names of their trials

    def on(self, executor: Executor) -> Runner:
        """Return the same with another executor."""
        other = copy(self)
        other._executor = executor
        return other

    def listen(self, listener: Listener) -> None:
        """Let somebody else be told of each place of the search whose trial has finished."""
        self._listeners.append(listener)

    def drive(
        self, what: str, all_proposals: Sequence[Proposals], total: int | None, watch: Watch | None = None
    ) -> None:
        """Train what is proposed and the ledger does not know, until every oracle is exhausted, or by a watch."""
        self._observer.begin(what, total)
        waiting = Queue()
        under_way: dict[str, _Proposed] = {}
        deaths: Counter[tuple[str, bool]] = Counter()
        while True:
            INTERRUPTS.hear()  # what proposes may have swallowed one
            over = self._control is not None and self._control.ends
            if watch is not None and not over:
                self._propose_by(watch, all_proposals, waiting, under_way)
            for proposals in all_proposals if watch is None and not over else ():
                self._propose(proposals, waiting, under_way)
            if self._control is not None and self._heed(self._control, what, all_proposals, waiting, under_way):
                continue  # what was left out lets oracles propose further
            if over and self._control is not None and not under_way:
                self._control.ends = False
                return
            paused = self._control is not None and self._control.paused
            while waiting and not paused and len(under_way) < self._executor.slots:
                proposed = waiting.take(
                    self._executor.waiting_groups(), {p.trial.compile_group for p in under_way.values()}
                )
                under_way[proposed.trial.id] = proposed
                self._submit(proposed.trial)
            if not under_way and not (paused and waiting):
                break
            if under_way:
                for outcome in self._executor.wait(None if self._control is None else SECONDS_BETWEEN_LOOKS):
                    self._take(outcome, under_way, deaths)
            else:
                time.sleep(SECONDS_BETWEEN_LOOKS)
        if not all(proposals.exhausted for proposals in (watch.order(all_proposals) if watch else all_proposals)):
            raise RuntimeError("an oracle waits for a result although every trial has finished")

    def _heed(
        self,
        control: Control,
        what: str,
        all_proposals: Sequence[Proposals],
        waiting: Queue,
        under_way: dict[str, _Proposed],
    ) -> bool:
        """Let a control decide what is asked, leave out what it says, and return whether others are proposed."""

        def places() -> list[Place]:
            of = [(one, trial) for trial, waits in self._open.items() for one, _ in waits]
            return [
                Place(
                    one,
                    one.proposed - one.gone_on,
                    one.omitted,
                    one.completed,
                    tuple(trial for mine, trial in of if mine is one),
                    self._unbegun(one, under_way),
                )
                for one in all_proposals
            ]

        def is_trained(trial: str) -> bool:
            return any(trial in (p.trial.id, replace(p.trial, fold=0).id) for p in under_way.values())

        heeded = control.heed(what, places, is_trained)
        for trial in heeded.left_out:
            self._leave_out(trial, waiting, under_way)
        if heeded.more:
            self._observer.replanned(heeded.more)
        return bool(heeded.left_out) or heeded.changed

    def _unbegun(self, proposals: Proposals, under_way: Mapping[str, _Proposed]) -> tuple[str, ...]:
        """Return the open trials of proposals that could be none: see `Place`."""
        found = []
        for trial, waits in self._open.items():
            (one, number), whole = waits[0], self._wholes.get(trial)
            parts = [fold.id for fold in whole.trial.parts] if whole else [trial]
            begun = any(part in under_way for part in parts) or (whole is not None and bool(whole.finished))
            if len(waits) == 1 and one is proposals and not begun and number not in one.going | one.added:
                found.append((number, trial))
        return tuple(trial for _, trial in sorted(found))

    def _leave_out(self, trial: str, waiting: Queue, under_way: dict[str, _Proposed]) -> None:
        """Train a trial no further, and tell those who wait for it that it is none."""
        whole = self._wholes.pop(trial, None)
        for one in (fold.id for fold in whole.trial.parts) if whole else (trial,):
            removed = waiting.remove(one) or under_way.get(one)
            if removed is not None:
                self._observer.left_out(removed.trial)
            if one in under_way:
                if self._executor.end(one):
                    del under_way[one]
                else:
                    under_way[one].left_out = True
        for proposals, number in self._open.pop(trial, []):
            proposals.leave_out(number)

    def _submit(self, trial: Trial) -> None:
        self._executor.submit(trial.id, self._job_of(trial), trial.compile_group, trial.surroundings)
        self._observer.started(trial)

    def _propose(self, proposals: Proposals, waiting: Queue, under_way: dict[str, _Proposed]) -> None:
        """Take what is proposed now: what is recorded is passed on, and the rest waits."""
        if len(waiting) > LOOK_AHEAD // 2:  # so that a long list is taken, and written, in large pieces
            return
        listed: list[SearchTrial] = []
        while len(waiting) < LOOK_AHEAD:
            following = proposals.next()
            if following is None:
                break
            number, trial = following
            listed.append(proposals.search_trial(number, trial))
            self._open.setdefault(trial.id, []).append((proposals, number))
            passed_on = partial(self._pass_on, proposals, number)
            if not self._pass_known(trial, passed_on, waiting, under_way):
                self._let_wait(trial, passed_on, waiting, under_way, number in proposals.added)
        self._ledger.add(self._search, *listed)

    def _propose_by(
        self, watch: Watch, all_proposals: Sequence[Proposals], waiting: Queue, under_way: dict[str, _Proposed]
    ) -> None:
        """Take what is proposed now as a watch allows it: one trial for each free place, and no list ahead of them."""
        places = max(1, min(self._executor.slots, self._executor.capacity()))
        while len(under_way) + len(waiting) < places:
            if not any(self._take_one(watch, one, waiting, under_way) for one in watch.order(all_proposals)):
                return

    def _take_one(self, watch: Watch, proposals: Proposals, waiting: Queue, under_way: dict[str, _Proposed]) -> bool:
        """Take the next proposal, if there is one and there is time for it; return whether there was one."""
        following = proposals.next()
        if following is None:
            return False
        number, trial = following
        self._open.setdefault(trial.id, []).append((proposals, number))
        passed_on = partial(self._pass_on, proposals, number)
        if not self._pass_known(trial, passed_on, waiting, under_way):
            if not watch.allows(proposals, trial):
                del self._open[trial.id]
                return True
            self._let_wait(trial, passed_on, waiting, under_way, number in proposals.added)
        self._ledger.add(self._search, proposals.search_trial(number, trial))
        return True

    def _pass_known(self, trial: Trial, passed_on: PassedOn, waiting: Queue, under_way: dict[str, _Proposed]) -> bool:
        """Pass on what is recorded of a trial, or let it be passed on when it is trained anyhow; return whether so."""
        proposed = under_way.get(trial.id) or waiting.get(trial.id) or self._wholes.get(trial.id)
        if proposed is not None:
            proposed.waiting.append(passed_on)
            return True
        known = self._known(trial)
        if known is not None:
            passed_on(known)
            self._observer.finished(known, known=True)
        return known is not None

    def _let_wait(
        self, trial: Trial, passed_on: PassedOn, waiting: Queue, under_way: dict[str, _Proposed], first: bool
    ) -> None:
        """Let a trial wait for a place, or of one that is cross-validated the folds that are not known."""
        if not trial.parts:
            cost = self._cost_of(trial)
            waiting.add(_Proposed(trial, [passed_on], cost, first))
            self._observer.proposed(trial, cost)
            return
        whole = self._wholes[trial.id] = _Whole(trial, [passed_on])
        fold_finished = partial(self._fold_finished, whole)
        for fold in trial.parts:
            if not self._pass_known(fold, fold_finished, waiting, under_way):
                self._let_wait(fold, fold_finished, waiting, under_way, first)

    def _fold_finished(self, whole: _Whole, fold: Record) -> None:
        """Take what came of a fold; of the last one, record what came of the trial, and pass it on."""
        whole.finished[fold.trial.fold] = fold
        if len(whole.finished) < whole.trial.folds:
            return
        trial, folds = whole.trial, [record for _, record in sorted(whole.finished.items())]
        result = mean_of_folds(trial, folds)
        if self._answers is not None and result.status == "completed":
            result = self._answers.put_together(trial, folds, result)
        self._ledger.record(Record(trial, result), span_of([self._ledger.attempt(one.trial.id) for one in folds]))
        self._trained.add(trial.id)
        record = self._recorded(trial.id)
        if self._answers is not None and record.completed:
            self._answers.forget(folds)
        del self._wholes[trial.id]
        for passed_on in whole.waiting:
            passed_on(record)
        self._observer.scored(record)

    def _pass_on(self, proposals: Proposals, number: int, record: Record) -> None:
        """Pass on what came of the trial at one place of the search."""
        self._open.pop(record.trial.id, None)
        proposals.finished(number, record)
        for listener in self._listeners:
            listener(proposals.search_trial(number, record.trial), record)

    def _known(self, trial: Trial) -> Record | None:
        """Return what is recorded of a trial, unless it is to be trained again."""
        known = self._ledger.get(trial.id)
        if known is None or trial.id in self._trained:
            return known
        if is_kept(trial, known, self._search, self._ledger, self._executor.limits, self.fresh):
            return known
        self._ledger.forget_trial(trial.id)
        return None

    def _take(self, outcome: Outcome, under_way: dict[str, _Proposed], deaths: Counter[tuple[str, bool]]) -> None:
        proposed = under_way[outcome.key]
        if proposed.left_out:
            del under_way[outcome.key]
            return
        if isinstance(outcome.value, ResourceError):  # what one trial lacks, all will
            raise outcome.value
        if outcome.passed:
            result = Result("failed", outcome.died, passed=dict(outcome.passed))
        elif outcome.died:
            deaths[outcome.key, outcome.lost] += 1
            most = MOST_MACHINES if outcome.lost else MOST_ATTEMPTS
            if deaths[outcome.key, outcome.lost] < most:
                self._observer.retried(proposed.trial, outcome.died)
                self._submit(proposed.trial)
                return
            result = Result("failed", f"{outcome.died} ({most} times)", transient=True)
        else:
            result = outcome.value
        self._ledger.record(Record(proposed.trial, result), outcome.attempt)
        self._trained.add(outcome.key)
        record = self._recorded(outcome.key)
        del under_way[outcome.key]
        for passed_on in proposed.waiting:
            passed_on(record)
        self._observer.finished(record, False, outcome.attempt.node if outcome.attempt else "")

    def _recorded(self, trial: str) -> Record:
        """Return what was just recorded: another search may have recorded the same trial before, and that counts."""
        record = self._ledger.get(trial)
        if record is None:
            raise RuntimeError(f"trial {trial} was recorded and is not there")
        return record
