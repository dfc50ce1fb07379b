"""`tuner watch`: a real search of many short trials that is killed and resumed while somebody watches."""

from __future__ import annotations

import contextlib
import http
import http.client
import json
import os
import pty
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from command_line import Command
from small_project import SEARCH, make_project, recorded, start, trials, tuner, wait_for

from tuner.ledger.ledger import Ledger
from tuner.ledger.requests import Decision, Request

#: 40 trials that share two compiled steps.
MANY = (
    SEARCH[: SEARCH.index("[[search]]")].replace("repeats = 2", "repeats = 1").replace("epochs = 3", "epochs = 20")
    + """
[[search]]
family = "ann"
[search.space]
dense_units = [4, 8]
dropout = [0.0, 0.1, 0.2, 0.3]
learning_rate = [0.001, 0.002, 0.005, 0.01, 0.02]
"""
)


class Follower(threading.Thread):
    """A page that follows the events of a watched search, and connects again whenever it is cut off."""

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        self.parts = urlsplit(address)
        self.keys: list[str] = []
        self.states: list[str] = []
        self.under_way: set[str] = set()
        self.connections, self.resets = 0, 0
        self.last, self.pieces = "", 0
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.is_set():
            connection = http.client.HTTPConnection(self.parts.hostname or "", self.parts.port, timeout=120)
            self.connections += 1
            try:
                headers = {"Last-Event-ID": self.last} if self.last else {}
                connection.request("GET", f"{self.parts.path}events", headers=headers)
                self.follow(connection.getresponse())
            except OSError:
                continue
            finally:
                connection.close()

    def follow(self, answer: http.client.HTTPResponse) -> None:
        kind, name, pieces = "", "", 0
        while line := answer.readline().decode().rstrip("\n") or "end":
            if line.startswith("id: "):
                name = line[4:]
            elif line.startswith("event: "):
                kind = line[7:]
            elif line.startswith("data: "):
                self.take(kind, json.loads(line[6:]))
                self.last, name = name or self.last, ""
                pieces += kind == "rows"
            if pieces >= 5 or self.ended.is_set():  # cut off, in the middle of what is sent
                return
            if answer.isclosed():
                return

    def take(self, kind: str, data: dict[str, object]) -> None:
        if kind == "rows":
            self.keys += [row["key"] for row in data["rows"]]  # type: ignore[attr-defined]
        elif kind == "reset":
            self.resets += 1
        elif kind == "state":
            self.states.append(str(data["what"]))
            self.under_way |= {one["trial"] for one in data["running"]}  # type: ignore[attr-defined]


@pytest.mark.slow
def test_a_search_killed_and_resumed_while_watched_misses_no_row_and_shows_none_twice(
    tmp_path: Path, blobs_file: Path
) -> None:
    folder = make_project(tmp_path / "watched", blobs_file, MANY)
    watch = start(folder, "watch", "small")
    try:
        wait_for(lambda: watch.output_so_far().endswith("/small/\n"))
        follower = Follower(watch.output_so_far().removeprefix("watch: ").strip())
        follower.start()
        wait_for(lambda: bool(follower.states))
        assert not (folder / "runs").exists()  # which a run makes, and nobody else
        for kill_at in (6, 16, 28):
            main = start(folder, "run", "small", "--workers", "2")
            wait_for(lambda: recorded(folder) >= kill_at or main.poll() is not None)  # noqa: B023
            main.kill()
            main.communicate()
            wait_for(lambda: follower.states[-1] == "stopped")
        ended = tuner(folder, "run", "small", "--workers", "2")
        assert ended.returncode == 0, ended.stderr
        wait_for(lambda: follower.states[-1] == "finished")
        follower.ended.set()
        database = sqlite3.connect(folder / "runs" / "ledger.sqlite")
        listed = database.execute("SELECT search, role, model, dataset, number FROM members").fetchall()
        assert len(listed) == 41
        wait_for(lambda: len(follower.keys) >= 41)
        assert sorted(follower.keys) == sorted(" ".join(map(str, row)) for row in listed)
        assert follower.resets == 1 < follower.connections
        assert follower.states[0] == "not begun"
        assert {"running", "stopped"} <= set(follower.states)
        assert follower.under_way
        answer = http.client.HTTPConnection(follower.parts.hostname or "", follower.parts.port, timeout=120)
        answer.request("GET", follower.parts.path)
        page = answer.getresponse().read().decode()
        assert 'id="confusion"' in page
    finally:
        watch.send_signal(signal.SIGINT)
        _, errors = watch.communicate(timeout=120)
    assert watch.returncode == 130
    assert errors.splitlines()[-1] == "no longer watched. Again with: tuner watch small"


