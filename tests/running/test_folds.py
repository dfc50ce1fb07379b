"""Cross-validated trials: what their folds make of them, by hand, and what is trained again and what is not."""

from __future__ import annotations

import io
import math
import random
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from observers import Silent
from recorded import whole
from rich.console import Console

from tuner.analysis.selection import smallest_within, standard_error
from tuner.analysis.validation_predictions import load_validation
from tuner.datasets.base import Dataset
from tuner.executors import Executor, Limits, Outcome
from tuner.ledger.ledger import Ledger
from tuner.ledger.rows import CURVES
from tuner.objective import ACCURACY
from tuner.oracles import Proposal
from tuner.protocol import training_images, validation_labels
from tuner.running.folds import FoldAnswers, mean_of_folds
from tuner.running.loop import Observer, Runner
from tuner.running.planning.needs import Steps
from tuner.running.planning.pace import FORWARD, load_of, measured
from tuner.running.progress import ProgressReport
from tuner.running.proposals import ListedTrials, Proposals
from tuner.trial import Attempt, Job, Record, Result, Trial, artifact_path
from tuner.untrusted.sizes import sha256_of
from tuner.workspace import Workspace

TRIAL = Trial("ann", "blobs", "0" * 16, {"units": 8}, epochs=4, seed=0, folds=3)


def fold_results(*accuracies: float) -> list[Result]:
    """Return what folds recorded that early stopping ended at different epochs, each best at its epoch 1, 2, …"""
    return [
        Result(
            "completed",
            parameters=100,
            seconds=2.0 + k,
            seconds_per_epoch=0.5 + k,
            val_accuracy=accuracy,
            val_loss=1 - accuracy,
            best_epoch=k + 1,
            history={name: [0.1 * (k + 1)] * k + [accuracy] + [0.0] for name in (*CURVES, "val_macro_f1")},
            environment={"engine": "whole"},
        )
        for k, accuracy in enumerate(accuracies)
    ]


def records(trial: Trial, results: Sequence[Result]) -> list[Record]:
    return [Record(part, result) for part, result in zip(trial.parts, results, strict=True)]


def test_a_score_is_the_mean_of_the_folds_each_at_its_best_epoch_with_its_standard_error() -> None:
    result = mean_of_folds(TRIAL, records(TRIAL, fold_results(0.6, 0.7, 0.9)))
    record = Record(TRIAL, result)
    assert record.completed
    assert record.score == pytest.approx(2.2 / 3)
    assert record.fold_scores == (0.6, 0.7, 0.9)
    # s² = ((0.6 − 0.7333)² + (0.7 − 0.7333)² + (0.9 − 0.7333)²) / 2 = 0.023333, and s / √3 = 0.088192
    assert record.standard_error == pytest.approx(0.0881917)
    assert record.standard_error == pytest.approx(math.sqrt(0.0233333 / 3), abs=1e-6)
    assert (result.val_loss, result.seconds, result.seconds_per_epoch) == pytest.approx((0.8 / 3, 9.0, 1.5))
    assert (result.parameters, result.best_epoch, result.environment) == (100, 2, {"engine": "whole"})


def test_another_objective_is_the_mean_of_what_each_fold_scored_by_it_at_its_best_epoch() -> None:
    trial = replace(TRIAL, objective="macro_f1")
    record = Record(trial, mean_of_folds(trial, records(trial, fold_results(0.6, 0.7, 0.9))))
    assert record.score == pytest.approx(2.2 / 3)
    assert record.standard_error == pytest.approx(0.0881917)


def test_curves_are_means_over_the_folds_that_reached_an_epoch() -> None:
    history = mean_of_folds(TRIAL, records(TRIAL, fold_results(0.6, 0.7, 0.9))).history
    # The folds' curves are [0.6, 0], [0.2, 0.7, 0] and [0.3, 0.3, 0.9, 0].
    assert history["loss"] == pytest.approx([1.1 / 3, 1.0 / 3, 0.45, 0.0])
    assert history.keys() == {*CURVES, "val_macro_f1"}


