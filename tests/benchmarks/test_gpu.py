"""The benchmark of one GPU, as far as a machine without one can tell: its order, its tables and its processes."""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
from pathlib import Path
from time import perf_counter, sleep
from typing import ClassVar

import numpy as np
import pytest
from recorded import whole
from written import row

from benchmarks.driving import grid_trials
from benchmarks.gpu.__main__ import choose_backend
from benchmarks.gpu.epochs import Measurement, Processes
from benchmarks.gpu.epochs import row as epoch_row
from benchmarks.gpu.grid import SEARCH, Measured, extrapolated, line, spread
from benchmarks.gpu.runs import Chain, TunerRun, run_also
from benchmarks.gpu.sharing import is_shared, multi_process_service
from tuner.families import FAMILIES
from tuner.ledger.ledger import Ledger, SearchTrial
from tuner.running.planned import Prepared
from tuner.search_file.file import load_search
from tuner.search_file.overrides import Overrides
from tuner.trial import Attempt, Record, Result, Trial


@pytest.fixture
def trials(tmp_path: Path) -> list[Trial]:
    search = load_search(SEARCH, Overrides(epochs=2))
    return grid_trials(search, Prepared("f" * 16, tmp_path, (28, 28, 1), 10, 60_000))


@pytest.fixture
def work(trials: list[Trial]) -> dict[str, float]:
    return {trial.id: FAMILIES["cnn"].work(trial.values, (28, 28, 1), 10) for trial in trials}


def test_trials_are_spread_by_cost_the_outermost_first(trials: list[Trial], work: dict[str, float]) -> None:
    assert len(trials) == 65
    chosen = spread(trials, work, 6)
    assert len({trial.id for trial in chosen}) == 6
    costs = [work[trial.id] for trial in chosen]
    assert {costs[0], costs[1]} == {min(work.values()), max(work.values())}
    assert len(spread(trials, work, 100)) == 65


def test_the_line_goes_through_its_points(work: dict[str, float]) -> None:
    points = [{"id": name, "multiply_adds": one, "seconds": 3 + 2e-6 * one} for name, one in list(work.items())[:5]]
    assert line(points) == pytest.approx((3, 2e-6))
    assert extrapolated(points, work) == pytest.approx(65 * 3 + 2e-6 * sum(work.values()))
    assert all(math.isnan(one) for one in line(points[:1]))


def test_reports_what_is_there(trials: list[Trial], work: dict[str, float], tmp_path: Path) -> None:
    measured = Measured(tmp_path, "about.", trials, work, passes=1000)
    measured.peak, measured.seconds, measured.workers = 1e12, 130.0, 4
    assert measured.floor() == pytest.approx(2e-9 * sum(work.values()))
    measured.add(measured.tool, {"id": trials[0].id, "seconds": 7.0, "val_accuracy": 0.5})
    ours = row((tmp_path / "gpu.md").read_text(), "this tool, 4 at a time")
    assert ours == ["1", "130.0", "–", "–", "–"]  # the grid is not whole yet
    for trial in trials[1:]:
        measured.add(measured.tool, {"id": trial.id, "seconds": 2.0, "val_accuracy": 0.5})
    for trial in spread(trials, work, 2):
        measured.add(measured.keras_tuner, {"id": trial.id, "seconds": 4.0, "val_accuracy": 0.5})
    text = (tmp_path / "gpu.md").read_text()
    share = f"{100 * measured.floor() / 130:.3f}"
    assert row(text, "this tool, 4 at a time") == ["65", "130.0", "130.0", "1.00", share]
    assert row(text, "KerasTuner GridSearch")[:4] == ["2", "8.0", "260.0", "2.00"]
    assert row(text, "16, dense 16") == ["0.27", "4.0", "7.0", "0.5000", "0.5000"]
    assert len(json.loads((tmp_path / "gpu.json").read_text())["tool"]) == 65


def test_a_search_that_ran_is_timed_and_one_that_ran_before_is_not(tmp_path: Path, trials: list[Trial]) -> None:
    run = TunerRun("no such search", tmp_path, None)
    assert not run.wait(perf_counter() + 60)
    assert "no such search" in (tmp_path / "no such search.log").read_text()
    begun = run._begun
    with Ledger(tmp_path / "runs" / "ledger.sqlite") as ledger:
        ledger.open_search(run.name, "key", "{}")
        for number, (trial, when) in enumerate(zip(trials, (5.0, -60.0), strict=False)):
            result = whole(Result("completed", parameters=10, val_accuracy=0.5, seconds=2.0))
            ledger.record(Record(trial, result), Attempt(begun + when, begun + when + 2))
            ledger.add(run.name, SearchTrial("cnn", "fashion_mnist", "search", number, trial.id))
            records, seconds = run.finished()
            assert len(records) == number + 1
            assert seconds == (pytest.approx(7, abs=0.01) if number == 0 else pytest.approx(math.nan, nan_ok=True))


