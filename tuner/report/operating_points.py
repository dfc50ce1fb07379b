"""From which probability on an image is taken for a class, and what comes of that."""

from __future__ import annotations

import pandas as pd

from tuner import columns as col
from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.operating_points import OperatingPoint, classes_of_interest, points_of
from tuner.analysis.significance import Interval
from tuner.contents.cells import number
from tuner.contents.sections import Content, Paragraph, Section, Table
from tuner.text import escape


def operating_points_section(findings: Findings) -> Section | None:
    """Show thresholds of one class against the others, where there are two classes or a search file asks for it."""
    contents: list[Content] = []
    rows: list[dict[str, object]] = []
    for dataset in findings.datasets:
        for label in classes_of_interest(findings, dataset):
            found = [(chosen, points_of(findings, chosen, label)) for chosen in findings.on(dataset)]
            found = [(chosen, points) for chosen, points in found if points]
            if found:
                contents.append(_table(dataset, label, found))
            rows += [_row(chosen, label, point) for chosen, points in found for point in points]
    if not contents:
        return None
    about = (
        "A threshold is the probability from which on an image is taken for the class. Each is chosen by what the "
        "search's best trial answered to its validation images; the saved model was trained after that, and its "
        "answers to the test images, which had no part in the choice, are cut there, too. Intervals are of the test "
        "images alone (95 %, Wilson)."
    )
    every = "All of them, with the images they count: [operating_points.csv](operating_points.csv)."
    tables = {"operating_points.csv": pd.DataFrame(rows)}
    return Section("operating_points", "Operating points", [Paragraph(about), *contents, Paragraph(every)], tables)


def _table(dataset: str, label: int, found: list[tuple[Chosen, list[OperatingPoint]]]) -> Table:
    names = found[0][0].predictions.class_names
    cells = [
        [
            escape(chosen.label),
            point.rule,
            number(point.threshold, 3),
            number(point.validation.precision, 3),
            number(point.validation.recall, 3),
            _with_interval(point.test.precision, point.test.precision_interval),
            _with_interval(point.test.recall, point.test.recall_interval),
            number(point.test.false_positive_rate, 3),
        ]
        for chosen, points in found
        for point in points
    ]
    heads = [
        "model",
        "chosen by",
        "threshold",
        "precision, validation",
        "recall, validation",
        "precision, test",
        "recall, test",
        "false positive rate, test",
    ]
    return Table(cells, heads, text_columns=2, lead=f"Thresholds of {escape(names[label])} on {escape(dataset)}")


def _with_interval(value: float, interval: Interval | None) -> str:
    return number(value, 3) + (f" ({number(interval.low, 3)} to {number(interval.high, 3)})" if interval else "")


def _row(chosen: Chosen, label: int, point: OperatingPoint) -> dict[str, object]:
    counts = {"validation": point.validation, "test": point.test}
    return {
        col.DATASET: chosen.dataset,
        col.MODEL: chosen.model,
        col.CLASS: chosen.predictions.class_names[label],
        "chosen_by": point.rule,
        "threshold": point.threshold,
        **{f"{name}_{of}": count for of, one in counts.items() for name, count in vars(one).items()},
        **{f"{name}_{of}": getattr(one, name) for of, one in counts.items() for name in ("precision", "recall", "f1")},
    }
