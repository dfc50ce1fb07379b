"""Arrays out of `.npz` and `.npy` files, whoever wrote them: sizes come first, and pickles are never loaded."""

from __future__ import annotations

import io
import math
import warnings
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from tuner.errors import one_line
from tuner.untrusted.sizes import amount, opened

#: The header of an array is a line of text; numpy itself reads no longer one from strangers.
_LONGEST_HEADER = 10_000
_PLAIN = (
    zipfile.ZIP_STORED,
    zipfile.ZIP_DEFLATED,
)  # which numpy writes, and whose unpacking takes no memory to speak of


def read_arrays(file: Path | IO[bytes], most: int, names: Collection[str] | None = None) -> dict[str, NDArray[Any]]:
    """Return the arrays of an `.npz` file, those of them that `names` lists if it is given.

    Each array's own header and the archive's directory both tell its size. Where they differ, or where all that is
    wanted takes more than `most` bytes, nothing is unpacked.

    Raises:
        ValueError: with what is wrong. A damaged file raises other exceptions of zipfile, zlib and numpy, too.
    """
    with zipfile.ZipFile(file) as archive:
        there: dict[str, zipfile.ZipInfo] = {}
        for info in archive.infolist():
            name = info.filename.removesuffix(".npy")
            if name in there:
                raise ValueError(f"it has two arrays named {name!r}")
            there[name] = info
        wanted = {name: info for name, info in there.items() if names is None or name in names}
        total = sum(info.file_size for info in wanted.values())
        if total > most:
            raise ValueError(f"its arrays take {amount(total)} unpacked, and at most {amount(most)} are read")
        for name, info in wanted.items():
            _check(archive, name, info)
        return {name: _read(archive, info) for name, info in wanted.items()}


def names_in(file: Path) -> list[str]:
    """Return the names of the arrays in an `.npz` file."""
    with zipfile.ZipFile(file) as archive:
        return [info.filename.removesuffix(".npy") for info in archive.infolist()]


def _check(archive: zipfile.ZipFile, name: str, info: zipfile.ZipInfo) -> None:
    """Compare what an array's header tells with the size that the archive tells, reading no more than the header."""
    if info.compress_type not in _PLAIN:
        raise ValueError(f"{name!r} is packed in a way that numpy does not write")
    with archive.open(info) as member:
        start = io.BytesIO(member.read(_LONGEST_HEADER + 100))
    shape, _, dtype = _header(name, start)
    told = start.tell() + math.prod(shape) * dtype.itemsize
    if told != info.file_size or any(size < 0 for size in shape):
        raise ValueError(f"{name!r} has the shape {shape} of {dtype}, and {amount(info.file_size)} of data")


def _header(name: str, start: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read the header of an array: its shape, whether its columns lie together, and its type, which is plain."""
    try:
        with warnings.catch_warnings(action="ignore"):  # of arrays that Python 2 wrote
            read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[npy.read_magic(start)]
            shape, by_columns, dtype = read(start, max_header_size=_LONGEST_HEADER)
    except Exception as error:  # numpy takes it for an expression of Python's, and passes on what comes of that
        raise ValueError(f"{name!r} has no header of a plain array ({one_line(error, 80)})") from error
    if dtype.hasobject:
        raise ValueError(f"Object arrays are pickles, which are never loaded, and {name!r} is one")
    return shape, by_columns, dtype


def mapped(path: Path) -> np.memmap[Any, Any]:
    """Return the array of an `.npy` file, which is mapped into memory rather than read.

    Raises:
        InputError: it is no file, or cannot be read.
        ValueError: it holds no plain array, or less of it than its header says.
    """
    with opened(path) as file:
        shape, by_columns, dtype = _header(path.name, file)
        order: Literal["F", "C"] = "F" if by_columns else "C"
        try:
            found: np.memmap[Any, Any] = np.memmap(file, dtype, "r", file.tell(), shape, order)
        except Exception as error:  # a shape of no array, more than there is, more than can be counted
            raise ValueError(
                f"{path.name!r} does not hold an array of shape {shape} ({one_line(error, 80)})"
            ) from error
    found.filename = str(path.resolve())  # as it is of one that is mapped by its path
    return found


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(info) as member, warnings.catch_warnings(action="ignore"):
        array: NDArray[Any] = npy.read_array(member, allow_pickle=False)
    return array
