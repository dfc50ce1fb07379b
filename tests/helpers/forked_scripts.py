"""Scripts that read saved models, forked from the server of commands, for tests that verify and export in their own.

`verify`, `predict` and `export` let models be loaded by scripts in processes of plain Keras. Each would import Keras
and TensorFlow again, which takes five seconds; and the process of a test can't fork, for TensorFlow has threads in it.
Here the server of commands forks them: a process of its own each, with the script's environment, pipes and exit code.
That the scripts run in a real process, which knows nothing of this package, is tested in `test_verify.py` and
`test_exporting.py`.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from small_project import server

#: Longer no script takes.
_SECONDS = 600


class ForkedScript:
    """A script that runs, with what is needed of `subprocess.Popen`; its streams are pipes where that is asked for."""

    def __init__(
        self, command: Sequence[str], *, stdin: int, stdout: int, stderr: int, env: Mapping[str, str], text: bool
    ) -> None:
        assert text, "streams are of text"
        ours: list[IO[Any] | None] = []
        theirs: dict[int, int] = {}
        for number, asked in enumerate((stdin, stdout, stderr)):
            if asked != subprocess.PIPE:
                ours.append(None)
                continue
            reading, writing = os.pipe()
            ours.append(os.fdopen(reading) if number else os.fdopen(writing, "w"))
            theirs[number] = writing if number else reading
        self.stdin, self.stdout, self.stderr = ours
        paths = {number: f"/proc/{os.getpid()}/fd/{pipe}" for number, pipe in theirs.items()}
        self._command = server().script(Path(command[-1]), env, paths)
        for pipe in theirs.values():
            os.close(pipe)  # the script has its own ones by now
        self.pid = self._command.pid

    @property
    def returncode(self) -> int | None:
        return self._command.returncode

    def wait(self) -> int:
        code = self._command.poll(_SECONDS)
        assert code is not None, "it hangs"
        return code

    def kill(self) -> None:
        self._command.kill()


class ForkedScripts:
    """What `tuner.saved_models` finds in place of `subprocess`."""

    Popen = ForkedScript
    PIPE, DEVNULL = subprocess.PIPE, subprocess.DEVNULL
