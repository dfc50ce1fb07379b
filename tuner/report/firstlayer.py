"""What the first convolution learned: its filters, and what comes out of them for an image of each class."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tuner import columns as col
from tuner.analysis.findings import Chosen, Findings
from tuner.contents.sections import Content, Paragraph, Picture, Section
from tuner.figures.style import DIVERGING, in_pixels, new_figure
from tuner.report.images import name_row, show_image

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
        inks = "in the colours that they answer to" if colour else "blue for negative weights, red for positive"
        caption = f"First-layer filters of the models on {dataset}, {inks}{_cut(models)}"
        contents.append(Picture("filters", f"filters-{slug}.png", caption, partial(_filters_figure, models)))
        frames += [_weights(chosen) for chosen in models]
        for chosen in models:
            caption = (
                f"{chosen.label} on {dataset}: a test image of each of {len(chosen.predictions.view['shown'])} "
                "classes and the first convolution's outputs for it after the activation, a column per filter; "
                f"dark is high{_cut([chosen])}"
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
            cut.append(f"{chosen.label} {shown} of {there}")
    return f"; {', '.join(cut)} filters" if cut else ""


def _filters_figure(models: list[Chosen]) -> Figure:
    most = max(chosen.predictions.view["filters"].shape[-1] for chosen in models)
    figure = new_figure(_CELL * most + 1.5, (_CELL + 0.06) * len(models) + 0.1)
    grid = figure.subplots(len(models), most, squeeze=False)
    for row, chosen in zip(grid, models, strict=True):
        filters = chosen.predictions.view["filters"]
        for axes in row:
            axes.set_axis_off()
        for index in range(filters.shape[-1]):
            _draw_filter(row[index], filters[..., index], float(np.abs(filters).max()) or 1.0)
        name_row(row[0], chosen.label)
    return figure


def _draw_filter(axes: Axes, weights: NDArray[np.float32], largest: float) -> None:
    if weights.shape[-1] == 3:
        span = np.ptp(weights) or 1.0
        axes.imshow((weights - weights.min()) / span)
    else:
        axes.imshow(weights.mean(axis=-1), cmap=DIVERGING, vmin=-largest, vmax=largest)


def _outputs_figure(chosen: Chosen) -> Figure:
    view = chosen.predictions.view
    outputs = np.asarray(view["outputs"], np.float32)
    count, filters = len(outputs), outputs.shape[-1]
    figure = new_figure(_CELL * (filters + 1) + 1.5, (_CELL + 0.04) * count + 0.3)
    grid = figure.subplots(count, filters + 1, squeeze=False)
    low, high = outputs.min(axis=(0, 1, 2)), outputs.max(axis=(0, 1, 2))
    for place, row in enumerate(grid):
        show_image(row[0], view["shown"][place])
        name_row(row[0], chosen.predictions.class_names[int(view["shown_labels"][place])])
        if place == 0:
            row[0].set_title("image", loc="center", fontsize=8, fontweight="normal", pad=3)
        for index in range(filters):
            axes = row[index + 1]
            ink = {"cmap": "gray_r", "vmin": low[index], "vmax": high[index] or 1.0}
            axes.imshow(outputs[place, ..., index], **ink, interpolation=in_pixels(max(outputs.shape[1:3])))
            axes.set_axis_off()
            if place == 0:
                head = f"filter {index + 1}" if index == 0 else str(index + 1)
                axes.set_title(head, loc="center", fontsize=8, fontweight="normal", pad=3)
    return figure
