"""How much is read of a file that anybody may have written. What is larger is refused by its size, unread.

Every read in `runs/` and `reports/` goes through `opened`, which gives files alone: a pipe would be waited for, and a
device read, for ever.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from tuner.errors import InputError
from tuner.system.machine import memory_bytes

#: A data set takes at most so many bytes unpacked, or as many as the machine has memory where that is less.
MOST_DATA = 16_000_000_000
#: A published archive, such as CIFAR-10's of 184 MB, takes at most so many bytes unpacked.
MOST_ARCHIVE = 1_000_000_000
#: Files of text: a search file, what stands beside a model.
MOST_TEXT = 1_000_000
#: Pictures of more pixels are refused before they are decoded.
MOST_PIXELS = 64_000_000
#: A saved model, and the description of its layers in it.
MOST_MODEL, MOST_CONFIG = 4_000_000_000, 16_000_000
#: A model's card, and what stands beside a data set that is laid out: each may name thousands of classes.
MOST_CARD = 16_000_000
#: Reports and tables of ours, read again for the index.
MOST_REPORT = 100_000_000


def most_data() -> int:
    """Return how many bytes a data set may take in memory here."""
    return min(MOST_DATA, memory_bytes())


@contextmanager
def opened(path: Path, most: int | None = None) -> Iterator[BufferedReader]:
    """Open a file to read, of at most `most` bytes where that is given; nothing else that a path may lead to.

    Raises:
        InputError: it is a pipe, a device or a folder, which might never end; it is larger; it cannot be read.
    """
    size = size_of(path)
    if most is not None and size > most:
        raise _too_large(path, most)
    try:
        # It is looked at again when it is open, and what has become a pipe meanwhile is not waited for.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _no_file(path)
            yield file
    except OSError as error:
        raise InputError(str(path), f"cannot be read ({error.strerror or error})") from error


def size_of(path: Path) -> int:
    """Return the size of a file, in bytes.

    Raises:
        InputError: it is a pipe, a device or a folder, which might never end; or it cannot be looked at.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise InputError(str(path), f"cannot be read ({error.strerror})") from error
    if not stat.S_ISREG(found.st_mode):
        raise _no_file(path)
    return found.st_size


def read_at_most(path: Path, most: int) -> bytes:
    """Return the content of a file of at most `most` bytes.

    Raises:
        InputError: it is larger, is no file or cannot be read.
    """
    with opened(path, most) as file:
        content = file.read(most + 1)  # what grows meanwhile, or does not tell its size
    if len(content) > most:
        raise _too_large(path, most)
    return content


def _no_file(path: Path) -> InputError:
    return InputError(str(path), "is not a file", "pipes, devices and folders are not read")


def _too_large(path: Path, most: int) -> InputError:
    return InputError(str(path), f"is larger than {amount(most)}", "that much is read at most")


def amount(size: int) -> str:
    """Return a number of bytes as people read it: 1.5 GB."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= unit:
            return f"{size / unit:,.3g} {name}" if size < 1000 * unit else f"{size / unit:,.0f} {name}"
    return f"{size} bytes"


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content, read piece by piece.

    Raises:
        InputError: it is no file, larger than any of ours, or cannot be read.
    """
    with opened(path, MOST_DATA) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
