"""Subjects: what several images are probably of, guessed from names of files that end in numbers."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

#: What the names of one subject's images have in common, in parentheses, as `groups` of a search file takes it.
PATTERN = r"^(.*?[^0-9])[-_ ]?[0-9]+\.[^.]*$"
#: So many subjects of several images there are where names tell of any, and so many images has each at most.
_FEWEST, _MOST_IMAGES = 5, 50


def subjects(names: Sequence[str]) -> dict[str, list[int]]:
    """Return the places of names by what they have in common but for a number at their end, where that tells of any.

    It does where several such beginnings, with a number in them, have several images each, half of all images or more:
    scan_12_1.png, scan_12_2.png.

    Args:
        names: of the files of images, with or without their folders.
    """
    found: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(names):
        if (match := re.search(PATTERN, PurePosixPath(name).name)) and any(map(str.isdecimal, match[1])):
            found[match[1]].append(place)
    several = {name: places for name, places in found.items() if len(places) > 1}
    of_several, most = sum(map(len, several.values())), max(map(len, several.values()), default=0)
    tells = len(several) >= _FEWEST and of_several >= len(names) / 2 and most <= _MOST_IMAGES
    return several if tells else {}
