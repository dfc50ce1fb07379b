"""The exit code of this process, for what ends it past Python once all else is done."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_noted: list[int] = []


@contextmanager
def noting_exit() -> Iterator[None]:
    """Note the code of a `SystemExit` that passes here, which Python tells nobody who runs at its exit."""
    try:
        yield
    except SystemExit as end:
        _noted[:] = [code_of(end)]
        raise


def code_of(end: SystemExit) -> int:
    """Return the exit code that Python gives a process for a `SystemExit`."""
    return end.code if isinstance(end.code, int) else int(end.code is not None)


def exit_code() -> int:
    """Return with which code this process ends: the one noted, else 1 after a traceback, else 0."""
    return _noted[0] if _noted else int(hasattr(sys, "last_type"))
