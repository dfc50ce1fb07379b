"""ROC curves of each class against the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tuner.analysis.class_scores import MOST_CLASSES
from tuner.analysis.roc import RocCurves
from tuner.figures.style import COLOURS, colour, dash, panels, plain_decades, short

#: Of too many classes so many are drawn, so that no two curves look alike.
DRAWN_OF_MANY = len(COLOURS) * 2


def roc_figure(models: Sequence[RocCurves]) -> Figure:
    """Draw a panel for each model."""
    figure, places = panels(len(models), 6.6, 4.4)
    for axes, roc in zip(places, models, strict=True):
        draw_roc(axes, roc)
    return figure


def draw_roc(axes: Axes, roc: RocCurves, **lines: Any) -> None:
    """Draw the ROC curve of each class, or of the worst; `lines` is what matplotlib's are to have."""
    many = len(roc.curves) > MOST_CLASSES
    for index, curve in enumerate(roc.worst(DRAWN_OF_MANY if many else len(roc.curves))):
        name = short(curve.name)
        if len(curve.false_rate):
            # matplotlib leaves labels that begin with an underscore out of its legends
            label = f"{'' if name[:1] != '_' else ' '}{name}  {curve.area:.4f}"
            look = {"color": colour(index), "linestyle": dash(index), "linewidth": 1.4, **lines}
            axes.plot(np.maximum(curve.false_rate, 0.5 / roc.images), curve.true_rate, label=label, **look)
    axes.set_xscale("log")
    axes.set_xlim(0.5 / roc.images, 1)
    plain_decades(axes.xaxis)
    axes.set_ylim(0, 1.01)
    axes.set_xlabel("false positive rate")
    axes.set_ylabel("true positive rate")
    axes.set_title(f"{roc.label}, {roc.dataset}")
    beside: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0.0}  # of no curve
    axes.legend(**beside, title="class, AUC", alignment="left", fontsize=8, title_fontsize=8)