def test_the_epoch_in_the_middle_is_the_lower_of_two() -> None:
    trial = replace(TRIAL, folds=4)
    assert mean_of_folds(trial, records(trial, fold_results(0.6, 0.7, 0.9, 0.9))).best_epoch == 2
    without = [replace(result, best_epoch=None) for result in fold_results(0.6, 0.7, 0.9)]
    assert mean_of_folds(TRIAL, records(TRIAL, without)).best_epoch is None


def test_one_failed_fold_fails_the_trial_and_is_named() -> None:
    results = fold_results(0.6, 0.7, 0.9)
    results[1] = Result("failed", "out of memory", transient=True, seconds=1.0, passed={"gigabytes": 2.0})
    found = mean_of_folds(TRIAL, records(TRIAL, results))
    assert (found.status, found.error) == ("failed", "fold 2 of 3 failed: out of memory")
    assert (found.transient, found.passed, found.seconds, found.folds) == (True, {"gigabytes": 2.0}, 7.0, [])
    assert Record(TRIAL, found).standard_error is None
    results[2] = Result("failed", "another", passed={"gigabytes": 4.0})
    assert mean_of_folds(TRIAL, records(TRIAL, results)).error == "fold 2 of 3 failed (and 1 more): out of memory"


def test_the_ledger_gives_back_a_trial_with_folds_as_it_was_recorded(tmp_path: Path) -> None:
    record = Record(TRIAL, mean_of_folds(TRIAL, records(TRIAL, fold_results(0.6, 0.7, 0.9))))
    with Ledger(tmp_path / "l") as ledger:
        ledger.record(record)
        assert ledger.get(TRIAL.id) == record


def test_a_trial_and_its_folds_have_names_of_their_own_and_one_without_keeps_its_name() -> None:
    names = {trial.id for trial in (TRIAL, *TRIAL.parts, replace(TRIAL, folds=0), *replace(TRIAL, folds=4).parts)}
    assert len(names) == 1 + 3 + 1 + 4
    assert len({part.course for part in TRIAL.parts}) == len({part.compile_group for part in TRIAL.parts}) == 3
    assert replace(TRIAL, validation=0.3).id == TRIAL.id  # where no share is held out
    assert "fold" not in replace(TRIAL, folds=0).to_json()
    assert Trial.from_json(TRIAL.parts[1].to_json()) == TRIAL.parts[1]
    assert TRIAL.as_final(1).id == replace(TRIAL, folds=0).as_final(1).id
    assert TRIAL.parts[0].parts == TRIAL.as_final(1).parts == ()


def scored(trial: Trial, parameters: int, *accuracies: float) -> Record:
    named = replace(trial, values={"units": parameters})
    return Record(
        named, replace(mean_of_folds(named, records(named, fold_results(*accuracies))), parameters=parameters)
    )


def test_the_smallest_trial_within_one_standard_error_of_the_best_is_found() -> None:
    best = scored(TRIAL, 900, 0.9, 0.8, 0.85)  # 0.85 ± 0.0289
    near = scored(TRIAL, 500, 0.83, 0.83, 0.83)
    small = scored(TRIAL, 100, 0.83, 0.82, 0.82)
    worse = scored(TRIAL, 10, 0.82, 0.82, 0.82)
    error = standard_error(best, ACCURACY, Workspace(Path(), Path()))  # which no image is read for
    assert error == pytest.approx(0.05 / math.sqrt(3))
    assert smallest_within([best, near, small, worse], error) == (small, 3)
    assert smallest_within([best, worse], error) == (best, 1)


