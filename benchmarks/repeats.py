"""Part `repeats20`: twenty repeats of one configuration, against twenty structures and against KerasTuner.

Run as `python -m benchmarks.repeats loop ROUNDS`, `trials` or `phases`; each prints its seconds as JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
from rich.console import Console

from benchmarks.driving import (
    DIGITS,
    Watch,
    drive,
    grid_trials,
    job_maker,
    prepare,
    search_of,
    training_pool,
    warm_up,
)
from benchmarks.measuring import Run, median_and_spread, report_progress, run_module, table
from benchmarks.sizes import sized
from benchmarks.workloads import WORKLOADS
from tuner.running.search import started
from tuner.trial import Trial
from tuner.workspace import Workspace

REPEATS = sized(20, 2)
EPOCHS = 3
#: As many widths of the dense layer about the one that is repeated.
WIDTHS = list(range(50 - REPEATS // 2, 50 + REPEATS // 2))
REPEATED_WIDTH = 50

_PROCESSES = {
    "this tool, 20 trials with a seed each": ("repeats", "trials"),
    "this tool, `repeats = 20`: one trial, then 20 retrainings": ("repeats", "phases"),
    "KerasTuner, `executions_per_trial=20`": ("competitors.keras_tuner_repeats",),
}


def repeats_and_structures(trials: list[Trial]) -> tuple[list[Trial], list[Trial]]:
    """Return the middle one of the trials with a seed for each of them, and the trials themselves."""
    middle = trials[len(trials) // 2]
    return [replace(middle, seed=seed) for seed in range(len(trials))], trials


def loop(rounds: int) -> dict[str, list[float]]:
    """Return the seconds of twenty repeats and of twenty structures in each round, with the workers warm."""
    seconds: dict[str, list[float]] = {"repeats": [], "structures": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        search = search_of(DIGITS.format(epochs=EPOCHS, dense_units=WIDTHS), folder)
        prepared = prepare(search, folder)
        lists = dict(zip(seconds, repeats_and_structures(grid_trials(search, prepared)), strict=True))
        warm_up(folder)
        with training_pool(folder) as pool:
            for number in range(rounds):
                for kind in list(lists)[:: -1 if number % 2 else 1]:
                    ledger = folder / f"{kind}-{number}.sqlite"  # a new one, so that nothing is known
                    seconds[kind].append(drive(lists[kind], pool, ledger, job_maker(prepared, folder), Watch()))
    return seconds


def trials() -> dict[str, float]:
    """Return the seconds of twenty repeats as search trials; the process is timed whole by whoever starts it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        search = search_of(DIGITS.format(epochs=EPOCHS, dense_units=WIDTHS), folder)
        prepared = prepare(search, folder)
        repeated, _ = repeats_and_structures(grid_trials(search, prepared))
        with training_pool(folder) as pool:
            return {"trials": drive(repeated, pool, folder / "ledger.sqlite", job_maker(prepared, folder), Watch())}


def phases() -> dict[str, float]:
    """Return the seconds until a search of one configuration is started, of its trial and of its retrainings.

    A retraining fits as many images as a trial of the others; it also scores the test set, saves the model and
    measures its latency.
    """
    x, y, x_val, y_val = WORKLOADS["digits36"].split(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(folder / "workload.npz", x_train=x, y_train=y, x_test=x_val, y_test=y_val)
        text = f"repeats = {REPEATS}\n" + DIGITS.format(epochs=EPOCHS, dense_units=REPEATED_WIDTH)
        search = search_of(text.replace('"digits"', '"workload.npz"'), folder)
        begun = perf_counter()
        with started(search, Workspace(folder / "runs", folder / "reports"), Console(stderr=True)) as run:
            ready = perf_counter()
            run.search_trials()
            searched = perf_counter()
            run.retrain_winners()
            retrained = perf_counter()
            done = sum(record is not None and record.completed for _, record in run.ledger.search_trials(search.name))
    if done != REPEATS + 1:
        raise RuntimeError(f"{done} of {REPEATS + 1} trials completed")
    return {"start": ready - begun, "trial": searched - ready, "retrainings": retrained - searched}


def section(rounds: int) -> str:
    """Measure in processes of their own and return the section."""
    seconds = run_module("repeats", "loop", str(rounds)).found
    report_progress(f"repeats20, in the loop: {seconds}")
    runs: dict[str, list[Run]] = {name: [] for name in _PROCESSES}
    for number in range(rounds):
        for name in list(runs)[:: -1 if number % 2 else 1]:
            runs[name].append(run_module(*_PROCESSES[name]))
            report_progress(f"repeats20, round {number + 1}, {name}: {runs[name][-1].seconds:.1f} s")
    in_phases = [run.found for run in runs["this tool, `repeats = 20`: one trial, then 20 retrainings"]]
    spent = {phase: statistics.median(one[phase] for one in in_phases) for phase in ("start", "trial", "retrainings")}
    return "\n\n".join(
        [
            "## Twenty repeats of one small CNN on digits; 1,200 images, 3 epochs",
            "Twenty trials that differ in their seed alone against twenty that differ in the width of their dense "
            f"layer, {WIDTHS[0]} to {WIDTHS[-1]} about the repeated one, both by this tool's loop in one process "
            "whose workers are warm.",
            loop_table(seconds),
            "The same repeats against KerasTuner's, each as a whole process, imports included. Retrainings also score "
            "the test set, save the model and measure its latency, which trials do not, and KerasTuner saves the best "
            f"epoch's weights. Of the process with retrainings, {spent['start']:.1f} s went before its one trial, "
            f"{spent['trial']:.1f} s into it (with the workers' import of Keras), {spent['retrainings']:.1f} s into "
            "the 20 retrainings.",
            process_table(runs),
        ]
    )


def loop_table(seconds: dict[str, list[float]]) -> str:
    """Return the table of repeats against structures."""
    whole = statistics.median(seconds["structures"])
    names = {"repeats": "20 seeds of one structure", "structures": "20 structures"}
    rows = [
        [names[kind], *median_and_spread(mine), f"{statistics.median(mine) / whole:.2f}"]
        for kind, mine in seconds.items()
    ]
    return table(("trials", "median s", "min to max", "× 20 structures"), rows)


def process_table(runs: dict[str, list[Run]]) -> str:
    """Return the table of repeats by this tool and by KerasTuner."""
    ours = statistics.median(run.seconds for run in next(iter(runs.values())))
    rows = [
        [
            name,
            *median_and_spread([run.seconds for run in mine]),
            f"{statistics.median(run.seconds for run in mine) / ours:.2f}",
            f"{statistics.median(run.megabytes for run in mine):,.0f}",
        ]
        for name, mine in runs.items()
    ]
    return table(("20 repeats", "median s", "min to max", "× the first", "peak MB"), rows)


if __name__ == "__main__":
    kinds = {"loop": lambda: loop(int(sys.argv[2])), "trials": trials, "phases": phases}
    sys.stdout.write("\n" + json.dumps(kinds[sys.argv[1]]()) + "\n")
