"""Requests to stop a run: SIGINT, SIGTERM and SIGHUP end it as a KeyboardInterrupt, and no import swallows them.

A compiled module that is interrupted while it is imported turns the KeyboardInterrupt into an ImportError, and a
package that can do without that module goes on as if nobody had asked. So a request is heard between two imports, and
again at the next one until it has come through. What compiled code builds and this process keeps, such as pydantic's
checks, is built whole before a request is heard: one that is interrupted may be wrong and say nothing. And where Python
calls a function and can only print what it raises (a `__del__`, a callback of the garbage collector or of ctypes), the
request is made again until it comes where an exception gets through.
"""

from __future__ import annotations

import _thread
import gc
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.abc import MetaPathFinder
from types import FrameType, ModuleType
from typing import NoReturn

EXIT_INTERRUPTED = 130
#: What asks a run to stop; Windows has no SIGHUP.
SIGNALS = tuple(signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
#: Every so many seconds a request is made again that came where no exception gets through.
AGAIN_AFTER = 0.01


class Interrupts(MetaPathFinder):
    """What signals ask of this process.

    `asked` says that one came: an exception that was raised afterwards may be what foreign code made of it.
    """

    def __init__(self) -> None:
        self.asked = False
        self._imports = self._heeding = 0
        self._dropped = False
        self._number = signal.SIGINT

    @contextmanager
    def heeded(self, signals: Sequence[signal.Signals] = SIGNALS) -> Iterator[None]:
        """Turn signals into KeyboardInterrupt; afterwards they do what they did before.

        One that is ignored stays so, as nohup, and a shell for what it puts into the background, leave it.
        """
        self.asked = self._dropped = False
        before = {number: signal.getsignal(number) for number in signals}
        heeded = [number for number, handler in before.items() if handler not in (signal.SIG_IGN, None)]
        for number in heeded:
            signal.signal(number, self._interrupt)
        self._heeding += 1
        told_before = sys.unraisablehook
        sys.unraisablehook = partial(self._told, before=told_before)
        try:
            yield
        finally:
            self._heeding -= 1
            sys.unraisablehook = told_before
            for number in heeded:
                signal.signal(number, before[number])

    @contextmanager
    def importing(self) -> Iterator[None]:
        """Hold a first request back until the next module is imported, or all are; a second one is not held back.

        Meanwhile nothing is looked through for garbage, of which imports leave none: it takes a fifth of what it takes
        to import Keras.
        """
        self._imports += 1
        sys.meta_path.insert(0, self)
        collects = gc.isenabled()
        gc.disable()
        try:
            yield
        finally:
            if collects:
                gc.enable()
            sys.meta_path.remove(self)
            self._imports -= 1
            if self.asked and not self._imports:
                self._raise()

    def hear(self) -> None:
        """Interrupt now if a request came that was swallowed: compiled code drops what Python raises in a callback."""
        if self.asked and self._heeding:
            self._raise()

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        """Find no module: what Python asks before it imports one is whether to go on."""
        if self.asked and threading.current_thread() is threading.main_thread():
            self._raise()

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        held_back = self._imports and not self.asked
        self.asked, self._number = True, signal.Signals(number)
        if held_back:
            return
        if self._tells_in(frame):
            self._raise_later()
        else:
            self._raise()

    def _raise(self) -> NoReturn:
        self._dropped = False
        raise KeyboardInterrupt

    def _raise_later(self) -> None:
        asks_already, self._dropped = self._dropped, True
        if not asks_already:
            again = threading.Timer(AGAIN_AFTER, self._ask_again)
            again.daemon = True
            again.start()

    def _ask_again(self) -> None:
        while self._dropped and self._heeding:
            _thread.interrupt_main(self._number)
            time.sleep(AGAIN_AFTER)

    def _told(self, ignored: sys.UnraisableHookArgs, before: Callable[[sys.UnraisableHookArgs], None]) -> None:
        """Hear which exception Python cannot raise; a request is made again where it can, and not printed."""
        if self.asked and issubclass(ignored.exc_type, KeyboardInterrupt):
            self._raise_later()
        else:
            before(ignored)

    def _tells_in(self, frame: FrameType | None) -> bool:
        """Tell whether a frame is of what hears which exceptions Python cannot raise, whose own it cannot either."""
        while frame is not None and frame.f_code is not Interrupts._told.__code__:
            frame = frame.f_back
        return frame is not None


@contextmanager
def held_back() -> Iterator[None]:
    """Hold signals back, whoever handles them, and hand them on at the end: for what takes milliseconds."""
    if threading.current_thread() is not threading.main_thread():  # which alone hears signals
        yield
        return
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    came: list[tuple[int, FrameType | None]] = []
    replaced = [number for number, handler in handlers.items() if callable(handler)]
    for number in replaced:
        signal.signal(number, lambda number, frame: came.append((number, frame)))
    try:
        yield
    finally:
        for number in replaced:
            signal.signal(number, handlers[number])
        for caught, frame in came:
            handler = handlers[signal.Signals(caught)]
            if callable(handler):
                handler(caught, frame)


def leave() -> NoReturn:
    """End an interrupted process with its exit code.

    Python notes an interrupt that leaves an `exec` of text, such as the one by which a dataclass is made, and ends what
    was started with `-m` by SIGINT, although the interrupt was caught; the next such `exec` forgets it.
    """
    exec("")  # noqa: S102
    sys.exit(EXIT_INTERRUPTED)


#: Of this process; signals belong to the whole of it.
INTERRUPTS = Interrupts()
