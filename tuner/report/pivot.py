"""Pivot tables: the best score for each pair of values of two search parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from tuner import columns as col
from tuner.analysis.findings import Findings
from tuner.contents.cells import DASH, with_mark
from tuner.contents.sections import Content, Paragraph, Section, Table
from tuner.ledger.ledger import SearchTrial
from tuner.protocol import ranked
from tuner.report.trials import varying
from tuner.space.parameters import Value
from tuner.text import escape, setting
from tuner.trial import Record

_Pairs = Sequence[tuple[SearchTrial, Record]]
#: A table of more rows or columns than this says less than the table of trials does.
_MOST_VALUES = 12


def pivot_section(findings: Findings) -> Section | None:
    """Show the pivots that the search file names, or the one that two varying parameters give by themselves."""
    contents: list[Content] = []
    frames = []
    objective, on = findings.search.objective, findings.search.validates_on
    for dataset in findings.search.datasets:
        pairs = [
            (search_trial, record)
            for search_trial, record in findings.search_trials
            if search_trial.role == "search" and search_trial.dataset == dataset
        ]
        for rows, columns in findings.search.report.pivots or _by_itself(pairs):
            frame = pivot_frame(findings, pairs, rows, columns)
            if frame.empty:
                continue
            frames.append(frame.assign(**{col.DATASET: dataset}))
            lead = f"**{escape(rows)} by {escape(columns)} on {escape(dataset)}**, {escape(objective.label)} on {on}"
            contents += _pivot(findings, frame, rows, columns, lead)
    if not contents:
        return None
    every = pd.concat(frames, ignore_index=True)
    if any("†" in cell for one in contents if isinstance(one, Table) for row in one.cells for cell in row[1:]):
        told = "† never left chance: no better than always naming the largest class, within three standard errors."
        contents.append(Paragraph(told))
    contents.append(Paragraph("Every cell: [pivot.csv](pivot.csv)."))
    return Section("pivot", "Score by parameter", contents, {"pivot.csv": every})


def _by_itself(pairs: _Pairs) -> list[list[str]]:
    """Return the pair of parameters that alone vary, the model counting as one; nothing where more or fewer do."""
    records: dict[str, list[Record]] = {}
    for search_trial, record in pairs:
        records.setdefault(search_trial.model, []).append(record)
    names = [varying(mine) for mine in records.values()]
    if len(names) == 1 and len(names[0]) == 2:
        values = [{record.trial.values.get(name) for _, record in pairs} for name in names[0]]
        return names if max(map(len, values)) <= _MOST_VALUES else []
    if len(names) > 1 and len(names[0]) == 1 and all(each == names[0] for each in names):
        return [["model", names[0][0]]]
    return []


def pivot_frame(findings: Findings, pairs: _Pairs, rows: str, columns: str) -> pd.DataFrame:
    """Return a row per pair of values: both values, the best trial and its score, trials, failures, stuck or not."""
    found, objective = [], findings.search.objective
    cells: dict[tuple[Value, Value], list[Record]] = {}
    for search_trial, record in pairs:
        values = {**record.trial.values, "model": search_trial.model}
        if rows in values and columns in values:
            cells.setdefault((values[rows], values[columns]), []).append(record)
    for (row, column), records in cells.items():
        best = next(iter(ranked(records, objective)), None)
        found.append(
            {
                rows: row,
                columns: column,
                objective.column: objective.of(best.result) if best else None,
                col.TRIAL: best.trial.id if best else None,
                col.TRIALS: len(records),
                col.FAILED: sum(not record.completed for record in records),
                col.STUCK: findings.stuck_at_chance(best) if best else False,
            }
        )
    return pd.DataFrame(found)


def _pivot(findings: Findings, frame: pd.DataFrame, rows: str, columns: str, lead: str) -> list[Content]:
    labels = {model_search.name: model_search.label for model_search in findings.search.model_searches}

    def values_of(name: str) -> list[Value]:
        seen = list(dict.fromkeys(frame[name]))
        if name == "model":
            return sorted(seen, key=list(labels).index)
        return sorted(seen) if len({type(value) for value in seen}) == 1 else seen

    def text_of(name: str, value: Value) -> str:
        return escape(labels[str(value)] if name == "model" else setting(value))

    cells = {(r[rows], r[columns]): r for r in frame.to_dict("records")}
    down, across = values_of(rows), values_of(columns)
    body = [
        [
            text_of(rows, row),
            *[_cell(cells.get((row, column)), findings.search.objective.column) for column in across[:_MOST_VALUES]],
        ]
        for row in down[:_MOST_VALUES]
    ]
    heads = [text_of(columns, column) for column in across[:_MOST_VALUES]]
    cut = [
        f"the first {_MOST_VALUES} of {len(values)} values of {escape(name)}"
        for name, values in ((rows, down), (columns, across))
        if len(values) > _MOST_VALUES
    ]
    notes = [f"Shown are {' and '.join(cut)}."] if cut else []
    if any(cell == DASH for row in body for cell in row[1:]):
        notes.append(f"{DASH} no trial has these values.")
    return [Table(body, [f"{escape(rows)} ╲ {escape(columns)}", *heads], lead=lead), *map(Paragraph, notes)]


def _cell(cell: dict[Any, Any] | None, column: str) -> str:
    if cell is None:
        return DASH
    score = cell[column]
    if not isinstance(score, float) or pd.isna(score):
        return "failed"
    completed = cell[col.TRIALS] - cell[col.FAILED]
    several = f" (best of {completed})" if completed > 1 else ""
    return with_mark(score, cell[col.STUCK]) + several
