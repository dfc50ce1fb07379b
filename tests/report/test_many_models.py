"""Figures of many models: names fit in, points lie beside each other, and no two models look the same."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.figure import Figure

from tuner.analysis.class_metrics import CLASS_METRICS
from tuner.analysis.class_scores import ClassScores, ModelScores
from tuner.figures.class_scores import class_scores_figure
from tuner.figures.front import FrontPoint, front_figure
from tuner.figures.style import COLOURS, colour, marker, report_style

NAMES = [f"64-64-{128 + place}" for place in range(12)]


def scores_of(models: int, classes: int = 10) -> ClassScores:
    each = np.random.default_rng(0).uniform(0.5, 1, (5, classes))
    shown = [
        ModelScores(name, each, each.mean(axis=0), each.std(axis=0, ddof=1), number)
        for number, name in enumerate(NAMES[:models])
    ]
    names = tuple(f"class {place}" for place in range(classes))
    return ClassScores(CLASS_METRICS["f1"], "blobs", names, np.full(classes, 9), tuple(shown))


def drawn(scores: ClassScores) -> Figure:
    with report_style():
        figure = class_scores_figure([scores])
        figure.draw_without_rendering()
    return figure


@pytest.mark.parametrize("models", [2, 5, 10, 12])
def test_the_names_of_many_models_stand_above_the_classes_and_not_beside_them(models: int) -> None:
    figure = drawn(scores_of(models))
    (axes,) = figure.axes
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == NAMES[:models]
    panel, names = axes.get_window_extent(), legend.get_window_extent()
    assert names.x1 <= figure.bbox.x1
    assert panel.width > 0.85 * figure.bbox.width, "what is drawn keeps the room of the figure"
    title = axes._left_title.get_window_extent()  # type: ignore[attr-defined]  # its place follows the legend's rows
    assert names.y1 <= title.y0


def test_models_of_a_class_lie_beside_each_other() -> None:
    figure = drawn(scores_of(10))
    (axes,) = figure.axes
    inches = axes.get_window_extent().width / figure.dpi
    (left, right), ends = axes.get_xlim(), []
    for line in axes.get_lines():
        half = line.get_markersize() / 72 / inches * (right - left) / 2
        ends += [(float(middle) - half, float(middle) + half) for middle in np.asarray(line.get_xdata())]
    ends.sort()
    assert len(ends) == 10 * 10
    assert all(right < left for (_, right), (left, _) in itertools.pairwise(ends))


def test_no_two_of_many_models_look_the_same() -> None:
    assert len({(colour(index), marker(index)) for index in range(2 * len(COLOURS))}) == 2 * len(COLOURS)
    assert marker(0) != marker(1)
    points = [FrontPoint(name, 10 + place, 0.5, place == 0, place) for place, name in enumerate(NAMES)]
    with report_style():
        figure = front_figure(points, "validation accuracy")
        figure.draw_without_rendering()
    (axes,), (legend,) = figure.axes, figure.legends
    *models, _ = axes.get_lines()
    assert len({(line.get_color(), line.get_marker()) for line in models}) == len(NAMES)
    panel, names = axes.get_window_extent(), legend.get_window_extent()
    assert panel.y1 <= names.y0, "the legend covers no point"
    assert names.x1 <= figure.bbox.x1
    assert panel.height > 2.5 * figure.dpi, "however many rows it has"
