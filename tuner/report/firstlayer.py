"""What the first convolution learned: its filters, and what comes out of them for an image of each class."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tuner import columns as col
from tuner.analysis.findings import Chosen, Findings
from tuner.contents.sections import Content, Paragraph, Picture, Section
from tuner.figures.image_sheet import ImageSheet
from tuner.figures.style import DIVERGING
from tuner.text import enumerated

_CELL = 0.52


def first_layer_section(findings: Findings) -> Section | None:
    """Show the first convolution of each saved model: filters, and outputs after the activation."""
    contents: list[Content] = []
    frames = []
    for dataset in findings.datasets:
        models = [chosen for chosen in findings.on(dataset) if "filters" in chosen.predictions.view]
        if not models:
            continue
        slug = findings.search.slugs[dataset]
        colour = models[0].predictions.view["filters"].shape[2] == 3
        inks = "They have the colours that they answer to" if colour else "Negative weights are blue, positive ones red"
        caption = f"First-layer filters of the models on {dataset}. {inks}.{_cut(models)}"
        contents.append(Picture("filters", f"filters-{slug}.png", caption, partial(_filters_figure, models)))
        frames += [_weights(chosen) for chosen in models]
        for chosen in models:
            caption = (
                f"{chosen.label} on {dataset}: a test image of each of {len(chosen.predictions.view['shown'])} "
                "classes and the first convolution's outputs for it after the activation. A column is a filter; "
                f"dark is high.{_cut([chosen])}"
            )
            file = f"outputs-{chosen.model}-{slug}.png"
            contents.append(Picture("outputs", file, caption, partial(_outputs_figure, chosen)))
    if not contents:
        return None
    contents.append(Paragraph("The weights of the filters: [filters.csv](filters.csv)."))
    tables = {"filters.csv": pd.concat(frames, ignore_index=True)}
    return Section("first_layer", "What the first convolution sees", contents, tables)


def _weights(chosen: Chosen) -> pd.DataFrame:
    """Return a row for each weight of the filters that are shown; filters and channels count from 1, pixels from 0."""
    filters = chosen.predictions.view["filters"]  # (height, width, channels, filters)
    row, column, channel, number = np.indices(filters.shape).reshape(4, -1)
    places = {"filter": number + 1, "channel": channel + 1, "row": row, "column": column}
    frame = pd.DataFrame({**places, "weight": filters.ravel()}).sort_values(list(places), kind="stable")
    frame.insert(0, col.DATASET, chosen.dataset)
    frame.insert(0, col.MODEL, chosen.model)
    return frame


def _cut(models: list[Chosen]) -> str:
    """Return of which models not every filter is shown."""
    cut = []
    for chosen in models:
        convolutions = [layer for layer in chosen.saved.result.layers if layer["kind"] == "Conv2D" and layer["shape"]]
        there = convolutions[0]["shape"][-1] or 0 if convolutions else 0
        shown = chosen.predictions.view["filters"].shape[-1]
        if there > shown:
            cut.append(f"{shown} of the {there} filters of {chosen.label}")
    return f" Shown are {enumerated(cut)}." if cut else ""


def _filters_figure(models: list[Chosen]) -> Figure:
    most = max(chosen.predictions.view["filters"].shape[-1] for chosen in models)
    sheet = ImageSheet(len(models), most, _CELL)
    for row, chosen in enumerate(models):
        filters = chosen.predictions.view["filters"]
        largest = float(np.abs(filters).max()) or 1.0
        for index in range(filters.shape[-1]):
            weights = filters[..., index]
            if weights.shape[-1] == 3:
                sheet.show(row, index, (weights - weights.min()) / (np.ptp(weights) or 1.0), vmin=0, vmax=1)
            else:
                sheet.show(row, index, weights.mean(axis=-1), cmap=DIVERGING, vmin=-largest, vmax=largest)
        sheet.name_row(row, chosen.label)
    return sheet.figure


def _outputs_figure(chosen: Chosen) -> Figure:
    view = chosen.predictions.view
    outputs = np.asarray(view["outputs"], np.float32)
    count, filters = len(outputs), outputs.shape[-1]
    sheet = ImageSheet(count, filters + 1, _CELL)
    sheet.name_column(0, "image")
    for index in range(filters):
        sheet.name_column(index + 1, "filter 1" if index == 0 else str(index + 1))
    low, high = outputs.min(axis=(0, 1, 2)), outputs.max(axis=(0, 1, 2))
    for place in range(count):
        sheet.show(place, 0, view["shown"][place])
        sheet.name_row(place, chosen.predictions.class_names[int(view["shown_labels"][place])])
        for index in range(filters):
            ink = {"cmap": "gray_r", "vmin": low[index], "vmax": high[index] or 1.0}
            sheet.show(place, index + 1, outputs[place, ..., index], **ink)
    return sheet.figure
