"""Figures of what a search found, after scikit-learn's convention for displays.

`RocDisplay.from_findings(found)` draws at once and returns the display, whose `ax_` and `figure_` are matplotlib's;
`plot` draws it again, into axes of the user's with `ax=`. What is drawn is what the report draws, in its style.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from tuner import columns as col
from tuner.errors import InputError, suggestion
from tuner.findings import Chosen, Findings
from tuner.importance import Importance
from tuner.library import Ran, load_findings
from tuner.report.classes import draw_confusion, draw_f1, draw_roc, per_class_frame
from tuner.report.curves import METRICS, Labelled, draw_metric, kind_marks, model_marks
from tuner.report.scopes import Scope, scopes
from tuner.report.shares import draw_bars
from tuner.report.slices import draw_slice, lower_end
from tuner.report.slices import model_marks as slice_marks
from tuner.report.style import colour, report_style
from tuner.significance import mean_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure


class Display:
    """What all displays have in common.

    Attributes:
        ax_: the axes that were drawn into last.
        figure_: their figure.
    """

    ax_: Axes
    figure_: Figure | SubFigure
    #: Of a figure of its own, in inches.
    _size: ClassVar[tuple[float, float]] = (5.6, 4.4)

    def plot(self, ax: Axes | None = None, **kwargs: Any) -> Self:
        """Draw, into a new figure unless `ax` is given, and return this display.

        Args:
            ax: where to.
            kwargs: what matplotlib's lines, bars, points or image are to have.
        """
        if ax is None:
            from matplotlib import pyplot

            # Outside of the style: the first figure of a notebook changes settings that are to last.
            figure = pyplot.figure(figsize=self._size, layout="constrained", facecolor="white")
            with report_style():
                self.plot(figure.add_subplot(), **kwargs)
                figure.draw_without_rendering()  # what is made while drawing, such as ticks, is in the style too
            return self
        with report_style():
            self._draw(ax, **kwargs)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._about})"

    @property
    def _about(self) -> str:
        """What is drawn, in words."""
        raise NotImplementedError

    def _draw(self, axes: Axes, **kwargs: Any) -> None:
        raise NotImplementedError


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
        models = _chosen_on(load_findings(found), dataset)
        if model is None:
            chosen = max(models, key=lambda chosen: chosen.mean)
        else:
            _check_known("model", model, (chosen.model for chosen in models))
            chosen = next(chosen for chosen in models if chosen.model == model)
        return cls(chosen).plot(ax, **kwargs)

    @property
    def _about(self) -> str:
        return f"{self.chosen.label}, {self.chosen.dataset}"


class RocDisplay(_OfOneModel):
    """The ROC curve of each class of a saved model against the rest; false positive rate on a logarithmic axis."""

    def _draw(self, axes: Axes, **kwargs: Any) -> None:
        draw_roc(axes, self.chosen, **kwargs)


class ConfusionDisplay(_OfOneModel):
    """The test images of a saved model by true class (row) and predicted class (column)."""

    _size = (5.4, 5.2)

    def _draw(self, axes: Axes, **kwargs: Any) -> None:
        draw_confusion(axes, self.chosen, **kwargs)


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
        return cls(_chosen_on(load_findings(found), dataset)).plot(ax, **kwargs)

    @property
    def _about(self) -> str:
        return f"{', '.join(chosen.label for chosen in self.models)}, {self.models[0].dataset}"


class F1Display(_OfOneDataset):
    """F1 of each class of each chosen model, or of the classes that are worst, as bars."""

    _size = (9, 3.8)

    def _draw(self, axes: Axes, **kwargs: Any) -> None:
        draw_f1(axes, self.models, per_class_frame(self.models), **kwargs)


class AccuracyDisplay(_OfOneDataset):
    """The mean test accuracy of each chosen model with its 95 % interval, and its retrainings as points.

    The interval is over retrainings and test images, as that of a difference in the report.
    """

    _size = (6.4, 2.6)

    def _draw(self, axes: Axes, **kwargs: Any) -> None:
        for place, chosen in enumerate(self.models):
            interval, ink = mean_interval(chosen.correct), colour(place)
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


@dataclass(eq=False, repr=False)
class LearningCurvesDisplay(Display):
    """Accuracy or loss by epoch of the best trial of each model on a data set, training (thin) and validation."""

    trials: Labelled
    dataset: str
    metric: str = "accuracy"

    @classmethod
    def from_findings(
        cls,
        found: Ran,
        *,
        dataset: str | None = None,
        metric: str = "accuracy",
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the best trials on a data set, by default the first that was searched.

        Args:
            found: what `tuner.run` returned, or a search that ran.
            dataset: on which they were trained.
            metric: "accuracy" or "loss".
            ax: where to draw; by default into a new figure.
            kwargs: as `plot` takes them.

        Raises:
            InputError: there is no completed trial on it, or no such metric.
        """
        findings = load_findings(found)
        _check_known("metric", metric, METRICS)
        dataset = _searched(findings, dataset)
        shown = [(entry.label, record) for entry, record in findings.best_trials(dataset)]
        if not shown:
            raise InputError(findings.search.name, f"has no completed trial on {dataset}")
        return cls(shown, dataset, metric).plot(ax, **kwargs)

    @property
    def _about(self) -> str:
        return f"{self.metric} of {', '.join(label for label, _ in self.trials)}, {self.dataset}"

    def _draw(self, axes: Axes, **kwargs: Any) -> None:
        draw_metric(axes, self.trials, self.metric, **kwargs)
        (lines, labels), (more_lines, more_labels) = model_marks(self.trials), kind_marks()
        axes.legend(lines + more_lines, labels + more_labels, loc="best")
        axes.set_title(f"{self.metric.capitalize()}, {self.dataset}")


