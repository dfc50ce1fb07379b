"""What a reader of a data set's scores should know of it: copies across its split, files that were left out."""

from __future__ import annotations

from tuner.datasets.base import Dataset
from tuner.datasets.copies import Copies, copies
from tuner.errors import listed
from tuner.text import visible_line


def remarks(name: str, dataset: Dataset) -> list[str]:
    """Return what there is to say of a data set before it is used, as lines for a terminal; mostly none."""
    lines = []
    if dataset.left_out:
        count = len(dataset.left_out)
        lines.append(f"{visible_line(name)}: left out {number_of(count, 'file')} that cannot be used:")
        lines += listed([f"{file}: {problem}" for file, problem in dataset.left_out])
    return lines + [f"{visible_line(name)}: {sentence}" for sentence in sentences(dataset, copies(dataset))]


def images_of(dataset: Dataset) -> str:
    """Return in words how many images a data set has for what."""
    trained, held = len(dataset.y_train) - dataset.validation_images, dataset.validation_images
    own = f", {held:,} validation (the data set's own)" if held else ""
    return f"{trained:,} training{own} and {len(dataset.y_test):,} test images"


def sentences(dataset: Dataset, found: Copies) -> list[str]:
    """Return in words which images stand on two sides of a data set's split; none where no image does."""
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
    return said


def number_of(count: int, one: str) -> str:
    """Return a number of things in words: 1 file, 2 files."""
    return f"{count:,} {one}" if count == 1 else f"{count:,} {one}s"
