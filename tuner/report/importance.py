"""Which parameters matter for the score and which for the time, and the scores by their values."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from tuner import columns as col
from tuner.findings import Findings
from tuner.importance import LEAST_SHARE, Effect, Importance, importance, varying_parameters
from tuner.parameters import Value
from tuner.report.base import DASH, Section, escape, number, picture, table
from tuner.report.slices import MODEL, lower_end, slices_caption, slices_figure
from tuner.report.style import colour, new_figure
from tuner.search import Entry
from tuner.trial import Record

#: What the label of a scope ends with that leaves out trials near chance.
_LEARNED = "that learned"
#: So many bars at most in a panel; all stand in importance.csv.
_BARS = 10


@dataclass(frozen=True, eq=False)
class Scope:
    """Trials that are looked at together: those of an entry, or of all, where the model is a parameter too.

    `configurations` holds of each trial the parameters that vary, `parents` for each parameter those that decide
    whether a trial has it; `model` is the entry's name, empty for all entries.
    """

    model: str
    label: str
    records: tuple[Record, ...]
    configurations: tuple[dict[str, Value], ...]
    parents: dict[str, list[str]]

    @property
    def scores(self) -> NDArray[np.float64]:
        """The validation accuracy of each trial, `(trials,)`."""
        return np.array([record.result.val_accuracy or 0.0 for record in self.records])

    def importance(self, measure: Callable[[Record], float | None]) -> Importance | None:
        """Return what matters for a measure of the trials, leaving out those that lack it."""
        values = [measure(record) for record in self.records]
        known = [(c, v) for c, v in zip(self.configurations, values, strict=True) if v is not None]
        return importance([c for c, _ in known], [v for _, v in known], self.parents)


@dataclass(frozen=True, eq=False)
class _Target:
    """Something that parameters may matter for: its column, how text calls it, and its measure of a trial."""

    column: str
    words: str
    measure: Callable[[Record], float | None]


def _log_time(record: Record) -> float | None:
    """Return the logarithm of the seconds per epoch: parameters multiply the time rather than add to it."""
    seconds = record.result.seconds_per_epoch
    return math.log(seconds) if seconds else None


#: What was found of each scope, a result per target.
_Found = Sequence[tuple[Scope, Sequence[Importance | None]]]

TARGETS = (
    _Target(col.VAL_ACCURACY, "validation accuracy", lambda record: record.result.val_accuracy),
    _Target(col.SECONDS_PER_EPOCH, "time per epoch", _log_time),
)


def scopes(findings: Findings, dataset: str) -> list[Scope]:
    """Return what is looked at together on a data set: all entries, where there are several, then each of them."""
    single = [_scope_of(entry, findings.trials(entry.name, dataset)) for entry in findings.search.entries]
    single = [scope for scope in single if scope.records]
    if len(single) < 2:
        return single
    # What does not vary within an entry is its model's doing, and what varies in some entries only is theirs.
    names = dict.fromkeys(name for scope in single for values in scope.configurations for name in values)
    parents: dict[str, list[str]] = {}
    for name in names:
        above = {parent for scope in single for parent in scope.parents.get(name, [])}
        everywhere = all(any(name in values for values in scope.configurations) for scope in single)
        parents[name] = [*sorted(above), *([] if everywhere else [MODEL])]
    configurations = [{MODEL: scope.label, **values} for scope in single for values in scope.configurations]
    records = tuple(record for scope in single for record in scope.records)
    return [Scope("", "all models", records, tuple(configurations), parents), *single]


def _scope_of(entry: Entry, records: Sequence[Record]) -> Scope:
    completed = tuple(record for record in records if record.completed)
    parents = {p.name: [p.when[0]] for p in entry.space.parameters if p.when is not None}
    values = [_values(record) for record in completed]
    names = varying_parameters(values, parents)
    return Scope(
        entry.name,
        entry.label,
        completed,
        tuple({name: v[name] for name in names if name in v} for v in values),
        parents,
    )


def _values(record: Record) -> dict[str, Value]:
    """Return a trial's parameters and its number of epochs, which Hyperband varies too."""
    return {**record.trial.values, col.EPOCHS: record.trial.epochs}


