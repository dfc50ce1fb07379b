"""IDX files, the format of MNIST and of its like: a magic number, the sizes, one byte a value, all under gzip."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tuner.datasets.downloadable import Arrays
from tuner.errors import InputError, one_line
from tuner.untrusted.sizes import MOST_ARCHIVE


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Read a gzipped IDX file of bytes with so many dimensions.

    Raises:
        InputError: it is not such a file, is damaged, too large or holds nothing.
    """
    try:
        with gzip.open(path) as file:
            shape = _shape(path, file.read(4 + 4 * dimensions), dimensions)
            told, sizes = math.prod(shape), " x ".join(map(str, shape))
            if told > MOST_ARCHIVE:
                raise InputError(str(path), f"its header says {sizes} values", f"at most {MOST_ARCHIVE:,} are read")
            content = file.read(told + 1)  # never more than the header says, whatever else is packed in there
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(str(path), f"cannot be read as a gzip file ({one_line(error, 80)})") from error
    if len(content) != told:
        there = f"{len(content)} values" if len(content) < told else f"more than {told} values"
        raise InputError(str(path), f"has {there}, but its header says {sizes}")
    if not content:
        raise InputError(str(path), "is empty")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _shape(path: Path, header: bytes, dimensions: int) -> tuple[int, ...]:
    magic = bytes((0, 0, 0x08, dimensions))  # two zeros, the code of unsigned bytes, the number of dimensions
    if header[:4] != magic:
        raise InputError(
            str(path),
            f"begins with {header[:4].hex(' ') or 'nothing'}",
            f"an IDX file of bytes in {dimensions} dimensions begins with {magic.hex(' ')}",
        )
    length = 4 + 4 * dimensions
    if len(header) < length:
        raise InputError(str(path), f"breaks off in its header, after {len(header)} bytes of {length}")
    return struct.unpack_from(f">{dimensions}I", header, 4)


def read_images_and_labels(side: int, classes: int, paths: tuple[Path, ...]) -> Arrays:
    """Read train images, train labels, test images and test labels of a set in MNIST's format.

    Args:
        side: height and width of the images.
        classes: how many there are; labels are below it.
        paths: the four files, in this order.

    Raises:
        InputError: a file is damaged, or does not fit the others.
    """
    x_train, y_train, x_test, y_test = paths
    arrays: Arrays = {}
    for split, images, labels in (("train", x_train, y_train), ("test", x_test, y_test)):
        x, y = read_idx(images, 3), read_idx(labels, 1)
        if x.shape[1:] != (side, side):
            raise InputError(str(images), f"has images of {x.shape[1]}x{x.shape[2]}", f"they are {side}x{side}")
        if len(x) != len(y):
            raise InputError(str(labels), f"has {len(y)} labels, but {images.name} has {len(x)} images")
        if y.max() >= classes:
            raise InputError(str(labels), f"has the label {y.max()}, but there are {classes} classes")
        arrays |= {f"x_{split}": x, f"y_{split}": y}
    return arrays
