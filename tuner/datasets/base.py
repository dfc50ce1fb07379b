"""What a data set is, and the checks that every one passes through."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.datasets.channels import MOST_CHANNELS, is_number_of_channels
from tuner.datasets.depth import as_bytes, bits_of
from tuner.datasets.large import blocks, joined
from tuner.errors import InputError
from tuner.text import visible

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]
#: Height, width and channels of an image.
Shape = tuple[int, int, int]

SPLITS = ("train", "test")
ARRAYS = ("x_train", "y_train", "x_test", "y_test")
#: What a data set may have besides: validation images of its own.
VALIDATION_ARRAYS = ("x_val", "y_val")
#: Longer names of classes are refused; those of folders have 255 letters at most.
LONGEST_NAME = 1_000


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and labels, split into train and test.

    `x_*` are `(n, height, width, channels)`, uint8 from 0 to 255; `y_*` are `(n,)`, whole numbers that index
    `class_names`. `source` says in a few words where the images came from; it names files, but no folders above them.

    Of the training images the last `validation_images` are a validation set of the data set's own, 0 where it has
    none: a chosen network is trained on all of them, one that is chosen among is validated on these (`tuner.protocol`).

    Of a folder, `files` names the file of each image within it, by split and in the arrays' order, and `left_out` the
    files that were passed over because they cannot be used, each with what it is; `strays` are folders in it that hold
    no class and are passed over. None of them counts as content.

    `state` names the state of the folder that it was decoded from (`tuner.datasets.folder_state`), empty where there is
    none, and is no content either.

    `bits` is how many bits pixels had before they were brought to 8 (`tuner.datasets.depth`).

    `groups` holds by split the group of each image, a whole number, where images of one group, such as a patient, must
    not stand on two sides when images are divided; empty where each image stands alone (`tuner.datasets.groups`).
    """

    name: str
    x_train: Images
    y_train: Labels
    x_test: Images
    y_test: Labels
    class_names: tuple[str, ...]
    source: str = ""
    validation_images: int = 0
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    left_out: tuple[tuple[str, str], ...] = ()
    groups: Mapping[str, Labels] = field(default_factory=dict)
    state: str = ""
    bits: int = 8
    strays: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        height, width, channels = self.x_train.shape[1:]
        return height, width, channels

    @cached_property
    def fingerprint(self) -> str:
        """A hash of every pixel, label and class name: the same content has it under any name."""
        digest = hashlib.sha256()
        for name in ARRAYS:
            array = getattr(self, name)
            digest.update(f"{name} {array.shape} {array.dtype}".encode())
            for block in blocks(array):
                digest.update(np.ascontiguousarray(block).data)
        digest.update("\0".join(self.class_names).encode("utf-8", "surrogateescape"))
        if self.validation_images:
            digest.update(f"\0\0{self.validation_images} validation images".encode())
        for split, groups in self.groups.items():
            digest.update(f"\0\0groups of {split}".encode())
            digest.update(np.ascontiguousarray(groups).data)
        return digest.hexdigest()[:16]


