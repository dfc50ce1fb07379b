"""An audit of a data set: what of it cannot be used, what stands in it twice, and what makes its scores too good.

Copies are images that are the same pixel by pixel as they are read, upright and in full size. Images that look alike
have perceptual hashes (`tuner.datasets.looks`) that differ in few bits: the same picture in another size or quality,
mostly, and seldom two of one scene.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.datasets import KINDS, load_dataset
from tuner.datasets.base import Dataset, in_class_order
from tuner.datasets.folder import FolderKind, list_images, passed_over
from tuner.datasets.folder_faults import ListedImage, faults_of, in_words
from tuner.datasets.looks import SMALLEST, looks_of, pairs_alike
from tuner.datasets.pictures import in_parallel, is_grey, read_image, within
from tuner.datasets.subjects import subjects
from tuner.errors import InputError
from tuner.system.files import is_a
from tuner.system.waiting import doing
from tuner.text import visible

#: From so many times as many images of one class as of another on, classes are told as uneven.
UNEVEN = 3


@dataclass(frozen=True)
class Seen:
    """An image that was looked at: its name and split, its class, its size, a hash of its pixels and one of its looks.

    `split` is "train", "val" or "test", or empty where a folder has none yet; `looks` is None where it is too small.
    """

    name: str
    split: str
    label: str
    size: tuple[int, int]
    pixels: bytes
    looks: int | None


@dataclass(frozen=True)
class Audit:
    """What was found. Images are told by their names: a file within the folder, or such as "test 17" of an array.

    `bad` holds files that cannot be used, each with what it is, and `passed_over` what was not looked at. `faults` are
    lines on classes and splits for which no search would take the folder. `copies` are
    groups of images with the same pixels, `alike` pairs that look alike and are no copies. `root` is the folder of the
    files, `arrays` the data set where it is none.
    """

    source: str
    images: tuple[Seen, ...]
    bad: tuple[tuple[str, str], ...] = ()
    passed_over: tuple[str, ...] = ()
    copies: tuple[tuple[Seen, ...], ...] = ()
    alike: tuple[tuple[Seen, Seen], ...] = ()
    classes: tuple[str, ...] = ()
    root: Path | None = None
    arrays: Dataset | None = field(default=None, repr=False)
    faults: tuple[str, ...] = ()

    @property
    def conflicts(self) -> list[tuple[Seen, ...]]:
        """The copies that stand in more than one class."""
        return [group for group in self.copies if len({image.label for image in group}) > 1]

    @property
    def leaks(self) -> list[tuple[Seen, ...]]:
        """The copies that stand on more than one side of the split."""
        return [group for group in self.copies if len({image.split for image in group}) > 1]

    @property
    def alike_across(self) -> list[tuple[Seen, Seen]]:
        """The pairs that look alike and stand on two sides of the split."""
        return [pair for pair in self.alike if pair[0].split != pair[1].split]

    @property
    def counts(self) -> dict[str, Counter[str]]:
        """How many images each split has of each class."""
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for image in self.images:
            found[image.split][image.label] += 1
        return dict(found)

    @property
    def subjects(self) -> dict[str, list[Seen]]:
        """The images of files by the subjects that their names tell of, mostly none; see `tuner.datasets.subjects`."""
        files = [image for image in self.images if "/" in image.name]
        return {
            name: [files[place] for place in places]
            for name, places in subjects([image.name for image in files]).items()
        }

    @property
    def wrong(self) -> int:
        """How many things there are that should be mended: files, classes, conflicts, images on two sides."""
        return len(self.bad) + len(self.faults) + len(self.conflicts) + len(self.leaks)

    @property
    def of_several_sizes(self) -> bool:
        """Whether the files of a folder differ in size, so that a search has to name the size that it wants."""
        return self.root is not None and len({image.size for image in self.images}) > 1


def audit(source: str, data_dir: Path | None = None, folder: Path = Path()) -> Audit:
    """Look at every image of a data set; each file is decoded once, and only hashes are kept.

    Args:
        source: a known name, an `.npz` file, or a folder of class folders.
        data_dir: looked at first.
        folder: where relative paths start, besides the working folder.

    Raises:
        InputError: there is no such data set, or nothing of it can be read.
    """
    places = [base / source for base in (data_dir, Path(), folder) if base is not None]
    path = next((place for place in places if is_a(Path.exists, place)), None)
    if path is not None and isinstance(next((kind for kind in KINDS if is_a(kind.takes, path)), None), FolderKind):
        return _of_folder(source, path)
    dataset = load_dataset(source, data_dir, folder)
    images = tuple(_of_arrays(dataset))
    return Audit(
        source, images, copies=_copies(images), alike=_alike(images), classes=dataset.class_names, arrays=dataset
    )


def _of_folder(source: str, path: Path) -> Audit:
    bad: list[InputError] = []
    listed = list_images(path, bad)
    seen = list(in_parallel(lambda image: _look_at(image, path), listed, f"reading {len(listed):,} images"))
    bad += [one for one in seen if isinstance(one, InputError)]
    images = tuple(one for one in seen if isinstance(one, Seen))
    if not images:
        raise InputError(str(path), "has no image that can be used", "name a folder of class folders")
    names = tuple((within(error.place, path), visible(error.problem)) for error in bad)
    over = tuple(within(str(one), path) for one in passed_over(path))
    classes = tuple(in_class_order({image.label for image in images}))
    learned = in_class_order({image.name for image in listed if image.split in ("", "train")})
    faults = tuple(in_words(faults_of(path, listed, learned, {image.split for image in listed}), path))
    return Audit(source, images, names, over, _copies(images), _alike(images), classes, path, faults=faults)


def _look_at(image: ListedImage, folder: Path) -> Seen | InputError:
    """Decode a file and return what is kept of it, or what is wrong with it."""
    try:
        pixels = read_image(image.file, None, 1 if is_grey(image.file) else 3)
    except InputError as error:
        return error
    return _seen(within(str(image.file), folder), image.split, visible(image.name), pixels)


def _of_arrays(dataset: Dataset) -> Iterator[Seen]:
    held = len(dataset.y_train) - dataset.validation_images
    with doing(f"looking at {len(dataset.y_train) + len(dataset.y_test):,} images"):
        for split, pixels, labels in (
            ("train", dataset.x_train[:held], dataset.y_train[:held]),
            ("val", dataset.x_train[held:], dataset.y_train[held:]),
            ("test", dataset.x_test, dataset.y_test),
        ):
            for place, (image, label) in enumerate(zip(pixels, labels, strict=True)):
                yield _seen(f"{split} {place}", split, dataset.class_names[label], image)


def _seen(name: str, split: str, label: str, pixels: NDArray[Any]) -> Seen:
    height, width = pixels.shape[:2]
    digest = hashlib.blake2b(f"{pixels.shape}".encode(), digest_size=16)
    digest.update(np.ascontiguousarray(pixels).data)
    looks = looks_of(pixels) if min(height, width) >= SMALLEST else None
    return Seen(name, split, label, (height, width), digest.digest(), looks)


def _copies(images: Sequence[Seen]) -> tuple[tuple[Seen, ...], ...]:
    groups: dict[bytes, list[Seen]] = defaultdict(list)
    for image in images:
        groups[image.pixels].append(image)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def _alike(images: Iterable[Seen]) -> tuple[tuple[Seen, Seen], ...]:
    """Return the pairs whose looks differ in few bits and whose pixels are not the same, each once."""
    once = list({image.pixels: image for image in reversed(list(images))}.values())[::-1]
    return tuple((once[one], once[other]) for one, other in pairs_alike([image.looks for image in once]))
