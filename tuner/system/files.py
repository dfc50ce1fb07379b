"""Files and folders that are there whole or not at all, in the place where they are meant to be.

Nothing is written through a link below `runs/` and `reports/`: it could lead anywhere. These two may be links.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tuner.errors import InputError

_PARTIAL = ".partial-"
#: What half-written files are named by: the number of a process, which no system lets grow beyond 32 bits.
_WRITER = re.compile(r"\.partial-([0-9]{1,10})-", re.ASCII)
_MOST_PROCESS = 2**31 - 1


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
    _remove(partial)  # of an earlier process of this number, or a link that was laid here
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


def folder_inside(root: Path, *names: str) -> Path:
    """Return the folder `root/names…`, made where it is not there; `root` may be a link, what is below it may not.

    Raises:
        InputError: a link or something else stands in its place.
        OSError: it cannot be made.
    """
    root.mkdir(parents=True, exist_ok=True)
    folder = root
    for name in names:
        folder = folder / name
        check_no_link(folder)
        folder.mkdir(exist_ok=True)
    return folder


def check_no_link(path: Path) -> None:
    """See that what is written to `path` stays there.

    Raises:
        InputError: it is a link.
    """
    if is_a(Path.is_symlink, path):
        raise InputError(str(path), "is a link, and nothing is written through links", "remove it")


def appending_to(path: Path) -> int:
    """Return a file descriptor that appends to a file, made where it is not there.

    Raises:
        InputError: a link, a pipe or a device stands in its place.
        OSError: it cannot be written.
    """
    check_no_link(path)
    extra = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)  # a pipe is not waited for
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | extra, 0o644)
    except OSError as error:
        if is_a(Path.exists, path) and not is_a(Path.is_file, path):
            raise _not_a_file(path) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_a_file(path)
    return descriptor


def _not_a_file(path: Path) -> InputError:
    return InputError(str(path), "is not a file", "remove it: pipes, devices and folders are not written to")


def remove_partials(folder: Path, ended: int = 0) -> None:
    """Remove what killed processes left half written; what living ones write, and what is not ours, stays.

    `ended` is the number of a process that has ended, although the system may still count it among the living.
    """
    for partial in folder.glob(f"{_PARTIAL}*"):
        writer = _WRITER.match(partial.name)
        number = int(writer[1]) if writer else 0
        if 0 < number <= _MOST_PROCESS and (number == ended or not is_alive(number)):
            _remove(partial)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def is_alive(process: int) -> bool:
    """Tell whether there is a process of this number on this machine."""
    if os.name == "nt":  # there, asking a process ends it
        return True
    with contextlib.suppress(PermissionError):  # another user's process is alive too
        try:
            os.kill(process, 0)
        except (ProcessLookupError, OverflowError):
            return False
    return True