def checked_dataset(
    name: str, arrays: Mapping[str, NDArray[Any]], class_names: tuple[str, ...] | None = None, source: str = ""
) -> Dataset:
    """Build a `Dataset` from arrays as users have them, or say in one line what is wrong with them.

    With `x_val` and `y_val` among the arrays, the data set has validation images of its own. Images may be `(n, h, w)`
    or `(n, h, w, channels)`, whole numbers from 0 to 255 or real ones, which are multiplied by 255 if those of
    all splits are from 0 to 1; or uint16 in all splits, which are brought to 0 to 255 (`tuner.datasets.depth`). Labels
    may be whole numbers, strings or one-hot rows; `class_names` name the numbers 0, 1, …, and without them each label's
    own text is its class's name, in the order of `in_class_order`. Control characters in a name, and bytes that are not
    UTF-8, are replaced by their escapes (`tuner.text.visible`).

    Raises:
        InputError: with the array and the reason.
    """
    splits = ("train", "val", "test") if "x_val" in arrays else SPLITS
    given = {split: _images(name, f"x_{split}", arrays[f"x_{split}"], deep=True) for split in splits}
    bits = _bits(name, given)
    x = _as_bytes(given) if bits == 8 else {split: as_bytes(pixels, bits) for split, pixels in given.items()}
    y = {split: _labels(name, f"y_{split}", arrays[f"y_{split}"]) for split in splits}
    for split in splits:
        if len(x[split]) != len(y[split]):
            raise InputError(name, f"x_{split} has {len(x[split])} images and y_{split} {len(y[split])} labels")
    if class_names is not None and any(labels.dtype.kind == "U" for labels in y.values()):
        class_names = None  # the labels are names themselves
    seen = np.unique(y["train"])
    for split in splits[1:]:
        _check_beside_training(name, split, x, y, seen)
    if len(seen) < 2:
        raise InputError(name, f"y_train has one class only ({seen[0]!s}); there is nothing to tell apart")
    if class_names is None:
        class_names = tuple(str(label) for label in seen)
        ranks = _ranks(class_names)
        class_names = tuple(in_class_order(class_names))
        y = {split: ranks[np.searchsorted(seen, labels)] for split, labels in y.items()}
    elif seen[0] < 0 or seen[-1] >= len(class_names):
        raise InputError(name, f"y_train has the label {seen[-1]!s}, but there are {len(class_names)} class names")
    class_names = tuple(map(visible, class_names))
    if len(set(class_names)) < len(class_names):
        raise InputError(name, "names two classes alike")
    if max(map(len, class_names)) > LONGEST_NAME:
        raise InputError(name, f"has a class whose name is longer than {LONGEST_NAME:,} letters", "call it shorter")
    held = len(y["val"]) if "val" in y else 0
    return Dataset(
        name,
        joined(x["train"], x["val"]) if held else x["train"],
        (np.concatenate((y["train"], y["val"])) if held else y["train"]).astype(np.int64),
        x["test"],
        y["test"].astype(np.int64),
        class_names,
        visible(source),
        held,
        bits=bits,
    )


def _bits(name: str, images: Mapping[str, NDArray[Any]]) -> int:
    """Return how many bits the pixels of all splits have.

    Raises:
        InputError: those of one have more than 8, and those of another are no such numbers.
    """
    most = max(int(pixels.max()) if pixels.dtype == np.uint16 else 0 for pixels in images.values())
    if most <= 255:
        return 8
    other = next((split for split, pixels in images.items() if pixels.dtype != np.uint16), None)
    if other is not None:
        problem = f"has pixels of 16 bits, and x_{other} holds {images[other].dtype}"
        raise InputError(name, problem, "give all of them as uint16, or from 0 to 255")
    return bits_of(most)


def _check_beside_training(
    name: str, split: str, x: Mapping[str, Images], y: Mapping[str, NDArray[Any]], seen: NDArray[Any]
) -> None:
    """Raise where the images or labels of a split are others than the training set's."""
    if x["train"].shape[1:] != x[split].shape[1:]:
        raise InputError(
            name, f"x_train has images of shape {x['train'].shape[1:]} and x_{split} of {x[split].shape[1:]}"
        )
    if y["train"].dtype.kind != y[split].dtype.kind and "U" in y["train"].dtype.kind + y[split].dtype.kind:
        raise InputError(name, f"y_train holds {y['train'].dtype} and y_{split} {y[split].dtype}")
    strange = np.setdiff1d(y[split], seen)
    if strange.size:
        raise InputError(name, f"y_{split} has the label {strange[0]!s}, which y_train never has")


def in_class_order(names: Iterable[str]) -> list[str]:
    """Return names of classes in the order in which classes are numbered.

    That is by letters; but where all names are whole numbers 10 stands after 9.
    """
    listed = list(names)
    if all(name.isascii() and name.isdigit() for name in listed):
        return sorted(listed, key=lambda name: (len(name.lstrip("0")), name.lstrip("0"), name))
    return sorted(listed)


