"""Study A's whole grid on one GPU, by this tool and, for some of its trials, by plain KerasTuner; then more searches.

A script of its own, not part of `make bench`, for a machine with a GPU:

    KERAS_BACKEND=jax python -m benchmarks.gpu --data-dir DIR --out DIR [--seconds N] [--workers N] [--also NAME ...]

In this order: the peak of the device; the grid, by `tuner run fashion_cnn`; some of its trials by KerasTuner; and, all
at once, the searches of `--also`. It writes `gpu.md` and `gpu.json` into `--out` after each part, and keeps the ledger
in `runs/` there: started again with the same folder, the searches go on. `--epochs`, `--train-size` and `--trials` make
it smaller.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import asdict
from pathlib import Path
from time import perf_counter, time
from typing import Any

import numpy as np

from benchmarks.driving import grid_trials, prepare
from benchmarks.measuring import provenance, report_progress, table
from tuner.datasets.store import load_from_store
from tuner.executors import PRELOAD, LocalExecutor, Resources
from tuner.families import get_family
from tuner.ledger.ledger import Ledger
from tuner.protocol import training_images
from tuner.search_file.file import load_search
from tuner.search_file.model import Overrides, backend_name
from tuner.trial import Record, Trial

SEARCH = Path("searches/fashion_cnn.toml")
#: How long a run that is asked to stop may take to record what has finished.
_SECONDS_TO_STOP = 30
#: Variables of NVIDIA's multi-process service, by which kernels of several processes run at once.
_SHARED = "CUDA_MPS_"
#: No more of the whole time than this goes to the grid; KerasTuner has a limit of its own.
_OF_THE_GRID = 0.6


class Measured:
    """What was measured so far, written to its two files after every addition.

    Args:
        out: the folder of `gpu.md` and `gpu.json`.
        about: the conditions, in words.
        trials: every trial of the grid.
        work: the multiply-adds of one image's way through each trial's network, by the trial's name.
        passes: how many such ways a trial is long: three for each image that is fitted, one forward and two back,
            and one for each that is validated on, in every epoch.
    """

    def __init__(self, out: Path, about: str, trials: list[Trial], work: dict[str, float], passes: float) -> None:
        self._out, self._about, self._trials, self._work, self._passes = out, about, trials, work, passes
        self.device, self.backend, self.peak = "", "", math.nan
        self.workers, self.seconds = 0, math.nan
        self.tool: list[dict[str, Any]] = []
        self.keras_tuner: list[dict[str, Any]] = []
        self.also: list[dict[str, Any]] = []

    def add(self, by: list[dict[str, Any]], *trials: dict[str, Any]) -> None:
        """Add trials to those of the tool or of KerasTuner."""
        by += [{**trial, "multiply_adds": self._work[trial["id"]]} for trial in trials]
        self.write()

    def floor(self) -> float:
        """Return the seconds of the whole grid's multiply-adds, two operations each, at the measured peak."""
        return 2 * self._passes * sum(self._work[trial.id] for trial in self._trials) / self.peak

    def write(self) -> None:
        """Write both files."""
        self._out.mkdir(parents=True, exist_ok=True)
        kept = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        kept |= {"about": self._about, "trials": [asdict(trial) for trial in self._trials]}
        (self._out / "gpu.json").write_text(json.dumps(kept, indent=1), encoding="utf-8")
        (self._out / "gpu.md").write_text(self.markdown() + "\n", encoding="utf-8")

    def markdown(self) -> str:
        """Return the report."""
        count = len(self._trials)
        whole = self.seconds if len(self.tool) == count else math.nan
        rows = [self._row(f"this tool, {self.workers} at a time", self.tool, self.seconds, whole, whole)]
        if self.keras_tuner:
            spent = sum(trial["seconds"] for trial in self.keras_tuner)
            grid = extrapolated(self.keras_tuner, self._work)
            rows.append(self._row("KerasTuner GridSearch", self.keras_tuner, spent, grid, whole))
        heads = ("by", "trials", "in s", f"all {count} trials s", "× this tool", "floor in % of it")
        parts = [
            "# Study A's grid on one GPU",
            f"{self._about} {self.device}, {self.backend}; {provenance()}",
            table(heads, rows),
            "This tool's seconds are those of the command `tuner run` from its start, the import of Keras included, "
            "until the last trial of the search was recorded. KerasTuner's are those of its search alone; those for "
            "the whole grid are a line, seconds = a + b × multiply-adds, through its measured trials. "
            f"The floor, {_number(self.floor(), 2)} s, is the grid's arithmetic (each image forward, and twice that "
            "back where it is fitted, in every epoch) at the speed of a large product of float32 matrices on the same "
            f"device and backend, {_number(self.peak / 1e12, 2)} TFLOP/s.",
        ]
        if self.keras_tuner:
            parts.append(self._trial_table())
        if self.also:
            rows = [[str(one[name]) for name in ("search", "trials", "ended", "seconds")] for one in self.also]
            parts += ["Searches that ran at once on the same GPU behind this:"]
            parts.append(table(("search", "search trials finished", "came to its end", "s"), rows))
        return "\n\n".join(parts)

    def _row(self, name: str, trials: list[dict[str, Any]], spent: float, grid: float, ours: float) -> list[str]:
        cells = [_number(spent), _number(grid), _number(grid / ours, 2), _number(100 * self.floor() / grid, 3)]
        return [name, str(len(trials)), *cells]

    def _trial_table(self) -> str:
        """Return the trials that KerasTuner trained, beside this tool's."""
        values = {trial.id: trial.values for trial in self._trials}
        ours = {trial["id"]: trial for trial in self.tool}
        rows = []
        for trial in sorted(self.keras_tuner, key=lambda trial: trial["multiply_adds"]):
            of, mine = values[trial["id"]], ours.get(trial["id"], {})
            filters = "-".join(str(of[f"filters_{i}"]) for i in range(1, int(of["conv_depth"]) + 1))
            rows.append(
                [
                    f"{filters}, dense {of['dense_units']}",
                    f"{trial['multiply_adds'] / 1e6:.2f}",
                    *(_number(one.get("seconds", math.nan)) for one in (trial, mine)),
                    *(_number(one.get("val_accuracy", math.nan), 4) for one in (trial, mine)),
                ]
            )
        heads = ("filters", "million multiply-adds", "KerasTuner s", "this tool s", "its val. accuracy", "ours")
        return table(heads, rows)