def test_a_search_that_nobody_knows_is_refused_in_one_line(tmp_path: Path) -> None:
    answer = tuner(tmp_path, "watch", "nothing")
    assert answer.returncode == 2
    assert "nothing: no such search" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


def on_a_terminal(folder: Path, *arguments: str) -> str:
    """Return what a command that is started on a terminal says there."""
    terminal, theirs = pty.openpty()
    command = [sys.executable, "-m", "tuner", *arguments]
    ran = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    said = b""
    with contextlib.suppress(OSError):  # which is how a terminal ends that nobody writes to any more
        while piece := os.read(terminal, 10_000):
            said += piece
    ran.wait(timeout=600)
    os.close(terminal)
    return said.decode()


def test_a_run_on_a_terminal_says_how_to_watch_it_and_where_that_is_done_already(
    tmp_path: Path, blobs_file: Path
) -> None:
    folder = make_project(tmp_path / "told", blobs_file, MANY)
    (folder / "searches" / "blobs.npz").unlink()  # so that the run ends soon
    said = on_a_terminal(folder, "run", "small")
    assert "watch it: tuner watch small\r\n" in said
    assert "watched at" not in said
    watch = start(folder, "watch", "small")
    wait_for(lambda: watch.output_so_far().endswith("/small/\n"))
    address = watch.output_so_far().removeprefix("watch: ").strip()
    said = on_a_terminal(folder, "run", "small")
    assert "watch it: tuner watch small\r\n" in said
    assert f"watched at: {address}\r\n" in said
    assert address not in tuner(folder, "run", "small").stderr  # into a log no token goes
    watch.send_signal(signal.SIGINT)
    watch.communicate()
    assert "watched at" not in on_a_terminal(folder, "run", "small")


@pytest.mark.slow
def test_a_trial_that_is_stopped_while_it_trains_is_left_out_and_the_report_says_so(
    tmp_path: Path, blobs_file: Path
) -> None:
    two = MANY.replace("dropout = [0.0, 0.1, 0.2, 0.3]", "dropout = 0.0").replace(
        "learning_rate = [0.001, 0.002, 0.005, 0.01, 0.02]", "learning_rate = 0.01"
    )
    folder = make_project(tmp_path / "stopped", blobs_file, two)
    main = start(folder, "run", "small", "--epochs", "400", "--workers", "1")
    progress = folder / "runs" / "progress"

    def under_way() -> list[str]:
        return [path.stem for path in progress.glob("[0-9a-f]*.json")]

    wait_for(lambda: bool(under_way()) or main.poll() is not None)
    (trial,) = under_way()
    with Ledger(folder / "runs" / "ledger.sqlite") as ledger:
        ledger.ask("small", Request("stop", trial))
    _, errors = main.communicate(timeout=600)
    assert main.poll() == 0, errors
    assert f"by hand: trial {trial} stopped while it was trained, after 0 recorded trials" in errors
    with Ledger(folder / "runs" / "ledger.sqlite") as ledger:
        assert ledger.get(trial) is None
        assert len(ledger.search_trials("small")) == 2  # the other one, and its retraining
    report = (folder / "reports" / "small" / "report.md").read_text()
    assert f"trial {trial} stopped while it was trained" in report
    plan = tuner(folder, "plan", "small", "--epochs", "400", "--json")
    assert [part["to_train"] for part in json.loads(plan.stdout)["parts"]] == [0], plan.stdout


