"""A search with an ensemble, from the command line: one saved file that plain Keras proves, the same after any kill."""

from __future__ import annotations

import csv
import sqlite3
from pathlib import Path

import pytest
from small_project import TWO_TRIALS, make_project, recorded, run_and_kill, tuner

pytestmark = pytest.mark.slow

#: By the log loss, the mean of several networks that have hardly been trained is better than the best of them.
ENSEMBLE = (
    TWO_TRIALS.replace("seed = 0", 'seed = 0\nobjective = "log_loss"')
    .replace("repeats = 1", "repeats = 2")
    .replace("epochs = 3", "epochs = 1")
    .replace("learning_rate = 0.01", "learning_rate = 0.001")
    .replace("dense_units = 4", "dense_units = [8, 9, 10]")
    + "[report]\nensemble = 3\n"
)
SEARCH_TRIALS = 4


def trained(folder: Path) -> list[tuple[str, ...]]:
    """Return the name, scores and files of everything that the ledger holds."""
    with sqlite3.connect(folder / "runs" / "ledger.sqlite") as db:
        return sorted(db.execute("SELECT trial, test_accuracy, history, files FROM trials").fetchall())


def listed(folder: Path) -> list[tuple[str, ...]]:
    with sqlite3.connect(folder / "runs" / "ledger.sqlite") as db:
        return sorted(db.execute("SELECT model, dataset, role, number, trial FROM members").fetchall())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, blobs_file: Path) -> Path:
    folder = make_project(tmp_path_factory.mktemp("ensemble") / "p", blobs_file, ENSEMBLE)
    planned = tuner(folder, "plan", "small")
    assert "8 retrainings of winners that the search will tell" in planned.stdout, planned.stderr
    ran = tuner(folder, "run", "small", "--workers", "2")
    assert ran.returncode == 0, ran.stderr
    return folder


def test_the_ensemble_is_compared_saved_and_proven(finished: Path) -> None:
    with (finished / "reports" / "small" / "comparison.csv").open() as file:
        rows = {row["model"]: row for row in csv.DictReader(file)}
    assert list(rows) == ["ann", "cnn", "ensemble-of-3"]
    ensemble = rows["ensemble-of-3"]
    assert (finished / "reports" / "small" / ensemble["file"]).name == "ensemble-of-3-blobs.keras"
    assert int(ensemble["repeats"]) == 2
    assert float(ensemble["search_score"]) < min(float(rows[name]["search_score"]) for name in ("ann", "cnn"))
    assert int(float(ensemble["parameters"])) > max(int(float(rows[name]["parameters"])) for name in ("ann",))
    verified = tuner(finished, "verify", "small")
    assert verified.returncode == 0, verified.stderr
    assert "ensemble-of-3-blobs.keras" in verified.stdout
    report = (finished / "reports" / "small" / "report.md").read_text()
    assert "Against the best single model: On blobs" in report
    with (finished / "reports" / "small" / "timing_models.csv").open() as file:
        assert float({row["model"]: row for row in csv.DictReader(file)}["ensemble-of-3"]["latency_ms_low"]) > 0


def test_run_again_nothing_is_trained_again_and_the_plan_says_so(finished: Path) -> None:
    before, places = trained(finished), listed(finished)
    planned = tuner(finished, "plan", "small").stdout
    finals = {trial for model, _, role, _, trial in places if role == "final" and model != "ensemble-of-3"}
    assert f"{len(finals)} retrainings of the winners, of which {len(finals)} are recorded and count" in planned
    assert tuner(finished, "run", "small").returncode == 0
    assert (trained(finished), listed(finished)) == (before, places)


def test_killed_again_and_again_it_is_the_search_that_was_not(finished: Path, tmp_path: Path, blobs_file: Path) -> None:
    folder = make_project(tmp_path / "p", blobs_file, ENSEMBLE)
    total = recorded(finished)
    run_and_kill(folder, (SEARCH_TRIALS + 1, total - 2, total - 1))  # in the midst of retrainings, and of ensembles
    ran = tuner(folder, "run", "small", "--workers", "1")
    assert ran.returncode == 0, ran.stderr
    assert (trained(folder), listed(folder)) == (trained(finished), listed(finished))
