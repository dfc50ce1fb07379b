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

#: The colours of mistakes, and up to which share those of the diagonal go, so that its numbers stay legible.
_WRONG, _DIAGONAL = "Oranges", 2.0


def confusion_figure(matrices: Sequence[ConfusionMatrix]) -> Figure:
    """Draw a panel for each matrix of a data set."""
    longest = max(len(short(name)) for name in matrices[0].class_names)
    room = 0.06 * max(0, longest - 14)  # for names on both axes
    figure, places = panels(len(matrices), 5.4 + room, 5.2 + room)
    for axes, matrix in zip(places, matrices, strict=True):
        draw_confusion(axes, matrix)
    return figure


def draw_confusion(axes: Axes, matrix: ConfusionMatrix, **image: Any) -> None:
    """Draw how many images of each class were taken for each; `image` is what matplotlib's are to have.

    Mistakes have their own colours up to the largest share of them, beside which those on the diagonal are all alike.
    """
    names, shares = [short(name) for name in matrix.class_names], matrix.shares
    diagonal = np.eye(len(names), dtype=bool)
    right, wrong = np.ma.array(shares, mask=~diagonal), np.ma.array(shares, mask=diagonal)
    most = max(float(wrong.max()), 1e-9) if len(names) > 1 else 1.0
    axes.imshow(right, **{"cmap": SEQUENTIAL, "vmin": 0, "vmax": _DIAGONAL, **image})
    axes.imshow(wrong, **{"cmap": _WRONG, "vmin": 0, "vmax": most, **image})
    if len(names) <= MOST_CLASSES:
        for row, column in np.argwhere(matrix.counts > 0):
            strong = shares[row, column] > 0.6 * most and row != column
            text = f"{matrix.counts[row, column]}"
            ink = "white" if strong else "#222222"
            axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=7.5)
    _name_classes(axes, names)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_title(f"{matrix.label}, {matrix.dataset}")


def _name_classes(axes: Axes, names: Sequence[str]) -> None:
    """Write the classes at both axes, many of them by their numbers."""
    if len(names) > 2 * MOST_CLASSES:
        ticks = range(0, len(names), max(1, round(len(names) / 100) * 10))
        axes.set_xticks(ticks, [str(label) for label in ticks], fontsize=7)
        axes.set_yticks(ticks, [str(label) for label in ticks], fontsize=7)
        axes.set_xlabel("predicted class, by number")
        axes.set_ylabel("true class, by number")
        return
    turned: dict[str, Any] = {"rotation": 45, "ha": "right"} if max(map(len, names)) > 3 else {}
    size = 8 if len(names) <= MOST_CLASSES else 6
    axes.set_xticks(range(len(names)), names, fontsize=size, **turned)
    axes.set_yticks(range(len(names)), names, fontsize=size)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
