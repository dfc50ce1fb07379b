"""The timeline: a row for each worker, pauses cut out, what ran before the search or nobody knows where left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from made_up import Project

from tuner.analysis.findings import Findings
from tuner.analysis.timeline import Timeline
from tuner.datasets.base import Dataset
from tuner.trial import Attempt


def ran(tmp_path: Path, blobs: Dataset, attempts: list[Attempt], began: float = 0) -> Findings:
    """Return a search that began at a time, with trials that ran then and there."""
    made = Project(tmp_path, blobs)
    trials = made.searched("cnn", [0.5] * len(attempts))
    known = {trial.id: attempt for trial, attempt in zip(trials, attempts, strict=True)}
    return replace(made.findings(), began=began, attempts=known)


def test_each_worker_has_a_row(tmp_path: Path, blobs: Dataset) -> None:
    found = Timeline.of(ran(tmp_path, blobs, [Attempt(0, 10, 2), Attempt(0, 4, 1), Attempt(4.5, 9.25, 1)])).as_json()
    assert found["rows"] == [["", 1], ["", 2]]
    assert sorted(bar[:3] for bar in found["bars"]) == [[0, 0, 4], [0, 4.5, 9.25], [1, 0, 10]]


def test_workers_stand_by_their_machines(tmp_path: Path, blobs: Dataset) -> None:
    here = [Attempt(0, 1, worker, node) for node, worker in (("b", 1), ("a", 10), ("a", 2))]
    found = Timeline.of(ran(tmp_path, blobs, here)).as_json()
    assert found["rows"] == [["a", 2], ["a", 10], ["b", 1]]


def test_a_long_pause_is_cut_out_and_told(tmp_path: Path, blobs: Dataset) -> None:
    found = Timeline.of(ran(tmp_path, blobs, [Attempt(0, 10, 1), Attempt(49, 59, 1)])).as_json()
    assert [bar[1:3] for bar in found["bars"]] == [[0, 10], [10.4, 20.4]]
    assert found["pauses"] == [[10.2, 39]]


def test_what_was_trained_before_the_search_began_is_counted_and_left_out(tmp_path: Path, blobs: Dataset) -> None:
    found = Timeline.of(ran(tmp_path, blobs, [Attempt(0, 10, 1), Attempt(20, 40, 1)], began=20)).as_json()
    assert (found["earlier"], found["unplaced"]) == (1, 0)
    assert [bar[1:3] for bar in found["bars"]] == [[0, pytest.approx(20)]]


def test_a_trial_of_which_no_worker_is_known_is_counted_and_left_out(tmp_path: Path, blobs: Dataset) -> None:
    found = Timeline.of(ran(tmp_path, blobs, [Attempt(0, 10, 1), Attempt(20, 40)])).as_json()
    assert (found["earlier"], found["unplaced"]) == (0, 1)
    assert [bar[1:3] for bar in found["bars"]] == [[0, 10]]
