"""The pictures of the mistakes that a model was surest of: the images, and where in them it saw the wrong class."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tuner.analysis.calibration import Calibration
from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.mistakes import HeatMaps
from tuner.contents.sections import Content, Paragraph, Picture
from tuner.figures.heat import heat_colours
from tuner.figures.style import new_figure
from tuner.report.images import show_image
from tuner.text import escape, shortened

_IN_ROW = 6
#: Letters of class names under a picture, before they are cut.
_LETTERS = 17


def heat_of_mistakes(findings: Findings, chosen: Chosen, images: NDArray[np.intp], wrong: NDArray[np.intp]) -> Content:
    """Show where a model saw the classes that it took pictured mistakes for, or say why nothing of it is kept."""
    heat = chosen.predictions.heat
    if heat is None:
        convolves = any("Conv" in layer["kind"] for layer in chosen.saved.result.layers)
        why = "none was kept" if convolves else "its network has no convolution, whose feature maps they are made of"
        return Paragraph(f"Of these mistakes of {escape(chosen.label)} there are no heat maps: {why}.")
    height, width = heat.maps.shape[1:]
    caption = (
        f"{chosen.label} on {chosen.dataset}: where it saw the class that it took each of these mistakes for, by "
        f"Grad-CAM (Selvaraju et al., 2017). Each image has {height}x{width} parts; the redder one is, the more it "
        "spoke for that class."
    )
    file = f"heat-{chosen.model}-{findings.search.slugs[chosen.dataset]}.png"
    draw = partial(_heat_figure, findings, chosen, heat, images, wrong)
    return Picture("heat", file, caption, draw)


def mistakes_figure(
    findings: Findings, chosen: Chosen, calibration: Calibration, images: NDArray[np.intp], wrong: NDArray[np.intp]
) -> Figure:
    """Show the images that a model was surest of and wrong about, each with its classes and the confidence."""
    figure, cells = _mistakes_cells(findings, chosen, images, wrong, under=0.62)  # two lines of text, sometimes three
    predictions = chosen.predictions
    for axes, place in zip(cells, wrong, strict=True):
        true, predicted = (
            predictions.class_names[label] for label in (predictions.labels[place], predictions.predicted[place])
        )
        text = f"{_names(true, predicted)}\n{_probability(calibration.confidence[place])}"
        axes.text(0.5, -0.05, text, transform=axes.transAxes, ha="center", va="top", fontsize=9)
    return figure


def _heat_figure(
    findings: Findings, chosen: Chosen, heat: HeatMaps, images: NDArray[np.intp], wrong: NDArray[np.intp]
) -> Figure:
    """Show the same images, each under its heat map, with the class that it was taken for."""
    figure, cells = _mistakes_cells(findings, chosen, images, wrong, under=0.32)
    colours = heat_colours()
    for axes, place in zip(cells, wrong, strict=True):
        found = heat.of(int(place))
        if found is not None:
            axes.imshow(colours[_smooth(found)], extent=axes.get_images()[0].get_extent())
        name = " ".join(chosen.predictions.class_names[chosen.predictions.predicted[place]].split())
        axes.text(0.5, -0.05, shortened(name, _LETTERS), transform=axes.transAxes, ha="center", va="top", fontsize=9)
    return figure


def _mistakes_cells(
    findings: Findings, chosen: Chosen, images: NDArray[np.intp], wrong: NDArray[np.intp], under: float
) -> tuple[Figure, list[Axes]]:
    """Return a figure of images, and the axes of each; `under` each are so many inches for text."""
    data = findings.data(chosen.dataset)
    across, down = min(_IN_ROW, len(wrong)), -(-len(wrong) // _IN_ROW)
    height, width = data.shape[:2]
    figure = new_figure(1.58 * across, (1.58 * min(2.0, height / width) + under) * down)
    grid = figure.subplots(down, across, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, place in zip(grid.flat, wrong, strict=False):
        show_image(axes, np.asarray(data.x_test[images[place]]))
    return figure, list(grid.flat[: len(wrong)])


def _smooth(heat: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a heat map in many more rows and columns, with values between."""
    from PIL import Image

    height, width = heat.shape
    return np.asarray(Image.fromarray(heat).resize((12 * width, 12 * height), Image.Resampling.BILINEAR))


def _names(true: str, predicted: str) -> str:
    """Return both names, in one line where they are short, else in two, each cut where it is too long."""
    true, predicted = (" ".join(name.split()) for name in (true, predicted))
    if len(true) + len(predicted) <= _LETTERS:
        return f"{true} → {predicted}"
    return "\n→ ".join(shortened(name, _LETTERS) for name in (true, predicted))


def _probability(p: float) -> str:
    """Return a confidence with three decimals; 1.000 only where it is 1."""
    return "p > 0.999" if 0.9995 <= p < 1 else f"p = {p:.3f}"
