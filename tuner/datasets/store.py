"""A data set laid out for workers: one `.npy` file an array, mapped into memory and shared by all of them."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from pathlib import Path

import numpy as np

from tuner.datasets.base import ARRAYS, Dataset
from tuner.errors import LostError, lacking
from tuner.files import partial_of
from tuner.text import visible


def save_to_store(dataset: Dataset, store: Path) -> Path:
    """Lay `dataset` out under `store`, unless it lies there, and return its folder, named by its fingerprint.

    Raises:
        ResourceError: there is no room for it.
    """
    folder = store / dataset.fingerprint
    if is_whole(folder) and load_from_store(folder).fingerprint == dataset.fingerprint:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    with partial_of(store / f"{dataset.fingerprint}-{uuid.uuid4().hex[:8]}") as building:
        building.mkdir(parents=True)
        try:
            for name in ARRAYS:
                with (building / f"{name}.npy").open("wb") as file:
                    np.save(file, getattr(dataset, name))
                    os.fsync(file.fileno())  # the folder's new name must not outlive its content
            about = {"name": dataset.name, "class_names": dataset.class_names, "source": dataset.source}
            (building / "about.json").write_text(json.dumps(about), encoding="utf-8")
            try:
                building.rename(folder)
            except OSError:
                if not is_whole(folder):  # otherwise another process was first
                    raise
        except OSError as error:
            lacks = lacking(error, str(store))
            if lacks is not None:
                raise lacks from error
            raise
    return folder


def is_whole(folder: Path) -> bool:
    """Tell whether a folder holds a data set, each array as long as it says."""
    try:
        for name in ARRAYS:
            np.load(folder / f"{name}.npy", mmap_mode="r")
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        return isinstance(about["name"], str) and all(isinstance(name, str) for name in about["class_names"])
    except (OSError, ValueError, EOFError, KeyError, TypeError, RecursionError):
        return False


def load_from_store(folder: Path) -> Dataset:
    """Return the data set that `save_to_store` laid out in `folder`, its images mapped rather than read.

    Raises:
        LostError: it is not there, or not whole.
    """
    if not is_whole(folder):
        raise LostError(str(folder), "the data set's copy for workers is missing")
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS}
    return Dataset(
        about["name"],
        **arrays,
        class_names=tuple(map(visible, about["class_names"])),
        source=visible(about.get("source", "")),  # a copy laid out by an earlier version does not say
    )
