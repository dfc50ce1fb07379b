"""Sample images of each class of every data set, and how any image is shown."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tuner.analysis.findings import Findings
from tuner.contents.sections import Content, Paragraph, Picture, Section
from tuner.datasets.base import Dataset
from tuner.datasets.channels import channels_in_words, drawn
from tuner.datasets.remarks import images_of, sentences
from tuner.figures.image_sheet import ImageSheet
from tuner.figures.style import in_pixels
from tuner.report.leaks import leaks_table
from tuner.text import escape

_EACH = 8
_MOST_CLASSES = 20


def samples_section(findings: Findings) -> Section | None:
    """Show the first training images of each class."""
    contents: list[Content] = []
    for dataset in findings.seen_datasets:
        data = findings.data(dataset)
        height, width, channels = data.shape
        classes = len(data.class_names)
        fewest = np.bincount(data.y_train, minlength=classes)[:_MOST_CLASSES].min()
        first = f"the first {_EACH}" if fewest >= _EACH else f"up to {_EACH}"
        whose = "each class" if classes <= _MOST_CLASSES else f"each of the first {_MOST_CLASSES} of {classes} classes"
        kind = channels_in_words(channels)
        what = f"{images_of(data)} of {height}x{width} pixels, {kind}"
        caption = f"{dataset}: {what}. Shown are {first} training images of {whose}."
        file = f"samples-{findings.search.slugs[dataset]}.png"
        contents.append(Picture("samples", file, caption, partial(_samples_figure, data)))
        across = sentences(data, findings.copies(dataset))
        if across:
            told = f"Of {escape(dataset)}, {'; '.join(across)}: scores on them say nothing about new images."
            contents.append(Paragraph(told))
        table = leaks_table(findings, dataset)
        if table:
            contents.append(table)
    return Section("samples", "Sample images", contents) if contents else None


def _samples_figure(data: Dataset) -> Figure:
    names = data.class_names[:_MOST_CLASSES]
    sheet = ImageSheet(len(names), _EACH, 0.62)
    for label, name in enumerate(names):
        for column, index in enumerate(np.flatnonzero(data.y_train == label)[:_EACH]):
            sheet.show(label, column, np.asarray(data.x_train[index]))
        sheet.name_row(label, name)
    return sheet.figure


def show_image(axes: Axes, image: NDArray[Any]) -> None:
    """Show an image `(height, width, channels)`, 0 to 255; grey ones as ink on paper."""
    image = drawn(image)
    pixels = image[..., 0] if image.shape[-1] == 1 else image
    axes.imshow(pixels, cmap="gray_r", vmin=0, vmax=255, interpolation=in_pixels(max(image.shape[:2])))
    axes.set_axis_off()
