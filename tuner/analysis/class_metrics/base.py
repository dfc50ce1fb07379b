"""What a metric of a class is: a number that tells how well a model knows the class from the rest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class OneClass:
    """One model's answers to images about one class against the rest.

    `positive` says of each image whether it is of the class, `predicted` whether it was taken for it, each `(n,)`;
    `scores` is its probability of the class.
    """

    positive: NDArray[np.bool_]
    predicted: NDArray[np.bool_]
    scores: NDArray[Any]


class ClassMetric(ABC):
    """A metric of one class against the rest. A subclass names it and computes it, as `tuner.objective.one_class` does.

    `name` is its column in files, `label` its head in tables. A `prominent` one stands in the page's coloured table of
    classes, and its macro average in the cards of models. One that `counts_as_zero` is 0 in the averages where it is
    not defined of a class that occurs, so that ignoring a class never pays.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    prominent: ClassVar[bool] = True
    counts_as_zero: ClassVar[bool] = False
    #: Whether tables of two models show its difference in each class.
    compared: ClassVar[bool] = False

    @abstractmethod
    def of(self, one: OneClass) -> float:
        """Return the metric; NaN where it is not defined."""

    def pseudo_values(self, one: OneClass) -> Values:
        """Return what each image adds to the metric, `(n,)`; see `tuner.analysis.jackknife`."""
        raise NotImplementedError(f"{self.name} has no intervals")
