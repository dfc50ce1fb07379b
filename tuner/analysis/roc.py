"""ROC curves of each class of a saved model against the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tuner import columns as col
from tuner.analysis.findings import Chosen
from tuner.analysis.scoring import per_class

#: Points of a curve as files and pages hold it; one of fewer is there whole.
_POINTS = 160
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
        """False and true positive rates where the curve bends, of a long curve points that lie closest near corners."""
        if len(self.false_rate) <= _POINTS:
            return _bends(self.false_rate, self.true_rate)
        # Evenly spaced along the curve, on axes that are drawn out towards the upper left corner
        steps = np.abs(np.diff(np.sqrt(self.false_rate))) + np.abs(np.diff(np.sqrt(1 - self.true_rate)))
        way = np.concatenate([[0.0], np.cumsum(steps)])
        kept = np.unique(np.searchsorted(way, np.linspace(0, way[-1], _POINTS)).clip(0, len(way) - 1))
        return _bends(self.false_rate[kept], self.true_rate[kept])


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
        areas = per_class(predictions)[col.ROC_AUC]
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


def roc_frame(models: Iterable[RocCurves]) -> pd.DataFrame:
    """Return a row for each point of each curve, rates with six significant digits."""
    frames = []
    for model in models:
        for curve in model.curves:
            about = {col.DATASET: model.dataset, col.MODEL: model.model, col.CLASS: curve.name}
            rates = dict(zip(("false_positive_rate", "true_positive_rate"), curve.points, strict=True))
            short = {name: [float(f"{rate:.6g}") for rate in of_points] for name, of_points in rates.items()}
            frames.append(pd.DataFrame(short).assign(**about)[[*about, *short]])
    return pd.concat(frames, ignore_index=True)
