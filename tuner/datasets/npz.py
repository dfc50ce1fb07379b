"""Data sets in `.npz` files with `x_train`, `y_train`, `x_test`, `y_test`, perhaps `x_val`, `y_val` and `class_names`.

With `groups_train` and `groups_test`, images of one group stay together (`tuner.datasets.groups`).
Validation images are found as `x_valid` or `x_validation` too, and MedMNIST's names of arrays are understood.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.datasets.base import ARRAYS, VALIDATION_ARRAYS, Dataset, checked_dataset
from tuner.datasets.groups import GROUP_ARRAYS, given_groups
from tuner.datasets.source import Kind, Reading
from tuner.errors import InputError, one_line
from tuner.system.files import is_a, write_whole
from tuner.untrusted.arrays import names_in, read_arrays
from tuner.untrusted.sizes import most_data

#: What validation images may be called; a data set has one of them.
VALIDATION_NAMES = ("val", "valid", "validation")
#: How MedMNIST calls its arrays; medmnist.com.
_MEDMNIST = {
    **{f"x_{split}": f"{split}_images" for split in ("train", "val", "test")},
    **{f"y_{split}": f"{split}_labels" for split in ("train", "val", "test")},
}


def load_npz(path: Path, name: str | None = None, class_names: tuple[str, ...] | None = None) -> Dataset:
    """Load a data set from `path`; pickled objects in it are never loaded, and nothing that is larger than it says.

    Args:
        path: the file.
        name: the data set's name, by default the file's.
        class_names: names of the labels 0, 1, … where the file has none itself.

    Raises:
        InputError: the file cannot be read, is too large, lacks an array, or holds what is not images and labels.
    """
    if not path.is_file():
        raise InputError(str(path), "no such file")
    if not zipfile.is_zipfile(path):  # NumPy would say that one could read it unsafely
        raise InputError(str(path), "cannot be read as an .npz of plain arrays (it is no whole zip archive)")
    try:
        theirs = _names_of_arrays(path, names_in(path))
        found = read_arrays(path, most_data(), (*theirs.values(), "class_names", *GROUP_ARRAYS.values()))
        arrays = {ours: found[their] for ours, their in theirs.items()}
        if "class_names" in found:
            class_names = tuple(str(text) for text in np.asarray(found["class_names"], dtype=str).ravel())
    except InputError:
        raise
    except Exception as error:  # zipfile, zlib and numpy raise a dozen kinds on damaged files
        raise InputError(str(path), f"cannot be read as an .npz of plain arrays ({one_line(error, 160)})") from error
    try:
        dataset = checked_dataset(name or path.stem, arrays, class_names, path.name)
        groups = given_groups(found, dataset)
        return replace(dataset, groups=groups) if groups else dataset
    except InputError as error:
        problem = error.problem
        for ours, their in theirs.items():
            problem = problem.replace(ours, their)
        raise InputError(str(path), problem, error.remedy) from error


def save_npz(dataset: Dataset, path: Path) -> None:
    """Write a data set as a file that `load_npz` reads as the same, unless it is there.

    Raises:
        InputError: another is there.
    """
    if is_a(os.path.lexists, path):
        if load_npz(path).fingerprint == dataset.fingerprint:
            return
        raise InputError(str(path), "is there already, and holds other images", "take another name, or remove it")
    held = dataset.validation_images
    trained = len(dataset.y_train) - held
    arrays: dict[str, NDArray[Any]] = {
        "x_train": dataset.x_train[:trained],
        "y_train": dataset.y_train[:trained],
        "x_test": dataset.x_test,
        "y_test": dataset.y_test,
        "class_names": np.array(dataset.class_names),
    }
    if held:
        arrays |= {"x_val": dataset.x_train[trained:], "y_val": dataset.y_train[trained:]}
    if dataset.groups:
        arrays |= {"groups_train": dataset.groups["train"][:trained], "groups_test": dataset.groups["test"]}
        arrays |= {"groups_val": dataset.groups["train"][trained:]} if held else {}
    write_whole(path, lambda partial: _save(partial, arrays))


def _save(path: Path, arrays: Mapping[str, Any]) -> None:
    with path.open("wb") as file:  # NumPy adds an ending to a path of its own
        np.savez_compressed(file, **arrays)


class NpzKind(Kind):
    """An `.npz` file; see `Kind`."""

    name = ".npz file"
    doc = "an `.npz` file"

    def takes(self, path: Path) -> bool:
        """Take any file, whatever its ending: reading it tells; see `Kind.takes`."""
        return path.is_file()

    def load(self, path: Path, reading: Reading) -> Dataset:
        """Load the arrays as they are; see `Kind.load`."""
        return load_npz(path)


def _names_of_arrays(path: Path, there: Collection[str]) -> dict[str, str]:
    """Return how the file calls each array of a data set, those of validation images if it has them.

    Raises:
        InputError: it lacks one.
    """
    if not set(ARRAYS) & set(there) and set(_MEDMNIST.values()) & set(there):
        names = {name: _MEDMNIST[name] for name in (*ARRAYS, *VALIDATION_ARRAYS)}
    else:
        given = [name for name in VALIDATION_NAMES if {f"x_{name}", f"y_{name}"} & set(there)]
        if len(given) > 1:
            both = " and ".join(f"x_{name}" for name in given)
            raise InputError(str(path), f"has two validation sets, {both}", "leave one out")
        own = given[0] if given else "val"
        names = {name: name for name in ARRAYS} | {"x_val": f"x_{own}", "y_val": f"y_{own}"}
    needed = [names[name] for name in ARRAYS]
    if any(names[name] in there for name in VALIDATION_ARRAYS):
        needed += [names[name] for name in VALIDATION_ARRAYS]
    missing = [name for name in needed if name not in there]
    if missing:
        listed = ", ".join(list(there)[:20])
        remedy = "it needs " + ", ".join(needed)
        if {"x", "y"} <= set(there):
            remedy += "; divide x and y into both, or give them to tuner.search(…, x, y), which holds a fifth out"
        raise InputError(str(path), f"has no {missing[0]} (it has: {listed})", remedy)
    return {name: their for name, their in names.items() if their in there}
