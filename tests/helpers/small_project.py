"""A small project for tests that run the command line, and what they ask of its processes."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from command_line import KERAS, Command, CommandServer

SEARCH = """
title = "Blobs | with <odd> *marks*"
dataset = "blobs.npz"
seed = 0
repeats = 2
[training]
optimizer = "adam"
learning_rate = 0.01
batch_size = 16
epochs = 3
[[search]]
family = "ann"
[search.space]
dense_units = [4, 8]
[[search]]
family = "cnn"
[search.space]
conv_depth = [1, 2]
filters = [2, 4]
dense_units = 8
dropout = 0.3
[search.rules]
filters_never_decrease = true
"""
SEARCH_TRIALS = 2 + 2 + 3
#: Where it matters that both models are trained, and not how many of each.
TWO_TRIALS = (
    SEARCH.replace("repeats = 2", "repeats = 1")
    .replace("dense_units = [4, 8]", "dense_units = 4")
    .replace("conv_depth = [1, 2]\nfilters = [2, 4]", "conv_depth = 1\nfilters = 2")
)
#: Where it matters that something is trained and retrained, and not what.
ONE_TRIAL = TWO_TRIALS[: TWO_TRIALS.rindex("[[search]]")].replace("epochs = 3", "epochs = 1")


def tuner(
    folder: Path, *arguments: str, env: dict[str, str] | None = None, drawn: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run the command line, forked from a process that has imported Keras: see `command_line.py`.

    A test that looks at pictures of a report, or compares their bytes, asks for them to be `drawn`.
    """
    command = start(folder, *arguments, env=env, drawn=drawn)
    out, err = command.communicate()
    return subprocess.CompletedProcess(arguments, command.poll() or 0, out, err)


def start(folder: Path, *arguments: str, env: dict[str, str] | None = None, drawn: bool = False) -> Command:
    """Start the command line in a session of its own, forked as well."""
    environment = {**_environment(), **(env or {})}
    return server(environment.get("KERAS_BACKEND")).start(folder, *arguments, environment=environment, drawn=drawn)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "TUNER_DATA_DIR"}


def server(backend: str | None = None) -> CommandServer:
    """Return what forks commands, one for each backend; it ends with this process."""
    return _server_of(backend)


@functools.cache  # by how it is called, and `f()` and `f(None)` would be two servers
def _server_of(backend: str | None) -> CommandServer:
    return CommandServer(KERAS, {**os.environ, "KERAS_BACKEND": backend} if backend else None)


def real_tuner(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a shell does."""
    main = really_start(folder, *arguments)
    out, err = main.communicate(timeout=900)
    return subprocess.CompletedProcess(arguments, main.returncode, out, err)


def really_start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the command line as a shell does, but in a session of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "tuner", *arguments],
        cwd=folder,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell starts what it puts into the background with SIGINT ignored, and so would be what tests start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )


def make_project(folder: Path, blobs_npz: Path, search: str = SEARCH) -> Path:
    (folder / "searches").mkdir(parents=True)
    (folder / "searches" / "small.toml").write_text(search)
    shutil.copy(blobs_npz, folder / "searches" / "blobs.npz")
    return folder


def trials(folder: Path, name: str = "small") -> list[dict[str, object]]:
    answer = tuner(folder, "results", name, "--format", "json")
    assert answer.returncode == 0, answer.stderr
    rows = json.loads(answer.stdout)
    return sorted(({k: v for k, v in row.items() if k != "seconds"} for row in rows), key=lambda row: row["trial"])


def wait_for(condition: Callable[[], bool], seconds: float = 600) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


def heeds(pid: int, number: int) -> bool:
    """Whether a process has a handler of its own for a signal."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> (number - 1) & 1)


def recorded(folder: Path) -> int:
    """Return how many trials the ledger of a project holds."""
    try:
        database = sqlite3.connect(f"file:{folder}/runs/ledger.sqlite?mode=ro", uri=True)
        (count,) = database.execute("SELECT count(*) FROM trials").fetchone()
    except sqlite3.OperationalError:  # not made yet
        return 0
    database.close()
    return int(count)


def run_and_kill(folder: Path, counts: Sequence[int]) -> None:
    """Run the search again and again, and kill it with its workers once so many of its trials are recorded."""
    for count in counts:
        running = start(folder, "run", "small", "--workers", "2")
        wait_for(lambda count=count: recorded(folder) >= count)  # type: ignore[misc]
        with contextlib.suppress(ProcessLookupError):  # it has no session yet, or no more
            os.killpg(running.pid, signal.SIGKILL)
        running.kill()
        running.communicate()


def workers(pid: int) -> list[int]:
    """Return the processes that the server of workers has forked: those that train, and the spare one."""
    found = [(process, _parent(process)) for process in descendants(pid)]
    return [process for process, parent in found if parent not in (pid, None)]


def _parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return None


def descendants(pid: int) -> list[int]:
    """Return the processes under `pid`, parents before children; those of a dead parent are found by session."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        session = int(fields[3])
        if session == pid and int(entry.name) != pid and fields[0] != "Z":
            found.append(int(entry.name))
    return sorted(found)
