"""What watched layers did while they learned: the gradient that reached them, and their kernels."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from tuner import columns as col
from tuner.analysis.findings import Findings
from tuner.contents.sections import Content, Paragraph, Picture, Section
from tuner.figures.style import colour, dash, new_figure, plain_decades, whole_numbers
from tuner.search_file.model_search import ModelSearch
from tuner.text import escape

_Curve = NDArray[np.float64]
#: Of each trial that is shown its model, the layer, and what was noted of it.
_Notes = Sequence[tuple[ModelSearch, str, dict[str, Any]]]
#: Ridges of one figure; of a longer training, evenly spread epochs are shown.
_MOST_RIDGES = 21


def watched_section(findings: Findings) -> Section | None:
    """Draw gradient norm and kernel histograms by epoch of the watched layers of each best trial."""
    contents: list[Content] = []
    frames = []
    for dataset in findings.search.datasets:
        notes = [
            (model_search, layer, found)
            for model_search, record in findings.best_trials(dataset)
            for layer, found in record.result.watched.items()
        ]
        if not notes:
            continue
        slug = findings.search.slugs[dataset]
        caption = (
            f"Norm of the gradient that reaches the layer's kernel, on {dataset}: over the first 256 training "
            "images, or all of fewer, before training (0) and after each epoch; logarithmic axis"
        )
        draw = partial(_gradients_figure, notes, dataset)
        contents.append(Picture("gradients", f"gradients-{slug}.png", caption, draw))
        caption = f"Distribution of the layer's weights by epoch, smoothed, on {dataset}"
        contents.append(Picture("kernels", f"kernels-{slug}.png", caption, partial(_kernels_figure, notes)))
        frames += [_frame(dataset, *note) for note in notes]
    if not contents:
        return None
    contents.append(Paragraph("The figures' numbers: [watched.csv](watched.csv)."))
    names = ", ".join(dict.fromkeys(frame[col.LAYER].iloc[0] for frame in frames))
    tables = {"watched.csv": pd.concat(frames, ignore_index=True)}
    return Section("watched", f"Inside {escape(names)} while it learns", contents, tables)


def _frame(dataset: str, model_search: ModelSearch, layer: str, found: dict[str, Any]) -> pd.DataFrame:
    kernels = found["kernel"]
    centres = [_centres(kernel) for kernel in kernels]
    counts = [np.asarray(kernel["counts"], float) for kernel in kernels]
    means = [float(np.average(c, weights=n)) if n.sum() else np.nan for c, n in zip(centres, counts, strict=True)]
    spread = [
        float(np.sqrt(np.average((c - m) ** 2, weights=n))) if n.sum() else np.nan
        for c, n, m in zip(centres, counts, means, strict=True)
    ]
    return pd.DataFrame(
        {
            col.MODEL: model_search.name,
            col.DATASET: dataset,
            col.LAYER: layer,
            col.EPOCH: range(len(kernels)),
            col.GRADIENT_NORM: found["gradient_norm"],
            "kernel_mean": means,
            "kernel_sd": spread,
            "kernel_low": [kernel["low"] for kernel in kernels],
            "kernel_high": [kernel["high"] for kernel in kernels],
        }
    )


def _gradients_figure(notes: _Notes, dataset: str) -> Figure:
    figure = new_figure(7.2, 3.8)
    axes = figure.subplots()
    for index, (model_search, layer, found) in enumerate(notes):
        norms = found["gradient_norm"]
        axes.plot(
            range(len(norms)), norms, color=colour(index), linestyle=dash(index), label=f"{model_search.label}, {layer}"
        )
    axes.set_yscale("log")
    plain_decades(axes.yaxis)
    axes.set_xlabel("epoch (0: before training)")
    axes.set_ylabel("norm of the gradient")
    whole_numbers(axes.xaxis)
    axes.set_title(f"Gradient of the loss at the layer's kernel, {dataset}")
    axes.legend()
    return figure


def _kernels_figure(notes: _Notes) -> Figure:
    figure = new_figure(max(4.6, 3.4 * len(notes) + 1), 5.6)
    low, high = _range([found for _, _, found in notes])
    grid = figure.subplots(1, len(notes), squeeze=False, sharey=True)[0]
    grid[0].set_ylabel("epoch (0: before training)")
    for index, (axes, (model_search, layer, found)) in enumerate(zip(grid, notes, strict=True)):
        _draw_ridges(axes, found["kernel"], low, high, colour(index))
        axes.set_title(f"{model_search.label}, {layer}")
    return figure


def _range(found: list[dict[str, Any]]) -> tuple[float, float]:
    kernels = [kernel for one in found for kernel in one["kernel"]]
    return min(kernel["low"] for kernel in kernels), max(kernel["high"] for kernel in kernels)


def _centres(kernel: dict[str, Any]) -> _Curve:
    edges = np.linspace(kernel["low"], kernel["high"], len(kernel["counts"]) + 1)
    centres: _Curve = (edges[1:] + edges[:-1]) / 2
    return centres


def _draw_ridges(axes: Axes, kernels: list[dict[str, Any]], low: float, high: float, ink: str) -> None:
    """Draw a density per epoch, each a little above the one before, the later ones behind."""
    shown = np.unique(np.linspace(0, len(kernels) - 1, min(len(kernels), _MOST_RIDGES)).round().astype(int))
    step = (len(kernels) - 1) / max(len(shown) - 1, 1) or 1.0
    densities = {epoch: _density(kernels[epoch]) for epoch in shown}
    tallest = max((float(height.max()) for _, height in densities.values() if len(height)), default=0.0) or 1.0
    for order, epoch in enumerate(reversed(shown)):
        x, density = densities[epoch]
        height = density / tallest * 2.6 * step
        axes.fill_between(x, epoch, epoch + height, facecolor="white", alpha=0.75, zorder=2 + order, linewidth=0)
        axes.fill_between(x, epoch, epoch + height, facecolor=ink, alpha=0.3, zorder=2 + order, linewidth=0)
        axes.plot(x, epoch + height, color=ink, linewidth=1.0, zorder=2 + order)
    margin = 0.18 * (high - low or 1.0)
    axes.set_xlim(low - margin, high + margin)
    axes.set_xlabel("value of a weight")
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.grid(axis="y", visible=False)
    whole_numbers(axes.yaxis)


def _density(kernel: dict[str, Any]) -> tuple[_Curve, _Curve]:
    """Return places and densities of a histogram, smoothed: a kernel of a few hundred weights is ragged otherwise.

    By a Gaussian of half the width of Silverman (1986), equation 3.28, which smooths too much what is not normal.
    """
    counts, centres = np.asarray(kernel["counts"], float), _centres(kernel)
    if not counts.sum() or kernel["high"] <= kernel["low"]:
        return centres[:0], counts[:0]
    bin_width = centres[1] - centres[0]
    mean = np.average(centres, weights=counts)
    spread = float(np.sqrt(np.average((centres - mean) ** 2, weights=counts)))
    width = max(0.53 * spread * counts.sum() ** -0.2 / bin_width, 0.5)
    reach = int(np.ceil(3 * width))
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    smooth = np.convolve(np.pad(counts, reach), bell / bell.sum(), mode="same")
    x = centres[0] + bin_width * np.arange(-reach, len(counts) + reach)
    return x, smooth / counts.sum() / bin_width