class FakeRun:
    """A search that ends by itself after some looks, or when it is asked to stop."""

    started: ClassVar[list[tuple[str, ...]]] = []

    seconds = 1.5

    def __init__(self, name: str, out: Path, data_dir: Path | None, *options: str) -> None:
        self.name, self._looks, self._stopped = name, {"long": 10**9}.get(name, 2), False
        FakeRun.started.append((name, *options))

    def ended(self) -> bool:
        self._looks -= 1
        return self._stopped or self._looks < 0

    def ask_to_stop(self) -> None:
        self._stopped = True

    def wait(self, until: float) -> bool:
        assert self._stopped or self._looks < 0
        return not self._stopped

    def finished(self) -> tuple[list[Record], float]:
        return [], math.nan


def test_searches_of_a_chain_follow_each_other_and_what_its_time_leaves_is_stopped(
    tmp_path: Path, trials: list[Trial], work: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.gpu.runs.TunerRun", FakeRun)
    monkeypatch.setattr("benchmarks.gpu.runs._SECONDS_BETWEEN_LOOKS", 0.01)
    looks = itertools.count()
    monkeypatch.setattr("benchmarks.gpu.runs.perf_counter", lambda: next(looks) / 100)
    FakeRun.started = []
    chains = [Chain.read("a,b:5"), Chain.read("c,long,never")]
    assert chains == [Chain(("a", "b"), 5), Chain(("c", "long", "never"), 2)]
    measured = Measured(tmp_path, "about.", trials, work, passes=1000)
    options = argparse.Namespace(out=tmp_path, data_dir=None, epochs=2, train_size=None)
    run_also(chains, options, 1.0, measured)
    five, two = (("--workers", workers, "--epochs", "2") for workers in ("5", "2"))
    assert FakeRun.started[:2] == [("a", *five), ("c", *two)]
    assert set(FakeRun.started[2:]) == {("b", *five), ("long", *two)}
    assert [(one["search"], one["ended"]) for one in measured.also][-1] == ("long", False)
    assert {one["search"] for one in measured.also if one["ended"]} == {"a", "b", "c"}
    assert row((tmp_path / "gpu.md").read_text(), "long")[1] == "False"


@pytest.mark.parametrize("text", ["a,,b", "", "a:x", "a:0"])
def test_a_chain_without_a_name_or_with_an_odd_number_is_refused_before_anything_runs(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text}$|invalid literal"):
        Chain.read(text)


CONTROL = """#!/bin/sh
[ "$1" = -d ] && echo "begun $CUDA_MPS_PIPE_DIRECTORY" >> {log} && exit {code}
echo "told $(cat)" >> {log}
"""


@pytest.mark.parametrize("code", [0, 1])
def test_the_service_ends_with_what_needs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    log, control = tmp_path / "log", tmp_path / "nvidia-cuda-mps-control"
    control.write_text(CONTROL.format(log=log, code=code))
    control.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    (tmp_path / "in").mkdir()
    with multi_process_service(tmp_path / "in"):
        assert is_shared() == (code == 0)
    assert not is_shared()
    assert log.read_text().splitlines() == [f"begun {tmp_path / 'in' / 'pipe'}", "told quit"][: 2 - code]


def test_nobody_needs_the_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with multi_process_service(tmp_path):
        assert not is_shared()


@pytest.mark.parametrize(
    ("there", "chosen", "backend"),
    [({"jax"}, None, "jax"), ({"jax", "tensorflow"}, None, None), (set(), None, None), ({"jax"}, "torch", "torch")],
)
def test_jax_is_taken_where_there_is_no_tensorflow(
    monkeypatch: pytest.MonkeyPatch, there: set[str], chosen: str | None, backend: str | None
) -> None:
    monkeypatch.setattr("benchmarks.gpu.__main__.find_spec", lambda name: name if name in there else None)
    monkeypatch.setenv("KERAS_BACKEND", chosen or "")
    if chosen is None:
        monkeypatch.delenv("KERAS_BACKEND")
    choose_backend()
    assert os.environ.get("KERAS_BACKEND") == backend
    monkeypatch.delenv("KERAS_BACKEND", raising=False)


def test_an_epoch_counts_for_each_network_and_process() -> None:
    said = [{"compile": 20.0, "seconds": [9.0, 0.4, 0.6]}, {"compile": 30.0, "seconds": [9.0, 0.5, 0.7]}]
    assert epoch_row(Measurement("16/16"), said[:1]) == ["16/16", "alone", "0.500", "0.500", "20"]
    two = Measurement("16/16", processes=2, precision="mixed_bfloat16")
    assert epoch_row(two, said) == ["16/16", "2 processes, mixed_bfloat16", "0.550", "0.275", "25"]
    assert epoch_row(two, said[:1])[2:] == ["–", "–", "–"]  # one of them failed
    assert epoch_row(Measurement("16/16", networks=4), said[:1])[1:4] == ["4 in one step", "0.500", "0.125"]


@pytest.mark.parametrize("networks", [1, 2])
def test_an_epoch_is_measured_in_a_process_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, networks: int
) -> None:
    rng = np.random.default_rng(0)
    arrays = {f"x_{part}": rng.integers(0, 255, (50, 28, 28), np.uint8) for part in ("train", "test")}
    np.savez(tmp_path / "fashion_mnist.npz", **arrays, y_train=np.arange(50) % 10, y_test=np.arange(50) % 10)
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    processes = Processes(0, Measurement("16/16", networks), tmp_path, tmp_path, 50)
    while not processes.ready:
        sleep(0.1)
    (said,) = processes.run()
    assert len(said["seconds"]) == 3
    assert said["device"] == "cpu"