#: 24 short trials that are drawn at random and share a compiled step.
AT_RANDOM = (
    SEARCH[: SEARCH.index("[[search]]")].replace("repeats = 2", "repeats = 1").replace("epochs = 3", "epochs = 1")
    + """
[[search]]
family = "ann"
algorithm = "random"
max_trials = 24
[search.space]
dense_units = 4
dropout = [0.1, 0.2, 0.3, 0.4, 0.5]
learning_rate = { min = 0.001, max = 0.02, sampling = "log" }
"""
)
ADDED = {"dropout": 0.1, "learning_rate": 0.01}
#: What is asked in each life of a run, which is killed after the last of it was decided.
LIVES = [["max_trials"], ["skip"], ["add"], ["pause"], ["pause", "resume"]]
#: Trials of which somebody may stop one while it is trained.
LONG = AT_RANDOM.replace("max_trials = 24", "max_trials = 3").replace("epochs = 1", "epochs = 60")


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory, blobs_file: Path) -> Path:
    """A project whose search was killed when two trials were recorded; tests copy it."""
    folder = make_project(tmp_path_factory.mktemp("begun") / "project", blobs_file, AT_RANDOM)
    main = start(folder, "run", "small", "--workers", "1")
    wait_for(lambda: recorded(folder) >= 2 or main.poll() is not None)
    main.kill()
    main.communicate()
    return folder


