"""The last word of a process that foreign code may end from within, past Python, before anything could be said.

A small process beside it holds the other end of a pipe. It says what there is to say, and removes what was left half
written, once the pipe closes without a word that all is done.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

from tuner.system.files import remove_partials
from tuner.system.interrupts import SIGNALS

#: Where this package lies: one that is installed to be edited is found by an import hook, which no path names.
_PACKAGES = str(Path(__file__).parents[2])
_PROGRAM = "from tuner.system.last_word import listen; listen()"
_DONE = b"done"
#: How long the small process may take to end once all is done, in seconds.
_SECONDS_TO_LEAVE = 5.0


class LastWord:
    """Says `text` on the standard error where this process ends before `close`.

    Signals to the group of this process, such as Ctrl-C sends, are none for the small one, which ends with the pipe.

    Raises:
        OSError: no process can be started.
    """

    def __init__(self, text: str) -> None:
        self._folders: set[Path] = set()
        self._process = subprocess.Popen(  # noqa: S603  # our own
            [sys.executable, "-S", "-c", _PROGRAM, str(os.getpid()), text],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([_PACKAGES, *map(str, sys.path)])},
            process_group=0,
        )
        self._pipe = cast(IO[bytes], self._process.stdin)

    def sweeps(self, folder: Path) -> None:
        """Let what this process leaves half written in `folder` be removed, too."""
        if folder not in self._folders:
            self._folders.add(folder)
            self._tell(os.fsencode(folder.absolute()))

    def close(self) -> None:
        """Let nothing be said: this process has said, or will say, all by itself."""
        self._tell(_DONE)
        with suppress(OSError):
            self._pipe.close()
        try:
            self._process.wait(_SECONDS_TO_LEAVE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _tell(self, what: bytes) -> None:
        with suppress(OSError, ValueError):  # it was killed; what it would have said is lost
            self._pipe.write(what + b"\0")
            self._pipe.flush()


def listen() -> None:
    """Be the small process: wait for the end of the one that started it, whose number and last word are arguments."""
    for number in (*SIGNALS, *(signal.Signals[name] for name in ("SIGTTOU",) if hasattr(signal, name))):
        signal.signal(number, signal.SIG_IGN)
    process, text = sys.argv[1:]
    *heard, _ = sys.stdin.buffer.read().split(b"\0")
    if _DONE in heard:
        return
    for folder in heard:
        with suppress(OSError):
            remove_partials(Path(os.fsdecode(folder)), ended=int(process))
    with suppress(OSError):  # nobody listens any more
        os.write(2, f"tuner: {text}\n".encode(errors="backslashreplace"))
