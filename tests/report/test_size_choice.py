"""Models that are chosen for their size: which they are, that they are trained again, and what is said of them."""

from __future__ import annotations

from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up import RAW, Project, first

from tuner.analysis.findings import Findings
from tuner.analysis.luck import lucks
from tuner.analysis.results_table import result_rows, results_table
from tuner.analysis.selection import selections, standard_error
from tuner.datasets.base import Dataset
from tuner.errors import CheckError
from tuner.report import report_of
from tuner.report.choice import choice_in_words
from tuner.report.comparison import comparison_frame
from tuner.report.markdown import report_markdown
from tuner.running.planned import Prepared, all_final_proposals
from tuner.search_file.contenders import size_limit

SMALLEST = "smallest within one standard error"
#: Of 60 training images a fifth.
IMAGES = 12
#: The CNNs: the best is the largest; one standard error below it, sqrt(0.9 * 0.1 / 12) = 0.0866, lie three.
SCORES = [0.80, 0.82, 0.85, 0.9, 0.89, 0.5]
PARAMETERS = [100, 900, 800, 2_000, 1_500, 50]


def project_of(folder: Path, data: Dataset, limits: Any = (), **raw: Any) -> Project:
    rest = {name: part for name, part in RAW.items() if name not in ("published", "report")}
    made = Project(
        folder,
        data,
        {**rest, "report": {"also_smaller_than": list(limits) if isinstance(limits, tuple) else limits}, **raw},
    )
    made.searched("ann", [0.6, 0.7], parameters=[400, 500])
    made.searched("cnn", SCORES, parameters=PARAMETERS)
    return made


def chosen_in(made: Project) -> dict[str, int | None]:
    found = selections(made.search, made.ledger.search_trials("small"), made.workspace)
    return {name: one.record.result.parameters for (name, _), one in found.items()}


def retrained(made: Project) -> Findings:
    """Return what is found when what the run would train again was trained again."""
    data = made.data
    prepared = {"blobs": Prepared(data.fingerprint, Path(), data.shape, 3, len(data.y_train))}
    for proposals, count in all_final_proposals(made.search, made.ledger, prepared, made.workspace):
        proposed = proposals.next()
        assert proposed is not None
        made.retrained(proposals.model, proposed[1], [first(30 + k) for k in range(count)])
    return made.findings()


@pytest.mark.parametrize(
    ("text", "below", "not_below", "words", "slug"),
    [
        ("1 MB", 249_999, 250_000, "1 MB", "1MB"),
        ("0.5MB", 124_999, 125_000, "0.5 MB", "0_5MB"),
        ("500 kB", 124_999, 125_000, "500 kB", "500kB"),
        ("100_000 parameters", 99_999, 100_000, "100,000 parameters", "100000-parameters"),
        ("1e6 parameters", 999_999, 1_000_000, "1,000,000 parameters", "1000000-parameters"),
    ],
)
def test_a_size_is_parameters_or_bytes_of_weights(text: str, below: int, not_below: int, words: str, slug: str) -> None:
    limit = size_limit(text)
    assert limit.holds(below)
    assert not limit.holds(not_below)
    assert not limit.holds(None)
    assert (limit.words, limit.slug) == (words, slug)


def test_without_a_word_the_best_is_chosen(tmp_path: Path, blobs: Dataset) -> None:
    assert chosen_in(project_of(tmp_path, blobs)) == {"ann": 500, "cnn": 2_000}


def test_the_smallest_within_one_standard_error_is_chosen(tmp_path: Path, blobs: Dataset) -> None:
    assert chosen_in(project_of(tmp_path, blobs, choose=SMALLEST)) == {"ann": 400, "cnn": 800}


def test_the_best_below_each_limit_is_a_row_of_its_own_unless_it_is_one_already(tmp_path: Path, blobs: Dataset) -> None:
    limits = ["1e4 parameters", "1000 parameters", "3.9 kB", "400 parameters", "10 parameters"]
    assert chosen_in(project_of(tmp_path, blobs, limits)) == {
        "ann": 500,
        "cnn": 2_000,  # which is the best below 10,000 parameters, too
        "cnn-under-1000-parameters": 800,  # and below 3.9 kB
        "cnn-under-400-parameters": 100,
    }


def test_both_may_be_asked_for(tmp_path: Path, blobs: Dataset) -> None:
    made = project_of(tmp_path, blobs, "1600 parameters", choose=SMALLEST)
    assert chosen_in(made) == {
        "ann": 400,
        "ann-under-1600-parameters": 500,
        "cnn": 800,
        "cnn-under-1600-parameters": 1_500,
    }


def test_the_standard_error_of_an_accuracy_is_a_share_s(tmp_path: Path, blobs: Dataset) -> None:
    made = project_of(tmp_path, blobs)
    record = next(r for _, r in made.ledger.search_trials("small") if r and r.result.val_accuracy == 0.9)
    assert standard_error(record, record.objective, made.workspace) == pytest.approx(sqrt(0.9 * 0.1 / IMAGES))