@pytest.fixture
def answered(tmp_path: Path, blobs: Dataset) -> tuple[Path, Dataset, list[Record], np.ndarray]:
    """Make what three folds answered: to each image a number of its own."""
    labels = validation_labels(TRIAL, blobs)
    told = np.linspace(0, 1, len(labels) * 3).reshape(-1, 3).astype(np.float16)
    found = []
    for part, result in zip(TRIAL.parts, fold_results(0.6, 0.7, 0.9), strict=True):
        held = training_images(part, blobs)[1]
        assert held is not None
        path = tmp_path / f"{part.id}.validation.npz"
        np.savez(path, probabilities=told[held])
        digest = sha256_of(path)
        path.rename(artifact_path(tmp_path, part.id, digest, ".validation.npz"))
        found.append(Record(part, replace(result, files={"validation": digest})))
    return tmp_path, blobs, found, told


def test_the_answers_of_folds_are_an_answer_to_every_training_image(
    answered: tuple[Path, Dataset, list[Record], np.ndarray],
) -> None:
    folder, data, folds, told = answered
    answers = FoldAnswers(folder, lambda trial: data)
    result = answers.put_together(TRIAL, folds, mean_of_folds(TRIAL, folds))
    path = artifact_path(folder, TRIAL.id, result.files["validation"], ".validation.npz")
    np.testing.assert_array_equal(load_validation(path, result.files["validation"], len(told), 3), told)
    again = answers.put_together(TRIAL, folds, mean_of_folds(TRIAL, folds))
    assert again == result  # the same bytes
    answers.forget(folds)
    assert list(folder.iterdir()) == [path]
    assert answers.put_together(TRIAL, folds, mean_of_folds(TRIAL, folds)).files == {}  # a fold's are lost


class OneAtATime(Executor):
    """Trains in this process; folds that `fails` names fail, as the machine's fault."""

    slots = 2

    def __init__(self, fails: Sequence[int] = ()) -> None:
        self._fails, self._calls = fails, dict[str, Trial]()
        self.trained: list[tuple[object, int]] = []

    def submit(self, key: str, argument: object, group: str = "", setting: str = "") -> None:
        assert isinstance(argument, Job)
        self._calls[key] = argument.trial

    def wait(self, timeout: float | None = None) -> Sequence[Outcome]:
        key, trial = self._calls.popitem()
        self.trained.append((trial.values["number"], trial.fold))
        accuracy = random.Random(trial.id).random()  # noqa: S311
        result = whole(Result("completed", val_accuracy=accuracy))
        if trial.fold in self._fails:
            result = Result("failed", "no memory", transient=True, passed={"gigabytes": 1.0})
        return [Outcome(key, result, attempt=Attempt(trial.fold, 10.0 + trial.fold, 1))]

    def close(self) -> None: ...


class Failing(OneAtATime):
    """Trains folds that pass a limit of the search's."""

    def wait(self, timeout: float | None = None) -> Sequence[Outcome]:
        (outcome,) = super().wait(timeout)
        return [replace(outcome, value=replace(outcome.value, transient=False))]


def trial_of(proposal: Proposal) -> Trial:
    return replace(TRIAL, values=proposal.values)


def drive(
    path: Path,
    executor: OneAtATime,
    fresh: bool = False,
    models: Sequence[str] = ("ann",),
    observer: Observer | None = None,
) -> list[Record]:
    with Ledger(path) as ledger:
        ledger.open_search("s", "key", "{}")
        total = 6 if observer else None
        every = [Proposals(model, "blobs", "search", ListedTrials(2), trial_of, lag=1) for model in models]
        runner = Runner("s", ledger, executor, lambda t: Job(t, Path(), Path()), observer or Silent(), fresh)
        runner.drive("search", every, total)
        assert ledger.count_finished("s") == 2 * len(models)
        attempts = ledger.attempts("s")
        found = [record for _, record in ledger.all_search_trials("s") if record is not None]
        assert {attempts[record.trial.id] for record in found} == {Attempt(1.0, 13.0)}
        return found


ALL = {(number, fold) for number in (0, 1) for fold in (1, 2, 3)}