def _with_those_that_learned(findings: Findings, looked_at: list[Scope]) -> list[Scope]:
    """Add, after the first scope, its trials that left chance, where a few did not: these outweigh all else."""
    if not looked_at:
        return []
    whole = looked_at[0]
    y = whole.scores
    learned = y >= lower_end(y, findings.chance(whole.records[0].trial))
    if learned.all():
        return looked_at
    kept = np.flatnonzero(learned).tolist()
    records, configurations = [whole.records[k] for k in kept], [whole.configurations[k] for k in kept]
    label = f"{whole.label} {_LEARNED}"
    return [whole, Scope(whole.model, label, tuple(records), tuple(configurations), whole.parents), *looked_at[1:]]


def importance_section(findings: Findings) -> Section | None:
    """Say which parameters matter for the score and for the time, where there are trials enough to tell."""
    figures: dict[str, Figure] = {}
    parts, frames = [], []
    for dataset in findings.search.datasets:
        found = [
            (scope, results)
            for scope in _with_those_that_learned(findings, scopes(findings, dataset))
            if any(results := [scope.importance(target.measure) for target in TARGETS])
        ]
        if not found:
            continue
        slug = findings.search.slugs[dataset]
        rows = [
            [escape(scope.label), str(len(scope.records)), *[cell for result in results for cell in _cells(result)]]
            for scope, results in found
        ]
        heads = ["trials of", "", *[cell for target in TARGETS for cell in (f"matters for the {target.words}", "R²")]]
        text = f"On {escape(dataset)}:\n\n" + table(rows, heads, text_columns=len(heads))
        if any(scope.label.endswith(_LEARNED) for scope, _ in found):
            text += f"\n\nThose {_LEARNED} are without the trials that ended nearer to chance than to the best score."
        parts.append(text)
        name = f"importance-{slug}.png"
        figures[name] = _bars_figure(found)
        parts.append(picture(name, _bars_caption(dataset, found)))
        scored = [(scope, score) for scope, (score, _) in found if score is not None]
        if scored:
            scope, score = scored[0]
            name = f"slices-{slug}.png"
            parameters = [effect.parameters[0] for effect in score.effects]
            chance = findings.chance(scope.records[0].trial)
            figures[name], below = slices_figure(scope.configurations, scope.scores, parameters, scope.label, chance)
            parts.append(picture(name, slices_caption(dataset, below)))
        frames += [_frame(dataset, scope, results) for scope, results in found]
    if not parts:
        return None
    text = "\n\n".join([_explanation(findings), *parts, "Every parameter: [importance.csv](importance.csv)."])
    return Section("What matters", text, figures, {"importance.csv": pd.concat(frames, ignore_index=True)})


def _explanation(findings: Findings) -> str:
    text = (
        "How much of the variation between trials each parameter has a part in, alone or together with others, with "
        "its 95 % interval; the shares of parameters that act together overlap. Named is what stands out: an interval "
        f"above 0 and a share of {100 * LEAST_SHARE:.0f} % or more. What has no part in it comes out near 0, above or "
        "below. R² is how much of the variation all parameters together explain in trials that the estimate has not "
        "seen; 0 or less means that they explain nothing. Times count by their logarithm."
    )
    guided = [entry.label for entry in findings.search.entries if entry.algorithm in ("bayesian", "hyperband")]
    if guided:
        text += (
            f" The trials of {escape(', '.join(guided))} were not drawn evenly but where scores promised to be good; "
            "the shares hold for the trials as they are."
        )
    return text


def _cells(result: Importance | None) -> list[str]:
    if result is None:
        return ["too few trials to tell, or all alike", DASH]
    told = [f"{escape(effect.parameters[0])} {_percent(effect)}" for effect in result.outstanding]
    both = result.outstanding_interaction
    if both is not None:
        told.append(f"of that {escape(' × '.join(both.parameters))} only together {_percent(both)}")
    return ["; ".join(told) or "nothing stands out", number(result.explained, 2)]


