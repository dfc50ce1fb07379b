"""Ensembles in a run: members are retrained once, and the ensembles made of what is recorded, whatever was killed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up import RAW, Project, first
from observers import Silent
from rich.console import Console

from tuner.analysis.ensemble import chosen_ensembles, parts_of
from tuner.analysis.findings import Findings
from tuner.analysis.looks import looks_at
from tuner.analysis.results_table import results_table
from tuner.datasets.base import Dataset
from tuner.executors import Executor, LocalExecutor, Outcome
from tuner.report import report_of
from tuner.report.comparison import comparison_frame
from tuner.report.markdown import report_markdown
from tuner.running.control import Control
from tuner.running.loop import Runner
from tuner.running.planned import Prepared, all_ensemble_proposals, all_final_proposals, member_models
from tuner.running.search import StartedSearch
from tuner.trial import ENSEMBLE, Job, Record, Result, Trial, artifact_path


class KilledError(Exception):
    """Stands for the main process's death at this moment."""


class Trainer(Executor):
    """Leaves made-up files for each final trial that it is given, and dies after so many."""

    def __init__(self, data: Dataset, folder: Path, dies_after: int | None = None, fails: str = "") -> None:
        self.slots, self._data, self._folder, self._dies_after, self._fails = 2, data, folder, dies_after, fails
        folder.mkdir(parents=True, exist_ok=True)
        self._calls: dict[str, Job] = {}
        self.trained: list[Job] = []

    def submit(self, key: str, argument: object, group: str = "", setting: str = "") -> None:
        assert isinstance(argument, Job)
        self._calls[key] = argument

    def wait(self, timeout: float | None = None) -> Sequence[Outcome]:
        if len(self.trained) == self._dies_after:
            raise KilledError
        key = next(iter(self._calls))
        self.trained.append(job := self._calls.pop(key))
        if job.trial.family == self._fails:
            return [Outcome(key, Result("failed", "it | broke"))]
        return [Outcome(key, self._result(job))]

    def _result(self, job: Job) -> Result:
        labels, trial = self._data.y_test, job.trial
        right = first(35 + int(trial.id[0], 16) // 2 + 2 * (trial.family == ENSEMBLE))
        probabilities = np.full((len(labels), 3), 0.1, np.float32)
        probabilities[np.arange(len(labels)), np.where(right, labels, (labels + 1) % 3)] = 0.8
        files = {}
        for kind, suffix in (("model", ".keras"), ("predictions", ".npz")):
            path = self._folder / f"{trial.id}.npz"
            np.savez(path, probabilities=probabilities, labels=labels)
            files[kind] = hashlib.sha256(path.read_bytes()).hexdigest()
            path.rename(artifact_path(self._folder, trial.id, files[kind], suffix))
        environment: dict[str, object] = {"backend": "tensorflow 0"}
        if trial.family == ENSEMBLE:
            environment["members"] = [hashlib.sha256(path.read_bytes()).hexdigest() for path, _ in job.members]
        return Result(
            "completed",
            parameters=1000,
            test_accuracy=float(right.mean()),
            test_loss=0.5,
            files=files,
            environment=environment,
        )

    def close(self) -> None: ...


def project(folder: Path, data: Dataset, ensemble: int = 3, **raw: object) -> Project:
    made = Project(
        folder, data, {**RAW, "published": {"study": "S"}, "report": {"ensemble": ensemble} if ensemble else {}, **raw}
    )
    right = [~np.isin(np.arange(12), range(3 * k, 3 * k + 3)) for k in range(3)]
    made.searched("ann", [0.75, 0.5], answers=[right[0], np.arange(12) < 6])
    made.searched("cnn", [0.75, 0.75, 0.6, 0.5], answers=[right[1], right[2], right[0], ~right[0]])
    return made


def go(made: Project, dies_after: int | None = None, fails: str = "", fresh: bool = False) -> Trainer:
    """Retrain and make ensembles, as `StartedSearch` does."""
    data, workspace, ledger = made.data, made.workspace, made.ledger
    trainer = Trainer(data, workspace.artifacts, dies_after, fails)
    prepared = {"blobs": Prepared(data.fingerprint, Path(), data.shape, 3, len(data.y_train))}

    def job_of(trial: Trial) -> Job:
        return Job(trial, Path(), workspace.artifacts, members=member_models(trial, ledger, workspace))

    runner = Runner(made.search.name, ledger, trainer, job_of, Silent(), fresh)
    for proposals_of in (all_final_proposals, all_ensemble_proposals):
        found = proposals_of(made.search, ledger, prepared, workspace)
        runner.drive("x", [one for one, _ in found], sum(count for _, count in found))
    return trainer


class Here(Trainer, LocalExecutor):
    """Stands for the workers of this machine."""

    def waiting_groups(self) -> set[str]:
        return set()


def test_a_step_of_the_run_makes_them_with_the_workers_of_this_machine(tmp_path: Path, blobs: Dataset) -> None:
    made = project(tmp_path, blobs)
    total = len(go(made).trained)
    made.ledger.close()
    again = project(tmp_path / "again", blobs)
    prepared = {"blobs": Prepared(blobs.fingerprint, Path(), blobs.shape, 3, len(blobs.y_train))}
    pool, workspace = Here(blobs, again.workspace.artifacts), again.workspace

    def job_of(trial: Trial) -> Job:
        return Job(trial, Path(), workspace.artifacts, members=member_models(trial, again.ledger, workspace))

    runner = Runner(again.search.name, again.ledger, pool, job_of, Silent())
    console = Console(quiet=True)
    control = Control(again.search, again.ledger, console)
    step = StartedSearch(again.search, workspace, again.ledger, runner, prepared, console, None, pool, control)
    step.make_ensembles()
    assert pool.trained == []  # none of whose members is trained
    step.retrain_winners()
    step.make_ensembles()
    assert len(pool.trained) == total
    assert [job.trial.family for job in pool.trained[-2:]] == [ENSEMBLE] * 2
    before = listed(again)
    step.retrain_winners()
    assert listed(again) == before, "a run that is killed here leaves the ensemble in its report"


def listed(made: Project) -> list[tuple[str, str, int, str]]:
    trials = made.ledger.search_trials("small")
    return [(one.model, one.dataset, one.number, one.trial) for one, _ in trials if one.role == "final"]


def test_members_that_are_winners_are_shared_and_the_others_trained_once(tmp_path: Path, blobs: Dataset) -> None:
    made = project(tmp_path, blobs)
    trainer = go(made)
    ensembles = [job for job in trainer.trained if job.trial.family == ENSEMBLE]
    members = [job.trial.id for job in trainer.trained if job.trial.family != ENSEMBLE]
    assert len(ensembles) == made.search.repeats == 2
    assert len(members) == len(set(members)) == 3 * 2  # ANN, CNN, and the CNN that is no winner
    assert {model for model, *_ in listed(made)} == {"ann", "cnn", "ensemble-of-3", "ensemble-of-3-member-3"} or {
        model for model, *_ in listed(made)
    } == {"ann", "cnn", "ensemble-of-3", "ensemble-of-3-member-2"}
    for repeat, job in enumerate(ensembles, start=1):
        finals = [made.ledger.get(part.final) for part in parts_of(job.trial)]
        assert {one.trial.seed for one in finals if one} == {repeat}
        assert [weight for _, weight in job.members] == [part.weight for part in parts_of(job.trial)]
        assert all(path.is_file() for path, _ in job.members)
    assert go(made).trained == []


def test_killed_at_any_point_and_run_again_it_is_the_same(tmp_path: Path, blobs: Dataset) -> None:
    whole = project(tmp_path / "whole", blobs)
    total = len(go(whole).trained)
    for dies_after in range(total):
        made = project(tmp_path / str(dies_after), blobs)
        with pytest.raises(KilledError):
            go(made, dies_after)
        again = go(made)
        assert len(again.trained) == total - dies_after
        assert listed(made) == listed(whole)
        made.ledger.close()
    assert sum(model == "ensemble-of-3" for model, *_ in listed(whole)) == 2


def test_an_ensemble_that_is_lost_or_whose_member_is_another_now_is_made_again(tmp_path: Path, blobs: Dataset) -> None:
    made = project(tmp_path, blobs)
    trainer = go(made)
    ensemble = next(job.trial for job in trainer.trained if job.trial.family == ENSEMBLE)
    record = made.ledger.get(ensemble.id)
    assert record is not None
    artifact_path(made.workspace.artifacts, ensemble.id, record.result.files["model"], ".keras").unlink()
    assert [job.trial.id for job in go(made).trained] == [ensemble.id]
    part = parts_of(ensemble)[0]
    member = made.ledger.get(part.final)
    assert member is not None
    other = hashlib.sha256(b"another").hexdigest()
    artifact_path(made.workspace.artifacts, part.final, other, ".keras").write_bytes(b"another")
    made.ledger.forget_trial(part.final)
    files = {**member.result.files, "model": other}
    made.ledger.record(Record(member.trial, replace(member.result, files=files)))
    assert [job.trial.id for job in go(made).trained] == [ensemble.id]


def test_a_plan_counts_the_members_that_are_no_winners(tmp_path: Path, blobs: Dataset) -> None:
    assert project(tmp_path / "a", blobs).search.most_retrained == 2 + 3 - 1
    assert project(tmp_path / "b", blobs, choose="smallest within one standard error").search.most_retrained == 2 + 3
    assert project(tmp_path / "c", blobs, ensemble=0).search.most_retrained == 2


def found(made: Project, **how: str) -> Findings:
    go(made, **how)  # type: ignore[arg-type]
    return made.findings()


def test_the_ensemble_is_a_row_that_is_judged_like_any_other(tmp_path: Path, blobs: Dataset) -> None:
    made = project(tmp_path, blobs)
    findings = found(made)
    assert [(one.model, len(one.finals)) for one in findings.chosen] == [("ann", 2), ("cnn", 2), ("ensemble-of-3", 2)]
    frame = comparison_frame(findings)
    assert list(frame["file"]) == ["ann-blobs.keras", "cnn-blobs.keras", "ensemble-of-3-blobs.keras"]
    assert list(frame["search_score"]) == [0.75, 0.75, 1.0]
    report = report_markdown(report_of(findings))
    for said in (
        "| ensemble of 3 ",
        "3 times the one was added with which the mean of the probabilities scored best on validation images",
        "On blobs, the mean scored 1.0000 on validation images, and the best of the 6 trials by itself 0.7500. Both "
        "are flattered",
        "Against the best single model: On blobs, **ensemble of 3 ",
        "mean of the probabilities of 1 × ",
        "by each member for its own epochs; seed 1",
    ):
        assert said in report, said
    assert "| ensemble of 3 " in results_table(made.search, made.ledger.search_trials("small"))
    looks = looks_at(made.ledger, blobs.fingerprint, made.workspace.store)
    assert (looks.scorings, looks.models) == (8, 4)  # the ensembles of both repeats are one model


def test_why_there_is_no_ensemble_is_said(tmp_path: Path, blobs: Dataset) -> None:
    failed = report_markdown(report_of(found(project(tmp_path / "failed", blobs), fails=ENSEMBLE)))
    assert "On blobs, no ensemble could be made; see the failed trials below." in failed
    assert "it \\| broke" in failed
    made = project(tmp_path / "still", blobs)
    for model in ("ann", "cnn"):
        trial = next(r.trial for one, r in made.ledger.search_trials("small") if r and one.model == model)
        made.retrained(model, trial, [first(40), first(41)])
    assert "On blobs, the ensemble is still to be made: run the search again." in report_markdown(
        report_of(made.findings())
    )
    one = Project(tmp_path / "one", blobs, {**RAW, "published": {"study": "S"}, "report": {"ensemble": 2}})
    one.searched("ann", [1.0, 0.5], answers=[first(12, 12), first(6, 12)])
    said = "On blobs, there is no ensemble: no mean of several trials scored better than the best trial alone."
    assert said in report_markdown(report_of(found(one)))
    none = Project(tmp_path / "none", blobs, {**RAW, "published": {"study": "S"}, "report": {"ensemble": 2}})
    none.searched("ann", [1.0, 0.5])
    assert "On blobs, there is no ensemble: of no trial there are answers that can be scored." in report_markdown(
        report_of(found(none))
    )


def test_an_ensemble_of_an_earlier_choice_is_left_out(tmp_path: Path, blobs: Dataset) -> None:
    made = project(tmp_path, blobs)
    go(made)
    choice = chosen_ensembles(made.search, made.ledger.search_trials("small"), made.workspace)["blobs"]
    lost = choice.members[1].record
    artifact_path(made.workspace.artifacts, lost.trial.id, lost.result.files["validation"], ".validation.npz").unlink()
    findings = made.findings()
    assert [one.model for one in findings.chosen] == ["ann", "cnn"]
    assert json.dumps(listed(made)).count('"ensemble-of-3"') == 2
