"""The command line for tests, run as `python -m tuner` runs it and without waiting for imports each time.

Every command is a process of its own, with its own working folder, environment, file descriptors and exit code. What
is not as in a shell is how the process comes about: it is forked from one that has imported what commands import,
which takes 0.02 to 0.1 s in place of 0.5 to 1 s, or of 5 s and more where Keras is needed. The forked process then does
what `python -m tuner` does, by `runpy`, as the interpreter itself does. The server of workers that a search starts is
forked in its turn, for it would import the same again, and so is the process in which `verify` loads models: see
`forked_reader.py`, and `forked_scripts.py` for tests that verify in their own process. `test_bad_input.py` holds some
commands against real ones, and `test_finished_search.py` a whole search with its report.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import resource
import runpy
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import util
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NoReturn, Self

from forked_reader import Subprocess

#: What commands import before they do anything; what most of them import then; and what those do that need Keras.
CLI = ("tuner.cli",)
RUN = (
    *CLI,
    "tuner.running.search",
    "tuner.analysis.findings",
    "tuner.analysis.recorded",
    "tuner.publish.write",
    "tuner.running.new",
    "tuner.report.across",
    "tuner.saved_models.verify",
    "tuner.saved_models.predict",
    "tuner.analysis.trial_table",
    "rich.console",
    "tabulate",
    "sklearn.datasets",
)
#: Longer no command that refuses its input takes.
_SECONDS_UNTIL_IT_HANGS = 600
KERAS = (*RUN, "tuner.oracles.kerastuner", "tuner.worker.training")
#: A picture of one black pixel.
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a 0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c636000000002000148afa471 0000000049454e44ae426082"
)


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
        timeout=600,
        env=clean_environment(folder, environment),
        check=False,
    )
    return Answer(ran.returncode, ran.stdout, ran.stderr)


class Command:
    """A command that runs, with what is needed of `subprocess.Popen`."""

    def __init__(self, pid: int, status: int, out: IO[bytes], err: IO[bytes]) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._status, self._files = status, (out, err)

    def poll(self, seconds: float = 0) -> int | None:
        """Return the exit code, below 0 for a signal, waiting for it so long; None if the command still runs."""
        if self.returncode is None and select.select([self._status], [], [], seconds)[0]:
            self.returncode = int(os.read(self._status, 10))
            os.close(self._status)
        return self.returncode

    def communicate(self, timeout: float = 900) -> tuple[str, str]:
        """Return what the command said, once it has ended."""
        if self.poll(timeout) is None:
            self.kill()
            raise subprocess.TimeoutExpired(f"command {self.pid}", timeout)
        texts = []
        for file in self._files:
            file.seek(0)
            texts.append(file.read().decode("utf-8"))
        return texts[0], texts[1]

    def output_so_far(self) -> str:
        """Return what a command that may still run has said on its standard output."""
        return os.pread(self._files[0].fileno(), 1_000_000, 0).decode("utf-8")

    def errors_so_far(self) -> str:
        """Return what a command that may still run has said on its standard error."""
        return os.pread(self._files[1].fileno(), 1_000_000, 0).decode("utf-8")

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # it ends just now
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class CommandServer:
    """Forks a process for every command from one that has imported `modules`. A context manager.

    Args:
        modules: what commands need not import any more.
        environment: of the server, where that decides what is imported.
    """

    def __init__(self, modules: tuple[str, ...], environment: Mapping[str, str] | None = None) -> None:
        self._modules, self._environment = modules, environment
        self._server: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.kill()
            self._server.communicate()

    def run(
        self,
        folder: Path,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        streams: Mapping[int, str] | None = None,
    ) -> Answer:
        """Run `tuner` with these arguments in `folder`."""
        command = self.start(folder, *arguments, environment=clean_environment(folder, environment), streams=streams)
        out, err = command.communicate(_SECONDS_UNTIL_IT_HANGS)
        return Answer(command.poll() or 0, out, err)

    def execute(
        self, folder: Path, code: str, environment: Mapping[str, str] | None = None, timeout: float = 900
    ) -> Answer:
        """Run Python code in `folder`, which may take so many seconds."""
        command = self._fork(folder, code=code, environment=clean_environment(folder, environment))
        out, err = command.communicate(timeout)
        return Answer(command.poll() or 0, out, err)

    def script(self, path: Path, environment: Mapping[str, str], pipes: Mapping[int, str]) -> Command:
        """Start a script as `python -I` does; of its standard streams, by number, some are pipes, by their paths."""
        ways = [(number, path, os.O_WRONLY if number else os.O_RDONLY) for number, path in pipes.items()]
        return self._fork(Path.cwd(), script=str(path), environment=dict(environment), pipes=ways)

    def started_by(
        self,
        code: str,
        folder: Path,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        files: Mapping[int, str],
    ) -> Command:
        """Start `tuner` by Python code in `folder`; its streams are files or pipes, by number and path."""
        ways = [(number, path, os.O_WRONLY) for number, path in files.items()]
        return self._fork(
            folder, code=code, arguments=list(arguments), environment=dict(environment), pipes=ways, drawn=False
        )

    def start(
        self,
        folder: Path,
        *arguments: str,
        environment: Mapping[str, str],
        limits: Mapping[int, int] | None = None,
        streams: Mapping[int, str] | None = None,
        drawn: bool = True,
    ) -> Command:
        """Start `tuner` in `folder` with the whole of an environment and limits by kind, such as RLIMIT_FSIZE.

        Of its standard streams, by number, some may be "closed", "broken", a pipe that nobody reads, or "full", a disk.
        It is the first of a session of its own, as `descendants` of `small_project.py` takes it to be. Where a report
        need not be `drawn`, its figures are made, but each picture is a single pixel; that saves most of its seconds.
        """
        given = {"limits": [*(limits or {}).items()], "streams": [*(streams or {}).items()], "drawn": drawn}
        return self._fork(folder, arguments=arguments, environment=dict(environment), **given)

    def _fork(self, folder: Path, **request: object) -> Command:
        """Ask the server for a process, and start the server if it is the first."""
        if self._server is None:
            self._server = subprocess.Popen(
                [sys.executable, __file__, *self._modules], stdin=subprocess.PIPE, text=True, env=self._environment
            )
        assert self._server.stdin
        out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115  # read when the command has ended
        status, their_status = os.pipe()
        files = [f"/proc/{os.getpid()}/fd/{file}" for file in (out.fileno(), err.fileno(), their_status)]
        self._server.stdin.write(json.dumps({"folder": str(folder), "files": files, **request}) + "\n")
        self._server.stdin.flush()
        pid = int(os.read(status, 10))
        os.close(their_status)
        return Command(pid, status, out, err)


def _serve() -> dict[str, Any] | None:
    """Fork for each request; return it in the forked process, and None in this one when there are no more.

    To the pipe of each request it writes the number of the process, and its exit code when that has ended. It forks
    once a request: to copy the page tables of a process that has imported Keras takes longer than most commands.
    """
    running: dict[int, tuple[int, int]] = {}  # by what tells that a process has ended: its number and its pipe
    poll = select.poll()
    poll.register(0, select.POLLIN)
    rest = b""
    while True:
        for descriptor, _ in poll.poll():
            if descriptor in running:
                poll.unregister(descriptor)
                _tell_of_the_end(descriptor, *running.pop(descriptor))
                continue
            asked = os.read(0, 1 << 16)
            if not asked:
                return None
            *lines, rest = (rest + asked).split(b"\n")
            for line in lines:
                request: dict[str, Any] = json.loads(line)
                pipes = [(number, os.open(path, flags)) for number, path, flags in request.pop("pipes", [])]
                child = os.fork()
                if child == 0:
                    for known, (_, status) in running.items():
                        os.close(known)
                        os.close(status)
                    return {**request, "opened": pipes}
                for _, pipe in pipes:
                    os.close(pipe)
                status = os.open(request["files"][-1], os.O_WRONLY)
                os.write(status, f"{child:<10}".encode())
                ended = os.pidfd_open(child)
                running[ended] = child, status
                poll.register(ended, select.POLLIN)


def _tell_of_the_end(ended: int, child: int, status: int) -> None:
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with contextlib.suppress(BrokenPipeError):  # nobody waits for it any more
        os.write(status, f"{code}".encode())
    os.close(status)
    os.close(ended)


def _become(request: dict[str, Any]) -> None:
    """Make this process what a shell would have started."""
    os.setsid()
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    tempfile.tempdir = None  # which the server may have looked up in its own environment
    opened = [(number, os.open(path, os.O_RDWR)) for number, path in enumerate([os.devnull, *request["files"][:2]])]
    for descriptor, file in [*opened, *request["opened"]]:
        os.dup2(file, descriptor)
        os.close(file)
    for descriptor, state in request.get("streams", []):
        _spoil(descriptor, state)
    # A shell starts what it puts into the background with SIGINT ignored, and so may be the server.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    util.spawnv_passfds = functools.partial(_spawn, _descriptors(), util.spawnv_passfds)
    sys.argv[1:] = request.get("arguments", [])
    if "script" in request:
        del sys.path[0]  # as `python -I` has it
    else:
        sys.path[0] = str(Path.cwd())  # as `python -m` has it
    if "keras" in sys.modules:
        importlib.import_module("tuner.saved_models.reader").subprocess = Subprocess
    if "arguments" in request:  # what a command says it waits for tells how busy the machine is: see `test_waiting.py`
        importlib.import_module("tuner.cli.ending").SECONDS_ELSEWHERE = _SECONDS_UNTIL_IT_HANGS
    if not request.get("drawn", True):
        draw_nothing()
    for kind, most in request.get("limits", []):
        resource.setrlimit(kind, (most, most))


def draw_nothing() -> None:
    """Let this process make the figures of reports, and each picture of them a single pixel."""
    importlib.import_module("tuner.contents.png").png = lambda figure: PIXEL  # type: ignore[attr-defined]


def _spoil(descriptor: int, state: str) -> None:
    """Make a standard stream what a shell's `>&-`, `| true` or `> /dev/full` makes of it."""
    if state == "closed":
        os.close(descriptor)
        setattr(sys, ("stdin", "stdout", "stderr")[descriptor], None)  # as the interpreter leaves it
        return
    if state == "full":
        file = os.open("/dev/full", os.O_WRONLY)
    else:
        reading, file = os.pipe()
        os.close(reading)
    os.dup2(file, descriptor)
    os.close(file)


