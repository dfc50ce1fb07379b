"""Proposals that end before their end: what a search proposes that ran out of its hours. Free of Keras."""

from __future__ import annotations

from tuner.oracles.base import Oracle, Pause, Proposal


class UpTo(Oracle):
    """Proposes what another oracle does, and nothing after so many.

    Args:
        oracle: proposes.
        most: after how many proposals nothing follows.
    """

    def __init__(self, oracle: Oracle, most: int) -> None:
        self.adaptive = oracle.adaptive
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
