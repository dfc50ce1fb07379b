"""What a forecast rests on: the work of networks by arithmetic or as built, features, memory and disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tuner.datasets.base import Dataset
from tuner.datasets.store import load_from_store
from tuner.families.cnn import Cnn
from tuner.protocol import training_images
from tuner.running.planned import Prepared
from tuner.running.planning import outlook as module
from tuner.running.planning.needs import Training
from tuner.running.planning.outlook import Outlook, trainings_of
from tuner.running.planning.pace import Load, Measured, kind_of
from tuner.running.planning.probing import EPOCHS, Case, _prepared
from tuner.running.planning.replay import Ahead
from tuner.running.planning.work import Work, shown
from tuner.search_file.file import parse_search
from tuner.search_file.model import Search
from tuner.search_file.overrides import Overrides
from tuner.trial import Record, Result, Trial
from tuner.worker.probe import Built
from tuner.workspace import Workspace

PRINT = "f" * 16


def search_of(entry: dict[str, Any], **more: Any) -> Search:
    raw = {"title": "x", "dataset": "blobs", "repeats": 3, "training": {"epochs": 9}, **more, "search": [entry]}
    return parse_search(raw, "small", Path(), Overrides(), "0" * 16)


CNN = {"family": "cnn", "space": {"conv_depth": 1, "filters": [4, 8, 16]}}


def outlook_of(folder: Path, search: Search) -> Outlook:
    prepared = {"blobs": Prepared(PRINT, folder, (8, 8, 1), 3, 100)}
    return Outlook(search, prepared, Workspace(folder / "runs", folder / "reports"))


def trials_of(search: Search) -> list[Trial]:
    (one,) = search.model_searches
    return [search.trial(one, "blobs", PRINT, values, None) for values in one.space.grid()]


def ahead_of(trials: Sequence[Trial], known: int = 0) -> Ahead:
    counted = tuple((n, Record(t, Result("completed", val_accuracy=0.5))) for n, t in enumerate(trials[:known]))
    new = tuple(trials[known:])
    return Ahead("cnn", "blobs", counted, new, (), 1.0, len(trials), 0, True)


def test_work_is_counted_by_arithmetic_where_a_family_has_it(tmp_path: Path) -> None:
    search = search_of(CNN)
    outlook, (trial, *_) = outlook_of(tmp_path, search), trials_of(search)
    assert outlook.work(trial) == Cnn().work(trial.values, (8, 8, 1), 3) > 0
    assert outlook.load(trial).steps == 80 / 64
    strange = replace(trial, fingerprint="a" * 16)
    assert outlook.size(strange.fingerprint) is None
    assert outlook.work(strange) == 0


def test_work_of_other_networks_is_that_of_those_that_were_built_or_their_mean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[Any] = []

    def build_all(search: Search, one: object, shape: object, classes: int, configurations: Any) -> list[Built]:
        built.extend(configurations)
        return [Built(1_000 * c["filters_1"], work=10.0 * c["filters_1"], handed_on=5) for c in configurations]

    monkeypatch.setattr(module, "build_all", build_all)
    search = search_of({**CNN, "space": {**CNN["space"], "filters": list(range(1, 21))}})
    outlook, trials = outlook_of(tmp_path, search), trials_of(search)
    outlook.build(ahead_of(trials), own_alone=True)
    assert built == []  # arithmetic tells
    monkeypatch.setattr(Cnn, "work", lambda *_: 0.0)
    outlook.build(ahead_of(trials), own_alone=True)
    assert len(built) == module.MOST_BUILT
    filters = [values["filters_1"] for values in built]
    assert (min(filters), max(filters)) == (1, 20)
    by_filters = {trial.values["filters_1"]: outlook.work(trial) for trial in trials}
    assert by_filters[20] == 200.0
    left = next(n for n in by_filters if n not in filters)
    assert by_filters[left] == pytest.approx(10 * sum(filters) / len(filters))
    few, many = outlook.memory(1), outlook.memory(3)
    assert few.middle < many.middle
    models = [Training(trials[0].as_final(1), Load(1, 1), 9, False, weight=5.0)]
    disk = outlook.disk(models, {PRINT: 60}, reported=1)
    assert disk.low < disk.middle < disk.high
    assert disk.middle > 6 * 4_000 + 8 * 8 * 160


def test_the_trainings_ahead_are_those_that_are_not_recorded_and_retrainings_of_one_of_all(tmp_path: Path) -> None:
    search = search_of(CNN)
    trials = trials_of(search)
    outlook = outlook_of(tmp_path, search)
    work = Work(search, outlook.prepared, (ahead_of(trials, known=1),), (), frozenset())
    searched, finals = trainings_of(work, outlook)
    assert [one.trial for one in searched["cnn", "blobs"]] == trials[1:]
    assert sum(one.weight for one in finals) == pytest.approx(3)
    assert {one.trial.values["filters_1"] for one in finals} == {4, 8, 16}
    retrained = [trials[2].as_final(seed) for seed in (1, 2, 3)]
    decided = Work(
        search,
        outlook.prepared,
        (ahead_of(trials, known=3),),
        (("cnn", "blobs", retrained),),
        frozenset({retrained[0].id}),
    )
    searched, finals = trainings_of(decided, outlook)
    assert searched["cnn", "blobs"] == []
    assert [one.trial for one in finals] == retrained[1:]


def test_what_may_be_chosen_below_a_size_is_below_it_and_an_ensemble_may_take_any(tmp_path: Path) -> None:
    counts = [Cnn().counted(trial.values, (8, 8, 1), 3) for trial in trials_of(search_of(CNN))]
    sizes = [one.parameters for one in counts if one]
    report = {"also_smaller_than": [f"{sizes[1] + 1} parameters", f"{sizes[0]} parameters"], "ensemble": 3}
    search = search_of(CNN, report=report)
    trials = trials_of(search)
    outlook = outlook_of(tmp_path, search)
    work = Work(search, outlook.prepared, (ahead_of(trials),), (), frozenset())
    _, finals = trainings_of(work, outlook)
    filters = [int(one.trial.values["filters_1"]) for one in finals]
    assert filters == [4, 8, 16, 4, 8, 4, 8, 16]  # nothing is below the smallest
    assert [one.weight for one in finals] == pytest.approx([1, 1, 1, 1.5, 1.5, 2, 2, 2])
    assert shown(work) == 3


def test_a_probe_is_a_short_training_of_few_images_whatever_the_trial_is(tmp_path: Path, blobs: Dataset) -> None:
    search = search_of({"family": "ann", "space": {"dense_units": 4}}, folds=3)
    (one,) = search.model_searches
    trial = search.trial(one, "blobs", blobs.fingerprint, next(iter(one.space.grid())), None)
    assert len(trial.parts) == 3
    grouped = replace(blobs, groups={"train": np.arange(150), "test": np.arange(60)})
    job = _prepared(Case(trial, grouped, 1e9), search, tmp_path)
    assert (job.trial.epochs, job.trial.folds, job.trial.parts) == (EPOCHS, 0, ())
    few = load_from_store(job.data)
    assert len(few.y_train) < 150
    assert not few.groups
    assert job.trial.fingerprint == few.fingerprint
    assert training_images(job.trial, few)[1] is not None


def test_features_of_a_frozen_backbone_take_their_time_once_a_data_set(tmp_path: Path) -> None:
    heads = {"family": "pretrained", "space": {"weights": "none", "dropout": [0.0, 0.5]}}
    search = search_of(heads, image_size=[32, 32], channels=3)
    (one,) = search.model_searches
    one = replace(one, source="1" * 16)
    trials = [search.trial(one, "blobs", PRINT, values, None) for values in one.space.grid()]
    outlook = outlook_of(tmp_path, search)
    outlook.pace.add([Measured(trials[0], Load(100, 10), 1.0, beside=32.0, later=False)])
    assert kind_of(trials[0])[-1] == "features"
    ahead = [Training(trial, Load(100, 10), 9, False) for trial in trials]
    # Of 640 images 32 seconds, so that 100 take 5; both heads are on the same backbone.
    assert outlook.feature_seconds(ahead) == pytest.approx(5.0)
    assert outlook.disk(ahead, {PRINT: 60}, 0).middle > 100 * 1_280 * 4
    (tmp_path / "runs" / "features" / f"{PRINT}-0123").mkdir(parents=True)
    assert outlook.feature_seconds(ahead) == 0.0