def test_a_fold_is_trained_once_whoever_asks_for_it(tmp_path: Path) -> None:
    executor = OneAtATime()
    found = drive(tmp_path / "l", executor, models=("ann", "again"))
    assert len(executor.trained) == 6
    assert set(executor.trained) == ALL
    assert len(found) == 4
    assert len({record.trial.id for record in found}) == 2


def test_of_a_trial_that_the_machine_failed_the_folds_that_failed_are_trained_again(tmp_path: Path) -> None:
    failed = drive(tmp_path / "l", OneAtATime(fails=(2,)))
    assert {record.result.error for record in failed} == {"fold 2 of 3 failed: no memory"}
    executor = OneAtATime()
    found = drive(tmp_path / "l", executor)
    assert sorted(executor.trained) == [(0, 2), (1, 2)]
    assert all(record.completed for record in found)
    assert found == drive(tmp_path / "whole", OneAtATime())


def test_a_limit_that_is_raised_trains_the_fold_that_passed_it_again(tmp_path: Path) -> None:
    assert not any(record.completed for record in drive(tmp_path / "l", Failing(fails=(2, 3))))
    unchanged = OneAtATime()
    unchanged.limits = Limits(gigabytes=1.0)
    drive(tmp_path / "l", unchanged)
    assert unchanged.trained == []
    more = OneAtATime()
    more.limits = Limits(gigabytes=2.0)
    assert all(record.completed for record in drive(tmp_path / "l", more))
    assert sorted(more.trained) == [(0, 2), (0, 3), (1, 2), (1, 3)]


@pytest.mark.parametrize("fails", [(2,), (2, 3), (1, 2, 3)])
def test_a_trial_whose_folds_failed_counts_as_one_failure_in_a_first_run_and_in_a_resumed_one(
    tmp_path: Path, fails: tuple[int, ...]
) -> None:
    class Broken(Failing):
        """Trains folds that fail by themselves, so that no limit trains them again."""

        def wait(self, timeout: float | None = None) -> Sequence[Outcome]:
            (outcome,) = super().wait(timeout)
            return [replace(outcome, value=replace(outcome.value, passed={}))]

    def last_line() -> str:
        output = io.StringIO()
        with ProgressReport(Console(file=output, width=80), lambda: "one at a time") as report:
            drive(tmp_path / "l", Broken(fails=fails), observer=report)
        return output.getvalue().splitlines()[-1]

    assert last_line() == "search: 6/6, 2 failed"
    assert last_line() == "search: 6/6, 2 failed, 6 from before"
    with sqlite3.connect(tmp_path / "l") as ledger:  # as a run leaves it that is killed before it counts the trials
        ledger.execute("DELETE FROM trials WHERE json_extract(content, '$.fold') IS NULL")
    ledger.close()
    assert last_line() == "search: 6/6, 2 failed, 6 from before"


def test_a_fresh_search_trains_every_fold_again_once(tmp_path: Path) -> None:
    before = drive(tmp_path / "l", OneAtATime())
    executor = OneAtATime()
    assert drive(tmp_path / "l", executor, fresh=True, models=("ann", "again"))[:2] == before
    assert len(executor.trained) == 6
    assert set(executor.trained) == ALL


def test_the_time_of_a_trial_is_that_of_all_its_folds() -> None:
    values = {"units": 8, "batch_size": 10}
    trial = replace(TRIAL, values=values)
    load = load_of(trial, 1.0, 90)
    assert (load.steps, load.work) == pytest.approx((6.0, 60 + FORWARD * 30))  # a fold of 30 validates, 60 are fitted
    record = Record(trial, mean_of_folds(trial, records(trial, fold_results(0.6, 0.7, 0.9))))
    found = measured(record, load, set())
    assert found is not None
    # 9 seconds are 3 a fold, less 4 epochs of 1.5
    assert (found.per_epoch, found.beside) == (1.5, 0.0)
    short = Record(trial, replace(record.result, seconds=24.0))
    assert measured(short, load, set()).beside == 2.0  # type: ignore[union-attr]
    (training,) = Steps(lambda one: load, ()).of([trial])
    assert training.weight == 3.0
