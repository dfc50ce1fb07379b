"""One comparison over several searches: as a table to read, and as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from tuner import columns as col
from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.pairs import Owned, Pair, adjusted, paired
from tuner.analysis.significance import Interval, accuracy_interval
from tuner.contents.cells import DASH, number, p_text, plus_minus, signed, span
from tuner.contents.sections import Content, Paragraph, Table
from tuner.report.budget import budget
from tuner.report.choice import searches_by_objective
from tuner.report.comparison import whole_epochs
from tuner.report.verdicts import SCOPE, importance_word, least_word
from tuner.text import escape


@dataclass(frozen=True, eq=False)
class Compared:
    """A chosen model among those of several searches on its data set.

    `best` is the one with the best mean there, `interval` the 95 % interval of the saved file's accuracy, and `pair`
    what tells the model from the best one, judged together with all other pairs that are shown; None for the best
    itself, and where the two were not scored on the same test images.
    """

    findings: Findings
    chosen: Chosen
    best: Chosen
    interval: Interval
    pair: Pair | None

    @property
    def p(self) -> float | None:
        """The p-value against the best, after Holm; None where nothing is judged."""
        return self.pair.p if self.pair else None


def compared(all_findings: Sequence[Findings]) -> list[Compared]:
    """Return the chosen models of several searches, data set by data set, best first on each."""
    found = []
    pairs = {frozenset((id(pair.better), id(pair.worse))): pair for pair in adjusted(_all_pairs(all_findings))}
    for dataset in _datasets(all_findings):
        models = _ordered(all_findings, dataset)
        best = models[0][1]
        for findings, chosen in models:
            interval = accuracy_interval(chosen.predictions.correct)
            pair = None if chosen is best else pairs.get(frozenset((id(best), id(chosen))))
            found.append(Compared(findings, chosen, best, interval, pair))
    return found


def _datasets(all_findings: Sequence[Findings]) -> list[str]:
    return list(dict.fromkeys(chosen.dataset for findings in all_findings for chosen in findings.chosen))


def _ordered(all_findings: Sequence[Findings], dataset: str) -> list[Owned]:
    models = [(findings, chosen) for findings in all_findings for chosen in findings.on(dataset)]
    return sorted(models, key=lambda owned: -owned[1].mean)


def _all_pairs(all_findings: Sequence[Findings]) -> list[Pair]:
    """Return every pair of models that were scored on the same images of a data set."""
    pairs = []
    for dataset in _datasets(all_findings):
        alike: list[list[Owned]] = []
        for owned in _ordered(all_findings, dataset):
            group = next((group for group in alike if _same_images(group[0][1], owned[1])), None)
            if group is None:
                alike.append([owned])
            else:
                group.append(owned)
        pairs += [pair for group in alike for pair in paired(group)]
    return pairs


def compare_searches(all_findings: list[Findings]) -> list[Content]:
    """Return a table of the chosen models of several searches, best first on each data set, and what it means.

    The difference is of the means, from that of the best model on the data set, with its 95 % interval; p is after
    Holm for all pairs of models that are shown. A dash where the two were not scored on the same test images, and for
    p where nothing is judged: of one retraining, or chosen on the test images.
    """
    everything = compared(all_findings)
    rows: list[list[object]] = [
        [
            escape(one.chosen.dataset),
            escape(one.findings.search.name),
            escape(one.chosen.label),
            plus_minus(one.chosen.mean, one.chosen.sd),
            number(one.chosen.predictions.accuracy),
            span(one.interval.low, one.interval.high, 4),
            _difference(one),
            DASH if one.p is None else p_text(one.p).removeprefix("= "),
            least_word(one.pair.least_shown if one.pair else None),
            importance_word(one.pair) if one.pair else DASH,
            _ahead(one),
            f"{one.chosen.saved.result.parameters:,}",
            number(one.chosen.megabytes, 2),
            escape(budget(one.findings)),
        ]
        for one in everything
    ]
    datasets = list(dict.fromkeys(one.chosen.dataset for one in everything))
    heads = ["data set", "search", "model", "mean test accuracy ± sd", "saved model", "95 % interval"]
    heads += [
        "less than the best (95 % interval)",
        "p against best",
        "least to be shown",
        "matters",
        "retrainings ahead",
        "parameters",
        "file, MB",
        "budget",
    ]
    by = searches_by_objective([one for one in all_findings if one.chosen])
    detail: list[Content] = [Table(rows, heads, text_columns=3), Paragraph(_explained(everything))]
    detail += [Paragraph(by)] if by else []
    if empty := [escape(one.search.name) for one in all_findings if not one.chosen]:
        detail.append(Paragraph(f"In no row, since no trial of it has been retrained: {', '.join(empty)}."))
    return [_models_by_datasets(all_findings, datasets), *detail] if len(datasets) > 1 else detail


def _difference(one: Compared) -> str:
    if one.pair is None:
        return DASH
    difference = one.pair.difference
    return f"{signed(-difference.mean)} ({signed(-difference.high)} to {signed(-difference.low)})"


def _ahead(one: Compared) -> str:
    """Return in how many pairs of a retraining of each the model is ahead of the best one."""
    if one.pair is None:
        return DASH
    ahead, of = one.pair.ahead
    return f"{of - ahead:g} of {of}"


def _explained(everything: Sequence[Compared]) -> str:
    """Return what is judged, and of what it is true."""
    judged = max((one.pair.pairs for one in everything if one.pair and one.p is not None), default=0)
    regions = sorted({one.pair.region for one in everything if one.pair})
    within = " or ".join(f"{100 * region:g}" for region in regions)
    said = f"p is over all retrainings and test images{f', after Holm for {judged} pairs' * (judged > 1)}. "
    if judged:
        said += (
            "From *least to be shown* on, a difference would have been shown for certain. It *matters* where its whole "
            f"interval is beyond {within} points, and does not where all of it is within them. *Retrainings ahead* "
            "counts the pairs of a retraining of each in which the model beats the best one. "
        )
    if any(one.pair and one.pair.published for one in everything):
        said += "No p where a model was validated on the test images that score it. "
    if any(one.pair and not one.pair.published and one.p is None for one in everything):
        said += "No p where a model has one retraining, which tells nothing of its seeds. "
    return f"{said}{SCOPE}"


def compared_frame(all_findings: Sequence[Findings]) -> pd.DataFrame:
    """Return the same as numbers, a row for each data set and model, with the differences from the best model.

    A difference is of means, its 95 % interval over retrainings and test images; it is empty where `Compared.pair` is.
    """
    rows = []
    for one in compared(all_findings):
        chosen, pair = one.chosen, one.pair
        rows.append(
            {
                col.DATASET: chosen.dataset,
                col.SEARCH: one.findings.search.name,
                col.MODEL: chosen.model,
                col.FAMILY: chosen.saved.trial.family,
                col.OBJECTIVE: one.findings.objective_of(chosen.model).name,
                col.RETRAINED_MEAN: chosen.mean,
                col.RETRAINED_SD: chosen.sd,
                col.REPEATS: len(chosen.finals),
                col.TEST_ACCURACY: chosen.predictions.accuracy,
                col.INTERVAL_LOW: one.interval.low,
                col.INTERVAL_HIGH: one.interval.high,
                col.DELTA: -pair.difference.mean if pair else None,
                col.DELTA_LOW: -pair.difference.high if pair else None,
                col.DELTA_HIGH: -pair.difference.low if pair else None,
                col.P_VALUE: one.p,
                col.LEAST_SHOWN: pair.least_shown if pair else None,
                col.MATTERS: importance_word(pair) if pair and pair.p is not None else None,
                col.CHANCE_AHEAD: 1 - pair.ahead[0] / pair.ahead[1] if pair else None,
                col.MCNEMAR: pair.mcnemar if pair else None,
                col.PARAMETERS: chosen.saved.result.parameters,
                col.MEGABYTES: chosen.megabytes,
                col.EPOCHS: None if chosen.ensemble else chosen.saved.trial.last_epoch,
                col.TRAIN_SIZE: chosen.saved.trial.train_size,
                col.TEST_SIZE: len(chosen.predictions.labels),
            }
        )
    frame = pd.DataFrame(rows, columns=col.COMPARED)
    return whole_epochs(frame, [chosen for findings in all_findings for chosen in findings.chosen])


def _models_by_datasets(all_findings: list[Findings], datasets: list[str]) -> Table:
    """Return a row per model and a column per data set: mean test accuracy, and the size of the file in brackets."""
    cells: dict[str, dict[str, str]] = {}
    for findings in all_findings:
        for chosen in findings.chosen:
            cell = f"{plus_minus(chosen.mean, chosen.sd)} ({chosen.megabytes:.2f} MB)"
            row = cells.setdefault(chosen.label, {})
            row[chosen.dataset] = f"{row[chosen.dataset]}; {cell}" if chosen.dataset in row else cell
    rows = [[escape(label), *[row.get(dataset, DASH) for dataset in datasets]] for label, row in cells.items()]
    return Table(rows, ["mean test accuracy ± sd (file)", *map(escape, datasets)])


def _same_images(a: Chosen, b: Chosen) -> bool:
    one, other = a.saved.trial, b.saved.trial
    drawn_alike = one.test_size == other.test_size and (one.test_size is None or one.split_seed == other.split_seed)
    return one.fingerprint == other.fingerprint and drawn_alike
