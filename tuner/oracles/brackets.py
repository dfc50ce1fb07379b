"""How many trials the brackets of Hyperband have (Li et al., 2018). Free of Keras."""

from __future__ import annotations

import math


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
