"""A short probe of what nothing recorded tells about: two networks of a kind are trained on few images.

It goes the whole way of a trial, in the same workers, and leaves nothing: what it writes lies in a folder that goes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tuner.datasets.base import Dataset
from tuner.datasets.store import save_to_store
from tuner.errors import InputError, ResourceError
from tuner.executors import Executor
from tuner.protocol import stratified
from tuner.running.planning.pace import Measured, load_of, measured
from tuner.search_file.model import Search
from tuner.trial import Job, Record, Result, Trial

#: Epochs of a probe's training; the first compiles.
EPOCHS = 3
#: A probe takes so many steps an epoch, fewer where they come to more multiply-adds than this.
MOST_STEPS, LEAST_STEPS, MOST_WORK = 100, 3, 5e10


@dataclass(frozen=True)
class Case:
    """A trial to be probed: its data set, and the multiply-adds of one image."""

    trial: Trial
    data: Dataset
    work: float


@dataclass(frozen=True)
class Probed:
    """What a probe told: the trainings that it measured, and why others failed."""

    found: tuple[Measured, ...]
    errors: tuple[str, ...]


def probe(pool: Executor, search: Search, cases: Sequence[Case], folder: Path) -> Probed:
    """Train some trials for a moment, as many at a time as a run would.

    Args:
        pool: trains; it has nothing under way.
        search: what the trials are of.
        cases: the trials, of data that may be mapped into memory.
        folder: an empty one, for what is written.

    Raises:
        ResourceError: the machine lacks something.
    """
    waiting = {f"probe {number}": _prepared(case, search, folder) for number, case in enumerate(cases)}
    works = {key: case.work for key, case in zip(waiting, cases, strict=True)}
    under_way: dict[str, Job] = {}
    found: list[Measured] = []
    errors: list[str] = []
    while waiting or under_way:
        while waiting and len(under_way) < max(1, min(pool.slots, pool.capacity())):
            key = next(iter(waiting))
            under_way[key] = waiting.pop(key)
            pool.submit(key, under_way[key], key)
        for outcome in pool.wait():
            job = under_way.pop(outcome.key)
            if isinstance(outcome.value, ResourceError):
                raise outcome.value
            if not isinstance(outcome.value, Result):
                errors.append(outcome.died)
                continue
            images = len(_images_of(job))
            one = measured(Record(job.trial, outcome.value), load_of(job.trial, works[outcome.key], images), set())
            if one is None:
                errors.append(outcome.value.error)
            else:
                found.append(one)
    return Probed(tuple(found), tuple(dict.fromkeys(errors)))


def extremes(cases: Sequence[Case]) -> Iterator[Case]:
    """Yield the trial with the least work, and that with the most if it has more."""
    order = sorted(cases, key=lambda case: case.work)
    yield from order[:1]
    if order and order[-1].work > order[0].work:
        yield order[-1]


def _images_of(job: Job) -> range:
    """Return the training images that a probe has."""
    from tuner.datasets.store import load_from_store

    return range(len(load_from_store(job.data).y_train))


def _prepared(case: Case, search: Search, folder: Path) -> Job:
    """Return the job of a short training on few images of each class."""
    trial, data = case.trial, case.data
    batch = int(trial.values.get("batch_size", 32))
    steps = max(LEAST_STEPS, min(MOST_STEPS, int(MOST_WORK / max(1.0, case.work * batch))))
    held = 0.0 if trial.protocol == "published" else trial.validation
    few = _few(data, math.ceil(steps * batch / (1 - held)))
    short = replace(
        trial,
        fingerprint=few.fingerprint,
        train_size=None,
        test_size=None,
        epochs=EPOCHS,
        stop_after=None,
        watch=(),
        folds=0,
        fold=0,
    )
    files = next((one.family.files for one in search.model_searches if one.path == trial.family), ())
    return Job(short, save_to_store(few, folder / "data"), folder / "models", search.folder.resolve(), files)


def _few(data: Dataset, images: int) -> Dataset:
    """Return a data set of so many training images, and a tenth of them to test on, drawn by class."""
    classes = len(data.class_names)
    chosen = {}
    for side, labels, count in (
        ("train", data.y_train, max(images, 10 * classes)),
        ("test", data.y_test, max(images // 10, classes)),
    ):
        try:
            kept = stratified(labels, count, 0)[0] if count < len(labels) else range(len(labels))
        except InputError:  # of a class with hardly any images
            kept = range(len(labels))
        chosen[f"x_{side}"], chosen[f"y_{side}"] = getattr(data, f"x_{side}")[kept], getattr(data, f"y_{side}")[kept]
    return replace(data, **chosen, files={}, left_out=(), validation_images=0, groups={})
