"""The misclassified images of the chosen models, small, on one sheet for each data set."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from itertools import takewhile
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from tuner.analysis.calibration import Calibration
from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.mistakes import surest_by_cell
from tuner.contents.png import in_few_shades
from tuner.datasets.channels import drawn
from tuner.figures.heat import heat_colours
from tuner.page.numbers import plain
from tuner.protocol import test_images

#: Bytes of all sheets together, before they are written as text, which takes a third more.
_MOST_BYTES = 1_600_000
#: The longer side of an image on a sheet, at most.
_LARGEST = 40
_ACROSS = 40
#: So many shades has a heat map, which is drawn smoothly: as many as take half a byte.
_LEVELS = 16


class Sheets:
    """The pictures of many small ones that the page's scripts draw from: files beside it, or `held` in it.

    `files` are those that are to lie beside the page, by their names.
    """

    def __init__(self, held: bool) -> None:
        self._held = held
        self.files: dict[str, bytes] = {}

    def source(self, name: str, kind: str, content: bytes) -> str:
        """Return the address of a picture by which a page shows it; its file has this `name` without a suffix."""
        if self._held:
            return f"data:image/{kind};base64," + base64.b64encode(content).decode()
        file = f"{name}.{kind}"
        self.files[file] = content
        return quote(file)


def mistakes_data(findings: Findings, pictures: Sheets) -> dict[str, Any]:
    """Return the sheets by data set, and by model which of a sheet's images stand for which mistake.

    A sheet has `source` (the address of its picture, one of `pictures`), the `width` and `height` of an image on it
    and how many stand `across`; of a folder also `files`, the file of each image on it; `said` is by model what it
    takes each image for, and with how many per cent. `cells` are `[data set, model, true class, predicted class,
    [[place on the sheet, confidence], …]]`, classes by their numbers. Where there are more mistakes than there is room
    for, each cell gives up its least sure ones.
    """
    sheets: dict[str, dict[str, Any]] = {}
    cells = []
    for dataset in findings.datasets:
        models = findings.on(dataset)
        room = _MOST_BYTES // len(findings.datasets)
        wanted = [surest_by_cell(chosen.predictions.labels, chosen.predictions.probabilities) for chosen in models]
        places = [test_images(chosen.saved.trial, findings.data(dataset).y_test) for chosen in models]
        # In the order in which they are kept: the first of every cell of every model, then the second, …
        ranked = sorted(
            (rank, number, image)
            for number, mine in enumerate(wanted)
            for cell in mine.values()
            for rank, image in enumerate(cell)
        )
        order = list(dict.fromkeys(int(places[number][image]) for _, number, image in ranked))
        if not order:
            continue
        x_test = findings.data(dataset).x_test
        kind, content, kept, shape = _sheet(x_test, order, room)
        on_sheet = {image: place for place, image in enumerate(order[:kept])}
        sheets[plain(dataset)] = {
            "source": pictures.source(f"images-{findings.search.slugs[dataset]}", kind, content),
            "width": shape[1],
            "height": shape[0],
            "across": _ACROSS,
            "said": {
                chosen.model: _said(chosen, [int(place) for place in there], order[:kept])
                for chosen, there in zip(models, places, strict=True)
            },
        }
        heat = {one.model: _heat(one, there, on_sheet, pictures) for one, there in zip(models, places, strict=True)}
        sheets[plain(dataset)]["heat"] = {model: told for model, told in heat.items() if told}
        files = findings.files(dataset)
        if files:
            sheets[plain(dataset)]["files"] = [plain(files[image]) for image in order[:kept]]
        for number, (chosen, mine) in enumerate(zip(models, wanted, strict=True)):
            confidence = Calibration(chosen.predictions).confidence
            for (true, predicted), images in sorted(mine.items()):
                shown = [(on_sheet.get(int(places[number][image])), confidence[image]) for image in images]
                # Up to the first that had no room: one after it may be there for another model
                some = [[place, round(float(p), 4)] for place, p in takewhile(lambda one: one[0] is not None, shown)]
                if some:
                    cells.append([plain(dataset), chosen.model, true, predicted, some])
    return {"sheets": sheets, "cells": cells}


def _said(chosen: Chosen, places: list[int], shown: list[int]) -> list[list[int] | None]:
    """Return what a model takes each shown image for, and with how many per cent; None of one it was not scored on."""
    confidence = Calibration(chosen.predictions).confidence
    row_of = {image: row for row, image in enumerate(places)}
    rows = [row_of.get(image) for image in shown]
    predicted = chosen.predictions.predicted
    return [None if row is None else [int(predicted[row]), round(100 * float(confidence[row]))] for row in rows]


def _heat(chosen: Chosen, places: NDArray[np.intp], on_sheet: Mapping[int, int], pictures: Sheets) -> dict[str, Any]:
    """Return a model's heat maps of images on a sheet; empty where none is kept.

    `source` is the address of their picture, one of `pictures`, in `_LEVELS` colours; `width` and `height` are those
    of a map, `of` is the place on the sheet of the image that each is of.
    """
    from PIL import Image

    heat = chosen.predictions.heat
    shown = [] if heat is None else [place for place in heat.images if int(places[place]) in on_sheet]
    if heat is None or not shown:
        return {}
    tiles = [one for image in shown if (one := heat.of(image)) is not None]
    height, width = tiles[0].shape
    levels = np.rint(_side_by_side([tile[..., None] for tile in tiles], 0)[..., 0] / 255 * (_LEVELS - 1))
    picture = Image.fromarray(levels.astype(np.uint8), "P")
    colours = heat_colours()[np.rint(np.linspace(0, 255, _LEVELS)).astype(int)]
    picture.putpalette(colours[:, :3].tobytes())
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True, transparency=colours[:, 3].tobytes())
    return {
        "source": pictures.source(f"images_heat-{chosen.model}-{chosen.slug}", "png", buffer.getvalue()),
        "width": width,
        "height": height,
        "of": [on_sheet[int(places[image])] for image in shown],
    }


def _sheet(images: NDArray[Any], order: list[int], room: int) -> tuple[str, bytes, int, tuple[int, ...]]:
    """Return the first of these images as a picture within so many bytes: its kind, it, how many, the size of each."""
    kept = len(order)
    while True:
        tiles = [_tile(np.asarray(images[image])) for image in order[:kept]]
        kind, content = _picture(tiles)
        if len(content) <= room or kept <= _ACROSS:
            return kind, content, kept, tiles[0].shape[:2]
        kept = max(_ACROSS, int(0.95 * kept * room / len(content)))


def _tile(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Return an image `(height, width, channels)` small enough for the sheet; grey ones as ink on paper."""
    from PIL import Image

    small: NDArray[np.uint8] = drawn(image).astype(np.uint8)
    height, width = small.shape[:2]
    if max(height, width) > _LARGEST:
        scale = _LARGEST / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        plane = small[..., 0] if small.shape[-1] == 1 else small
        small = np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BOX)).reshape(*size[::-1], -1)
    return 255 - small if small.shape[-1] == 1 else small


def _picture(tiles: list[NDArray[np.uint8]]) -> tuple[str, bytes]:
    """Return tiles side by side: grey ones as PNG, coloured ones as JPEG, so that three times as many have room."""
    from PIL import Image

    sheet = _side_by_side(tiles, 255)
    buffer = io.BytesIO()
    if sheet.shape[-1] == 1:
        Image.fromarray(in_few_shades(sheet[..., 0])).save(buffer, "PNG", optimize=True)
        return "png", buffer.getvalue()
    Image.fromarray(sheet).save(buffer, "JPEG", quality=88, subsampling=0)  # its optimize fails on noise
    return "jpeg", buffer.getvalue()


def _side_by_side(tiles: list[NDArray[np.uint8]], ground: int) -> NDArray[np.uint8]:
    """Return tiles `(height, width, channels)` in rows of so many as a sheet has across, on a ground of one value."""
    height, width, channels = tiles[0].shape
    sheet = np.full((-(-len(tiles) // _ACROSS) * height, _ACROSS * width, channels), ground, np.uint8)
    for place, tile in enumerate(tiles):
        row, column = divmod(place, _ACROSS)
        sheet[row * height : (row + 1) * height, column * width : (column + 1) * width] = tile
    return sheet
