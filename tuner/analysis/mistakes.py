"""The misclassified test images that are shown of a model, and where in them it saw what it took them for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Images of one cell of a confusion matrix at most, the surest mistakes first.
EACH = 24
#: Names of the arrays in a file of predictions that hold heat maps.
MAPS, MAPPED = "heat_maps", "heat_images"
#: Rows and columns of a heat map at most; maps of a model at most.
MOST_SIDE, MOST_MAPS = 8, 1000


def surest_by_cell(labels: NDArray[Any], probabilities: NDArray[Any]) -> dict[tuple[int, int], list[int]]:
    """Return for each true and predicted class the images that were mistaken so, the surest first, at most `EACH`.

    Args:
        labels: the true classes, `(n,)`.
        probabilities: what a model answered, `(n, classes)`.
    """
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1).astype(np.float64).clip(0, 1)
    wrong = np.flatnonzero(predicted != labels)
    found: dict[tuple[int, int], list[int]] = {}
    for image in wrong[np.argsort(-confidence[wrong], kind="stable")]:
        cell = found.setdefault((int(labels[image]), int(predicted[image])), [])
        if len(cell) < EACH:
            cell.append(int(image))
    return found


def to_be_mapped(labels: NDArray[Any], probabilities: NDArray[Any]) -> NDArray[np.intp]:
    """Return the images that have a heat map, ascending: the surest mistake of every cell, then the second, …"""
    cells = surest_by_cell(labels, probabilities).values()
    ranked = sorted((rank, image) for cell in cells for rank, image in enumerate(cell))
    return np.sort(np.array([image for _, image in ranked[:MOST_MAPS]], np.intp))


@dataclass(frozen=True, eq=False)
class HeatMaps:
    """Where a model saw the class that it named, by Grad-CAM (Selvaraju et al., 2017), in some of its test images.

    `images` are their places among those that were scored, `(m,)`, ascending; `maps` are `(m, height, width)`, 255
    where a map is highest and 0 where it is not above 0.

        HeatMaps(np.array([3, 8]), np.zeros((2, 7, 7), np.uint8)).of(8).shape   # (7, 7)
    """

    images: NDArray[np.intp]
    maps: NDArray[np.uint8]

    @cached_property
    def _places(self) -> dict[int, int]:
        return {int(image): place for place, image in enumerate(self.images)}

    def of(self, image: int) -> NDArray[np.uint8] | None:
        """Return the map of an image; None of one that has none."""
        place = self._places.get(int(image))
        return None if place is None else self.maps[place]


def heat_maps_in(arrays: Mapping[str, NDArray[Any]], images: int) -> HeatMaps | None:
    """Return the heat maps among the arrays of a file of predictions for so many images; None where it has none.

    Raises:
        ValueError: with what is wrong with them.
    """
    if MAPS not in arrays and MAPPED not in arrays:
        return None
    mapped, maps = arrays[MAPPED], arrays[MAPS]
    if mapped.ndim != 1 or mapped.dtype.kind not in "iu" or len(mapped) > MOST_MAPS or not len(mapped):
        raise ValueError(f"{MAPPED} are {mapped.dtype} of the shape {mapped.shape}")
    fits = maps.ndim == 3 and len(maps) == len(mapped) and min(maps.shape) > 0 and max(maps.shape[1:]) <= MOST_SIDE
    if not fits or maps.dtype != np.uint8:
        raise ValueError(f"{MAPS} are {maps.dtype} of the shape {maps.shape}, for {len(mapped)} images")
    if mapped.min() < 0 or mapped.max() >= images or (np.diff(mapped.astype(np.int64)) <= 0).any():
        raise ValueError(f"{MAPPED} are no ascending places of {images} images")
    return HeatMaps(mapped.astype(np.intp), maps)
