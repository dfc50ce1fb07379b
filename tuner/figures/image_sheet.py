"""A sheet of small images in rows and columns, drawn in one axes: an axes for each image takes ten times as long."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray

from tuner.datasets.channels import drawn
from tuner.figures.style import in_pixels, new_figure, short

#: What is left free on each side of an image, as a share of its cell.
_MARGIN = 0.07


class ImageSheet:
    """A figure of `rows` by `columns` cells of `cell` inches a side, each with an image or empty; all count from 0.

    An example:

        sheet = ImageSheet(rows=1, columns=2, cell=0.6)
        sheet.show(0, 1, image)
        sheet.name_row(0, "cat")
        sheet.figure.savefig("cats.png")
    """

    def __init__(self, rows: int, columns: int, cell: float) -> None:
        self.figure: Figure = new_figure(cell * columns + 1.4, cell * rows + 0.3)
        self._axes = self.figure.subplots()
        self._axes.set_axis_off()
        self._axes.set(xlim=(0, columns), ylim=(rows, 0), aspect="equal")
        self._axes.set_autoscale_on(False)

    def show(self, row: int, column: int, image: NDArray[Any], **ink: Any) -> None:
        """Show an image `(height, width, channels)` of 0 to 255 in its cell, as large as fits; grey as ink on paper.

        With `ink`, options of matplotlib's `imshow`, the image is `(height, width)` or has colours from 0 to 1.
        """
        if not ink:
            image = drawn(image)
            image = image[..., 0] if image.shape[-1] == 1 else image
            ink = {"cmap": "gray_r", "vmin": 0, "vmax": 255}
        height, width = image.shape[:2]
        side = (1 - 2 * _MARGIN) / max(height, width)
        left, top = column + (1 - side * width) / 2, row + (1 - side * height) / 2
        extent = (left, left + side * width, top + side * height, top)
        self._axes.imshow(image, extent=extent, interpolation=in_pixels(max(height, width)), **ink)

    def name_row(self, row: int, name: str) -> None:
        """Write a name to the left of a row."""
        self._axes.text(-0.15, row + 0.5, short(name), ha="right", va="center", fontsize=9)

    def name_column(self, column: int, name: str) -> None:
        """Write a name above a column."""
        self._axes.text(column + 0.5, -0.08, name, ha="center", va="bottom", fontsize=8)
