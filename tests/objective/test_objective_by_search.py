"""Model searches that choose by different objectives: each by its own, and all compared by accuracy."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up import RAW, Project, first
from sklearn.metrics import f1_score
from written import words

from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.scopes import scopes
from tuner.datasets.base import Dataset
from tuner.errors import InputError
from tuner.exporters import Recorded
from tuner.objective import ACCURACY, objective_of
from tuner.protocol import ranked
from tuner.publish.write import write_report
from tuner.report.choice import choice_in_words
from tuner.report.comparison import selection_section
from tuner.report.summary import verdict
from tuner.search_file.file import parse_search
from tuner.search_file.overrides import Overrides

F1, LOSS = objective_of("macro_f1"), objective_of("log_loss")
RAW_BOTH = {
    **RAW,
    "published": {"study": "S"},
    "objective": "macro_f1",
    "search": [
        {"family": "ann", "space": {"dense_units": [2, 4, 8, 16, 32, 64]}},
        {
            "family": "cnn",
            "space": {"conv_depth": [1, 2], "filters": [2, 4], "padding": "same"},
            "objective": "log_loss",
        },
    ],
}


@pytest.fixture
def project(tmp_path: Path, blobs: Dataset) -> Iterator[Project]:
    made = Project(tmp_path, blobs, RAW_BOTH)
    ann = made.searched("ann", [0.5, 0.3, 0.7, 0.8, 0.4, 0.6])
    cnn = made.searched("cnn", [0.35, 0.9, None, 0.25, 0.55, 0.65])
    made.retrained("ann", ann[3], [first(30), first(32)])
    made.retrained("cnn", cnn[3], [first(40), first(42)])
    yield made
    made.ledger.close()


@pytest.fixture
def findings(project: Project) -> Findings:
    return project.findings()


def test_each_model_is_chosen_by_its_own(findings: Findings) -> None:
    ann, cnn = findings.search.model_searches
    assert (ann.objective, cnn.objective) == (F1, LOSS)
    assert findings.search.objectives == (F1, LOSS)
    assert findings.search.objective is ACCURACY
    assert [chosen.winner.score for chosen in findings.chosen if chosen.winner] == [0.8, 0.25]
    assert [record.trial.objective for record in findings.trials("cnn")][:1] == ["log_loss"]


def test_a_search_that_all_share_is_the_search_s(tmp_path: Path) -> None:
    both = [{**one, "objective": "macro_f1"} for one in RAW_BOTH["search"]]  # type: ignore[union-attr]
    search = parse_search({**RAW, "search": both}, "small", tmp_path, Overrides(), "")
    assert search.objective is F1
    whole = parse_search({**RAW, "objective": "macro_f1"}, "small", tmp_path, Overrides(), "")
    trials = [one.trial(one.model_searches[0], "blobs", "0" * 16, {"dense_units": 4}, None) for one in (search, whole)]
    assert trials[0].id == trials[1].id


def mean_f1(chosen: Chosen) -> float:
    each = [f1_score(one.labels, one.predicted, average="macro") for one in chosen.all_predictions]
    return float(np.mean(each))


def test_the_verdict_tells_the_difference_in_what_models_were_chosen_by_too(findings: Findings) -> None:
    ann, cnn = findings.chosen
    (line,) = (line for line in verdict(findings) if line.startswith("Chosen by different objectives"))
    found = re.search(r"In macro F1 on blobs, CNN − ANN is (\S+) \(95 % interval (\S+) to (\S+)\)\.", line)
    assert found is not None
    difference, low, high = (float(one.replace("−", "-")) for one in found.groups())
    assert difference == pytest.approx(mean_f1(cnn) - mean_f1(ann), abs=1e-4)
    assert low < difference < high
    lower = re.search(r"In log loss on blobs, CNN − ANN is (\S+) \(95 % interval", line)
    assert lower is not None
    assert lower.group(1).startswith("−"), "the better model has the lower loss"


def test_models_are_compared_by_accuracy_and_each_is_named_with_what_it_was_chosen_by(findings: Findings) -> None:
    told = "Chosen by different objectives, ANN by macro F1, CNN by log loss; what is compared here is test accuracy."
    assert any(line.startswith(told) for line in verdict(findings))
    assert "CNN beats ANN by 22.2 points** of test accuracy" in verdict(findings)[0]
    said = choice_in_words(findings)
    assert "ANN was chosen on validation images, by macro F1, as the best of 6 trials." in said
    assert "CNN was chosen on validation images, by log loss, as the best of 5 trials." in said
    section = selection_section(findings)
    assert section is not None
    table = next(one for one in section.contents if hasattr(one, "heads"))
    assert table.heads == [
        "model", "data set", "chosen by", "trials", "search score", "retrained mean test score ± sd",
        "saved model's test score", "retrained − search",
    ]  # fmt: skip
    assert [row[2] for row in table.cells] == ["macro F1", "log loss"]
    assert [row[4] for row in table.cells] == ["0.8000", "0.2500"]
    assert "The scores of a row are of what its model was chosen by." in words(section)


def test_where_models_are_looked_at_together_it_is_by_accuracy(findings: Findings) -> None:
    whole, ann, cnn = scopes(findings, "blobs")
    assert (whole.objective, ann.objective, cnn.objective) == (ACCURACY, F1, LOSS)
    assert set(whole.scores) == {0.75}  # the accuracy of every made-up trial
    assert sorted(cnn.scores) == [0.25, 0.35, 0.55, 0.65, 0.9]
    both = ranked(findings.trials())
    losses = [record.result.val_loss for record in both]
    assert losses == sorted(losses)  # of equal accuracies
    assert ranked(findings.trials("cnn"))[0].score == 0.25


@pytest.mark.usefixtures("undrawn")
def test_report_page_and_files_hold_all_of_them(findings: Findings, project: Project) -> None:
    folder = write_report(findings).parent
    comparison = pd.read_csv(folder / "comparison.csv")
    assert comparison["search_score"].tolist() == [0.8, 0.25]
    ann, cnn = findings.chosen
    for name, chosen, objective in (("test_macro_f1", ann, F1), ("test_log_loss", cnn, LOSS)):
        scores = chosen.by(objective)
        row = comparison[comparison["model"] == chosen.model].iloc[0]
        assert (row[name], row[f"{name}_sd"]) == pytest.approx((scores.mean(), scores.std(ddof=1)))
        assert comparison[comparison["model"] != chosen.model][name].isna().all()
        each = pd.read_csv(folder / "retrainings.csv")
        assert each[each["model"] == chosen.model][name].tolist() == pytest.approx(scores.tolist())
    trials = pd.read_csv(folder / "trials.csv")
    assert trials.groupby("model")["val_macro_f1"].count().to_dict() == {"ann": 6, "cnn": 0}
    assert trials.groupby("model")["val_log_loss"].count().to_dict() == {"ann": 0, "cnn": 5}
    (block,) = re.findall(
        r'<script[^>]* id="report"[^>]*>(.*?)</script>', (folder / "report.html").read_text(), re.DOTALL
    )
    data = json.loads(block)
    assert data["objective"]["column"] == "val_accuracy"
    assert not {"val_macro_f1", "val_log_loss"} & set(data["trials"]["parameters"])
    about = Recorded.read(project.ledger, "small").about()
    assert about["objective"] == "val_macro_f1, val_log_loss on validation images"


def test_a_misspelt_one_names_its_place(tmp_path: Path) -> None:
    raw = {**RAW, "search": [RAW_BOTH["search"][0], {**RAW_BOTH["search"][1], "objective": "log_los"}]}  # type: ignore[index]
    with pytest.raises(
        InputError, match=r"\[\[search\]\] 2.objective: 'log_los' is no objective; did you mean 'log_loss'"
    ):
        parse_search(raw, "small", tmp_path, Overrides(), "")


def test_a_choice_among_equals_is_told_as_such(tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path, blobs, {**RAW_BOTH, "objective": "recall:top"})
    ann = made.searched("ann", [0.0] * 6)
    cnn = made.searched("cnn", [0.3, 0.3, 0.4, 0.5, None, 0.3])
    made.retrained("ann", ann[0], [first(30)])
    made.retrained("cnn", cnn[0], [first(30)])
    said = choice_in_words(made.findings())
    lowest = "of equal ones the one with the lowest validation loss was taken."
    assert f"All trials of ANN have 0.0000 in recall of top: {lowest}" in said
    assert f"3 trials of CNN have 0.3000 in log loss: {lowest}" in said
    made.ledger.close()


def test_nothing_is_said_of_equals_where_one_trial_is_best(findings: Findings) -> None:
    assert "of equal ones" not in choice_in_words(findings)
