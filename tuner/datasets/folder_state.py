"""The state of a folder of images: a hash that is another one whenever decoding it might give other images.

It is told by the names, sizes and times of all files, without reading any; so that a folder which has not changed since
it was laid out for workers is not decoded again.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import PIL

from tuner.datasets.source import Reading
from tuner.system.version import __version__

#: Of what was changed so many seconds ago or less, another change might leave the same times behind.
SETTLED = 2.0
#: Nothing lies deeper in a folder of class folders.
_DEEPEST = 3


def state_of(path: Path, reading: Reading) -> str:
    """Return the state of a folder that is read in some way; empty where nothing can be told of it.

    That is where it was changed just now, cannot be read, or links lead to folders elsewhere.
    """
    how = [__version__, PIL.__version__, str(path.resolve()), reading.image_size, reading.channels, reading.skip_bad]
    digest = hashlib.sha256(json.dumps(how).encode())
    newest = 0.0
    try:
        for name, found in _files(path, 0):
            # The time of the last change of the file itself cannot be set, as that of its content can.
            told = (name, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
            digest.update(json.dumps(told).encode())
            newest = max(newest, found.st_mtime, found.st_ctime)
    except OSError:
        return ""
    return "" if time.time() - newest < SETTLED else digest.hexdigest()[:32]


def _files(folder: Path, depth: int) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the files in a folder with what the system knows of them, in the order of their names.

    Raises:
        OSError: something cannot be read, or is a link to a folder.
    """
    with os.scandir(folder) as listed:
        entries = sorted(listed, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if entry.is_symlink():
                raise OSError(f"{entry.path} is a link to a folder")
            yield f"{entry.path}/", os.stat_result((0,) * 10)  # an empty one is a class, too
            if depth < _DEEPEST:
                yield from _files(Path(entry.path), depth + 1)
        else:
            yield entry.path, entry.stat()
