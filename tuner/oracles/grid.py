"""`grid`: every configuration that the rules allow, in the order of the space."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from tuner.oracles.base import Algorithm, Oracle, Pause, Proposal
from tuner.space.space import Configuration, Space


class GridOracle(Oracle):
    """Lists the space's grid lazily, so that the first proposal of a large one costs nothing."""

    adaptive = False

    def __init__(self, space: Space, first: Sequence[Configuration] = ()) -> None:
        self._left = chain(first, (values for values in space.grid() if values not in first))

    def propose(self) -> Proposal | Pause:
        """Return the next configuration of the grid."""
        values = next(self._left, None)
        return Pause.EXHAUSTED if values is None else Proposal(values)

    def observe(self, number: int, score: float | None) -> None:
        """Nothing to learn: a grid is known from the start."""


class Grid(Algorithm):
    """The whole grid; see `Algorithm`."""

    name = "grid"
    doc = "Every configuration that the rules allow, in the order of the space."
    max_trials = "refuses"
    lists_grid = True

    def oracle(
        self, space: Space, seed: int, max_trials: int | None, epochs: int, first: Sequence[Configuration] = ()
    ) -> Oracle:
        """Return a fresh oracle; see `Algorithm.oracle`."""
        return GridOracle(space, first)

    def planned(self, space: Space, max_trials: int | None, epochs: int) -> int:
        """Return how many configurations there are, before rules where these cannot be counted."""
        return space.count()[0] if space.is_countable else space.size()
