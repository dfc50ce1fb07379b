"""What is being done while somebody waits: said by whoever does it, heard by whoever wants to.

The command line says it on its standard error once it has taken a while; a script or a notebook hears nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Told what is being done, and whether that takes the place of what was said last.
Say = Callable[[str, bool], object]
#: Whoever hears for this process; `heard_by` puts back the one before.
_listener: tuple[Say, float] | None = None


@contextmanager
def heard_by(say: Say, after: float) -> Iterator[None]:
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
    timer = threading.Timer(after, say, (what, False))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def counting(what: str, total: int) -> Iterator[Callable[[], None]]:
    """Do something `total` times that may take a while together; what this gives is called after each.

    How far it is is said every so often, with how long the rest may take.
    """
    if _listener is None:
        yield lambda: None
        return
    say, after = _listener
    ended, done, begun = threading.Event(), 0, time.monotonic()

    def count() -> None:
        nonlocal done
        done += 1

    def tell() -> None:
        again = False
        while not ended.wait(after):
            spent = time.monotonic() - begun
            left = f", about {spent / done * (total - done):,.0f} s left" if done else ""
            say(f"{what}: {done / max(1, total):.0%} done{left}", again)
            again = True

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield count
    finally:
        ended.set()
        thread.join()
