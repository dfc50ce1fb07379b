"""Figures as PNG files: small, and the same bytes for the same figure."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: A picture of more colours than this holds photographs.
_COLOURS_OF_A_DRAWING = 10_000


def png(figure: Figure) -> bytes:
    """Return a picture so that the same content gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=144, bbox_inches="tight", metadata={"Software": None})
    return with_palette(buffer.getvalue())


def with_palette(picture: bytes) -> bytes:
    """Return a PNG with at most 256 colours as one of a byte a pixel, which is less than half as large.

    A drawing has few colours beside the shades of its edges, so that none moves far; a sheet of colour photographs has
    tens of thousands, and stays as it is.
    """
    from PIL import Image

    with Image.open(io.BytesIO(picture)) as opened:
        image = opened.convert("RGB")
    if image.getcolors(_COLOURS_OF_A_DRAWING) is None:
        return picture
    buffer = io.BytesIO()
    few = image.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(buffer, format="png", optimize=True)
    return buffer.getvalue()
