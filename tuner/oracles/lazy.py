"""KerasTuner's oracles, imported when the first is made: describing an algorithm needs no Keras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tuner.oracles.base import Oracle
from tuner.space.space import Configuration, Space
from tuner.system.interrupts import INTERRUPTS
from tuner.system.quiet import import_keras


def keras_tuner_oracle(
    kind: str,
    space: Space,
    seed: int,
    max_trials: int | None,
    first: Sequence[Configuration],
    options: Mapping[str, Any],
    adaptive: bool = True,
) -> Oracle:
    """Return a fresh `KerasTunerOracle`, which see for the arguments."""
    with INTERRUPTS.importing():
        import_keras()
        from tuner.oracles.kerastuner import KerasTunerOracle

    return KerasTunerOracle(kind, space, seed, max_trials, first, adaptive, options)
