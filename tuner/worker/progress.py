"""How far a training is, told by its worker in a small file, so that whoever watches the search sees it.

Nothing depends on it: where it cannot be written, a training goes on without, and nothing of a search is decided by it.
Free of Keras.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Self

from pydantic import Field

from tuner.executors.base import WORKER
from tuner.system.files import folder_inside, partial_of, remove_partials
from tuner.trial import MOST_EPOCHS, Job, Trial
from tuner.untrusted.checked_json import parsed
from tuner.untrusted.sizes import read_at_most

#: A training tells this often at most, in seconds.
SECONDS_BETWEEN = 0.5
#: A curve is told by so many of its epochs at most.
MOST_POINTS = 120
#: What is told of one training takes no more bytes; a trial of many values takes a few thousand.
MOST_BYTES = 200_000
#: What nobody has touched for so long, in seconds, was left by a worker that was killed.
FORGOTTEN = 86_400.0
_NAME = re.compile(r"[0-9a-f]{16}\.json", re.ASCII)
_Moment = Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False)]
_Epoch = Annotated[int, Field(ge=0, le=MOST_EPOCHS)]
_Score = Annotated[float, Field(allow_inf_nan=False)]


@dataclass(frozen=True)
class UnderWay:
    """A training under way: which trial, where, since when, and how far it has come.

    `worker`, counted from 1, is one of the places that a machine trains in, None where nobody knows. `curve` holds
    epochs with what the metric `column` was after each, thinned out where there are many.
    """

    trial: Trial
    worker: Annotated[int, Field(ge=1, le=1_000_000)] | None
    node: Annotated[str, Field(max_length=1_000)]
    began: _Moment
    epoch: _Epoch = 0
    column: Annotated[str, Field(max_length=1_000)] = ""
    curve: Annotated[tuple[tuple[_Epoch, _Score], ...], Field(max_length=2 * MOST_POINTS)] = ()
    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012  # not a field


class Progress:
    """Tells how far one training is; a context manager, at whose end nothing more is told.

    Args:
        job: what is trained; the folder `progress` lies beside that of its artifacts.
    """

    def __init__(self, job: Job) -> None:
        self._trial, self._folder = job.trial, job.artifacts.parent / "progress"
        number = os.environ.get(WORKER, "")
        self._worker = int(number) if re.fullmatch("[1-9][0-9]{0,5}", number, re.ASCII) else None
        self._began = time.time()
        self._told = 0.0

    def __enter__(self) -> Self:
        self.tell({}, "")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    @property
    def _path(self) -> Path:
        return self._folder / f"{self._trial.id}.json"

    def tell(self, curves: Mapping[str, Sequence[float]], column: str) -> None:
        """Tell of the epochs so far, unless that was done a moment ago; `column` is what trials are chosen by."""
        now = time.monotonic()
        if now - self._told < SECONDS_BETWEEN:
            return
        self._told = now
        shown = next((name for name in (column, "val_accuracy", "accuracy", "loss") if name in curves), "")
        curve = curves.get(shown, ())
        apart = max(1, -(-len(curve) // MOST_POINTS))
        epochs = sorted({*range(0, len(curve), apart), len(curve) - 1} - {-1})
        told = UnderWay(
            self._trial,
            self._worker,
            socket.gethostname(),
            self._began,
            len(curve),
            shown,
            tuple((epoch + 1, float(curve[epoch])) for epoch in epochs),
        )
        write_told(self._path, {**asdict(told), "trial": json.loads(self._trial.to_json())})


def write_told(path: Path, told: Mapping[str, Any]) -> None:
    """Write what is told as JSON, into a folder that is made, where it can be: nothing depends on it.

    The file is there whole or not at all as long as the machine runs: nothing is flushed to the disk.
    """
    with contextlib.suppress(Exception):  # no room, a link in its place
        folder_inside(path.parent.parent, path.parent.name)
        with partial_of(path) as partial:
            partial.write_text(json.dumps(told), encoding="utf-8")
            partial.replace(path)


def under_way(folder: Path, since: float) -> Iterator[UnderWay]:
    """Yield what is told of trainings under way; what was told before `since`, in seconds since 1970, is left out."""
    with contextlib.suppress(OSError):
        for path in sorted(folder.iterdir()):
            if _NAME.fullmatch(path.name):
                with contextlib.suppress(Exception):  # it has just ended; of a stranger's file anything may be wrong
                    if not path.is_symlink() and path.stat().st_mtime >= since:
                        yield parsed(UnderWay, read_at_most(path, MOST_BYTES).decode())


def sweep(folder: Path) -> None:
    """Remove what killed workers left long ago."""
    remove_partials(folder)
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if path.suffix == ".json" and path.lstat().st_mtime < time.time() - FORGOTTEN:
                path.unlink(missing_ok=True)
