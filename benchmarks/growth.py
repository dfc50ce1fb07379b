"""Part `growth`: ten thousand trials that train nothing, so that what remains is the tool.

Run as `python -m benchmarks.growth local|inside SIDE`; prints its seconds as JSON.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from benchmarks.driving import Watch, search_of, warm_up
from benchmarks.measuring import report_progress, run_module, table
from benchmarks.sizes import sized
from tuner.executors import Executor, LocalExecutor, Outcome
from tuner.ledger.ledger import Ledger
from tuner.running.loop import Runner
from tuner.running.planned import Prepared, all_search_proposals
from tuner.search_file.model import Search
from tuner.trial import Job, Result

#: Every width of a convolution up to this one, with every width of a dense layer.
SIDE = sized(100, 5)
#: Which tenths of the trials are timed.
TENTHS = {"first": 0, "second": 1, "ninth": 8, "last": 9}
KINDS = {"local": "a process each, two at a time", "inside": "in the loop's own process"}

_SEARCH = """
title = "a grid that trains nothing"
dataset = "digits"
[training]
epochs = 1
[[search]]
family = "cnn"
[search.space]
conv_depth = 1
filters_1 = {widths}
dense_units = {widths}
"""


def at_once(job: Job) -> Result:
    """Return a result without any training; what stands for a trial."""
    history = {"loss": [1.0], "accuracy": [0.5], "val_loss": [1.0], "val_accuracy": [0.5]}
    return Result("completed", parameters=job.trial.epochs, val_accuracy=0.5, val_loss=1.0, history=history)


class InsideExecutor(Executor):
    """Calls `at_once` in this process, so that the loop and the ledger are measured without process creation."""

    slots = 2

    def __init__(self) -> None:
        self._outcomes: list[Outcome] = []

    def submit(self, key: str, argument: object, group: str = "", setting: str = "") -> None:
        """Make the call; see `Executor.submit`."""
        if not isinstance(argument, Job):
            raise TypeError(f"{argument!r} is no job")
        self._outcomes.append(Outcome(key, at_once(argument)))

    def wait(self, timeout: float | None = None) -> Sequence[Outcome]:
        """Return what was called; see `Executor.wait`."""
        outcomes, self._outcomes = self._outcomes, []
        return outcomes

    def close(self) -> None:
        """Nothing is under way."""


def grid_search(side: int, folder: Path) -> Search:
    """Return a search with one model and a grid of `side` times `side` structures."""
    return search_of(_SEARCH.format(widths=list(range(1, side + 1))), folder)


def measure(kind: str, side: int) -> dict[str, float]:
    """Run the grid and, with its ledger opened anew, run it again.

    Returns:
        The number of trials, and seconds: of all of them, of four of their tenths, and of the run `again`.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        search = grid_search(side, folder)
        executor: Executor = InsideExecutor()
        if kind == "local":
            warm_up(folder, ("benchmarks.growth",))
            executor = LocalExecutor("benchmarks.growth:at_once", 2)
        with executor:
            begun = perf_counter()
            times = [0.0, *(moment - begun for moment in run_untrained(search, executor, folder))]
            begun = perf_counter()
            known = len(run_untrained(search, executor, folder))
            again = perf_counter() - begun
    count = search.model_searches[0].planned()
    if (len(times) - 1, known) != (count, count):
        raise RuntimeError(f"{len(times) - 1} and {known} of {count} trials finished")
    tenths = {name: seconds_of_tenth(times, number) for name, number in TENTHS.items()}
    return {"trials": count, "all": times[-1], **tenths, "again": again}


def seconds_of_tenth(times: list[float], number: int) -> float:
    """Return the seconds of the tenth with this number, from 0 to 9; `times` are a 0 and when each trial finished."""
    tenth = (len(times) - 1) // 10
    return times[(number + 1) * tenth] - times[number * tenth]


def run_untrained(search: Search, executor: Executor, folder: Path, data: Path | None = None) -> list[float]:
    """Run a search that trains nothing into the ledger of this folder and return when each trial finished.

    `data` are laid out, for an executor that sends them; without, there are none.
    """
    if data is None:
        data = folder / "nothing"
        data.mkdir(exist_ok=True)
    prepared = Prepared("0" * 16, data, (8, 8, 1), 10, images=0)
    watch = Watch()
    with Ledger(folder / "ledger.sqlite") as ledger:
        ledger.open_search(search.name, search.key, search.to_json())
        runner = Runner(search.name, ledger, executor, lambda trial: Job(trial, data, folder / "models"), watch)
        runner.drive("search", all_search_proposals(search, {search.datasets[0]: prepared}), None)
    return watch.finished_at


def section(_: int) -> str:
    """Measure once, in processes of their own, and return the section."""
    rows = []
    for kind, title in KINDS.items():
        found = run_module("growth", kind, str(SIDE)).found
        report_progress(f"growth, {kind}: {found}")
        seconds = [f"{found[name]:.2f}" for name in ("all", *TENTHS)]
        rows.append([title, *seconds, f"{found['ninth'] / found['second']:.2f}", f"{found['again']:.2f}"])
    return "\n\n".join(
        [
            f"## {SIDE**2:,} trials that train nothing",
            "A grid through the loop and a ledger on disk, one run each: seconds of all trials, of four tenths of "
            "them, and of a second run over the same ledger, which finds every trial recorded. The loop proposes up to "
            "a thousand trials ahead, so that the first tenth pays for proposals of others and the last for hardly "
            "any; the second and the ninth tell whether a trial costs more as the ledger grows.",
            table(("trials", "all s", *(f"{name} tenth" for name in TENTHS), "ninth / second", "run again s"), rows),
        ]
    )


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(measure(sys.argv[1], int(sys.argv[2]))) + "\n")