@dataclass(eq=False, repr=False)
class ImportanceDisplay(Display):
    """How much of the variation of the validation accuracy each parameter has a part in, with 95 % intervals.

    Blue stands out and grey does not; orange is what two parameters have a part in only together.
    """

    scope: Scope
    importance: Importance
    dataset: str

    @classmethod
    def from_findings(
        cls, found: Ran, *, model: str | None = None, dataset: str | None = None, ax: Axes | None = None, **kwargs: Any
    ) -> Self:
        """Draw what matters in the trials on a data set, by default all of those on the first.

        Args:
            found: what `tuner.run` returned, or a search that ran.
            model: look at the trials of this `[[search]]` alone.
            dataset: on which they were trained.
            ax: where to draw; by default into a new figure.
            kwargs: as `plot` takes them.

        Raises:
            InputError: the trials are too few to tell, or all alike.
        """
        findings = load_findings(found)
        scope, dataset = _scope(findings, model, dataset)
        importance = _importance(scope)
        if importance is None:
            problem = f"has too few trials of {scope.label} on {dataset}, or too much alike, to tell what matters"
            raise InputError(findings.search.name, problem)
        return cls(scope, importance, dataset).plot(ax, **kwargs)

    @property
    def _about(self) -> str:
        return f"{self.scope.label}, {self.dataset}"

    def _draw(self, axes: Axes, **kwargs: Any) -> None:
        draw_bars(axes, self.importance, "validation accuracy", **kwargs)
        axes.set_title(f"{self.scope.label}, {self.dataset}")


@dataclass(eq=False, repr=False)
class SliceDisplay(Display):
    """The validation accuracy of each trial by its value of one parameter; lines are medians.

    Trials that hardly learned are triangles at the lower edge where the others would be hard to tell apart.
    """

    scope: Scope
    parameter: str
    dataset: str
    low: float

    @classmethod
    def from_findings(
        cls,
        found: Ran,
        parameter: str | None = None,
        *,
        model: str | None = None,
        dataset: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the trials on a data set, by default all of those on the first, by a parameter.

        Args:
            found: what `tuner.run` returned, or a search that ran.
            parameter: one that varies; by default the most important one, where that can be told, or the first.
            model: look at the trials of this `[[search]]` alone.
            dataset: on which they were trained.
            ax: where to draw; by default into a new figure.
            kwargs: as `plot` takes them.

        Raises:
            InputError: no such parameter varies.
        """
        findings = load_findings(found)
        scope, dataset = _scope(findings, model, dataset)
        varying = list(dict.fromkeys(name for values in scope.configurations for name in values))
        if parameter is None and varying:
            importance = _importance(scope)
            parameter = importance.effects[0].parameters[0] if importance else varying[0]
        _check_known("parameter", parameter or "", varying)
        low = lower_end(scope.scores, findings.chance(scope.records[0].trial))
        return cls(scope, str(parameter), dataset, low).plot(ax, **kwargs)

    @property
    def _about(self) -> str:
        return f"{self.parameter} of {self.scope.label}, {self.dataset}"

    def _draw(self, axes: Axes, **kwargs: Any) -> None:
        scope = self.scope
        draw_slice(axes, scope.configurations, scope.scores, self.parameter, scope.label, self.low, **kwargs)
        marks, texts = slice_marks(scope.configurations, scope.label)
        if len(texts) > 1:
            axes.legend(marks, texts, loc="best")
        axes.set_title(f"{scope.label}, {self.dataset}")


def _chosen_on(findings: Findings, dataset: str | None) -> list[Chosen]:
    """Return the chosen models on a data set, at least one."""
    if not findings.chosen:
        raise InputError(findings.search.name, "has no chosen model yet", f"run: tuner run {findings.search.name}")
    if dataset is not None:
        _check_known(col.DATASET, dataset, findings.datasets)
    return findings.on(dataset or findings.datasets[0])


def _searched(findings: Findings, dataset: str | None) -> str:
    if dataset is not None:
        _check_known(col.DATASET, dataset, findings.search.datasets)
    return dataset or findings.search.datasets[0]


def _scope(findings: Findings, model: str | None, dataset: str | None) -> tuple[Scope, str]:
    """Return the trials to look at, at least one, and their data set."""
    dataset = _searched(findings, dataset)
    there = scopes(findings, dataset)
    if not there:
        raise InputError(findings.search.name, f"has no completed trial on {dataset}")
    if model is None:
        return there[0], dataset
    _check_known("model", model, (scope.model for scope in there if scope.model))
    return next(scope for scope in there if scope.model == model), dataset


def _importance(scope: Scope) -> Importance | None:
    return scope.importance(lambda record: record.result.val_accuracy)


def _check_known(option: str, name: str, known: Iterable[str]) -> None:
    names = list(known)
    if name not in names:
        raise InputError(option, f"is {name!r}", suggestion(name, names))
