"""`grid`: every configuration that the rules allow, in the order of the space."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from tuner.oracles.base import Algorithm, Oracle, Pause, Proposal
from tuner.space.space import Configuration, Space


class GridOracle(Oracle):
    """Lists the space's grid lazily, so that the first proposal of a large one costs nothing."""

    adaptive = False
    adjustable = True

    def __init__(self, space: Space, first: Sequence[Configuration] = ()) -> None:
        self._left = chain(first, (values for values in space.grid() if values not in first))
        self._next: list[Configuration] = []
        self._added: list[Configuration] = []

    def propose(self) -> Proposal | Pause:
        """Return the next configuration of the grid, or what was added to its front."""
        if self._next:
            return Proposal(self._next.pop(0))
        values = next((values for values in self._left if values not in self._added), None)
        return Pause.EXHAUSTED if values is None else Proposal(values)

    def observe(self, number: int, score: float | None) -> None:
        """Nothing to learn: a grid is known from the start."""

    def add(self, values: Configuration) -> None:
        """Bring a configuration of the grid forward."""
        self._next.append(values)
        self._added.append(values)

    def limit(self, max_trials: int) -> None:
        """A grid has no `max_trials`."""
        raise NotImplementedError


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
