"""The kinds of faults, and the drawing of one: at which moment, by which signal, to whom."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import IntEnum

#: The processes that Ray starts for itself on one machine, by what a fault calls them.
OF_RAY = ("raylet", "head", "agents")


@dataclass(frozen=True)
class Progress:
    """How far a search is before a run: trials recorded, of how many, and the same of retrainings."""

    searched: int
    of_searched: int
    retrained: int
    of_retrained: int

    @property
    def rows(self) -> int:
        """All trials that are recorded."""
        return self.searched + self.retrained

    @property
    def proposals_left(self) -> int:
        """How many trials of the search are still to be trained."""
        return self.of_searched - self.searched

    @property
    def left(self) -> int:
        """How many trials are still to be trained."""
        return self.of_searched + self.of_retrained - self.rows

    @property
    def retrainings_left(self) -> int:
        """How many of them are retrainings."""
        return self.of_retrained - self.retrained


@dataclass(frozen=True)
class Pace:
    """How long an uninterrupted run took, and how many files its report has: what moments are drawn from."""

    seconds: float
    until_first_row: float
    between_rows: float
    after_last_row: float
    report_files: int


@dataclass(frozen=True)
class Moment:
    """When a fault strikes from outside: once the ledger holds `rows`, and so many seconds later.

    `workers` waits for a worker process, `retraining` for the line that says that the retraining begins.
    """

    seconds: float
    rows: int = 0
    workers: bool = False
    retraining: bool = False

    def __str__(self) -> str:
        after = "the first worker" if self.workers else "the start"
        after = "the retraining begins" if self.retraining else f"{self.rows} trials" if self.rows else after
        return f"{self.seconds:.2f} s after {after}"


@dataclass(frozen=True)
class Inside:
    """A fault from within, at an event of that number in one process; `inside/sitecustomize.py` carries it out.

    `when` is before the event, amid it (`delay` seconds after it began) or after it.
    """

    event: str
    number: int
    when: str
    delay: float
    signal: str
    victim: str

    def to_json(self, mark: str) -> str:
        """Return the fault for the environment of a run; the file `mark` is made when it strikes."""
        return json.dumps({**asdict(self), "mark": mark})

    def __str__(self) -> str:
        return f"{self.when} {self.event} {self.number}"


@dataclass(frozen=True)
class Fault:
    """A signal to a victim at a moment, and to the next run after `again` seconds; the run may have `seconds` in all.

    Victims are "main", "group" (all processes of the run), "worker" and "server" (which forks the workers). The last
    two take no run with them: it goes on to its end.

    Ray's own processes are "raylet", "head" (its GCS) and "agents": then the search is given to Ray, whose run goes on
    to its end or says in its last line that it is to be started again, as the next run does without Ray.

    Three more are no processes, and what strikes them no signals. Whoever reads the standard error goes away ("closed"
    to "stderr"), and the run goes on to its end; the laid-out data are taken away ("removal" of "data"), and the run
    goes on to its end or says in its last line that it is to be started again; a stranger's files lie in `runs/` when
    the run starts ("link" in "runs"): a lock that is a link, for which the run is refused, and a file that is named as
    if a process of twenty digits had left it half written, with which all later ones have to live.

    A run that is given hours may be ended by them ("deadline" to "search"): it then proposes nothing more, trains the
    best so far again and writes its report, and the next run goes on from there.

    `command` is "run", or what is struck of a search that has ended: "report" or "verify".
    """

    kind: str
    signal: str
    victim: str
    moment: Moment | Inside
    again: float | None = None
    seconds: float | None = None
    command: str = "run"

    @property
    def ends_the_run(self) -> bool:
        """Whether the run is over with it."""
        return self.victim in ("main", "group")

    @property
    def may_end_the_run(self) -> bool:
        """Whether the run is over with it, or may be, and may go on to its end."""
        return self.ends_the_run or self.victim == "data" or self.on_ray

    @property
    def on_ray(self) -> bool:
        """Whether the run that it strikes trains on Ray."""
        return self.victim in OF_RAY

    def __str__(self) -> str:
        again = f", and again {self.again:.2f} s after the next start" if self.again is not None else ""
        hours = f", of a run that is given {self.seconds:.0f} s" if self.seconds is not None else ""
        whose = f" of tuner {self.command}" if self.command != "run" else ""
        return f"{self.signal} to {self.victim}{whose}, {self.moment}{again}{hours}"


class Stage(IntEnum):
    """What a fault leaves of a search: the faults of one life come in this order."""

    PREPARATION = 0
    ANY = 1
    RETRAINING = 2
    TO_THE_END = 3  # the run goes on, and nothing is left to be trained
    REPORT = 4
    ENDED = 5  # the search comes to its end first


@dataclass(frozen=True)
class Kind:
    """A kind of fault: its row in the report, its place in the life of a search, and how one is drawn.

    `draw` returns None where the search has got too far for it.
    """

    label: str
    stage: Stage
    draw: Callable[[Progress, Pace, random.Random], Fault | None]

    def excludes(self, other: Kind) -> bool:
        """Whether nothing would be left for one of the two in the life of a search."""
        return {self.stage, other.stage} in ({Stage.TO_THE_END}, {Stage.TO_THE_END, Stage.RETRAINING})


def _at_random(progress: Progress, pace: Pace, rng: random.Random) -> Moment:
    """Return a moment in the imports and the preparation, among the next few trials, or up to the end of the run."""
    if not progress.left:
        return Moment(rng.uniform(0, pace.until_first_row + pace.after_last_row))
    if rng.random() < 0.3:
        return Moment(rng.uniform(0, pace.until_first_row))
    rows = min(progress.rows + rng.randint(0, 3), progress.of_searched + progress.of_retrained)
    return Moment(rng.uniform(0, 2 * pace.between_rows), rows, workers=progress.left > 0)


def _to_the(victim: str, kind: str, signal: str, label: str) -> Kind:
    def draw(progress: Progress, pace: Pace, rng: random.Random) -> Fault | None:
        return Fault(kind, signal, victim, _at_random(progress, pace, rng))

    return Kind(label, Stage.ANY, draw)


def _while_it_trains(kind: str, signal: str, victim: str, label: str) -> Kind:
    def draw(progress: Progress, pace: Pace, rng: random.Random) -> Fault | None:
        if not progress.left:
            return None
        rows = progress.rows + rng.randrange(min(progress.left, 6))
        return Fault(kind, signal, victim, Moment(rng.uniform(0, pace.between_rows), rows, workers=True))

    return Kind(label, Stage.TO_THE_END, draw)


def _to_rays(victim: str, label: str) -> Kind:
    """Return the kind of a fault that strikes Ray once it has trained something, while there is more to train."""

    def draw(progress: Progress, pace: Pace, rng: random.Random) -> Fault | None:
        if progress.left < 2:
            return None
        rows = progress.rows + rng.randint(1, min(progress.left - 1, 3))
        return Fault(victim, "SIGKILL", victim, Moment(rng.uniform(0, pace.between_rows), rows, workers=True))

    return Kind(label, Stage.ANY, draw)


def _strangers_files(progress: Progress, pace: Pace, rng: random.Random) -> Fault:
    return Fault("strange", "link", "runs", Moment(0))


def _twice(progress: Progress, pace: Pace, rng: random.Random) -> Fault | None:
    # A new run holds its lock and opens its ledger within its first second.
    return Fault("twice", "SIGKILL", "main", _at_random(progress, pace, rng), again=rng.uniform(0, 1))


def _out_of_hours(progress: Progress, pace: Pace, rng: random.Random) -> Fault | None:
    if not progress.proposals_left:
        return None
    return Fault("hours", "deadline", "search", Moment(0), seconds=rng.uniform(1, 1.5 * pace.seconds))


def _within_hours(progress: Progress, pace: Pace, rng: random.Random) -> Fault | None:
    if not progress.proposals_left:
        return None
    moment = _at_random(progress, pace, rng)
    return Fault("timed", "SIGKILL", "main", moment, seconds=rng.uniform(1, 1.5 * pace.seconds))


def _in_data(progress: Progress, pace: Pace, rng: random.Random) -> Fault | None:
    if progress.rows:
        return None  # the data lie there
    return _from_within("preparation", "data", rng.randint(1, 5), rng)


def _in_ledger(progress: Progress, pace: Pace, rng: random.Random) -> Fault | None:
    # Opening the ledger and the search, listing what was proposed, then a write per trial and one at the end.
    return _from_within("ledger", "ledger", rng.randint(1, 3 + min(progress.left, 5)), rng, ("before", "amid", "after"))


def _in_checkpoint(progress: Progress, pace: Pace, rng: random.Random) -> Fault | None:
    if not progress.retrainings_left:
        return None
    victim = rng.choice(("main", "group", "worker"))  # opened and moved into place: the model, then the predictions
    return _from_within("checkpoint", "checkpoint", rng.randint(1, 4), rng, victim=victim)


def _in_retraining(progress: Progress, pace: Pace, rng: random.Random) -> Fault | None:
    if not progress.retrainings_left:
        return None
    delay = rng.uniform(0, pace.between_rows * progress.retrainings_left)
    return Fault("retraining", _signal(rng), "main", Moment(delay, retraining=True))


def _in_scoring(progress: Progress, pace: Pace, rng: random.Random) -> Fault | None:
    """Strike as a worker scores its model on the test set, or as the main process reads the scores back."""
    when = ("before", "amid", "after")
    if progress.retrainings_left and rng.random() < 0.7:
        return _from_within("scoring", "scoring", 1, rng, when, rng.choice(("main", "group", "worker")))
    return _from_within("scoring", "findings", 1, rng, when)


def _in_report(progress: Progress, pace: Pace, rng: random.Random) -> Fault | None:
    return _from_within("report", "report", rng.randint(1, 2 * pace.report_files), rng)


def _to_command(kind: str, command: str, label: str) -> Kind:
    """Return the kind of a fault that strikes a command on a search that has ended, once that hears signals."""

    def draw(progress: Progress, pace: Pace, rng: random.Random) -> Fault | None:
        signal = rng.choices(("SIGKILL", "SIGTERM", "SIGINT", "SIGHUP"), (3, 1, 1, 1))[0]
        return Fault(kind, signal, "main", Moment(rng.uniform(1.5, 7)), command=command)

    return Kind(label, Stage.ENDED, draw)


def _from_within(
    kind: str,
    event: str,
    number: int,
    rng: random.Random,
    when: tuple[str, ...] = ("before", "amid"),
    victim: str = "main",
) -> Fault:
    signal = _signal(rng) if victim == "main" else "SIGKILL"
    inside = Inside(event, number, rng.choice(when), rng.uniform(0, 0.02), signal, victim)
    return Fault(kind, signal, victim, inside)


def _signal(rng: random.Random) -> str:
    """Return what ends the main process at a precise moment: mostly a kill, sometimes a request to stop."""
    return rng.choices(("SIGKILL", "SIGTERM", "SIGINT"), (4, 1, 1))[0]


#: Every kind. Stages order the faults of one life, so that the early ones leave something for the later ones.
KINDS = {
    "kill": _to_the("main", "kill", "SIGKILL", "SIGKILL to the main process"),
    "term": _to_the("main", "term", "SIGTERM", "SIGTERM to the main process"),
    "int": _to_the("main", "int", "SIGINT", "SIGINT to the main process"),
    "hangup": _to_the("main", "hangup", "SIGHUP", "SIGHUP to the main process, as a terminal that closes sends"),
    "group": _to_the("group", "group", "SIGKILL", "SIGKILL to the whole process group"),
    "stop": _to_the("group", "stop", "SIGTERM", "SIGTERM to the whole group, as systemd stops"),
    "ctrl_c": _to_the("group", "ctrl_c", "SIGINT", "SIGINT to the whole group, as Ctrl-C sends"),
    "twice": Kind("SIGKILL, and SIGKILL again as the next run starts", Stage.ANY, _twice),
    "hours": Kind("the hours of the run are over", Stage.ANY, _out_of_hours),
    "timed": Kind("SIGKILL to the main process of a run with hours", Stage.ANY, _within_hours),
    "worker": _while_it_trains("worker", "SIGKILL", "worker", "SIGKILL to a worker"),
    "server": _while_it_trains("server", "SIGKILL", "server", "SIGKILL to the server that forks workers"),
    "raylet": _to_rays("raylet", "SIGKILL to Ray's process on the machine, the raylet"),
    "head": _to_rays("head", "SIGKILL to Ray's head, its GCS"),
    "agents": _to_rays("agents", "SIGKILL to the agents of Ray's raylet"),
    "stream": _while_it_trains("stream", "closed", "stderr", "the reader of the standard error goes away"),
    "data": _while_it_trains("data", "removal", "data", "the laid-out data are removed"),
    "strange": Kind("a lock that is a link, and a half-written file of no process", Stage.ANY, _strangers_files),
    "preparation": Kind("while the data are laid out", Stage.PREPARATION, _in_data),
    "ledger": Kind("during a ledger write", Stage.ANY, _in_ledger),
    "retraining": Kind("during the retraining", Stage.RETRAINING, _in_retraining),
    "checkpoint": Kind("during a checkpoint write", Stage.RETRAINING, _in_checkpoint),
    "scoring": Kind("during the scoring", Stage.RETRAINING, _in_scoring),
    "report": Kind("while the report is written", Stage.REPORT, _in_report),
    "rewriting": _to_command("rewriting", "report", "to `tuner report` of a search that has ended"),
    "verifying": _to_command("verifying", "verify", "to `tuner verify` of a search that has ended"),
}
