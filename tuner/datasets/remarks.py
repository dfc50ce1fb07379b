"""What a reader of a data set's scores should know of it: copies across its split, files that were left out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tuner.datasets.base import Dataset
from tuner.datasets.copies import Copies, copies
from tuner.datasets.large import blocks
from tuner.datasets.looks import SMALLEST, looks_of, pairs_alike
from tuner.errors import listed
from tuner.system.waiting import doing
from tuner.text import first_of, visible_line

#: A class with fewer images to train on is told as small.
FEW = 20
#: So many images are compared by their looks before a data set is used, which takes a second or two.
MOST_COMPARED = 5_000


def remarks(name: str, dataset: Dataset) -> list[str]:
    """Return what there is to say of a data set before it is used, as lines for a terminal; mostly none."""
    lines = []
    if dataset.left_out:
        count = len(dataset.left_out)
        lines.append(f"{visible_line(name)}: left out {number_of(count, 'file')} that cannot be used:")
        lines += listed([f"{file}: {problem}" for file, problem in dataset.left_out])
    if dataset.bits != 8:
        most = (1 << dataset.bits) - 1
        lines.append(f"{visible_line(name)}: pixels of {dataset.bits} bits, 0 to {most:,}, are brought to 0 to 255")
    found = copies(dataset)
    told = [
        *_strays(dataset),
        *small_classes(training_counts(dataset)),
        *groups_in_words(dataset),
        *sentences(dataset, found),
        *_repeated(found),
        *_alike(dataset, found),
    ]
    return lines + [f"{visible_line(name)}: {sentence}" for sentence in told]


def training_counts(dataset: Dataset) -> dict[str, int]:
    """Return how many images to train on each class has, without the data set's own validation images."""
    trained = dataset.y_train[: len(dataset.y_train) - dataset.validation_images]
    counts = np.bincount(trained, minlength=len(dataset.class_names)).tolist()
    return dict(zip(dataset.class_names, counts, strict=True))


def small_classes(counts: Mapping[str, int]) -> list[str]:
    """Return in a line which classes have few images to train on; nothing where none has.

    Args:
        counts: how many each class has.
    """
    small = [f"{name} {count}" for name, count in counts.items() if count < FEW]
    return [f"classes of fewer than {FEW} images to train on: {first_of(small, 10)}"] if small else []


def _strays(dataset: Dataset) -> list[str]:
    """Return in a line which folders are passed over; nothing where none is."""
    strays = dataset.strays
    if not strays:
        return []
    return [f"passed over {number_of(len(strays), 'folder')}: {first_of(strays, 3)}"]


def _repeated(found: Copies) -> list[str]:
    """Return in a line how many images are copies of others of their side and class; nothing where none is."""
    told = [number_of(count, f"{side} image") for side, count in found.repeated.items() if count]
    one = sum(found.repeated.values()) == 1
    are = "is a copy of another" if one else "are copies of others"
    return [f"{', '.join(told)} {are} in the same split and class, pixel by pixel"] if told else []


def _alike(dataset: Dataset, found: Copies) -> list[str]:
    """Return in a line how many pairs of images look alike and are no copies; nothing where none does."""
    if min(dataset.shape[:2]) < SMALLEST:
        return []
    held, trained = len(dataset.y_train) - dataset.validation_images, len(dataset.y_train)
    total = trained + len(dataset.y_test)
    if total > MOST_COMPARED:
        return [f"which of {total:,} images look alike is not looked at here; tuner check does"]
    first = set(found.first.tolist())
    with doing(f"comparing {total:,} images by their looks"):
        every = (image for images in (dataset.x_train, dataset.x_test) for part in blocks(images) for image in part)
        pairs = pairs_alike([looks_of(image) if place in first else None for place, image in enumerate(every)])
    if not pairs:
        return []
    across = sum((one >= held, one >= trained) != (other >= held, other >= trained) for one, other in pairs)
    what = (
        "1 pair of images looks alike and is no copy"
        if len(pairs) == 1
        else (f"{len(pairs):,} pairs of images look alike and are no copies")
    )
    sides = f", {across:,} of them on two sides of the split" if across else ""
    return [f"{what}{sides}; tuner check shows which"]


def images_of(dataset: Dataset) -> str:
    """Return in words how many images a data set has for what."""
    trained, held = len(dataset.y_train) - dataset.validation_images, dataset.validation_images
    own = f", {held:,} validation (the data set's own)" if held else ""
    return f"{trained:,} training{own} and {len(dataset.y_test):,} test images"


def sentences(dataset: Dataset, found: Copies) -> list[str]:
    """Return in words which images stand on two sides of a data set's split, or in two classes; mostly none."""
    said = []
    for places, total, one, kind in (
        (found.test_in_training, len(dataset.y_test), "test image", "training"),
        (found.test_in_validation, len(dataset.y_test), "test image", "validation"),
        (found.validation_in_training, dataset.validation_images, "validation image", "training"),
    ):
        count = len(places)
        if count:
            also = f"is also a {kind} image" if count == 1 else f"are also {kind} images"
            said.append(f"{count:,} of {number_of(total, one)} {also}, pixel by pixel")
    if count := len(found.in_two_classes):
        total = len(dataset.y_train) + len(dataset.y_test)
        said.append(f"{count:,} of {total:,} images are copies of each other in different classes")
    return said


def groups_in_words(dataset: Dataset) -> list[str]:
    """Return in words what groups a data set has, and which of them its own split divides; nothing without groups."""
    if not dataset.groups:
        return []
    trained = len(dataset.y_train) - dataset.validation_images
    sides = {"training": dataset.groups["train"][:trained], "test": dataset.groups["test"]}
    if dataset.validation_images:
        sides["validation"] = dataset.groups["train"][trained:]
    every = np.concatenate(list(sides.values()))
    count = number_of(len(np.unique(every)), "group")
    told = [f"{number_of(len(every), 'image')} of {count}: images of one group stay together wherever they are divided"]
    for one, other in (("training", "test"), ("validation", "test"), ("training", "validation")):
        if {one, other} <= sides.keys() and (both := len(np.intersect1d(sides[one], sides[other]))):
            have = "has" if both == 1 else "have"
            told.append(f"{number_of(both, 'group')} {have} both {one} and {other} images, as the data set comes")
    return told


def number_of(count: int, one: str) -> str:
    """Return a number of things in words: 1 file, 2 files."""
    return f"{count:,} {one}" if count == 1 else f"{count:,} {one}s"
