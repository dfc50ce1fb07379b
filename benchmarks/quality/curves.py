"""The learning curves of all configurations, trained once and kept, and how long an epoch takes by each tool."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.driving import search_of
from benchmarks.measuring import report_progress, run_module
from benchmarks.quality.clock import Cost
from benchmarks.quality.space import EPOCHS, FITTED, GRID, HELD_OUT, RATES, named, search_file
from benchmarks.sizes import sized
from benchmarks.workloads import WORKLOADS
from tuner.executors import ExecutionOptions
from tuner.running.options import RunOptions
from tuner.running.search import started
from tuner.trial import Record, Result, Trial
from tuner.workspace import Workspace

IMAGES, COSTS = "images.npz", "costs.json"
#: Trials at once, as there are cores; a trial takes one, and its peers' `fit` all of them.
WORKERS = 2
#: Epochs by which a training is timed; the first compiles.
TIMED_EPOCHS = sized(4, 2)


@dataclass(frozen=True)
class Curves:
    """Validation accuracy after each epoch by configuration, and what a training costs this tool and its peers.

    `results` are as this tool recorded them, on a data set with this `fingerprint`.
    """

    results: Mapping[str, Result]
    fingerprint: str
    ours: Mapping[str, Cost]
    peers: Mapping[str, Cost]

    def scores(self, name: str, begin: int = 0, end: int = EPOCHS) -> list[float]:
        """Return the scores after epochs `begin` + 1 to `end`."""
        return self.results[name].history["val_accuracy"][begin:end]

    def best(self, name: str) -> float:
        """Return the best score of a full training."""
        return max(self.scores(name))


def load_curves(folder: Path, rounds: int) -> Curves:
    """Train what is not yet recorded in a folder, time an epoch of each network in so many rounds, and return all."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / IMAGES).is_file():
        _save_images(folder / IMAGES)
    records = _trained(folder, search_file(folder / IMAGES, GRID, 0))
    timed = _timed(folder, rounds, [record.trial for record in records.values()])
    ours, peers = (
        [{name: Cost(*cost) for name, cost in one[who].items()} for one in timed] for who in ("ours", "peers")
    )
    structures = {name: structure_of(record.trial.values) for name, record in records.items()}
    return Curves(
        {name: record.result for name, record in records.items()},
        next(iter(records.values())).trial.fingerprint,
        {name: median_cost([costs[structure] for costs in ours]) for name, structure in structures.items()},
        {name: median_cost([costs[structure] for costs in peers]) for name, structure in structures.items()},
    )


def median_cost(costs: Sequence[Cost]) -> Cost:
    """Return the median of each part over rounds."""
    return Cost(statistics.median(one.beginning for one in costs), statistics.median(one.epoch for one in costs))


def _save_images(file: Path) -> None:
    workload = replace(WORKLOADS["fashion20"], name="quality", train=FITTED, validation=HELD_OUT)
    x, y = workload.images()
    np.savez(file, x_train=x, y_train=y, x_test=x[:HELD_OUT], y_test=y[:HELD_OUT])


def _trained(folder: Path, text: str) -> dict[str, Record]:
    """Train every configuration of a search file with this tool, two at a time; a run that was stopped goes on."""
    search = search_of(text, folder)
    options = RunOptions(ExecutionOptions(workers=WORKERS))
    with started(search, Workspace(folder / "runs", folder / "reports"), Console(stderr=True), options) as run:
        run.search_trials()
        found = run.ledger.search_trials(search.name)
    return {named(record.trial.values): record for _, record in found if record is not None and record.completed}


def _timed(folder: Path, rounds: int, trials: Sequence[Trial]) -> list[dict[str, dict[str, list[float]]]]:
    """Return in so many rounds what a training of each network costs this tool and its peers, in turn.

    Rounds are kept in a file, as the curves are in a ledger: a run that was stopped goes on.
    """
    file = folder / COSTS
    timed = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
    networks = [trial for trial in trials if trial.values["learning_rate"] == RATES[0]]
    while len(timed) < rounds:
        ours = {name: [cost.beginning, cost.epoch] for name, cost in _our_costs(folder).items()}
        text = json.dumps([json.loads(trial.to_json()) for trial in networks])
        timed.append({"ours": ours, "peers": run_module("quality.curves", str(folder), text).found})
        file.write_text(json.dumps(timed), encoding="utf-8")
        report_progress(f"quality, round {len(timed)}: {len(networks)} networks timed by this tool and by fit")
    return timed[:rounds]


def _our_costs(folder: Path) -> dict[str, Cost]:
    """Return what a training of each network costs this tool, two at a time, in a short search of its own."""
    with tempfile.TemporaryDirectory() as name:
        text = search_file(folder / IMAGES, GRID, 0, rates=RATES[:1], epochs=TIMED_EPOCHS)
        records = _trained(Path(name), text).values()
        return {structure_of(record.trial.values): _cost_of(record.result) for record in records}


def _cost_of(result: Result) -> Cost:
    epochs = len(result.history["loss"])
    epoch = result.seconds_per_epoch or result.seconds / epochs
    return Cost(max(0.0, result.seconds - epochs * epoch), epoch)


def structure_of(values: Mapping[str, Any]) -> str:
    """Return what the seconds of a training depend on: all that varies but the learning rate."""
    return named({**values, "learning_rate": None})


def fit_seconds(folder: Path, trials: Sequence[Trial]) -> dict[str, list[float]]:
    """Return by network the seconds before and in the first epoch beyond an epoch's, and of an epoch, by `fit`."""
    import keras

    from tuner.families import get_family
    from tuner.recipe import compile_network, steps_per_epoch

    with np.load(folder / IMAGES) as saved:
        x, y = saved["x_train"], saved["y_train"]
    fitted, held_out = (x[HELD_OUT:], y[HELD_OUT:]), (x[:HELD_OUT], y[:HELD_OUT])
    found = {}
    for number in range(-1, len(trials)):  # the first of all wakes the process, and does not count
        trial = trials[max(number, 0)]
        keras.backend.clear_session()
        moments = [perf_counter()]
        batch = int(trial.values["batch_size"])
        network = get_family(trial.family).network(trial.values, x.shape[1:], 10)
        compile_network(network, trial.values, TIMED_EPOCHS, steps_per_epoch(FITTED, batch))
        note = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_, at=moments: at.append(perf_counter()))
        network.fit(*fitted, batch, TIMED_EPOCHS, verbose=0, validation_data=held_out, callbacks=[note])
        seconds = np.diff(moments)
        epoch = float(np.median(seconds[1:]))
        if number >= 0:
            found[structure_of(trial.values)] = [max(0.0, float(seconds[0]) - epoch), epoch]
    return found


if __name__ == "__main__":
    given = [Trial.from_json(json.dumps(one)) for one in json.loads(sys.argv[2])]
    sys.stdout.write("\n" + json.dumps(fit_seconds(Path(sys.argv[1]), given)) + "\n")
