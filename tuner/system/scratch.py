"""This user's own folder among the system's temporary ones, and folders in it that go with what made them."""

from __future__ import annotations

import os
import stat
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tuner.errors import ResourceError
from tuner.system.files import partial_of, remove_partials

#: Of a file's mode, that others than its owner may write to it.
BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def user_folder() -> Path:
    """Return this user's temporary folder on this machine; no other user may write into it.

    Raises:
        ResourceError: others may.
    """
    if not hasattr(os, "getuid"):  # Windows gives each user a temporary folder of its own
        folder = Path(tempfile.gettempdir()) / "tunetable"
        folder.mkdir(exist_ok=True)
        return folder
    folder = Path(tempfile.gettempdir()) / f"tunetable-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or not is_mine_alone(folder):
        raise ResourceError(str(folder), "others may write into it", "remove it, or set TMPDIR")
    return folder


def is_mine_alone(folder: Path) -> bool:
    """Whether a folder is this user's, and nobody else may write into it; Windows is not asked.

    Raises:
        OSError: it cannot be looked at.
    """
    state = folder.stat()
    return not hasattr(os, "getuid") or (state.st_uid == os.getuid() and not state.st_mode & BY_OTHERS)


@contextmanager
def scratch_folder(what: str) -> Iterator[Path]:
    """Give an empty folder for a while, and remove what processes that were killed left of theirs."""
    place = user_folder()
    remove_partials(place)
    with partial_of(place / f"{what}-{uuid.uuid4().hex}") as folder:
        folder.mkdir()
        yield folder
