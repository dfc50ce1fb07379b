"""Accuracy and loss by epoch: of the best trials, and of the values of a parameter."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from tuner.analysis.findings import Findings
from tuner.analysis.learning import LearningCurve, curves_frame
from tuner.analysis.penalties import any_penalised
from tuner.contents.sections import Content, Paragraph, Picture, Section
from tuner.figures.curves import best_figure, values_figure
from tuner.objective import Objective
from tuner.protocol import ranked
from tuner.system.files import file_part
from tuner.text import setting
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
        shown = [LearningCurve.of(search.label, dataset, record) for search, record in best]
        if shown:
            drawn |= {curve.trial: curve for curve in shown}
            on = " (on the test set)" if findings.search.protocol == "published" else ""
            caption = f"Training and validation{on} of the best trial of each search on {dataset}"
            draw = partial(best_figure, shown, dataset, objective)
            contents.append(Picture("curves", f"curves-{slug}.png", caption, draw))
        parameter = findings.search.report.curves
        every_value = _best_of_values(findings, dataset, parameter) if parameter else []
        by_value = [LearningCurve.of(label, dataset, record) for label, record in _best(every_value, objective)]
        if by_value:
            more = f"; the {_MOST_CURVES} best of {len(every_value)} values" if len(every_value) > len(by_value) else ""
            drawn = {curve.trial: curve for curve in by_value} | drawn
            caption = f"The best trial of each value of {parameter} on {dataset}, by epoch{more}"
            file = f"curves-{file_part(str(parameter))}-{slug}.png"
            draw = partial(values_figure, by_value, str(parameter), dataset, findings.search.validates_on, objective)
            contents.append(Picture("curves_by_value", file, caption, draw))
    if not contents:
        return None
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
