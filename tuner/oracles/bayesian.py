"""`bayesian`: configurations where a Gaussian process promises good scores. Free of Keras."""

from __future__ import annotations

from collections.abc import Sequence

from tuner.oracles.base import Algorithm, Oracle
from tuner.oracles.lazy import keras_tuner_oracle
from tuner.space.space import Configuration, Space


class Bayesian(Algorithm):
    """KerasTuner's Bayesian optimization with rules; see `Algorithm`."""

    name = "bayesian"
    doc = "The first ones drawn at random, then those that a Gaussian process over the results promises most of."
    learns = True

    def oracle(
        self, space: Space, seed: int, max_trials: int | None, epochs: int, first: Sequence[Configuration] = ()
    ) -> Oracle:
        """Return a fresh oracle; see `Algorithm.oracle`."""
        return keras_tuner_oracle(self.name, space, seed, max_trials, first, {"max_trials": max_trials})
