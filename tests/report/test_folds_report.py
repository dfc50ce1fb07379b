"""What a report, the page and the tables say of a search whose trials are cross-validated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up import RAW, Project, first
from recorded import whole
from written import words

from tuner.analysis.luck import lucks
from tuner.analysis.results_table import result_rows, results_table
from tuner.analysis.timeline import Timeline
from tuner.datasets.base import Dataset
from tuner.page.data import page_data
from tuner.report.budget import budget
from tuner.report.choice import choice_in_words
from tuner.report.saving import saved_in_words
from tuner.report.trials import trials_section
from tuner.trial import Attempt, Record, Result

#: Of three folds, of which one is 0.03 better and one 0.03 worse: s = 0.03, and s / √3.
ERROR = 0.03 / 3**0.5


@pytest.fixture
def project(tmp_path: Path, blobs: Dataset) -> Project:
    made = Project(tmp_path, blobs, {**RAW, "folds": 3, "save": "best on validation"})
    rng = np.random.default_rng(0)
    right = [rng.random(60) < share for share in (0.5, 0.6)]
    trials = made.searched("ann", [0.5, 0.6], answers=right)
    made.retrained("ann", trials[1], [first(30), first(31)])
    made.searched("cnn", [0.7, None])
    return made


def test_choice_budget_and_saving_speak_of_folds(project: Project) -> None:
    findings = project.findings()
    assert "60 training images, each of 3 folds held out in turn during the search, cross-validation" in budget(
        findings
    )
    assert choice_in_words(findings) == (
        "ANN was chosen on the mean of 3 folds, as the best of 2 trials. The best of several is flattered by luck. It "
        "was then trained again with other seeds, on 66.6667 % of the training images, the others telling which "
        "retraining is saved, and scored on the test set."
    )
    assert "Each retraining held out 33.3333 % of the training images" in saved_in_words(findings)


def test_tables_have_the_mean_and_the_standard_error(project: Project) -> None:
    findings = project.findings()
    rows = result_rows(findings.search_trials)
    assert [row["val_accuracy"] for row in rows] == [0.7, 0.6, 0.5, None]
    assert [row["standard_error"] for row in rows] == [pytest.approx(ERROR)] * 3 + [None]
    assert {row["folds"] for row in rows} == {3}
    assert "± error" in results_table(findings.search, findings.search_trials)
    assert f"0.6000 ± {ERROR:.4f}" in words(trials_section(findings))
    section = trials_section(findings)
    assert section is not None
    frame = section.tables["trials.csv"]
    assert frame["standard_error"].tolist()[:3] == [pytest.approx(ERROR)] * 3
    shown = page_data(replace(findings, chosen=()), {"trials.csv": frame})["trials"]
    assert "standard_error" in shown["columns"]
    assert "folds" not in shown["parameters"]


def test_of_folds_that_scored_alike_it_is_said_too_what_a_score_is(
    tmp_path: Path, blobs: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Project(tmp_path, blobs, {**RAW, "folds": 3})
    monkeypatch.setattr(made, "_folds", lambda trial, score, objective: [{"val_accuracy": score, "val_loss": 0.1}] * 3)
    made.searched("ann", [1.0, 1.0], parameters=[900, 100])
    text = words(trials_section(made.findings()))
    assert "A score is the mean over 3 folds, ± its standard error, s / √3" in text
    assert "No smaller trial is within one standard error of the best." in text
    made.ledger.close()


def test_without_folds_no_table_has_their_columns(tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path, blobs)
    made.searched("ann", [0.5, 0.6])
    findings = made.findings()
    section = trials_section(findings)
    assert section is not None
    assert not {"folds", "standard_error"} & set(section.tables["trials.csv"].columns)
    assert not {"folds", "standard_error"} & result_rows(findings.search_trials)[0].keys()
    assert "±" not in results_table(findings.search, findings.search_trials)


def test_luck_is_told_by_an_answer_to_every_training_image(project: Project) -> None:
    (luck,) = [one for one in lucks(project.findings()) if one.chosen.model == "ann"]
    assert luck.answers.gains is not None
    assert luck.answers.gains.shape == (2, 60)
    assert luck.choice is not None
    assert luck.fitted == (40, 60)  # two of three folds, and all


def test_single_folds_are_no_trials_of_their_own_but_for_the_timeline(project: Project) -> None:
    trial = project.findings().trials("ann")[0].trial
    for part in trial.parts:
        result = whole(Result("completed", val_accuracy=0.5, seconds=1.0))
        project.ledger.record(Record(part, result), Attempt.of(1.0, part.fold))
    findings = project.findings()
    assert [record.trial.fold for record in findings.trials()] == [0] * 4
    assert [one.trial for one, _ in findings.fold_trainings] == [part.id for part in trial.parts]
    bars = Timeline.of(findings).bars
    assert {part.id for part in trial.parts} <= {bar.trial for bar in bars}
    assert trial.id not in {bar.trial for bar in bars}  # which trained nothing itself
