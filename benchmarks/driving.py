"""Driving the tool from a program: a search from its text, and trials of one's own through the tool's loop.

Imports no Keras, as the tool's main process does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

from tuner.datasets import load_dataset
from tuner.datasets.store import save_to_store
from tuner.executors import PRELOAD, Executor, LocalExecutor, Resources
from tuner.ledger.ledger import Ledger
from tuner.running.loop import Runner
from tuner.running.options import TRAIN
from tuner.running.planned import Prepared
from tuner.running.proposals import listed_proposals
from tuner.search_file.file import load_search
from tuner.search_file.model import Search
from tuner.search_file.overrides import Overrides
from tuner.trial import Job, Record, Trial

#: A small CNN on the 8x8 digits, to which a part adds its parameters.
DIGITS = """
title = "a small CNN on digits"
dataset = "digits"
[training]
optimizer = "rmsprop"
batch_size = 32
epochs = {epochs}
[[search]]
family = "cnn"
[search.space]
conv_depth = 1
filters_1 = 16
padding = "same"
dense_units = {dense_units}
"""


class Watch:
    """Observes a search: notes when each trial finished, and lets no failure pass."""

    def __init__(self) -> None:
        self.finished_at: list[float] = []

    def begin(self, what: str, total: int | None) -> None:
        """Nothing to note."""

    def proposed(self, trial: Trial, cost: float) -> None:
        """Nothing to note."""

    def started(self, trial: Trial) -> None:
        """Nothing to note."""

    def finished(self, record: Record, known: bool, node: str = "") -> None:
        """Note the moment."""
        if not record.completed:
            raise RuntimeError(f"trial {record.trial.id} failed: {record.result.error}")
        self.finished_at.append(perf_counter())

    def scored(self, record: Record) -> None:
        """A cross-validated trial, of which there are none here, has its score."""

    def left_out(self, trial: Trial) -> None:
        """A trial is not trained."""

    def replanned(self, more: int) -> None:
        """More trials are planned, or fewer, which nobody asks for here."""

    def retried(self, trial: Trial, reason: str) -> None:
        """A worker died, and a figure of this run would be wrong."""
        raise RuntimeError(f"trial {trial.id}: {reason}")


def search_of(text: str, folder: Path, train_size: int | None = None) -> Search:
    """Return the search that a text describes, written to `folder` as `search.toml`."""
    file = folder / "search.toml"
    file.write_text(text, encoding="utf-8")
    return load_search(file, Overrides(train_size=train_size))


def prepare(search: Search, folder: Path, data_dir: Path | None = None) -> Prepared:
    """Lay the search's one data set out under `folder`."""
    dataset = load_dataset(search.datasets[0], data_dir, search.folder)
    laid_out = save_to_store(dataset, folder / "data")
    return Prepared(dataset.fingerprint, laid_out, dataset.shape, len(dataset.class_names), len(dataset.y_train))


def laid_out_digits(folder: Path) -> Path:
    """Lay the digits out under `folder` and return where, for calls that train nothing but need whole data."""
    return save_to_store(load_dataset("digits"), folder / "data")


def grid_trials(search: Search, prepared: Prepared) -> list[Trial]:
    """Return the trials of a search with one model, a grid, in order."""
    model_search = search.model_searches[0]
    return [
        search.trial(model_search, search.datasets[0], prepared.fingerprint, values, None)
        for values in model_search.space.grid()
    ]


def job_maker(prepared: Prepared, folder: Path) -> Callable[[Trial], Job]:
    """Return what says of a trial where it finds its data."""
    return lambda trial: Job(trial, prepared.folder.resolve(), (folder / "models").resolve())


def training_pool(folder: Path, workers: int | None = None) -> LocalExecutor:
    """Return the tool's own executor for trials of one thread."""
    return LocalExecutor(TRAIN, workers, Resources(), folder / "workers.log", PRELOAD)


def warm_up(folder: Path, preload: Sequence[str] = PRELOAD) -> float:
    """Wait until the server of workers has imported Keras and forked its first; return how many seconds it took."""
    begun = perf_counter()
    with LocalExecutor("benchmarks.driving:nothing", 1, Resources(), folder / "workers.log", preload) as pool:
        pool.submit("first", None)
        pool.wait()
    return perf_counter() - begun


def nothing(argument: object) -> None:
    """Do nothing, in a worker."""


def drive(
    trials: Sequence[Trial], pool: Executor, ledger_file: Path, job_of: Callable[[Trial], Job], watch: Watch
) -> float:
    """Run trials through the tool's loop, into a ledger, and return how many seconds it took."""
    begun = perf_counter()
    with Ledger(ledger_file) as ledger:
        ledger.open_search("search", "listed", "{}")
        runner = Runner("search", ledger, pool, job_of, watch)
        runner.drive("search", [listed_proposals("cnn", "digits", trials)], len(trials))
    seconds = perf_counter() - begun
    if len(watch.finished_at) != len(trials):
        raise RuntimeError(f"{len(watch.finished_at)} of {len(trials)} trials finished")
    return seconds
