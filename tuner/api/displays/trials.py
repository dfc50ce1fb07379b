"""Displays of the trials: how they learned, and what matters for their scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from tuner import columns as col
from tuner.analysis.findings import Findings
from tuner.analysis.importance import Importance
from tuner.analysis.learning import LearningCurve, curves_frame, metrics_of
from tuner.analysis.scopes import Scope, scopes
from tuner.analysis.shares import shares_frame
from tuner.analysis.slices import lower_end
from tuner.api.chosen import check_known
from tuner.api.displays.base import Display
from tuner.api.functions import Ran, load_findings
from tuner.errors import InputError
from tuner.figures.bars import draw_bars
from tuner.figures.curves import draw_metric, kind_marks, model_marks
from tuner.figures.slices import draw_slice
from tuner.figures.slices import model_marks as slice_marks

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(eq=False, repr=False)
class LearningCurvesDisplay(Display):
    """Accuracy or loss by epoch of the best trial of each model on a data set, training (thin) and validation."""

    trials: Sequence[LearningCurve]
    dataset: str
    metric: str = "accuracy"
    words: str = ""

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
            metric: "accuracy", "loss", "unpenalised_loss", which is the loss without penalties such as L2, or the
                name of what the search chooses by.
            ax: where to draw; by default into a new figure.
            kwargs: as `plot` takes them.

        Raises:
            InputError: there is no completed trial on it, or no such metric, or none that these trials recorded.
        """
        findings = load_findings(found)
        metrics = metrics_of(findings.search.objective)
        check_known("metric", metric, metrics)
        dataset = _searched(findings, dataset)
        number = findings.search.number
        shown = [
            LearningCurve.of(search.label, dataset, record, number(search.name))
            for search, record in findings.best_trials(dataset)
        ]
        if not shown:
            raise InputError(findings.search.name, f"has no completed trial on {dataset}")
        if not any(f"val_{metric}" in curve.history for curve in shown):
            problem = f"its trials on {dataset} were trained by a version that did not record {metric}"
            raise InputError(findings.search.name, problem, "choose another metric")
        return cls(shown, dataset, metric, metrics[metric]).plot(ax, **kwargs)

    @property
    def _about(self) -> str:
        return f"{self.metric} of {', '.join(curve.label for curve in self.trials)}, {self.dataset}"

    def frame(self) -> pd.DataFrame:
        """Return every metric after each epoch of each trial, a row for each."""
        return curves_frame(self.trials)

    def _draw(self, axes: Axes, **kwargs: Any) -> None:
        draw_metric(axes, self.trials, self.metric, self.words or self.metric, **kwargs)
        (lines, labels), (more_lines, more_labels) = model_marks(self.trials), kind_marks()
        axes.legend(lines + more_lines, labels + more_labels, loc="best")
        words = self.words or self.metric
        axes.set_title(f"{words[:1].upper()}{words[1:]}, {self.dataset}")


@dataclass(eq=False, repr=False)
class ImportanceDisplay(Display):
    """How much of the variation of the validation score each parameter has a part in, with 95 % intervals.

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
        scope, dataset = scope_of(findings, model, dataset)
        importance = _importance(scope)
        if importance is None:
            problem = f"has too few trials of {scope.label} on {dataset}, or too much alike, to tell what matters"
            raise InputError(findings.search.name, problem)
        return cls(scope, importance, dataset).plot(ax, **kwargs)

    @property
    def _about(self) -> str:
        return f"{self.scope.label}, {self.dataset}"

    def frame(self) -> pd.DataFrame:
        """Return a row for each parameter, and one for the strongest interaction, with shares and intervals."""
        return shares_frame(self.dataset, [(self.scope, self.importance)], self.scope.objective.column)

    def _draw(self, axes: Axes, **kwargs: Any) -> None:
        draw_bars(axes, self.importance, self.scope.objective.words, **kwargs)
        axes.set_title(f"{self.scope.label}, {self.dataset}")


@dataclass(eq=False, repr=False)
class SliceDisplay(Display):
    """The validation score of each trial by its value of one parameter; lines are medians.

    Trials that hardly learned are triangles at the lower edge where the others would be hard to tell apart.
    """

    scope: Scope
    parameter: str
    dataset: str
    low: float
    labels: Sequence[str] = ()

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
        scope, dataset = scope_of(findings, model, dataset)
        varying = list(dict.fromkeys(name for values in scope.configurations for name in values))
        if parameter is None and varying:
            importance = _importance(scope)
            parameter = importance.effects[0].parameters[0] if importance else varying[0]
        check_known("parameter", parameter or "", varying)
        low = lower_end(scope.scores, findings.score_at_chance(scope.records[0].trial, scope.objective))
        labels = [contender.label for contender in findings.search.contenders]
        return cls(scope, str(parameter), dataset, low, labels).plot(ax, **kwargs)

    @property
    def _about(self) -> str:
        return f"{self.parameter} of {self.scope.label}, {self.dataset}"

    def frame(self) -> pd.DataFrame:
        """Return score and value of each trial that has the parameter, and its model where there are several."""
        frame = self.scope.frame()
        shown = dict.fromkeys((col.TRIAL, col.MODEL, self.parameter, self.scope.objective.column))
        return frame.dropna(subset=[self.parameter])[[name for name in shown if name in frame]]

    def _draw(self, axes: Axes, **kwargs: Any) -> None:
        scope = self.scope
        draw_slice(
            axes,
            scope.configurations,
            scope.scores,
            self.parameter,
            scope.label,
            self.low,
            scope.objective.words,
            self.labels,
            **kwargs,
        )
        marks, texts = slice_marks(scope.configurations, scope.label, self.labels)
        if len(texts) > 1:
            axes.legend(marks, texts, loc="best")
        axes.set_title(f"{scope.label}, {self.dataset}")


def _searched(findings: Findings, dataset: str | None) -> str:
    if dataset is not None:
        check_known(col.DATASET, dataset, findings.search.datasets)
    return dataset or findings.search.datasets[0]


def scope_of(findings: Findings, model: str | None, dataset: str | None) -> tuple[Scope, str]:
    """Return the trials to look at, at least one, and their data set."""
    dataset = _searched(findings, dataset)
    there = scopes(findings, dataset)
    if not there:
        raise InputError(findings.search.name, f"has no completed trial on {dataset}")
    if model is None:
        return there[0], dataset
    check_known("model", model, (scope.model for scope in there if scope.model))
    return next(scope for scope in there if scope.model == model), dataset


def _importance(scope: Scope) -> Importance | None:
    return scope.importance(scope.score_of)
