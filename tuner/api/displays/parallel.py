"""Parallel coordinates of the trials: a line for each, across an axis for each parameter and one for the score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from tuner.analysis.scopes import Scope
from tuner.analysis.slices import MODEL, Scale, lower_end, spread
from tuner.api.displays.base import Display
from tuner.api.displays.trials import scope_of
from tuner.api.functions import Ran, load_findings
from tuner.families import in_order
from tuner.figures.style import SEQUENTIAL, short
from tuner.space.parameters import Value
from tuner.text import setting

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Where the colours of scores begin and end on the scale: its lightest could not be seen.
_LIGHT, _DARK = 0.2, 1.0
#: Lines that pass an axis at one value stand side by side within this share of it.
_SPREAD = 0.05
#: More lines than this are drawn thin.
_FEW_LINES = 150
#: Ends of axes are compared with this tolerance.
_ROUNDING = 1e-9
#: Of an axis of many values so many are written beside it.
_TICKS = 5


@dataclass(frozen=True, eq=False)
class _Axis:
    """An axis: where each trial passes it, from 0 to 1, NaN where it has no value; where which texts stand."""

    name: str
    heights: NDArray[np.float64]
    ticks: Sequence[tuple[float, str]]


@dataclass(eq=False, repr=False)
class ParallelCoordinatesDisplay(Display):
    """Each trial as a line across its parameters to its validation score: the darker, the more trials are worse.

    A line has its trial's name as `gid`. It passes over the axis of a parameter that its model does not have. Trials
    that hardly learned end at the lower end of the score where the others would be hard to tell apart.
    """

    scope: Scope
    dataset: str
    low: float
    _size = (9, 4.2)

    @classmethod
    def from_findings(
        cls, found: Ran, *, model: str | None = None, dataset: str | None = None, ax: Axes | None = None, **kwargs: Any
    ) -> Self:
        """Draw the trials on a data set, by default all of those on the first.

        Args:
            found: what `tuner.run` returned, or a search that ran.
            model: draw the trials of this `[[search]]` alone.
            dataset: on which they were trained.
            ax: where to draw; by default into a new figure.
            kwargs: what matplotlib's lines are to have.

        Raises:
            InputError: there is no completed trial.
        """
        findings = load_findings(found)
        scope, dataset = scope_of(findings, model, dataset)
        low = lower_end(scope.scores, findings.score_at_chance(scope.records[0].trial, scope.objective))
        return cls(scope, dataset, low).plot(ax, **kwargs)

    @property
    def _about(self) -> str:
        return f"{self.scope.label}, {self.dataset}"

    def frame(self) -> pd.DataFrame:
        """Return a row for each trial: the parameters that vary, and the score."""
        return self.scope.frame()

    def _draw(self, axes: Axes, **kwargs: Any) -> None:
        from matplotlib import colormaps

        scores = np.maximum(self.scope.scores, self.low)
        drawn = [*_parameter_axes(self.scope.configurations), _numbers_axis(self.scope.objective.words, scores)]
        for place, axis in enumerate(drawn):
            _draw_axis(axes, place, axis)
        gains = scores if self.scope.objective.direction == "max" else -scores
        below = np.searchsorted(np.sort(gains), gains) / max(1, len(scores) - 1)  # the share of worse trials
        colours = colormaps[SEQUENTIAL](_LIGHT + (_DARK - _LIGHT) * below)
        few = len(scores) <= _FEW_LINES
        look = {"linewidth": 1.6 if few else 0.8, "alpha": 0.9 if few else 0.5, **kwargs}
        for trial in np.argsort(gains, kind="stable"):  # the best last, on top
            heights = np.array([axis.heights[trial] for axis in drawn])
            there = np.flatnonzero(~np.isnan(heights))
            name = self.scope.records[trial].trial.id
            axes.plot(there, heights[there], gid=name, **{"color": colours[trial], "solid_joinstyle": "round", **look})
        axes.set_xticks(range(len(drawn)), [short(axis.name) for axis in drawn])
        _turn_if_crowded(axes, [axis.name for axis in drawn])
        axes.set_xlim(-0.35, len(drawn) - 0.65)
        axes.set_ylim(-0.06, 1.06)
        axes.yaxis.set_visible(False)
        axes.grid(visible=False)
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.tick_params(axis="x", length=0)
        axes.set_title(f"{self.scope.label}, {self.dataset}: {len(scores)} trials")


def _parameter_axes(configurations: Sequence[dict[str, Value]]) -> list[_Axis]:
    """Return an axis for each parameter of which there are several values, that of the model first."""
    found = []
    names = in_order(dict.fromkeys(name for values in configurations for name in values))
    for name in sorted(names, key=lambda name: name != MODEL):
        column = [values.get(name) for values in configurations]
        scale = Scale.of(column)
        if len(scale.distinct) < 2:
            continue
        if scale.few:
            found.append(_values_axis(name, column, scale.distinct))
        else:
            numbers = np.array([np.nan if value is None else value for value in column], dtype=np.float64)
            found.append(_numbers_axis(name, numbers, scale.log))
    return found


def _values_axis(name: str, column: Sequence[Value | None], distinct: Sequence[Value]) -> _Axis:
    """Return an axis of a few values side by side; lines of one value are spread a little around it."""
    step = 1 / (len(distinct) - 1)
    order = {(type(value), value): step * place for place, value in enumerate(distinct)}
    heights = np.array([np.nan if value is None else order[type(value), value] for value in column])
    beside = spread(len(column)) * min(_SPREAD, 0.7 * step)
    return _Axis(name, heights + beside, [(step * place, setting(value)) for place, value in enumerate(distinct)])


def _numbers_axis(name: str, numbers: NDArray[np.float64], log: bool = False) -> _Axis:
    """Return an axis of numbers by their size, or by its logarithm."""
    from matplotlib.ticker import LogLocator, MaxNLocator

    low, high = float(np.nanmin(numbers)), float(np.nanmax(numbers))
    if high == low:
        return _Axis(name, np.where(np.isnan(numbers), np.nan, 0.5), [(0.5, f"{low:.4g}")])

    def height(value: Any) -> Any:
        if log:
            return np.log(value / low) / np.log(high / low)
        return (value - low) / (high - low)

    locator = LogLocator(numticks=_TICKS) if log else MaxNLocator(_TICKS)
    ticks = [(float(height(tick)), f"{tick:.4g}") for tick in locator.tick_values(low, high)]
    inside = [(place, text) for place, text in ticks if -_ROUNDING <= place <= 1 + _ROUNDING]
    return _Axis(name, height(numbers), inside if len(inside) > 1 else [(0.0, f"{low:.4g}"), (1.0, f"{high:.4g}")])


def _draw_axis(axes: Axes, place: int, axis: _Axis) -> None:
    from matplotlib import patheffects

    axes.axvline(place, color="#555555", linewidth=1.0, zorder=3)
    halo = [patheffects.withStroke(linewidth=2.5, foreground="white")]
    for height, text in axis.ticks:
        axes.plot([place - 0.012, place + 0.012], [height, height], color="#555555", linewidth=1.0, zorder=3)
        axes.annotate(
            short(text), (place, height), (-5, 0), textcoords="offset points", ha="right", va="center", fontsize=8.5,
            zorder=4, path_effects=halo,
        )  # fmt: skip


def _turn_if_crowded(axes: Axes, names: Sequence[str]) -> None:
    """Turn the names of the axes where they would run into each other."""
    if max(map(len, names)) * len(names) > 110:
        for label in axes.get_xticklabels():
            label.set(rotation=25, ha="right", rotation_mode="anchor")
