"""What an oracle is: it proposes configurations, and hears of their results. It never trains."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from tuner.space.space import Configuration, Space

#: How many random draws in a row may break a rule or repeat a configuration before an oracle stops drawing at random.
MOST_DRAWS = 1_000


@dataclass(frozen=True)
class Proposal:
    """A configuration to train, for `epochs` epochs where the oracle wants other than the recipe's.

    `stop_after` ends the training before its last epoch, on a schedule that spans all of them; `goes_on` says that the
    same configuration was trained to an earlier epoch before.
    """

    values: Configuration
    epochs: int | None = None
    stop_after: int | None = None
    goes_on: bool = False


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
    #: Whether `add` and `limit` may be called while it proposes.
    adjustable: bool = False

    @abstractmethod
    def propose(self) -> Proposal | Pause:
        """Return the next proposal, or why there is none now."""

    @abstractmethod
    def observe(self, number: int, score: float | None) -> None:
        """Hear the score of proposal `number`, counted from 0; None where the trial failed.

        Each result comes once; in the order of the proposals, but where a search prunes. A higher score is better.
        """

    def add(self, values: Configuration) -> None:
        """Let a configuration that it has not proposed be the next new one, beside `max_trials`, and never again."""
        raise NotImplementedError

    def limit(self, max_trials: int) -> None:
        """End after so many proposals, without those that were added, in place of as many as it was made for."""
        raise NotImplementedError


class Algorithm(ABC):
    """An algorithm: what a search file asks for by name, what is known of it beforehand, and the oracle that it makes.

    `name` is what a search file calls it, and `doc` what its reference says of it. `max_trials` says whether a search
    needs that key, may have it (`takes`), or is refused it. `learns` where results have a part in what is proposed,
    `lists_grid` where the proposals are the space's grid, `varies_epochs` where a trial may train for fewer epochs than
    its search says.
    """

    name: ClassVar[str]
    doc: ClassVar[str]
    max_trials: ClassVar[Literal["needs", "takes", "refuses"]] = "needs"
    learns: ClassVar[bool] = False
    lists_grid: ClassVar[bool] = False
    varies_epochs: ClassVar[bool] = False

    @abstractmethod
    def oracle(
        self, space: Space, seed: int, max_trials: int | None, epochs: int, first: Sequence[Configuration] = ()
    ) -> Oracle:
        """Return a fresh oracle.

        Args:
            space: what is searched.
            seed: 0 is a seed like any other.
            max_trials: after how many proposals to stop; None for as many as it has.
            epochs: the most epochs of a trial.
            first: configurations of the space that are proposed before any other.
        """

    def planned(self, space: Space, max_trials: int | None, epochs: int) -> int:
        """Return how many trials it will propose, at most; the arguments are as `oracle` takes them."""
        asked, there = max_trials or 0, space.configurations
        return asked if there is None else min(asked, there)

    def why_fewer(self, space: Space, max_trials: int | None, epochs: int) -> str:
        """Return why `planned` is less than `max_trials`, as the end of a sentence."""
        return f"its space holds no more configurations{' that its rules allow' if space.rules else ''}"

    def why_ended(self, failed: int) -> str:
        """Return why it proposed fewer than `planned`, of which so many failed, as the end of a sentence."""
        return f"{MOST_DRAWS:,} random draws in a row came to no further one that its rules allow"
