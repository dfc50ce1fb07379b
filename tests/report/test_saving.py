"""Which retraining is saved and on what it was chosen, and the warning where it tells little of the others."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from made_up import RAW, Project, first
from whole_page import page_of
from written import words

from tuner.analysis.findings import Findings
from tuner.datasets.base import Dataset
from tuner.protocol import saved_of
from tuner.report.cards import card_json, cards_section
from tuner.report.choice import choice_in_words
from tuner.report.comparison import comparison_section
from tuner.report.saving import is_far, saved_in_words
from tuner.report.summary import verdict
from tuner.trial import Record, Result, Save, Trial


def final(test: float, val: float | None = None, loss: float | None = None) -> Record:
    trial = Trial("ann", "blobs", "0" * 16, {"dense_units": 8}, epochs=2, seed=0)
    return Record(trial, Result("completed", test_accuracy=test, val_accuracy=val, val_loss=loss))


def searched(folder: Path, data: Dataset, right: list[int], save: Save = "first") -> Findings:
    made = Project(folder, data, {**RAW, "save": save, "repeats": len(right)})
    made.retrained("ann", made.searched("ann", [0.5])[0], [first(count) for count in right])
    return made.findings()


@pytest.mark.parametrize(
    ("scores", "place"),
    [([0.9], 0), ([0.1, 0.9, 0.5], 2), ([0.9, 0.1], 1), ([0.4, 0.1, 0.2, 0.3], 2), ([0.2, 0.9, 0.2], 0)],
)
def test_the_median_is_the_lower_of_the_two_in_the_middle_and_of_equal_ones_the_first(
    scores: list[float], place: int
) -> None:
    assert saved_of([final(score) for score in scores], "median") == place
    assert saved_of([final(score) for score in scores], "first") == 0


def test_the_best_on_validation_does_not_look_at_the_test_set() -> None:
    finals = [final(0.9, 0.5, 1.0), final(0.1, 0.8, 0.7), final(0.2, 0.8, 0.6), final(0.95, 0.8, 0.6)]
    assert saved_of(finals, "best on validation") == 2


def test_the_saved_file_its_predictions_and_its_card_are_of_the_retraining_that_was_chosen(
    tmp_path: Path, blobs: Dataset
) -> None:
    findings = searched(tmp_path, blobs, [20, 40, 30], "median")
    (chosen,) = findings.chosen
    assert (chosen.place, chosen.predictions.accuracy, chosen.saved.trial.seed) == (2, 30 / 45, 3)
    assert chosen.mean == pytest.approx(30 / 45)
    card = json.loads(card_json(findings, chosen))
    assert card["trial"]["seed"] == 3
    assert card["test_accuracy"] == pytest.approx(30 / 45)
    assert card["saved"] == {
        "which": "the one of 3 retrainings with the median test accuracy",
        "chosen_on": "test images",
        "mean_test_accuracy": pytest.approx(30 / 45),
        "is_far_from_mean": False,
    }


def test_the_page_draws_the_saved_retraining_as_the_saved_one(tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path, blobs, {**RAW, "save": "median", "repeats": 3})
    made.retrained("ann", made.searched("ann", [0.5])[0], [first(count) for count in (20, 40, 30)])
    (told,) = page_of(made).blocks["report"]["chosen"]
    assert told["saved"] == 2
    assert told["retrainings"][told["saved"]] == told["test_accuracy"]


def test_a_choice_on_the_test_images_is_told_as_one_and_no_other_is(tmp_path: Path, blobs: Dataset) -> None:
    saves: tuple[Save, ...] = ("first", "median", "best on validation")
    told = {save: saved_in_words(searched(tmp_path / save, blobs, [30, 31, 32], save)) for save in saves}
    assert told["first"] == "Saved is the first retraining of each configuration, whatever it scored."
    assert "a choice on the test images: a saved model's own score is no independent estimate" in told["median"]
    assert "held out 20 % of the training images" in told["best on validation"]
    assert "No test image had a part in that." in told["best on validation"]


def test_retrainings_that_hold_images_out_are_not_said_to_train_on_all(tmp_path: Path, blobs: Dataset) -> None:
    every = choice_in_words(searched(tmp_path / "1", blobs, [30, 31]))
    assert "on all training images" in every
    part = choice_in_words(searched(tmp_path / "2", blobs, [30, 31], "best on validation"))
    assert "on 80 % of the training images, the others telling which retraining is saved" in part


def test_a_saved_model_far_from_the_mean_is_warned_of_in_verdict_report_and_card(
    tmp_path: Path, blobs: Dataset
) -> None:
    findings = searched(tmp_path, blobs, [26, 44, 44])
    warning = (
        "On blobs, beware of the **saved model of ANN**: it scores 26.7 points below the mean of its retrainings "
        "(0.5778, mean 0.8444), the worst of 3."
    )
    assert verdict(findings)[1] == warning
    section = comparison_section(findings)
    assert section is not None
    assert "A saved model is far from the mean where it is a point or more away" in words(section)
    cards = cards_section(findings)
    assert cards is not None
    assert "it scores 26.7 points below the mean of its retrainings (0.5778, mean 0.8444), the worst of 3" in (
        words(cards)
    )
    assert json.loads(card_json(findings, findings.chosen[0]))["saved"]["is_far_from_mean"] is True


def test_several_saved_models_far_from_the_mean_are_warned_of_in_one_sentence(tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path, blobs, {**RAW, "repeats": 3})
    made.retrained("ann", made.searched("ann", [0.5])[0], [first(count) for count in (26, 44, 44)])
    made.retrained("cnn", made.searched("cnn", [0.5])[0], [first(count) for count in (44, 20, 20)])
    told = [line for line in verdict(made.findings()) if "beware" in line]
    assert told == [
        "On blobs, beware of **2 saved models**, each of which scores far from the mean of its retrainings: "
        "ANN (26.7 points below it) and CNN (35.6 points above it)."
    ]


def test_a_saved_model_near_the_mean_has_no_warning(tmp_path: Path, blobs: Dataset) -> None:
    findings = searched(tmp_path, blobs, [40, 44, 44])
    assert not any("beware" in line for line in verdict(findings))
    section, cards = comparison_section(findings), cards_section(findings)
    assert section is not None
    assert cards is not None
    assert "far from the mean" not in words(section)
    assert "beware" not in words(cards)


def chosen(accuracy: float, mean: float, images: int, retrainings: int = 3) -> Any:
    predictions = SimpleNamespace(accuracy=accuracy, correct=np.arange(images) < round(accuracy * images))
    return SimpleNamespace(predictions=predictions, mean=mean, finals=[None] * retrainings)


@pytest.mark.parametrize(
    ("accuracy", "mean", "images", "far"),
    [
        (0.4651, 0.6221, 10_000, True),
        (0.98, 0.985, 100_000, False),  # outside of a narrow interval, and half a point away
        (0.60, 0.65, 100, False),  # five points, and within what a hundred images can tell
        (0.65, 0.60, 10_000, True),  # to the better side as well
    ],
)
def test_far_is_a_point_or_more_and_outside_the_interval(accuracy: float, mean: float, images: int, far: bool) -> None:
    assert is_far(chosen(accuracy, mean, images)) is far
    assert not is_far(chosen(accuracy, mean, images, retrainings=1)), "it is the mean"
