"""A search whose file was edited has still what its new space contains: nothing of that is trained again or unheard."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from observers import Silent
from rich.console import Console
from test_loop import CrashError, SimulatedExecutor

from tuner.datasets.base import Dataset
from tuner.errors import InputError
from tuner.ledger.ledger import Ledger, SearchTrial
from tuner.ledger.requests import Change, Decision, Request
from tuner.running.changed import Before, opened
from tuner.running.checked import laid_out
from tuner.running.control import Control
from tuner.running.loop import Runner
from tuner.running.options import RunOptions
from tuner.running.planned import Prepared, all_search_proposals
from tuner.running.planning.plan import make_plan
from tuner.running.planning.wording import Plan
from tuner.running.proposals import Proposals
from tuner.search_file.file import parse_search
from tuner.search_file.model import Given, Search
from tuner.search_file.overrides import Overrides
from tuner.trial import Job, Record, Trial
from tuner.workspace import Workspace

#: A range whose values nobody lists, so that a wider one has other draws; and a wider one.
NARROW = {"dropout": {"min": 0.0, "max": 0.4}, "dense_units": [8, 16]}
WIDE = {"dropout": {"min": 0.0, "max": 0.6}, "dense_units": [8, 16, 32]}
DRAWING = ("random", "bayesian", "tpe", "random, with folds")
LEARNING = ("bayesian", "tpe")


class Edited:
    """A search in a folder of its own, whose file is edited; what it trains is made up."""

    def __init__(self, folder: Path, data: Dataset) -> None:
        self.folder, self.data = folder, data
        self.workspace = Workspace(folder / "runs", folder / "reports")
        self.trained: list[str] = []
        self.said: list[str] = []

    def search(
        self, algorithm: str, max_trials: int | None, space: dict[str, Any] | None = None, **more: Any
    ) -> Search:
        entry = {"family": "ann", "algorithm": algorithm.partition(",")[0], "space": space or NARROW}
        entry |= {} if max_trials is None else {"max_trials": max_trials}
        entry |= {"prune": "halving"} if algorithm.endswith("pruned") else {}
        folds = {"folds": 3} if algorithm.endswith("folds") else {}
        top = {name: more.pop(name) for name in ("training", "seed", "repeats") if name in more}
        raw = {"title": "x", "dataset": "blobs", "training": {"epochs": 9}, **folds, **top, "search": [entry | more]}
        search = parse_search(raw, "s", self.folder, Overrides(train_size=60), "0" * 16)
        return replace(search, given=Given({"blobs": self.data}, {}))

    @property
    def prepared(self) -> dict[str, Prepared]:
        return {"blobs": laid_out(self.data, self.workspace, write=False)}

    def run(self, search: Search, executor: SimulatedExecutor | None = None, fresh: bool = False) -> list[Trial]:
        """Run a search as `started` and `StartedSearch.search_trials` do; return its trials in their order."""
        executor = executor or one_worker()
        with Ledger(self.workspace.ledger) as ledger:
            search, before = opened(search, self.prepared, ledger, fresh)
            self.said = before.at_start(search) if before else []
            control = Control(search, ledger, Console(quiet=True))
            job_of: Callable[[Trial], Job] = lambda trial: Job(trial, Path(), Path())  # noqa: E731
            runner = Runner("s", ledger, executor, job_of, Silent(), fresh, control=control)
            try:
                runner.drive("search", all_search_proposals(search, self.prepared, {}, control.left_out), None)
            finally:
                self.trained = executor.trained
        return [record.trial for _, record in self.table() if record]

    def plan(self, search: Search) -> Plan:
        return make_plan(search, self.workspace, Console(quiet=True), RunOptions())

    def table(self) -> list[tuple[SearchTrial, Record | None]]:
        with Ledger(self.workspace.ledger) as ledger:
            return ledger.all_search_trials("s")

    def completed(self) -> list[str]:
        return [listed.trial for listed, record in self.table() if record and record.completed]


def one_worker() -> SimulatedExecutor:
    return SimulatedExecutor(1, random.Random(0))  # noqa: S311


@pytest.fixture(autouse=True)
def without_a_forecast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Build and train nothing for a plan."""
    monkeypatch.setattr("tuner.running.planning.plan.foretold", lambda *_: (None, "none was asked for"))


@pytest.fixture
def edited(tmp_path: Path, blobs: Dataset) -> Edited:
    return Edited(tmp_path, blobs)


