"""What keeps a folder of images from being a data set, all of it in one error, so that one run tells everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from tuner.datasets.pictures import refused, within
from tuner.errors import InputError


class ListedImage(NamedTuple):
    """An image file with its class, and with its split: "train", "val" or "test", or "" where the folder has none."""

    file: Path
    name: str
    split: str


def faults_of(
    path: Path, listed: Sequence[ListedImage], names: Sequence[str], splits: Iterable[str]
) -> list[InputError]:
    """Return which classes and splits of a folder have too few images, or stand where they should not.

    Args:
        path: the folder.
        listed: the images that can be used.
        names: the classes that there are to learn.
        splits: the splits that the folder has.
    """
    strange = dict.fromkeys(image.file.parent for image in listed if image.name not in names)
    found = [InputError(str(folder), "a class that the train folder does not have") for folder in strange]
    counts = Counter((image.split, image.name) for image in listed)
    for split in sorted(splits):
        if not any(image.split == split for image in listed):
            found.append(InputError(str(path / split), "has no image that can be used"))
    for name in names:
        if counts["train", name]:
            continue
        if not counts["", name]:
            folder = path / name if "" in splits else path / "train" / name
            found.append(InputError(str(folder), "has no image that can be used", "mend them, or remove the class"))
        elif counts["", name] < 2:
            problem, remedy = "one image only", "a class needs two, one to train and one to test"
            found.append(InputError(str(path / name), problem, remedy))
    if len(names) == 1:
        found.append(InputError(str(path), f"has one class only ({names[0]})", "there is nothing to tell apart"))
    return found


def in_words(faults: Sequence[InputError], path: Path) -> list[str]:
    """Return a line on each fault of a folder, with its place in the folder and the remedy."""
    return [
        f"{within(fault.place, path)}: {fault.problem}{f'; {fault.remedy}' if fault.remedy else ''}" for fault in faults
    ]


def refused_folder(path: Path, faults: Sequence[InputError], bad: Sequence[InputError]) -> InputError:
    """Return one error for all that is wrong with a folder, of which there is one thing at least: a line on each.

    Args:
        path: the folder.
        faults: what is wrong with it as a whole, or with a class; it stands first.
        bad: files that cannot be used.
    """
    if not faults:
        return refused(str(path), bad, path)
    if len(faults) == 1 and not bad:
        return faults[0]
    files = [f"{within(error.place, path)}: {error.problem}" for error in bad]
    remedy = "mend them; --skip-bad leaves out files alone" if bad else "mend them"
    lines = (*in_words(faults, path), *files)
    return InputError(str(path), f"{len(lines):,} things are wrong", remedy, lines)
