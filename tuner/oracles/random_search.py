"""`random`: configurations drawn evenly from the space. Free of Keras."""

from __future__ import annotations

from collections.abc import Sequence

from tuner.oracles.base import Algorithm, Oracle
from tuner.oracles.lazy import keras_tuner_oracle
from tuner.space.space import Configuration, Space


class RandomSearch(Algorithm):
    """KerasTuner's random search with rules; see `Algorithm`."""

    name = "random"
    doc = "Configurations drawn evenly from the space, none twice."

    def oracle(
        self, space: Space, seed: int, max_trials: int | None, epochs: int, first: Sequence[Configuration] = ()
    ) -> Oracle:
        """Return a fresh oracle; see `Algorithm.oracle`."""
        return keras_tuner_oracle(self.name, space, seed, max_trials, first, {"max_trials": max_trials}, adaptive=False)
