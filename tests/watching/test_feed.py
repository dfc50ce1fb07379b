"""What is told to those who watch: every row once, whatever happens to the run, and nothing is written meanwhile."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from made_up import Project, first

from tuner.datasets.base import Dataset
from tuner.ledger.ledger import Ledger
from tuner.running.status import Status, StatusFile
from tuner.trial import Attempt, Job, Record, Result, Trial
from tuner.watching.feed import Feed
from tuner.watching.serve import events
from tuner.worker.progress import Progress


@pytest.fixture
def made(tmp_path: Path, blobs: Dataset) -> Iterator[Project]:
    made = Project(tmp_path, blobs)
    yield made
    made.ledger.close()


def feed_of(made: Project) -> Feed:
    return Feed("small", made.search, made.workspace)


def told(feed: Feed, epoch: str = "", number: int = 0) -> list[tuple[str, str, dict[str, object]]]:
    """Return what a page that connects now is sent before it has to wait: id, kind and data of each event."""
    found = []
    for event in events(feed, epoch, number):
        fields = dict(line.split(": ", 1) for line in event.decode().strip().splitlines())
        found.append((fields.get("id", ""), fields["event"], json.loads(fields["data"])))
        if fields["event"] == "state":
            break
    return found


def keys(sent: list[tuple[str, str, dict[str, object]]]) -> list[str]:
    return [row["key"] for _, kind, data in sent if kind == "rows" for row in data["rows"]]  # type: ignore[attr-defined]


def test_a_search_that_has_not_begun_is_told_so_and_its_rows_come_when_it_runs(tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path / "other", blobs)
    feed = Feed("small", made.search, replace(made.workspace, runs=tmp_path / "runs"))
    feed.look()
    assert feed.told.state["what"] == "not begun"
    assert not (tmp_path / "runs").exists()
    made.ledger.close()
    (tmp_path / "other" / "runs").rename(tmp_path / "runs")
    feed.look()
    with Ledger(tmp_path / "runs" / "ledger.sqlite") as ledger:
        made.ledger = ledger
        made.searched("ann", [0.5])
    feed.look()
    assert feed.told.state["what"] == "stopped"
    assert [(row["model"], row["score"]) for row in feed.told.rows] == [("ANN", 0.5)]


def test_what_was_there_when_the_watch_began_is_followed_too(made: Project) -> None:
    made.searched("ann", [0.5])
    feed = feed_of(made)
    feed.look()  # as the command does, so that a page that connects at once is told all
    seen = feed.told
    assert len(seen.rows) == 1
    feed.start()
    made.searched("cnn", [0.7])
    while len(seen.rows) < 2:
        following = feed.wait(seen, 60)
        assert following not in (None, seen), "what was recorded later is never told"
        assert following is not None
        seen = following
    feed.end()
    assert [row["model"] for row in seen.rows] == ["ANN", "CNN"]


def test_who_is_cut_off_gets_what_came_after_the_last_row_and_no_row_twice(made: Project) -> None:
    feed = feed_of(made)
    made.searched("ann", [0.5, 0.6])
    feed.look()
    sent = told(feed)
    assert [kind for _, kind, _ in sent] == ["reset", "rows", "state"]
    name = sent[1][0]
    epoch, _, number = name.partition(".")
    assert number == "2"
    made.searched("cnn", [0.7, None])
    feed.look()
    later = told(feed, epoch, int(number))
    assert [kind for _, kind, _ in later] == ["rows", "state"]
    assert len(keys(sent)) == len(keys(later)) == 2
    assert set(keys(sent)).isdisjoint(keys(later))
    failed = next(row for row in feed.told.rows if row["status"] == "failed")
    assert failed["error"] == "it | <broke>"
    assert failed["settings"]


def test_a_list_that_begins_anew_is_told_anew(made: Project) -> None:
    feed = feed_of(made)
    trials = made.searched("ann", [0.5, 0.6])
    feed.look()
    epoch = feed.told.epoch
    made.ledger.forget_trial(trials[0].id)  # as --fresh does
    feed.look()
    assert feed.told.epoch != epoch
    assert [row["trial"] for row in feed.told.rows] == [trials[1].id]
    sent = told(feed, epoch, 2)
    assert [kind for _, kind, _ in sent] == ["reset", "rows", "state"]
    assert told(feed, feed.told.epoch, 7)[0][1] == "reset"  # more than there are: of another list


def test_what_was_trained_again_between_two_looks_has_its_new_row(made: Project) -> None:
    feed = feed_of(made)
    trials = made.searched("ann", [0.5, 0.6])
    feed.look()
    epoch = feed.told.epoch
    made.ledger.forget_trial(trials[0].id)
    made.ledger.record(Record(trials[0], Result("failed", "no room", seconds=1.0)), Attempt.of(1.0, 1))
    feed.look()
    assert feed.told.epoch != epoch
    assert [(row["trial"], row["error"]) for row in feed.told.rows] == [(trials[1].id, ""), (trials[0].id, "no room")]


def test_a_row_is_told_once_however_often_is_looked(made: Project) -> None:
    feed = feed_of(made)
    made.searched("ann", [0.5, 0.6])
    for _ in range(3):
        feed.look()
    before = feed.told
    feed.look()
    assert feed.told is before
    assert [row["number"] for row in before.rows] == [1, 2]


def test_scores_of_retrainings_are_told_to_nobody(made: Project) -> None:
    ann = made.searched("ann", [0.5])
    made.retrained("ann", ann[0], [first(30)])
    feed = feed_of(made)
    feed.look()
    final = next(row for row in feed.told.rows if row["role"] == "final")
    assert final["score"] is None
    assert "0.666" not in json.dumps(final)


def test_a_reader_keeps_nobody_from_writing_and_changes_nothing(made: Project) -> None:
    made.searched("ann", [0.5])
    feed = feed_of(made)
    feed.look()
    made.ledger._db.execute("BEGIN IMMEDIATE")  # as a run does for each trial
    feed.look()
    made.ledger._db.execute("ROLLBACK")
    assert len(feed.told.rows) == 1
    assert not (made.workspace.runs / "progress").exists()


def runs_now(made: Project) -> None:
    folder = made.workspace.runs / "locks"
    folder.mkdir(exist_ok=True)
    (folder / "small.holder").write_text(str(os.getpid()))


def listed(made: Project) -> Trial:
    """Return a trial that the search lists and nobody has recorded."""
    (trial, *_) = made.searched("ann", [0.5, 0.6])
    made.ledger.forget_trial(trial.id)
    return trial


class TestWhileItRuns:
    def test_trainings_under_way_are_told_with_worker_epoch_and_curve(
        self, made: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TUNER_WORKER", "2")
        runs_now(made)
        trial = listed(made)
        feed = feed_of(made)
        with Progress(Job(trial, Path(), made.workspace.artifacts)) as progress:
            progress._told = 0.0  # as if the first epoch had taken a second
            progress.tell({"val_accuracy": [0.25, 0.5], "loss": [2.0, 1.0]}, "val_accuracy")
            feed.look()
            assert feed.told.state["what"] == "running"
            (one,) = feed.told.state["running"]
            assert (one["trial"], one["worker"], one["epoch"], one["epochs"]) == (trial.id, 2, 2, 3)
            assert (one["column"], one["curve"]) == ("val_accuracy", [[1, 0.25], [2, 0.5]])
        feed.look()
        assert feed.told.state["running"] == []

    def test_what_a_killed_worker_or_another_search_left_is_not_told(self, made: Project) -> None:
        runs_now(made)
        trial = listed(made)
        left = Progress(Job(trial, Path(), made.workspace.artifacts))
        left.tell({}, "")
        other = Progress(Job(replace(trial, seed=77), Path(), made.workspace.artifacts))
        other.tell({}, "")
        path = made.workspace.progress / f"{trial.id}.json"
        feed = feed_of(made)
        feed.look()
        assert [one["trial"] for one in feed.told.state["running"]] == [trial.id]
        os.utime(path, (0, 0))  # long before this run began
        feed.look()
        assert feed.told.state["running"] == []
        path.write_text("{")
        feed.look()
        assert feed.told.state["running"] == []

    def test_the_run_says_how_much_is_left(self, made: Project) -> None:
        runs_now(made)
        status = StatusFile(made.workspace.progress, "small")
        made.searched("ann", [0.5])
        since = (made.workspace.runs / "locks" / "small.holder").stat().st_mtime
        status.tell(Status("search", 7, 1, 0, 0, 2, (60.0, 90.0), since + 1))
        feed = feed_of(made)
        feed.look()
        state = feed.told.state
        assert (state["done"], state["total"], state["places"], state["left"]) == (1, 7, 2, [60.0, 90.0])
        (made.workspace.runs / "locks" / "small.holder").write_text("999999999")  # nobody's number: it was killed
        feed.look()
        assert feed.told.state["what"] == "stopped"
        assert feed.told.state["left"] is None


def test_the_end_of_a_search_is_told(made: Project) -> None:
    made.searched("ann", [0.5])
    feed = feed_of(made)
    feed.look()
    assert feed.told.state["what"] == "stopped"
    made.ledger.close_search("small")
    feed.look()
    assert feed.told.state["what"] == "finished"


def test_what_is_no_ledger_of_ours_is_said_and_looked_at_again(made: Project) -> None:
    made.searched("ann", [0.5])
    feed = feed_of(made)
    feed.look()
    made.ledger._db.execute("PRAGMA user_version = 5")
    feed._forget()
    feed.look()
    assert "is a ledger of version 5" in str(feed.told.state["problem"])
    assert len(feed.told.rows) == 1
    made.ledger._db.execute("PRAGMA user_version = 6")
    feed.look()
    assert feed.told.state["problem"] == ""


def test_a_waiting_page_is_woken_by_what_is_new_and_by_the_end(made: Project) -> None:
    feed = feed_of(made)
    feed.look()
    stream = events(feed, "", 0)
    assert [event.split(b"\n")[-4] for event in islice(stream, 1)] == [b"event: reset"]
    before = feed.told
    made.searched("ann", [0.5])
    feed.look()
    now = feed.wait(before, 60.0)
    assert now is not None
    assert len(now.rows) == 1
    feed.end()
    assert feed.wait(now, 60.0) is None
