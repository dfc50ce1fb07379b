"""Channels of an image: grey has 1, colour 3, and what other instruments see may have more, up to 16."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

#: More are taken for an image's width that stands in the wrong place.
MOST_CHANNELS = 16


def is_number_of_channels(channels: int) -> bool:
    """Tell whether images may have so many channels."""
    return 1 <= channels <= MOST_CHANNELS


def channels_in_words(channels: int) -> str:
    """Return what images of so many channels are called; of other than grey and colour, what is shown of them."""
    if channels in (1, 3):
        return "grey" if channels == 1 else "colour"
    return f"{channels} channels, {'the first of which is' if channels < 3 else 'the first three of which are'} shown"


def drawn(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return images, `(…, height, width, channels)`, as they can be drawn: the first three channels, or the first."""
    return pixels[..., :3] if pixels.shape[-1] >= 3 else pixels[..., :1]
