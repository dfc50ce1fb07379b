"""Pixels of 16 bits, such as microscopes and scanners write, brought to the 8 bits that networks are fed.

Many devices fill 10, 12 or 14 of the 16 bits alone. So the largest pixel of a whole data set tells how many there are,
and its images are all brought to 0 to 255 by the same factor; which one, the data set remembers (`Dataset.bits`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.datasets.large import release, room_for, rows_of

#: How many bits a pixel may have.
BITS = (8, 10, 12, 14, 16)
#: The factor that brings 8 bits to 16: 255 to 65,535.
_WIDER = 257


def bits_of(most: int) -> int:
    """Return the fewest bits that hold a pixel: 12 for 4,000."""
    return next(bits for bits in BITS if most < 1 << bits)


def as_bytes(pixels: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    """Return pixels of so many bits as whole numbers from 0 to 255."""
    scaled = np.rint(pixels.astype(np.float32) * (255 / ((1 << bits) - 1)))
    found: NDArray[np.uint8] = np.minimum(scaled, 255).astype(np.uint8)
    return found


def seen(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return an image as it is looked at: one of 16 bits by the bits that its own pixels fill."""
    return pixels if pixels.dtype == np.uint8 else as_bytes(pixels, bits_of(int(pixels.max())))


def alike(pixels: NDArray[Any], image: NDArray[Any], there: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return an array and an image that goes into it in the same kind of whole numbers, the larger of theirs.

    Args:
        pixels: the array, `(n, height, width, channels)`.
        image: `(height, width, channels)`.
        there: how many images the array holds so far.
    """
    if pixels.dtype == image.dtype:
        return pixels, image
    if image.dtype == np.uint8:
        return pixels, image.astype(np.uint16) * _WIDER
    wider = room_for(len(pixels), pixels.shape[1:], np.uint16)
    step = rows_of(pixels.shape[1:])
    for begin in range(0, there, step):
        here = slice(begin, min(begin + step, there))
        wider[here] = pixels[here].astype(np.uint16) * _WIDER
        release(pixels)
        release(wider)
    return wider, image


def narrowed(pixels: NDArray[Any]) -> tuple[NDArray[np.uint8], int]:
    """Return images as bytes, and how many bits their pixels had."""
    if pixels.dtype == np.uint8:
        return pixels, 8
    step = rows_of(pixels.shape[1:], pixels.dtype)
    starts = range(0, len(pixels), step)
    bits = bits_of(max((int(pixels[at : at + step].max()) for at in starts), default=0))
    found = room_for(len(pixels), pixels.shape[1:])
    for at in starts:
        found[at : at + step] = as_bytes(pixels[at : at + step], bits)
        release(pixels)
        release(found)
    return found, bits
