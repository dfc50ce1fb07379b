"""A search that prunes, from the command line: killed, resumed, with any number of workers it is the same."""

from __future__ import annotations

import csv
import json
import sqlite3
from pathlib import Path

import pytest
from small_project import ONE_TRIAL, make_project, run_and_kill, trials, tuner

pytestmark = pytest.mark.slow

PRUNED = (
    ONE_TRIAL.replace("epochs = 1", "epochs = 9")
    .replace('family = "ann"', 'family = "ann"\nalgorithm = "random"\nmax_trials = 9\nprune = "halving"')
    .replace("dense_units = 4", "dense_units = { min = 2, max = 64 }\ndropout = [0.0, 0.3]")
)


def trained(folder: Path) -> list[tuple[str, str]]:
    """Return the name and the curves of every training that the ledger holds."""
    with sqlite3.connect(folder / "runs" / "ledger.sqlite") as db:
        return sorted(db.execute("SELECT trial, history FROM trials").fetchall())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, blobs_file: Path) -> Path:
    folder = make_project(tmp_path_factory.mktemp("pruned") / "p", blobs_file, PRUNED)
    ran = tuner(folder, "run", "small", "--workers", "1")
    assert ran.returncode == 0, ran.stderr
    return folder


def test_tables_tell_how_far_each_trial_went_and_why_it_stopped(finished: Path) -> None:
    rows = trials(finished)
    assert len(rows) == 9
    assert {row["epochs"] for row in rows} == {1, 3, 9}
    for row in rows:
        assert row["stopped"] == ("" if row["epochs"] == 9 else "pruned")
        assert row["epochs_trained"] == row["epochs"]
        assert row["status"] == "completed"
    (chosen,) = [row for row in rows if row["retrained_mean"] is not None]
    assert chosen["epochs"] == 9
    whole = [row for row in rows if row["epochs"] == 9]
    assert chosen["val_accuracy"] == max(row["val_accuracy"] for row in whole)  # type: ignore[type-var]
    shown = tuner(finished, "results", "small").stdout
    assert "pruned at 1 of 9" in shown
    assert "pruned at 3 of 9" in shown
    report = (finished / "reports" / "small" / "report.md").read_text()
    assert "up to 9 epochs" in report
    assert "Pruned by successive halving, about one of 3 going on from each rung: 9 were trained to epoch 1" in report
    with (finished / "reports" / "small" / "trials.csv").open() as file:
        assert {row["stopped"] for row in csv.DictReader(file)} == {"", "pruned"}
    listed = tuner(finished, "list").stdout
    assert " 9 " in next(line for line in listed.splitlines() if "small" in line)


def test_no_epoch_is_trained_twice_and_nothing_is_left_over(finished: Path) -> None:
    folder = finished / "runs" / "checkpoints"
    assert list(folder.iterdir()) == []
    before = trained(finished)
    assert tuner(finished, "run", "small").returncode == 0
    assert trained(finished) == before
    by_length = {len(json.loads(history)["loss"]) for _, history in before}
    assert by_length == {1, 3, 9}
    for _, history in before:
        assert len({len(curve) for curve in json.loads(history).values()}) == 1


def test_killed_again_and_again_it_is_the_search_that_was_not(finished: Path, tmp_path: Path, blobs_file: Path) -> None:
    folder = make_project(tmp_path / "p", blobs_file, PRUNED)
    run_and_kill(folder, (3, 8))
    ran = tuner(folder, "run", "small", "--workers", "3")
    assert ran.returncode == 0, ran.stderr
    assert trained(folder) == trained(finished)
    without = {"seconds"}
    assert [{k: v for k, v in row.items() if k not in without} for row in trials(folder)] == trials(finished)
    assert list((folder / "runs" / "checkpoints").iterdir()) == []
