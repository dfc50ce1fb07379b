"""`tuner run --hours`: a real search that its hours end has its report, and goes on when it is run again."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_project import ONE_TRIAL, make_project, trials, tuner

#: Two models of two configurations each, all of which are trained quickly.
SEARCH = (
    ONE_TRIAL.replace("dense_units = 4", "dense_units = [4, 8]")
    + '[[search]]\nfamily = "ann"\nname = "wide"\n[search.space]\ndense_units = [16, 32]\n'
)


@pytest.mark.slow
def test_a_run_ends_by_its_hours_with_a_report_and_goes_on_when_it_is_run_again(
    tmp_path: Path, blobs_file: Path
) -> None:
    make_project(tmp_path, blobs_file, SEARCH)
    answer = tuner(tmp_path, "run", "small", "--hours", "0.0001", "--workers", "2")
    assert answer.returncode == 0, answer.stderr
    assert "0.006 min are hardly enough: retrainings and the report alone are expected to take" in answer.stderr
    assert "about 1 of 2 configurations of ANN on blobs.npz and about 1 of 2 configurations of wide" in answer.stderr
    far = "1 of 2 configurations of ANN on blobs.npz and 1 of 2 configurations of wide on blobs.npz within 0.006 min"
    assert f"the search has ended by its hours: {far}" in answer.stderr
    assert len(trials(tmp_path)) == 2
    assert f"Ended by its hours: {far}." in tuner(tmp_path, "results", "small").stdout
    assert tuner(tmp_path, "list").stdout.splitlines()[1].split()[4:6] == ["4", "2"]
    report = tmp_path / "reports" / "small" / "report.md"
    assert f"The search was ended by its hours: {far}." in report.read_text()
    again = tuner(tmp_path, "run", "small", "--workers", "2")
    assert "the search goes on from where its hours had ended it" in again.stderr
    gone_on = trials(tmp_path)
    assert len(gone_on) == 4
    assert "gone on with from there without a limit" in report.read_text()
    assert "was ended by its hours" not in report.read_text()
    fresh = tuner(tmp_path, "run", "small", "--workers", "2", "--hours", "1", "--fresh")
    assert (
        "within 1 hour, about 2 of 2 configurations of ANN on blobs.npz and about 2 of 2 configurations" in fresh.stderr
    )
    assert "nothing is to be trained" not in fresh.stderr
    assert "from before" not in fresh.stderr
    assert trials(tmp_path) == gone_on  # all of which were trained once more, and never stopped
