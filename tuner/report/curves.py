"""Accuracy and loss by epoch: of the best trials, and of the values of a parameter."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from tuner.analysis.claims import gap_of
from tuner.analysis.findings import Findings
from tuner.analysis.learning import LearningCurve, curves_frame
from tuner.analysis.penalties import any_penalised
from tuner.contents.cells import number, signed
from tuner.contents.sections import Content, Paragraph, Picture, Section, Table
from tuner.figures.curves import best_figure, training_figure, values_figure
from tuner.objective import Objective
from tuner.protocol import ranked
from tuner.search_file.model_search import ModelSearch
from tuner.system.files import file_part
from tuner.text import escape, setting
from tuner.trial import Record

#: Curves of one figure; more cannot be told apart.
_MOST_CURVES = 8


def curves_section(findings: Findings) -> Section | None:
    """Draw accuracy and loss by epoch of the best trial of each search, training against validation.

    Where the search file names a parameter, draw the best trial of each of its values too.
    """
    contents: list[Content] = []
    objective = findings.search.objective
    drawn: dict[str, LearningCurve] = {}
    for dataset in findings.search.datasets:
        slug = findings.search.slugs[dataset]
        best = [(label, record) for label, record in findings.best_trials(dataset) if record.result.history]
        shown = [_curve(findings, search, dataset, record) for search, record in best]
        if shown:
            drawn |= {curve.trial: curve for curve in shown}
            on = " (on the test set)" if findings.search.protocol == "published" else ""
            folds = f", means over {findings.search.folds} folds" if findings.search.folds else ""
            caption = f"Training and validation{on} of the best trial of each search on {dataset}{folds}."
            draw = partial(best_figure, shown, dataset, objective)
            contents.append(Picture("curves", f"curves-{slug}.png", caption, draw))
        parameter = findings.search.report.curves
        every_value = _best_of_values(findings, dataset, parameter) if parameter else []
        by_value = [LearningCurve.of(label, dataset, record) for label, record in _best(every_value, objective)]
        if by_value:
            cut = f" Shown are the {_MOST_CURVES} best of {len(every_value)} values."
            more = cut if len(every_value) > len(by_value) else ""
            drawn = {curve.trial: curve for curve in by_value} | drawn
            caption = f"The best trial of each value of {parameter} on {dataset}, by epoch.{more}"
            file = f"curves-{file_part(str(parameter))}-{slug}.png"
            draw = partial(values_figure, by_value, str(parameter), dataset, findings.search.validates_on, objective)
            contents.append(Picture("curves_by_value", file, caption, draw))
    for dataset in findings.datasets:
        compared = [one for one in findings.on(dataset) if one.winner is None and one.saved.result.history]
        if compared:
            shown = [LearningCurve.of(one.label, dataset, one.saved) for one in compared]
            drawn |= {curve.trial: curve for curve in shown}
            caption = f"The saved models on the training images of {dataset}, on which they were only compared."
            file = f"curves-{findings.search.slugs[dataset]}.png"
            contents.append(Picture("training_curves", file, caption, partial(training_figure, shown, dataset)))
    if not contents:
        return None
    contents += _gaps(findings)
    if any_penalised(findings.trials()):  # whose tables tell both losses, even if the best trials have no penalties
        contents.append(
            Paragraph(
                "The loss is what a network learns from: its error and all penalties, such as L2. The loss without "
                "penalties, in files `unpenalised_loss`, is the error alone, which tells how well it answers. Losses "
                "on test images are without penalties."
            )
        )
    contents.append(Paragraph("Every epoch of these trials: [curves.csv](curves.csv)."))
    return Section("curves", "Training curves", contents, {"curves.csv": curves_frame(drawn.values())})


def _gaps(findings: Findings) -> list[Content]:
    """Return training and validation accuracy of the best trials, and of those of the parameter that is drawn."""
    parameter = findings.search.report.curves
    rows = []
    for dataset in findings.search.datasets:
        shown = [(search.label, record) for search, record in findings.best_trials(dataset)]
        if parameter:
            known = {record.trial.id for _, record in shown}
            by_value = _best_of_values(findings, dataset, parameter)
            shown += [(f"{parameter} {value}", record) for value, record in by_value if record.trial.id not in known]
        for label, record in shown:
            if found := gap_of(record):
                epoch, training, validation = found
                gap = signed(training - validation)
                rows.append([escape(label), escape(dataset), epoch, number(training), number(validation), gap])
    if not rows:
        return []
    about = "Training accuracy is that of an epoch's steps, with dropout and augmentation at work, which lower it."
    lead = (
        "Training and validation accuracy of the best trials at their last epoch, or the one that counts, and the gap"
    )
    heads = ["trial", "data set", "epoch", "training accuracy", "validation accuracy", "training − validation"]
    return [Table(rows, heads, text_columns=2, about=about, lead=lead)]


def _curve(findings: Findings, search: ModelSearch, dataset: str, record: Record) -> LearningCurve:
    return LearningCurve.of(search.label, dataset, record, findings.search.number(search.name))


def _best_of_values(findings: Findings, dataset: str, parameter: str) -> list[tuple[str, Record]]:
    """Return the best trial of each value of a parameter, in the order of the values."""
    records = [record for record in findings.trials(None, dataset) if parameter in record.trial.values]
    values = sorted({record.trial.values[parameter] for record in records}, key=str)
    if all(isinstance(value, int | float) for value in values):
        values = sorted(values, key=float)
    by = findings.search.objective
    best = [(setting(v), ranked((r for r in records if r.trial.values[parameter] == v), by)) for v in values]
    return [(label, order[0]) for label, order in best if order]


def _best(found: Sequence[tuple[str, Record]], by: Objective) -> list[tuple[str, Record]]:
    """Return of so many trials those that a figure has room for, the best, in their order."""
    chosen = {id(record) for record in ranked((record for _, record in found), by)[:_MOST_CURVES]}
    return [(label, record) for label, record in found if id(record) in chosen]
