"""`grid`: every configuration that the rules allow, in the order of the space."""

from __future__ import annotations

from tuner.oracles.base import Oracle, Pause, Proposal
from tuner.space.space import Space


class GridOracle(Oracle):
    """Lists the space's grid lazily, so that the first proposal of a large one costs nothing."""

    adaptive = False

    def __init__(self, space: Space) -> None:
        self._left = space.grid()

    def propose(self) -> Proposal | Pause:
        """Return the next configuration of the grid."""
        values = next(self._left, None)
        return Pause.EXHAUSTED if values is None else Proposal(values)

    def observe(self, number: int, score: float | None) -> None:
        """Nothing to learn: a grid is known from the start."""
