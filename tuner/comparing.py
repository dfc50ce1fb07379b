"""One comparison over several searches: as a table to read, and as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from tuner import columns as col
from tuner.findings import Chosen, Findings
from tuner.report.base import DASH, escape, number, p_text, plus_minus, table
from tuner.report.budget import budget
from tuner.significance import Interval, accuracy_interval, difference_interval, holm, mcnemar


@dataclass(frozen=True, eq=False)
class Compared:
    """A chosen model among those of several searches on its data set.

    `best` is the one with the best mean there, `interval` the 95 % interval of the saved model's accuracy, and `p`
    McNemar's against the best, adjusted after Holm; None for the best itself, and where the two were not scored on the
    same test images.
    """

    findings: Findings
    chosen: Chosen
    best: Chosen
    interval: Interval
    p: float | None


def compared(all_findings: Sequence[Findings]) -> list[Compared]:
    """Return the chosen models of several searches, data set by data set, best first on each."""
    found = []
    datasets = dict.fromkeys(chosen.dataset for findings in all_findings for chosen in findings.chosen)
    for dataset in datasets:
        models = [(findings, chosen) for findings in all_findings for chosen in findings.on(dataset)]
        models.sort(key=lambda pair: -pair[1].mean)
        best = models[0][1]
        rivals = [chosen for _, chosen in models[1:] if _same_images(best, chosen)]
        adjusted = holm([mcnemar(best.predictions.correct, rival.predictions.correct) for rival in rivals])
        p_of = {id(rival): p for rival, p in zip(rivals, adjusted, strict=True)}
        for findings, chosen in models:
            interval = accuracy_interval(chosen.predictions.correct)
            found.append(Compared(findings, chosen, best, interval, p_of.get(id(chosen))))
    return found


def compare_searches(all_findings: list[Findings]) -> str:
    """Return a markdown table of the chosen models of several searches, best first on each data set.

    The p-value is McNemar's against the best model on that data set, adjusted after Holm; a dash where the two
    were not scored on the same test images.
    """
    everything = compared(all_findings)
    rows: list[list[object]] = [
        [
            escape(one.chosen.dataset),
            escape(one.findings.search.name),
            escape(one.chosen.label),
            plus_minus(one.chosen.mean, one.chosen.sd),
            number(one.chosen.predictions.accuracy),
            f"{one.interval.low:.4f} to {one.interval.high:.4f}",
            DASH if one.p is None else p_text(one.p).removeprefix("= "),
            f"{one.chosen.saved.result.parameters:,}",
            number(one.chosen.megabytes, 2),
            escape(budget(one.findings)),
        ]
        for one in everything
    ]
    datasets = list(dict.fromkeys(one.chosen.dataset for one in everything))
    heads = ["data set", "search", "model", "mean test accuracy ± sd", "saved model", "95 % interval", "p against best"]
    detail = table(rows, [*heads, "parameters", "file, MB", "budget"], text_columns=3)
    return f"{_models_by_datasets(all_findings, datasets)}\n\n{detail}" if len(datasets) > 1 else detail


def compared_frame(all_findings: Sequence[Findings]) -> pd.DataFrame:
    """Return the same as numbers, a row for each data set and model, with the differences from the best model.

    A difference is of means, its 95 % interval over retrainings and test images; it is empty where `Compared.p` is.
    """
    rows = []
    for one in compared(all_findings):
        chosen, best = one.chosen, one.best
        delta = None if one.p is None else difference_interval(chosen.correct, best.correct)
        rows.append(
            {
                col.DATASET: chosen.dataset,
                col.SEARCH: one.findings.search.name,
                col.MODEL: chosen.model,
                col.FAMILY: chosen.saved.trial.family,
                col.RETRAINED_MEAN: chosen.mean,
                col.RETRAINED_SD: chosen.sd,
                col.REPEATS: len(chosen.finals),
                col.TEST_ACCURACY: chosen.predictions.accuracy,
                col.INTERVAL_LOW: one.interval.low,
                col.INTERVAL_HIGH: one.interval.high,
                col.DELTA: chosen.mean - best.mean if delta else None,
                col.DELTA_LOW: delta.low if delta else None,
                col.DELTA_HIGH: delta.high if delta else None,
                col.P_VALUE: one.p,
                col.PARAMETERS: chosen.saved.result.parameters,
                col.MEGABYTES: chosen.megabytes,
                col.EPOCHS: chosen.saved.trial.last_epoch,
                col.TRAIN_SIZE: chosen.saved.trial.train_size,
                col.TEST_SIZE: len(chosen.predictions.labels),
            }
        )
    return pd.DataFrame(rows, columns=col.COMPARED)


def _models_by_datasets(all_findings: list[Findings], datasets: list[str]) -> str:
    """Return a row per model and a column per data set: mean test accuracy, and the size of the file in brackets."""
    cells: dict[str, dict[str, str]] = {}
    for findings in all_findings:
        for chosen in findings.chosen:
            cell = f"{plus_minus(chosen.mean, chosen.sd)} ({chosen.megabytes:.2f} MB)"
            row = cells.setdefault(chosen.label, {})
            row[chosen.dataset] = f"{row[chosen.dataset]}; {cell}" if chosen.dataset in row else cell
    rows = [[escape(label), *[row.get(dataset, DASH) for dataset in datasets]] for label, row in cells.items()]
    return table(rows, ["mean test accuracy ± sd (file)", *map(escape, datasets)])


def _same_images(a: Chosen, b: Chosen) -> bool:
    one, other = a.saved.trial, b.saved.trial
    drawn_alike = one.test_size == other.test_size and (one.test_size is None or one.split_seed == other.split_seed)
    return one.fingerprint == other.fingerprint and drawn_alike
