"""Exported models as they are read again: looked at from outside, and opened and run by a process of its own."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from tuner.errors import InputError
from tuner.saved_models.exporting import Format, running
from tuner.system.interrupts import INTERRUPTS
from tuner.untrusted.saved_model import no_such_model
from tuner.untrusted.sizes import MOST_MODEL, amount, size_of

#: So many images are answered to at a time.
BATCH = 32
#: What TensorFlow writes for a SavedModel; assets are files that a network reads.
_MEMBERS = ("saved_model.pb", "fingerprint.pb", "keras_metadata.pb")
_FOLDERS = ("variables", "assets")


@dataclass(frozen=True)
class Opened:
    """A model that a process has opened: what it takes, what it gives, with None for sides that are open."""

    takes: tuple[int | None, ...]
    gives: tuple[int | None, ...]


class Asked:
    """A process that is asked in lines of JSON, and answers in such.

    It ends with this one, whatever ends it: its standard input is a pipe that only this one holds.
    """

    def __init__(self, script: ModuleType) -> None:
        # Without GPUs, so that all formats are timed on the same: one thread of the processor.
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"}
        self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and script
            [sys.executable, "-I", str(script.__file__)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **quiet},
        )

    def tell(self, job: object) -> None:
        """Give it a line."""
        with suppress(BrokenPipeError):  # it has ended, which shows where it is to answer
            asked = cast(IO[str], self._process.stdin)
            asked.write(json.dumps(job) + "\n")
            asked.flush()

    def hear(self) -> Any:
        """Return its next answer; None where it ended instead."""
        line = cast(IO[str], self._process.stdout).readline()
        INTERRUPTS.hear()
        return json.loads(line) if line else None

    def how_it_ended(self) -> str:
        """Return in words how it ended."""
        code = self._process.wait()
        return f"it was ended by signal {-code}" if code < 0 else f"it ended with exit code {code}"

    def end(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


class Runtime:
    """A process in which exported models are run, one after the other."""

    def __init__(self, asked: Asked, scratch: Path) -> None:
        self._asked, self._scratch = asked, scratch
        self._path = Path()

    def open(self, path: Path, form: str) -> Opened:
        """Open a model, which takes the place of the one before.

        Args:
            path: its file or folder, which was looked at.
            form: the name of its format.

        Raises:
            InputError: it cannot be opened.
        """
        self._path = path
        told = self._ask({"open": str(path.resolve()), "format": form}, "opened")
        return Opened(tuple(told["takes"]), tuple(told["gives"]))

    def answer(self, images: NDArray[Any], calls: int = 0) -> tuple[NDArray[np.float32], list[float]]:
        """Return what the model answers to images, `(n, classes)`, and what single images took, in milliseconds.

        Args:
            images: raw, `(n, height, width, channels)`.
            calls: how many single images' times are taken, after some that are not.

        Raises:
            InputError: it cannot be run.
        """
        given, answers = self._scratch / "images.npy", self._scratch / "answers.npy"
        np.save(given, images)
        job = {"images": str(given), "answers": str(answers), "calls": calls, "batch": BATCH}
        told = self._ask(job, "run")
        return np.load(answers).astype(np.float32), list(told["milliseconds"])

    def _ask(self, job: dict[str, Any], what: str) -> dict[str, Any]:
        self._asked.tell(job)
        told = self._asked.hear()
        if told is None:
            raise InputError(str(self._path), f"cannot be {what}: {self._asked.how_it_ended()}")
        if "wrong" in told:
            raise InputError(str(self._path), f"cannot be {what} ({told['wrong']})")
        return cast(dict[str, Any], told)


@contextmanager
def runtime(scratch: Path) -> Iterator[Runtime]:
    """Start a process in which exported models are run; it keeps images and answers in `scratch`."""
    asked = Asked(running)
    try:
        yield Runtime(asked, scratch)
    finally:
        asked.end()


def check_exported(path: Path, form: Format) -> None:
    """Look at an exported model, whoever wrote it, before anything opens it.

    Raises:
        InputError: it is not there, is too large, or is no file or folder of the format.
    """
    if not path.exists():
        raise no_such_model(path)
    if form.name != "savedmodel":
        size = size_of(path)
    elif not path.is_dir():
        raise InputError(str(path), "is not a folder, as a SavedModel is")
    else:
        size = _size_of_folder(path)
    if size > MOST_MODEL:
        raise InputError(str(path), f"has {amount(size)}", f"models of at most {amount(MOST_MODEL)} are loaded")


def _size_of_folder(path: Path) -> int:
    """Return the size of a SavedModel's files, in bytes.

    Raises:
        InputError: it has others, or links.
    """
    size = 0
    waiting = [path]
    while waiting:
        folder = waiting.pop()
        for entry in sorted(folder.iterdir()):
            name = str(entry.relative_to(path))
            mode = entry.lstat().st_mode
            if stat.S_ISDIR(mode) and name in _FOLDERS:
                waiting.append(entry)
                continue
            variables = name.startswith("variables/variables.")
            if not stat.S_ISREG(mode) or not (name in _MEMBERS or variables):
                what = "a link" if stat.S_ISLNK(mode) else "something"
                raise InputError(str(path), f"holds {what} that no exported network needs ({name})")
            size += size_of(entry)
    return size
