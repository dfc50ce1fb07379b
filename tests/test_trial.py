"""A trial's name: a parameter that a family gets later, at the value at which it changes nothing, renames none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from observers import Silent
from recorded import whole

from tuner.executors import Executor
from tuner.families import FAMILIES
from tuner.ledger.ledger import Ledger
from tuner.running.loop import Runner
from tuner.running.planned import all_search_proposals
from tuner.search_file.file import parse_search
from tuner.search_file.model import Search
from tuner.search_file.overrides import Overrides
from tuner.space.parameters import Parameter
from tuner.trial import Job, Record, Result, Trial

LATER = Parameter("noise", 0.0, low=0.0, high=1.0, idle=0.0, doc="added later")
#: One that stands only beside another.
BESIDE = Parameter("noise_kind", "white", ("white", "pink"), when=("batch_norm", (True,)), idle="white")
PREPARED: Any = {"blobs": type("Prepared", (), {"fingerprint": "f" * 16, "shape": (8, 8, 1), "classes": 3})}


def search_of(folder: Path, **space: object) -> Search:
    raw = {
        "title": "x",
        "dataset": "blobs",
        "training": {"epochs": 1},
        "search": [{"family": "ann", "space": {"dense_units": [4, 8], "batch_norm": [False, True], **space}}],
    }
    return parse_search(raw, "mine", folder, Overrides(), "0" * 16)


def trials_of(search: Search) -> list[Trial]:
    (model_search,) = search.model_searches
    return [search.trial(model_search, "blobs", "f" * 16, values, None) for values in model_search.space.grid()]


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what gives the family two parameters that it had not."""
    family = FAMILIES["ann"]
    return lambda: monkeypatch.setattr(type(family), "parameters", (*family.parameters, LATER, BESIDE))


def test_a_new_parameter_at_its_idle_value_renames_no_trial(tmp_path: Path, newer: Any) -> None:
    before = trials_of(search_of(tmp_path))
    newer()
    after = trials_of(search_of(tmp_path))
    assert [trial.id for trial in after] == [trial.id for trial in before]
    assert [trial.compile_group for trial in after] == [trial.compile_group for trial in before]
    assert all(trial.values["noise"] == 0.0 for trial in after)
    assert [trial.values.get("noise_kind") for trial in after] == [None, "white"] * 2
    newly = [set(one.idle) - set(other.idle) for one, other in zip(after, before, strict=True)]
    assert newly == [{"noise"}, {"noise", "noise_kind"}] * 2
    assert len({trial.id for trial in trials_of(search_of(tmp_path, noise=[0.0, 0.5]))}) == 8


def test_a_table_of_class_weights_is_one_trial_in_any_order_and_words_keep_their_names(tmp_path: Path) -> None:
    def names(*weights: object) -> list[str]:
        given = {"dense_units": 4, "batch_norm": False, **({"class_weight": list(weights)} if weights else {})}
        return [trial.id for trial in trials_of(search_of(tmp_path, **given))]

    one, other = names({"bottom": 2.0, "top": 1}), names({"top": 1.0, "bottom": 2})
    assert one == other == names("{top 1, bottom 2.0}")
    assert names("none") == names() == ["9c003f16937834b7"]
    assert names("balanced") == ["4f8d2330a702ebd1"]
    assert len({*one, *names(), *names("balanced"), *names({"bottom": 2}), *names({"top": 2, "bottom": 1})}) == 5


def test_trials_whose_classes_have_weights_share_what_is_compiled_whatever_these_are(tmp_path: Path) -> None:
    weights = ["balanced", {"top": 2}, {"bottom": 0.5}, "none"]
    found = trials_of(search_of(tmp_path, dense_units=4, batch_norm=False, class_weight=weights))
    groups = [trial.compile_group for trial in found]
    assert groups[0] == groups[1] == groups[2] != groups[3]


def test_trials_are_set_alike_that_run_none_of_the_users_code_by_as_many_threads() -> None:
    plain = Trial("ann", "d", "0" * 16, {}, 3, 0)
    alike = [
        replace(plain, family="cnn", epochs=9, seed=5),
        replace(plain, objective="macro_f1"),
        plain.as_final(1),
    ]
    assert {one.surroundings for one in alike} == {plain.surroundings} != {""}
    others = [plain, replace(plain, threads=2), replace(plain, backend="jax")]
    assert len({one.surroundings for one in others}) == 3
    own = {"source": "0" * 16, "callbacks": "mine:Stop 0", "objective": f"mine:cost min {'0' * 16}"}
    assert {replace(plain, **{name: value}).surroundings for name, value in own.items()} == {""}


def test_what_was_recorded_before_counts_and_is_not_trained_again(tmp_path: Path, newer: Any) -> None:
    class Idle(Executor):
        slots = 1

        def submit(self, key: str, argument: object, group: str = "", setting: str = "") -> None:
            raise AssertionError("a trial that is recorded is trained again")

        def wait(self, timeout: float | None = None) -> list[Any]:
            raise AssertionError

        def close(self) -> None: ...

    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        for trial in trials_of(search_of(tmp_path)):
            ledger.record(Record(trial, whole(Result("completed", val_accuracy=0.5, val_loss=1.0, parameters=10))))
    newer()
    search, observer = search_of(tmp_path), Silent()
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.open_search("mine", search.key, search.to_json())
        runner = Runner("mine", ledger, Idle(), lambda trial: Job(trial, tmp_path, tmp_path), observer)
        runner.drive("search", all_search_proposals(search, PREPARED), None)
        (_, first), *others = ledger.search_trials("mine")
        assert len(others) == 3 == len(observer.known) - 1
        assert first is not None
        assert "noise" not in first.trial.values, "it says what was trained"
        (model_search,) = search.model_searches
        again = search.trial(model_search, "blobs", "f" * 16, first.trial.values, None)
    assert again.values == {**first.trial.values, "noise": 0.0}, "a retraining builds by the newer parameter"
    assert again.id == first.trial.id
    assert again.as_final(1).id == first.trial.as_final(1).id


def test_an_idle_value_stays_idle_in_the_ledger(tmp_path: Path, newer: Any) -> None:
    (older, *_) = trials_of(search_of(tmp_path))
    assert "idle" not in replace(older, idle=()).to_json(), "without idle values it is written as before there were any"
    newer()
    (trial, *_) = trials_of(search_of(tmp_path))
    assert Trial.from_json(trial.to_json()) == trial
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.record(Record(trial, whole(Result("completed", val_accuracy=0.5, val_loss=1.0, parameters=10))))
        found = ledger.get(older.id)
    assert found is not None
    assert found.trial == trial
    assert replace(trial, values={**trial.values, "noise": 0.5}, idle=()).id != trial.id
