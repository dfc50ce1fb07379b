"""The proposals of one oracle on one data set, in order, and the results that it may hear."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tuner.ledger.ledger import SearchTrial
from tuner.oracles import Oracle, Pause, Proposal
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
    """

    def __init__(
        self,
        model: str,
        dataset: str,
        role: str,
        oracle: Oracle,
        trial_of: Callable[[Proposal], Trial],
        lag: int,
    ) -> None:
        self.model, self.dataset, self.role = model, dataset, role
        self.exhausted = False
        #: How many trials were proposed, and how many of those that have finished failed.
        self.proposed = self.failed = 0
        self._oracle, self._trial_of, self._lag = oracle, trial_of, lag
        self._scores: dict[int, float | None] = {}
        self._told = 0
        self._stalled = False

    def next(self) -> tuple[int, Trial] | None:
        """Return the next trial with its number, or None if there is none now."""
        if self.exhausted:
            return None
        if self._oracle.adaptive:
            while self._told < self.proposed - self._lag:
                if not self._tell():
                    return None
        while True:
            if self._stalled and not self._tell():
                return None
            answer = self._oracle.propose()
            self._stalled = answer is Pause.WAITING
            if answer is Pause.EXHAUSTED:
                self.exhausted = True
                return None
            if isinstance(answer, Proposal):
                self.proposed += 1
                return self.proposed - 1, self._trial_of(answer)

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
        if self._oracle.adaptive:
            self._scores[number] = record.gain if record.completed else None


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
