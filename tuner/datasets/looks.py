"""What images look like: perceptual hashes (of the ImageHash library), and pairs of images whose hashes are near.

A hash has the signs of the lowest frequencies of a small grey copy of an image.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.datasets.channels import drawn
from tuner.datasets.depth import seen

#: Bits of 64 in which the hashes of two images that look alike differ at most.
ALIKE = 4
#: Images of fewer pixels a side are not compared by their looks: all digits look alike.
SMALLEST = 48
#: So many bands of bits are looked up: two hashes that differ in fewer bits than there are bands have one in common.
_BANDS = ALIKE + 1
#: A band that more images share says nothing, as that of black pictures.
_CROWD = 500


def looks_of(pixels: NDArray[Any]) -> int:
    """Return the perceptual hash of an image, `(height, width, channels)`, 64 bits; it takes 0.1 to 0.4 ms."""
    import imagehash
    from PIL import Image

    shown = drawn(seen(pixels))
    picture = Image.fromarray(shown[..., 0] if shown.shape[-1] == 1 else shown)
    return int.from_bytes(np.packbits(imagehash.phash(picture).hash).tobytes(), "big")


def pairs_alike(hashes: Sequence[int | None]) -> list[tuple[int, int]]:
    """Return the places of hashes that differ in few bits, in pairs, each once and in order; None is like none.

    Hashes that differ in fewer bits than there are bands are equal in a whole band.
    """
    bands: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    width = -(-64 // _BANDS)
    for place, one in enumerate(hashes):
        if one is not None:
            for band in range(_BANDS):
                bands[band, one >> (band * width) & ((1 << width) - 1)].append((place, one))
    found: set[tuple[int, int]] = set()
    for members in bands.values():
        if len(members) <= _CROWD:
            for number, (place, one) in enumerate(members):
                found |= {
                    (place, later) for later, other in members[number + 1 :] if (one ^ other).bit_count() <= ALIKE
                }
    return sorted(found)
