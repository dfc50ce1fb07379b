"""What a user's own network tells of itself: a metric that it is compiled with, or the score that its `fit` returns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from tuner.errors import TrialError
from tuner.objective.base import Objective
from tuner.objective.own import Direction

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: How a search file names one: a metric as Keras' history does, or what `fit` returns, of a dictionary by its key.
TOLD_FORMS = ("val_METRIC", "returned", "returned.KEY")
_FORM = re.compile(r"val_[\w-]+|returned(\.[\w-]+)?")
_CODE = re.compile(rf"({_FORM.pattern}) (max|min)")


class ToldObjective(Objective):
    """The score that the training of a user's own network tells, for example `val_top_2` or `returned`.

    `val_METRIC` is a metric on validation images, which `build` compiles or which a `fit` of the user's own tells its
    callbacks after each epoch. `returned` is the number that such a `fit` returns, `returned.KEY` one of a dictionary:
    it is known when a training has ended, and stands in the curves the same after each epoch. Only the network's own
    code computes it, so that test images have no such score. See `Objective`.
    """

    low, high = None, None

    def __init__(self, form: str, direction: Direction) -> None:
        self.form = form
        self.direction = direction
        self.name = form.removeprefix("val_")
        self.by_epoch = form.startswith("val_")
        self.label = self.name if self.by_epoch else f"returned {self.key or 'score'}"
        self.doc = f"What the network's own training tells as {form}."

    @property
    def key(self) -> str:
        """Which value of a dictionary that `fit` returns it is; empty where `fit` returns a number."""
        return "" if self.by_epoch else self.form.partition(".")[2]

    @property
    def code(self) -> str:
        """The form with the direction; see `Objective.code`."""
        return f"{self.form} {self.direction}"

    def score(self, labels: NDArray[np.int64], probabilities: NDArray[np.float32], class_names: Sequence[str]) -> float:
        """Refuse: nobody but the network's own training computes it; see `Objective.score`.

        Raises:
            TrialError: always.
        """
        raise TrialError(f"only the network's own training tells {self.form}, of the images that it validates on")


def is_told(form: str) -> bool:
    """Whether this is how a search file names what a network tells of itself."""
    return bool(_FORM.fullmatch(form))


@cache
def told_objective(form: str, direction: Direction) -> ToldObjective:
    """Return the one objective of these, so that two are alike where they are the same."""
    return ToldObjective(form, direction)


def recorded_told(code: str) -> ToldObjective | None:
    """Return the objective that a trial names by `ToldObjective.code`; None for what is none."""
    found = _CODE.fullmatch(code)
    return told_objective(found[1], "max" if found[3] == "max" else "min") if found else None
