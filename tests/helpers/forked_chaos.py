"""Runs of the fault bench forked from the server of commands, for tests that strike searches.

A life of a search has some ten runs, each of which would import Keras and TensorFlow twice, in its main process and in
its server of workers, and draw a report: that takes most of its seconds. Here the server of commands forks the main
process, with the run's folder, environment, standard streams, session and exit code, and each picture of a report is a
single pixel. What notes trials and strikes from within is put around functions that are imported already, as it would
be put around them as they are imported. That a real process is struck from within is tested in `test_chaos.py` with
small programs, and that real workers note what they train, with those of Ray.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from small_project import server

#: Longer no run of so small a search takes.
_SECONDS = 1200
#: What an interpreter does as it starts, and then `python -m tuner`.
_CODE = """
import runpy, sys
runpy.run_path({inside!r})
for finder in [one for one in sys.meta_path if hasattr(one, "_around") and one._module in sys.modules]:
    sys.meta_path.remove(finder)
    module = sys.modules[finder._module]
    setattr(module, finder._function, finder._around(getattr(module, finder._function)))
runpy.run_module("tuner", run_name="__main__", alter_sys=True)
"""


class ForkedRun:
    """A run, with what `benchmarks.chaos.processes` needs of `subprocess.Popen`."""

    stdin = None

    def __init__(
        self, command: Sequence[str], cwd: Path, stdout: IO[str], stderr: IO[str] | IO[bytes], env: Mapping[str, str]
    ) -> None:
        inside = Path(env["PYTHONPATH"].partition(os.pathsep)[0]) / "sitecustomize.py"
        streams = {
            number: f"/proc/{os.getpid()}/fd/{stream.fileno()}" for number, stream in enumerate((stdout, stderr), 1)
        }
        self._command = server().started_by(_CODE.format(inside=str(inside)), cwd, command[3:], env, streams)
        self.pid = self._command.pid

    def poll(self) -> int | None:
        return self._command.poll()

    def wait(self) -> int:
        code = self._command.poll(_SECONDS)
        assert code is not None, "it hangs"
        return code


def _start(command: Sequence[str], **options: Any) -> ForkedRun | subprocess.Popen[bytes]:
    """Start a command: fork where it is `tuner`."""
    if list(command[:3]) != [sys.executable, "-m", "tuner"]:
        return subprocess.Popen(command, **options)
    assert options["start_new_session"]
    return ForkedRun(command, options["cwd"], options["stdout"], options["stderr"], options["env"])


class ForkedRuns:
    """What `benchmarks.chaos.processes` finds in place of `subprocess`."""

    Popen = staticmethod(_start)
    PIPE, DEVNULL = subprocess.PIPE, subprocess.DEVNULL
