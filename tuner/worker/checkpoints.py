"""Where a training stood at the end of an epoch, kept in a file so that another trial, or another run, goes on from it.

A checkpoint only saves time: without it, or where anything about it is not as it should be, a trial trains from its
first epoch, and comes to the same. Free of Keras.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.system.files import folder_inside, remove_partials, write_whole
from tuner.trial import Trial
from tuner.untrusted.arrays import read_arrays
from tuner.untrusted.checked_json import parsed
from tuner.untrusted.sizes import MOST_MODEL, size_of

#: All checkpoints together take at most so many bytes; those that nothing went on from for longest are removed.
MOST_BYTES = 2_000_000_000
_NAME = re.compile(r"([0-9a-f]{16})-([1-9][0-9]{0,6})\.npz", re.ASCII)
_ABOUT, _ANSWERS, _STATE = "about", "answers", "state_{}"


@dataclass(frozen=True)
class About:
    """What a checkpoint says of the epochs before it, which is not an array.

    `curves` holds a value per epoch for each metric, `seconds` how long each epoch took, `spent` what the training took
    as a whole, `watched` what was noted of watched layers, `best_epoch` the one that early stopping would choose so
    far; `made_with` the versions and the hardware, which a training does not change under way.
    """

    curves: dict[str, list[float]]
    seconds: list[float]
    spent: float
    best_epoch: int | None
    watched: dict[str, dict[str, list[Any]]]
    made_with: dict[str, Any]
    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012  # not a field


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Where a training stood.

    `state` is what an engine goes on from (`tuner.worker.engines.base.State`), `answers` what the epoch that counts so
    far answered to the validation images, `(n, classes)`; None where there are no such images.
    """

    about: About
    state: tuple[NDArray[Any], ...]
    answers: NDArray[np.float32] | None = field(default=None)

    @property
    def epochs(self) -> int:
        """How many epochs had been trained."""
        return len(self.about.seconds)


def checkpoints_beside(artifacts: Path) -> Path:
    """Return the folder of the checkpoints, which is not made, beside that of the models."""
    return artifacts.parent / "checkpoints"


class Checkpoints:
    """The checkpoints in a folder, each named by the course of its training and by its number of epochs.

    Args:
        folder: `checkpoints` in `runs/`, made when the first is written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def reaches(self, trial: Trial, begin: int) -> bool:
        """Tell whether there seems to be a checkpoint from which a trial can go on after so many epochs."""
        return bool(self._between(trial, begin, trial.last_epoch))

    def _between(self, trial: Trial, begin: int, end: int) -> list[int]:
        """Return where there are checkpoints of a trial's course that it can go on from, the furthest first."""
        there = sorted((epochs for course, epochs, _ in self._files() if course == trial.course), reverse=True)
        most = min(end, trial.last_epoch - (trial.role == "final"))
        return [epochs for epochs in there if begin < epochs <= most]

    def latest(
        self, trial: Trial, made_with: Mapping[str, Any], classes: int, begin: int = 0, end: int | None = None
    ) -> Checkpoint | None:
        """Return from where a trial can go on: the furthest checkpoint of its course that is not beyond its end.

        A final trial goes on from before its end, since it is the network that is asked for.

        Args:
            trial: what is to be trained.
            made_with: the versions and the hardware that it will be trained with.
            classes: how many there are.
            begin: how many epochs come before the stage that is asked for.
            end: its last epoch; None for that of the trial.
        """
        for epochs in self._between(trial, begin, trial.last_epoch if end is None else end):
            path = self._path(trial.course, epochs)
            with contextlib.suppress(Exception):  # of a stranger's file anything may be wrong; and it may go meanwhile
                found = _read(path, classes)
                if found.epochs == epochs and found.about.made_with == made_with:
                    with contextlib.suppress(OSError):
                        os.utime(path)  # so that it is not the oldest
                    return found
        return None

    def write(self, trial: Trial, checkpoint: Checkpoint) -> None:
        """Write a checkpoint of a trial in place of an earlier one; where that cannot be, go on without."""
        with contextlib.suppress(Exception):  # no room, a link in its place, a gradient that is no number
            arrays = _arrays_of(checkpoint)
            size = sum(array.nbytes for array in arrays.values())
            if size > MOST_BYTES:
                return
            folder_inside(self._folder.parent, self._folder.name)
            remove_partials(self._folder)
            self._make_room(size)
            write_whole(self._path(trial.course, checkpoint.epochs), lambda partial: np.savez(partial, **arrays))
            for course, epochs, earlier in self._files():
                if course == trial.course and epochs < checkpoint.epochs:
                    _remove(earlier)

    def clear(self) -> None:
        """Remove all checkpoints."""
        for _, _, path in self._files():
            _remove(path)

    def forget(self, courses: Collection[str]) -> None:
        """Remove the checkpoints of trainings that nothing goes on with."""
        for course, _, path in self._files():
            if course in courses:
                _remove(path)

    def _path(self, course: str, epochs: int) -> Path:
        return self._folder / f"{course}-{epochs}.npz"

    def _files(self) -> Iterator[tuple[str, int, Path]]:
        """Yield the checkpoints that are there, each with its course and number of epochs."""
        with contextlib.suppress(OSError):
            for path in sorted(self._folder.iterdir()):
                if (name := _NAME.fullmatch(path.name)) and not path.is_symlink():
                    yield name[1], int(name[2]), path

    def _make_room(self, size: int) -> None:
        there = []
        for _, _, path in self._files():
            with contextlib.suppress(OSError):
                found = path.stat()
                there.append((found.st_mtime, path, found.st_size))
        room = MOST_BYTES - size - sum(one for _, _, one in there)
        for _, path, one in sorted(there):
            if room >= 0:
                break
            room += one * _remove(path)


def _remove(path: Path) -> bool:
    """Remove a file, and return whether it is gone: what lies in its place may be anything."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _arrays_of(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return what is written of a checkpoint, as arrays."""
    about = json.dumps(asdict(checkpoint.about), allow_nan=False).encode()
    answers = {} if checkpoint.answers is None else {_ANSWERS: checkpoint.answers}
    state = {_STATE.format(number): value for number, value in enumerate(checkpoint.state)}
    return {_ABOUT: np.frombuffer(about, np.uint8), **answers, **state}


def _read(path: Path, classes: int) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        Exception: of many kinds, where it is none of ours.
    """
    size = size_of(path)  # which knows files alone
    arrays = read_arrays(path, min(MOST_MODEL, 2 * size))
    about = parsed(About, arrays.pop(_ABOUT).tobytes().decode())
    answers = arrays.pop(_ANSWERS, None)
    epochs = len(about.seconds)
    if any(len(curve) != epochs or not all(map(math.isfinite, curve)) for curve in about.curves.values()):
        raise ValueError("its curves are not of its epochs")
    if about.best_epoch is not None and not 1 <= about.best_epoch <= epochs:
        raise ValueError("its best epoch is none of its epochs")
    if not all(math.isfinite(one) and one >= 0 for one in (*about.seconds, about.spent)):
        raise ValueError("its times are none")
    if answers is not None and (answers.dtype != np.float32 or answers.ndim != 2 or answers.shape[1] != classes):
        raise ValueError("its answers are none to these classes")
    state = tuple(arrays[_STATE.format(number)] for number in range(len(arrays)))
    return Checkpoint(about, state, answers)