@pytest.mark.parametrize("algorithm", DRAWING)
class TestAWiderSpace:
    def test_has_all_that_completed_first_and_trains_as_many_as_are_left_of_max_trials(
        self, algorithm: str, edited: Edited
    ) -> None:
        edited.run(edited.search(algorithm, 12))
        before = edited.completed()
        assert len(before) > 4
        whole = edited.run(edited.search(algorithm, 20, WIDE))
        assert [trial.id for trial in whole[: len(before)]] == before
        assert len(whole) == len({trial.id for trial in whole}) == 20
        trained = {name for one in whole for name in (part.id for part in one.parts or (one,))} & set(edited.trained)
        assert trained == set(edited.trained)
        assert len(edited.trained) == (20 - len(before)) * (3 if algorithm.endswith("folds") else 1)
        assert edited.said == [
            "s has changed since it last ran ([[search]] 1.space.dropout.max, [[search]] 1.space.dense_units, "
            "[[search]] 1.max_trials): of the 12 trials that finished then, what is its own still is not trained "
            "again.",
            f"ANN on blobs: {len(before)} earlier trials count; {20 - len(before)} new ones follow.",
        ]

    def test_is_the_same_however_often_it_is_killed_and_however_many_train(
        self, algorithm: str, edited: Edited, tmp_path: Path, blobs: Dataset
    ) -> None:
        other = Edited(tmp_path / "killed", blobs)
        for one in (edited, other):
            one.run(one.search(algorithm, 8))
        whole = edited.run(edited.search(algorithm, 14, WIDE))
        trained: list[str] = []
        for life in range(60):
            executor = SimulatedExecutor(1 + life % 3, random.Random(life), crash_after=life % 4)  # noqa: S311
            try:
                found = other.run(other.search(algorithm, 14, WIDE), executor)
                break
            except CrashError:
                pass
            finally:
                trained += executor.trained
        else:
            pytest.fail("the search never ended")
        assert life > 2
        assert found == whole
        assert [one for one, _ in other.table()] == [one for one, _ in edited.table()]
        assert len(trained) == len(set(trained)), "a trial was trained twice"

    def test_is_planned_as_it_runs(self, algorithm: str, edited: Edited) -> None:
        edited.run(edited.search(algorithm, 8))
        before = len(edited.completed())
        wider = edited.search(algorithm, 14, WIDE)
        plan = edited.plan(wider)
        (part,) = plan.parts
        assert (part.configurations, part.recorded, part.to_train + part.unknown) == (14, before, 14 - before)
        assert plan.left_behind is not None
        assert (plan.left_behind.total, plan.left_behind.left) == (8, 8 - before)
        assert f"ANN on blobs: {before} earlier trials count; {14 - before} new ones follow." in plan.notes
        whole = edited.run(wider)
        assert list(plan.notes) == edited.said[1:]
        assert len(whole) == 14
        (part,) = edited.plan(wider).parts
        assert (part.configurations, part.recorded, part.to_train, part.unknown) == (14, 14, 0, 0)

    def test_that_asks_for_no_more_trials_has_no_new_one_and_says_so(self, algorithm: str, edited: Edited) -> None:
        edited.run(edited.search(algorithm, 8))
        before = edited.completed()
        edited.run(edited.search(algorithm, len(before), WIDE))
        assert edited.completed() == before
        assert edited.trained == []
        assert edited.said[1] == (
            f"ANN on blobs: {len(before)} earlier trials count, and no new one follows, as max_trials is "
            f"{len(before)}: raise it for new ones."
        )

    def test_edited_again_has_what_it_had_and_what_came_since(self, algorithm: str, edited: Edited) -> None:
        edited.run(edited.search(algorithm, 6))
        edited.run(edited.search(algorithm, 10, WIDE))
        both = edited.completed()
        whole = edited.run(edited.search(algorithm, 14, {**WIDE, "dense_units": [8, 16, 32, 64]}))
        assert [trial.id for trial in whole[: len(both)]] == both

    def test_of_which_more_trials_alone_are_asked_is_what_it_would_have_been_with_them(
        self, algorithm: str, edited: Edited, tmp_path: Path, blobs: Dataset
    ) -> None:
        edited.run(edited.search(algorithm, 8))
        found = edited.run(edited.search(algorithm, 14))
        count = len([record for _, record in edited.table()[:8] if record and record.completed])
        assert (
            edited.said[1] == f"ANN on blobs: {count} earlier trials count; it proposes them again, each in its place."
        )
        other = Edited(tmp_path / "other", blobs)
        assert found == other.run(other.search(algorithm, 14))

    def test_with_configurations_to_try_first_tries_those_that_are_new_and_no_other_twice(
        self, algorithm: str, edited: Edited
    ) -> None:
        whole = edited.run(edited.search(algorithm, 8))
        before = edited.completed()
        known = next(trial for trial in whole if trial.id == before[0])
        given = [{name: known.values[name] for name in NARROW}, {"dropout": 0.55, "dense_units": 32}]
        found = edited.run(edited.search(algorithm, len(before), WIDE, try_first=given))
        assert [trial.id for trial in found[:-1]] == before
        assert found[-1].values["dropout"] == 0.55


