"""What a worker tells of a training under way: thinned out, not too often, checked as it is read, gone at its end."""

from __future__ import annotations

import json
import math
import os
import time
from pathlib import Path

import pytest

from tuner.trial import Job, Trial
from tuner.worker.progress import FORGOTTEN, MOST_POINTS, Progress, sweep, under_way

TRIAL = Trial("ann", "blobs", "f" * 16, {"dense_units": 4}, 5000, seed=0)


def tell_at_once(progress: Progress, curve: list[float], column: str = "val_accuracy") -> None:
    progress._told = 0.0
    progress.tell({"val_accuracy": curve, "loss": curve}, column)


def test_a_long_curve_is_told_by_some_of_its_epochs_with_the_last(tmp_path: Path) -> None:
    with Progress(Job(TRIAL, Path(), tmp_path / "models")) as progress:
        (one,) = under_way(tmp_path / "progress", 0.0)
        assert (one.trial, one.epoch, one.curve, one.column) == (TRIAL, 0, (), "")
        tell_at_once(progress, [epoch / 4999 for epoch in range(4999)])
        (one,) = under_way(tmp_path / "progress", 0.0)
        assert one.epoch == 4999
        assert len(one.curve) <= MOST_POINTS + 1
        assert one.curve[0] == (1, 0.0)
        assert one.curve[-1][0] == 4999
    assert list(under_way(tmp_path / "progress", 0.0)) == []
    assert list((tmp_path / "progress").iterdir()) == []


def test_it_tells_now_and_then_and_of_what_trials_are_chosen_by(tmp_path: Path) -> None:
    with Progress(Job(TRIAL, Path(), tmp_path / "models")) as progress:
        progress._told = math.inf  # as a moment after it began
        progress.tell({"loss": [1.0]}, "loss")
        assert [one.epoch for one in under_way(tmp_path / "progress", 0.0)] == [0]
        tell_at_once(progress, [0.5], "loss")
        assert [one.column for one in under_way(tmp_path / "progress", 0.0)] == ["loss"]
        tell_at_once(progress, [0.5], "no_such_curve")
        assert [one.column for one in under_way(tmp_path / "progress", 0.0)] == ["val_accuracy"]


def test_where_it_cannot_be_written_a_training_goes_on(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "progress").symlink_to(tmp_path / "elsewhere")
    with Progress(Job(TRIAL, Path(), tmp_path / "models")) as progress:
        tell_at_once(progress, [0.5])
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("change", [{"epoch": -1}, {"curve": [[1, "x"]]}, {"more": 1}, {"trial": {}}, {"began": "now"}])
def test_what_no_worker_wrote_is_passed_over(tmp_path: Path, change: dict[str, object]) -> None:
    progress = Progress(Job(TRIAL, Path(), tmp_path / "models"))
    tell_at_once(progress, [0.5])
    path = tmp_path / "progress" / f"{TRIAL.id}.json"
    assert len(list(under_way(tmp_path / "progress", 0.0))) == 1
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    assert list(under_way(tmp_path / "progress", 0.0)) == []


def test_what_was_left_long_ago_is_swept_away(tmp_path: Path) -> None:
    tell_at_once(Progress(Job(TRIAL, Path(), tmp_path / "models")), [0.5])
    folder = tmp_path / "progress"
    (folder / "of-small.json").write_text("{}")
    sweep(folder)
    assert len(list(folder.iterdir())) == 2
    long_ago = time.time() - FORGOTTEN - 60
    for path in folder.iterdir():
        os.utime(path, (long_ago, long_ago))
    sweep(folder)
    assert list(folder.iterdir()) == []
