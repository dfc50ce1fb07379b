"""Which trials an ensemble is made of: the greedy choice by hand, and by what is recorded of a search."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up import RAW, Project

from tuner.analysis.ensemble import Part, chosen_ensembles, ensemble_trial, greedy, is_of, parts_of
from tuner.datasets.base import Dataset
from tuner.objective import ACCURACY, objective_of
from tuner.trial import Trial

LABELS = np.array([0, 1, 0, 1])


def answers(*of_first: float) -> np.ndarray:
    """Return answers to four images of two classes, by the probabilities of the first class."""
    first = np.array(of_first)
    return np.stack([first, 1 - first], axis=1).astype(np.float16)


#: The first is wrong about the last image, the second about the third, the last about the first and the third.
A, B, C = answers(0.9, 0.1, 0.9, 0.62), answers(0.9, 0.4, 0.28, 0.2), answers(0.4, 0.4, 0.4, 0.4)


@pytest.mark.parametrize(
    ("most", "taken", "scores"),
    [
        (1, [0], [0.75]),  # as many right as the second, with a loss of 0.32 against 0.53
        (2, [0, 1], [0.75, 1.0]),  # (0.9, 0.25, 0.59, 0.41)
        (3, [0, 1, 0], [0.75, 1.0, 1.0]),  # (0.9, 0.2, 0.69, 0.48), a loss of 0.33 in place of 0.37
        (4, [0, 1, 0], [0.75, 1.0, 1.0]),  # a fourth one would give (0.9, 0.25, 0.59, 0.41) again
    ],
)
def test_the_greedy_choice_worked_out_by_hand(most: int, taken: list[int], scores: list[float]) -> None:
    assert greedy([A, B, C], LABELS, ("a", "b"), ACCURACY, most) == (taken, scores)


def test_of_equal_ones_the_first_is_taken_and_one_alone_is_no_mean() -> None:
    assert greedy([B, A, A], LABELS, ("a", "b"), ACCURACY, 1)[0] == [1]
    assert greedy([A, C], LABELS, ("a", "b"), objective_of("log_loss"), 5)[0] == [0]


def test_a_score_that_is_better_the_lower_is_minimised() -> None:
    taken, scores = greedy([C, B, A], LABELS, ("a", "b"), objective_of("log_loss"), 3)
    assert taken[0] == 2
    assert scores == sorted(scores, reverse=True)


def project(folder: Path, data: Dataset, **raw: Any) -> Project:
    made = Project(
        folder,
        data,
        {**RAW, "published": {"study": "S"}, "report": {"ensemble": 3}, **raw},
    )
    first, second, third = (~np.isin(np.arange(12), range(3 * k, 3 * k + 3)) for k in range(3))
    made.searched("ann", [0.75, 0.5], answers=[first, np.arange(12) < 6])
    made.searched("cnn", [0.75, 0.75, 0.6, 0.5], answers=[second, third, first, ~first])
    return made


def test_members_are_of_all_searches_of_a_data_set(tmp_path: Path, blobs: Dataset) -> None:
    made = project(tmp_path, blobs)
    choice = chosen_ensembles(made.search, made.ledger.search_trials("small"), made.workspace)["blobs"]
    assert choice.among == 6
    assert [(one.weight, one.alone) for one in choice.members] == [(1, 0.75)] * 3  # each is wrong about other images
    assert {one.model for one in choice.members} == {"ann", "cnn"}
    assert (choice.best_alone, choice.score) == (0.75, 1.0)


def test_what_is_lost_of_a_trial_that_is_no_member_changes_nothing(tmp_path: Path, blobs: Dataset) -> None:
    made = project(tmp_path, blobs)
    trials = made.ledger.search_trials("small")
    before = chosen_ensembles(made.search, trials, made.workspace)["blobs"]
    members = {one.record.trial.id for one in before.members}
    other = next(r for _, r in trials if r and r.trial.id not in members)
    next(made.workspace.artifacts.glob(f"{other.trial.id}-*")).unlink()
    after = chosen_ensembles(made.search, trials, made.workspace)["blobs"]
    assert [(m.record.trial.id, m.weight) for m in after.members] == [
        (m.record.trial.id, m.weight) for m in before.members
    ]
    assert after.among == before.among - 1


def test_without_answers_or_without_being_asked_there_is_none(tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path / "a", blobs, {**RAW, "published": {"study": "S"}, "report": {"ensemble": 3}})
    made.searched("ann", [0.5, 0.6])
    assert chosen_ensembles(made.search, made.ledger.search_trials("small"), made.workspace) == {}
    made = project(tmp_path / "b", blobs, report={})
    assert chosen_ensembles(made.search, made.ledger.search_trials("small"), made.workspace) == {}


def test_an_ensemble_is_a_trial_that_names_its_members(tmp_path: Path, blobs: Dataset) -> None:
    made = project(tmp_path, blobs)
    choice = chosen_ensembles(made.search, made.ledger.search_trials("small"), made.workspace)["blobs"]
    parts = [Part(one.record.trial.id, one.record.trial.as_final(1).id, one.weight) for one in choice.members]
    trial = ensemble_trial(made.search, "blobs", blobs.fingerprint, 2, parts)
    assert Trial.from_json(trial.to_json()) == trial
    assert parts_of(trial) == tuple(parts)
    assert is_of(trial, choice)
    other = ensemble_trial(made.search, "blobs", blobs.fingerprint, 2, parts[:-1])
    assert other.id != trial.id
    assert not is_of(other, choice)
    assert parts_of(choice.members[0].record.trial) == ()
