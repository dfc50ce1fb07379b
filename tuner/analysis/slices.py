"""Scores of trials by the values of a parameter: how values stand on an axis, and where the medians of scores run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tuner import columns as col
from tuner.space.parameters import Value

#: How the model is called where it is a parameter beside the others.
MODEL = col.MODEL
#: A numeric parameter of more values than this has a plain axis and medians of as many parts.
FEW = 8
#: From this ratio of the largest to the smallest value on, the axis is logarithmic.
WIDE = 30
#: Multiples of it, without their whole part, lie evenly: points are spread by them, and always alike.
_GOLDEN = 0.618034


@dataclass(frozen=True)
class Scale:
    """How the values of a parameter stand on an axis of a page's or a display's figure.

    `distinct` are in order where they are numbers, which `ordered` says; `few` of them stand side by side, others by
    their size, or by its logarithm where `log`.
    """

    distinct: Sequence[Value]
    ordered: bool
    few: bool
    log: bool

    @classmethod
    def of(cls, values: Iterable[Value | None]) -> Scale:
        """Return the scale of these values, None left out."""
        distinct = list(dict.fromkeys(value for value in values if value is not None))
        numbers = [value for value in distinct if isinstance(value, int | float) and not isinstance(value, bool)]
        if len(numbers) < len(distinct):
            return cls(distinct, ordered=False, few=True, log=False)
        numbers.sort()
        few = len(numbers) <= FEW
        return cls(numbers, ordered=True, few=few, log=not few and numbers[0] > 0 and numbers[-1] >= WIDE * numbers[0])


@dataclass(frozen=True, eq=False)
class Medians:
    """The line of medians of a model's trials: places on the axis, and the scores there."""

    model: str
    at: NDArray[np.float64]
    scores: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Slice:
    """A parameter's axis with a line of medians for each model."""

    name: str
    scale: Scale
    lines: tuple[Medians, ...]

    @classmethod
    def of(cls, name: str, placed: Sequence[tuple[str, Value | None]], scores: NDArray[np.float64]) -> Self:
        """Return the slice of a parameter.

        Args:
            name: of the parameter.
            placed: of each trial the label of its model and the parameter's value, None where it has none.
            scores: `(trials,)`.
        """
        scale = Scale.of(value for _, value in placed)
        lines = []
        for model in dict.fromkeys(label for label, _ in placed):
            known = [(place, v) for place, (label, v) in enumerate(placed) if label == model and v is not None]
            if known:
                mine, values = zip(*known, strict=True)
                x = np.array([scale.distinct.index(v) for v in values] if scale.few else values, dtype=np.float64)
                at, middle = medians(np.log10(x) if scale.log else x, scores[list(mine)], few=scale.few)
                lines.append(Medians(model, 10**at if scale.log else at, middle))
        return cls(name, scale, tuple(lines))

    def as_json(self) -> dict[str, Any]:
        """Return the axis, and of each line its model, places and medians."""
        return {
            "name": self.name,
            "values": self.scale.distinct if self.scale.few else None,
            "ordered": self.scale.ordered,
            "log": self.scale.log,
            "lines": [{"model": line.model, "at": line.at, "median": line.scores} for line in self.lines],
        }


def lower_end(y: NDArray[np.float64], chance: float | None) -> float:
    """Return the score below which trials hardly learned: nearer to chance than to the best, and outweighing the rest.

    That is minus infinity where these are half of the trials or more, or no further apart than the others; or where it
    is not known what chance scores.
    """
    if chance is None:
        return -np.inf
    left = y[y > (chance + y.max()) / 2]
    if len(left) <= len(y) / 2 or np.ptp(left) >= 0.5 * np.ptp(y):
        return -np.inf
    return float(left.min() - 0.06 * max(float(np.ptp(left)), 0.01))


def spread(count: int) -> NDArray[np.float64]:
    """Return places from -0.5 to 0.5 for so many marks of one value: evenly spread, and always alike."""
    return _GOLDEN * np.arange(count, dtype=np.float64) % 1 - 0.5


def medians(
    x: NDArray[np.float64], y: NDArray[np.float64], few: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where the line of medians runs: `(places, medians)`.

    That is the median of y at each x or, where these are many, of parts of equally many trials at their median x.
    """
    order = np.argsort(x, kind="stable")
    parts = [np.flatnonzero(x == value) for value in np.unique(x)] if few else np.array_split(order, min(FEW, len(x)))
    return np.array([np.median(x[part]) for part in parts]), np.array([np.median(y[part]) for part in parts])
