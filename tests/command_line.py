"""The command line for tests, run as `python -m tuner` runs it and without waiting for imports each time.

Every command is a process of its own, with its own working folder, environment, file descriptors and exit code. What
is not as in a shell is how the process comes about: it is forked from one that has imported what commands import,
which takes 0.02 to 0.1 s in place of 0.5 to 1 s, or of 5 s and more where Keras is needed. The forked process then does
what `python -m tuner` does, by `runpy`, as the interpreter itself does. `test_bad_input.py` holds some commands
against real ones.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

#: What commands import before they do anything; what most of them import then; and what those do that need Keras.
CLI = ("tuner.cli",)
RUN = (
    *CLI,
    "tuner.searching",
    "tuner.findings",
    "tuner.report",
    "tuner.new",
    "tuner.comparing",
    "tuner.verify",
    "tuner.predict",
    "tuner.trial_table",
    "rich.console",
    "tabulate",
    "sklearn.datasets",
)
KERAS = (*RUN, "keras", "tuner.oracles.kerastuner")


@dataclass(frozen=True)
class Answer:
    """What a command said, and its exit code; below 0 for a signal."""

    code: int
    out: str
    err: str


def clean_environment(folder: Path, changed: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment without what would choose data or a backend, temporary files in `folder`."""
    kept = {name: value for name, value in os.environ.items() if name not in ("TUNER_DATA_DIR", "KERAS_BACKEND")}
    return {**kept, "TMPDIR": str(folder), "TF_CPP_MIN_LOG_LEVEL": "3", **(changed or {})}


def real_command(folder: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> Answer:
    """Run `python -m tuner` in `folder`."""
    ran = subprocess.run(
        [sys.executable, "-m", "tuner", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        env=clean_environment(folder, environment),
        check=False,
    )
    return Answer(ran.returncode, ran.stdout, ran.stderr)


class CommandServer:
    """Forks a process for every command from one that has imported `modules`. A context manager."""

    def __init__(self, modules: tuple[str, ...]) -> None:
        self._modules = modules
        self._server: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.kill()
            self._server.communicate()

    def run(self, folder: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> Answer:
        """Run `tuner` with these arguments in `folder`."""
        return self._fork(folder, list(arguments), "", environment or {})

    def execute(self, folder: Path, code: str) -> Answer:
        """Run Python code in `folder`."""
        return self._fork(folder, [], code, {})

    def _fork(self, folder: Path, arguments: list[str], code: str, environment: Mapping[str, str]) -> Answer:
        """Ask the server for a process, and start the server if it is the first."""
        if self._server is None:
            self._server = subprocess.Popen(
                [sys.executable, __file__, *self._modules], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        assert self._server.stdin
        assert self._server.stdout
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            request = {
                "folder": str(folder),
                "arguments": arguments,
                "code": code,
                "environment": clean_environment(folder, environment),
                "files": [f"/proc/{os.getpid()}/fd/{file.fileno()}" for file in (out, err)],
            }
            self._server.stdin.write(json.dumps(request) + "\n")
            self._server.stdin.flush()
            exit_code = int(self._server.stdout.readline())
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode("utf-8"))
        return Answer(exit_code, *texts)


def _serve() -> dict[str, Any] | None:
    """Fork for each request; return it in the forked process, and None in this one when there are no more."""
    for line in sys.stdin:
        request: dict[str, Any] = json.loads(line)
        child = os.fork()
        if child == 0:
            return request
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()
    return None


def _become(request: dict[str, Any]) -> None:
    """Make this process what a shell would have started."""
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    tempfile.tempdir = None  # which the server may have looked up in its own environment
    for descriptor, path in enumerate([os.devnull, *request["files"]]):
        file = os.open(path, os.O_RDWR)
        os.dup2(file, descriptor)
        os.close(file)
    sys.argv[1:] = request["arguments"]
    sys.path[0] = str(Path.cwd())  # as `python -m` has it


if __name__ == "__main__":
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    kept = os.dup(2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what Keras prints while it is imported
    for name in sys.argv[1:]:
        importlib.import_module(name)
    os.dup2(kept, 2)
    del sys.argv[1:]
    gc.freeze()  # otherwise every process looks through all of it when it ends
    given = _serve()
    if given is not None:
        _become(given)
        if given["code"]:
            exec(given["code"], {})  # noqa: S102  # a test's own
        else:
            runpy.run_module("tuner", run_name="__main__", alter_sys=True)
