"""This tool's algorithms, decided by its own loop and ledger, with an executor that looks trainings up."""

from __future__ import annotations

import heapq
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.driving import Watch, search_of
from benchmarks.quality.clock import Reached, Spent
from benchmarks.quality.curves import IMAGES, WORKERS, Curves
from benchmarks.quality.space import FITTED, HELD_OUT, named, search_file
from tuner.executors import Executor, Outcome
from tuner.ledger.ledger import Ledger
from tuner.running.loop import Runner
from tuner.running.planned import Prepared, all_search_proposals
from tuner.trial import Job, Result, Trial


class Recorded(Executor):
    """Ends calls when the recorded trainings would have ended, by a clock that it moves itself."""

    slots = WORKERS

    def __init__(self, curves: Curves, spent: Spent) -> None:
        self._curves, self._spent = curves, spent
        self._under_way: list[tuple[float, str, Trial]] = []
        self._reached: dict[str, int] = defaultdict(int)

    def submit(self, key: str, argument: object, group: str = "", setting: str = "") -> None:
        """Start a training now: from its checkpoint, where the same one was trained less far before."""
        if not isinstance(argument, Job):
            raise TypeError("the loop submits jobs")
        trial, name = argument.trial, named(argument.trial.values)
        before = min(self._reached[trial.course], trial.last_epoch)
        scores = self._curves.scores(name, before, trial.last_epoch)
        self._reached[trial.course] = trial.last_epoch
        ends = self._spent.train(scores, self._curves.ours[name], begun=self._spent.now)
        heapq.heappush(self._under_way, (ends, key, trial))

    def wait(self, timeout: float | None = None) -> Sequence[Outcome]:
        """Return the call that ends next, and let it be that time."""
        ends, key, trial = self._under_way[0]
        if self._spent.seconds is not None and self._spent.seconds <= ends:
            raise Reached
        heapq.heappop(self._under_way)
        self._spent.now = ends
        return [Outcome(key, self._result(trial))]

    def close(self) -> None:
        """Drop what is under way."""
        self._under_way.clear()

    def _result(self, trial: Trial) -> Result:
        whole = self._curves.results[named(trial.values)]
        history = {name: curve[: trial.last_epoch] for name, curve in whole.history.items()}
        accuracy, loss = history["val_accuracy"][-1], history["val_loss"][-1]
        return replace(whole, history=history, files={}, val_accuracy=accuracy, val_loss=loss)


def search(algorithm: str, curves: Curves, spent: Spent, seed: int) -> None:
    """Run a search with the lines of its file that say what proposes, until it is over or has reached its target."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = search_of(search_file(folder / IMAGES, algorithm, seed), folder)
        prepared = {found.datasets[0]: Prepared(curves.fingerprint, folder, (28, 28, 1), 10, FITTED + HELD_OUT)}
        with Ledger(folder / "ledger.sqlite") as ledger, Recorded(curves, spent) as executor:
            ledger.open_search(found.name, "key", found.to_json())
            runner = Runner(found.name, ledger, executor, lambda trial: Job(trial, folder, folder), Watch())
            try:
                runner.drive("search", all_search_proposals(found, prepared), None)
            except Reached:
                return


_HALVING = 'max_trials = 200\nprune = "halving"'
OURS: dict[str, Callable[[Curves, Spent, int], None]] = {
    "this tool, random and halving": partial(search, f'algorithm = "random"\n{_HALVING}'),
    "this tool, TPE and halving": partial(search, f'algorithm = "tpe"\n{_HALVING}'),
    "this tool, Hyperband": partial(search, 'algorithm = "hyperband"'),
    "this tool, random": partial(search, 'algorithm = "random"\nmax_trials = 200'),
}
