"""What a frozen backbone makes of images, computed once for all trials, and kept in files.

A piece holds what came of `PIECE` images; a piece that is there is not computed again, whichever trial, process or
search wants it, and after a kill the rest are computed. What nobody has used for longest makes room for others. Free of
Keras until a piece is missing.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from tuner.datasets.base import Images
from tuner.system.files import folder_inside, remove_partials, write_whole
from tuner.untrusted.arrays import read_arrays
from tuner.untrusted.checked_json import strict_json
from tuner.untrusted.sizes import MOST_TEXT, most_data, read_at_most, size_of

#: All features together take at most about so many bytes; but what was used within the last hour stays.
MOST_BYTES = 5_000_000_000
_IN_USE = 3600.0
_NAME = re.compile(r"[0-9a-f]{16}-[0-9a-f]{16}", re.ASCII)
#: So many images are one piece.
PIECE = 500
#: So many images go through a backbone at a time.
_BATCH = 50
_ABOUT, _FEATURES = "about.json", "features"


class Backbone:
    """A backbone that is built when it is first needed."""

    def __init__(self, build: Callable[[], object]) -> None:
        self._build = build

    @cached_property
    def network(self) -> object:
        """The network, from raw images, `(n, height, width, channels)`, to features, `(n, width)`."""
        return self._build()

    def features(self, images: Images) -> NDArray[np.float32]:
        """Return the features of images, `(n, width)`."""
        found = [np.asarray(self.network(images[at : at + _BATCH])) for at in range(0, len(images), _BATCH)]  # type: ignore[operator]  # Keras has no types
        return np.concatenate(found).astype(np.float32)


class Features:
    """The features of one data set by one backbone.

    Args:
        folder: where they are kept: in `runs/features/`, named by the data set's content and by what decides about
            the backbone.
        backbone: computes what is missing.
    """

    def __init__(self, folder: Path, backbone: Backbone) -> None:
        self._folder, self._backbone = folder, backbone

    def parameters(self) -> int:
        """Return how many parameters the backbone has; it is built where that is not written yet."""
        path = self._folder / _ABOUT
        try:
            parameters = int(strict_json(read_at_most(path, MOST_TEXT))["parameters"])
            os.utime(path)  # so that it is not the one that was used longest ago
        except Exception:  # noqa: BLE001  # it is not there, or a stranger's
            parameters = int(self._backbone.network.count_params())  # type: ignore[attr-defined]  # Keras has no types
            # Before the folder is made: where what told of it is a stranger's, or of long ago, it may be removed.
            make_room(folder_inside(self._folder.parent.parent, self._folder.parent.name))
            self._make_folder()
            write_whole(path, lambda partial: partial.write_text(json.dumps({"parameters": parameters})))
        return parameters

    def of(self, part: str, images: Images) -> NDArray[np.float32]:
        """Return the features of images, `(n, width)`, computing those that are missing.

        Other processes may compute at the same time: each takes pieces that no other is at, and then waits for theirs.

        Args:
            part: what names the images within their data set, such as "train".
            images: all of them, `(n, height, width, channels)` uint8; may be mapped, since a piece is read at a time.
        """
        begins = range(0, len(images), PIECE)
        found: dict[int, NDArray[np.float32]] = {}
        for patience in (0, -1):  # at first without waiting for others
            for begin in begins:
                if begin not in found:
                    piece = self._piece(f"{part}-{begin}.npz", images[begin : begin + PIECE], patience)
                    if piece is not None:
                        found[begin] = piece
        if len({piece.shape[1] for piece in found.values()}) > 1:  # some are a stranger's
            found = {begin: self._computed(f"{part}-{begin}.npz", images[begin : begin + PIECE]) for begin in begins}
        return np.concatenate([found[begin] for begin in begins])

    def _piece(self, name: str, images: Images, patience: int) -> NDArray[np.float32] | None:
        path = self._folder / name
        piece = _read(path, len(images))
        if piece is not None:
            return piece
        self._make_folder()
        try:
            with FileLock(path.with_suffix(".lock"), timeout=patience):
                piece = _read(path, len(images))
                return self._computed(name, images) if piece is None else piece
        except Timeout:
            return None

    def _computed(self, name: str, images: Images) -> NDArray[np.float32]:
        piece = self._backbone.features(np.asarray(images))
        arrays: dict[str, Any] = {_FEATURES: piece}
        write_whole(self._folder / name, lambda partial: np.savez(partial, **arrays))
        return piece

    def _make_folder(self) -> None:
        runs = self._folder.parent.parent
        remove_partials(folder_inside(runs, self._folder.parent.name, self._folder.name))


def make_room(features: Path) -> None:
    """Remove what was used longest ago where the features in a folder take more than they may."""
    there: list[tuple[float, Path, int]] = []
    for folder in features.iterdir():
        with contextlib.suppress(OSError):
            if _NAME.fullmatch(folder.name) and not folder.is_symlink():
                sizes = [file.stat().st_size for file in folder.iterdir()]
                there.append(((folder / _ABOUT).stat().st_mtime, folder, sum(sizes)))
    taken = sum(size for *_, size in there)
    for used, folder, size in sorted(there):
        if taken <= MOST_BYTES or time.time() - used < _IN_USE:
            break
        shutil.rmtree(folder, ignore_errors=True)
        taken -= size


def _read(path: Path, rows: int) -> NDArray[np.float32] | None:
    """Return a piece of so many rows; None where there is none, or one that no run wrote."""
    try:
        size_of(path)  # which knows files alone
        piece = read_arrays(path, most_data(), (_FEATURES,))[_FEATURES]
    except Exception:  # noqa: BLE001  # zipfile, zlib and numpy raise a dozen kinds on what is no file of ours
        return None
    is_one = piece.ndim == 2 and len(piece) == rows and piece.shape[1] > 0 and piece.dtype == np.float32
    return piece if is_one and bool(np.isfinite(piece).all()) else None
