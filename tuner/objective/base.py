"""What an objective is: what makes one trial better than another, and how it is computed and called."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tuner.trial import Result


class Objective(ABC):
    """An objective: the score that a search chooses by. A subclass names it and computes it.

    `by_epoch` says whether it is known after each epoch, and not only when a training has ended. `class_name` is the
    one class that it is about, if it is about one: where there is no image of it, there is no score.
    `name` is what a search file calls it and `label` what sentences and axes do; `direction` says which way is better,
    and `low` and `high` the ends between which it lies, None where there is no end. For example, the column of
    `accuracy` is `val_accuracy`, and its axis "validation accuracy".
    """

    name: str
    label: str
    doc: str
    direction: Literal["max", "min"] = "max"
    low: float | None = 0.0
    high: float | None = 1.0
    by_epoch: bool = True
    class_name: str = ""

    @abstractmethod
    def score(self, labels: NDArray[np.int64], probabilities: NDArray[np.float32], class_names: Sequence[str]) -> float:
        """Return the score of answers to images.

        Args:
            labels: of the images, `(n,)`.
            probabilities: that a network gave each class, `(n, classes)`.
            class_names: the names of the classes.

        Returns:
            The score; NaN where it cannot be computed of these images.
        """

    def missing_class(self, class_names: Sequence[str]) -> str:
        """Return the class that the objective is about and a data set has not; empty where nothing is missing."""
        return "" if self.class_name in class_names else self.class_name

    def with_source(self) -> Self:
        """Return the same with the user's code as it is now; of all that is no user's own, itself.

        Raises:
            InputError: there is no such code.
        """
        return self

    @property
    def column(self) -> str:
        """The name of the score on validation images in tables, exports and curves."""
        return f"val_{self.name}"

    @property
    def test_column(self) -> str:
        """The name of the score on test images in tables."""
        return f"test_{self.name}"

    @property
    def words(self) -> str:
        """The score on validation images as sentences and axes call it."""
        return f"validation {self.label}"

    @property
    def head(self) -> str:
        """The head of a column of scores on validation images."""
        return f"val. {self.label}"

    @property
    def code(self) -> str:
        """How a trial names the objective: empty for `accuracy`, so that trials are called as ever."""
        return self.name

    def of(self, result: Result) -> float | None:
        """Return the score on validation images that is recorded of a trial, at the epoch that counts."""
        return result.validated(self.column)

    def gain(self, score: float) -> float:
        """Return a number that is higher the better the score is."""
        return score if self.direction == "max" else -score

    def gain_of(self, result: Result) -> float:
        """Return `gain` of what is recorded of a trial; the lowest of all where nothing is."""
        score = self.of(result)
        return float("-inf") if score is None else self.gain(score)
