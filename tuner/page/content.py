"""The parts of the page that stand in its HTML: all that the report holds, and places for figures that scripts draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tuner.analysis.findings import Findings
from tuner.contents.sections import Picture, Report
from tuner.page.heat import heat_map
from tuner.page.html import inline_html, note_html, picture_html, to_html
from tuner.page.plain import confusion_tables, trials_table, without_scripts

#: A part of the page: the name in its address, its heading, its HTML.
Part = tuple[str, str, str]
#: What stands together: name, heading, and the keys of sections. A section that is not here is a part by itself.
_TOGETHER = (
    ("claims", "What the study says, and what ours says", ("claims",)),
    ("comparison", "Comparison", ("comparison", "published", "recipes", "selection", "splits", "luck", "front")),
    ("trials", "Trials", ("trials", "depth", "pivot")),
    ("matters", "What matters", ("importance",)),
    ("curves", "Training curves", ("curves", "convergence", "watched")),
    ("classes", "Class by class", ("classes", "class_differences", "retrainings", "roc", "operating_points")),
    ("confusion", "Confusion", ("confusion", "lookalikes", "mistakes")),
    ("networks", "Networks", ("network", "first_layer")),
    ("cost", "Score against cost", ()),
    ("time", "Time", ("timing",)),
)
#: Sections that come last.
_LAST = ("cards", "samples", "failures", "provenance")
#: Figures of the page that scripts draw, by the key of the report's picture that they take the place of.
SCRIPTED = {
    "importance": "importance",
    "timing": "importance",
    "slices": "slices",
    "curves": "learning",
    "roc": "roc",
    "confusion": "confusion-matrix",
}
#: Figures that follow others, where more than one parameter varies.
_BEHIND = {"importance": "pair"}


def page_parts(findings: Findings, report: Report, data: Mapping[str, Any], single_file: bool) -> list[Part]:
    """Return the parts of the page in their order, without those that have nothing to show.

    Args:
        findings: what the search found.
        report: what is said of it.
        data: what the page draws, from `page_data`.
        single_file: hold the pictures, which otherwise are files beside the page.
    """
    sections = {section.key: section for section in report.sections}
    named = {key for _, _, keys in _TOGETHER for key in keys}
    alone = [(s.key, s.heading, (s.key,)) for s in report.sections if s.key not in named]
    alone.sort(key=lambda part: part[0] in _LAST)
    in_front = _in_front(findings, report, data)
    placed: set[str] = set()

    def draw(picture: Picture) -> str:
        name = SCRIPTED.get(picture.key)
        if name is None:
            return picture_html(picture, held=single_file)
        there = name in placed
        placed.add(name)
        behind = _BEHIND.get(name, "") if len(data["trials"]["parameters"]) > 1 else ""
        still = without_scripts(picture_html(picture, held=single_file))
        return still if there else place(name) + still + (place(behind) if behind else "")

    parts = [("verdict", "Verdict", _verdict(report))]
    for name, heading, keys in (*_TOGETHER, *alone):
        shown = [sections[key] for key in keys if key in sections]
        told = []
        for section in shown:
            if section.key != keys[0]:  # for whose heading that of the part stands
                told.append(f"<h3>{section.heading}</h3>")
            told.append(to_html(section.contents, section.heading, draw))
        begin, figures = in_front.get(name, ("", ()))
        front = [place(figure) for figure in figures if figure not in placed]
        tables = without_scripts(
            {"trials": trials_table(data["trials"]), "confusion": confusion_tables(data["chosen"])}.get(name, "")
        )
        parts.append((name, heading, "\n".join(filter(None, [begin, *front, tables, *told]))))
    return [part for part in parts if part[2]]


def _in_front(findings: Findings, report: Report, data: Mapping[str, Any]) -> dict[str, tuple[str, Sequence[str]]]:
    """Return by part what HTML it begins with, and its figures that need a place where no picture has one for them."""
    ran, chosen = bool(data["trials"]["rows"]), bool(findings.chosen)
    several = sum(row[3] == "completed" for row in data["trials"]["rows"]) > 2
    maps = "".join(heat_map(findings, dataset, report.tables["per_class.csv"]) for dataset in findings.datasets)
    return {
        "comparison": ("", ["scores"] * chosen),
        "trials": ("", [*["parallel", "progress"] * several, *["trials-table"] * ran]),
        "matters": ("", ["slices"] * (several and bool(data["slices"]))),
        "curves": ("", ["learning"] * bool(data["curves"])),
        "classes": (f'<div class="heats">{maps}</div>' * chosen, ()),
        "confusion": ("", ["class"] * any(one["thresholds"] for one in data["chosen"])),
        "cost": ("", ["cost"] * _costs_differ(findings)),
        "time": ("", ["timeline"] * ("timing.csv" in report.tables)),
    }


def place(name: str) -> str:
    """Return the place of a figure that a script draws."""
    return f'<div class="figure" data-figure="{name}"></div>'


def _verdict(report: Report) -> str:
    statements = "".join(f"<p>{inline_html(line)}</p>" for line in report.verdict)
    note = note_html(report.note) if report.note else ""
    spent = f'<p class="quiet">{inline_html(report.budget)}</p>' if report.budget else ""
    return f'{note}<div class="statements">{statements}</div>{spent}'


def _costs_differ(findings: Findings) -> bool:
    """Return whether there is anything to set against scores: trials of several sizes, or several chosen models."""
    for dataset in findings.search.all_datasets:
        sizes = {record.result.parameters for record in findings.trials(None, dataset) if record.completed}
        if len(sizes) > 1 or len(findings.on(dataset)) > 1:
            return True
    return False
