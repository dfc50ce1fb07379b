"""What is being done while somebody waits: said by whoever does it, heard by whoever wants to.

The command line says it on its standard error once it has taken a while; a script or a notebook hears nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Whoever hears for this process; `heard_by` puts back the one before.
_listener: tuple[Callable[[str], object], float] | None = None


@contextmanager
def heard_by(say: Callable[[str], object], after: float) -> Iterator[None]:
    """Let `say` be told, from a thread of its own, of whatever takes longer than `after` seconds."""
    global _listener  # noqa: PLW0603  # of this process
    before, _listener = _listener, (say, after)
    try:
        yield
    finally:
        _listener = before


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Do something that may take a while, such as "drawing the report"."""
    if _listener is None:
        yield
        return
    say, after = _listener
    timer = threading.Timer(after, say, (what,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
