"""What a call does beside its limit of minutes, as it does the work of all calls after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Tells the executor that the time of this process's call stops (True) or goes on (False).
_tell: Callable[[bool], object] | None = None


def tell_by(tell: Callable[[bool], object]) -> None:
    """Say how the executor of this process, which is a worker, hears of it."""
    global _tell  # noqa: PLW0603  # of this process
    _tell = tell


@contextmanager
def untimed() -> Iterator[None]:
    """Do something that does not count within the minutes that a call may take."""
    if _tell is not None:
        _tell(True)
    try:
        yield
    finally:
        if _tell is not None:
            _tell(False)