def line(trials: list[dict[str, Any]]) -> tuple[float, float]:
    """Return a and b of seconds = a + b × multiply-adds by least squares; NaN if there are fewer than two points."""
    points = [(trial["multiply_adds"], trial["seconds"]) for trial in trials]
    if len({work for work, _ in points}) < 2:
        return math.nan, math.nan
    b, a = np.polyfit([work for work, _ in points], [seconds for _, seconds in points], deg=1)
    return float(a), float(b)


def extrapolated(trials: list[dict[str, Any]], work: dict[str, float]) -> float:
    """Return the seconds of the whole grid, by the line through the measured trials."""
    a, b = line(trials)
    return sum(a + b * one for one in work.values())


def spread(trials: list[Trial], work: dict[str, float], count: int) -> list[Trial]:
    """Return so many trials at even distances from the cheapest to the dearest, the outermost first."""
    ordered = sorted(trials, key=lambda trial: work[trial.id])
    places = {round(place) for place in np.linspace(0, len(ordered) - 1, min(count, len(ordered)))}
    return [ordered[place] for place in sorted(places, key=lambda place: -abs(2 * place - len(ordered) + 1))]


def peak(size: int) -> float:
    """Return the operations per second of products of square float32 matrices, the best of six tries; in a worker."""
    import keras

    products = 10
    left = keras.random.uniform((size, size), seed=0)
    right = keras.random.uniform((size, size), seed=1) * (2 / size)  # so that numbers stay as large as they are
    best = math.inf
    for _ in range(6):
        begun = perf_counter()
        product = left
        for _ in range(products):
            product = keras.ops.matmul(product, right)
        float(product[0, 0])  # waits for the device
        best = min(best, perf_counter() - begun)
    return products * 2 * size**3 / best


