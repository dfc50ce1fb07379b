"""Part `overhead`: how much of a search's time its trials do not train.

Run as `python -m benchmarks.overhead WORKLOAD WORKERS`; prints what it measured as JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
from rich.console import Console

from benchmarks.competitors.this_tool import search_file
from benchmarks.driving import search_of, warm_up
from benchmarks.measuring import report_progress, run_module, table
from benchmarks.sizes import sized
from benchmarks.workloads import WORKLOADS
from tuner.errors import InputError
from tuner.executors import ExecutionOptions
from tuner.running.options import RunOptions
from tuner.running.search import started
from tuner.workspace import Workspace

WORKERS = sized((1, 2), (2,))


def measure(name: str, workers: int) -> dict[str, float]:
    """Run the grid of a workload and return the seconds of its phases, and the sum of its trials'."""
    workload = WORKLOADS[name]
    images, labels = workload.images()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        np.savez(folder / "workload.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
        search = search_of(search_file(workload, 0), folder)
        warm = warm_up(folder)
        workspace = Workspace(folder / "runs", folder / "reports")
        with started(search, workspace, Console(stderr=True), RunOptions(ExecutionOptions(workers=workers))) as run:
            begun = perf_counter()
            run.search_trials()
            wall = perf_counter() - begun
            records = [record for _, record in run.ledger.search_trials(search.name)]
    if not all(record is not None and record.completed for record in records):
        raise RuntimeError("a trial did not complete")
    return {"warm": warm, "wall": wall, "trials": sum(record.result.seconds for record in records if record)}


def idle_share(trials: float, wall: float, workers: int) -> float:
    """Return the share of the workers' time in which no trial trained."""
    return 1 - trials / (workers * wall)


def section(rounds: int) -> str:
    """Measure in processes of their own and return the section."""
    name = _workload()
    found: dict[int, list[dict[str, float]]] = {workers: [] for workers in WORKERS}
    for number in range(rounds):
        for workers in WORKERS[:: -1 if number % 2 else 1]:
            found[workers].append(run_module("overhead", name, str(workers)).found)
            report_progress(f"overhead, round {number + 1}, {workers} at a time: {found[workers][-1]}")
    rows = [
        [
            str(workers),
            f"{statistics.median(one['warm'] for one in mine):.1f}",
            f"{statistics.median(one['wall'] for one in mine):.1f}",
            f"{statistics.median(one['trials'] for one in mine):.1f}",
            f"{statistics.median(idle_share(one['trials'], one['wall'], workers) for one in mine):.1%}",
        ]
        for workers, mine in found.items()
    ]
    heads = ("trials at a time", "start-up s", "search s", "sum of trials s", "time outside trials")
    return "\n\n".join(
        [
            "## Time outside training",
            f"The grid of `{name}` by this tool. A trial's seconds begin in its worker, before its network is built, "
            "and end with its result; outside them are forks, the loop, the ledger, and at the end of the search a "
            "worker that has nothing left to train. Start-up is the import of Keras, once a search, before the first "
            "worker; it is in no other column.",
            table(heads, rows),
        ]
    )


def _workload() -> str:
    """Return the grid on Fashion-MNIST, or that on digits where Fashion-MNIST is not there."""
    try:
        WORKLOADS["fashion20"].images()
    except InputError:
        return "digits36"
    return "fashion20"


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(measure(sys.argv[1], int(sys.argv[2]))) + "\n")