def _percent(effect: Effect) -> str:
    low, high = 100 * effect.interval.low, 100 * effect.interval.high
    lower = f"{low:.0f}" if abs(low) >= 1 else f"{low:.1g}"  # what is above 0 is not written as 0
    return f"{100 * effect.share:.0f} % ({lower} to {high:.0f})"


def _frame(dataset: str, scope: Scope, results: Sequence[Importance | None]) -> pd.DataFrame:
    """Return a row per target and parameter, and one for the strongest interaction; no model is all of them."""
    return pd.DataFrame(
        [
            {
                col.DATASET: dataset,
                col.MODEL: scope.model,
                "trials_of": scope.label,
                "target": target.column,
                col.TRIALS: result.trials,
                "r2_unseen": result.explained,
                "parameter": effect.parameters[0],
                "together_with": effect.parameters[1] if len(effect.parameters) > 1 else "",
                "share": effect.share,
                col.INTERVAL_LOW: effect.interval.low,
                col.INTERVAL_HIGH: effect.interval.high,
            }
            for target, result in zip(TARGETS, results, strict=True)
            if result is not None
            for effect in (*result.effects, *([result.interaction] if result.interaction else []))
        ]
    )


def _bars_caption(dataset: str, found: _Found) -> str:
    text = f"What the trials on {dataset} differ by, with 95 % intervals; blue stands out and grey does not"
    if any(result is not None and result.outstanding_interaction for _, results in found for result in results):
        text += "; orange is what two parameters have a part in only together"
    return text


def _bars_figure(found: _Found) -> Figure:
    """Draw the shares as bars, a row of panels for each scope: score on the left, time on the right."""
    heights = [0.95 + 0.27 * max(len(_bars(result)) for result in results) for _, results in found]
    figure = new_figure(9.5, sum(heights))
    grid = figure.subplots(len(found), len(TARGETS), squeeze=False, gridspec_kw={"height_ratios": heights})
    every = [effect.interval for _, results in found for result in results for effect in _bars(result)]
    low, high = max(-0.2, min(-0.03, *(i.low for i in every))), max(1.0, *(i.high for i in every))
    for row, (scope, results) in zip(grid, found, strict=True):
        for axes, target, result in zip(row, TARGETS, results, strict=True):
            axes.set_title(f"{target.words.capitalize()}, {scope.label}")
            if result is None:
                axes.set_axis_off()
                axes.text(0, 0.8, "too few trials to tell, or all alike", transform=axes.transAxes, color="#555555")
            else:
                _draw_bars(axes, result)
                axes.set_xlim(100 * low, 100 * min(high, 1.5))
    return figure


def _bars(result: Importance | None) -> list[Effect]:
    if result is None:
        return []
    both = result.outstanding_interaction
    return [*result.effects[:_BARS], *([both] if both else [])]


def _draw_bars(axes: Axes, result: Importance) -> None:
    bars = _bars(result)
    outstanding = [*result.outstanding, result.outstanding_interaction]
    for place, effect in enumerate(bars):
        share, low, high = (100 * x for x in (effect.share, effect.interval.low, effect.interval.high))
        ink = "#c4cdd4" if effect not in outstanding else colour(1 if len(effect.parameters) > 1 else 0)
        axes.barh(place, share, 0.62, color=ink)
        axes.plot([low, high], [place, place], color="#222222", linewidth=1.2, solid_capstyle="butt")
        axes.plot([low, high], [place, place], color="#222222", linestyle="none", marker="|", markersize=5)
    names = [" ×\n".join(effect.parameters) for effect in bars]
    axes.set_yticks(range(len(bars)), names, fontsize=9)
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.axvline(0, color="#555555", linewidth=0.8)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.set_xlabel("share of the variation (%)")
    axes.set_ylabel("parameter")
