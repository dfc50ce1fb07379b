"""What the page draws: the trials, what matters, curves and scores, all of it from findings and tables of the report.

Nothing here was measured by a clock; that is in `clock.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

import pandas as pd

from tuner import columns as col
from tuner.analysis.confusion import ConfusionMatrix
from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.learning import LearningCurve
from tuner.analysis.pareto import pareto_front
from tuner.analysis.penalties import any_penalised
from tuner.analysis.roc import RocCurves
from tuner.analysis.scopes import scopes
from tuner.analysis.slices import MODEL, Slice, lower_end
from tuner.families import in_order
from tuner.objective import Objective
from tuner.page.histories import histories
from tuner.page.numbers import plain, records, short
from tuner.page.thresholds import THRESHOLDS, thresholds
from tuner.protocol import ranked
from tuner.search_file.model_search import ModelSearch
from tuner.space.parameters import Range

Tables = Mapping[str, pd.DataFrame]
#: Learning curves are shown of so many of the best trials.
BEST = 5
#: What trials.csv holds of every trial beside its parameters, as far as the page shows it.
_SHOWN = (
    col.TRIAL, col.MODEL, col.DATASET, col.STATUS, col.EPOCHS, col.STOPPED, col.PARAMETERS, col.VAL_LOSS,
    col.VAL_UNPENALISED_LOSS, col.VAL_ACCURACY, col.STANDARD_ERROR,
)  # fmt: skip


def page_data(findings: Findings, tables: Tables) -> dict[str, Any]:
    """Return all that the page draws of a search but for what a clock measured."""
    curves = _curves(findings)
    return {
        "search": plain(findings.search.name),
        "validates_on": findings.search.validates_on,
        "objective": _objective(findings.search.objective),
        "models": [{"name": contender.name, "label": plain(contender.label)} for contender in findings.search.rows],
        "datasets": plain(list(findings.search.all_datasets)),
        "trials": _trials(findings, tables),
        "importance": importance_groups(_of_scores(findings, tables)),
        "slices": _slices(findings, tables),
        "curves": curves,
        "histories": histories(findings, curves),
        "chosen": [_chosen(chosen, tables) for chosen in findings.chosen],
        "thresholds": THRESHOLDS,
        "fronts": _fronts(findings),
        "file_fronts": _file_fronts(findings),
    }


def _objective(objective: Objective) -> dict[str, Any]:
    """Return how the page calls what trials are chosen by, and the ends between which it lies."""
    return {
        "name": objective.name,
        "column": objective.column,
        "label": objective.label,
        "words": objective.words,
        "head": objective.head,
        "direction": objective.direction,
        "low": objective.low,
        "high": objective.high,
    }


def _trials(findings: Findings, tables: Tables) -> dict[str, Any]:
    """Return the search trials as rows, best first, with the parameters that vary; `stuck` holds those at chance.

    `order` is the number of each in the order in which its model's were proposed, and `given` by model which of the
    columns a configuration of `try_first` has to name.
    """
    frame = tables.get("trials.csv")
    if frame is None:
        return {"columns": [], "rows": [], "parameters": [], "stuck": [], "order": [], "given": {}}
    objective = findings.search.objective.column
    chosen_by = [one.column for one in findings.search.objectives]
    names = [name for name in frame.columns if name not in (*col.RESULTS, *chosen_by)]
    by_model = frame.groupby(col.MODEL, sort=False)
    varies = {name for name in (*names, col.EPOCHS) if by_model[name].agg(_kinds).max() > 1}
    parameters = [name for name in (*in_order(names), col.EPOCHS) if name in varies]
    given = {one.name: [name for name in names if _to_be_named(name, one)] for one in findings.search.model_searches}
    shown = dict.fromkeys((*_SHOWN, objective, *parameters, *chain(*given.values()), col.ERROR))
    columns = [name for name in shown if name in frame.columns]
    order = {(t.model, t.dataset, t.trial): t.number + 1 for t, _ in findings.search_trials if t.role == "search"}
    stuck = {r.trial.id for r in findings.trials() if r.completed and findings.stuck_at_chance(r)}
    return {
        "columns": columns,
        "rows": [
            [_exact(value) if name in names else plain(value) for name, value in zip(columns, row, strict=True)]
            for row in frame[columns].itertuples(index=False)
        ],
        "parameters": parameters,
        "stuck": [place for place, trial in enumerate(frame[col.TRIAL]) if trial in stuck],
        "order": [order.get(key) for key in zip(frame[col.MODEL], frame[col.DATASET], frame[col.TRIAL], strict=True)],
        "given": given,
    }


def _to_be_named(name: str, model_search: ModelSearch) -> bool:
    """Return whether a configuration of a search has to say a parameter's value, as there are several."""
    domain = model_search.space.domains.get(name)
    return domain is not None and (isinstance(domain, Range) or len(domain.values) > 1)


def _exact(value: Any) -> Any:
    """Return a parameter's value as JSON can hold it, with all of its digits, so that it can be tried again."""
    return float(value) if isinstance(value, float) and short(value) not in (None, value) else plain(value)


def _kinds(values: pd.Series[Any]) -> int:
    """Return how many different values there are, whatever their kinds: True is not 1."""
    return len({(type(value), value) for value in values.dropna()})


