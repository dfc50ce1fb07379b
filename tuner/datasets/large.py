"""Arrays larger than memory: they lie in files, of which a part at a time is read.

An array counts as large from `LARGE` bytes on, on every machine, so that what is trained does not depend on it.
"""

from __future__ import annotations

import math
import mmap
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tuner.errors import resource_error_of

#: Arrays of more bytes lie in files.
LARGE = 250_000_000
#: So many bytes of one are read at a time.
BLOCK = 64_000_000
#: Images per step where nothing is learned, and how many values their pixels may have: networks make more of each.
_MOST_IMAGES, _MOST_VALUES = 1000, 1000 * 64 * 64 * 3
#: Where systems keep large temporary files on a disk; the usual place for temporary files may be memory.
_ON_DISK = Path("/var/tmp")  # noqa: S108  # the file has no name there


def room_for(rows: int, shape: Sequence[int], dtype: Any = np.uint8) -> NDArray[Any]:
    """Return an array, `(rows, *shape)`, to be filled: in memory, or in a temporary file that goes with it.

    Raises:
        ResourceError: the disk has no room for it.
    """
    whole = (rows, *shape)
    size = math.prod(whole) * int(np.dtype(dtype).itemsize)
    if size <= LARGE:
        return np.empty(whole, dtype)
    folder = _ON_DISK if os.access(_ON_DISK, os.W_OK) else Path(tempfile.gettempdir())
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            if hasattr(os, "posix_fallocate"):  # else a full disk would be a signal, at any line that writes
                os.posix_fallocate(file.fileno(), 0, size)
            return np.memmap(file, dtype, "r+", shape=whole)
    except OSError as error:
        raise resource_error_of(error, str(folder)) or error from error


