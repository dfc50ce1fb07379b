"""Parallel coordinates of trials: where the line of each crosses the axis of each parameter, and that of the score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tuner.analysis.scopes import Scope
from tuner.analysis.slices import MODEL, Scale, spread
from tuner.families import in_order
from tuner.space.parameters import Value

#: Where a trial stands that has no value on an axis, whose own heights go from 0 to 1.
NONE_AT = -0.16
#: What that stop is called.
NONE = "none"
#: Lines that pass an axis at one value stand side by side within this share of it.
_SPREAD = 0.05


@dataclass(frozen=True, eq=False)
class ParallelAxis:
    """An axis: `heights` says where each trial crosses it, from 0 to 1, or near `NONE_AT` where it has no value.

    `values` stand side by side; where there are too many for that it is empty, and numbers stand from `low` to `high`,
    by their logarithm where `log`. `lacking` says of each trial whether it has no value.
    """

    name: str
    heights: NDArray[np.float64]
    lacking: NDArray[np.bool_]
    values: Sequence[Value] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False

    @classmethod
    def of_values(cls, name: str, column: Sequence[Value | None], distinct: Sequence[Value]) -> Self:
        """Return an axis of a few values side by side; lines of one value are spread a little around it."""
        step = 1 / (len(distinct) - 1)
        order = {(type(value), value): step * place for place, value in enumerate(distinct)}
        lacking = np.array([value is None for value in column])
        heights = np.array([NONE_AT if value is None else order[type(value), value] for value in column])
        return cls(name, heights + spread(len(column)) * min(_SPREAD, 0.7 * step), lacking, distinct)

    @classmethod
    def of_numbers(cls, name: str, numbers: NDArray[np.float64], log: bool = False) -> Self:
        """Return an axis of numbers by their size, or by its logarithm; NaN where a trial has none."""
        lacking = np.isnan(numbers)
        one = cls(name, numbers, lacking, (), float(np.nanmin(numbers)), float(np.nanmax(numbers)), log)
        beside = NONE_AT + _SPREAD * spread(len(numbers))
        return cls(name, np.where(lacking, beside, one.height(numbers)), lacking, (), one.low, one.high, log)

    def height(self, value: Any) -> Any:
        """Return where a number, or each of an array, stands on an axis of numbers; in the middle where all are one."""
        if self.high == self.low:
            return np.zeros_like(value, dtype=np.float64) + 0.5
        if self.log:
            return np.log(value / self.low) / np.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True, eq=False)
class ParallelCoordinates:
    """The trials of a scope on a data set as lines across `axes`, the last of which is the score.

    `better` says of each trial which share of the others is worse. Trials that hardly learned, below the score `low`,
    end at the lower end of the score.
    """

    scope: Scope
    dataset: str
    axes: tuple[ParallelAxis, ...]
    better: NDArray[np.float64]

    @classmethod
    def of(cls, scope: Scope, dataset: str, low: float = -np.inf) -> Self:
        """Return the lines of a scope's trials; `low` is the score up to which trials hardly learned."""
        scores = np.maximum(scope.scores, low)
        gains = scores if scope.objective.direction == "max" else -scores
        worse = np.searchsorted(np.sort(gains), gains) / max(1, len(scores) - 1)
        axes = [*_parameter_axes(scope.configurations), ParallelAxis.of_numbers(scope.objective.words, scores)]
        return cls(scope, dataset, tuple(axes), worse)

    @property
    def worst_first(self) -> list[int]:
        """The trials in the order in which they are drawn, the best on top."""
        return np.argsort(self.better, kind="stable").tolist()  # type: ignore[no-any-return]

    def frame(self) -> pd.DataFrame:
        """Return a row for each trial: its name, the parameters that vary, empty where it has none, and its score."""
        return self.scope.frame()


def _parameter_axes(configurations: Sequence[dict[str, Value]]) -> list[ParallelAxis]:
    """Return an axis for each parameter of which there are several values, that of the model first."""
    found = []
    names = in_order(dict.fromkeys(name for values in configurations for name in values))
    for name in sorted(names, key=lambda name: name != MODEL):
        column = [values.get(name) for values in configurations]
        scale = Scale.of(column)
        if len(scale.distinct) < 2:
            continue
        if scale.few:
            found.append(ParallelAxis.of_values(name, column, scale.distinct))
        else:
            numbers = np.array([np.nan if value is None else value for value in column], dtype=np.float64)
            found.append(ParallelAxis.of_numbers(name, numbers, scale.log))
    return found
