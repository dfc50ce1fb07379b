"""Part `memory`: does memory grow with the number of trials?

Run as `python -m benchmarks.memory structures|seeds COUNT`; prints what it measured as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.driving import DIGITS, Watch, drive, grid_trials, job_maker, prepare, search_of, training_pool
from benchmarks.measuring import report_progress, resident_mb, run_module, table
from benchmarks.sizes import sized
from tuner.executors import LocalExecutor
from tuner.trial import Record

TRIALS = sized(200, 4)
#: After so many trials memory is early.
EARLY = sized(20, 2)
IMAGES = 250
KINDS = {"structures": "a structure each", "seeds": "one structure, a seed each"}


class MemoryWatch(Watch):
    """Also notes, when a trial finishes, the memory of this process and of the largest worker under way, in MB."""

    def __init__(self, pool: LocalExecutor) -> None:
        super().__init__()
        self._pool = pool
        self.main: list[float] = []
        self.worker: list[float] = []

    def finished(self, record: Record, known: bool, node: str = "") -> None:
        """Note the memory; see `Watch`."""
        super().finished(record, known)
        self.main.append(resident_mb(os.getpid()))
        self.worker.append(max(map(resident_mb, self._pool.worker_pids()), default=0.0))


def measure(kind: str, count: int) -> dict[str, float]:
    """Run so many trials, two at a time, and return memory early and late, in MB."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        search = search_of(DIGITS.format(epochs=1, dense_units=list(range(20, 20 + count))), folder, IMAGES)
        prepared = prepare(search, folder)
        trials = grid_trials(search, prepared)
        if kind == "seeds":
            trials = [replace(trials[count // 2], seed=seed) for seed in range(count)]
        with training_pool(folder, workers=2) as pool:
            watch = MemoryWatch(pool)
            drive(trials, pool, folder / "ledger.sqlite", job_maker(prepared, folder), watch)
    return early_and_late(watch.main, watch.worker)


def early_and_late(main: list[float], worker: list[float]) -> dict[str, float]:
    """Return the main process's memory after its 20th and its last trial, the largest worker's about these."""
    return {
        "main_early": main[EARLY - 1],
        "main_late": main[-1],
        "worker_early": max(worker[EARLY // 2 : EARLY + EARLY // 2]),
        "worker_late": max(worker[-EARLY:]),
    }


def section(_: int) -> str:
    """Measure once, in processes of their own, and return the section."""
    rows = []
    for kind, title in KINDS.items():
        found = run_module("memory", kind, str(TRIALS)).found
        report_progress(f"memory, {kind}: {found}")
        for process in ("main", "worker"):
            early, late = found[f"{process}_early"], found[f"{process}_late"]
            cells = [f"{value:,.1f}" for value in (early, late)]
            rows.append([f"{title}: {process}", *cells, f"{late - early:+.1f}"])
    return "\n\n".join(
        [
            f"## Memory over {TRIALS} trials",
            f"{TRIALS} trials of a small CNN on digits (1 epoch, {IMAGES} images with those held out), two at a time, "
            "one run each: resident memory, own pages and mapped files, of the main process after trial "
            f"{EARLY} and after the last one, and of the largest worker seen as trials {EARLY // 2 + 1} to "
            f"{EARLY + EARLY // 2} and the last {EARLY} finished.",
            table(("trials: process", "early MB", "late MB", "growth MB"), rows),
        ]
    )


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(measure(sys.argv[1], int(sys.argv[2]))) + "\n")