@pytest.mark.parametrize("algorithm", LEARNING)
class TestWhatLearns:
    def test_hears_of_all_earlier_trials_before_it_proposes_a_new_one(
        self, algorithm: str, edited: Edited, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        edited.run(edited.search(algorithm, 10))
        before = len(edited.completed())
        told: list[tuple[int, int]] = []
        tell = Proposals._tell

        def noted(self: Proposals) -> bool:
            told.append((self.proposed, self._told))
            return tell(self)

        monkeypatch.setattr(Proposals, "_tell", noted)
        edited.run(edited.search(algorithm, 14, WIDE))
        assert {number for proposed, number in told if proposed <= before} == set(range(before))

    def test_proposes_other_than_what_has_not_heard_or_heard_otherwise(
        self, algorithm: str, edited: Edited, tmp_path: Path, blobs: Dataset
    ) -> None:
        unheard, otherwise = Edited(tmp_path / "unheard", blobs), Edited(tmp_path / "otherwise", blobs)
        for one in (edited, otherwise):
            one.run(one.search(algorithm, 24))
        before = len(edited.completed())
        with Ledger(otherwise.workspace.ledger) as ledger:
            ledger._db.execute("UPDATE trials SET val_accuracy = 1 - val_accuracy")
        wider = edited.search(algorithm, before + 4, WIDE)
        new = [trial.values for trial in edited.run(wider)[before:]]
        assert len(new) == 4
        assert new != [trial.values for trial in unheard.run(wider)[:4]]
        assert new != [trial.values for trial in otherwise.run(wider)[before:]]


class TestWhatIsNotItsOwn:
    def test_is_left_behind_outside_a_narrower_space_or_a_rule(self, edited: Edited) -> None:
        edited.run(edited.search("random", 12, WIDE))
        finished = [record for _, record in edited.table() if record and record.completed]
        narrow = edited.search("random", 12, NARROW, rules={"where": ["dropout > 0.1"]})
        whole = edited.run(narrow)
        inside = [
            record.trial
            for record in finished
            if 0.1 < float(record.trial.values["dropout"]) <= 0.4 and record.trial.values["dense_units"] != 32
        ]
        assert 0 < len(inside) < len(finished)
        assert whole[: len(inside)] == inside
        assert len(whole) == 12

    @pytest.mark.parametrize("change", [{"training": {"epochs": 8}}, {"seed": 1}])
    def test_is_what_another_budget_or_seed_trained(self, change: dict[str, Any], edited: Edited) -> None:
        edited.run(edited.search("random", 6))
        edited.run(edited.search("random", 6, WIDE, **change))
        assert len(edited.trained) == 6
        assert edited.said[1] == "ANN on blobs: no earlier trial is one of its own now."

    def test_is_what_a_fresh_run_trains_again(self, edited: Edited) -> None:
        edited.run(edited.search("random", 6))
        edited.run(edited.search("random", 6, WIDE), fresh=True)
        assert len(edited.trained) == 6
        assert edited.said == [
            "s has changed since it last ran ([[search]] 1.space.dropout.max, [[search]] 1.space.dense_units): a fresh "
            "run begins with none of its trials."
        ]

    @pytest.mark.parametrize(("algorithm", "what"), [("hyperband", "hyperband"), ("tpe, pruned", "what is pruned")])
    def test_is_what_an_algorithm_with_rungs_does_not_propose_which_is_said(
        self, algorithm: str, what: str, edited: Edited
    ) -> None:
        edited.run(edited.search(algorithm, 6))
        edited.run(edited.search(algorithm, 6, WIDE))
        assert edited.said[1:] == [
            f"ANN: {what} goes by what it proposes itself: proposals begin with the first, and earlier trials count "
            "where they are proposed again."
        ]

    def test_is_nothing_of_a_model_search_that_was_added_but_of_one_that_was_renamed(self, edited: Edited) -> None:
        edited.run(edited.search("random", 6))
        before = edited.completed()
        assert edited.run(edited.search("random", 8, WIDE, name="wide"))[: len(before)] != []
        assert edited.completed()[: len(before)] == before
        wide = edited.search("random", 8, WIDE, name="wide")
        added = edited.search("random", 3, {"dense_units": [8, 16], "dropout": {"min": 0.0, "max": 0.5}}, name="more")
        raw = {**wide.raw, "search": [*wide.raw["search"], *added.raw["search"]]}
        both = replace(parse_search(raw, "s", edited.folder, wide.overrides, "0" * 16), given=wide.given)
        edited.run(both)
        assert len(edited.trained) == 3
        assert len(edited.said) == 2
        assert edited.said[1].startswith("wide on blobs: ")


@pytest.mark.parametrize("algorithm", DRAWING)
def test_what_an_edit_kept_is_kept_by_the_next_one_though_no_run_of_the_first_got_to_list_it(
    algorithm: str, edited: Edited
) -> None:
    edited.run(edited.search(algorithm, 5))
    done = edited.completed()
    with Ledger(edited.workspace.ledger) as ledger:  # a run that is killed as it begins
        _, before = opened(edited.search(algorithm, 8, WIDE), edited.prepared, ledger)
        assert before is not None
        kept = [one.trial for one in before.earlier]
        assert ledger.all_search_trials("s") == []
    assert kept
    edited.run(edited.search(algorithm, 9, {**WIDE, "dense_units": [8, 16, 32, 64]}))
    assert edited.said
    assert "has changed since it last ran" in edited.said[0]
    assert [trial for trial in edited.completed() if trial in set(done)] == kept
    assert not set(edited.trained) & set(kept)


def test_a_longer_grid_trains_what_is_new(edited: Edited) -> None:
    edited.run(edited.search("grid", None, {"dense_units": [4, 8]}))
    longer = edited.search("grid", None, {"dense_units": [4, 8, 16, 32]})
    plan = edited.plan(longer)
    assert (plan.parts[0].recorded, plan.parts[0].to_train) == (2, 2)
    edited.run(longer)
    assert len(edited.trained) == 2
    with Ledger(edited.workspace.ledger) as ledger:
        assert ledger.earlier("s") == ()


def test_a_random_search_in_the_place_of_a_grid_has_its_trials(edited: Edited) -> None:
    edited.run(edited.search("grid", None, {"dense_units": [4, 8, 16]}))
    before = edited.completed()
    whole = edited.run(edited.search("random", 5, {"dense_units": [4, 8, 16, 32], "dropout": [0.0, 0.5]}))
    assert [trial.id for trial in whole[: len(before)]] == before
    assert len(whole) == 5


def test_decisions_by_hand_of_before_are_counted_as_dropped(edited: Edited) -> None:
    edited.run(edited.search("random", 6))
    with Ledger(edited.workspace.ledger) as ledger:
        for number, refused in enumerate(("", "it had ended", "")):
            ledger.ask("s", Request("skip", "ab" * 8))
            ledger.decide("s", Decision(2 * number, "skip", "ab" * 8, 6, refused=refused))
        ledger.ask("s", Request("pause"))
        ledger.decide("s", Decision(6, "pause", "", 6))
    wider = edited.search("random", 8, WIDE)
    assert "2 decisions that were made by hand are no part of it any more." in edited.plan(wider).notes
    edited.run(wider)
    assert edited.said[-1] == "2 decisions that were made by hand are no part of it any more."


def test_a_number_that_somebody_changes_by_hand_counts_earlier_trials_too(edited: Edited) -> None:
    edited.run(edited.search("random", 6))
    edited.run(edited.search("random", 8, WIDE))
    with Ledger(edited.workspace.ledger) as ledger:
        ledger.ask("s", Request("max_trials", model="ann", max_trials=10))
        change = Change("blobs", 8, 0, True, limit=10)
        decision = Decision(1, "max_trials", "", 8, model="ann", max_trials=10, instead_of=8, changes=(change,))
        ledger.decide("s", decision)
    wider = edited.search("random", 8, WIDE)
    assert edited.plan(wider).parts[0].configurations == 10
    assert len(edited.run(wider)) == 10
    assert len(edited.trained) == 2


def test_what_somebody_else_wrote_of_earlier_trials_is_refused_in_a_line(edited: Edited) -> None:
    edited.run(edited.search("tpe", 6))
    edited.run(edited.search("tpe", 8, WIDE))
    with Ledger(edited.workspace.ledger) as ledger:
        ledger._db.execute("UPDATE events SET content = replace(content, '\"dense_units\": 8', '\"dense_units\": 5')")
    with pytest.raises(InputError, match=r"the earlier trial .* of ann: dense_units: 5 is not among the values"):
        edited.run(edited.search("tpe", 8, WIDE))


def test_what_is_written_at_the_start_is_written_whole_or_not_at_all(
    edited: Edited, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited.run(edited.search("random", 6))
    before = edited.completed()
    monkeypatch.setattr(Ledger, "_note", lambda *_: (_ for _ in ()).throw(CrashError))
    wider = edited.search("random", 8, WIDE)
    with pytest.raises(CrashError):
        edited.run(wider)
    monkeypatch.undo()
    assert edited.completed() == before
    with Ledger(edited.workspace.ledger) as ledger:
        assert Before.read(ledger, wider, "another key") is not None
    assert [trial.id for trial in edited.run(wider)[: len(before)]] == before
