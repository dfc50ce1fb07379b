"""This user's own folder among the system's temporary ones, and folders in it that go with what made them."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tuner.errors import ResourceError
from tuner.system.files import partial_of, remove_partials


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
    if folder.is_symlink() or folder.stat().st_uid != os.getuid() or folder.stat().st_mode & 0o022:
        raise ResourceError(str(folder), "others may write into it", "remove it, or set TMPDIR")
    return folder


@contextmanager
def scratch_folder(what: str) -> Iterator[Path]:
    """Give an empty folder for a while, and remove what processes that were killed left of theirs."""
    place = user_folder()
    remove_partials(place)
    with partial_of(place / f"{what}-{uuid.uuid4().hex}") as folder:
        folder.mkdir()
        yield folder
