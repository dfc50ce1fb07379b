"""Data sets in `.npz` files with `x_train`, `y_train`, `x_test`, `y_test` and perhaps `class_names`."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from tuner.datasets.base import ARRAYS, Dataset, checked_dataset
from tuner.errors import InputError, one_line
from tuner.untrusted.arrays import names_in, read_arrays
from tuner.untrusted.sizes import most_data


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
        there = names_in(path)
        missing = [key for key in ARRAYS if key not in there]
        if missing:
            raise InputError(
                str(path), f"has no {missing[0]} (it has: {', '.join(there[:20])})", "it needs " + ", ".join(ARRAYS)
            )
        arrays = read_arrays(path, most_data(), (*ARRAYS, "class_names"))
        if "class_names" in arrays:
            class_names = tuple(str(text) for text in np.asarray(arrays.pop("class_names"), dtype=str).ravel())
    except InputError:
        raise
    except Exception as error:  # zipfile, zlib and numpy raise a dozen kinds on damaged files
        raise InputError(str(path), f"cannot be read as an .npz of plain arrays ({one_line(error, 160)})") from error
    try:
        return checked_dataset(name or path.stem, arrays, class_names, path.name)
    except InputError as error:
        raise InputError(str(path), error.problem, error.remedy) from error
