"""What watched layers did while they learned: the gradient that reached them, and their kernels.

Where several layers of a model are watched, how far the gradient comes is shown by layer, over all watched trainings;
by epoch then stands the first of them alone.
"""

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
from tuner.analysis.gradients import WatchedTraining, watched_trainings
from tuner.contents.cells import DASH
from tuner.contents.sections import Content, Paragraph, Picture, Section, Table
from tuner.figures.style import colour, dash, new_figure, plain_decades, whole_numbers
from tuner.search_file.model_search import ModelSearch
from tuner.text import escape

_Curve = NDArray[np.float64]
#: Of each trial that is shown its model, the layer, and what was noted of it.
_Notes = Sequence[tuple[ModelSearch, str, dict[str, Any]]]
#: Ridges of one figure; of a longer training, evenly spread epochs are shown.
_MOST_RIDGES = 21
#: Layers that figures by epoch show at most, before they show the first of each model alone.
_MOST_LINES = 4
#: Panels side by side.
_ACROSS = 3


def watched_section(findings: Findings) -> Section | None:
    """Draw gradient norm and kernel histograms by epoch of the watched layers of each best trial."""
    contents: list[Content] = []
    frames = []
    for dataset in findings.search.datasets:
        every = [
            (model_search, layer, found)
            for model_search, record in findings.best_trials(dataset)
            for layer, found in record.result.watched.items()
        ]
        if not every:
            continue
        slug = findings.search.slugs[dataset]
        trainings = watched_trainings(findings, dataset)
        notes = _first_of_each(every) if len(every) > _MOST_LINES else every
        if any(len(one.layers) > 1 for one in trainings):
            contents += _by_layer(trainings, dataset, slug)
        caption = (
            f"Norm of the gradient that reaches the layer's kernel, on {dataset}: over the first 256 training "
            "images, or all of fewer, before training (0) and after each epoch. The axis is logarithmic."
        )
        draw = partial(_gradients_figure, notes, dataset)
        contents.append(Picture("gradients", f"gradients-{slug}.png", caption, draw))
        caption = f"Distribution of the layer's weights by epoch, smoothed, on {dataset}."
        contents.append(Picture("kernels", f"kernels-{slug}.png", caption, partial(_kernels_figure, notes)))
        searched = {model_search.name: record.trial.seed for model_search, record in findings.best_trials(dataset)}
        frames += [
            _frame(dataset, model_search.name, searched[model_search.name], *rest) for model_search, *rest in every
        ]
        known = set(searched.items())
        frames += [
            _frame(dataset, one.model, one.seed, layer, dict(found))
            for one in trainings
            if (one.model, one.seed) not in known
            for layer, found in one.notes.items()
        ]
    if not contents:
        return None
    contents.append(Paragraph("The figures' numbers: [watched.csv](watched.csv)."))
    layers = list(dict.fromkeys(frame[col.LAYER].iloc[0] for frame in frames))
    names = ", ".join(layers) if len(layers) <= _MOST_LINES else "the layers"
    tables = {"watched.csv": pd.concat(frames, ignore_index=True)}
    learns = "they learn" if len(layers) > _MOST_LINES else "it learns"
    return Section("watched", f"Inside {escape(names)} while {learns}", contents, tables)


def _first_of_each(notes: _Notes) -> list[tuple[ModelSearch, str, dict[str, Any]]]:
    """Return the first watched layer of each model."""
    firsts = {model_search.name: (model_search, layer, found) for model_search, layer, found in reversed(notes)}
    return [firsts[name] for name in dict.fromkeys(model_search.name for model_search, _, _ in notes)]


def _by_layer(trainings: Sequence[WatchedTraining], dataset: str, slug: str) -> list[Content]:
    """Return the gradient at the watched layers, of the first and the last as a table, of all as a figure."""
    of_model: dict[str, list[WatchedTraining]] = {}
    for one in trainings:
        of_model.setdefault(one.label, []).append(one)
    rows = [
        [
            escape(label),
            len(mine[0].layers),
            len(mine),
            _middle([one.logarithms[0, 0] for one in mine]),
            _middle([one.logarithms[-1, 0] for one in mine]),
            _middle([one.logarithms[0].mean() for one in mine]),
        ]
        for label, mine in of_model.items()
    ]
    lead = (
        f"Norm of the gradient that reaches the kernels of the first and of the last watched layer, on "
        f"{escape(dataset)}: geometric mean over trainings with different seeds, with the lowest and the highest"
    )
    heads = ["model", "watched layers", "trainings", "first layer, before training", "last layer, before training"]
    heads.append("first layer, mean over all epochs")
    caption = (
        f"Norm of the gradient that reaches each layer's kernel, from the first layer to the last, on {dataset}. "
        "A line is the geometric mean over trainings; their range is shaded."
    )
    draw = partial(_layers_figure, of_model, dataset)
    return [Table(rows, heads, lead=lead), Picture("gradients_by_layer", f"layers-{slug}.png", caption, draw)]


def _middle(logarithms: Sequence[float]) -> str:
    """Return the geometric mean of norms with their range, given their logarithms."""
    if not np.isfinite(logarithms).all():
        return DASH
    low, middle, high = (float(np.exp(of)) for of in (min(logarithms), np.mean(logarithms), max(logarithms)))
    return f"{middle:.3g}" if len(logarithms) == 1 else f"{middle:.3g} ({low:.3g} to {high:.3g})"


def _layers_figure(of_model: dict[str, list[WatchedTraining]], dataset: str) -> Figure:
    figure = new_figure(9.6, 4.2)
    before, later = figure.subplots(1, 2, sharey=True)
    for axes, what in ((before, "before training"), (later, "mean over all epochs")):
        for index, (label, mine) in enumerate(of_model.items()):
            logarithms = np.array([one.logarithms for one in mine])
            values = logarithms[:, :, 0] if axes is before else logarithms.mean(axis=2)
            place = range(1, values.shape[1] + 1)
            axes.plot(place, np.exp(values.mean(axis=0)), color=colour(index), linestyle=dash(index), label=label)
            low, high = np.exp(values.min(axis=0)), np.exp(values.max(axis=0))
            axes.fill_between(place, low, high, color=colour(index), alpha=0.15, linewidth=0)
        axes.set_yscale("log")
        plain_decades(axes.yaxis)
        whole_numbers(axes.xaxis)
        axes.set_xlabel("layer, from the first to the last")
        axes.set_title(f"Gradient by layer, {what}")
    before.set_ylabel(f"norm of the gradient, {dataset}")
    before.legend()
    return figure


def _frame(dataset: str, model: str, seed: int, layer: str, found: dict[str, Any]) -> pd.DataFrame:
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
            col.MODEL: model,
            col.DATASET: dataset,
            col.SEED: seed,
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
    across = len(notes) if len(notes) <= _MOST_LINES else _ACROSS
    down = -(-len(notes) // across)
    figure = new_figure(max(4.6, 3.4 * across + 1), 5.6 * down)
    low, high = _range([found for _, _, found in notes])
    grid = figure.subplots(down, across, squeeze=False, sharey=True)
    for axes in grid[:, 0]:
        axes.set_ylabel("epoch (0: before training)")
    for axes in list(grid.flat)[len(notes) :]:
        axes.set_axis_off()
    for index, (axes, (model_search, layer, found)) in enumerate(zip(grid.flat, notes, strict=False)):
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
