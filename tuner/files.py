"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

_PARTIAL = ".partial-"


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make the file under another name, flush it to the disk and move it into place."""
    partial = path.with_name(f"{_PARTIAL}{os.getpid()}-{path.name}")
    try:
        write(partial)
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def remove_partials(folder: Path) -> None:
    """Remove what killed processes left half written; what living ones write stays."""
    for partial in folder.glob(f"{_PARTIAL}*"):
        writer = partial.name.removeprefix(_PARTIAL).partition("-")[0]
        if writer.isdecimal() and not _lives(int(writer)):
            partial.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    with contextlib.suppress(PermissionError):  # another user's process is alive too
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
    return True
