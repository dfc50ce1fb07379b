"""Displays of the chosen models, of their answers on the test images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from tuner import columns as col
from tuner.analysis.class_scores import ClassScores, per_class_frame
from tuner.analysis.confusion import ConfusionMatrix, confusion_frame
from tuner.analysis.findings import Chosen
from tuner.analysis.roc import RocCurves, roc_frame
from tuner.analysis.variance import mean_interval
from tuner.api.chosen import chosen_model, chosen_on
from tuner.api.displays.base import Display
from tuner.api.functions import Ran, load_findings
from tuner.figures.class_scores import draw_class_scores
from tuner.figures.confusion import draw_confusion
from tuner.figures.roc import draw_roc
from tuner.figures.style import colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(eq=False, repr=False)
class _OfOneModel(Display):
    """A display of a chosen model on one data set."""

    chosen: Chosen

    @classmethod
    def from_findings(
        cls, found: Ran, *, model: str | None = None, dataset: str | None = None, ax: Axes | None = None, **kwargs: Any
    ) -> Self:
        """Draw a chosen model, by default the best on the first data set of the comparison.

        Args:
            found: what `tuner.run` returned, or a search that ran.
            model: the name of its `[[search]]`.
            dataset: on which it was scored.
            ax: where to draw; by default into a new figure.
            kwargs: as `plot` takes them.

        Raises:
            InputError: there is no such model.
        """
        return cls(chosen_model(load_findings(found), model, dataset)).plot(ax, **kwargs)

    @property
    def _about(self) -> str:
        return f"{self.chosen.label}, {self.chosen.dataset}"


class RocDisplay(_OfOneModel):
    """The ROC curve of each class of a saved model against the rest; false positive rate on a logarithmic axis."""

    def _draw(self, axes: Axes, **kwargs: Any) -> None:
        draw_roc(axes, RocCurves.of(self.chosen), **kwargs)

    def frame(self) -> pd.DataFrame:
        """Return up to 160 points of each curve, a row for each."""
        return roc_frame([RocCurves.of(self.chosen)])


class ConfusionDisplay(_OfOneModel):
    """The test images of a saved model by true class (row) and predicted class (column)."""

    _size = (5.4, 5.2)

    def _draw(self, axes: Axes, **kwargs: Any) -> None:
        draw_confusion(axes, ConfusionMatrix.of(self.chosen), **kwargs)

    def frame(self) -> pd.DataFrame:
        """Return a row for each cell that is not empty."""
        return confusion_frame([ConfusionMatrix.of(self.chosen)])


@dataclass(eq=False, repr=False)
class _OfOneDataset(Display):
    """A display of all chosen models on one data set."""

    models: Sequence[Chosen]

    @classmethod
    def from_findings(cls, found: Ran, *, dataset: str | None = None, ax: Axes | None = None, **kwargs: Any) -> Self:
        """Draw the chosen models on a data set, by default the first of the comparison.

        Args:
            found: what `tuner.run` returned, or a search that ran.
            dataset: on which they were scored.
            ax: where to draw; by default into a new figure.
            kwargs: as `plot` takes them.

        Raises:
            InputError: no model was scored on it.
        """
        return cls(chosen_on(load_findings(found), dataset)).plot(ax, **kwargs)

    @property
    def _about(self) -> str:
        return f"{', '.join(chosen.label for chosen in self.models)}, {self.models[0].dataset}"


class F1Display(_OfOneDataset):
    """F1 of each class of each chosen model, or of the worst classes: every retraining, their mean and spread."""

    _size = (9, 3.8)

    def _draw(self, axes: Axes, **kwargs: Any) -> None:
        draw_class_scores(axes, ClassScores.of(self.models, self.frame()), **kwargs)

    def frame(self) -> pd.DataFrame:
        """Return every metric of each class of each model, a row for each, and averages."""
        return per_class_frame(self.models)


class AccuracyDisplay(_OfOneDataset):
    """The mean test accuracy of each chosen model with its 95 % interval, and its retrainings as points.

    The interval is over retrainings and test images, as the interval of a difference in the report; of one retraining,
    over test images.
    """

    _size = (6.4, 2.6)

    def frame(self) -> pd.DataFrame:
        """Return a row for each retraining, with the mean of its model and the interval of that mean."""
        rows = []
        for chosen in self.models:
            interval = mean_interval(chosen.correct, 0, 1)
            about = {col.MODEL: chosen.model, col.DATASET: chosen.dataset, col.RETRAINED_MEAN: chosen.mean}
            ends = {col.MEAN_LOW: interval.low, col.MEAN_HIGH: interval.high}
            for record, accuracy in zip(chosen.finals, chosen.test_accuracies, strict=True):
                rows.append({**about, **ends, col.SEED: record.trial.seed, col.TEST_ACCURACY: accuracy})
        return pd.DataFrame(rows)

    def _draw(self, axes: Axes, **kwargs: Any) -> None:
        for place, chosen in enumerate(self.models):
            interval, ink = mean_interval(chosen.correct, 0, 1), colour(chosen.number)
            axes.plot([interval.low, interval.high], [place, place], color=ink, linewidth=2.4, solid_capstyle="butt")
            axes.plot([chosen.mean], [place], color=ink, marker="o", markersize=8)
            points = np.full(len(chosen.finals), place + 0.22)
            look = {"color": ink, "alpha": 0.7, "linewidths": 0, "s": 20, **kwargs}
            axes.scatter(chosen.test_accuracies, points, **look)
        axes.set_yticks(range(len(self.models)), [chosen.label for chosen in self.models])
        axes.set_ylim(len(self.models) - 0.5, -0.5)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel("test accuracy")
        axes.set_title(f"Mean with its 95 % interval, and each retraining, {self.models[0].dataset}")
