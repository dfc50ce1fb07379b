"""A process that knows plain Keras alone, and loads saved models as the readers of a report do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

from tuner.errors import CheckError
from tuner.untrusted import reloading


class PlainKeras:
    """Begins to import Keras when it is made, so that others can do something else meanwhile. A context manager.

    The process ends with this one, whatever ends it: its standard input is a pipe that only this one holds.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and script
            [sys.executable, "-I", str(Path(reloading.__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stderr):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def answer(self, jobs: list[dict[str, Any]]) -> str:
        """Let the models answer; return what was wrong, in one line, and nothing if it could be done.

        Args:
            jobs: for each model its file, `model`, called `shown`, with the `numbers` that it holds; the file with its
                `images`, and where its `answers` go.

        Raises:
            CheckError: a model asks for more memory than it is given, or has an optimizer.
        """
        asked, told = cast(IO[str], self._process.stdin), cast(IO[str], self._process.stderr)
        with suppress(BrokenPipeError):  # it has ended, and says why
            asked.write(json.dumps(jobs) + "\n")
            asked.flush()
        last = told.read().strip().splitlines()[-1:]  # until it ends
        code = self._process.wait()
        if code == reloading.REFUSED:
            raise CheckError(last[0])
        return (last or [f"it ended with exit code {code}"])[0] if code else ""
