"""IDX files, the format of MNIST and its kin: a magic number, the sizes, then one byte a value, all under gzip."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tuner.errors import InputError, one_line


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Read a gzipped IDX file of bytes with so many dimensions.

    Raises:
        InputError: it is not such a file, is damaged or holds nothing.
    """
    try:
        with gzip.open(path) as file:
            content = file.read()
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(str(path), f"cannot be read as a gzip file ({one_line(error, 80)})") from error
    magic = bytes((0, 0, 0x08, dimensions))  # two zeros, the code of unsigned bytes, the number of dimensions
    if content[:4] != magic:
        raise InputError(
            str(path),
            f"begins with {content[:4].hex(' ') or 'nothing'}",
            f"an IDX file of bytes in {dimensions} dimensions begins with {magic.hex(' ')}",
        )
    start = 4 + 4 * dimensions
    if len(content) < start:
        raise InputError(str(path), f"breaks off in its header, after {len(content)} bytes of {start}")
    shape = struct.unpack_from(f">{dimensions}I", content, 4)
    told, there = math.prod(shape), len(content) - start
    if told != there:
        sizes = " x ".join(str(size) for size in shape)
        raise InputError(str(path), f"has {there} values, but its header says {sizes}")
    if not there:
        raise InputError(str(path), "is empty")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