class TunerRun:
    """A `tuner run` in a process of its own, which is asked to stop when its time is over; what it recorded stays.

    Args:
        name: the search.
        out: the folder that holds its ledger, reports and logs.
        data_dir: where the data sets are.
        options: more of the command line.
    """

    def __init__(self, name: str, out: Path, data_dir: Path | None, *options: str) -> None:
        self.name, self._ledger, self._begun = name, out / "runs" / "ledger.sqlite", time()
        folders = ("--runs-dir", str(out / "runs"), "--reports-dir", str(out / "reports"))
        given = ("--data-dir", str(data_dir)) if data_dir else ()
        command = [sys.executable, "-m", "tuner", "run", name, *folders, *given, *options]
        with (out / f"{name}.log").open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    def wait(self, until: float) -> bool:
        """Wait for its end, at most until then, by `perf_counter`; return whether it came to its end."""
        try:
            return self._process.wait(max(0.0, until - perf_counter())) == 0
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(_SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        return False

    def finished(self) -> tuple[list[Record], float]:
        """Return its finished search trials, and the seconds from its start until the last of them had ended."""
        with Ledger(self._ledger) as ledger:
            listed = ledger.search_trials(self.name)
            attempts = ledger.attempts(self.name)
        records = [record for place, record in listed if place.role == "search" and record is not None]
        ended = [attempts[record.trial.id].ended for record in records]
        return records, max(ended, default=math.nan) - self._begun


def note_search(run: TunerRun, measured: Measured) -> None:
    """Add what a search recorded to what was measured."""
    records, measured.seconds = run.finished()
    trials = []
    for record in records:
        if not record.completed:
            raise RuntimeError(f"trial {record.trial.id} failed: {record.result.error}")
        result = record.result
        measured.device = str(result.environment["device"])
        measured.backend = f"Keras {result.environment['keras']} on {result.environment['backend']}"
        trial = {"id": record.trial.id, "seconds": result.seconds, "val_accuracy": result.val_accuracy}
        trials.append({**trial, "seconds_per_epoch": result.seconds_per_epoch})
    measured.add(measured.tool, *trials)


def by_keras_tuner(trials: list[Trial], data_dir: Path | None, seconds: float, measured: Measured) -> None:
    """Let KerasTuner train some trials in a process of its own, for so many seconds at most."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.competitors.keras_tuner_study"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith(_SHARED)},
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the process has no pipes")
    given = {"data_dir": str(data_dir) if data_dir else None, "trials": [asdict(trial) for trial in trials]}
    json.dump(given, process.stdin)
    process.stdin.close()
    over = threading.Event()

    def stop() -> None:
        over.set()
        process.kill()

    timer = threading.Timer(seconds, stop)
    timer.start()
    for printed in process.stdout:
        if printed.startswith("{"):
            measured.add(measured.keras_tuner, json.loads(printed))
            report_progress(f"KerasTuner: {printed.strip()}")
    timer.cancel()
    if process.wait() != 0 and not over.is_set():
        raise RuntimeError(f"KerasTuner's process ended with exit code {process.returncode}")


def run_also(names: list[str], options: argparse.Namespace, until: float, measured: Measured) -> None:
    """Run searches at once until their time is over."""
    begun = perf_counter()
    workers = ("--workers", str(options.also_workers))
    runs = [TunerRun(name, options.out, options.data_dir, *workers, *_smaller(options)) for name in names]
    for run in runs:
        ended = run.wait(until)
        records, _ = run.finished()
        seconds = _number(perf_counter() - begun)
        measured.also.append({"search": run.name, "trials": len(records), "ended": ended, "seconds": seconds})
        measured.write()
        report_progress(f"{run.name}: {len(records)} trials, {'ended' if ended else 'stopped'}, {seconds} s")


def _is_shared() -> bool:
    """Whether processes share the GPU by the multi-process service; KerasTuner's one process goes without."""
    return any(name.startswith(_SHARED) for name in os.environ)


def _smaller(options: argparse.Namespace) -> list[str]:
    """Return the options of `tuner run` that make a search smaller."""
    given = (("--epochs", options.epochs), ("--train-size", options.train_size))
    return [part for name, value in given if value is not None for part in (name, str(value))]


def main() -> None:
    """Measure as the command line says."""
    begun = perf_counter()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, help="where fashion_mnist.npz is; it is downloaded otherwise")
    parser.add_argument("--out", type=Path, required=True, help="where gpu.md, gpu.json and the ledger are written")
    parser.add_argument(
        "--seconds", type=float, default=480.0, help="the longest that everything takes; 480 by default"
    )
    parser.add_argument("--workers", type=int, default=8, help="how many trials of the grid run at once; 8 by default")
    parser.add_argument("--epochs", type=int, help="fewer than the study's 20")
    parser.add_argument("--train-size", type=int, help="fewer images than 60,000, those held out included")
    parser.add_argument("--trials", type=int, default=6, help="how many trials KerasTuner trains")
    parser.add_argument(
        "--peer-seconds", type=float, default=120.0, help="the longest that KerasTuner runs; 0 for not at all"
    )
    parser.add_argument("--also", nargs="*", default=[], metavar="NAME", help="searches that run at once behind this")
    parser.add_argument("--also-workers", type=int, default=2, help="trials at once of each of these; 2 by default")
    parser.add_argument("--matrix", type=int, default=8192, help="side of the matrices that measure the peak")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    search = load_search(SEARCH, Overrides(epochs=options.epochs, train_size=options.train_size))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepared = prepare(search, folder, options.data_dir)
        trials = grid_trials(search, prepared)
        family = get_family(trials[0].family)
        work = {trial.id: family.work(trial.values, prepared.shape, prepared.classes) for trial in trials}
        fit, held = training_images(trials[0], load_from_store(prepared.folder))
        if held is None:
            raise RuntimeError(f"{SEARCH} holds no images out")
        about = (
            f"{len(trials)} CNNs on Fashion-MNIST, {search.epochs} epochs of {len(fit):,} images with {len(held):,} to "
            f"validate on{', under the multi-process service of CUDA' if _is_shared() else ''}."
        )
        measured = Measured(options.out, about, trials, work, search.epochs * (3 * len(fit) + len(held)))
        measured.workers = options.workers
        with LocalExecutor("benchmarks.gpu:peak", 1, Resources(), folder / "workers.log", PRELOAD) as pool:
            pool.submit("peak", options.matrix)
            (outcome,) = pool.wait()
        if outcome.died:
            raise RuntimeError(f"the peak could not be measured: {outcome.died}")
        measured.peak = outcome.value
        measured.write()
        report_progress(f"{backend_name()}: {measured.peak / 1e12:.2f} TFLOP/s")
    workers = ("--workers", str(options.workers))
    run = TunerRun(SEARCH.stem, options.out, options.data_dir, *workers, *_smaller(options))
    ended = run.wait(begun + _OF_THE_GRID * options.seconds)
    note_search(run, measured)
    report_progress(f"{len(measured.tool)} trials, {measured.seconds:.1f} s; {'ended' if ended else 'stopped'}")
    if options.peer_seconds > 0:
        by_keras_tuner(spread(trials, work, options.trials), options.data_dir, options.peer_seconds, measured)
    run_also(options.also, options, begun + options.seconds, measured)
    report_progress(f"{options.out / 'gpu.md'}")


def _number(value: float, digits: int = 1) -> str:
    """Return a number for a table, a dash where there is none."""
    return f"{value:,.{digits}f}" if math.isfinite(value) else "–"


if __name__ == "__main__":
    main()
