"""Figures as PNG files: small, and the same bytes for the same figure."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

#: Shades of a grey, or of red, green and blue, that an eye takes for all 256 of them.
SHADES = 18
#: How many colours a drawing has, those of its lines and areas and some between them for the edges: the first that do.
_DRAWN = (32, 64, 96, 128, 256)
#: What share of a drawing's pixels is an area, and how far its colour may move: a shade less is another count.
_AREA, _NEAR = 0.0015, 4
#: How far a colour may move, of 255, so that nobody sees it; and the share of pixels whose colours may move further,
#: in a drawing and in photographs.
_FAR, _MOST_MOVED, _MOST_MOVED_IN_PHOTOGRAPHS = 16, 0.005, 0.04
#: How many bytes of a PNG tell its width and height.
PNG_HEAD = 24


def png(figure: Figure) -> bytes:
    """Return a picture so that the same content gives the same bytes."""
    buffer = io.BytesIO()
    unpacked = {"compress_level": 0}  # it is packed below, once its colours are fewer
    figure.savefig(buffer, format="png", dpi=144, bbox_inches="tight", pil_kwargs=unpacked)
    return in_few_colours(buffer.getvalue())


def size_of_png(start: bytes) -> tuple[int, int] | None:
    """Return width and height as the first `PNG_HEAD` bytes of a PNG tell them; None where they are of none.

    Source: the PNG specification, "PNG signature" and "IHDR Image header".
    """
    if len(start) < PNG_HEAD or not start.startswith(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"):
        return None
    return int.from_bytes(start[16:20], "big"), int.from_bytes(start[20:24], "big")


def in_few_colours(picture: bytes) -> bytes:
    """Return a PNG of at most a third of the size that looks the same, in fewer colours.

    A drawing has few colours beside the shades of its edges, so that hardly any moves far. A sheet of photographs has
    tens of thousands, and keeps those that 256 do not come near to.
    """
    from PIL import Image

    with Image.open(io.BytesIO(picture)) as opened:
        image = opened.convert("RGB")
    colours: Any = image.getcolors(256) or []
    buffer = io.BytesIO()
    if colours and all(red == green == blue for _, (red, green, blue) in colours):
        small = Image.fromarray(in_few_shades(np.asarray(image.convert("L"))))
    else:
        small = _of_colours(image)
    small.save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def in_few_shades(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return greys, or each of three colours, in `SHADES` even steps from 0 to 255, which take less room."""
    steps = np.rint(np.arange(256) / 255 * (SHADES - 1))
    shades: NDArray[np.uint8] = np.rint(steps * 255 / (SHADES - 1)).astype(np.uint8)
    few: NDArray[np.uint8] = shades[pixels]
    return few


def _of_colours(image: Image) -> Image:
    from PIL import Image

    none = Image.Dither.NONE
    for colours in _DRAWN:
        drawn = image.quantize(colours, method=Image.Quantize.MAXCOVERAGE, dither=none)
        if _keep_areas(image, drawn) and _moved(image, drawn) <= _MOST_MOVED:
            return drawn
    stepped = Image.fromarray(in_few_shades(np.asarray(image)))
    chosen = stepped.quantize(256, method=Image.Quantize.MEDIANCUT, kmeans=1, dither=none)
    return chosen if _moved(image, chosen) <= _MOST_MOVED_IN_PHOTOGRAPHS else stepped


def _keep_areas(image: Image, drawn: Image) -> bool:
    """Let each colour of a drawing be the one that most of its pixels had; return whether all areas have theirs now."""
    red, green, blue = (np.asarray(band, np.uint32) for band in image.split())
    pixels = np.asarray(drawn, np.uint32) << 24 | red << 16 | green << 8 | blue
    held, counts = np.unique(pixels, return_counts=True)
    palette = np.zeros((256, 3), np.uint8)
    order = np.argsort(counts, kind="stable")  # the most frequent last
    places = held[order] >> 24
    colours = np.stack([held[order] >> shift & 255 for shift in (16, 8, 0)], axis=-1)
    palette[places] = colours
    drawn.putpalette(palette.tobytes())
    apart = np.abs(palette[places].astype(np.int64) - colours).max(axis=-1)
    return bool((apart[counts[order] >= _AREA * pixels.size] <= _NEAR).all())


def _moved(image: Image, other: Image) -> float:
    """Return the share of pixels whose colours are further from each other than one sees."""
    from PIL import ImageChops

    apart = np.asarray(ImageChops.difference(image, other.convert("RGB"))).max(axis=-1)
    return float((apart > _FAR).mean())
