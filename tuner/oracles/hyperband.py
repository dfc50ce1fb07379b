"""`hyperband`: many configurations for few epochs, the best of them for more (Li et al., 2018). Free of Keras."""

from __future__ import annotations

from collections.abc import Sequence

from tuner.oracles.base import Algorithm, Oracle
from tuner.oracles.brackets import hyperband_trials
from tuner.oracles.lazy import keras_tuner_oracle
from tuner.space.space import Configuration, Space


class Hyperband(Algorithm):
    """KerasTuner's Hyperband with rules; see `Algorithm`."""

    name = "hyperband"
    doc = "Many configurations for few epochs, and the best of them for more: one sweep over all its brackets."
    max_trials = "takes"
    learns = True
    varies_epochs = True

    def oracle(
        self, space: Space, seed: int, max_trials: int | None, epochs: int, first: Sequence[Configuration] = ()
    ) -> Oracle:
        """Return a fresh oracle; see `Algorithm.oracle`."""
        return keras_tuner_oracle(self.name, space, seed, max_trials, first, {"max_epochs": epochs})

    def planned(self, space: Space, max_trials: int | None, epochs: int) -> int:
        """Return how many trials a sweep has if none fails; see `Algorithm.planned`."""
        sweep = hyperband_trials(epochs, space.configurations)
        return min(sweep, max_trials or sweep)

    def why_fewer(self, space: Space, max_trials: int | None, epochs: int) -> str:
        """Return that a sweep has no more trials; see `Algorithm.why_fewer`."""
        few = self.planned(space, max_trials, epochs) < hyperband_trials(epochs)
        small = f" in so small a space (configurations: {space.configurations})" if few else ""
        return f"one sweep of Hyperband over at most {epochs} epoch{'s' if epochs > 1 else ''}{small} has no more"

    def why_ended(self, failed: int) -> str:
        """Return that failed trials go on to no more epochs; see `Algorithm.why_ended`."""
        return f"{failed} of them failed, so that fewer could go on to more epochs" if failed else super().why_ended(0)
