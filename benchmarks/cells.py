"""What is simulated for `make statistics`: which models and test sets, a part of a table in a process each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from benchmarks.measuring import report_progress
from benchmarks.rules import Judged, Parts
from benchmarks.simulated import Models

RETRAININGS = (2, 3, 5, 10)
IMAGES = (297, 1_000, 10_000)
ACCURACY = 0.9
#: Names of the sds of the seeds of models, in points, which are dealt round.
SPREADS = {
    "0.2": (0.2,),
    "0.5": (0.5,),
    "1": (1.0,),
    "0.2 and 1": (0.2, 1.0),
    "0.1 and 1": (0.1, 1.0),
}
#: Ends the name of sds whose seeds have heavy tails.
TAILS = ", heavy tails"
TAILED = (f"0.5{TAILS}", f"1{TAILS}")
EQUAL = ("0.2", "0.5", "1", *TAILED)
#: Sds of searches with up to ten models.
SEARCHED = {"0.2": (0.2,), "0.5": (0.5,), "1": (1.0,), "1, 0.2, 0.5, 0.1": (1.0, 0.2, 0.5, 0.1), "one of 1": ()}
SEARCHED_TAILED = (f"1{TAILS}", f"one of 1{TAILS}")
COUNTS = (2, 3, 5, 10)
#: How much better the better model is, as a share, by number of test images.
GAPS = {297: 0.04, 1_000: 0.02, 10_000: 0.01}

Rule = Callable[[Parts], Judged]
T = TypeVar("T")


@dataclass(frozen=True)
class Task:
    """A part of a table, simulated in a process: the test images, the name of the seeds' sds, the test sets, a gap."""

    n: int
    name: str
    sets: int
    gap: float

    def generator(self, which: int) -> np.random.Generator:
        """Return the random numbers of this part of table `which`, the same in every process."""
        return np.random.default_rng([which, self.n, *self.name.encode()])

    def models(self, count: int) -> Models:
        """Return so many models with these sds, of which the first is better by the gap."""
        sds = dealt({**SPREADS, **SEARCHED}[self.name.removesuffix(TAILS)], count)
        accuracies = (ACCURACY + self.gap, *[ACCURACY] * (count - 1))
        return Models(accuracies, sds, heavy_tails=self.name.endswith(TAILS))

    @property
    def heads(self) -> list[str]:
        """The first cells of its rows: the number of images, the gap in points, the name."""
        return [f"{self.n:,}", f"{100 * self.gap:g}", self.name]


def tasks(names: Collection[str], sets: int, gap: bool) -> list[Task]:
    """Return a task for each number of images and each name; `gap` says whether the first model is better."""
    return [Task(n, name, max(1, sets), GAPS[n] if gap else 0.0) for n in IMAGES for name in names]


def dealt(spreads: Sequence[float], count: int) -> tuple[float, ...]:
    """Return the sd of each model's accuracy over seeds, as a share."""
    given = spreads or (1.0, *[0.1] * (count - 1))
    return tuple(given[m % len(given)] / 100 for m in range(count))


def run(cell: Callable[[Task], list[T]], tasks: Sequence[Task]) -> list[list[T]]:
    """Return what a function gives for each task, on all cores."""
    import scipy.stats  # noqa: F401  # which each process of each table would import, were it not forked with it

    found = []
    with ProcessPoolExecutor() as pool:
        for task, one in zip(tasks, pool.map(cell, tasks), strict=True):
            found.append(one)
            report_progress(f"{cell.__name__.strip('_')}: {task.n:,} images, sd {task.name} done")
    return found
