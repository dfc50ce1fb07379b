"""A worker: a process that runs one call after the other, forked from a server that has imported Keras and run nothing.

So a fresh process costs next to nothing; its memory goes back when it ends, and its crash is its own.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from tuner.executors.untimed import tell_by
from tuner.system.files import appending_to
from tuner.trial import Attempt

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, ForkServerProcess  # which Windows has not


@dataclass
class Worker:
    """A process with its pipes; `key` names the call that it runs, and is empty while it waits for the next."""

    process: ForkServerProcess
    calls: Connection
    results: Connection
    lifeline: Connection
    slot: int = 0
    group: str = ""
    surroundings: str = ""
    key: str = ""
    taken: int = 0
    begun: float | None = None  # when it began its call, by the monotonic clock
    stopped: float | None = None  # since when its time stands still
    uncounted: float = 0.0  # how long it stood still before

    def counted(self, now: float) -> float:
        """Return how many seconds of its call count within a limit of minutes."""
        return 0.0 if self.begun is None else (self.stopped or now) - self.begun - self.uncounted

    def note(self, stops: bool | None) -> None:
        """Note that its call begins (None), or that its time stops or goes on."""
        now = time.monotonic()
        if stops is None:
            self.begun = now
        elif stops:
            self.stopped = now
        elif self.stopped is not None:
            self.uncounted, self.stopped = self.uncounted + now - self.stopped, None

    def attempt(self) -> Attempt:
        """Return when and where its call ran, which has just ended."""
        return Attempt.of(0.0 if self.begun is None else time.monotonic() - self.begun, self.slot + 1)


def forked_worker(context: ForkServerContext, function: str, log: Path) -> Worker:
    """Fork a process that waits for calls of a function, `module:function`; what it prints goes to the log.

    Raises:
        OSError: the system has no room for it.
        EOFError: the server of workers has ended.
    """
    theirs, calls = context.Pipe(duplex=False)
    results, their_results = context.Pipe(duplex=False)
    their_lifeline, lifeline = context.Pipe(duplex=False)
    process = context.Process(
        target=_work, args=(function, theirs, their_results, their_lifeline, str(log)), daemon=True
    )
    with _without_main():
        process.start()
    for end in (theirs, their_results, their_lifeline):
        end.close()
    return Worker(process, calls, results, lifeline)


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Start processes that do not import this one's main module, as multiprocessing has them do.

    Calls need nothing of it, and a script that starts a search without asking for its `__name__` would start it again.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def reason_of_exit(code: int | None) -> str:
    """Return what the exit code of a worker that gave no result tells."""
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        hint = ", which is also how the system ends a process when memory runs out" if name == "SIGKILL" else ""
        return f"the worker was killed by {name}{hint}"
    return f"the worker ended with exit code {code} and no result"


def _work(function: str, calls: Connection, results: Connection, lifeline: Connection, log: str) -> None:
    """Run in the worker: call the function on one argument after the other, and end if the main process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the main process's to handle
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with contextlib.suppress(OSError):  # where memory runs out, Linux ends a worker rather than the main process
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
    file = os.open(log, os.O_WRONLY) if log == os.devnull else appending_to(Path(log))
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)
    threading.Thread(target=_end_with_main, args=(lifeline,), daemon=True).start()
    module, _, name = function.partition(":")
    call = getattr(importlib.import_module(module), name)
    tell_by(lambda stops: results.send((True, stops)))
    while True:
        try:
            settings, argument = calls.recv()
        except EOFError:
            os._exit(0)  # no more calls; taking TensorFlow down in order would only take time
        os.environ.update(settings)
        results.send((True, None))  # its time begins
        outcome = call(argument)
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):  # a full disk, on which the log is
                stream.flush()  # once the result is there, the main process may end, and this one with it
        results.send((False, outcome))


def _end_with_main(lifeline: Connection) -> None:
    try:
        lifeline.recv_bytes()
    except (EOFError, OSError):
        # Nobody is left to receive a result.
        os._exit(1)
