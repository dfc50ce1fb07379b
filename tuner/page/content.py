"""The parts of the page that stand in its HTML: what can be read without any script, and places for figures."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from tuner import columns as col
from tuner.analysis.class_scores import mean_of
from tuner.analysis.findings import Findings
from tuner.contents.sections import Section
from tuner.page.html import inline_html, note_html, scroll_box, to_html
from tuner.report.budget import budget
from tuner.report.choice import published_protocol_note
from tuner.report.classes import in_the_mean
from tuner.report.undefined import mark_of, metric_cell, notes
from tuner.report.verdicts import pair_in_words, pairs_on
from tuner.text import escape as escape_markdown
from tuner.text import visible_line

#: A part of the page: the name in its address, its heading, its HTML.
Part = tuple[str, str, str]
#: The sections of the report, by key.
Sections = Mapping[str, Section]


def page_parts(
    findings: Findings, sections: Sections, tables: Mapping[str, pd.DataFrame], data: Mapping[str, Any]
) -> list[Part]:
    """Return the parts of the page in their order, without those that have nothing to show.

    Args:
        findings: what the search found.
        sections: those of the report, by key.
        tables: the report's tables, by file name.
        data: what the page draws, from `page_data`.
    """
    several = sum(row[3] == "completed" for row in data["trials"]["rows"]) > 2
    timed = "timing.csv" in tables
    parts = [
        ("verdict", "Verdict", _verdict(findings)),
        ("comparison", "Comparison", _comparison(findings, sections)),
        ("trials", "Trials", _trials(sections, several) if data["trials"]["rows"] else ""),
        ("matters", "What matters", _matters(sections, tables, several and bool(data["slices"]))),
        ("curves", "Training curves", _learning(sections) if data["curves"] else ""),
        ("classes", "Class by class", _classes(findings, sections, tables)),
        ("confusion", "Confusion", _confusion(sections) if findings.chosen else ""),
        ("cost", "Score against cost", place("cost") if _costs_differ(findings) else ""),
        ("time", "Time", place("timeline") + '<div id="time-models"></div>' if timed else ""),
        ("cards", "Model cards", _section(sections, "cards", "")),
        ("failures", "Failed trials", _section(sections, "failures", "Failed trials with their reasons")),
        ("provenance", "Provenance", _section(sections, "provenance", "What is needed to get the same numbers again")),
    ]
    return [part for part in parts if part[2]]


def place(name: str) -> str:
    """Return the place of a figure that a script draws."""
    return f'<div class="figure" data-figure="{name}"></div>'


def _section(sections: Sections, key: str, caption: str) -> str:
    return to_html(sections[key].contents, caption) if key in sections else ""


def _below(sections: Sections, key: str) -> str:
    """Return a section of the report under a smaller heading; nothing where the report has it not."""
    if key not in sections:
        return ""
    heading = sections[key].heading
    return f"<h3>{heading}</h3>{to_html(sections[key].contents, heading)}"


def _verdict(findings: Findings) -> str:
    from tuner.report.summary import verdict

    statements = "".join(f"<p>{inline_html(line)}</p>" for line in verdict(findings))
    warned = note_html(published_protocol_note(findings)) if findings.search.protocol == "published" else ""
    spent = f'<p class="quiet">Budget: {inline_html(budget(findings))}.</p>' if findings.search_trials else ""
    return f'{warned}<div class="statements">{statements}</div>{spent}'


def _comparison(findings: Findings, sections: Sections) -> str:
    if not findings.chosen:
        return ""
    compared = to_html(sections["comparison"].contents, "The chosen models on the test images")
    flattered = _below(sections, "selection") + _below(sections, "luck")
    return place("scores") + compared + _pairs(findings) + flattered + _below(sections, "published")


def _pairs(findings: Findings) -> str:
    """Return every pair of models in words where there are more than the verdict tells of."""
    told = [
        inline_html(pair_in_words(escape_markdown(dataset), pair))
        for dataset in findings.datasets
        for pair in pairs_on(findings, dataset)[1:]
    ]
    if not told:
        return ""
    items = "".join(f"<li>{text}</li>" for text in told)
    return f"<details><summary>The other pairs of models in words ({len(told)})</summary><ul>{items}</ul></details>"


def _trials(sections: Sections, drawn: bool) -> str:
    summaries = _below(sections, "depth") + _below(sections, "pivot")
    return (place("parallel") if drawn else "") + '<div id="trials-table"></div>' + summaries


def _matters(sections: Sections, tables: Mapping[str, pd.DataFrame], sliced: bool) -> str:
    told = sections["importance"].contents if "importance" in sections else []
    explained, found = told[:1], told[1:]
    shares = place("importance") if found or "timing_importance.csv" in tables else ""
    return to_html(explained) + shares + (place("slices") if sliced else "") + to_html(found)


def _learning(sections: Sections) -> str:
    return place("learning") + _below(sections, "convergence")


def _costs_differ(findings: Findings) -> bool:
    """Return whether there is anything to set against scores: trials of several sizes, or several chosen models."""
    for dataset in findings.search.all_datasets:
        sizes = {record.result.parameters for record in findings.trials(None, dataset) if record.completed}
        if len(sizes) > 1 or len(findings.on(dataset)) > 1:
            return True
    return False


def _confusion(sections: Sections) -> str:
    return '<div id="confusion-matrix"></div>' + _below(sections, "mistakes")


def _classes(findings: Findings, sections: Sections, tables: Mapping[str, pd.DataFrame]) -> str:
    if not findings.chosen:
        return ""
    frame = tables["per_class.csv"]
    maps = "".join(_heat_map(findings, dataset, frame) for dataset in findings.datasets)
    below = _below(sections, "class_differences") + _below(sections, "retrainings")
    return f'<div class="heats">{maps}</div>{place("roc")}{below}'


def _heat_map(findings: Findings, dataset: str, frame: pd.DataFrame) -> str:
    """Return F1 and ROC AUC of each class as a table whose cells have the more colour the further they are below 1."""
    models = findings.on(dataset)
    mine = frame[frame[col.DATASET] == dataset]
    by_model = {
        chosen.model: [in_the_mean(row) for row in mine[mine[col.MODEL] == chosen.model].to_dict("records")]
        for chosen in models
    }
    least = {name: float(np.nanmin([*mine[mean_of(name)].astype(float), 1.0])) for name in (col.F1, col.ROC_AUC)}
    groups = "".join(f'<th scope="colgroup" colspan="{len(models)}">{head}</th>' for head in ("F1", "ROC AUC"))
    names = "".join(f'<th scope="col" class="number">{escape(visible_line(m.label))}</th>' for m in models) * 2
    rows = []
    for place_of, first in enumerate(by_model[models[0].model]):
        cells = "".join(
            _heat_cell(by_model[chosen.model][place_of], name, least[name])
            for name in (col.F1, col.ROC_AUC)
            for chosen in models
        )
        average = ' class="average"' if first[col.KIND] == col.AVERAGE else ""
        head = f'<th scope="row">{escape(visible_line(first[col.CLASS]))}{mark_of(first)}</th>'
        rows.append(f'<tr{average}>{head}{cells}<td class="number">{first[col.SUPPORT]:,}</td></tr>')
    caption = (
        f"F1 and ROC AUC of each class of {escape(visible_line(dataset))} on its test images, in the mean of all "
        "retrainings; in either, the stronger the colour of a cell, the further it is below 1"
    )
    every_metric = f'<p class="quiet">{inline_html("Every metric of every class: [per_class.csv](per_class.csv).")}</p>'
    every = [row for mine_of in by_model.values() for row in mine_of]
    marked = "".join(f'<p class="quiet">{note}</p>' for note in notes(every, (col.F1, col.ROC_AUC)))
    return (
        f'<div>{scroll_box(caption, " tall")}<table class="heat"><caption>{caption}</caption><thead>'
        f'<tr><td></td>{groups}<td></td></tr><tr><th scope="col">class</th>{names}'
        f'<th scope="col" class="number">images</th></tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
        f"{marked}{every_metric}</div>"
    )


def _heat_cell(row: Mapping[Any, Any], name: str, least: float) -> str:
    text, value = metric_cell(row, name), float(row[name])
    if not np.isfinite(value):
        return f'<td class="number">{text}</td>'
    resources = (1 - value) / (1 - least) if least < 1 else 0.0
    return f'<td class="number" style="--v:{resources:.2f}">{text}</td>'
