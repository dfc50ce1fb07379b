"""Proposals that end before their end: what a search proposes that ran out of its hours. Free of Keras."""

from __future__ import annotations

from tuner.oracles.base import Oracle, Pause, Proposal
from tuner.space.space import Configuration


class UpTo(Oracle):
    """Proposes what another oracle does, and nothing after so many.

    Args:
        oracle: proposes.
        most: after how many proposals nothing follows.
    """

    def __init__(self, oracle: Oracle, most: int) -> None:
        self.adaptive, self.adjustable = oracle.adaptive, oracle.adjustable
        self._oracle, self._left = oracle, most

    def propose(self) -> Proposal | Pause:
        """Return what the other oracle proposes, as long as anything is left."""
        if not self._left:
            return Pause.EXHAUSTED
        answer = self._oracle.propose()
        self._left -= isinstance(answer, Proposal)
        return answer

    def observe(self, number: int, score: float | None) -> None:
        """Pass it on; see `Oracle.observe`."""
        self._oracle.observe(number, score)

    def add(self, values: Configuration) -> None:
        """Pass it on; what is added counts as what is proposed does."""
        self._oracle.add(values)

    def limit(self, max_trials: int) -> None:
        """Pass it on; see `Oracle.limit`."""
        self._oracle.limit(max_trials)
