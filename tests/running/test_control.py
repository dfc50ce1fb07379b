"""What is asked of a run: decided once, written down, and the same search whatever was killed before or after."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from observers import Silent
from rich.console import Console
from test_loop import CrashError, SimulatedExecutor, proposals, table

from tuner.errors import InputError
from tuner.executors import Outcome
from tuner.ledger.events import in_force, limits_of
from tuner.ledger.ledger import Ledger
from tuner.ledger.requests import Decision, Request
from tuner.running.control import Control
from tuner.running.loop import Runner
from tuner.search_file.model import Search
from tuner.trial import Job

#: Of a search, what decisions ask: how its model is called.
SEARCH = cast(
    Search,
    SimpleNamespace(name="s", model_search=lambda name: SimpleNamespace(label="CNN")),
)
ALGORITHMS = ("grid", "random", "bayesian", "hyperband", "tpe", "random, pruned", "bayesian, with folds")
#: What somebody asks, by how many trials have finished: of the trial under way, of one that waits, or of the run.
SCRIPT = {1: "skip", 2: "stop", 3: "pause", 5: "skip"}


class User(SimulatedExecutor):
    """An executor whose trials are watched by somebody who asks at certain counts of finished trials.

    It crashes the loop when it has asked so many times in this life, after so many results, or never.
    """

    def __init__(
        self, path: Path, script: dict[int, str], crash_at_request: int | None = None, crash_after: int | None = None
    ) -> None:
        super().__init__(1, random.Random(0), crash_after)  # noqa: S311
        self._path, self._script, self._crash_at_request = path, script, crash_at_request
        self.ended: list[str] = []

    def wait(self, timeout: float | None = None) -> Sequence[Outcome]:
        if self._asks():
            return []
        return super().wait(timeout)

    def end(self, key: str) -> bool:
        del self._calls[key]
        self.ended.append(key)
        return True

    def _asks(self) -> bool:
        """Ask what is due and was not asked before, as another process does; return whether there was anything."""
        with Ledger(self._path) as ledger:
            by_me = "SELECT count(*) FROM events WHERE kind = 'asked' AND content NOT LIKE '%resume%'"
            asked = ledger._db.execute(by_me).fetchone()[0]
            due = [(count, what) for count, what in sorted(self._script.items()) if count <= ledger.count_finished("s")]
            new = due[asked:]
            for _, what in new[:1]:
                ledger.ask("s", Request(what, self._about(ledger, what)))  # type: ignore[arg-type]
        if new and self._crash_at_request == asked:
            raise CrashError
        return bool(new)

    def _about(self, ledger: Ledger, what: str) -> str:
        if what not in ("stop", "skip"):
            return ""
        under_way = sorted({job.trial.id if not job.trial.fold else whole(job) for job in self._calls.values()})
        if what == "stop":
            return under_way[0]
        waiting = [one.trial for one, record in ledger.all_search_trials("s") if record is None]
        return next((trial for trial in reversed(waiting) if trial not in under_way), under_way[0])


def whole(job: Job) -> str:
    return replace(job.trial, fold=0).id


def run(path: Path, algorithm: str, executor: SimulatedExecutor) -> Silent:
    """Run a search as `StartedSearch.search_trials` does, going on from what the ledger holds."""
    observer = Silent()
    with Ledger(path) as ledger:
        ledger.open_search("s", "key", "{}")
        control = Control(SEARCH, ledger, Console(quiet=True))
        most = limits_of(ledger.events("s")).get(("cnn", "blobs"))
        runner = Runner("s", ledger, executor, lambda t: Job(t, Path(), Path()), observer, control=control)
        runner.drive("search", [proposals(algorithm, most=most, left_out=control.left_out)], None)
    return observer


def resumed_by_the_user(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a run that is paused and trains nothing be asked to go on, where it would wait for ever."""

    def sleep(seconds: float) -> None:
        with Ledger(path) as ledger:
            ledger.ask("s", Request("resume"))

    monkeypatch.setattr("tuner.running.loop.time", SimpleNamespace(sleep=sleep))


