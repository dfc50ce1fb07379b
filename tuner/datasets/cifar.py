"""CIFAR-10 and CIFAR-100 in the binary archives that their author publishes; the others hold pickles."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tuner.datasets.downloadable import Arrays, DownloadableDataset, DownloadableFile
from tuner.errors import InputError, one_line
from tuner.untrusted.sizes import MOST_ARCHIVE, amount

CIFAR10_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
# As `fine_label_names.txt` and `coarse_label_names.txt` in the archive have them.
FINE_NAMES = (
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle",
    "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle",
    "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur",
    "dolphin", "elephant", "flatfish", "forest", "fox", "girl", "hamster", "house", "kangaroo", "keyboard",
    "lamp", "lawn_mower", "leopard", "lion", "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain",
    "mouse", "mushroom", "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear", "pickup_truck", "pine_tree",
    "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road", "rocket",
    "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake", "spider",
    "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone", "television", "tiger",
    "tractor", "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf", "woman", "worm",
)  # fmt: skip
COARSE_NAMES = (
    "aquatic_mammals", "fish", "flowers", "food_containers", "fruit_and_vegetables",
    "household_electrical_devices", "household_furniture", "insects", "large_carnivores",
    "large_man-made_outdoor_things", "large_natural_outdoor_scenes", "large_omnivores_and_herbivores",
    "medium_mammals", "non-insect_invertebrates", "people", "reptiles", "small_mammals", "trees",
    "vehicles_1", "vehicles_2",
)  # fmt: skip

CIFAR10_FILE = DownloadableFile(
    "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530"
)
CIFAR100_FILE = DownloadableFile(
    "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8"
)

#: A published archive has eight members or fewer.
MOST_MEMBERS = 100
#: Channels, height and width: the order in which a record has an image's bytes.
PLANES = (3, 32, 32)
PIXELS = 3 * 32 * 32


@dataclass(frozen=True)
class Layout:
    """The members of an archive, and how many classes each of the label bytes before an image tells apart."""

    train: tuple[str, ...]
    test: str
    classes: tuple[int, ...]


CIFAR10_LAYOUT = Layout(
    tuple(f"cifar-10-batches-bin/data_batch_{number}.bin" for number in range(1, 6)),
    "cifar-10-batches-bin/test_batch.bin",
    (10,),
)
CIFAR100_LAYOUT = Layout(("cifar-100-binary/train.bin",), "cifar-100-binary/test.bin", (20, 100))


def read_cifar(layout: Layout, column: int, paths: tuple[Path, ...]) -> Arrays:
    """Read an archive; the label byte at `column` of each record becomes the label.

    Raises:
        InputError: the archive is damaged, lacks a member, or one is not what it should be.
    """
    (path,) = paths
    contents = _members(path, (*layout.train, layout.test))
    arrays: Arrays = {}
    for split, names in (("train", layout.train), ("test", (layout.test,))):
        records = np.concatenate([_records(path, name, contents.pop(name), layout.classes) for name in names])
        planes = records[:, len(layout.classes) :].reshape(-1, *PLANES)
        arrays[f"x_{split}"] = np.ascontiguousarray(planes.transpose(0, 2, 3, 1))
        arrays[f"y_{split}"] = records[:, column].copy()  # not a view, which would keep all records in memory
    return arrays


def _members(path: Path, names: Collection[str]) -> dict[str, memoryview]:
    """Read members out of an archive that is unpacked into memory, as far as a published one may reach.

    What else is in there, links and paths that lead elsewhere included, is passed over; nothing is written.
    """
    contents: dict[str, memoryview] = {}
    try:
        with gzip.open(path) as file:
            unpacked = file.read(MOST_ARCHIVE + 1)  # to the very end, where gzip compares its checksum
        if len(unpacked) > MOST_ARCHIVE:
            raise InputError(str(path), f"is larger than {amount(MOST_ARCHIVE)} unpacked", "a published one is not")
        with tarfile.open(fileobj=io.BytesIO(unpacked), mode="r:") as archive:
            for number, member in enumerate(archive, start=1):
                if number > MOST_MEMBERS:
                    raise InputError(str(path), f"has more than {MOST_MEMBERS} members", "a published one has not")
                if member.name in names and member.isreg() and not member.issparse():
                    contents[member.name] = memoryview(unpacked)[member.offset_data :][: member.size]
                    if len(contents[member.name]) < member.size:
                        raise InputError(str(path), f"breaks off within {member.name}")
    except InputError:
        raise
    except Exception as error:  # tarfile, gzip and zlib raise half a dozen kinds on damaged files
        raise InputError(str(path), f"cannot be read as a .tar.gz archive ({one_line(error, 120)})") from error
    for name in names:
        if name not in contents:
            raise InputError(str(path), f"has no {name}")
    return contents


def _records(path: Path, name: str, content: memoryview, classes: tuple[int, ...]) -> NDArray[np.uint8]:
    length = len(classes) + PIXELS
    if not content:
        raise InputError(str(path), f"{name} is empty")
    if len(content) % length:
        raise InputError(str(path), f"{name} has {len(content)} bytes, which is no multiple of {length}, a record's")
    records = np.frombuffer(content, np.uint8).reshape(-1, length)
    for column, count in enumerate(classes):
        wrong = np.flatnonzero(records[:, column] >= count)
        if wrong.size:
            label = records[wrong[0], column]
            raise InputError(
                str(path), f"{name} has the label {label} in record {wrong[0] + 1}, but there are {count} classes"
            )
    return records


_SHAPE = (*PLANES[1:], PLANES[0])

CIFAR10 = DownloadableDataset("cifar10", CIFAR10_NAMES, _SHAPE, (CIFAR10_FILE,), partial(read_cifar, CIFAR10_LAYOUT, 0))
CIFAR100 = DownloadableDataset(
    "cifar100", FINE_NAMES, _SHAPE, (CIFAR100_FILE,), partial(read_cifar, CIFAR100_LAYOUT, 1)
)
CIFAR100_COARSE = DownloadableDataset(
    "cifar100_coarse", COARSE_NAMES, _SHAPE, (CIFAR100_FILE,), partial(read_cifar, CIFAR100_LAYOUT, 0)
)
