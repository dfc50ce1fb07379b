"""The families by name. A new one needs its file and a line here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tuner.errors import InputError, suggestion
from tuner.families.alexnet import Alexnet
from tuner.families.ann import Ann
from tuner.families.base import Family
from tuner.families.cnn import Cnn
from tuner.families.custom import CustomFamily
from tuner.families.lenet import Lenet
from tuner.families.pretrained import Pretrained
from tuner.families.resnet import Resnet
from tuner.families.resnet_cifar import ResnetCifar
from tuner.recipe import RECIPE
from tuner.space.parameters import Layered

FAMILIES: dict[str, Family] = {
    family.name: family for family in (Cnn(), Ann(), Lenet(), Alexnet(), Resnet(), ResnetCifar(), Pretrained())
}


def get_family(name: str, folder: Path = Path(), files: Sequence[str] = ()) -> Family:
    """Return the family of this name, or a user's own by its path `package.module:name`.

    Args:
        name: a name in `FAMILIES` or a path.
        folder: where modules of a user's own are looked for first, beside the working folder, and files.
        files: files in `folder` that it reads.

    Raises:
        InputError: there is no such family.
    """
    if ":" in name:
        return CustomFamily(name, folder, tuple(files))
    if name not in FAMILIES:
        raise InputError("family", f"no family is named {name!r}; {suggestion(name, FAMILIES)}")
    return Pretrained(folder, tuple(files)) if name == Pretrained.name else FAMILIES[name]


def in_order(names: Iterable[str]) -> list[str]:
    """Return parameter names in the order in which families and recipe declare them, layers by number.

    Names that nobody declares, those of a user's own networks, come first and keep their order.
    """
    rank: dict[str, int] = {}
    layered: dict[str, int] = {}
    for item in (*(item for family in FAMILIES.values() for item in family.parameters), *RECIPE):
        place = rank.setdefault(item.name, len(rank) + 1)
        if isinstance(item, Layered):
            layered[item.name] = place

    def key(name: str) -> tuple[int, int]:
        group, _, layer = name.rpartition("_")
        if group in layered and layer.isdecimal():
            return layered[group], int(layer)
        return rank.get(name, 0), 0

    return sorted(dict.fromkeys(names), key=key)
