"""Time every competitor on every workload, in alternating order, and write `reports/benchmarks.md`.

`make bench`, or `python -m benchmarks.run [--rounds N] [WORKLOAD …]`. Each run is a process of its own, timed
whole, imports included. A workload whose data are not there is left out and named.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tabulate import tabulate

from benchmarks.workloads import WORKLOADS, Workload
from tuner.errors import InputError

#: Competitor, the package that it needs, its options.
COMPETITORS = {
    "this tool": ("this_tool", "tensorflow", []),
    "this tool, one worker": ("this_tool", "tensorflow", ["--workers", "1"]),
    "loop around fit": ("keras_loop", "keras", []),
    "KerasTuner GridSearch": ("keras_tuner_grid", "keras_tuner", []),
    "Optuna GridSampler": ("optuna_grid", "optuna", []),
}
REPORT = Path("reports/benchmarks.md")


@dataclass(frozen=True)
class Run:
    """One run: wall-clock seconds, the most memory of all its processes together in MB, and its trials."""

    seconds: float
    megabytes: float
    trials: list[dict[str, object]]


def measure(module: str, workload: str, options: list[str]) -> Run:
    """Run a competitor in a process of its own."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", f"benchmarks.competitors.{module}", workload, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    peak = [0.0]
    watcher = threading.Thread(target=_watch, args=(process, peak), daemon=True)
    watcher.start()
    output, _ = process.communicate()
    seconds = time.perf_counter() - begun
    if process.returncode != 0:
        raise RuntimeError(f"{module} on {workload} ended with exit code {process.returncode}")
    return Run(seconds, peak[0], json.loads(output.splitlines()[-1]))


def _watch(process: subprocess.Popen[str], peak: list[float]) -> None:
    """Keep the largest sum of resident memory over the processes of the run's session; shared pages count in each."""
    page = os.sysconf("SC_PAGE_SIZE") / 1e6
    while process.poll() is None:
        total = 0.0
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                session = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[3])
                if session == process.pid:
                    total += int((entry / "statm").read_text().split()[1]) * page
            except OSError:
                continue
        peak[0] = max(peak[0], total)
        time.sleep(0.2)


def check(workload: Workload, name: str, run: Run) -> None:
    """Make sure that a competitor trained the workload's configurations, each once and for all its epochs."""
    keys = ("filters", "dense_units", "dropout")
    wanted = sorted(json.dumps([values[key] for key in keys]) for values in workload.configurations())
    trained = sorted(json.dumps([trial[key] for key in keys]) for trial in run.trials)
    if trained != wanted:
        raise RuntimeError(f"{name} trained {len(trained)} trials, not the {len(wanted)} of {workload.name}")
    if {trial["epochs"] for trial in run.trials} != {workload.epochs}:
        raise RuntimeError(f"{name} trained for other epochs than {workload.epochs}")


def table(workload: Workload, runs: dict[str, list[Run]]) -> str:
    """Return the workload's table: medians, and the ratio of each competitor's time to this tool's."""
    ours = statistics.median(run.seconds for run in runs["this tool"])
    rows = []
    for name, mine in runs.items():
        seconds = statistics.median(run.seconds for run in mine)
        scores = [float(str(trial["val_accuracy"])) for run in mine for trial in run.trials]
        spread = f"{min(run.seconds for run in mine):.1f} to {max(run.seconds for run in mine):.1f}"
        memory = statistics.median(run.megabytes for run in mine)
        rows.append(
            [
                name,
                f"{seconds:.1f}",
                spread,
                f"{seconds / ours:.2f}",
                f"{memory:,.0f}",
                f"{statistics.mean(scores):.4f}",
            ]
        )
    heads = ["competitor", "median s", "min to max", "× this tool", "peak MB", "mean val. accuracy"]
    align = ["left", *["right"] * (len(heads) - 1)]
    return tabulate(rows, heads, tablefmt="pipe", colalign=align, disable_numparse=True)


def main() -> None:
    """Run the benchmark as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workloads", nargs="*", default=list(WORKLOADS), choices=[*WORKLOADS, []])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    there = {name: c for name, c in COMPETITORS.items() if importlib.util.find_spec(c[1])}
    parts = ["# Benchmarks", _provenance(options.rounds, set(COMPETITORS) - set(there))]
    for workload in (WORKLOADS[name] for name in options.workloads):
        try:
            workload.data()
        except InputError as error:
            parts.append(f"## {workload.title}\n\nNot measured: {error}")
            continue
        runs: dict[str, list[Run]] = {name: [] for name in there}
        for number in range(options.rounds):
            for name in list(there)[:: -1 if number % 2 else 1]:
                module, _, extra = there[name]
                run = measure(module, workload.name, extra)
                check(workload, name, run)
                runs[name].append(run)
                sys.stderr.write(f"{workload.name}, round {number + 1}, {name}: {run.seconds:.1f} s\n")
        parts.append(f"## {workload.title}\n\n" + table(workload, runs))
    REPORT.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    sys.stdout.write(f"{REPORT}\n")


def _provenance(rounds: int, missing: set[str]) -> str:
    packages = ("tensorflow", "keras", "keras-tuner", "optuna", "numpy")
    versions = []
    for package in packages:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    left_out = f" Not installed and so not measured: {', '.join(sorted(missing))}." if missing else ""
    return (
        f"Same configurations, images, batch size and epochs for all; rounds in alternating order: {rounds}; medians. "
        "Each run is timed as a whole process, imports and data loading included; this tool's with its ledger on disk "
        "and a process for each trial, up to the end of its search. All fit and validate on the same images. Memory is "
        "the largest sum over all processes of a run, in which pages that they share count once for each. The means of "
        "the validation accuracies show what was learned: the trials of this tool and of the loops share one seed and "
        "so vary together, KerasTuner's have a seed each.\n\n"
        f"{os.cpu_count()} cores, no GPU, Python {platform.python_version()}, {', '.join(versions)}.{left_out}"
    )


if __name__ == "__main__":
    main()
