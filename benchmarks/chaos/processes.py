"""A run of the tool as a process of its own session, what belongs to it, and what it says."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.chaos.faults import OF_RAY
from benchmarks.chaos.searches import COMMAND, NAME

_INSIDE = Path(__file__).parent / "inside"
_READ = "import os\nwhile text := os.read(0, 65536): os.write(1, text)"
_SECONDS_BETWEEN_LOOKS = 0.02


class Run:
    """The command that is given again and again, started in a project's folder.

    Args:
        folder: the project; what the run prints goes to files in it.
        command: what is run instead of the search.
        fault: a fault from within, as `Inside.to_json` writes it.
        with_reader: whether the standard error goes through a process that reads it, which can be ended.
        seconds: how long the run may take, given to it as hours; None for as long as it takes.
        on_ray: whether it trains on a cluster that Ray starts for it, in the folder.

    Whoever waits for it sees, in `had_begun`, whether it has held its search or opened its ledger.
    """

    def __init__(
        self,
        folder: Path,
        fault: str | None = None,
        *,
        with_reader: bool = False,
        seconds: float | None = None,
        on_ray: bool = False,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._folder, self._rays = folder, folder / "ray"
        self._printed, self._errors, self._trained = (
            folder / f"{name}.txt" for name in ("printed", "errors", "trained")
        )
        self._trained.unlink(missing_ok=True)
        options = () if seconds is None else ("--hours", f"{seconds / 3600:.6f}")
        if on_ray:
            self._rays.mkdir(exist_ok=True)
            options = (*options, "--executor", "ray")
        paths = [str(_INSIDE), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {
            **os.environ,
            "TMPDIR": str(folder),
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "PYTHONPATH": os.pathsep.join(paths),
            "TUNER_CHAOS_TRAINED": str(self._trained),
            "RAY_TMPDIR": str(self._rays),
            "RAY_gcs_rpc_server_reconnect_timeout_s": "15",  # of the minute that a head has to come back
            **({} if fault is None else {"TUNER_CHAOS": fault}),
        }
        with self._printed.open("w") as printed, self._errors.open("w") as errors:
            self._reader = None
            if with_reader:
                reading = [sys.executable, "-S", "-c", _READ]
                self._reader = subprocess.Popen(reading, stdin=subprocess.PIPE, stdout=errors, start_new_session=True)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tuner", *command, *options],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=self._reader.stdin if self._reader else errors,
                env=environment,
                start_new_session=True,
                # A shell starts what it puts into the background with SIGINT ignored, nohup with SIGHUP, and so would
                # be what we start.
                preexec_fn=_hear_signals,  # noqa: PLW1509
            )
        if self._reader and self._reader.stdin:
            self._reader.stdin.close()  # the run's own is left
        self.started = time.monotonic()
        self.had_begun = False

    @property
    def session(self) -> int:
        """The number of its session and of its process group, which is that of its main process."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether the main process has ended."""
        return self._process.poll() is not None

    @property
    def code(self) -> int | None:
        """The exit code; minus a signal's number where one ended the process; None while it runs."""
        return self._process.poll()

    @property
    def printed(self) -> str:
        """What it wrote to stdout."""
        return self._printed.read_text(encoding="utf-8", errors="replace")

    @property
    def errors(self) -> str:
        """What it wrote to stderr."""
        return self._errors.read_text(encoding="utf-8", errors="replace")

    @property
    def trained(self) -> set[str]:
        """The trials that its workers began, whatever came of them."""
        return set(self._trained.read_text(encoding="ascii").split()) if self._trained.exists() else set()

    def _look(self) -> None:
        """See whether it holds its search, or has its ledger open: there is something to go on with from then on."""
        runs = self._folder / "runs"
        if not self.had_begun:
            with contextlib.suppress(OSError):
                self.had_begun = (runs / "locks" / f"{NAME}.holder").read_text(encoding="ascii") == str(self.session)
        if not self.had_begun:
            with contextlib.suppress(OSError):
                opened = (entry.readlink() for entry in Path(f"/proc/{self.session}/fd").iterdir())
                self.had_begun = runs / "ledger.sqlite" in opened

    def workers(self) -> list[int]:
        """Return the processes that the server of workers has forked: those that train, wait, or are forked ahead."""
        family = processes_of(self.session)
        return sorted(pid for pid, parent in family.items() if parent in family and parent != self.session)

    def servers(self) -> list[int]:
        """Return the server of workers, once it has forked one."""
        family = processes_of(self.session)
        return sorted({parent for parent in family.values() if parent in family and parent != self.session})

    def send(self, name: str, victim: str, choose: Callable[[list[int]], int]) -> bool:
        """Send a signal to a victim (`faults.Fault`), chosen among several; return whether it was still there."""
        if not self.ended and victim == "stderr":
            return self._end_reader()
        if not self.ended and victim == "data":
            return self._remove_data()
        if not self.ended and victim in OF_RAY:
            return _kill(rays_processes(self._rays, victim))
        victims = {"main": [self.session], "group": [-self.session], "worker": self.workers(), "server": self.servers()}
        if self.ended or not victims[victim]:
            return False
        try:
            os.kill(choose(victims[victim]), signal.Signals[name])
        except ProcessLookupError:
            return False
        return True

    def _end_reader(self) -> bool:
        """Let nobody read the standard error any more."""
        if self._reader is None:
            return False
        self._reader.kill()
        self._reader.wait()
        return True

    def _remove_data(self) -> bool:
        """Take away what the run laid out for its workers; return whether it had."""
        laid_out = [path for path in (self._folder / "runs" / "data").glob("*") if not path.name.startswith(".")]
        for path in laid_out:
            shutil.rmtree(path, ignore_errors=True)
        return bool(laid_out)

    def wait_for(self, happened: Callable[[], bool], limit: float) -> bool:
        """Wait until something has happened; return False where the run ended, or so many seconds passed, before."""
        until = time.monotonic() + limit
        while not happened():
            self._look()
            if self.ended or time.monotonic() > until:
                return happened()  # which may be that it ended, meanwhile
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        return True

    def wait(self, limit: float) -> bool:
        """Wait for its end; return False where it did not end within so many seconds, and was killed."""
        if not self.wait_for(lambda: self.ended, limit):
            self.kill()
            return False
        if self._reader is not None:
            self._reader.wait()  # until it has written what it read
        return True

    def kill(self) -> None:
        """End every process of it now."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.session, signal.SIGKILL)
        self._process.wait()


def _hear_signals() -> None:
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def rays_processes(place: Path, what: str) -> list[int]:
    """Return the processes of a kind (`faults.OF_RAY`) of the cluster that Ray started in a folder."""
    found: dict[str, list[int]] = {"raylet": [], "head": []}
    agents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_bytes().decode(errors="replace")
            program = command.partition("\0")[0]
            if f"{place}/" in command and program.endswith(("/raylet", "/gcs_server")):
                found["raylet" if program.endswith("/raylet") else "head"].append(int(entry.name))
            elif program.startswith("ray::") and "Agent" in program:  # Ray names what it has started by what that is
                agents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
    found["agents"] = [agent for agent, parent in agents.items() if parent in found["raylet"]]
    return found[what]


def _kill(processes: Sequence[int]) -> bool:
    """Kill all of them; return whether there was one."""
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return bool(processes)


def processes_of(session: int) -> dict[int, int]:
    """Return the living processes of a session, each with its parent."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            state, parent, _, its_session = (entry / "stat").read_text().rsplit(")", 1)[1].split()[:4]
        except OSError:  # ended meanwhile
            continue
        if int(its_session) == session and state != "Z":
            found[int(entry.name)] = int(parent)
    return found


def wait_until(happened: Callable[[], bool], limit: float) -> bool:
    """Wait up to so many seconds until something has happened; return whether it has."""
    until = time.monotonic() + limit
    while not happened():
        if time.monotonic() > until:
            return False
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    return True


def are_gone(sessions: set[int], limit: float) -> bool:
    """Wait up to so many seconds until no process of these sessions is left; return whether that is so."""
    return wait_until(lambda: not any(processes_of(session) for session in sessions), limit)
