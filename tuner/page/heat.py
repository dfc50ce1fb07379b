"""The prominent metrics of each class, F1 and ROC AUC, as a table that is coloured like a map of heat."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from tuner import columns as col
from tuner.analysis.class_metrics import CLASS_METRICS
from tuner.analysis.class_scores import in_the_mean, mean_of
from tuner.analysis.findings import Findings
from tuner.contents.undefined import mark_of, metric_cell, notes
from tuner.page.html import scroll_box
from tuner.page.numbers import plain
from tuner.text import enumerated, visible_line


def heat_map(findings: Findings, dataset: str, frame: pd.DataFrame) -> str:
    """Return the prominent metrics of each class as a table; a cell has the more colour the further it is below 1."""
    models = findings.on(dataset)
    mine = frame[frame[col.DATASET] == dataset]
    by_model = {
        chosen.model: [in_the_mean(row) for row in mine[mine[col.MODEL] == chosen.model].to_dict("records")]
        for chosen in models
    }
    metrics = {name: metric.label for name, metric in CLASS_METRICS.items() if metric.prominent}
    told = enumerated([*metrics.values()])
    least = {name: float(np.nanmin([*mine[mean_of(name)].astype(float), 1.0])) for name in metrics}
    groups = "".join(f'<th scope="colgroup" colspan="{len(models)}">{escape(head)}</th>' for head in metrics.values())
    names = "".join(f'<th scope="col" class="number">{escape(visible_line(m.label))}</th>' for m in models)
    rows = []
    for place_of, first in enumerate(by_model[models[0].model]):
        cells = "".join(
            _heat_cell(by_model[chosen.model][place_of], name, least[name]) for name in metrics for chosen in models
        )
        name = escape(str(plain(first[col.CLASS])))
        kind = ' class="average"' if first[col.KIND] == col.AVERAGE else f' data-class="{name}"'
        head = f'<th scope="row">{escape(visible_line(first[col.CLASS]))}{mark_of(first)}</th>'
        rows.append(f'<tr{kind}>{head}{cells}<td class="number">{first[col.SUPPORT]:,}</td></tr>')
    caption = (
        f"{told} of each class of {escape(visible_line(dataset))} on its test images, in the mean of all "
        "retrainings; in either, the stronger the colour of a cell, the further it is below 1"
    )
    every = [row for mine_of in by_model.values() for row in mine_of]
    marked = "".join(f'<p class="quiet">{note}</p>' for note in notes(every, list(metrics)))
    return (
        f'<div>{scroll_box(caption, " tall")}<table class="heat"><caption>{caption}</caption><thead>'
        f'<tr><td></td>{groups}<td></td></tr><tr><th scope="col">class</th>{names * len(metrics)}'
        f'<th scope="col" class="number">images</th></tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
        f"{marked}</div>"
    )


def _heat_cell(row: Mapping[Any, Any], name: str, least: float) -> str:
    text, value = metric_cell(row, name), float(row[name])
    if not np.isfinite(value):
        return f'<td class="number">{text}</td>'
    share = (1 - value) / (1 - least) if least < 1 else 0.0
    return f'<td class="number" style="--v:{share:.2f}">{text}</td>'
