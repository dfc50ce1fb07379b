"""The order of what is measured on a GPU, and how long each part may take."""

from __future__ import annotations

import argparse
import os
import tempfile
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter

from benchmarks.driving import grid_trials, prepare
from benchmarks.gpu.epochs import measure_epochs
from benchmarks.gpu.grid import SEARCH, Measured, spread
from benchmarks.gpu.peer import by_keras_tuner
from benchmarks.gpu.runs import Chain, TunerRun, note_search, run_also, smaller
from benchmarks.gpu.sharing import is_shared, multi_process_service
from benchmarks.measuring import report_progress
from tuner.datasets.store import load_from_store
from tuner.executors import PRELOAD, LocalExecutor, Resources
from tuner.families import get_family
from tuner.protocol import training_images
from tuner.search_file.file import load_search
from tuner.search_file.overrides import Overrides, backend_name
from tuner.system.machine import available_cores

#: No more of the whole time than this goes to the grid; KerasTuner has a limit of its own.
_OF_THE_GRID = 0.6
#: Single epochs take so many seconds once they are compiled.
_TO_RUN_EPOCHS = 40


def choose_backend() -> None:
    """Let Keras run on JAX where TensorFlow is not installed and nobody has chosen."""
    if "KERAS_BACKEND" not in os.environ and find_spec("tensorflow") is None and find_spec("jax") is not None:
        os.environ["KERAS_BACKEND"] = "jax"


def main() -> None:
    """Measure as the command line says."""
    choose_backend()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--data-dir", type=Path, help="where fashion_mnist.npz is; it is downloaded otherwise")
    parser.add_argument("--out", type=Path, required=True, help="where tables and the ledger are written")
    parser.add_argument("--seconds", type=float, default=480.0, help="the longest that all takes; 480 by default")
    parser.add_argument("--workers", type=int, help="trials of the grid at once; by default one less than cores")
    parser.add_argument("--epochs", type=int, help="fewer than the study's 20")
    parser.add_argument("--train-size", type=int, help="fewer images than 60,000, those held out included")
    parser.add_argument("--trials", type=int, default=6, help="how many trials KerasTuner trains")
    parser.add_argument(
        "--peer-seconds", type=float, default=120.0, help="the longest that KerasTuner runs; 0 for not at all"
    )
    parser.add_argument(
        "--epoch-seconds", type=float, default=60.0, help="how long the single epochs may compile; 0 for none of them"
    )
    parser.add_argument(
        "--also",
        nargs="*",
        default=[],
        type=Chain.read,
        metavar="NAME,NAME:WORKERS",
        help="chains of searches that run at once behind this, each one search after the other, 2 trials at once",
    )
    parser.add_argument("--matrix", type=int, default=8192, help="side of the matrices that measure the peak")
    options = parser.parse_args()
    options.workers = options.workers or max(1, available_cores() - 1)
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, multi_process_service(Path(name)):
        measure(options, Path(name), perf_counter() + options.seconds)


def measure(options: argparse.Namespace, folder: Path, until: float) -> None:
    """Measure the parts one after the other, with room for what they write in `folder`."""
    begun = perf_counter()
    search = load_search(SEARCH, Overrides(epochs=options.epochs, train_size=options.train_size))
    prepared = prepare(search, folder, options.data_dir)
    trials = grid_trials(search, prepared)
    family = get_family(trials[0].family)
    work = {trial.id: family.work(trial.values, prepared.shape, prepared.classes) for trial in trials}
    fit, held = training_images(trials[0], load_from_store(prepared.folder))
    if held is None:
        raise RuntimeError(f"{SEARCH} holds no images out")
    about = (
        f"{len(trials)} CNNs on Fashion-MNIST, {search.epochs} epochs of {len(fit):,} images with {len(held):,} to "
        f"validate on{', under the multi-process service of CUDA' if is_shared() else ''}."
    )
    measured = Measured(options.out, about, trials, work, search.epochs * (3 * len(fit) + len(held)))
    measured.workers = options.workers
    measured.peak = peak_of_device(options.matrix, folder)
    measured.write()
    report_progress(f"{backend_name()}: {measured.peak / 1e12:.2f} TFLOP/s")
    run = TunerRun(SEARCH.stem, options.out, options.data_dir, "--workers", str(options.workers), *smaller(options))
    ended = run.wait(begun + _OF_THE_GRID * (until - begun))
    note_search(run, measured)
    report_progress(f"{len(measured.tool)} trials, {measured.seconds:.1f} s; {'ended' if ended else 'stopped'}")
    for_peer = min(options.peer_seconds, until - perf_counter())
    if for_peer > 0:
        by_keras_tuner(spread(trials, work, options.trials), options.data_dir, for_peer, measured)
    for_epochs = min(options.epoch_seconds, until - perf_counter() - _TO_RUN_EPOCHS)
    if for_epochs > 0 and backend_name() == "jax":
        measure_epochs(options.out, options.data_dir, options.train_size or 60_000, for_epochs)
    run_also(options.also, options, until, measured)
    report_progress(f"{options.out / 'gpu.md'}")


def peak_of_device(side: int, folder: Path) -> float:
    """Return the operations per second of products of square matrices of this side, measured in a worker."""
    with LocalExecutor("benchmarks.gpu.grid:peak", 1, Resources(), folder / "workers.log", PRELOAD) as pool:
        pool.submit("peak", side)
        (outcome,) = pool.wait()
    if outcome.died:
        raise RuntimeError(f"the peak could not be measured: {outcome.died}")
    return float(outcome.value)


if __name__ == "__main__":
    main()
