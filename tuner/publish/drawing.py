"""The pictures of a report, drawn by several processes at once.

A picture is drawn by a function that holds what was found, which no other process has. So the processes are forked from
this one, take the next picture each from a pipe, and send it back as PNG. What none of them sends back, since it failed
or was killed, is drawn in this process when it is asked for, and fails there as it would have without them.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pickle
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import IO

from tuner.contents.sections import Picture
from tuner.system.interrupts import INTERRUPTS
from tuner.system.machine import available_cores

#: More processes than these hardly draw sooner: what takes longest is a picture or two.
_MOST = 8
#: Libraries whose threads a fork would leave behind in the middle of what they do.
_THREADED = ("jax", "tensorflow", "torch")
#: Linux' prctl(2): the signal that a process gets when the one that forked it ends.
_PR_SET_PDEATHSIG = 1
#: A place in the pipe. Linux hands out so few bytes whole, and holds 16,384 of these places.
_PLACE_BYTES = 4


def draw_all(pictures: Sequence[Picture]) -> None:
    """Draw pictures on several cores, so that each has its `png`; where nothing can be forked, leave them undrawn."""
    undrawn = [picture for picture in pictures if "png" not in vars(picture)]
    helpers = min(available_cores(), _MOST, len(undrawn)) - 1
    if helpers < 1 or sys.platform != "linux" or any(name in sys.modules for name in _THREADED):
        return
    import matplotlib.backends.backend_agg  # noqa: F401  # once, and not in every process

    places, rest = os.pipe()
    os.write(rest, b"".join(place.to_bytes(_PLACE_BYTES, "big") for place in range(len(undrawn))))
    os.close(rest)
    processes: dict[int, IO[bytes]] = {}
    try:
        with contextlib.suppress(OSError):  # of no more processes or memory: those that are there draw
            for _ in range(helpers):
                process, sent = _forked(undrawn, places)
                processes[process] = sent
        for place in _taken(places):
            undrawn[place].png  # noqa: B018  # it keeps it
            INTERRUPTS.hear()  # what draws may have swallowed one
        for sent in processes.values():
            for place, picture in _received(sent).items():
                vars(undrawn[place])["png"] = picture
    finally:
        os.close(places)
        for process, sent in processes.items():
            sent.close()
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)


def _forked(pictures: Sequence[Picture], places: int) -> tuple[int, IO[bytes]]:
    """Return a process that draws, and what it sends."""
    received, sent = os.pipe()
    asked = os.getpid()
    try:
        with warnings.catch_warnings():  # of threads, which here wait and hold nothing that drawing needs
            warnings.simplefilter("ignore", DeprecationWarning)
            process = os.fork()
    except OSError:
        os.close(received)
        os.close(sent)
        raise
    if not process:
        os.close(received)
        _draw(pictures, places, sent, asked)
    os.close(sent)
    return process, os.fdopen(received, "rb")


def _draw(pictures: Sequence[Picture], places: int, sent: int, asked: int) -> None:
    """Draw what is left and end at once, and with the process that asked, whose locks this one holds as well."""
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != asked:
            return
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal, which the other process hears
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        drawn = {}  # sent at the end, for nobody reads while the other process draws, too
        for place in _taken(places):
            with contextlib.suppress(Exception):  # which is told where the other process draws it
                drawn[place] = pictures[place].png
        with os.fdopen(sent, "wb") as file:
            pickle.dump(drawn, file)
    finally:
        os._exit(0)


def _taken(places: int) -> Iterator[int]:
    """Yield the places of pictures that no other process has taken."""
    while place := os.read(places, _PLACE_BYTES):
        yield int.from_bytes(place, "big")


def _received(sent: IO[bytes]) -> dict[int, bytes]:
    """Return the pictures that a process has drawn, by their places; none of one that was killed."""
    try:
        drawn: dict[int, bytes] = pickle.load(sent)  # noqa: S301  # a process of ours
    except (EOFError, pickle.UnpicklingError):
        return {}
    return drawn
