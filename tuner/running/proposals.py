"""The proposals of one oracle on one data set, in order, and the results that it may hear."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

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
        left_out: trials that are not trained, which the oracle hears of as of failures; it may grow.
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

    def next(self) -> tuple[int, Trial] | None:
        """Return the next trial with its number, or None if there is none now."""
        while (proposal := self._proposal()) is not None:
            self.proposed += 1
            self.gone_on += proposal.goes_on
            self.last_goes_on = proposal.goes_on
            trial = self._trial_of(proposal)
            if trial.id not in self._left_out:
                return self.proposed - 1, trial
            self.leave_out(self.proposed - 1)
        return None

    def _proposal(self) -> Proposal | None:
        """Return what the oracle proposes next, once it has heard of all that it has to have heard of."""
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
                return answer

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
