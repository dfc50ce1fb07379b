"""The proposals of one oracle on one data set, in order, and the results that it may hear."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable, Collection, Sequence

from tuner.ledger.ledger import SearchTrial
from tuner.ledger.requests import Change
from tuner.oracles import Oracle, Pause, Proposal
from tuner.search_file.model_search import ModelSearch
from tuner.space.parameters import Values
from tuner.trial import Record, Trial


class Proposals:
    """What one oracle proposes on one data set, in order; it hears of results with a lag, so that no worker waits.

    Args:
        model: the name of the model search.
        dataset: the name of the data set.
        role: "search" or "final".
        oracle: proposes.
        trial_of: makes the trial of a proposal.
        lag: how many results the oracle may lack when it proposes.
        left_out: trials that are not trained, which the oracle hears of as of failures; it may grow.
        searched: whose they are, with what was decided by hand about them, which is repeated where it had been decided;
            None for a list, about which nothing is.
    """

    def __init__(
        self,
        model: str,
        dataset: str,
        role: str,
        oracle: Oracle,
        trial_of: Callable[[Proposal], Trial],
        lag: int,
        left_out: Collection[str] = (),
        searched: ModelSearch | None = None,
    ) -> None:
        self.model, self.dataset, self.role = model, dataset, role
        self.exhausted = False
        #: How many trials were proposed, how many of them go on with an earlier one, and how many that have finished
        #: failed.
        self.proposed = self.gone_on = self.failed = 0
        #: Whether the last one that was proposed goes on with an earlier one.
        self.last_goes_on = False
        self._oracle, self._trial_of, self._lag, self._left_out = oracle, trial_of, lag, left_out
        #: How many of them are left out, and how many have a score.
        self.omitted = self.completed = 0
        self._scores: dict[int, float | None] = {}
        self._told = 0
        self._stalled = False
        self._names: dict[bytes, str] = {}  # of the trial that each configuration was proposed as, by its values
        #: The numbers of trials that go on with an earlier one, and of those that were added by hand.
        self.going, self.added = set[int](), set[int]()
        self._searched = searched
        made = searched.changes(dataset) if searched else []
        self._ahead = deque(sorted(made, key=lambda change: (change.proposed, change.told)))
        self._cut = {trial for change in self._ahead for trial in change.left_out}
        #: With how many that were recorded before it begins; all of them are heard of before anything else is proposed.
        self._earlier = sum(one.dataset == dataset for one in searched.earlier) if searched else 0
        self._by_hand = list[bytes]()  # the values of what was added and, with the next proposals, comes

    @property
    def searched(self) -> ModelSearch | None:
        """Whose they are, with what was decided by hand about them by now; None for a list."""
        return self._searched

    @property
    def repeats(self) -> bool:
        """Whether something that was decided by hand before this run is still to be repeated."""
        return bool(self._ahead)

    @property
    def adjustable(self) -> bool:
        """Whether what is proposed may be changed by hand."""
        return self._oracle.adjustable

    @property
    def cut(self) -> int:
        """How many trials are left out since `max_trials` became less."""
        return len(self._cut)

    @property
    def configurations(self) -> int:
        """How many configurations were proposed that count: without those that are too many for `max_trials`."""
        return self.proposed - self.gone_on - self.cut

    @property
    def planned(self) -> int:
        """How many configurations there will be, at most."""
        return self._searched.planned(self.dataset) if self._searched else 0

    def next(self) -> tuple[int, Trial] | None:
        """Return the next trial with its number, or None if there is none now."""
        while (proposal := self._proposal()) is not None:
            self.proposed += 1
            self.gone_on += proposal.goes_on
            self.last_goes_on = proposal.goes_on
            trial = self._trial_of(proposal)
            self._note(self.proposed - 1, proposal, trial)
            if trial.id not in self._left_out and trial.id not in self._cut:
                return self.proposed - 1, trial
            self.leave_out(self.proposed - 1)
        return None

    def _note(self, number: int, proposal: Proposal, trial: Trial) -> None:
        """Keep what is asked of a proposal when something is decided by hand."""
        key = _key(trial.values)
        self._names.setdefault(key, trial.id)
        if proposal.goes_on:
            self.going.add(number)
        elif key in self._by_hand:
            self._by_hand.remove(key)
            self.added.add(number)

    def trial_of(self, values: Values) -> Trial:
        """Return a configuration as the trial that it would be, to the first rung where it is pruned."""
        pruning = self._searched.pruning if self._searched else None
        stop_after = pruning.rungs[0] if pruning and len(pruning.rungs) > 1 else None
        return self._trial_of(Proposal(dict(values), stop_after=stop_after))

    def name_of(self, values: Values) -> str:
        """Return the name of the trial as which a configuration was proposed first; empty where it never was."""
        return self._names.get(_key(self.trial_of(values).values), "")

    def change(
        self, trial: str = "", values: Values | None = None, limit: int | None = None, left_out: Sequence[str] = ()
    ) -> Change:
        """Return a change of what is proposed from now on; see `Change`."""
        asked = self._stalled or self.exhausted
        given = None if values is None else dict(values)
        return Change(self.dataset, self.proposed, self._told, asked, trial, given, limit, tuple(left_out))

    def decided(self, searched: ModelSearch, change: Change | None) -> None:
        """Propose from now on as was decided now, which `searched` has; `change` is of this data set, if any is."""
        self._searched = searched
        if change is not None:
            self._cut.update(change.left_out)
            self._apply(change)

    def _apply(self, change: Change) -> None:
        if change.values is not None:
            self._oracle.add(dict(change.values))
            key = _key(self.trial_of(change.values).values)
            self._by_hand.append(key)
            self._names.setdefault(key, change.trial)
        if change.limit is not None:
            self._oracle.limit(change.limit)
        self._stalled = self.exhausted = False

    def _repeat(self) -> bool:
        """Apply the next change that was made before this run, if it was made at this moment; return whether so."""
        change = self._ahead[0] if self._ahead else None
        if change is None or self.proposed < change.proposed or self._told < change.told:
            return False
        if change.asked and not (self._stalled or self.exhausted) and self.proposed == change.proposed:
            return False  # the oracle had been asked, which may have changed it
        self._apply(self._ahead.popleft())
        return True

    def _proposal(self) -> Proposal | None:
        """Return what the oracle proposes next, once it has heard of all that it has to have heard of."""
        while True:
            while self._repeat():
                pass
            if self.exhausted:
                return None
            if self._stalled or (self._oracle.adaptive and self._told < self._to_hear):
                if not self._tell():
                    return None
                self._stalled = False
                continue
            answer = self._oracle.propose()
            self._stalled, self.exhausted = answer is Pause.WAITING, answer is Pause.EXHAUSTED
            if isinstance(answer, Proposal):
                return answer

    @property
    def _to_hear(self) -> int:
        """How many results the oracle has to have heard of before it proposes the next trial."""
        return max(self.proposed - self._lag, self._earlier if self.proposed >= self._earlier else 0)

    def search_trial(self, number: int, trial: Trial) -> SearchTrial:
        """Return trial `number` as its search lists it."""
        return SearchTrial(self.model, self.dataset, self.role, number, trial.id)

    def _tell(self) -> bool:
        """Tell the oracle the next result in order, if it is there."""
        if self._told not in self._scores:
            return False
        self._oracle.observe(self._told, self._scores.pop(self._told))
        self._told += 1
        return True

    def finished(self, number: int, record: Record) -> None:
        """Keep the result of trial `number` for the oracle."""
        self.failed += not record.completed
        self.completed += record.completed
        self.suppose(number, record.gain if record.completed else None)

    def leave_out(self, number: int) -> None:
        """Let trial `number` be none: it has neither failed nor a score, and the oracle hears of it as of a failure."""
        self.omitted += 1
        self.suppose(number, None)

    def suppose(self, number: int, score: float | None) -> None:
        """Let the oracle hear such a score of trial `number`, higher being better, whether or not it was trained."""
        if self._oracle.adaptive:
            self._scores[number] = score


def _key(values: Values) -> bytes:
    """Return what stands for values where many are kept."""
    return hashlib.blake2b(json.dumps(values, sort_keys=True).encode(), digest_size=16).digest()


class ListedTrials(Oracle):
    """Proposes the trials of a list that is known beforehand, by their number."""

    adaptive = False

    def __init__(self, count: int) -> None:
        self._left = iter(range(count))

    def propose(self) -> Proposal | Pause:
        """Return the next number, as the value `number`."""
        number = next(self._left, None)
        return Pause.EXHAUSTED if number is None else Proposal({"number": number})

    def observe(self, number: int, score: float | None) -> None:
        """Nothing to learn from results."""


def listed_proposals(model: str, dataset: str, trials: Sequence[Trial]) -> Proposals:
    """Return the proposals of final trials that are known beforehand."""
    return Proposals(
        model, dataset, "final", ListedTrials(len(trials)), lambda p: trials[int(p.values["number"])], lag=len(trials)
    )
