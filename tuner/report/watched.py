"""What watched layers did while they learned: the gradient that reached them, and their kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from tuner import columns as col
from tuner.findings import Findings, winners
from tuner.report.base import Section, escape, picture
from tuner.report.style import colour, dash, new_figure, plain_decades, whole_numbers

#: Ridges of one figure; of a longer training, evenly spread epochs are shown.
_MOST_RIDGES = 21


def watched_section(findings: Findings) -> Section | None:
    """Draw gradient norm and kernel histograms by epoch of the watched layers of each best trial."""
    best = winners(findings.search, findings.members)
    figures, parts, frames = {}, [], []
    for dataset in findings.search.datasets:
        notes = [
            (entry.label, layer, found)
            for entry in findings.search.entries
            if (entry.name, dataset) in best
            for layer, found in best[entry.name, dataset].result.watched.items()
        ]
        if not notes:
            continue
        slug = findings.search.slugs[dataset]
        figure = new_figure(7.2, 3.8)
        _draw_gradients(figure.subplots(), notes, dataset)
        figures[f"gradients-{slug}.png"] = figure
        figure = new_figure(max(4.6, 3.4 * len(notes) + 1), 5.6)
        low, high = _range([found for _, _, found in notes])
        for index, (axes, (label, layer, found)) in enumerate(
            zip(figure.subplots(1, len(notes), squeeze=False, sharey=True)[0], notes, strict=True)
        ):
            _draw_ridges(axes, found["kernel"], low, high, colour(index))
            axes.set_title(f"{label}, {layer}")
            if index == 0:
                axes.set_ylabel("epoch (0: before training)")
        figures[f"kernels-{slug}.png"] = figure
        parts += [
            picture(
                f"gradients-{slug}.png",
                f"Norm of the gradient that reaches the layer's kernel, on {dataset}: over the first 256 training "
                "images, before training (0) and after each epoch; logarithmic axis",
            ),
            picture(f"kernels-{slug}.png", f"Histograms of the layer's kernel by epoch, on {dataset}"),
        ]
        frames += [_frame(dataset, *note) for note in notes]
    if not parts:
        return None
    parts.append("The figures' numbers: [watched.csv](watched.csv).")
    names = ", ".join(dict.fromkeys(frame[col.LAYER].iloc[0] for frame in frames))
    return Section(
        f"Inside {escape(names)} while it learns",
        "\n\n".join(parts),
        figures,
        {"watched.csv": pd.concat(frames, ignore_index=True)},
    )


def _frame(dataset: str, label: str, layer: str, found: dict[str, Any]) -> pd.DataFrame:
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
            col.MODEL: label,
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


def _draw_gradients(axes: Axes, notes: list[tuple[str, str, dict[str, Any]]], dataset: str) -> None:
    for index, (label, layer, found) in enumerate(notes):
        norms = found["gradient_norm"]
        axes.plot(range(len(norms)), norms, color=colour(index), linestyle=dash(index), label=f"{label}, {layer}")
    axes.set_yscale("log")
    plain_decades(axes.yaxis)
    axes.set_xlabel("epoch (0: before training)")
    axes.set_ylabel("norm of the gradient")
    whole_numbers(axes.xaxis)
    axes.set_title(f"Gradient of the loss at the layer's kernel, {dataset}")
    axes.legend()


def _range(found: list[dict[str, Any]]) -> tuple[float, float]:
    kernels = [kernel for one in found for kernel in one["kernel"]]
    return min(kernel["low"] for kernel in kernels), max(kernel["high"] for kernel in kernels)


def _centres(kernel: dict[str, Any]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    edges = np.linspace(kernel["low"], kernel["high"], len(kernel["counts"]) + 1)
    centres: np.ndarray[tuple[int], np.dtype[np.float64]] = (edges[1:] + edges[:-1]) / 2
    return centres


def _draw_ridges(axes: Axes, kernels: list[dict[str, Any]], low: float, high: float, ink: str) -> None:
    """Draw a histogram per epoch, each a little above the one before, the later ones behind."""
    shown = np.unique(np.linspace(0, len(kernels) - 1, min(len(kernels), _MOST_RIDGES)).round().astype(int))
    step = (len(kernels) - 1) / max(len(shown) - 1, 1) or 1.0
    densities = {}
    for epoch in shown:
        counts = np.asarray(kernels[epoch]["counts"], float)
        width = (kernels[epoch]["high"] - kernels[epoch]["low"]) / max(len(counts), 1) or 1.0
        # Over three bins: kernels of a few hundred values are ragged otherwise.
        smooth = np.convolve(counts, (0.25, 0.5, 0.25), mode="same") if len(counts) else counts
        densities[epoch] = smooth / max(counts.sum(), 1) / width
    tallest = max((float(d.max()) for d in densities.values() if len(d)), default=1.0) or 1.0
    for order, epoch in enumerate(reversed(shown)):
        x, height = _centres(kernels[epoch]), densities[epoch] / tallest * 2.6 * step
        axes.fill_between(x, epoch, epoch + height, facecolor="white", alpha=0.75, zorder=2 + order, linewidth=0)
        axes.fill_between(x, epoch, epoch + height, facecolor=ink, alpha=0.3, zorder=2 + order, linewidth=0)
        axes.plot(x, epoch + height, color=ink, linewidth=1.0, zorder=2 + order)
    margin = 0.04 * (high - low or 1.0)
    axes.set_xlim(low - margin, high + margin)
    axes.set_xlabel("value of a weight")
    axes.grid(axis="y", visible=False)
    whole_numbers(axes.yaxis)
