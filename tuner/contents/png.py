"""Figures as PNG files: small, and the same bytes for the same figure."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: How far a colour may move, of 255, so that nobody sees it, and the share of pixels whose colours may move further.
_FAR, _MOST_MOVED = 16, 0.005


def png(figure: Figure) -> bytes:
    """Return a picture so that the same content gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=144, bbox_inches="tight", metadata={"Software": None})
    return with_palette(buffer.getvalue())


def with_palette(picture: bytes) -> bytes:
    """Return a PNG with a byte a pixel, which is less than half as large: its grey, or one of 256 colours.

    A drawing has few colours beside the shades of its edges, so that hardly any moves far; a sheet of photographs
    in colour has tens of thousands, and keeps them all.
    """
    from PIL import Image, ImageChops

    with Image.open(io.BytesIO(picture)) as opened:
        image = opened.convert("RGB")
    colours: Any = image.getcolors(256) or []
    if colours and all(red == green == blue for _, (red, green, blue) in colours):
        small = image.convert("L")
    else:
        small = image.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        moved = np.asarray(ImageChops.difference(image, small.convert("RGB"))).max(axis=-1)
        if (moved > _FAR).mean() > _MOST_MOVED:
            small = image
    buffer = io.BytesIO()
    small.save(buffer, format="png", optimize=True)
    return buffer.getvalue()