def _descriptors() -> set[int]:
    return {int(model_search.name) for model_search in Path("/proc/self/fd").iterdir()}


def _spawn(
    before: set[int], spawn: Callable[[Any, list[str], list[int]], int], path: Any, arguments: list[str], fds: list[int]
) -> int:
    """Start a process of `multiprocessing`: fork the server of workers in place of letting it import all again.

    It keeps the file descriptors `fds`, and those that libraries opened while they were imported, `before`.
    """
    program = arguments[-1]
    if "multiprocessing.forkserver" not in program:
        return spawn(path, arguments, fds)
    child = os.fork()
    if child:
        return child
    try:
        for descriptor in _descriptors() - before - set(fds):
            with contextlib.suppress(OSError):  # the one by which they were listed
                os.close(descriptor)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        exec(program, {})  # noqa: S102  # multiprocessing's own
    finally:
        os._exit(0)


def leave(code: int) -> NoReturn:
    """End as the interpreter does, but for taking down all that was imported: that takes longer than most commands."""
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads
    atexit._run_exitfuncs()
    gc.collect()  # what the command has left open; what the server imported is not looked at
    for stream in (sys.stdout, sys.stderr):
        if not stream.closed:
            stream.flush()
    os._exit(code)


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
        try:
            if "code" in given:
                exec(given["code"], {})  # noqa: S102  # a test's own
            elif "script" in given:
                runpy.run_path(given["script"], run_name="__main__")
            else:
                runpy.run_module("tuner", run_name="__main__", alter_sys=True)
            left = 0
        except SystemExit as end:
            if not isinstance(end.code, int | None):
                raise
            left = end.code or 0
        leave(left)
