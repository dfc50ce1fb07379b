"""Sizes above those that images are read in, said before anything is trained: they blow up small pixels."""

from __future__ import annotations

from tuner.families.pretrained import RESIZE, Pretrained
from tuner.search_file.model import Search
from tuner.search_file.model_search import ModelSearch
from tuner.space.parameters import Choice


def resize_notes(search: Search, model_search: ModelSearch) -> list[str]:
    """Return a line on a `resize` of a pretrained network that is above `image_size`; mostly none.

    Images that come as arrays, or whose files are read in the size that they have, have no more pixels to give.
    """
    domain = model_search.space.domains.get(RESIZE)
    if not isinstance(model_search.family, Pretrained) or domain is None or search.image_size is None:
        return []
    largest = int(max(domain.values) if isinstance(domain, Choice) else domain.high)
    height, width = search.image_size
    if largest <= min(height, width):
        return []
    have = f"{height}" if height == width else f"{height}x{width}"
    return [
        f"{model_search.label}: resize {largest} makes more pixels of images that have {have}: "
        f"set image_size = [{largest}, {largest}]"
    ]
