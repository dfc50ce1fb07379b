"""The picture of ROC curves in the report."""

from __future__ import annotations

from itertools import product

import numpy as np
from made_up import Project
from matplotlib.backends.backend_agg import FigureCanvasAgg

from tuner.analysis.roc import RocCurves
from tuner.figures.roc import roc_figure
from tuner.figures.style import report_style


def test_the_legends_of_two_models_lie_beside_their_curves(project: Project) -> None:
    with report_style():
        figure = roc_figure([RocCurves.of(chosen) for chosen in project.findings().chosen])
        FigureCanvasAgg(figure).draw()
    legends = [axes.get_legend() for axes in figure.axes]
    assert len(legends) == 2
    whole = figure.bbox
    for legend, axes in product(legends, figure.axes):
        assert legend is not None
        place = legend.get_window_extent()
        assert not place.overlaps(axes.get_window_extent())
        assert np.all(whole.min <= place.min)
        assert np.all(place.max <= whole.max), "nor is it cut off"
