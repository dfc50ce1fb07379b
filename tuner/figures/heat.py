"""The colours in which a heat map lies over its image, from nothing through yellow to red."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LOW, _HIGH = np.array([255.0, 190.0, 0.0]), np.array([214.0, 20.0, 40.0])
#: How much of the image the highest value hides, from 0 to 1.
_MOST = 0.72


def heat_colours() -> NDArray[np.uint8]:
    """Return red, green, blue and opacity of each value of a heat map, `(256, 4)`; of 0 nothing is seen."""
    share = np.linspace(0, 1, 256)[:, None]
    colours = np.hstack([_LOW + (_HIGH - _LOW) * share, 255 * _MOST * share])
    whole: NDArray[np.uint8] = np.rint(colours).astype(np.uint8)
    return whole
