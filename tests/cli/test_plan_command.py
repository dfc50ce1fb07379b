"""`tuner plan` on a real search: networks are built, a probe is trained, and nothing is left."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from small_project import SEARCH_TRIALS, make_project, tuner


@pytest.mark.slow
def test_a_search_that_never_ran_is_forecast_by_a_probe_that_leaves_nothing(tmp_path: Path, blobs_npz: Path) -> None:
    make_project(tmp_path, blobs_npz)
    before = sorted(tmp_path.rglob("*"))
    answer = tuner(tmp_path, "plan", "small", "--workers", "2")
    assert answer.returncode == 0, answer.stderr
    lines = answer.stdout.splitlines()
    assert lines[0] == "ANN on blobs.npz: 2 configurations; all are to be trained"
    assert "2 trainings at a time" in lines[3]
    assert "times rest on a probe of 4 short trainings, which took" in lines[-1]
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.slow
def test_a_finished_search_is_forecast_by_its_records_and_needs_next_to_nothing(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "here")
    told = json.loads(tuner(tmp_path / "here", "plan", "small", "--json").stdout)
    assert sum(part["recorded"] for part in told["parts"]) == SEARCH_TRIALS
    assert told["retrainings"] == {"total": 4, "recorded": 4, "decided": True}
    needs = told["needs"]
    assert (needs["search"], needs["retraining"]) == (0, 0)
    assert needs["seconds"]["low"] < needs["start"] + needs["report"] < needs["seconds"]["high"]
    longer = json.loads(tuner(tmp_path / "here", "plan", "small", "--epochs", "40", "--json").stdout)["needs"]
    assert longer["search"] > 0 < longer["retraining"]
    assert longer["basis"].startswith(f"{SEARCH_TRIALS + 4} recorded trainings")
    assert longer["memory"]["low"] < longer["memory"]["middle"] < longer["memory"]["high"]