def _ranks(names: tuple[str, ...]) -> NDArray[np.intp]:
    """Return at which place of `in_class_order` each of these names stands."""
    places = {name: place for place, name in enumerate(in_class_order(names))}
    return np.array([places[name] for name in names])


def _images(name: str, key: str, images: NDArray[Any], deep: bool = False) -> NDArray[Any]:
    """Return images with an axis for their channels; `deep` if their pixels may have 16 bits.

    Raises:
        InputError: they are none.
    """
    if images.ndim == 3:
        images = images[..., np.newaxis]
    if images.ndim == 4 and 0 in images.shape:
        raise InputError(name, f"{key} is empty: its shape is {images.shape}")
    first = images.ndim == 4 and images.shape[1] in (1, 3) and images.shape[-1] not in (1, 3)
    if images.ndim != 4 or first or not is_number_of_channels(images.shape[-1]):
        remedy = f"images are (n, height, width) or (n, height, width, channels), of 1 to {MOST_CHANNELS} channels"
        raise InputError(name, f"{key} has the shape {images.shape}", remedy)
    if images.dtype == np.uint8 or (deep and images.dtype == np.uint16):
        return images
    if images.dtype.kind not in "iuf":
        raise InputError(name, f"{key} holds {images.dtype}", "pixels are whole numbers from 0 to 255")
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        raise InputError(name, f"{key} has a pixel that is NaN or infinite")
    low, high = images.min(), images.max()
    if low < 0 or high > 255:
        raise InputError(
            name, f"{key} has pixels from {low:g} to {high:g}", f"pixels are 0 to 255{', or uint16' * deep}"
        )
    return images


def as_pixels(name: str, images: NDArray[Any]) -> Images:
    """Return images as a data set has them, `(n, height, width, channels)`, uint8; see `checked_dataset`.

    Raises:
        InputError: they are none.
    """
    return _as_bytes({name: _images("", name, images)})[name]


def _as_bytes(images: Mapping[str, NDArray[Any]]) -> dict[str, Images]:
    """Return the images of all splits as bytes. Whether real numbers end at 1 or at 255, no split can tell alone.

    One may hold dark images only.
    """
    real = {split: pixels for split, pixels in images.items() if pixels.dtype.kind == "f"}
    scaled = real if all(pixels.max() <= 1 for pixels in real.values()) else {}
    return {
        split: pixels
        if pixels.dtype == np.uint8
        else np.rint(pixels * 255 if split in scaled else pixels).astype(np.uint8)
        for split, pixels in images.items()
    }


def _labels(name: str, key: str, labels: NDArray[Any]) -> NDArray[Any]:
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2 and labels.dtype.kind in "iufb":
        right = labels.shape[1] > 0 and ((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all()
        if not right:
            raise InputError(name, f"{key} has two dimensions but is not one-hot", "give one label per image")
        labels = labels.argmax(axis=1)
    if labels.ndim != 1:
        raise InputError(name, f"{key} has the shape {labels.shape}", "give one label per image")
    if labels.dtype.kind == "f" and not (np.isfinite(labels).all() and (labels == np.rint(labels)).all()):
        raise InputError(name, f"{key} holds real numbers", "labels are whole numbers, strings or one-hot rows")
    if labels.dtype.kind == "f":
        labels = labels.astype(np.float64)
    if labels.dtype.kind == "f" and labels.size and np.abs(labels).max() >= 1 << 53:
        raise InputError(name, f"{key} has the label {np.abs(labels).max():g}", "labels are whole numbers below 2**53")
    if labels.dtype.kind == "f":
        labels = labels.astype(np.int64)
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8", "backslashreplace")  # so that no two become one
    if labels.dtype.kind in "iu" and labels.size and labels.min() < 0:
        raise InputError(name, f"{key} has the label {labels.min()}", "labels are not negative")
    if labels.dtype.kind not in "iuU":
        raise InputError(name, f"{key} holds {labels.dtype}", "labels are whole numbers, strings or one-hot rows")
    return labels