def post(address: str, request: dict[str, object]) -> int:
    """Ask as the page does; returns the status of the answer."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
    headers = {"Origin": f"http://{parts.netloc}", "Content-Type": "application/json"}
    connection.request("POST", f"{parts.path}ask", body=json.dumps(request), headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


def ask_held_up(main: Command, folder: Path, address: str, what: str) -> bool:
    """Ask a run that stands still meanwhile, so that nothing comes between; return whether it was asked."""
    holder = folder / "runs" / "locks" / "small.holder"
    if not holder.exists() or holder.read_text() != str(main.pid):
        return False
    main.send_signal(signal.SIGSTOP)
    try:
        for _ in range(100):
            request = asked(folder, what) if may_write(folder) else None
            if request is None:
                return False
            if post(address, request) == http.HTTPStatus.NO_CONTENT:
                return True
            time.sleep(0.1)  # until the watch has seen that somebody runs it
        return False
    finally:
        main.send_signal(signal.SIGCONT)


def may_write(folder: Path) -> bool:
    """Whether nobody is writing into the ledger, as a process may that stands still."""
    try:
        with contextlib.closing(sqlite3.connect(folder / "runs" / "ledger.sqlite", timeout=0)) as database:
            database.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return False
    return True


def asked(folder: Path, what: str) -> dict[str, object] | None:
    """Return what is asked for a kind of request; None as long as there is no trial that it could be about."""
    if what == "stop":
        return next(({"what": what, "trial": path.stem} for path in folder.glob("runs/progress/[0-9a-f]*.json")), None)
    if what == "skip":
        with Ledger(folder / "runs" / "ledger.sqlite") as ledger:
            waits = [
                one.trial
                for one, record in ledger.all_search_trials("small")
                if record is None and one.role == "search"
            ]
        return {"what": what, "trial": waits[-1]} if waits else None
    about: dict[str, dict[str, object]] = {
        "add": {"model": "ann", "values": ADDED},
        "max_trials": {"model": "ann", "max_trials": 20},
    }
    return {"what": what, **about.get(what, {})}


def granted(folder: Path) -> list[Decision]:
    with Ledger(folder / "runs" / "ledger.sqlite") as ledger:
        return [one for one in ledger.decisions("small") if not one.refused]


def live(folder: Path, lives: list[list[str]]) -> list[Decision]:
    """Run a watched search once for each life, kill it when what is asked in it was decided, and return all of that."""
    watch = start(folder, "watch", "small", "--control")
    wait_for(lambda: watch.output_so_far().endswith("/small/\n"))
    address = watch.output_so_far().removeprefix("watch: ").strip()
    for life in lives:
        main = start(folder, "run", "small", "--workers", "1")
        for one in life:
            before = len(granted(folder)) if recorded(folder) else 0

            def decided(one: str = one, before: int = before, main: Command = main) -> bool:
                """Ask, again where that was too late for a trial, until something comes of it."""
                if not ask_held_up(main, folder, address, one):
                    assert main.poll() is None
                    return False
                with Ledger(folder / "runs" / "ledger.sqlite") as ledger:
                    wait_for(lambda: not ledger.requests("small"))
                return len(granted(folder)) > before

            wait_for(decided)
        assert main.poll() is None
        main.kill()
        main.communicate()
    watch.kill()
    watch.communicate()
    decisions = granted(folder)
    assert [one.what for one in decisions] == [one for life in lives for one in life]
    return decisions


def end(folder: Path, decisions: list[Decision]) -> list[dict[str, object]]:
    """Let a killed search come to its end; return its trials, which are those of one that nobody killed."""
    other = folder.with_name("uninterrupted")
    shutil.copytree(folder, other)
    with sqlite3.connect(other / "runs" / "ledger.sqlite") as database:
        database.execute("DELETE FROM trials")
        database.execute("DELETE FROM members")
    for one in (folder, other):
        ended = tuner(one, "run", "small", "--workers", "1")
        assert ended.returncode == 0, ended.stderr
        assert granted(one) == decisions
    found = trials(folder)
    assert found == trials(other)
    out = {one.trial for one in decisions if one.trial}
    assert not [one for one in found if one["trial"] in out]
    return found


@pytest.mark.slow
def test_what_is_asked_survives_a_kill_right_after_it_and_is_told_wherever_trials_are(
    tmp_path: Path, begun: Path
) -> None:
    folder = Path(shutil.copytree(begun, tmp_path / "killed"))
    decisions = live(folder, LIVES)
    row = next(line for line in tuner(folder, "list").stdout.splitlines() if line.startswith("small"))
    assert "  21  " in row  # 20 and the one added, of which the search file knows nothing; one is skipped
    found = end(folder, decisions)
    assert len(found) == 20  # as many as max_trials says without the one skipped, and the one added
    fewer, skipped, more, *_ = decisions
    (trial,) = [change.trial for change in more.changes]
    assert [one for one in found if one["trial"] == trial and ADDED.items() <= one.items()]
    told = [
        f"max_trials of ann changed from 24 to 20 after {fewer.after} recorded trials",
        f"dropout 0.1, learning_rate 0.01 added to ann as trial {trial} after {more.after} recorded trials",
    ]
    printed = " ".join(tuner(folder, "results", "small").stdout.split())
    report = (folder / "reports" / "small" / "report.md").read_text()
    assert all(f"By hand: {line}." in printed for line in told)
    (row,) = [line for line in report.splitlines() if line.startswith("| decided by hand")]
    told.append(f"trial {skipped.trial} skipped after {skipped.after} recorded trials")
    assert [line for line in told if line not in row] == [], row
    plan = json.loads(tuner(folder, "plan", "small", "--json").stdout)
    assert [(part["configurations"], part["recorded"], part["to_train"]) for part in plan["parts"]] == [(21, 20, 0)]


@pytest.mark.slow
def test_one_killed_right_after_it_was_asked_for_its_report_has_the_trials_of_that_moment(
    tmp_path: Path, begun: Path
) -> None:
    folder = Path(shutil.copytree(begun, tmp_path / "killed"))
    assert len(end(folder, live(folder, [["report"]]))) < 24


@pytest.mark.slow
def test_one_killed_right_after_it_was_asked_to_stop_a_trial_goes_on_without_it(
    tmp_path: Path, blobs_file: Path
) -> None:
    folder = make_project(tmp_path / "killed", blobs_file, LONG)
    assert len(end(folder, live(folder, [["stop"]]))) == 2
