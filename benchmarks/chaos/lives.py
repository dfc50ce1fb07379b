"""One life of a search: faults one after the other, each followed by the same command, and a run to the end."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.chaos.faults import KINDS, Fault, Inside, Moment, Pace, Progress
from benchmarks.chaos.judging import Judge, Problems, Snapshot, compare, final_tables, left_over, snapshot
from benchmarks.chaos.processes import Run, are_gone, wait_until
from benchmarks.chaos.searches import COMMAND, NAME, make_project

_INTERRUPTED = 130
#: What `how_badly` takes for the signal where it did not strike the run, but Ray.
_LOSS_OF_RAY = "loss of Ray"
_REFUSED = 2
#: No system has a process of that number.
_NO_PROCESSES_FILE = ".partial-99999999999999999999-x.keras"
#: What the tool calls files and folders that are not whole yet.
_PARTIAL = ".partial-*"
#: What a run says whose hours were over before its search was.
_BY_ITS_HOURS = "the search has ended by its hours"
#: A run that ends well within so many seconds of a fault had done its work before.
_SECONDS_TO_END = 1.0
#: So many seconds may pass until the last process of a killed run has noticed; importing Keras, it notices afterwards.
_SECONDS_TO_LEAVE = 60.0


@dataclass(frozen=True)
class Reference:
    """An uninterrupted run: its ledger, its tables and its pace."""

    ledger: Snapshot
    tables: dict[str, object]
    pace: Pace

    @property
    def limit(self) -> float:
        """After so many seconds a run hangs."""
        return 60 + 10 * self.pace.seconds


@dataclass(frozen=True)
class Suffered:
    """A fault that struck, and what was wrong after it."""

    algorithm: str
    fault: Fault
    problems: Problems


@dataclass(frozen=True)
class Ended:
    """A life that came to its end, and what was wrong with it."""

    algorithm: str
    problems: Problems


@dataclass
class Tally:
    """All that happened; `missed` are faults that never struck, because the search had ended before."""

    suffered: list[Suffered] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)
    missed: list[Fault] = field(default_factory=list)

    def count(self, algorithm: str, kind: str) -> int:
        """Return how many faults of a kind struck an algorithm."""
        return sum(one.algorithm == algorithm and one.fault.kind == kind for one in self.suffered)

    @property
    def problems(self) -> list[Problems]:
        """What was wrong after each fault and at each end."""
        return [one.problems for one in self.suffered] + [one.problems for one in self.ended]


def run_reference(folder: Path, algorithm: str) -> Reference:
    """Run a search to its end, undisturbed.

    Raises:
        RuntimeError: it failed, which is nothing that faults could be judged by.
    """
    make_project(folder, algorithm)
    ledger = folder / "runs" / "ledger.sqlite"
    run = Run(folder)
    rows_at: list[float] = []
    try:
        while not run.ended:
            if rows_recorded(ledger) > len(rows_at):
                rows_at.append(time.monotonic() - run.started)
            time.sleep(0.02)
    finally:
        run.kill()
    seconds = time.monotonic() - run.started
    if run.code != 0 or not rows_at:
        raise RuntimeError(f"the undisturbed {algorithm} search ended with exit code {run.code}: {run.errors}")
    tables = final_tables(folder)
    if None in tables.values():
        raise RuntimeError(f"the undisturbed {algorithm} search left files that cannot be read")
    between = (rows_at[-1] - rows_at[0]) / max(1, len(rows_at) - 1)
    files = sum(1 for file in (folder / "reports").rglob("*") if file.is_file())
    pace = Pace(seconds, rows_at[0], between, seconds - rows_at[-1], files)
    return Reference(snapshot(ledger), tables, pace)


class Life:
    """A search in a folder of its own, from nothing to its end."""

    def __init__(
        self, folder: Path, algorithm: str, reference: Reference, rng: random.Random, tell: Callable[[str], None]
    ) -> None:
        self._folder = make_project(folder, algorithm)
        self._ledger = folder / "runs" / "ledger.sqlite"
        self._algorithm, self._reference, self._rng, self._tell = algorithm, reference, rng, tell
        self._judge = Judge(reference.ledger)
        self._sessions: set[int] = set()
        self._struck = 0
        self._strange = folder / "runs" / "models" / _NO_PROCESSES_FILE
        self._now = Snapshot()

    @property
    def progress(self) -> Progress:
        """How far the search is."""
        expected = self._reference.ledger
        now = self._now.only(expected.rows)  # a run that its hours ended may have trained others again
        return Progress(now.count("search"), expected.count("search"), now.count("final"), expected.count("final"))

    def suffer(self, kind: str) -> Suffered | Fault | None:
        """Start the search and let a fault of this kind strike it; return what came of it.

        A `Fault` is one that never struck, None says that the search has got too far for this kind.
        """
        fault = KINDS[kind].draw(self.progress, self._reference.pace, self._rng)
        if fault is None:
            return None
        begun = time.monotonic()
        struck, problems = self._strike(fault)
        what = f"{self._algorithm}: {fault}, {self._now_recorded()}, {time.monotonic() - begun:.1f} s"
        self._tell(f"{what}{': ' if problems else ''}{problems}" if struck or problems else f"{what}: never struck")
        return Suffered(self._algorithm, fault, problems) if struck or problems else fault

    def end(self) -> Ended:
        """Run the search to its end and compare it with the undisturbed one."""
        problems = self._until_its_end(self._start(), is_over=True)
        self._take_strangers_file_away(problems)
        tables = final_tables(self._folder, set(self._now.rows) - set(self._reference.ledger.rows))
        problems.different += compare(tables, self._reference.tables)
        problems.ended_badly += [f"left over: {name}" for name in left_over(self._folder)]
        if not are_gone(self._sessions, _SECONDS_TO_LEAVE):
            problems.ended_badly.append("processes are left")
        self._tell(f"{self._algorithm}: to the end after {self._struck} faults: {problems or 'as undisturbed'}")
        return Ended(self._algorithm, problems)

    def _strike(self, fault: Fault) -> tuple[bool, Problems]:
        """Start the search, wait for the moment, strike; return whether it struck, and how the run ended."""
        if fault.command != "run":
            return self._strike_command(fault, (fault.command, NAME))
        if fault.victim == "runs":
            return True, self._start_among_strangers_files()
        struck_at = None
        if fault.victim == "search":
            run = self._start(seconds=fault.seconds)
            problems = self._until_its_end(run)
            struck_at = time.time() if _BY_ITS_HOURS in run.errors else None
        elif isinstance(fault.moment, Inside):
            mark = self._folder / f"struck-{len(self._sessions)}"
            run = self._start(fault.moment.to_json(str(mark)))
            problems = self._until_its_end(run, fault)
            struck_at = mark.stat().st_mtime if mark.exists() else None
        else:
            run = self._start(with_reader=fault.victim == "stderr", seconds=fault.seconds, on_ray=fault.on_ray)
            if self._reached(run, fault.moment) and run.send(fault.signal, fault.victim, self._rng.choice):
                struck_at = time.time()
            problems = self._until_its_end(run, fault)
        if struck_at is not None and fault.ends_the_run and run.code == 0:
            late = time.time() - struck_at
            if late < _SECONDS_TO_END:
                struck_at = None  # the run was ending by itself
            else:
                problems.ended_badly.append(f"went on for {late:.1f} s, to its end")
        if struck_at is not None and fault.again is not None:
            following = self._start()
            following.wait_for(lambda: False, fault.again)
            following.send(fault.signal, fault.victim, self._rng.choice)
            problems.add(self._until_its_end(following, fault))
        self._struck += struck_at is not None
        return struck_at is not None, problems

    def _strike_command(self, fault: Fault, command: tuple[str, ...]) -> tuple[bool, Problems]:
        """Strike a command on the search once that has ended; given again, it has to succeed and to clear up."""
        problems = self._until_its_end(self._start(), is_over=True)
        before = set(self._folder.rglob(_PARTIAL))  # in its folder for temporary files too
        run = self._start(command=command)
        run.wait_for(lambda: False, fault.moment.seconds if isinstance(fault.moment, Moment) else 0.0)
        struck = run.send(fault.signal, fault.victim, self._rng.choice)
        problems.ended_badly += self._how_badly(run, fault.signal if struck else None, command)
        problems.ended_badly += self._how_badly(self._start(command=command), None, command)
        left = sorted(set(self._folder.rglob(_PARTIAL)) - before)
        problems.ended_badly += [f"left over: {path.relative_to(self._folder)}" for path in left]
        self._struck += struck
        self._now = snapshot(self._ledger)
        problems.add(self._judge.look(self._now))
        return struck, problems

    def _how_badly(self, run: Run, signal: str | None, command: tuple[str, ...]) -> list[str]:
        """Wait for the end of a command on a search that has ended, and return what is wrong with it."""
        if not run.wait(self._reference.limit):
            return [f"tuner {command[0]} did not end, and was killed"]
        return how_badly(run.code, run.printed, run.errors, signal, run.had_begun, command)

    def _start_among_strangers_files(self) -> Problems:
        """Start the search where its lock is a link, which has to be refused; what the link leads to stays."""
        lock, elsewhere = self._folder / "runs" / "locks" / f"{NAME}.lock", self._folder / "elsewhere.txt"
        for path in (lock, self._strange):
            path.parent.mkdir(parents=True, exist_ok=True)
        self._strange.touch()
        elsewhere.write_text("another's", encoding="ascii")
        lock.unlink(missing_ok=True)
        lock.symlink_to(elsewhere)
        run = self._start()
        wrong = [] if run.wait(self._reference.limit) else ["did not end, and was killed"]
        last = _last_line(run.errors)
        if run.code != _REFUSED or not last.startswith("tuner: ") or "is a link" not in last:
            wrong.append(f"exit code {run.code} where the lock is a link: {last}")
        if elsewhere.read_text(encoding="ascii") != "another's":
            wrong.append("written through a link")
        lock.unlink(missing_ok=True)  # as the line says
        self._struck += 1
        self._now = snapshot(self._ledger)
        problems = Problems(ended_badly=wrong)
        problems.add(self._judge.look(self._now, run.trained))
        return problems

    def _take_strangers_file_away(self, problems: Problems) -> None:
        if (self._folder / "elsewhere.txt").exists() and not self._strange.exists():
            problems.ended_badly.append(f"removed: {_NO_PROCESSES_FILE}, which is a stranger's")
        self._strange.unlink(missing_ok=True)

    def _start(
        self,
        fault: str | None = None,
        *,
        with_reader: bool = False,
        seconds: float | None = None,
        on_ray: bool = False,
        command: tuple[str, ...] = COMMAND,
    ) -> Run:
        run = Run(self._folder, fault, with_reader=with_reader, seconds=seconds, on_ray=on_ray, command=command)
        self._sessions.add(run.session)
        return run

    def _reached(self, run: Run, moment: Moment) -> bool:
        """Wait for a moment; return whether the run was still there."""

        def happened() -> bool:
            return (
                rows_recorded(self._ledger) >= moment.rows
                and (not moment.workers or bool(run.workers()))
                and (not moment.retraining or "retraining" in run.errors)
            )

        if not run.wait_for(happened, self._reference.limit):
            return False
        run.wait_for(lambda: False, moment.seconds)
        return not run.ended

    def _until_its_end(self, run: Run, fault: Fault | None = None, is_over: bool = False) -> Problems:
        """Wait for the end of a run, and return what is wrong with it and with the ledger that it left."""
        if run.wait(self._reference.limit):
            signal = None
            if fault is not None and fault.may_end_the_run:
                signal = _LOSS_OF_RAY if fault.on_ray else fault.signal
            if signal == _LOSS_OF_RAY and run.code != 0:  # Ray may end the run, whose last word then comes after it
                wait_until(lambda: "tuner: " in run.errors, _SECONDS_TO_LEAVE)
            problems = Problems(ended_badly=how_badly(run.code, run.printed, run.errors, signal, run.had_begun))
        else:
            problems = Problems(ended_badly=["did not end, and was killed"])
        self._now = snapshot(self._ledger)
        problems.add(self._judge.look(self._now, run.trained, is_over))
        return problems

    def _now_recorded(self) -> str:
        now = self.progress
        return f"{now.rows} of {now.of_searched + now.of_retrained} recorded"


def how_badly(
    code: int | None,
    printed: str,
    errors: str,
    signal: str | None,
    had_begun: bool,
    command: tuple[str, ...] = COMMAND,
) -> list[str]:
    """Return what is wrong with how a run ended that was sent a signal, or none.

    A run may end well before its signal comes. One that is asked to stop says how to go on, unless it has not begun,
    or has printed its report, or what it verified, and is leaving; so does one whose data, or whose cluster, were taken
    away.
    """
    wrong = [f"a traceback, of {error}" for error in errors_of_tracebacks(errors)][:1]
    if code == 0 and ("report: " in printed or command[0] == "verify"):
        return wrong
    if signal is None:
        return [*wrong, f"exit code {code}: {_last_line(errors)}"]
    if signal == "removal":
        last = _last_line(errors)
        says = code == 1 and last.startswith("tuner: ") and "run the search again" in last
        return wrong if says else [*wrong, f"exit code {code} without its data: {last}"]
    if signal == _LOSS_OF_RAY:
        last = _last_line(errors)
        says = code == 1 and last.startswith("tuner: Ray: ") and "start again: nothing that finished is lost" in last
        return wrong if says else [*wrong, f"exit code {code} without Ray: {last}"]
    if signal == "SIGKILL":
        return wrong if code == -9 else [*wrong, f"exit code {code} after SIGKILL"]
    if code == _INTERRUPTED and " ".join(command) in _last_line(errors):
        return wrong
    if not had_begun or "report: " in printed or (command[0] == "verify" and printed):
        return wrong
    return [*wrong, f"exit code {code} after {signal}, and no word of how to go on: {_last_line(errors)}"]


def errors_of_tracebacks(text: str) -> list[str]:
    """Return the error that each traceback in a text ends with, also of those that Python could only print."""
    found = []
    for traceback in text.split("Traceback (most recent call last):")[1:]:
        lines = [line for line in traceback.splitlines() if line.strip() and not line.startswith(" ")]
        found.append(lines[0].rstrip(": ") if lines else "an unknown error")
    return found


def rows_recorded(ledger: Path) -> int:
    """Return how many trials a ledger holds that a run may be writing to."""
    try:
        with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as database:
            (count,) = database.execute("SELECT count(*) FROM trials").fetchone()
    except sqlite3.OperationalError:  # not made yet
        return 0
    return int(count)


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["nothing on stderr"])[-1]
