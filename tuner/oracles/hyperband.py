"""`hyperband`: many configurations for few epochs, the best of them for more (Li et al., 2018). Free of Keras."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tuner.oracles.base import Algorithm, Oracle
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


def hyperband_sizes(epochs: int, configurations: int | None = None, factor: int = 3) -> list[list[int]]:
    """Return how many trials each round of each bracket of Hyperband has (Li et al., 2018, table 1), largest first.

    Brackets and rounds are sized as in KerasTuner: every bracket ends with `ceil(1 + log_factor(epochs))`
    configurations over its number of rounds. A bracket begins with configurations that no bracket before it had, so
    that where there are only so many `configurations` it begins with those that are left.
    """
    brackets = 0
    while epochs / factor**brackets >= 1:
        brackets += 1
    last = math.ceil(1 + math.log(epochs, factor))
    left = math.inf if configurations is None else configurations
    sizes = []
    for bracket in reversed(range(brackets)):
        full = [math.ceil(last / (bracket + 1) * factor ** (bracket - number)) for number in range(bracket + 1)]
        first = min(full[0], left)
        sizes.append([min(size, math.ceil(first / factor**number)) for number, size in enumerate(full)])
        left -= first
    return sizes


def hyperband_trials(epochs: int, configurations: int | None = None) -> int:
    """Return how many trials one sweep of Hyperband over at most `epochs` epochs has if none fails."""
    return sum(map(sum, hyperband_sizes(epochs, configurations)))
