"""The families by name. A new one needs its file and a line here."""

from __future__ import annotations

from pathlib import Path

from tuner.errors import InputError, suggestion
from tuner.families.ann import Ann
from tuner.families.base import Family
from tuner.families.cnn import Cnn
from tuner.families.custom import CustomFamily

FAMILIES: dict[str, Family] = {family.name: family for family in (Ann(), Cnn())}


def get_family(name: str, folder: Path = Path()) -> Family:
    """Return the family of this name, or a user's own by its path `package.module:name`.

    Args:
        name: a name in `FAMILIES` or a path.
        folder: where modules of a user's own are looked for first, beside the working folder.

    Raises:
        InputError: there is no such family.
    """
    if ":" in name:
        return CustomFamily(name, folder)
    if name not in FAMILIES:
        raise InputError("family", f"no family is named {name!r}; {suggestion(name, FAMILIES)}")
    return FAMILIES[name]
