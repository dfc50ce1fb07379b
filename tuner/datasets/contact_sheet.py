"""A contact sheet: some images of each class in a row, as one picture."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tuner.datasets.audit import Audit, Seen
from tuner.datasets.channels import drawn
from tuner.datasets.depth import seen
from tuner.datasets.pictures import read_image
from tuner.errors import InputError
from tuner.system.files import remove_partials, write_whole
from tuner.text import shortened

#: Pixels of an image's place, between two, and above a row.
_SIDE, _GAP, _TITLE = 96, 6, 20
#: So many images stand in a row, and so many classes are shown.
_COLUMNS, _MOST_CLASSES = 10, 60
_INK, _PAPER = (40, 40, 40), (255, 255, 255)


def write_contact_sheet(found: Audit, file: Path) -> None:
    """Write the sheet as a PNG: of each class as many images as stand in a row, evenly from all of its images.

    Raises:
        InputError: it cannot be written.
    """
    rows: dict[str, list[Seen]] = defaultdict(list)
    for image in found.images:
        rows[image.label].append(image)
    names = [name for name in found.classes if rows[name]][:_MOST_CLASSES]
    size = (_GAP + _COLUMNS * (_SIDE + _GAP), _GAP + len(names) * (_TITLE + _SIDE + _GAP))
    sheet = Image.new("RGB", size, _PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for row, name in enumerate(names):
        top = _GAP + row * (_TITLE + _SIDE + _GAP)
        draw.text((_GAP, top), f"{shortened(name, 60)}, {len(rows[name]):,}", fill=_INK, font=font)
        places = np.linspace(0, len(rows[name]) - 1, min(_COLUMNS, len(rows[name]))).round().astype(int)
        for column, place in enumerate(places.tolist()):
            with suppress(InputError):  # a file that has gone meanwhile
                picture = _fitted(_pixels(found, rows[name][place]))
                left = _GAP + column * (_SIDE + _GAP)
                beside, below = (_SIDE - picture.width) // 2, (_SIDE - picture.height) // 2
                sheet.paste(picture, (left + beside, top + _TITLE + below))
    try:
        remove_partials(file.parent)
        write_whole(file, lambda partial: sheet.save(partial, "PNG"))
    except OSError as error:
        raise InputError(str(file), f"cannot be written ({error.strerror or error})") from error


def _fitted(pixels: NDArray[np.uint8]) -> Image.Image:
    """Return an image in the size of its place; one that is smaller keeps its pixels as squares."""
    pixels = drawn(pixels)
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).convert("RGB")
    scale = _SIDE / max(picture.size)
    how = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS
    return picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))), how)


def _pixels(found: Audit, image: Seen) -> NDArray[np.uint8]:
    """Return an image, which a file or an array holds."""
    if found.root is not None or found.arrays is None:
        return seen(read_image((found.root or Path()) / image.name, None, 3))
    data, place = found.arrays, int(image.name.rpartition(" ")[2])
    held = len(data.y_train) - data.validation_images if image.split == "val" else 0
    pixels: NDArray[np.uint8] = data.x_test[place] if image.split == "test" else data.x_train[held + place]
    return pixels
