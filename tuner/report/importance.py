"""Which parameters matter for the score, and the scores by their values."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from tuner.analysis.findings import Findings
from tuner.analysis.importance import LEAST_SHARE, Importance
from tuner.analysis.scopes import Scope, scopes
from tuner.analysis.shares import shares_frame
from tuner.analysis.slices import lower_end
from tuner.contents.sections import Content, Paragraph, Picture, Section
from tuner.figures.slices import slices_caption, slices_figure
from tuner.objective import Objective
from tuner.report.shares import bars_picture, shares_table
from tuner.text import escape

#: What the label of a scope ends with that leaves out trials near chance.
_LEARNED = "that learned"


def importance_section(findings: Findings) -> Section | None:
    """Say which parameters matter for the score, where there are trials enough to tell."""
    contents: list[Content] = []
    frames = []
    for dataset in findings.search.datasets:
        found = [
            (scope, result)
            for scope in _with_those_that_learned(findings, scopes(findings, dataset))
            if (result := scope.importance(scope.score_of))
        ]
        if not found:
            continue
        slug = findings.search.slugs[dataset]
        by_objective: dict[Objective, list[tuple[Scope, Importance]]] = {}
        for scope, result in found:
            by_objective.setdefault(scope.objective, []).append((scope, result))
        for objective, those in by_objective.items():
            contents.append(shares_table(those, objective.words, f"On {escape(dataset)}"))
            frames.append(shares_frame(dataset, those, objective.column))
        if any(scope.label.endswith(_LEARNED) for scope, _ in found):
            told = f"Those {_LEARNED} are without the trials that ended nearer to chance than to the best score."
            contents.append(Paragraph(told))
        for number, (objective, those) in enumerate(by_objective.items(), start=1):
            name = slug if number == 1 else f"{slug}-{number}"
            contents.append(bars_picture("importance", name, dataset, those, objective.words))
        scope, result = found[0]
        parameters = [name for effect in result.effects for name in effect.parameters]
        low = lower_end(scope.scores, findings.score_at_chance(scope.records[0].trial, scope.objective))
        words = scope.objective.words
        labels = [contender.label for contender in findings.search.contenders]
        draw = partial(slices_figure, scope.configurations, scope.scores, parameters, scope.label, low, words, labels)
        caption = slices_caption(dataset, int((scope.scores < low).sum()))
        contents.append(Picture("slices", f"slices-{slug}.png", caption, draw))
    if not contents:
        return None
    every = Paragraph("Every parameter: [importance.csv](importance.csv).")
    tables = {"importance.csv": pd.concat(frames, ignore_index=True)}
    return Section("importance", "What matters", [Paragraph(_explanation(findings)), *contents, every], tables)


def _with_those_that_learned(findings: Findings, looked_at: list[Scope]) -> list[Scope]:
    """Add, after the first scope, its trials that left chance, where a few did not: these outweigh all else."""
    if not looked_at:
        return []
    whole = looked_at[0]
    y = whole.scores
    learned = y >= lower_end(y, findings.score_at_chance(whole.records[0].trial, whole.objective))
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
