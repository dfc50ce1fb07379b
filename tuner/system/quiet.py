"""Keras and its backends without the lines that they print while they are imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tuner.system.files import appending_to
from tuner.system.interrupts import INTERRUPTS
from tuner.system.streams import lasting, open_closed
from tuner.system.waiting import doing


@contextmanager
def printing_to(log: Path) -> Iterator[None]:
    """Send this process's output, and that of processes started now, to `log`.

    Compiled libraries print past Python's `sys.stderr`, so that the file descriptors themselves are exchanged.
    """
    for stream in (sys.stdout, sys.stderr):
        lasting(stream).flush()
    open_closed()
    file = os.open(log, os.O_WRONLY) if str(log) == os.devnull else appending_to(log)
    kept = os.dup(1), os.dup(2)
    try:
        os.dup2(file, 1)
        os.dup2(file, 2)
        yield
    finally:
        os.dup2(kept[0], 1)
        os.dup2(kept[1], 2)
        for descriptor in (*kept, file):
            os.close(descriptor)


@contextmanager
def silence() -> Iterator[None]:
    """Let nothing be printed: backends tell of drivers that are not there when they first compute."""
    with printing_to(Path(os.devnull)):
        yield


def import_keras() -> None:
    """Import Keras for the first time; later imports of it print nothing any more."""
    if "keras" not in sys.modules:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        with doing("importing Keras"), INTERRUPTS.importing(), silence():
            import keras  # noqa: F401  # for its side effect