def _of_scores(findings: Findings, tables: Tables) -> pd.DataFrame | None:
    """Return what matters for the score that the page shows, which is of all models."""
    frame = tables.get("importance.csv")
    return None if frame is None else frame[frame["target"] == findings.search.objective.column]


def importance_groups(frame: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Return the rows of a table of importance by the trials that they are of, the largest share first in each."""
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    for row in records(frame):
        group = groups.setdefault(
            (row[col.DATASET], row["trials_of"]),
            {
                "dataset": row[col.DATASET],
                "of": row["trials_of"],
                "model": row[col.MODEL],
                "trials": row[col.TRIALS],
                "r2": row["r2_unseen"],
                "bars": [],
            },
        )
        both = [row["parameter"], *([row["together_with"]] if row["together_with"] else [])]
        group["bars"].append([both, row["share"], row[col.INTERVAL_LOW], row[col.INTERVAL_HIGH], row["stands_out"]])
    return list(groups.values())


def _slices(findings: Findings, tables: Tables) -> list[dict[str, Any]]:
    """Return for each data set how each varying parameter stands on an axis, and the lines of medians by model.

    The most important parameter comes first, where that is known.
    """
    found = []
    groups = importance_groups(_of_scores(findings, tables))
    for dataset in findings.search.datasets:
        looked_at = scopes(findings, dataset)
        if not looked_at:
            continue
        whole = looked_at[0]
        names = list(dict.fromkeys(name for values in whole.configurations for name in values))
        known: list[Any] = next(
            (g["bars"] for g in groups if (g["dataset"], g["of"]) == (plain(dataset), plain(whole.label))), []
        )
        order = [name for bar in known if len(bar[0]) == 1 for name in bar[0][0].split(" and ")]
        names.sort(key=lambda name: order.index(name) if name in order else len(order))
        only = whole.label if whole.model else ""
        configurations = whole.configurations
        every = [
            Slice.of(name, [(str(v.get(MODEL, only)), v.get(name)) for v in configurations], whole.scores)
            for name in names
        ]
        panels = [plain(one.as_json()) for one in every if len(one.scale.distinct) > 1]
        if panels:
            low = lower_end(whole.scores, findings.score_at_chance(whole.records[0].trial, whole.objective))
            found.append({"dataset": plain(dataset), "panels": panels, "low": plain(low)})
    return found


def _curves(findings: Findings) -> dict[str, dict[str, Any]]:
    """Return by trial the accuracy, loss and score of every epoch, of the best five of each search on each data set.

    The loss without penalties is among them where a trial of the search has penalties.
    """
    found, penalised = {}, any_penalised(findings.trials())
    for dataset in findings.search.datasets:
        for model_search in findings.search.model_searches:
            for record in ranked(findings.trials(model_search.name, dataset), findings.search.objective)[:BEST]:
                curve = LearningCurve.of(model_search.label, dataset, record)
                if curve.history.get(col.VAL_ACCURACY):
                    found[curve.trial] = plain(curve.as_json(findings.search.objective, penalised))
    return found


def _chosen(chosen: Chosen, tables: Tables) -> dict[str, Any]:
    """Return what the page shows of a chosen model."""
    (row,) = _rows_of(chosen, tables["comparison.csv"])
    kept = (
        col.RETRAINED_MEAN, col.RETRAINED_SD, col.MEAN_LOW, col.MEAN_HIGH, col.TEST_ACCURACY, col.INTERVAL_LOW,
        col.INTERVAL_HIGH, col.P_VALUE, col.PARAMETERS, col.MEGABYTES, col.TEST_SIZE,
    )  # fmt: skip
    return {
        "model": chosen.model,
        "label": plain(chosen.label),
        "dataset": plain(chosen.dataset),
        **{name: row[name] for name in kept},
        "retrainings": plain(chosen.test_accuracies),
        "saved": chosen.place,
        "classes": plain(chosen.predictions.class_names),
        "confusion": ConfusionMatrix.of(chosen).as_json(),
        "heat": chosen.predictions.heat is not None,
        "roc": plain(RocCurves.of(chosen).as_json()),
        "thresholds": thresholds(chosen),
    }


def _rows_of(chosen: Chosen, frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table that are about a chosen model."""
    return records(frame[(frame[col.MODEL] == chosen.model) & (frame[col.DATASET] == chosen.dataset)])


def _fronts(findings: Findings) -> list[dict[str, Any]]:
    """Return for each data set which trials no other beats at once in score and in number of parameters."""
    found = []
    for dataset in findings.search.datasets:
        objective = findings.search.objective
        done = [r for r in findings.whole_trials(None, dataset) if objective.of(r.result) is not None]
        gains = [objective.gain_of(record.result) for record in done]
        on_front = pareto_front([float(record.result.parameters or 0) for record in done], gains)
        names = [record.trial.id for record, on in zip(done, on_front, strict=True) if on]
        found.append({"dataset": plain(dataset), "trials": names})
    return found


def _file_fronts(findings: Findings) -> list[dict[str, Any]]:
    """Return for each data set which chosen models no other beats at once in mean test accuracy and in file size."""
    found = []
    for dataset in findings.datasets:
        models = findings.on(dataset)
        on_front = pareto_front([chosen.told_megabytes for chosen in models], [chosen.mean for chosen in models])
        names = [chosen.model for chosen, on in zip(models, on_front, strict=True) if on]
        found.append({"dataset": plain(dataset), "models": names})
    return found
