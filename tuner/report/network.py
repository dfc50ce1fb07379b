"""What each chosen network is made of: a drawing, and its layers with the parameters of each."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial

import pandas as pd

from tuner import columns as col
from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.network_blocks import Plan, identity, plan_of, shape_text
from tuner.contents.cells import DASH
from tuner.contents.sections import Content, Paragraph, Picture, Section, Table, folded_if
from tuner.figures.network import draw_network
from tuner.text import escape

_MOST_ROWS = 32
_INTRODUCTION = (
    "Height and depth of a block follow height and width of its output, its own width the number of channels, on "
    "compressed scales. BN is batch normalisation; ÷2 says that a pool halves height and width. A convolution with k×k "
    "kernels, m input channels and c filters has k·k·m·c + c parameters, a dense layer of c units on m inputs m·c + c; "
    "the c biases may be left out, as in front of batch normalisation. That has 4·c parameters, half of them moving "
    "statistics that are not trained."
)
_REPEATED = "What occurs n times in a row stands here once, named as its first occurrence, with n × its formula."


def network_section(findings: Findings) -> Section | None:
    """Draw the network of each chosen model and list its layers; the same network once."""
    groups: dict[Hashable, list[Chosen]] = {}
    for dataset in findings.datasets:
        for chosen in findings.on(dataset):
            if chosen.saved.result.layers:
                groups.setdefault(identity(chosen.saved.result.layers), []).append(chosen)
    if not groups:
        return None
    contents: list[Content] = [Paragraph(_INTRODUCTION)]
    for group in groups.values():
        first = group[0]
        layers = first.saved.result.layers
        labels = dict.fromkeys(chosen.label for chosen in group)
        title = f"{' and '.join(labels)}, {', '.join(dict.fromkeys(chosen.dataset for chosen in group))}"
        plan = plan_of(layers)
        total = sum(int(layer.get("parameters") or 0) for layer in layers)
        caption = f"The network of {title}: {total:,} parameters."
        file = f"network-{first.model}-{first.slug}.png"
        contents += [
            Picture("network", file, caption, partial(draw_network, plan, title)),
            *layer_table(plan, total, title),
        ]
    contents.append(Paragraph("Every layer of every model: [layers.csv](layers.csv)."))
    return Section("network", "Networks", contents, {"layers.csv": _layers(findings)})


def _layers(findings: Findings) -> pd.DataFrame:
    """Return a row for each layer of each chosen model, in the order in which they compute."""
    return pd.DataFrame(
        [
            {
                col.MODEL: chosen.model,
                col.DATASET: chosen.dataset,
                col.LAYER: layer.get("name"),
                "kind": layer.get("kind"),
                "output": shape_text(layer.get("shape") or ()),
                "activation": layer.get("activation"),
                "formula": layer.get("formula"),
                col.PARAMETERS: layer.get("parameters") or 0,
                "inputs": " ".join(layer.get("inputs", [])),
            }
            for chosen in findings.chosen
            for layer in chosen.saved.result.layers
        ]
    )


def layer_table(plan: Plan, total: int, title: str = "") -> list[Content]:
    """Return the layers that have weights or change the shape as a table; a long one folded away.

    `title` names the models whose network it is.
    """
    rows: list[list[object]] = []
    for index, block in enumerate(plan.blocks):
        layers = [layer for arc in plan.arcs if arc.end == index for layer in arc.layers] + list(block.layers)
        for layer in layers:
            if not layer.parameters and layer.shape == layer.before:
                continue
            formula, times = escape(layer.formula), block.times
            if formula and times > 1:
                formula = f"{times} × ({formula})" if "+" in formula else f"{times} × {formula}"
            count = f"{layer.parameters * times:,}" if layer.parameters else ""
            rows.append([escape(layer.name), escape(layer.kind), shape_text(layer.shape) or DASH, formula, count])
    rows.append(["**total**", "", "", "", f"**{total:,}**"])
    lead = f"The layers of {escape(title)}" if title else ""
    table = Table(rows, ["layer", "kind", "output", "formula", "parameters"], text_columns=4, lead=lead)
    repeated = [Paragraph(_REPEATED)] if any(block.times > 1 for block in plan.blocks) else []
    return folded_if(len(rows) > _MOST_ROWS, "The layers and their parameters", table, *repeated)
