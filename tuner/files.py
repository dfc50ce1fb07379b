"""Files and folders that are there whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_PARTIAL = ".partial-"


def file_part(text: str, otherwise: str = "x") -> str:
    """Return text as part of a file name: letters, digits, '.', '_' and '-'; `otherwise` where none of it is left."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-") or otherwise


def is_a(kind: Callable[[Path], bool], path: Path) -> bool:
    """Tell whether `path` is there and of this kind, such as `Path.is_file`; False where that cannot be known."""
    try:
        return kind(path)
    except (OSError, ValueError):  # a folder that may not be entered, a name that no file can have
        return False


@contextmanager
def partial_of(path: Path) -> Iterator[Path]:
    """Give the name under which `path`, a file or folder, is made until it is whole; what still has it is removed."""
    partial = path.with_name(f"{_PARTIAL}{os.getpid()}-{path.name}")
    try:
        yield partial
    finally:
        _remove(partial)


def publish(partial: Path, path: Path) -> None:
    """Flush a file that is whole to the disk and move it into place."""
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    partial.replace(path)


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make the file under another name, flush it to the disk and move it into place."""
    with partial_of(path) as partial:
        write(partial)
        publish(partial, path)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def remove_partials(folder: Path) -> None:
    """Remove what killed processes left half written; what living ones write stays."""
    for partial in folder.glob(f"{_PARTIAL}*"):
        writer = partial.name.removeprefix(_PARTIAL).partition("-")[0]
        if writer.isdecimal() and not _lives(int(writer)):
            _remove(partial)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    with contextlib.suppress(PermissionError):  # another user's process is alive too
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
    return True
