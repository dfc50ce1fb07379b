"""A search with folds, pruned and with early stopping, from the command line: any workers and any kill, one search."""

from __future__ import annotations

import csv
import json
import sqlite3
import statistics
from pathlib import Path

import numpy as np
import pytest
from small_project import ONE_TRIAL, make_project, run_and_kill, trials, tuner

pytestmark = pytest.mark.slow

FOLDS = (
    ONE_TRIAL.replace("epochs = 1", 'epochs = 4\nearly_stopping = "val_accuracy"\npatience = 2')
    .replace("seed = 0", "seed = 0\nfolds = 3")
    .replace(
        'family = "ann"', 'family = "ann"\nalgorithm = "random"\nmax_trials = 3\nprune = "halving"\nprune_first = 2'
    )
    .replace("dense_units = 4", "dense_units = { min = 2, max = 64 }")
)


def trained(folder: Path) -> list[tuple[str, ...]]:
    """Return the name, curves, scores of folds and files of everything that the ledger holds."""
    with sqlite3.connect(folder / "runs" / "ledger.sqlite") as db:
        return sorted(db.execute("SELECT trial, history, folds, files FROM trials").fetchall())


def answers(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (folder / "runs" / "models").glob("*.validation.npz")}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, blobs_file: Path) -> Path:
    folder = make_project(tmp_path_factory.mktemp("folds") / "p", blobs_file, FOLDS)
    ran = tuner(folder, "run", "small", "--workers", "1")
    assert ran.returncode == 0, ran.stderr
    assert "folds = 3: each trial is 3 trainings" in ran.stdout + ran.stderr
    return folder


def test_tables_show_the_mean_over_the_folds_with_its_standard_error(finished: Path) -> None:
    rows = {str(row["trial"]): row for row in trials(finished)}
    assert len(rows) == 3
    with sqlite3.connect(finished / "runs" / "ledger.sqlite") as db:
        told = db.execute("SELECT trial, content, val_accuracy FROM trials WHERE status = 'completed'").fetchall()
    parts: dict[str, list[float]] = {}
    for _, content, accuracy in told:
        trial = json.loads(content)
        if trial.pop("fold", 0):
            parts.setdefault(json.dumps(trial), []).append(accuracy)
    for name, content, accuracy in told:
        if name in rows:
            scores = parts[json.dumps(json.loads(content))]
            assert len(scores) == 3
            assert rows[name]["val_accuracy"] == accuracy == pytest.approx(statistics.fmean(scores))
            assert rows[name]["standard_error"] == pytest.approx(statistics.stdev(scores) / 3**0.5)
            assert rows[name]["folds"] == 3
    shown = tuner(finished, "results", "small").stdout
    assert "± error" in shown
    report = (finished / "reports" / "small" / "report.md").read_text()
    assert "each of 3 folds held out in turn during the search" in report
    assert "ANN was chosen on the mean of 3 folds, as the best of 3 trials." in report
    assert "A score is the mean over 3 folds, ± its standard error, s / √3" in report
    with (finished / "reports" / "small" / "trials.csv").open() as file:
        assert all(float(row["standard_error"]) >= 0 for row in csv.DictReader(file))
    assert " 3 " in next(line for line in tuner(finished, "list").stdout.splitlines() if "small" in line)


def test_nothing_of_single_folds_is_left_over_and_nothing_is_trained_again(finished: Path) -> None:
    assert list((finished / "runs" / "checkpoints").iterdir()) == []
    rows = {row["trial"] for row in trials(finished)}
    whole = {name.partition("-")[0] for name in answers(finished)}
    assert whole >= rows  # and those of trials that went on from their first rung
    before = trained(finished)
    assert tuner(finished, "run", "small").returncode == 0
    assert trained(finished) == before


def test_killed_again_and_again_it_is_the_search_that_was_not(finished: Path, tmp_path: Path, blobs_file: Path) -> None:
    folder = make_project(tmp_path / "p", blobs_file, FOLDS)
    run_and_kill(folder, (2, 8))  # in the midst of folds
    ran = tuner(folder, "run", "small", "--workers", "3")
    assert ran.returncode == 0, ran.stderr
    assert trained(folder) == trained(finished)
    assert answers(folder).keys() >= answers(finished).keys()
    assert {name: answers(folder)[name] for name in answers(finished)} == answers(finished)
    assert trials(folder) == trials(finished)


def test_groups_of_an_npz_file_stay_together_and_the_report_says_so(tmp_path: Path, blobs_file: Path) -> None:
    folder = make_project(tmp_path / "p", blobs_file, ONE_TRIAL.replace("seed = 0", "seed = 0\nfolds = 2"))
    with np.load(blobs_file) as file:
        arrays = dict(file)
    trained, tested = (np.arange(len(arrays[name])) // 3 for name in ("y_train", "y_test"))
    np.savez(folder / "searches" / "blobs.npz", **arrays, groups_train=trained, groups_test=tested)
    ran = tuner(folder, "run", "small", "--workers", "2")
    assert ran.returncode == 0, ran.stderr
    count = len({*trained, *tested})
    images = len(trained) + len(tested)
    said = f"{images:,} images of {count:,} groups: images of one group stay together wherever they are divided"
    assert f"blobs.npz: {said}" in ran.stdout + ran.stderr
    report = (folder / "reports" / "small" / "report.md").read_text()
    assert said in report
    both = len({*trained} & {*tested})
    assert f"{both} groups have both training and test images, as the data set comes" in report
    (row,) = trials(folder)
    assert row["standard_error"] is not None
