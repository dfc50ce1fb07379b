"""Which parameters matter for the score, and the scores by their values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tuner import columns as col
from tuner.analysis.findings import Findings
from tuner.analysis.importance import LEAST_SHARE
from tuner.analysis.scopes import Scope, scopes
from tuner.figures.slices import lower_end, slices_caption, slices_figure
from tuner.report.base import Section, escape, picture
from tuner.report.shares import bars_caption, bars_figure, shares_frame, shares_table

#: What the label of a scope ends with that leaves out trials near chance.
_LEARNED = "that learned"
_SCORE = "validation accuracy"


def importance_section(findings: Findings) -> Section | None:
    """Say which parameters matter for the score, where there are trials enough to tell."""
    figures: dict[str, Figure] = {}
    parts, frames = [], []
    for dataset in findings.search.datasets:
        found = [
            (scope, result)
            for scope in _with_those_that_learned(findings, scopes(findings, dataset))
            if (result := scope.importance(lambda record: record.result.val_accuracy))
        ]
        if not found:
            continue
        slug = findings.search.slugs[dataset]
        text = f"On {escape(dataset)}:\n\n" + shares_table(found, _SCORE)
        if any(scope.label.endswith(_LEARNED) for scope, _ in found):
            text += f"\n\nThose {_LEARNED} are without the trials that ended nearer to chance than to the best score."
        parts.append(text)
        name = f"importance-{slug}.png"
        figures[name] = bars_figure(found, _SCORE)
        parts.append(picture(name, bars_caption(dataset, found, _SCORE)))
        scope, result = found[0]
        name = f"slices-{slug}.png"
        parameters = [name for effect in result.effects for name in effect.parameters]
        chance = findings.chance(scope.records[0].trial)
        figures[name], below = slices_figure(scope.configurations, scope.scores, parameters, scope.label, chance)
        parts.append(picture(name, slices_caption(dataset, below)))
        frames.append(shares_frame(dataset, found, col.VAL_ACCURACY))
    if not parts:
        return None
    text = "\n\n".join([_explanation(findings), *parts, "Every parameter: [importance.csv](importance.csv)."])
    return Section(
        "importance", "What matters", text, figures, {"importance.csv": pd.concat(frames, ignore_index=True)}
    )


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
    those = replace(whole, label=label, records=tuple(records), configurations=tuple(configurations))
    return [whole, those, *looked_at[1:]]


def _explanation(findings: Findings) -> str:
    text = (
        "How much of the variation between trials each parameter has a part in, alone or together with others, with "
        "its 95 % interval; the shares of parameters that act together overlap. Named is what stands out: an interval "
        f"above 0 and a share of {100 * LEAST_SHARE:.0f} % or more. Parameters "
        "that go together in these trials, by a rule or by how they were drawn, are named as tied: no trial tells them "
        "apart, and the share is of all of them. R² is how much of the variation all parameters together explain in "
        "trials that the estimate has not "
        "seen; 0 or less means that they explain nothing. Trials too few to tell, or all alike, are left out."
    )
    guided = [model_search.label for model_search in findings.search.model_searches if model_search.algorithm.learns]
    if guided:
        text += (
            f" The trials of {escape(', '.join(guided))} were not drawn evenly but where scores promised to be good; "
            "the shares hold for the trials as they are."
        )
    return text
