"""How much is read of a file that anybody may have written. What is larger is refused by its size, unread."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from tuner.errors import InputError

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


def most_data() -> int:
    """Return how many bytes a data set may take in memory here."""
    return min(MOST_DATA, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


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
        raise InputError(str(path), "is not a file", "pipes, devices and folders are not read")
    return found.st_size


def read_at_most(path: Path, most: int) -> bytes:
    """Return the content of a file of at most `most` bytes.

    Raises:
        InputError: it is larger, is no file or cannot be read.
    """
    size = size_of(path)
    if size <= most:
        try:
            with path.open("rb") as file:
                content = file.read(most + 1)  # what grows meanwhile, or does not tell its size
        except OSError as error:
            raise InputError(str(path), f"cannot be read ({error.strerror})") from error
        if len(content) <= most:
            return content
    raise InputError(str(path), f"is larger than {amount(most)}", "that much is read at most")


def amount(size: int) -> str:
    """Return a number of bytes as people read it: 1.5 GB."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= unit:
            return f"{size / unit:,.3g} {name}" if size < 1000 * unit else f"{size / unit:,.0f} {name}"
    return f"{size} bytes"
