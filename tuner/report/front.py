"""What more parameters buy: the trials, and the saved models, that no other beats in both size and score."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from tuner import columns as col
from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.pareto import pareto_front
from tuner.contents.cells import number, plus_minus
from tuner.contents.sections import Content, Paragraph, Picture, Section, Table, folded_if
from tuner.families import in_order
from tuner.figures.front import FrontPoint, front_figure
from tuner.objective import ACCURACY, Objective
from tuner.report.trials import varying
from tuner.search_file.contenders import BYTES_A_WEIGHT
from tuner.text import escape, setting
from tuner.trial import Record

#: A longer table of a front is folded away.
_LONG = 12


def front_section(findings: Findings) -> Section | None:
    """Tell which trials no smaller one equals, and which saved models, where sizes differ at all."""
    contents: list[Content] = []
    frames = []
    for dataset in findings.search.datasets:
        records = _trials(findings, dataset)
        if len({record.result.parameters for record in records}) < 2:
            continue
        front = _front(findings, records)
        contents += _trials_on(findings, dataset, records, front)
        frames.append(_frame(findings, dataset, front))
    contents += _models(findings)
    if not contents:
        return None
    contents.append(Paragraph("How fast the saved models are stands in [Time](#time)."))
    if not frames:
        return Section("front", "Size and score", contents)
    contents.append(Paragraph("Every trial on the front: [front.csv](front.csv)."))
    return Section("front", "Size and score", contents, {"front.csv": pd.concat(frames, ignore_index=True)})


def _trials(findings: Findings, dataset: str) -> list[Record]:
    """Return the completed trials on a data set whose size and score are known."""
    objective = findings.search.objective
    return [
        record
        for record in findings.whole_trials(None, dataset)
        if record.result.parameters and objective.of(record.result) is not None
    ]


def _front(findings: Findings, records: Sequence[Record]) -> list[Record]:
    """Return the trials on the front, the smallest first; of equal ones all."""
    gains = [findings.search.objective.gain_of(record.result) for record in records]
    on_front = pareto_front([float(record.result.parameters or 0) for record in records], gains)
    front = [record for record, on in zip(records, on_front, strict=True) if on]
    return sorted(front, key=lambda record: (record.result.parameters or 0, record.trial.id))


def _trials_on(findings: Findings, dataset: str, records: Sequence[Record], front: Sequence[Record]) -> list[Content]:
    search, objective = findings.search, findings.search.objective
    of_label: dict[str, list[Record]] = {}
    for record in records:
        of_label.setdefault(_label(findings, record), []).append(record)
    names = {label: in_order(varying(mine)) for label, mine in of_label.items()}
    rows = [
        [
            escape(_label(findings, record)),
            record.trial.id[:8],
            escape(_settings(record, names[_label(findings, record)])),
            f"{record.result.parameters:,}",
            number(_megabytes(record), 3),
            number(objective.of(record.result)),
        ]
        for record in front
    ]
    where = escape(dataset)
    lead = f"Trials on {where} that no smaller one equals in {escape(objective.label)} on {search.validates_on}"
    heads = ["model", "trial", "what differs", "parameters", "weights, MB", escape(objective.label)]
    table = Table(rows, heads, text_columns=3, lead=lead)
    known = {record.trial.id for record in front}
    numbers = {one.label: search.number(one.name) for one in search.model_searches}
    points = [
        FrontPoint(
            _label(findings, record),
            record.result.parameters or 0,
            objective.of(record.result) or 0.0,
            record.trial.id in known,
            numbers[_label(findings, record)],
        )
        for record in records
    ]
    file = f"front-{search.slugs[dataset]}.png"
    caption = f"The trials on {dataset}: {objective.words} against the number of parameters. The line joins the front."
    picture = Picture("front", file, caption, partial(front_figure, points, objective.words))
    return [*folded_if(len(rows) > _LONG, f"The {len(rows)} trials on the front", table), picture]


def _settings(record: Record, names: Sequence[str]) -> str:
    """Return the values of those parameters that differ among the trials of its model."""
    return ", ".join(f"{name} {setting(record.trial.values[name])}" for name in names if name in record.trial.values)


def _label(findings: Findings, record: Record) -> str:
    """Return the label of the model that a search trial is of."""
    return findings.once(_labels)[record.trial.id]


def _labels(findings: Findings) -> dict[str, str]:
    labels = {one.name: one.label for one in findings.search.model_searches}
    return {one.trial: labels[one.model] for one, _ in findings.search_trials if one.role == "search"}


def _megabytes(record: Record) -> float:
    return BYTES_A_WEIGHT * (record.result.parameters or 0) / 1e6


def _models(findings: Findings) -> list[Content]:
    """Return the saved models by size, where there are several of a data set."""
    rows = []
    objective = _compared_by(findings)
    for dataset in findings.datasets:
        models = sorted(findings.on(dataset), key=lambda chosen: (chosen.saved.result.parameters or 0, chosen.model))
        if len(models) < 2:
            continue
        gains = _gains(models, objective)
        by_count = pareto_front([float(one.saved.result.parameters or 0) for one in models], gains)
        by_file = pareto_front([one.told_megabytes for one in models], gains)
        for chosen, count, file in zip(models, by_count, by_file, strict=True):
            rows.append(
                [
                    escape(chosen.label),
                    escape(dataset),
                    f"{chosen.saved.result.parameters:,}",
                    number(chosen.told_megabytes, 3),
                    plus_minus(chosen.mean, chosen.sd),
                    *([] if objective is ACCURACY else [plus_minus(*chosen.mean_and_sd(objective))]),
                    "yes" if count else "no",
                    "yes" if file else "no",
                ]
            )
    if not rows:
        return []
    other = [] if objective is ACCURACY else [f"mean test {escape(objective.label)} ± sd"]
    scores = ["mean test accuracy ± sd", *other]
    heads = ["model", "data set", "parameters", "file, MB", *scores, "front by parameters", "by file"]
    both = f"size and {escape(objective.label)}" if other else "both"
    lead = f"The saved models by size; on the front is one that no other of its data set beats in {both}"
    return [Table(rows, heads, text_columns=2, lead=lead)]


def _compared_by(findings: Findings) -> Objective:
    """Return what saved models are compared by: the objective, where it is one that scores all of them, else accuracy.

    A user's own may not be there any more, and of several objectives none compares all models.
    """
    objective = findings.search.objective
    alone = len(findings.search.objectives) == 1
    scored = alone and not any(np.isnan(chosen.by(objective)).any() for chosen in findings.chosen)
    return objective if scored else ACCURACY


def _gains(models: Sequence[Chosen], objective: Objective) -> list[float]:
    """Return of each model by how much it is good in what is compared, its mean test score where more is better."""
    if objective is ACCURACY:
        return [chosen.mean for chosen in models]
    return [objective.gain(chosen.mean_and_sd(objective)[0]) for chosen in models]


def _frame(findings: Findings, dataset: str, front: Sequence[Record]) -> pd.DataFrame:
    objective = findings.search.objective
    return pd.DataFrame(
        {
            col.DATASET: dataset,
            col.MODEL: _label(findings, record),
            col.TRIAL: record.trial.id,
            col.PARAMETERS: record.result.parameters,
            "weights_megabytes": _megabytes(record),
            objective.column: objective.of(record.result),
        }
        for record in front
    )