def by_recall(folder: Path, data: Dataset, answers: list[np.ndarray] | None) -> Project:
    ann = {"family": "ann", "space": {"dense_units": [4, 8, 16]}, "objective": "balanced_accuracy"}
    made = Project(
        folder, data, {**RAW, "choose": SMALLEST, "search": [ann], "report": {}, "published": {"study": "S"}}
    )
    made.searched("ann", [0.75, 0.7, 0.4], parameters=[300, 200, 100], answers=answers)
    return made


def test_the_standard_error_of_another_score_is_that_of_drawn_images(tmp_path: Path, blobs: Dataset) -> None:
    made = by_recall(tmp_path, blobs, [first(9, IMAGES)] * 3)
    best = next(r for _, r in made.ledger.search_trials("small") if r and r.result.parameters == 300)
    error = standard_error(best, best.objective, made.workspace)
    assert 0.05 < error < 0.2  # of an accuracy it would be 0.125; that of a mean of shares by class is near
    assert error == standard_error(best, best.objective, made.workspace)
    assert chosen_in(made) == {"ann": 200}


def test_without_answers_nothing_is_chosen_by_their_standard_error(tmp_path: Path, blobs: Dataset) -> None:
    with pytest.raises(CheckError, match=r"nothing is kept of what it answered .*--fresh"):
        chosen_in(by_recall(tmp_path, blobs, None))


def test_what_was_chosen_is_trained_again_compared_and_told(tmp_path: Path, blobs: Dataset) -> None:
    found = retrained(project_of(tmp_path, blobs, ["1000 parameters", "10 parameters"]))
    assert [(one.model, len(one.finals)) for one in found.chosen] == [
        ("ann", 2),
        ("cnn", 2),
        ("cnn-under-1000-parameters", 2),
    ]
    frame = comparison_frame(found)
    assert list(frame["file"]) == ["ann-blobs.keras", "cnn-blobs.keras", "cnn-under-1000-parameters-blobs.keras"]
    assert list(frame["search_score"]) == [0.7, 0.9, 0.85]
    text = choice_in_words(found)
    assert "CNN was chosen on validation images, as the best of 6 trials." in text
    assert (
        "CNN under 1,000 parameters is the best of 4 trials below 1,000 parameters, with 800 parameters and accuracy "
        "0.8500; the best of all has 2,000 parameters and accuracy 0.9000."
    ) in text
    assert "The best trial of ANN below 1,000 parameters is compared already." in text
    assert "No trial of CNN is below 10 parameters." in text
    assert [one.chosen.model for one in lucks(found)] == ["ann", "cnn"]  # the small one is not the best of all


def test_the_report_and_the_table_of_results_name_the_smaller_row(tmp_path: Path, blobs: Dataset) -> None:
    made = project_of(tmp_path, blobs, "1000 parameters")
    found = retrained(made)
    report = report_markdown(report_of(found))
    assert "| CNN under 1,000 parameters |" in report
    assert "cnn-under-1000-parameters-blobs.keras" in report
    search_trials = made.ledger.search_trials("small")
    assert "| CNN under 1,000" in results_table(made.search, search_trials)
    again = [row["parameters"] for row in result_rows(search_trials) if row["retrained_mean"] is not None]
    assert sorted(again) == [500, 800, 2_000]  # type: ignore[type-var]


def test_a_choice_by_one_standard_error_is_told_with_what_the_best_was(tmp_path: Path, blobs: Dataset) -> None:
    text = choice_in_words(retrained(project_of(tmp_path, blobs, choose=SMALLEST)))
    assert (
        "CNN: of 6 trials, 4 trials score within one standard error (0.0866) of the best one's accuracy 0.9000; the "
        "smallest of them was chosen, with 800 parameters and accuracy 0.8500. The best, trial "
    ) in text
    assert "has 2,000 parameters." in text
    assert "as the best of" not in text


def test_where_none_that_is_as_good_is_smaller_that_is_said(tmp_path: Path, blobs: Dataset) -> None:
    rest = {name: part for name, part in RAW.items() if name not in ("published", "report")}
    made = Project(tmp_path, blobs, {**rest, "choose": SMALLEST, "search": [RAW["search"][0]]})
    made.searched("ann", [0.2, 0.9], parameters=[300, 200])
    assert (
        "ANN: of 2 trials, 1 trial scores within one standard error (0.0866) of the best one's accuracy 0.9000, and "
        "none of them is smaller than the best, which was chosen."
    ) in choice_in_words(retrained(made))


def test_a_row_that_an_earlier_run_had_and_this_one_has_not_is_left_out(tmp_path: Path, blobs: Dataset) -> None:
    made = project_of(tmp_path, blobs, "1000 parameters")
    trial = made.search.trial(made.search.model_searches[0], "blobs", blobs.fingerprint, {}, None)
    made.retrained("ann-under-1000-parameters", trial, [first(30), first(31)])
    assert "ann-under-1000-parameters" not in [one.model for one in retrained(made).chosen]
