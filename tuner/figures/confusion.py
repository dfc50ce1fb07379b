"""Confusion matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tuner.analysis.class_scores import MOST_CLASSES
from tuner.analysis.confusion import ConfusionMatrix
from tuner.figures.style import SEQUENTIAL, panels, short


def confusion_figure(matrices: Sequence[ConfusionMatrix]) -> Figure:
    """Draw a panel for each matrix of a data set."""
    longest = max(len(short(name)) for name in matrices[0].class_names)
    room = 0.06 * max(0, longest - 14)  # for names on both axes
    figure, places = panels(len(matrices), 5.4 + room, 5.2 + room)
    for axes, matrix in zip(places, matrices, strict=True):
        draw_confusion(axes, matrix)
    return figure


def draw_confusion(axes: Axes, matrix: ConfusionMatrix, **image: Any) -> None:
    """Draw how many images of each class were taken for each; `image` is what matplotlib's is to have."""
    names, shares = [short(name) for name in matrix.class_names], matrix.shares
    axes.imshow(shares, **{"cmap": SEQUENTIAL, "vmin": 0, "vmax": 1, **image})
    if len(names) <= MOST_CLASSES:
        for row, column in np.argwhere(matrix.counts > 0):
            ink = "white" if shares[row, column] > 0.5 else "#222222"
            text = f"{matrix.counts[row, column]}"
            axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=7.5)
    long = max(map(len, names)) > 3
    turned: dict[str, Any] = {"rotation": 45, "ha": "right"} if long else {}
    if len(names) <= 2 * MOST_CLASSES:
        axes.set_xticks(range(len(names)), names, fontsize=8 if len(names) <= MOST_CLASSES else 6, **turned)
        axes.set_yticks(range(len(names)), names, fontsize=8 if len(names) <= MOST_CLASSES else 6)
    else:
        axes.set_xticks([])
        axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    axes.set_title(f"{matrix.label}, {matrix.dataset}")
