"""What a search has spent: the seconds and epochs of what it trained, and whether it has reached its target."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Cost:
    """The seconds of a training: before and in its first epoch beyond those of any, and of an epoch."""

    beginning: float
    epoch: float

    def of(self, epochs: int) -> float:
        """Return how long so many epochs take from where a training begins or goes on."""
        return self.beginning + epochs * self.epoch


class Reached(BaseException):  # no error, and no tool may take it for one
    """The target is reached, and nothing more need be trained."""


@dataclass
class Spent:
    """What a search has trained up to now: `ends` are the moments at which an epoch was over.

    `seconds` is the moment at which the target was reached, None before.
    """

    target: float
    now: float = 0.0
    seconds: float | None = None
    ends: list[float] = field(default_factory=list)

    @property
    def epochs(self) -> int | None:
        """How many epochs were over when the target was reached, by whichever worker; None where it was not."""
        return None if self.seconds is None else sum(end <= self.seconds for end in self.ends)

    def train(self, scores: list[float], cost: Cost, begun: float | None = None) -> float:
        """Count a training with these scores after its epochs, and return when it ends.

        Args:
            scores: after each epoch that it is trained now.
            cost: of the training.
            begun: when it begins; None for now, as where one training follows the other: then it is over now.

        Raises:
            Reached: the target was reached in it, in a search that trains one after the other.
        """
        start = self.now if begun is None else begun
        for epoch, score in enumerate(scores, start=1):
            moment = start + cost.of(epoch)
            self.ends.append(moment)
            if score >= self.target:
                self.seconds = moment if self.seconds is None else min(self.seconds, moment)
                if begun is None:
                    raise Reached
        ends = start + cost.of(len(scores))
        if begun is None:
            self.now = ends
        return ends
