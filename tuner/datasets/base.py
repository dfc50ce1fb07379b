"""What a data set is, and the checks that every one passes through."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.errors import InputError
from tuner.text import visible

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]
#: Height, width and channels of an image.
Shape = tuple[int, int, int]

SPLITS = ("train", "test")
ARRAYS = ("x_train", "y_train", "x_test", "y_test")
#: Longer names of classes are refused; those of folders have 255 letters at most.
LONGEST_NAME = 1_000


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and labels, split into train and test.

    `x_*` are `(n, height, width, channels)`, uint8 from 0 to 255; `y_*` are `(n,)`, whole numbers that index
    `class_names`. `source` says in a few words where the images came from; it names files, but no folders above them.
    """

    name: str
    x_train: Images
    y_train: Labels
    x_test: Images
    y_test: Labels
    class_names: tuple[str, ...]
    source: str = ""

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
            digest.update(np.ascontiguousarray(array).data)
        digest.update("\0".join(self.class_names).encode("utf-8", "surrogateescape"))
        return digest.hexdigest()[:16]


def checked_dataset(
    name: str, arrays: Mapping[str, NDArray[Any]], class_names: tuple[str, ...] | None = None, source: str = ""
) -> Dataset:
    """Build a `Dataset` from arrays as users have them, or say in one line what is wrong with them.

    Images may be `(n, h, w)` or `(n, h, w, channels)`, whole numbers from 0 to 255 or real numbers from 0 to 1,
    which are multiplied by 255. Labels may be whole numbers, strings or one-hot rows; `class_names` name the
    whole numbers 0, 1, …, and without them each label's own text is its class's name. Control characters in a name,
    and bytes that are not UTF-8, are replaced by their escapes (`tuner.text.visible`).

    Raises:
        InputError: with the array and the reason.
    """
    x = {split: _images(name, f"x_{split}", arrays[f"x_{split}"]) for split in SPLITS}
    y = {split: _labels(name, f"y_{split}", arrays[f"y_{split}"]) for split in SPLITS}
    for split in SPLITS:
        if len(x[split]) != len(y[split]):
            raise InputError(name, f"x_{split} has {len(x[split])} images and y_{split} {len(y[split])} labels")
    if x["train"].shape[1:] != x["test"].shape[1:]:
        raise InputError(
            name, f"x_train has images of shape {x['train'].shape[1:]} and x_test of {x['test'].shape[1:]}"
        )
    if class_names is not None and any(labels.dtype.kind == "U" for labels in y.values()):
        class_names = None  # the labels are names themselves
    if y["train"].dtype.kind != y["test"].dtype.kind and "U" in y["train"].dtype.kind + y["test"].dtype.kind:
        raise InputError(name, f"y_train holds {y['train'].dtype} and y_test {y['test'].dtype}")
    seen = np.unique(y["train"])
    strange = np.setdiff1d(y["test"], seen)
    if strange.size:
        raise InputError(name, f"y_test has the label {strange[0]!s}, which y_train never has")
    if len(seen) < 2:
        raise InputError(name, f"y_train has one class only ({seen[0]!s}); there is nothing to tell apart")
    if class_names is None:
        class_names = tuple(str(label) for label in seen)
        y = {split: np.searchsorted(seen, labels) for split, labels in y.items()}
    elif seen[0] < 0 or seen[-1] >= len(class_names):
        raise InputError(name, f"y_train has the label {seen[-1]!s}, but there are {len(class_names)} class names")
    class_names = tuple(map(visible, class_names))
    if len(set(class_names)) < len(class_names):
        raise InputError(name, "names two classes alike")
    if max(map(len, class_names)) > LONGEST_NAME:
        raise InputError(name, f"has a class whose name is longer than {LONGEST_NAME:,} letters", "call it shorter")
    return Dataset(
        name,
        x["train"],
        y["train"].astype(np.int64),
        x["test"],
        y["test"].astype(np.int64),
        class_names,
        visible(source),
    )


def _images(name: str, key: str, images: NDArray[Any]) -> Images:
    if images.ndim == 3:
        images = images[..., np.newaxis]
    if images.ndim != 4 or images.shape[-1] not in (1, 3):
        raise InputError(
            name, f"{key} has the shape {images.shape}", "images are (n, height, width) or (n, height, width, 1 or 3)"
        )
    if 0 in images.shape:
        raise InputError(name, f"{key} is empty: its shape is {images.shape}")
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind not in "iuf":
        raise InputError(name, f"{key} holds {images.dtype}", "pixels are whole numbers from 0 to 255")
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        raise InputError(name, f"{key} has a pixel that is NaN or infinite")
    low, high = images.min(), images.max()
    if low < 0 or high > 255:
        raise InputError(name, f"{key} has pixels from {low:g} to {high:g}", "pixels are 0 to 255")
    if images.dtype.kind == "f" and high <= 1:
        images = images * 255
    whole: Images = np.rint(images).astype(np.uint8)
    return whole


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
