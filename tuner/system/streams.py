"""Standard streams that are closed or that break: what is being done does not end with who was reading of it."""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from contextlib import suppress
from typing import IO, Any, TextIO, cast

_STREAMS = ("stdin", "stdout", "stderr")


class _Lasting(io.RawIOBase):
    """A file descriptor to write to, which leads nowhere from the moment that nothing more can be written to it.

    `lost` is why, unless a reader such as `head` had only seen enough.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.lost: OSError | None = None

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: Any) -> int:
        while True:
            try:
                return os.write(self._descriptor, data)
            except BlockingIOError:  # another program, which has the same terminal, does not want to be waited for
                select.select([], [self._descriptor], [])
            except OSError as error:
                if error.errno != errno.EPIPE:
                    self.lost = self.lost or error
                _lead_nowhere(self._descriptor)
                return memoryview(data).nbytes


class _LastingText:
    """A stream of text whose writer goes on where nothing more can be written to it."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):  # ValueError of one that was closed
            if self._stream is not None:
                self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            if self._stream is not None:
                self._stream.flush()

    def isatty(self) -> bool:
        with suppress(ValueError):
            return self._stream is not None and self._stream.isatty()
        return False


#: The streams of this process, which has each once.
_held: dict[str, _Lasting] = {}


def hold() -> None:
    """Make this process's streams last: a closed one leads nowhere, and one that breaks does so from then on."""
    open_closed()
    if sys.stdin is None:
        sys.stdin = os.fdopen(0, closefd=False)
    for descriptor, name in enumerate(_STREAMS[1:], start=1):
        before = getattr(sys, name)
        held = _held[name] = _Lasting(descriptor)
        errors = getattr(before, "errors", None) or "strict"
        text = io.TextIOWrapper(
            io.BufferedWriter(held),
            getattr(before, "encoding", None) or "utf-8",
            "backslashreplace" if errors == "strict" else errors,  # a letter that the terminal lacks breaks nothing
            line_buffering=getattr(before, "line_buffering", False) or name == "stderr",
            write_through=getattr(before, "write_through", False),
        )
        if before is not None:
            before.flush()
        setattr(sys, name, text)
        setattr(sys, f"__{name}__", text)


def open_closed() -> None:
    """Let each closed standard stream lead nowhere: else the next file gets its number, and all that is printed."""
    for descriptor in range(len(_STREAMS)):
        try:
            os.fstat(descriptor)
        except OSError:
            _lead_nowhere(descriptor)


def lost_output() -> OSError | None:
    """Return why what was printed did not reach its place; None if it did, or its reader had seen enough."""
    held = _held.get("stdout")
    return held.lost if held is not None else None


def lasting(stream: TextIO | None) -> IO[str]:
    """Return a stream for what may as well not be read; None, too, stands for one that is closed."""
    return cast(IO[str], _LastingText(stream))


def _lead_nowhere(descriptor: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    if null == descriptor:
        os.set_inheritable(null, True)
    else:
        os.dup2(null, descriptor)
        os.close(null)
