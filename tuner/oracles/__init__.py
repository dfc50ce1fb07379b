"""The oracles by name. A new one needs its file and a branch here."""

from __future__ import annotations

from tuner.oracles.base import MOST_DRAWS, Oracle, Pause, Proposal
from tuner.oracles.grid import GridOracle
from tuner.space.space import Space
from tuner.system.interrupts import INTERRUPTS
from tuner.system.quiet import import_keras

__all__ = ["MOST_DRAWS", "Oracle", "Pause", "Proposal", "make_oracle"]


def make_oracle(algorithm: str, space: Space, seed: int, max_trials: int | None, epochs: int) -> Oracle:
    """Return a fresh oracle of this algorithm; see `KerasTunerOracle` for the arguments."""
    if algorithm == "grid":
        return GridOracle(space)
    with INTERRUPTS.importing():
        import_keras()  # which a grid does not need
        from tuner.oracles.kerastuner import KerasTunerOracle

    return KerasTunerOracle(algorithm, space, seed, max_trials, epochs)
