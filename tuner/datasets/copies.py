"""Images that stand on two sides of a split: exact copies, pixel by pixel, found by hashes of their bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuner.datasets.base import Dataset, Images, Labels
from tuner.datasets.large import blocks


@dataclass(frozen=True)
class Copies:
    """Which images of one side are also on another, and which are there with two labels.

    `test_in_training` and `test_in_validation` are places in the test set, `validation_in_training` places among the
    validation images of the data set's own, each ascending; the last two are empty where it has none. `in_two_classes`
    are places of images that are also there with another label, those of the test set counted on from the training set.
    `repeated` says of each side, "training", "validation" or "test", how many of its images are copies of an earlier
    one there with the same label. `first` are the places of images that are no copies of an earlier one, ascending,
    those of the test set counted on from the training set.
    """

    test_in_training: NDArray[np.intp]
    test_in_validation: NDArray[np.intp]
    validation_in_training: NDArray[np.intp]
    in_two_classes: NDArray[np.intp]
    repeated: Mapping[str, int]
    first: NDArray[np.intp]


def copies(dataset: Dataset) -> Copies:
    """Find the images of a data set that stand on two sides of its split.

    It keeps 8 bytes an image. That two different images have the same 8 bytes happens once in 37 million data sets of a
    million images.
    """
    held = len(dataset.y_train) - dataset.validation_images
    trained, test = _hashes(dataset.x_train), _hashes(dataset.x_test)
    training, validation = trained[:held], trained[held:]
    every = np.concatenate((trained, test))
    return Copies(
        np.flatnonzero(np.isin(test, training)),
        np.flatnonzero(np.isin(test, validation)),
        np.flatnonzero(np.isin(validation, training)),
        _in_two_classes(every, np.concatenate((dataset.y_train, dataset.y_test))),
        {
            "training": _repeated(training, dataset.y_train[:held]),
            "validation": _repeated(validation, dataset.y_train[held:]),
            "test": _repeated(test, dataset.y_test),
        },
        np.sort(np.unique(every, return_index=True)[1]),
    )


def _repeated(hashes: NDArray[np.uint64], labels: Labels) -> int:
    """Return how many images are copies of an earlier one with the same label."""
    pairs = np.stack((hashes, labels.astype(np.uint64)), axis=1)
    return len(pairs) - len(np.unique(pairs, axis=0))


def _in_two_classes(hashes: NDArray[np.uint64], labels: Labels) -> NDArray[np.intp]:
    """Return the places of images of which others are copies that have another label."""
    groups, place = np.unique(hashes, return_inverse=True)
    lowest, highest = np.full(len(groups), labels.max()), np.full(len(groups), labels.min())
    np.minimum.at(lowest, place, labels)
    np.maximum.at(highest, place, labels)
    return np.flatnonzero((lowest != highest)[place])


def _hashes(images: Images) -> NDArray[np.uint64]:
    """Return a hash of each image, `(n,)`."""
    found = bytearray()
    for block in blocks(images):
        for image in np.ascontiguousarray(block).reshape(len(block), -1):
            found += hashlib.blake2b(image.data, digest_size=8).digest()
    return np.frombuffer(bytes(found), np.uint64)
