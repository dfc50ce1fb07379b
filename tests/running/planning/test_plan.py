"""What a run would do: what is recorded and counts, what is to be trained, what an edited file leaves behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from made_up import Project, first
from rich.console import Console

import tuner
from tuner.cli import app
from tuner.datasets.base import Dataset
from tuner.errors import InputError
from tuner.ledger.events import Event, Stop
from tuner.ledger.ledger import SearchTrial
from tuner.oracles import ALGORITHMS
from tuner.oracles.base import Algorithm, Oracle, Pause, Proposal
from tuner.oracles.grid import GridOracle
from tuner.running.checked import laid_out, run_key
from tuner.running.options import RunOptions
from tuner.running.planning import replay
from tuner.running.planning.plan import make_plan
from tuner.running.planning.wording import Plan
from tuner.search_file.file import parse_search
from tuner.search_file.model import Given, Search
from tuner.search_file.overrides import Overrides
from tuner.trial import Record, Result

ANN = {"family": "ann", "space": {"dense_units": [4, 8, 16, 32]}}


def search_of(data: Dataset, folder: Path, *entries: dict[str, Any], **more: Any) -> Search:
    raw = {"title": "x", "dataset": "blobs", "repeats": 2, "training": {"epochs": 9}, **more, "search": [*entries]}
    search = parse_search(raw, "small", folder, Overrides(train_size=60), "0" * 16)
    return replace(search, given=Given({"blobs": data}, {}))


class Projects:
    """Makes projects on the blobs, as a run would have left them, and plans searches there."""

    def __init__(self, folder: Path, data: Dataset) -> None:
        self.folder, self.data = folder, data

    def make(self, *entries: dict[str, Any], **more: Any) -> Project:
        search = search_of(self.data, self.folder, *entries, **more)
        project = Project(self.folder, self.data, dict(search.raw))
        key = run_key(search, {"blobs": laid_out(self.data, project.workspace, write=False)})
        project.ledger.open_search("small", key, search.to_json())
        return project

    def plan(self, project: Project, *entries: dict[str, Any], **more: Any) -> Plan:
        search = search_of(self.data, self.folder, *(entries or project.search.raw["search"]), **more)
        return make_plan(search, project.workspace, Console(quiet=True), RunOptions())


@pytest.fixture(autouse=True)
def without_a_forecast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Build and train nothing; what a forecast needs of real networks is in `tests/cli/test_plan_command.py`."""
    monkeypatch.setattr("tuner.running.planning.plan.foretold", lambda *_: (None, "none was asked for"))


@pytest.fixture
def projects(tmp_path: Path, blobs: Dataset) -> Projects:
    return Projects(tmp_path, blobs)


def test_what_never_ran_is_to_be_trained_and_nothing_is_written(tmp_path: Path, blobs: Dataset) -> None:
    from tuner.workspace import Workspace

    workspace = Workspace(tmp_path / "runs", tmp_path / "reports")
    plan = make_plan(search_of(blobs, tmp_path, ANN), workspace, Console(quiet=True), RunOptions())
    assert plan.lines()[:2] == [
        "ANN on blobs: 4 configurations; all are to be trained",
        "2 retrainings of winners that the search will tell",
    ]
    assert list(tmp_path.iterdir()) == []


def test_recorded_trials_count_and_the_rest_is_to_be_trained(projects: Projects) -> None:
    project = projects.make(ANN)
    project.searched("ann", [0.5, 0.6, None])
    (part,) = projects.plan(project).parts
    assert (part.configurations, part.recorded, part.to_train, part.unknown) == (4, 3, 1, 0)


def test_a_failure_of_the_machine_is_to_be_trained_again(projects: Projects) -> None:
    project = projects.make(ANN)
    values = next(iter(project.search.model_searches[0].space.grid()))
    trial = project.search.trial(project.search.model_searches[0], "blobs", projects.data.fingerprint, values, None)
    project.ledger.record(Record(trial, Result("failed", "no memory", transient=True)))
    project.ledger.add("small", SearchTrial("ann", "blobs", "search", 0, trial.id))
    (part,) = projects.plan(project).parts
    assert (part.recorded, part.to_train) == (0, 4)


