"""The only loop: asks the oracles, hands to the executor, writes to the ledger.

A proposal depends on recorded results alone. Trial k of an oracle is proposed when the oracle has heard of the
trials before k - lag, in their order, and of no others; so any number of workers, any interleaving and any crash
give the same trials. Resuming is therefore the same loop, in which the ledger answers first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import Protocol

from tuner.errors import ResourceError
from tuner.executors import Executor, Outcome
from tuner.ledger.ledger import Ledger, SearchTrial
from tuner.running.proposals import Proposals
from tuner.system.interrupts import INTERRUPTS
from tuner.trial import RUNTIME_SCALARS, Job, Record, Result, Trial

#: How often a trial whose worker died is tried.
MOST_ATTEMPTS = 2
#: How often one is tried whose machine went away, in which it had no part.
MOST_MACHINES = 10
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

    def retried(self, trial: Trial, reason: str) -> None:
        """A trial's worker died, and the trial is tried again."""


#: Is given a place of a search and the record of its trial. Two model searches may share a trial: it is trained and
#: observed once, and has two places.
Listener = Callable[[SearchTrial, Record], None]


@dataclass
class _Proposed:
    """A trial that no record answers, with the places of the search that wait for it."""

    trial: Trial
    listed_as: list[tuple[Proposals, int]]
    cost: float


class Queue:
    """Trials that wait for a place, by their compile group. All of a group cost the same."""

    def __init__(self) -> None:
        self._by_group: dict[str, dict[str, _Proposed]] = {}
        self._by_id: dict[str, _Proposed] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, trial: str) -> _Proposed | None:
        """Return what waits under a trial's name."""
        return self._by_id.get(trial)

    def add(self, proposed: _Proposed) -> None:
        """Let a trial wait."""
        self._by_id[proposed.trial.id] = proposed
        self._by_group.setdefault(proposed.trial.compile_group, {})[proposed.trial.id] = proposed

    def take(self, ready: Set[str], busy: Set[str]) -> _Proposed:
        """Remove and return the trial to start next.

        One for which a process waits; else the longest whose group nobody trains, since those of a group in one process
        share what it compiles; else one of the largest group. Of its group it is the one with the most runtime
        scalars above 0: what is compiled for it serves the others, too.

        Args:
            ready: compile groups for which a process waits.
            busy: groups that are being trained.
        """
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
    ) -> None:
        self._search, self._ledger, self._executor = search, ledger, executor
        self._job_of, self._observer, self._fresh = job_of, observer, fresh
        self._listeners, self._cost_of = listeners, cost_of
        self._trained: set[str] = set()

    def drive(self, what: str, all_proposals: Sequence[Proposals], total: int | None) -> None:
        """Train what is proposed and the ledger does not know, until every oracle is exhausted."""
        self._observer.begin(what, total)
        waiting = Queue()
        under_way: dict[str, _Proposed] = {}
        deaths: Counter[tuple[str, bool]] = Counter()
        while True:
            INTERRUPTS.hear()  # what proposes may have swallowed one
            for proposals in all_proposals:
                self._propose(proposals, waiting, under_way)
            while waiting and len(under_way) < self._executor.slots:
                proposed = waiting.take(
                    self._executor.waiting_groups(), {p.trial.compile_group for p in under_way.values()}
                )
                under_way[proposed.trial.id] = proposed
                self._submit(proposed.trial)
            if not under_way:
                break
            for outcome in self._executor.wait():
                self._take(outcome, under_way, deaths)
        if not all(proposals.exhausted for proposals in all_proposals):
            raise RuntimeError("an oracle waits for a result although every trial has finished")

    def _submit(self, trial: Trial) -> None:
        self._executor.submit(trial.id, self._job_of(trial), trial.compile_group)
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
            proposed = under_way.get(trial.id) or waiting.get(trial.id)
            if proposed is not None:
                proposed.listed_as.append((proposals, number))
                continue
            known = self._known(trial)
            if known is None:
                cost = self._cost_of(trial)
                waiting.add(_Proposed(trial, [(proposals, number)], cost))
                self._observer.proposed(trial, cost)
            else:
                self._pass_on(proposals, number, known)
                self._observer.finished(known, known=True)
        self._ledger.add(self._search, *listed)

    def _pass_on(self, proposals: Proposals, number: int, record: Record) -> None:
        """Pass on what came of the trial at one place of the search."""
        proposals.finished(number, record)
        for listener in self._listeners:
            listener(proposals.search_trial(number, record.trial), record)

    def _known(self, trial: Trial) -> Record | None:
        """Return what is recorded of a trial, unless it is to be trained again."""
        known = self._ledger.get(trial.id)
        if known is None or trial.id in self._trained:
            return known
        again = known.result.transient or self._executor.limits.allow_more(known.result.passed)
        if not again and not (self._fresh and not self._ledger.is_listed_elsewhere(trial.id, self._search)):
            return known
        self._ledger.forget_trial(trial.id)
        return None

    def _take(self, outcome: Outcome, under_way: dict[str, _Proposed], deaths: Counter[tuple[str, bool]]) -> None:
        proposed = under_way[outcome.key]
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
        # Another search may have recorded the same trial meanwhile: what stands in the ledger is what counts.
        record = self._ledger.get(outcome.key)
        if record is None:
            raise RuntimeError(f"trial {outcome.key} was recorded and is not there")
        del under_way[outcome.key]
        for proposals, number in proposed.listed_as:
            self._pass_on(proposals, number, record)
        self._observer.finished(record, False, outcome.attempt.node if outcome.attempt else "")