def blocks(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Yield an array's rows in their order, some at a time; of one that lies in a file, no more stay in memory."""
    rows = rows_of(array.shape[1:], array.dtype)
    for first in range(0, len(array), rows):
        yield array[first : first + rows]
        release(array)


def rows_of(shape: Sequence[int], dtype: Any = np.uint8, batch: int = 1) -> int:
    """Return how many rows of this shape are a block, in whole batches."""
    return batch * max(1, BLOCK // max(1, math.prod(shape) * int(np.dtype(dtype).itemsize)) // batch)


def most_images(shape: Sequence[int]) -> int:
    """Return how many images, or features, of a shape are looked at in one step at most where nothing is learned."""
    return max(1, min(_MOST_IMAGES, _MOST_VALUES // max(1, math.prod(shape))))


def release(array: NDArray[Any]) -> None:
    """Take what was read of an array out of memory, where it lies in a file; it is read again when it is wanted."""
    mapped = _mapped(array)
    if mapped is not None and array.nbytes > BLOCK and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


def _mapped(array: Any) -> mmap.mmap | None:
    while array is not None:
        if isinstance(array, mmap.mmap):
            return array
        array = getattr(array, "base", None)
    return None


def taken(array: NDArray[np.uint8], places: Sequence[int]) -> NDArray[np.uint8]:
    """Return the rows of an array at ascending places: as a view where they stand side by side, else as a new array."""
    first, last = places[0], places[-1]
    if last - first + 1 == len(places):
        return array[first : last + 1]
    found = room_for(len(places), array.shape[1:])
    step = rows_of(array.shape[1:])
    for begin in range(0, len(places), step):
        found[begin : begin + step] = array[list(places[begin : begin + step])]
        release(array)
        release(found)
    return found


def gathered(first: NDArray[np.uint8], second: NDArray[np.uint8], places: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Return rows of two arrays at places, in any order, which count those of the second behind those of the first."""
    found = room_for(len(places), first.shape[1:])
    step = rows_of(first.shape[1:])
    for begin in range(0, len(places), step):
        here, into = places[begin : begin + step], found[begin : begin + step]
        behind = here >= len(first)
        into[~behind], into[behind] = first[here[~behind]], second[here[behind] - len(first)]
        for array in (first, second, found):
            release(array)
    return found


def moved_to_front(array: NDArray[np.uint8], places: Sequence[int]) -> NDArray[np.uint8]:
    """Move rows, whose places ascend, to the front of the array, which need not be held twice for it; return them."""
    step = rows_of(array.shape[1:])
    for row, place in enumerate(places):
        if row != place:
            array[row] = array[place]
        if row % step == step - 1:
            release(array)
    return array[: len(places)]


def joined(first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    """Return two arrays one behind the other; without a copy where they lie so in one array, as parts of it."""
    whole = first.base
    if isinstance(whole, np.ndarray) and whole is second.base and whole.shape[1:] == first.shape[1:]:
        row = whole.nbytes // max(1, len(whole))
        begin, byte = divmod(_address(first) - _address(whole), max(1, row))
        if not byte and _address(first) + first.nbytes == _address(second) and whole.flags.c_contiguous:
            return whole[begin : begin + len(first) + len(second)]
    return np.concatenate((first, second))


def _address(array: NDArray[Any]) -> int:
    return int(array.__array_interface__["data"][0])


class RowsInFile:
    """Some rows of an array in an `.npy` file, each read when it is asked for, so that none stays in memory.

    What is read of a mapped array would stay as long as the process. An example:

        images = RowsInFile(np.load("x_train.npy", mmap_mode="r"), places)
        images[:256]                                    # the first of them, as an array
        images[order[0:64]]                             # others
    """

    def __init__(self, array: np.memmap[Any, Any], places: NDArray[np.intp] | None = None) -> None:
        if not self.reads(array):
            raise ValueError("not the whole array of a file, row by row")
        self._places = np.arange(len(array)) if places is None else places
        self._offset, self._row = array.offset, array[:1].nbytes
        # As long as there is somebody to read it:
        self._file = Path(str(array.filename)).open("rb", buffering=0)  # noqa: SIM115
        self.shape, self.dtype = (len(self._places), *array.shape[1:]), array.dtype

    @staticmethod
    def reads(array: np.memmap[Any, Any]) -> bool:
        """Tell whether an array is the whole one of a file; a part of it does not know where it begins."""
        return array.filename is not None and isinstance(array.base, mmap.mmap) and array.flags.c_contiguous

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, which: slice | NDArray[np.intp]) -> NDArray[Any]:
        """Return rows by a slice or by their places."""
        places = self._places[which]
        found = np.empty((len(places), *self.shape[1:]), self.dtype)
        begin = 0
        for count in _side_by_side(places):
            self._read(found[begin : begin + count], int(places[begin]))
            begin += count
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Return all rows; see NumPy's protocol for arrays."""
        return self[:] if dtype is None else self[:].astype(dtype, copy=False)

    def _read(self, into: NDArray[Any], place: int) -> None:
        at, rest = self._offset + place * self._row, memoryview(into.reshape(-1).view(np.uint8).data)
        while rest:
            count = os.preadv(self._file.fileno(), [rest], at) if hasattr(os, "preadv") else self._sought(rest, at)
            if not count:
                raise EOFError(f"{self._file.name} is shorter than it was")
            at, rest = at + count, rest[count:]

    def _sought(self, into: memoryview, at: int) -> int:
        self._file.seek(at)
        return self._file.readinto(into) or 0


#: Images in memory, or in a file.
Rows: TypeAlias = NDArray[Any] | RowsInFile


def _side_by_side(places: NDArray[np.intp]) -> list[int]:
    """Return the lengths of the runs in which places follow each other."""
    ends = np.flatnonzero(np.diff(places) != 1) + 1
    return np.diff(np.concatenate(([0], ends, [len(places)]))).tolist() if len(places) else []


def rows_at(array: NDArray[Any], places: NDArray[np.intp]) -> Rows:
    """Return the rows at some places: in memory, or where they are large and lie in a file, as they are read of it."""
    size = len(places) * array[:1].nbytes
    if size > LARGE and isinstance(array, np.memmap) and RowsInFile.reads(array):
        return RowsInFile(array, places)
    return np.asarray(array[places])
