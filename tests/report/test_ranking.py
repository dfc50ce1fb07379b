"""A study's ranking against ours, and the luck in a ranking, against numbers worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_up import RAW, Project, first
from written import rows_of, words

from tuner.analysis.ranking import agreement, luck
from tuner.datasets.base import Dataset
from tuner.report.published import published_section


def test_rank_correlation_is_spearman_s_and_needs_several_that_differ() -> None:
    found = agreement([0.9, 0.8, 0.7, 0.6], [0.5, 0.6, 0.4, 0.3])
    assert found is not None
    assert found.correlation == pytest.approx(1 - 6 * (1 + 1) / (4 * 15))  # two ranks are one apart
    assert agreement([1, 2, 3], [1, 2, 3]) is None
    assert agreement([1, 1, 1, 1], [1, 2, 3, 4]) is None


def test_the_luck_of_a_ranking_is_what_a_seed_does_to_one_and_not_to_another() -> None:
    # The second seed is better by 2 throughout, which changes no ranking
    found = luck([[1, 3], [3, 5], [5, 7], [7, 9]])
    assert found is not None
    assert (found.share, found.common, found.correlation) == (1, 1, pytest.approx(1))
    # The means 2, 4, 6, 8 vary by 2 · 20/3, those of the seeds, 4.5 and 5.5, by 4 · 1/2. What is left are halves of
    # three models and 1.5 of the fourth, to either side: (6 · 1/4 + 2 · 9/4) / 3 = 2, as much as the seeds vary
    found = luck([[1, 3], [3, 5], [5, 7], [9, 7]])
    assert found is not None
    assert found.share == pytest.approx((40 / 3 - 2) / (40 / 3 + 2))
    assert found.common == 0
    turned = luck([[1, 4], [2, 3], [3, 2], [4, 1]])
    assert turned is not None
    assert (turned.share, turned.correlation) == (0.0, pytest.approx(-1.0))
    assert luck([[1], [2], [3], [4]]) is None
    assert luck([[1, 2]] * 3) is None


def test_each_depth_of_a_study_s_trials_has_its_rank_correlation(tmp_path: Path, blobs: Dataset) -> None:
    space = {"conv_depth": [1, 2], "filters": [2, 4, 8, 16], "padding": "same"}
    trials = [
        {"model": "cnn", "values": {"conv_depth": 1, "filters_1": width}, "accuracy": score}
        for width, score in ((2, 0.5), (4, 0.6), (8, 0.7), (16, 0.8))
    ]
    published = {"study": "S", "trials": trials}
    made = Project(
        tmp_path, blobs, {**RAW, "report": {}, "search": [{"family": "cnn", "space": space}], "published": published}
    )
    made.searched("cnn", [0.4, 0.3, 0.5, 0.6])
    section = published_section(made.findings())
    assert section is not None
    (row,) = rows_of(words(section), "trials ")
    assert row[:3] == ["CNN, conv_depth 1", "4", "+0.80"]


@pytest.mark.parametrize("models", [3, 4])
def test_how_much_of_a_ranking_is_luck_is_told_of_four_models_or_more(
    tmp_path: Path, blobs: Dataset, models: int
) -> None:
    search = [{"family": "ann", "name": f"m{k}", "space": {"dense_units": 4 + k}} for k in range(models)]
    scores = [{"model": "m0", "dataset": "blobs", "test_accuracy": 0.9}]
    raw = {**RAW, "report": {}, "search": search, "published": {"study": "S", "scores": scores}}
    made = Project(tmp_path, blobs, raw)
    for k in range(models):
        made.retrained(f"m{k}", made.searched(f"m{k}", [0.5])[0], [first(10 * k + 4), first(10 * k + 6)])
    section = published_section(made.findings())
    assert section is not None
    said = "single trainings of these 4 models on blobs, 100 % lies between the models"
    assert (said in words(section)) == (models == 4)
    assert ("agree by a rank correlation of +1.00 in the mean (2 retrainings of each)" in words(section)) == (
        models == 4
    )
    assert ("What a seed does to all of them alike is 100 % of what it does." in words(section)) == (models == 4)
