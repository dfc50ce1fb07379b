"""The timeline: rows as few as the trials need, pauses cut out, what ran before the search left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from made_up import Project

from tuner.datasets.base import Dataset
from tuner.findings import Findings
from tuner.page.clock import timeline


def ran(tmp_path: Path, blobs: Dataset, spans: list[tuple[float, float]], began: int = 0) -> Findings:
    """Return a search that began so many seconds after midnight, with trials that began and ended at these."""
    made = Project(tmp_path, blobs)
    trials = made.searched("cnn", [0.5] * len(spans))
    findings = made.findings()
    ended = {t.id: _clock(end) for t, (_, end) in zip(trials, spans, strict=True)}
    took = {t.id: end - begin for t, (begin, end) in zip(trials, spans, strict=True)}
    members = tuple((m, replace(r, result=replace(r.result, seconds=took[m.trial]))) for m, r in findings.members)
    return replace(findings, members=members, began=_clock(began), ended=ended)


def _clock(seconds: float) -> str:
    return f"2026-01-01T00:00:{int(seconds):02}+00:00"


def test_trials_side_by_side_have_rows_of_their_own_and_later_ones_these_again(tmp_path: Path, blobs: Dataset) -> None:
    found = timeline(ran(tmp_path, blobs, [(0, 10), (0, 4), (4, 9)]))
    assert found["rows"] == 2
    assert sorted(bar[:3] for bar in found["bars"]) == [[0, 0, 4], [0, 4, 9], [1, 0, 10]]


def test_a_trial_that_seems_to_begin_before_the_last_has_ended_is_put_behind_it(tmp_path: Path, blobs: Dataset) -> None:
    """It ended within the second that is noted: the trial before it may have begun up to so much later."""
    found = timeline(ran(tmp_path, blobs, [(0, 10), (9.4, 15)]))
    assert found["rows"] == 1
    assert [bar[1:3] for bar in found["bars"]] == [[0, 10], [10, 15.6]]


def test_a_long_pause_is_cut_out_and_told(tmp_path: Path, blobs: Dataset) -> None:
    found = timeline(ran(tmp_path, blobs, [(0, 10), (49, 59)]))
    assert [bar[1:3] for bar in found["bars"]] == [[0, 10], [10.4, 20.4]]
    assert found["pauses"] == [[10.2, 39]]


def test_what_was_trained_before_the_search_began_is_counted_and_left_out(tmp_path: Path, blobs: Dataset) -> None:
    found = timeline(ran(tmp_path, blobs, [(0, 10), (20, 40)], began=20))
    assert found["earlier"] == 1
    assert [bar[1:3] for bar in found["bars"]] == [[0, pytest.approx(20)]]
