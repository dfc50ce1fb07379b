"""ROC curves of each class of a saved model against the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tuner import columns as col
from tuner.analysis.findings import Chosen

#: Points of a curve as files and pages hold it, at most; one of fewer is there whole.
POINTS = 100
#: How far what is left out may lie from the curve, as a share of the axes that it is drawn on, evenly or logarithmic.
CLOSE = 0.001
#: Of more classes than this a page shows the curves with the smallest areas.
_MOST_CLASSES = 20

_Rates = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RocCurve:
    """The curve of a class: its rates from 0 to 1, none where they are not defined, and `area`, which is then NaN."""

    label: int
    name: str
    area: float
    false_rate: _Rates
    true_rate: _Rates

    @property
    def points(self) -> tuple[_Rates, _Rates]:
        """False and true positive rates where the curve bends, of a long curve the points of `thinned`."""
        rates = _bends(self.false_rate, self.true_rate)
        return rates if len(rates[0]) <= POINTS else thinned(*rates)


@dataclass(frozen=True, eq=False)
class RocCurves:
    """The curves of a saved model's classes on `images` test images."""

    model: str
    label: str
    dataset: str
    images: int
    curves: tuple[RocCurve, ...]

    @classmethod
    def of(cls, chosen: Chosen) -> Self:
        """Return the curves of a chosen model."""
        predictions = chosen.predictions
        areas = predictions.class_metrics[col.ROC_AUC]
        curves = tuple(
            RocCurve(label, name, float(areas[label]), *predictions.roc(label))
            for label, name in enumerate(predictions.class_names)
        )
        return cls(chosen.model, chosen.label, chosen.dataset, len(predictions.labels), curves)

    def worst(self, most: int) -> list[RocCurve]:
        """Return so many curves at most, those with the smallest areas, in the order of their classes."""
        areas = np.nan_to_num([curve.area for curve in self.curves], nan=1.0)
        return [self.curves[place] for place in np.sort(np.argsort(areas, kind="stable")[:most])]

    def as_json(self) -> list[list[Any]]:
        """Return of each class that a page shows its number, the area, and false and true positive rates."""
        return [[curve.label, curve.area, *curve.points] for curve in self.worst(_MOST_CLASSES)]


def _bends(false_rate: _Rates, true_rate: _Rates) -> tuple[_Rates, _Rates]:
    """Return a curve without points on the straight line between their neighbours, which draw nothing and add no area.

    Rates are counts of images by their number, so that where a curve bends, it does so by far more than rounding.
    """
    right, up = np.diff(false_rate), np.diff(true_rate)
    bends = np.abs(right[:-1] * up[1:] - right[1:] * up[:-1]) > 1e-14
    kept = np.concatenate([[True], bends, [True]]) if len(right) else np.ones(len(false_rate), bool)
    return false_rate[kept], true_rate[kept]


def thinned(false_rate: _Rates, true_rate: _Rates) -> tuple[_Rates, _Rates]:
    """Return the points of a curve that draw it, `POINTS` at most, with straight lines between them.

    Each next one is that which lies furthest from the line drawn so far, until none is further than `CLOSE`. Distances
    are those on the axes, whether that of the false positive rate is even or, as in figures, logarithmic.

    Source: Ramer (1972) and Douglas and Peucker (1973), with the furthest point of all lines first.
    """
    floor = false_rate[false_rate > 0].min() / 2
    axes = (false_rate, 1 - np.log(np.maximum(false_rate, floor)) / np.log(floor))
    kept = {0, len(false_rate) - 1}
    lines: list[tuple[float, int, int, int]] = []  # how far the furthest point is, as a heap has the least first: minus

    def draw(begin: int, end: int) -> None:
        if end - begin > 1:
            far = np.max([_distance(axis[begin : end + 1], true_rate[begin : end + 1]) for axis in axes], axis=0)
            furthest = int(far.argmax())
            heappush(lines, (-float(far[furthest]), begin, begin + 1 + furthest, end))

    draw(0, len(false_rate) - 1)
    while lines and len(kept) < POINTS and -lines[0][0] > CLOSE:
        _, begin, furthest, end = heappop(lines)
        kept.add(furthest)
        draw(begin, furthest)
        draw(furthest, end)
    places = sorted(kept)
    return false_rate[places], true_rate[places]


def _distance(x: _Rates, y: _Rates) -> _Rates:
    """Return how far the points between the first and the last lie from the line through these two."""
    across, up = x[-1] - x[0], y[-1] - y[0]
    apart: _Rates = np.abs((x[1:-1] - x[0]) * up - (y[1:-1] - y[0]) * across) / (np.hypot(across, up) or 1.0)
    return apart


def roc_frame(models: Iterable[RocCurves]) -> pd.DataFrame:
    """Return a row for each of the `points` of each curve, rates with six significant digits."""
    frames = []
    for model in models:
        for curve in model.curves:
            about = {col.DATASET: model.dataset, col.MODEL: model.model, col.CLASS: curve.name}
            rates = dict(zip(("false_positive_rate", "true_positive_rate"), curve.points, strict=True))
            short = {name: [float(f"{rate:.6g}") for rate in of_points] for name, of_points in rates.items()}
            frames.append(pd.DataFrame(short).assign(**about)[[*about, *short]])
    return pd.concat(frames, ignore_index=True)