def test_an_edited_list_reuses_what_it_still_has_and_leaves_the_rest_behind(projects: Projects) -> None:
    project = projects.make(ANN)
    project.searched("ann", [0.5, 0.6, 0.7, 0.8])
    edited = {**ANN, "space": {"dense_units": [8, 16, 64, 128, 256]}}
    plan = projects.plan(project, edited)
    (part,) = plan.parts
    assert (part.recorded, part.to_train) == (2, 3)
    assert plan.left_behind is not None
    assert (plan.left_behind.total, plan.left_behind.left, plan.left_behind.open) == (4, 2, False)
    assert plan.lines()[-2] == (
        "small has changed since it last ran ([[search]] 1.space.dense_units): 2 of the 4 trials that finished then "
        "are left behind; they stay in the ledger"
    )


def test_a_finished_search_trains_nothing_and_knows_its_winners(projects: Projects) -> None:
    project = projects.make(ANN)
    trials = project.searched("ann", [0.5, 0.6, 0.9, 0.8])
    project.retrained("ann", trials[2], [first(30)])
    plan = projects.plan(project)
    assert plan.lines() == [
        "ANN on blobs: 4 configurations; all are recorded and count",
        "2 retrainings of the winners, of which 0 are recorded and count",  # its model's file is none
        "no forecast: none was asked for",
    ]
    assert plan.retrainings.decided


def test_rows_below_a_size_that_no_network_has_are_not_planned(projects: Projects) -> None:
    report = {"also_smaller_than": ["1000 parameters", "100 parameters"]}  # the smallest ANN has 275
    plan = projects.plan(projects.make(ANN, report=report), report=report)
    assert plan.lines()[1] == "4 retrainings of winners that the search will tell"


def test_members_of_an_ensemble_are_planned_but_for_the_one_that_is_a_winner(projects: Projects) -> None:
    report = {"ensemble": 3}
    plan = projects.plan(projects.make(ANN, report=report), report=report)
    assert plan.lines()[1] == "6 retrainings of winners that the search will tell"


def test_retrainings_count_whose_files_are_there(projects: Projects, monkeypatch: pytest.MonkeyPatch) -> None:
    project = projects.make(ANN)
    trials = project.searched("ann", [0.5, 0.6, 0.9, 0.8])
    project.retrained("ann", trials[2], [first(30)])
    monkeypatch.setattr("tuner.running.planning.work.is_lost", lambda record, workspace: False)
    assert projects.plan(project).retrainings.recorded == 1
    open_still = {**ANN, "space": {"dense_units": [4, 8, 16, 32, 64]}}
    plan = projects.plan(project, open_still)
    assert "2 retrainings of winners that the search will tell; 1 are recorded and count if the best so far stay" in (
        "\n".join(plan.lines())
    )


