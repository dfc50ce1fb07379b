"""What an oracle is: it proposes configurations, and hears of their results. It never trains."""

from __future__ import annotations

import enum
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

from tuner.space.space import Configuration

#: How many random draws in a row may break a rule or repeat a configuration before an oracle stops drawing at random.
MOST_DRAWS = 1_000


@dataclass(frozen=True)
class Proposal:
    """A configuration to train, for `epochs` epochs where the oracle wants other than the recipe's."""

    values: Configuration
    epochs: int | None = None


class Pause(enum.Enum):
    """Why an oracle proposes nothing."""

    WAITING = "needs the next result first"
    EXHAUSTED = "has nothing more to propose"


class Oracle(ABC):
    """Proposes one configuration after another.

    What it proposes depends on its space, its seed and on what it was told, in that order, and on nothing else:
    the same calls give the same proposals. `adaptive` says whether results matter to it at all; one that is not
    adaptive is never told any.
    """

    adaptive: bool

    @abstractmethod
    def propose(self) -> Proposal | Pause:
        """Return the next proposal, or why there is none now."""

    @abstractmethod
    def observe(self, number: int, score: float | None) -> None:
        """Hear the score of proposal `number`, counted from 0; None where the trial failed.

        Results come in the order of the proposals, each once. A higher score is better.
        """


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
