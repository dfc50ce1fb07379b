"""An objective of the user's own from the command line: it chooses, and what is wrong with it costs nothing."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from small_project import SEARCH, make_project, recorded, trials, tuner

pytestmark = pytest.mark.slow

#: The mean probability that is missing to the right class.
CODE = """import numpy as np
import helpers

def cost(labels, probabilities):
    return helpers.lacking(probabilities[np.arange(len(labels)), labels])
"""
HELPERS = "def lacking(share):\n    return 1 - share.mean()\n"
ONE_MODEL = SEARCH[: SEARCH.rindex("[[search]]")].replace("repeats = 2", "repeats = 1")
BY_COST = ONE_MODEL.replace("seed = 0", 'seed = 0\nobjective = "metrics:cost"\ndirection = "min"', 1)


def test_trials_are_chosen_by_it_and_an_edit_of_what_it_imports_trains_them_again(
    tmp_path: Path, blobs_file: Path
) -> None:
    folder = make_project(tmp_path / "p", blobs_file, BY_COST)
    (folder / "searches" / "metrics.py").write_text(CODE)
    (folder / "searches" / "helpers.py").write_text(HELPERS)
    shown = tuner(folder, "space", "small")
    assert shown.returncode == 0, shown.stderr
    ran = tuner(folder, "run", "small")
    assert ran.returncode == 0, ran.stderr
    assert ", best val. cost 0." in ran.stderr
    first = trials(folder)
    assert recorded(folder) == 3
    (chosen,) = [row for row in first if row["retrained_mean"] is not None]
    assert chosen["val_metrics:cost"] == min(row["val_metrics:cost"] for row in first)  # type: ignore[type-var]
    with (folder / "reports" / "small" / "comparison.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert 0 < float(row["test_metrics:cost"]) < 1
    assert "Chosen by cost; what is told here is test accuracy." in ran.stdout

    assert tuner(folder, "run", "small").returncode == 0
    assert recorded(folder) == 3, "nothing is trained twice"
    (folder / "searches" / "helpers.py").write_text(HELPERS + "# as before\n")
    told = (folder / "reports" / "small" / "report.md").read_text()
    assert "could not be scored" not in told
    assert tuner(folder, "report", "small").returncode == 0
    told = (folder / "reports" / "small" / "report.md").read_text()
    assert "The test images could not be scored by metrics:cost: metrics:cost: its code is not the code" in told
    assert tuner(folder, "run", "small").returncode == 0
    again = trials(folder)
    assert not {row["trial"] for row in again} & {row["trial"] for row in first}
    accuracies = [sorted(str(row["val_accuracy"]) for row in rows) for rows in (first, again)]
    assert accuracies[0] == accuracies[1], "it is the same function"


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("def cost(labels, probabilities):\n    return float('nan')", "metrics:cost returned nan of made-up"),
        ("def cost(labels, probabilities):\n    return labels[len(probabilities)]", "metrics:cost raised IndexError"),
        ("import os\nos._exit(3)", "metrics:cost: "),
    ],
    ids=["NaN", "raises", "ends the process"],
)
def test_what_is_wrong_with_it_is_one_line_and_nothing_is_trained(
    code: str, says: str, tmp_path: Path, blobs_file: Path
) -> None:
    folder = make_project(tmp_path / "p", blobs_file, BY_COST)
    (folder / "searches" / "metrics.py").write_text(code)
    ran = tuner(folder, "run", "small")
    assert ran.returncode == 2
    (line,) = [line for line in ran.stderr.splitlines() if not line.endswith("…")]
    assert line.startswith("tuner: searches/small.toml [[search]] 1 objective: ")
    assert says in line
    assert not (folder / "runs" / "ledger.sqlite").exists()
