"""What an oracle is: it proposes configurations, and hears of their results. It never trains."""

from __future__ import annotations

import enum
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

from tuner.space import Configuration


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


def hyperband_trials(epochs: int, factor: int = 3) -> int:
    """Return how many trials one sweep of Hyperband over at most `epochs` epochs has (Li et al., 2018, table 1).

    Brackets and rounds are sized as in KerasTuner: every bracket ends with `ceil(1 + log_factor(epochs))`
    configurations over its number of rounds.
    """
    brackets = 0
    while epochs / factor**brackets >= 1:
        brackets += 1
    last = math.ceil(1 + math.log(epochs, factor))
    return sum(
        math.ceil(last / (bracket + 1) * factor ** (bracket - number))
        for bracket in range(brackets)
        for number in range(bracket + 1)
    )
