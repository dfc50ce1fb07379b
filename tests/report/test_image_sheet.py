"""A sheet of images shows each in its cell, upright, whole, in its own shape, and takes one axes for all."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from tuner.figures.image_sheet import ImageSheet

RED, GREEN, BLUE, GREY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128)


def drawn(sheet: ImageSheet) -> np.ndarray:
    buffer = io.BytesIO()
    sheet.figure.savefig(buffer, format="png", dpi=100)
    return np.asarray(Image.open(buffer).convert("RGB"))


def place(picture: np.ndarray, colour: tuple[int, int, int]) -> tuple[float, float, int, int]:
    """Return the middle of what has a colour, as row and column, and its height and width, all in pixels."""
    rows, columns = np.nonzero((picture == colour).all(axis=-1))
    return rows.mean(), columns.mean(), int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def test_each_image_stands_in_its_cell_and_the_sheet_is_one_axes():
    sheet = ImageSheet(2, 3, 0.6)
    for row, column, colour in ((0, 0, RED), (0, 2, GREEN), (1, 0, BLUE)):
        sheet.show(row, column, np.full((4, 4, 3), colour, np.uint8))
    sheet.name_row(0, "a class")
    sheet.name_column(2, "a head")
    assert len(sheet.figure.axes) == 1
    picture = drawn(sheet)
    red, green, blue = (place(picture, colour) for colour in (RED, GREEN, BLUE))
    assert abs(red[0] - green[0]) <= 1
    assert abs(red[1] - blue[1]) <= 1
    cell = blue[0] - red[0]
    assert abs(green[1] - red[1] - 2 * cell) <= 2
    assert 0.8 * cell < red[2] < cell
    assert abs(red[2] - red[3]) <= 1


def test_an_image_is_upright_and_keeps_its_shape():
    sheet = ImageSheet(1, 1, 1.0)
    wide = np.zeros((4, 8, 3), np.uint8)
    wide[:2], wide[2:] = RED, BLUE
    sheet.show(0, 0, wide)
    picture = drawn(sheet)
    red, blue = place(picture, RED), place(picture, BLUE)
    assert red[0] < blue[0]
    assert abs(red[3] - 2 * (red[2] + blue[2])) <= 2


def test_grey_is_ink_on_paper_and_colours_of_our_own_are_what_they_are():
    sheet = ImageSheet(1, 2, 1.0)
    sheet.show(0, 0, np.full((2, 2, 1), 127, np.uint8))
    sheet.show(0, 1, np.zeros((2, 2)), cmap="RdBu_r", vmin=-1, vmax=1)
    picture = drawn(sheet)
    assert place(picture, GREY)[2] > 50
    sheet = ImageSheet(1, 1, 1.0)
    sheet.show(0, 0, np.broadcast_to([1.0, 0.0, 0.0], (2, 2, 3)), vmin=0, vmax=1)
    assert place(drawn(sheet), RED)[2] > 50
