"""The benchmarks with every process of their own forked from one that has imported Keras, for tests that they run.

A part measures in processes that it starts by `python -m benchmarks.…` and `python -m tuner`, some thirty for all
parts, each of which would import Keras and TensorFlow anew. Here the forked process does what such a command does, by
`runpy`, with the command's arguments, environment, folder, session and exit code; pictures of a report are made, but
each is a single pixel. That is all that differs from what `make bench` runs. Any other command is a real process.
"""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, NoReturn

import command_line
import keras_tuner  # noqa: F401  # what most peers import, too

from benchmarks import measuring


class Forked:
    """A module that runs as a command, with what `run_process` needs of `subprocess.Popen`."""

    def __init__(self, command: Sequence[str], env: dict[str, str], cwd: Path | None, stderr: IO[str]) -> None:
        self.returncode: int | None = None
        self._lock = threading.Lock()
        self._output = tempfile.TemporaryFile("w+")  # noqa: SIM115  # read when the process has ended
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            _become(command[2], command[3:], env, cwd, (self._output, stderr))

    def poll(self) -> int | None:
        """Return the exit code, below 0 for a signal; None if the process still runs."""
        with self._lock:
            if self.returncode is None:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end of the process; see `subprocess.Popen.wait`."""
        until = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if until is not None and time.monotonic() > until:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(0.02)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, None]:
        """Return what the process printed, once it has ended."""
        self.wait(timeout)
        self._output.seek(0)
        return self._output.read(), None


def _become(
    module: str, arguments: Sequence[str], environment: dict[str, str], folder: Path | None, files: Sequence[IO[str]]
) -> NoReturn:
    """Run a module as `python -m` does, and end as the interpreter does."""
    code = 1
    try:
        os.setsid()
        weakref.finalize._registry.clear()  # type: ignore[attr-defined]  # temporary folders are the other process's
        for descriptor, file in enumerate(files, start=1):
            os.dup2(file.fileno(), descriptor)
        os.environ.clear()
        os.environ.update(environment)
        tempfile.tempdir = None  # which the process that forks may have looked up in its own environment
        if folder is not None:
            os.chdir(folder)
        if module == "tuner":
            command_line.draw_nothing()
        sys.argv[1:] = arguments
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  # as the interpreter does
        traceback.print_exc()
    finally:
        try:
            command_line.leave(code)
        finally:
            os._exit(code or 1)


def _start(command: Sequence[str], **options: Any) -> Forked | subprocess.Popen[str]:
    """Start a command: fork where it is `tuner` or a module of `benchmarks`."""
    if list(command[:2]) != [sys.executable, "-m"] or command[2].partition(".")[0] not in ("benchmarks", "tuner"):
        return subprocess.Popen(command, **options)
    return Forked(command, options["env"], options["cwd"], options["stderr"])


class _Subprocess:
    """What `benchmarks.measuring` finds in place of `subprocess`."""

    Popen = staticmethod(_start)
    PIPE = subprocess.PIPE
    TimeoutExpired = subprocess.TimeoutExpired


def run_part(part: str, report: str) -> None:
    """Run a part of the benchmarks at its smallest size, as `python -m benchmarks.run` does."""
    measuring.subprocess = _Subprocess  # type: ignore[attr-defined]
    sys.argv[1:] = [part, "--rounds=1", "--smallest", f"--report={report}"]
    runpy.run_module("benchmarks.run", run_name="__main__", alter_sys=True)