def test_of_a_search_that_prunes_the_further_trainings_are_drawn(
    projects: Projects, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = {**ANN, "space": {"dense_units": list(range(1, 28))}, "prune": "halving"}
    seen = []
    look = replay.look_ahead
    monkeypatch.setattr("tuner.running.planning.work.look_ahead", lambda *given: seen.append(look(*given)) or seen[-1])
    project = projects.make(entry)
    plan = projects.plan(project)
    (part,), (ahead,) = plan.parts, seen
    assert (part.configurations, part.recorded, part.to_train + part.unknown) == (27, 0, 27)
    assert plan.lines()[0].endswith("which of them are trained further is told by results")
    ends = [trial.last_epoch for trial in (*ahead.new, *ahead.drawn)]
    # 27 to the first rung; a third of them, and those that were the best when few had come, to the second, and so on.
    assert ends.count(1) == 27
    assert 9 <= ends.count(3) <= 16
    assert 3 <= ends.count(9) <= 8


class Learning(Algorithm):
    """A grid whose proposals wait for results."""

    name, doc, max_trials, learns = "learning", "x", "needs", True

    def oracle(self, space: Any, seed: int, max_trials: int | None, epochs: int, first: Any = ()) -> Oracle:
        oracle = GridOracle(space)
        oracle.adaptive = True  # type: ignore[misc]
        return oracle


class AtRandom(Algorithm):
    """The first of a grid, in the place of KerasTuner's random search, whose import takes seconds."""

    name, doc = "random", "x"

    def oracle(self, space: Any, seed: int, max_trials: int | None, epochs: int, first: Any = ()) -> Oracle:
        class Few(GridOracle):
            asked = 0

            def propose(self) -> Proposal | Pause:
                self.asked += 1
                return Pause.EXHAUSTED if self.asked > (max_trials or 0) else super().propose()

        return Few(space)


def test_of_an_algorithm_that_learns_only_the_proposals_before_its_lag_are_known(
    projects: Projects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ALGORITHMS, "learning", Learning())
    monkeypatch.setitem(ALGORITHMS, "random", AtRandom())
    entry = {**ANN, "algorithm": "learning", "max_trials": 4, "lag": 1}
    project = projects.make(entry)
    project.searched("ann", [0.5])
    plan = projects.plan(project)
    (part,) = plan.parts
    assert (part.configurations, part.recorded, part.to_train, part.unknown) == (4, 1, 2, 1)
    assert plan.lines()[0] == (
        "ANN on blobs: 4 configurations; 1 recorded trials count, 2 are to be trained for certain, and what the other "
        "1 are is told by results"
    )


def test_of_a_list_too_long_to_look_at_the_rest_is_drawn(projects: Projects, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ALGORITHMS, "random", AtRandom())
    monkeypatch.setattr(replay, "MOST_REPLAYED", 10)
    monkeypatch.setattr(replay, "MOST_DRAWN", 5)
    entry = {**ANN, "space": {"dense_units": list(range(1, 51))}}
    (part,) = projects.plan(projects.make(entry)).parts
    assert (part.configurations, part.to_train, part.unknown) == (50, 10, 40)


def test_a_search_that_its_hours_ended_goes_to_its_report_and_only_then_on(projects: Projects) -> None:
    project = projects.make(ANN)
    project.searched("ann", [0.5, 0.6])
    project.ledger.note("small", Event("ended", 1.0, (Stop("ann", "blobs", 2, 4),)))
    plan = projects.plan(project)
    assert (plan.parts[0].recorded, plan.parts[0].to_train, plan.retrainings.decided) == (2, 0, True)
    project.ledger.close_search("small")
    assert projects.plan(project).parts[0].to_train == 2


SEARCH = """
title = "x"
dataset = "blobs.npz"
[training]
epochs = 2
[[search]]
family = "ann"
[search.space]
dense_units = [4, 8]
"""


@pytest.fixture
def in_project(tmp_path: Path, blobs_npz: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    (tmp_path / "searches").mkdir()
    (tmp_path / "searches" / "small.toml").write_text(SEARCH.replace("blobs.npz", str(blobs_npz)))
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, ["plan", *arguments], catch_exceptions=True)


def test_the_command_prints_sentences_and_json(in_project: Callable[..., Any]) -> None:
    answer = in_project("small")
    assert answer.exit_code == 0, answer.output
    assert "2 configurations; all are to be trained" in answer.stdout
    told = json.loads(in_project("small", "--json").stdout)
    assert [part["to_train"] for part in told["parts"]] == [2]
    assert told == json.loads(json.dumps(tuner.plan("small").to_dict()))


def test_wrong_input_is_one_line(in_project: Callable[..., Any]) -> None:
    answer = in_project("smal")
    assert isinstance(answer.exception, InputError)
    assert "did you mean 'small'?" in str(answer.exception)
    with pytest.raises(InputError, match="workers: is 0; it must be a whole number from 1 on"):
        tuner.plan("small", workers=0)
