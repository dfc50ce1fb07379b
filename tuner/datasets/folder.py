"""Data sets in folders of images: `FOLDER/train/CLASS/*.png` and `FOLDER/test/CLASS/*.png`, or `FOLDER/CLASS/*`.

Beside `train` and `test`, `val`, `valid` or `validation` holds validation images. What is no image by its ending is
passed over, and so is what lies deeper, is hidden, or was left there by a system (`tuner.datasets.pictures`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.datasets.base import SPLITS, Dataset, checked_dataset, in_class_order
from tuner.datasets.depth import alike, narrowed
from tuner.datasets.folder_faults import ListedImage, faults_of, refused_folder
from tuner.datasets.folder_state import state_of
from tuner.datasets.large import moved_to_front, release, room_for, rows_of, taken
from tuner.datasets.npz import VALIDATION_NAMES
from tuner.datasets.pictures import (
    SUFFIXES,
    Found,
    in_parallel,
    is_grey,
    is_image,
    is_passed_over,
    read_image,
    refused,
    within,
)
from tuner.datasets.source import Kind, Reading
from tuner.datasets.store import found_in_store
from tuner.errors import InputError
from tuner.text import visible
from tuner.untrusted.sizes import amount, most_data

#: Share of the images of each class that becomes the test set where the folder has none of its own.
TEST_SHARE = 0.2


def load_folder(
    path: Path, image_size: tuple[int, int] | None = None, channels: int | None = None, skip_bad: bool = False
) -> Dataset:
    """Load a data set from a folder of class folders.

    Args:
        path: the folder. Without `train` and `test` in it, a fifth of each class, drawn with seed 0, is the test.
        image_size: height and width that every image is brought to; needed where they differ.
        channels: 1 for grey, 3 for colour; by default grey if every image is.
        skip_bad: leave out files that cannot be used, which `Dataset.left_out` then lists, as if they were not there.

    Raises:
        InputError: no class folders, more than fits into memory; or, with all of them in one list, classes without
            images or with too few, sizes that differ, images that cannot be read and links that lead out of the folder.
    """
    bad: list[InputError] = []
    listed = list_images(path, bad)
    names = tuple(in_class_order({image.name for image in listed if image.split in ("", "train")}))
    if not names:
        raise refused(str(path), bad, path)
    splits = {image.split for image in listed}
    faults = faults_of(path, listed, names, splits)
    if image_size is not None and not faults:
        _check_size(path, len(listed), (*image_size, channels or 1))
    pixels, kept, bits = _read(path, listed, image_size, channels, bad, faults)
    if bad and not skip_bad:
        raise refused_folder(path, faults, bad)
    if not faults:
        faults = faults_of(path, [listed[place] for place in kept], names, splits)
    if faults:
        raise refused_folder(path, faults, [])
    listed = [listed[place] for place in kept]
    parts = _parts(listed)
    arrays: dict[str, NDArray[Any]] = {f"x_{split}": taken(pixels, parts[split]) for split in parts if split != "train"}
    arrays["x_train"] = moved_to_front(pixels, parts["train"])
    for split, places in parts.items():
        arrays[f"y_{split}"] = np.array([names.index(listed[place].name) for place in places], dtype=np.int64)
    kinds = _suffixes(image.file for image in listed)
    dataset = checked_dataset(path.name, arrays, names, f"folder {path.name} of {kinds} files")
    files = {split: tuple(within(str(listed[place].file), path) for place in places) for split, places in parts.items()}
    return replace(
        dataset,
        files={"train": files["train"] + files.get("val", ()), "test": files["test"]},
        left_out=tuple((within(error.place, path), visible(error.problem)) for error in bad),
        bits=bits,
    )


class FolderKind(Kind):
    """A folder of class folders; see `Kind`."""

    name = "folder"
    doc = "a folder of class folders"

    def takes(self, path: Path) -> bool:
        """Take any folder; see `Kind.takes`."""
        return path.is_dir()

    def load(self, path: Path, reading: Reading) -> Dataset:
        """Load its images, which are decoded where they have changed since they were laid out; see `Kind.load`."""
        state = state_of(path, reading) if reading.store else ""
        there = found_in_store(reading.store, state) if reading.store and state else None
        if there is not None:
            return replace(there, name=path.name, strays=_strays(path))
        loaded = load_folder(path, reading.image_size, reading.channels, reading.skip_bad)
        return replace(loaded, state=state, strays=_strays(path))


def has_class_folders(path: Path) -> bool:
    """Tell whether there are folders in `path` that `load_folder` would look into."""
    return path.is_dir() and any(entry.is_dir() and not is_passed_over(entry) for entry in path.iterdir())


def image_files(path: Path) -> list[Path]:
    """Return the image files that `load_folder` would read.

    Raises:
        InputError: there is no data set in the folder.
    """
    return [image.file for image in list_images(path, [])]


def passed_over(path: Path) -> list[Path]:
    """Return what lies in a folder of class folders and is not read, without what is hidden and holds no image.

    That is what is no image by its ending, what lies deeper than a class folder, and what a system or a program left
    there, such as .ipynb_checkpoints.
    """
    found = []
    splits = _split_folders(path) or {"": path}
    for folder in splits.values():
        for entry in _entries(folder):
            if entry.is_dir() and not is_passed_over(entry):
                found += [inside for inside in _entries(entry) if not is_image(inside)]
            else:
                found.append(entry)
    if "" not in splits:
        found += [entry for entry in _entries(path) if entry not in splits.values()]
    return [entry for entry in found if not entry.name.startswith(".") or _holds_images(entry)]


def _strays(path: Path) -> tuple[str, ...]:
    """Return the folders among what is passed over, each by its place in the folder."""
    return tuple(within(str(entry), path) for entry in passed_over(path) if entry.is_dir())


def _holds_images(entry: Path) -> bool:
    with suppress(InputError):  # which may not be read
        return entry.is_dir() and any(map(is_image, _entries(entry)))
    return False


def _suffixes(files: Iterable[Path]) -> str:
    counts = Counter(file.suffix.lower() for file in files)
    *others, last = sorted(counts, key=lambda suffix: (-counts[suffix], suffix))
    return f"{', '.join(others)} and {last}" if others else last


def list_images(path: Path, bad: list[InputError]) -> list[ListedImage]:
    """Return the image files of a folder: by split, by class, by name; what is wrong with others is noted in `bad`.

    Raises:
        InputError: there is no data set in the folder.
    """
    folders = _split_folders(path) or {"": path}
    root = path.resolve()
    return [
        ListedImage(file, name, split)
        for split, folder in folders.items()
        for name, files in _files_by_class(folder, root, bad).items()
        for file in files
    ]


def _split_folders(path: Path) -> dict[str, Path]:
    """Return the folders of "train", "val" and "test", in this order; none where `path` itself holds class folders.

    Raises:
        InputError: one is missing, or there are two for validation.
    """
    there = [name for name in (*SPLITS, *VALIDATION_NAMES) if (path / name).is_dir()]
    if not set(SPLITS) <= set(there):
        there = [name for name in there if _is_split(path / name)]  # a class may be called so
        if not there:
            return {}
        missing = "train" if "train" not in there else "test"
        remedy = f"put training images into {missing}/CLASS" if missing == "train" else _without_test(path, there)
        raise InputError(str(path), f"has {' and '.join(there)}, but no {missing} folder", remedy)
    held = [name for name in there if name in VALIDATION_NAMES]
    if len(held) > 1:
        raise InputError(str(path), f"has two folders for validation, {' and '.join(held)}", "put them into one")
    folders = {"train": path / "train", "test": path / "test"}
    return {"train": folders.pop("train"), "val": path / held[0], **folders} if held else folders


def _is_split(folder: Path) -> bool:
    """Tell whether a folder with the name of a split is one: class folders in it, and no images beside them."""
    return has_class_folders(folder) and not any(is_image(entry) for entry in _entries(folder))


def _without_test(path: Path, there: Sequence[str]) -> str:
    if "train" in there and len(there) > 1:
        return f"put images to score on into test/CLASS; or rename {there[-1]} to test, and some of train validate"
    return f"put images to score on into test/CLASS; or name {path / 'train'} itself, a fifth of which is the test then"


def _files_by_class(folder: Path, root: Path, bad: list[InputError]) -> dict[str, list[Path]]:
    if not folder.is_dir():
        raise InputError(str(folder), "no such folder")
    classes: dict[str, list[Path]] = {}
    fine = len(bad)
    for entry in _entries(folder):
        if not entry.is_dir() or is_passed_over(entry):
            continue
        try:
            inside = [file for file in _entries(entry) if is_image(file)]
        except InputError as error:
            bad.append(error)
            continue
        good = [file for file in inside if _leads_inside(file, root)]
        problem = "a link that leads out of the data set's folder, or nowhere"
        bad += [InputError(str(file), problem) for file in sorted(set(inside).difference(good))]
        if good:
            classes[entry.name] = good
        if not inside:
            remedy = f"remove it or fill it (images are {', '.join(sorted(SUFFIXES))})"
            bad.append(InputError(str(entry), "a class folder without images", remedy))
    if not classes and len(bad) == fine:
        raise InputError(str(folder), "has no class folders with images", "put each class's images into a folder")
    return {name: classes[name] for name in in_class_order(classes)}


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise InputError(str(folder), f"cannot be read ({error.strerror})") from error


def _leads_inside(file: Path, root: Path) -> bool:
    try:
        return file.resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):  # a link to nowhere, or to itself
        return False


def _parts(listed: Sequence[ListedImage]) -> dict[str, list[int]]:
    """Return at which places of `listed` the images of each split stand, ascending; drawn where the folder has none."""
    if any(image.split for image in listed):
        by_split: dict[str, list[int]] = {}
        for place, image in enumerate(listed):
            by_split.setdefault(image.split, []).append(place)
        return by_split
    classes: dict[str, list[int]] = {}
    for place, image in enumerate(listed):
        classes.setdefault(image.name, []).append(place)
    rng = np.random.default_rng(0)
    parts: dict[str, list[int]] = {split: [] for split in SPLITS}
    for places in classes.values():
        order = rng.permutation(len(places))
        held = max(1, round(TEST_SHARE * len(places)))
        parts["test"] += [places[i] for i in sorted(order[:held])]
        parts["train"] += [places[i] for i in sorted(order[held:])]
    return parts


def _read(
    path: Path,
    listed: Sequence[ListedImage],
    image_size: tuple[int, int] | None,
    channels: int | None,
    bad: list[InputError],
    faults: list[InputError],
) -> tuple[NDArray[np.uint8], list[int], int]:
    """Return the pixels of the images that can be used, their places in `listed`, and how many bits they had.

    What is wrong with the others is noted in `bad`, and in `faults` that they have several sizes. Where there are
    faults nothing comes of the folder: pictures are decoded, small, to tell which are broken, and none is kept.

    Every picture is decoded once. Many that take much room lie in a file in the end, see `tuner.datasets.large`.
    """
    unusable: dict[int, InputError] = {}
    images = f"{len(listed):,} images"
    if channels is None:
        channels = 1
        for place, grey in enumerate(in_parallel(_attempt(is_grey), listed, f"looking at {images}")):
            if isinstance(grey, InputError):
                unusable[place] = grey
            elif not grey:
                channels = 3
    pixels: NDArray[Any] = np.empty(0, np.uint8)
    kept: list[int] = []

    shape: tuple[int, ...] = ()
    mixed = False

    def read_one(file: Path) -> NDArray[Any]:
        return read_image(file, (1, 1) if mixed else image_size, channels)

    places = [place for place in range(len(listed)) if place not in unusable]
    found = in_parallel(_attempt(read_one), [listed[place] for place in places], f"reading {images}")
    for place, read in zip(places, found, strict=True):
        if isinstance(read, InputError):
            unusable[place] = read
            continue
        if mixed:
            continue
        if shape and read.shape != shape:
            mixed = True
            sizes = " and ".join(f"{a[0]}x{a[1]}" for a in (shape, read.shape))
            faults.append(InputError(str(path), f"has images of {sizes}", "set image_size = [height, width]"))
        shape = read.shape
        if faults:
            pixels, kept = np.empty(0, np.uint8), []
            continue
        if not kept:
            _check_size(path, len(listed), shape)
            pixels = room_for(len(listed), shape, read.dtype)
        pixels, image = alike(pixels, read, len(kept))
        pixels[len(kept)] = image
        kept.append(place)
        if len(kept) % rows_of(shape) == 0:
            release(pixels)
    bad += [unusable[place] for place in sorted(unusable)]
    small, bits = narrowed(pixels[: len(kept)])
    return small, kept, bits


def _attempt(read: Callable[[Path], Found]) -> Callable[[ListedImage], Found | InputError]:
    """Return the same for a listed image, with what is wrong with its file returned."""

    def attempt(image: ListedImage) -> Found | InputError:
        try:
            return read(image.file)
        except InputError as error:
            return error

    return attempt


def _check_size(folder: Path, number: int, shape: tuple[int, ...]) -> None:
    """Refuse more images than there is room for, before they are read."""
    size, most = number * math.prod(shape), most_data()
    if size > most:
        problem = f"has {number:,} images, which take {amount(size)} at {shape[0]}x{shape[1]} pixels"
        raise InputError(str(folder), problem, f"set a smaller image_size = [height, width]; {amount(most)} are read")
