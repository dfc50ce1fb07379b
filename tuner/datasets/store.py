"""A data set laid out for workers: one `.npy` file an array, mapped into memory and shared by all of them.

What else is known of it lies beside the arrays: `about.json`, and for a folder `files.json`, the file of each image.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tuner.datasets.base import ARRAYS, SPLITS, Dataset
from tuner.datasets.channels import is_number_of_channels
from tuner.datasets.depth import BITS
from tuner.datasets.large import LARGE, blocks
from tuner.errors import InputError, LostError, resource_error_of
from tuner.system.files import check_no_link, partial_of, remove_partials, write_whole
from tuner.text import visible
from tuner.untrusted.arrays import mapped
from tuner.untrusted.checked_json import strict_json
from tuner.untrusted.sizes import read_at_most

_ABOUT, _FILES = "about.json", "files.json"
#: What the array of a split's groups is called.
_GROUPS = "groups_{}"
#: So many bytes of either are read: the names of some million files.
_MOST_NOTES = 500_000_000


def save_to_store(dataset: Dataset, store: Path) -> Path:
    """Lay `dataset` out under `store`, unless it lies there, and return its folder, named by its fingerprint.

    What does not count as content, such as the names of a folder's files, is kept as it was loaded last.

    Raises:
        ResourceError: there is no room for it.
    """
    folder = store / dataset.fingerprint
    for place in (store, folder):
        check_no_link(place)
    if is_whole(folder) and load_from_store(folder).fingerprint == dataset.fingerprint:
        _note_anew(dataset, folder)
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    with partial_of(store / f"{dataset.fingerprint}-{uuid.uuid4().hex[:8]}") as building:
        building.mkdir(parents=True)
        try:
            arrays = {name: getattr(dataset, name) for name in ARRAYS}
            arrays |= {_GROUPS.format(split): groups for split, groups in dataset.groups.items()}
            for name, array in arrays.items():
                with (building / f"{name}.npy").open("wb") as file:
                    _save(file, array)
                    os.fsync(file.fileno())  # the folder's new name must not outlive its content
            for name, text in _notes(dataset).items():
                (building / name).write_text(text, encoding="utf-8")
            try:
                building.rename(folder)
            except OSError:
                if not is_whole(folder):  # otherwise another process was first
                    raise
        except OSError as error:
            lacks = resource_error_of(error, str(store))
            if lacks is not None:
                raise lacks from error
            raise
    return folder


def _save(file: BinaryIO, array: NDArray[Any]) -> None:
    """Write an array as `np.save` does; of a large one no more than a block comes into memory."""
    if array.nbytes <= LARGE or not array.flags.c_contiguous:
        np.save(file, array)
        return
    np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
    for block in blocks(array):
        file.write(block.data)


def _notes(dataset: Dataset) -> dict[str, str]:
    """Return the files that lie beside the arrays, with their content."""
    about: dict[str, Any] = {"name": dataset.name, "class_names": dataset.class_names, "source": dataset.source}
    if dataset.validation_images:
        about["validation_images"] = dataset.validation_images
    if dataset.groups:
        about["groups"] = True
    if dataset.left_out:
        about["left_out"] = dataset.left_out
    if dataset.bits != 8:
        about["bits"] = dataset.bits
    if dataset.state:
        about["state"] = dataset.state
    notes = {_ABOUT: json.dumps(about)}
    if dataset.files:
        notes[_FILES] = json.dumps({split: dataset.files[split] for split in SPLITS})
    return notes


def _note_anew(dataset: Dataset, folder: Path) -> None:
    """Bring up to date what lies beside the arrays of a copy that is whole, where the same content has other files."""
    there = load_from_store(folder)
    if stored_files(folder) == dataset.files and all(
        getattr(there, name) == getattr(dataset, name) for name in ("left_out", "state", "bits")
    ):
        return
    remove_partials(folder)
    for name, text in _notes(dataset).items():
        write_whole(folder / name, partial(_write_text, text))
    if not dataset.files:
        (folder / _FILES).unlink(missing_ok=True)


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")


def is_whole(folder: Path) -> bool:
    """Tell whether a folder holds a data set, each array as long as it says, and images and labels what they are."""
    return _read(folder) is not None


def load_from_store(folder: Path) -> Dataset:
    """Return the data set that `save_to_store` laid out in `folder`, its images mapped rather than read.

    It comes without the names of its files, of which there may be a million: `stored_files` reads them.

    Raises:
        LostError: it is not there, or not whole.
    """
    found = _read(folder)
    if found is None:
        raise LostError(str(folder), "the data set's copy for workers is missing")
    return found


def found_in_store(store: Path, state: str) -> Dataset | None:
    """Return the data set that was decoded from a folder in this state, with its files; None where it is not there.

    It comes without groups, which a search file decides about.
    """
    for about in sorted(store.glob(f"*/{_ABOUT}")):
        there = None if about.parent.is_symlink() else _read(about.parent)
        if there is not None and there.state == state and there.fingerprint == about.parent.name:
            return replace(there, groups={}, files=stored_files(about.parent))
    return None


def _read(folder: Path) -> Dataset | None:
    """Return the data set in a folder; None where something of it is missing, or is nothing that we laid out there."""
    try:
        about = strict_json(read_at_most(folder / _ABOUT, _MOST_NOTES))
        x_train, y_train, x_test, y_test = (mapped(folder / f"{name}.npy") for name in ARRAYS)
        left_out = tuple((visible(file), visible(problem)) for file, problem in about.get("left_out", ()))
        dataset = Dataset(
            about["name"],
            x_train,
            y_train,
            x_test,
            y_test,
            class_names=tuple(map(visible, about["class_names"])),
            source=visible(about.get("source", "")),  # a copy laid out by an earlier version does not say
            validation_images=about.get("validation_images", 0),
            left_out=left_out,
            groups={split: mapped(folder / f"{_GROUPS.format(split)}.npy") for split in SPLITS}
            if about.get("groups")
            else {},
            state=str(about.get("state", "")),
            bits=BITS[BITS.index(about.get("bits", 8))],
        )
        texts = [about["name"], about.get("source", ""), *about["class_names"]]
        texts += [text for pair in about.get("left_out", ()) for text in pair]
        return dataset if all(isinstance(text, str) for text in texts) and _fits(dataset) else None
    except (InputError, OSError, ValueError, EOFError, KeyError, TypeError, AttributeError):
        return None


def _fits(dataset: Dataset) -> bool:
    """Tell whether arrays are those of a data set: images, and for each of them one of its classes."""
    images, labels = (dataset.x_train, dataset.x_test), (dataset.y_train, dataset.y_test)
    held = dataset.validation_images
    return (
        all(x.dtype == np.uint8 and x.ndim == 4 and x.size and is_number_of_channels(x.shape[-1]) for x in images)
        and images[0].shape[1:] == images[1].shape[1:]
        and all(y.dtype == np.int64 and y.shape == x.shape[:1] for x, y in zip(images, labels, strict=True))
        and all(y.min() >= 0 and y.max() < len(dataset.class_names) for y in labels)
        and isinstance(held, int)
        and 0 <= held < len(labels[0])
        and all(groups.dtype == np.int64 for groups in dataset.groups.values())
        and all(dataset.groups[split].shape == y.shape for split, y in zip(dataset.groups, labels, strict=False))
    )


def stored_files(folder: Path) -> Mapping[str, tuple[str, ...]]:
    """Return the file of each image of a data set laid out in `folder`, by split; empty where it came from no folder.

    What does not name a file for each of the images is as good as nothing.
    """
    try:
        told = strict_json(read_at_most(folder / _FILES, _MOST_NOTES))
        files = {split: tuple(map(visible, told[split])) for split in SPLITS}
        images = {split: len(mapped(folder / f"y_{split}.npy")) for split in SPLITS}
    except (InputError, OSError, ValueError, EOFError, KeyError, TypeError, AttributeError):
        return {}
    return files if {split: len(names) for split, names in files.items()} == images else {}
