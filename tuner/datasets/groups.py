"""Groups: what several images are of, such as a patient, read from the names of their files or given as arrays.

Images of one group never stand on two sides where images are divided here; `tuner.datasets.dividing` does that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.datasets.base import SPLITS, Dataset, Labels
from tuner.datasets.remarks import number_of
from tuner.errors import InputError, shown

#: What an `.npz` file's arrays of groups are called, by split.
GROUP_ARRAYS = {split: f"groups_{split}" for split in ("train", "val", "test")}


def with_groups(dataset: Dataset, pattern: str) -> Dataset:
    r"""Return a data set with the group of each image, read from the name of its file.

        with_groups(dataset, r"patient_(\d+)")

    Args:
        dataset: of a folder; one that has groups keeps them.
        pattern: a regular expression, looked for in the name of each file without its folders; its groups in
            parentheses tell images of one group by what they match.

    Raises:
        InputError: the data set has no files, or the pattern is not found in the name of one.
    """
    if dataset.groups:
        return dataset
    if not dataset.files:
        problem = f"{shown(pattern)} is looked for in the names of files, and {dataset.name} has none"
        raise InputError("groups", problem, "leave it out, or put groups_train and groups_test into an .npz")
    found = {split: [_key(pattern, file) for file in dataset.files[split]] for split in SPLITS}
    strange = [
        file for split in SPLITS for file, key in zip(dataset.files[split], found[split], strict=True) if not key
    ]
    if strange:
        more = f", nor in {len(strange) - 1:,} more" if len(strange) > 1 else ""
        problem = f"{shown(pattern)} is not found in the name of {shown(strange[0])} of {dataset.name}{more}"
        raise InputError("groups", problem, "change the pattern, or the names")
    return replace(dataset, groups=numbered({split: list(map(repr, keys)) for split, keys in found.items()}))


def numbered(names: Mapping[str, Sequence[str] | NDArray[Any]]) -> dict[str, Labels]:
    """Return the groups of each split as whole numbers, the same for the same group on any split."""
    every = np.concatenate([np.asarray(names[split]) for split in SPLITS])
    numbers = np.unique(every, return_inverse=True)[1].ravel().astype(np.int64)
    count = len(names["train"])
    return {"train": numbers[:count], "test": numbers[count:]}


def given_groups(arrays: Mapping[str, NDArray[Any]], dataset: Dataset) -> dict[str, Labels]:
    """Return the groups that arrays give, by what `GROUP_ARRAYS` calls them; nothing where there are none.

    Raises:
        InputError: one is missing, or is not a whole number or a string for each image.
    """
    there = {split: np.asarray(arrays[name]) for split, name in GROUP_ARRAYS.items() if name in arrays}
    if not there:
        return {}
    trained, held = len(dataset.y_train) - dataset.validation_images, dataset.validation_images
    images = {"train": trained, **({"val": held} if held else {}), "test": len(dataset.y_test)}
    for split in [one for one in GROUP_ARRAYS if one in images or one in there]:
        name = GROUP_ARRAYS[split]
        if split not in there:
            raise InputError(
                dataset.name, f"has {min(map(GROUP_ARRAYS.get, there), key=str)}, and no {name}", f"add {name}"
            )
        if split not in images:
            raise InputError(dataset.name, f"has {name}, and no validation images", f"leave out {name}")
        groups = there[split]
        if groups.shape != (images[split],):
            problem = f"{name} has the shape {groups.shape}, for {number_of(images[split], 'image')}"
            raise InputError(dataset.name, problem, "give one group per image")
        if groups.dtype.kind not in "iuUS":
            raise InputError(dataset.name, f"{name} holds {groups.dtype}", "groups are whole numbers or strings")
    if len({groups.dtype.kind in "iu" for groups in there.values()}) > 1:
        raise InputError(
            dataset.name, "has groups that are numbers in one array and strings in another", "take one kind"
        )
    order = [there[split] for split in ("train", "val") if split in there]
    return numbered({"train": np.concatenate(order), "test": there["test"]})


def _key(pattern: str, file: str) -> tuple[str, ...]:
    """Return what a pattern finds in the name of a file; nothing where it finds nothing."""
    found = re.search(pattern, PurePosixPath(file).name)
    return () if found is None or None in found.groups() else found.groups()