def decided(path: Path) -> list[tuple[str, str, bool]]:
    with Ledger(path) as ledger:
        return [(one.what, one.trial, bool(one.refused)) for one in ledger.decisions("s")]


def of_trials(path: Path) -> list[tuple[str, str, bool]]:
    return [one for one in decided(path) if one[1]]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
class TestAnyAlgorithm:
    def test_a_kill_after_each_request_and_each_decision_gives_the_search_without_a_kill(
        self, algorithm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        resumed_by_the_user(tmp_path / "whole", monkeypatch)
        run(tmp_path / "whole", algorithm, User(tmp_path / "whole", SCRIPT))
        assert [what for what, _, refused in decided(tmp_path / "whole") if not refused][:2] == ["skip", "stop"]
        resumed_by_the_user(tmp_path / "killed", monkeypatch)
        decide = Ledger.decide
        kills = 0
        for life in range(40):
            crash_at = life if life < 4 else None  # right after it asked, before anything is decided

            def decide_and_die(self: Ledger, *arguments: Any, dies: bool = life % 2 == 1) -> None:
                decide(self, *arguments)
                if dies:
                    raise CrashError

            monkeypatch.setattr(Ledger, "decide", decide_and_die)
            try:
                run(tmp_path / "killed", algorithm, User(tmp_path / "killed", SCRIPT, crash_at))
                break
            except CrashError:
                kills += 1
        else:
            pytest.fail("the search never ended")
        assert kills >= 4
        assert of_trials(tmp_path / "killed") == of_trials(tmp_path / "whole")
        assert table(tmp_path / "killed") == table(tmp_path / "whole")

    def test_what_is_left_out_stands_in_no_table_and_is_never_trained(
        self, algorithm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        resumed_by_the_user(tmp_path / "l", monkeypatch)
        user = User(tmp_path / "l", SCRIPT)
        observer = run(tmp_path / "l", algorithm, user)
        left_out = {trial for what, trial, refused in decided(tmp_path / "l") if trial and not refused}
        assert left_out
        assert user.ended  # the one that was under way
        assert observer.without
        with Ledger(tmp_path / "l") as ledger:
            listed = {one.trial for one, _ in ledger.all_search_trials("s")}
            assert not listed & left_out
            assert not [trial for trial in left_out if ledger.get(trial)]
        again = SimulatedExecutor(3, random.Random(1))  # noqa: S311
        run(tmp_path / "l", algorithm, again)
        assert again.trained == []

    def test_an_end_by_hand_holds_whatever_is_killed_after_it(
        self, algorithm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        script = {7: "report"}
        run(tmp_path / "whole", algorithm, User(tmp_path / "whole", script))
        with Ledger(tmp_path / "whole") as ledger:
            ended = in_force(ledger.events("s"))
            (decision,) = ledger.decisions("s")
        assert ended is not None
        assert ended.by_hand
        assert decision.what == "report"
        assert decision.refused == ""
        with pytest.raises(CrashError):
            run(tmp_path / "killed", algorithm, User(tmp_path / "killed", script, crash_at_request=0))
        run(tmp_path / "killed", algorithm, User(tmp_path / "killed", script))
        if algorithm != "random, pruned":  # where the best go on to the last epoch, as after hours
            assert table(tmp_path / "killed") == table(tmp_path / "whole")
        for path in (tmp_path / "whole", tmp_path / "killed"):
            run(path, algorithm, SimulatedExecutor(2, random.Random(0)))  # noqa: S311  # which goes on to its end
        assert table(tmp_path / "killed") == table(tmp_path / "whole")
        with Ledger(tmp_path / "whole") as ledger:
            assert all(record is not None for _, record in ledger.all_search_trials("s"))
            assert not {one.trial for one, _ in ledger.all_search_trials("s")} & set(ended.left_out)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_kill_right_after_an_end_by_hand_was_decided_ends_the_search_there(
    algorithm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = {7: "report"}
    run(tmp_path / "whole", algorithm, User(tmp_path / "whole", script))
    decide = Ledger.decide

    def decide_and_die(self: Ledger, *arguments: Any) -> None:
        decide(self, *arguments)
        raise CrashError

    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "decide", decide_and_die)
        with pytest.raises(CrashError):
            run(tmp_path / "killed", algorithm, User(tmp_path / "killed", script))
    with Ledger(tmp_path / "killed") as ledger:
        ended = in_force(ledger.events("s"))
        assert ended is not None
        left_out = set(ended.left_out)
    again = SimulatedExecutor(1, random.Random(0))  # noqa: S311
    run(tmp_path / "killed", algorithm, again)
    assert not set(again.trained) & left_out
    assert decided(tmp_path / "killed") == decided(tmp_path / "whole") == [("report", "", False)]
    with Ledger(tmp_path / "whole") as one, Ledger(tmp_path / "killed") as other:
        ends = [[replace(event, at=0.0) for event in ledger.events("s")] for ledger in (one, other)]
    assert ends[0] == ends[1]
    if algorithm != "random, pruned":  # where the best go on to the last epoch, as after hours
        assert table(tmp_path / "killed") == table(tmp_path / "whole")


def test_a_paused_run_begins_nothing_until_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "l"
    slept: list[int] = []
    user = User(path, {2: "pause"})

    def sleep(seconds: float) -> None:
        slept.append(len(user.trained))
        if len(slept) == 5:
            with Ledger(path) as ledger:
                ledger.ask("s", Request("resume"))

    monkeypatch.setattr("tuner.running.loop.time", SimpleNamespace(sleep=sleep))
    run(path, "grid", user)
    assert len(slept) == 5
    assert set(slept) == {3}  # the one that was under way ended
    assert [what for what, _, _ in decided(path)] == ["pause", "resume"]


def test_a_pause_that_a_run_did_not_hear_is_not_the_next_ones(tmp_path: Path) -> None:
    path = tmp_path / "l"
    with Ledger(path) as ledger:
        ledger.open_search("s", "key", "{}")
        ledger.ask("s", Request("pause"))
    run(path, "grid", SimulatedExecutor(2, random.Random(0)))  # noqa: S311
    assert decided(path) == [("pause", "", True)]


def refusals(path: Path) -> Collection[str]:
    with Ledger(path) as ledger:
        return [one.refused for one in ledger.decisions("s")]


def test_what_cannot_be_done_is_refused_and_why_is_written(tmp_path: Path) -> None:
    path = tmp_path / "l"
    run(path, "grid", User(path, {0: "report"}))
    assert refusals(path) == ["no trial of CNN on blobs has completed yet"]
    with Ledger(path) as ledger:
        ledger.ask("s", Request("stop", "0" * 16))
    run(path, "grid", SimulatedExecutor(1, random.Random(0)))  # noqa: S311
    assert refusals(path)[1:] == ["the trial had ended, or is none of the search's trials"]


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("asked", "{"),
        ("asked", '{"what": "lunch", "trial": ""}'),
        ("asked", '{"what": "stop", "trial": "../x"}'),
        ("decided", '{"what": "stop", "trial": "", "asked": -1, "after": 0, "trained": false, "refused": ""}'),
        ("decided", '{"what": "stop", "trial": ""}'),
    ],
)
def test_what_nobody_wrote_is_refused_in_one_line(tmp_path: Path, kind: str, content: str) -> None:
    with Ledger(tmp_path / "l") as ledger:
        ledger.open_search("s", "key", "{}")
        ledger._db.execute("INSERT INTO events VALUES ('s', 0, ?, '2026-01-01T00:00:00.000+00:00', ?)", (kind, content))
        with pytest.raises(InputError, match="holds what no run wrote") as refused:
            ledger.requests("s")
    assert "\n" not in str(refused.value)


def test_a_decision_and_what_follows_from_it_are_written_together(tmp_path: Path) -> None:
    path = tmp_path / "l"
    run(path, "grid", User(path, {1: "skip"}))
    with Ledger(path) as ledger:
        (decision,) = ledger.decisions("s")
        assert decision == Decision(0, "skip", decision.trial, 1)
        with pytest.raises(InputError):  # no trial's name: all of it is undone
            ledger.decide("s", Decision(1, "skip", "", 1), [object()])  # type: ignore[list-item]
        assert ledger.decisions("s") == [decision]
