"""Part `cluster`: how many places of a Ray cluster one main process keeps busy.

Trials sleep, or take their time on a clock of their own, so that what remains is the loop, its ledger and Ray. Run as
`python -m benchmarks.cluster ray|local|calls|simulated NUMBER`; prints what it measured as JSON.
"""

from __future__ import annotations

import heapq
import json
import logging
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter, process_time

from benchmarks.driving import laid_out_digits
from benchmarks.growth import at_once, grid_search, run_untrained
from benchmarks.measuring import report_progress, run_module, table
from benchmarks.sizes import sized
from tuner.executors import Executor, LocalExecutor, Outcome, Resources
from tuner.search_file.model import Search
from tuner.trial import Job, Result, Trial

#: Places of the real executors, and of the simulated cluster.
SLOTS, MANY_SLOTS = sized((16, 1000), (2, 20))
PRELOAD = ("benchmarks.cluster",)
#: How long a trial sleeps, in seconds.
NAP = sized(1.0, 0.05)
#: Widths of two layers that give the real executors, and the simulated cluster, their trials: their square.
FEW_SIDE, SIDE = sized((32, 317), (2, 20))
#: Calls on Ray whose cost is measured.
CALLS = sized(2000, 20)
#: Mean lengths of the simulated cluster's trials, in seconds.
LENGTHS = sized((2, 10, 60), (10,))


def nap(job: Job) -> Result:
    """Sleep in place of a training."""
    time.sleep(NAP)
    return at_once(job)


class SimulatedCluster(Executor):
    """Calls that take their time on a clock of its own, which also moves while the caller does something.

    Args:
        slots: places.
        mean: of the seconds that a call takes, which are spread evenly from half to one and a half times that.
        per_call: seconds that handing a call over and taking its result cost the caller on a real cluster.
    """

    def __init__(self, slots: int, mean: float, per_call: float) -> None:
        self.slots = slots + slots // 4  # as on Ray, some wait at the cluster
        self.busy = 0.0
        self._free = [0.0] * slots
        self._mean, self._per_call = mean, per_call
        self._random = random.Random(0)  # noqa: S311  # a simulation
        self._ending: list[tuple[float, str, object]] = []
        self._now, self._left = 0.0, perf_counter()

    @property
    def seconds(self) -> float:
        """How much time has passed on the cluster's clock."""
        return self._now

    def _return_to(self) -> None:
        self._now += perf_counter() - self._left

    def submit(self, key: str, argument: object, group: str = "", setting: str = "") -> None:
        """Let the call begin where a place is free first; see `Executor.submit`."""
        self._return_to()
        self._now += self._per_call
        takes = self._mean * self._random.uniform(0.5, 1.5)
        begins = max(self._now, heapq.heappop(self._free))
        heapq.heappush(self._free, begins + takes)
        heapq.heappush(self._ending, (begins + takes, key, argument))
        self.busy += takes
        self._left = perf_counter()

    def wait(self, timeout: float | None = None) -> Sequence[Outcome]:
        """Return the calls that have ended, moving the clock to the first end if none has; see `Executor.wait`."""
        self._return_to()
        self._now = max(self._now, self._ending[0][0])
        outcomes = []
        while self._ending and self._ending[0][0] <= self._now:
            _, key, argument = heapq.heappop(self._ending)
            if not isinstance(argument, Job):
                raise TypeError(f"{argument!r} is no job")
            outcomes.append(Outcome(key, at_once(argument)))
        self._left = perf_counter()
        return outcomes

    def close(self) -> None:
        """Nothing is under way."""


def _seconds_of(search: Search, executor: Executor, folder: Path, data: Path | None = None) -> float:
    """Run a search that trains nothing and return how many seconds it took."""
    begun = perf_counter()
    finished = len(run_untrained(search, executor, folder, data))
    seconds = perf_counter() - begun
    if finished != search.model_searches[0].planned():
        raise RuntimeError(f"{finished} of {search.model_searches[0].planned()} trials finished")
    return seconds


def _on_ray(function: str) -> Executor:
    """Return the executor on a Ray of this machine that believes to have as many cores as there are to be places."""
    import ray

    from tuner.executors.ray import RayExecutor

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(
        "local",
        num_cpus=SLOTS,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        runtime_env={"env_vars": {"PYTHONPATH": str(Path.cwd())}},
    )
    return RayExecutor(None, f"benchmarks.cluster:{function}", None, Resources(1, 0), preload=PRELOAD)


def _here(function: str) -> Executor:
    return LocalExecutor(f"benchmarks.cluster:{function}", SLOTS, preload=PRELOAD)


def measure_naps(make: Callable[[str], Executor], side: int) -> dict[str, float]:
    """Let the square of so many trials sleep, and return the share of the places' time in which they did.

    `own` are seconds of this process's CPU for each of them.
    """
    with tempfile.TemporaryDirectory() as name, make("nap") as executor:
        folder = Path(name)
        data = laid_out_digits(folder)
        for place in range(SLOTS):  # until every worker is there
            executor.submit(f"{place}", Job(_any_trial(), data, folder))
        awake = 0
        while awake < SLOTS:
            awake += len(executor.wait())
        search = grid_search(side, folder)
        own = process_time()
        seconds = _seconds_of(search, executor, folder, data)
        own = process_time() - own
    trials = side**2
    return {"trials": trials, "seconds": seconds, "busy": trials * NAP / SLOTS / seconds, "own": own / trials}


def measure_calls(calls: int) -> dict[str, float]:
    """Return the seconds of this process that a call on Ray takes, submitted and taken back, at many under way."""
    with tempfile.TemporaryDirectory() as name, _on_ray("at_once") as executor:
        job = Job(_any_trial(), laid_out_digits(Path(name)), Path(name) / "models")
        spent = 0.0
        for _ in range(2):  # the first time starts the workers
            begun, own = 0, process_time()
            ended = 0
            while ended < calls:
                while begun < min(calls, ended + MANY_SLOTS):
                    executor.submit(str(begun), job)
                    begun += 1
                ended += len(executor.wait())
            spent = process_time() - own
    return {"calls": calls, "per_call": spent / calls}


def _any_trial() -> Trial:
    return Trial("cnn", "digits", "0" * 16, {}, epochs=1, seed=0)


def simulate(mean: float, per_call: float) -> dict[str, float]:
    """Run a large grid on a simulated cluster and return what became of its places."""
    with tempfile.TemporaryDirectory() as name:
        cluster = SimulatedCluster(MANY_SLOTS, mean, per_call)
        trials = grid_search(SIDE, Path(name))
        real = _seconds_of(trials, cluster, Path(name))
    count = SIDE**2
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    busy = cluster.busy / MANY_SLOTS / cluster.seconds
    return {"trials": count, "busy": busy, "hours": cluster.seconds / 3600, "own": real / count, "peak_mb": peak}


def section(_: int) -> str:
    """Measure once, in processes of their own, and return the section."""
    naps = []
    for kind, title in (("ray", "--executor ray"), ("local", f"--executor local --workers {SLOTS}")):
        found = run_module("cluster", kind, str(FEW_SIDE)).found
        report_progress(f"cluster, {kind}: {found}")
        naps.append([title, f"{found['seconds']:.1f}", f"{found['busy']:.1%}", f"{1000 * found['own']:.2f}"])
    per_call = run_module("cluster", "calls", str(CALLS)).found["per_call"]
    report_progress(f"cluster, a call: {1000 * per_call:.2f} ms")
    simulated, costs = [], []
    for mean in LENGTHS:
        found = run_module("cluster", "simulated", str(mean), str(per_call)).found
        report_progress(f"cluster, simulated {mean} s: {found}")
        costs.append(found["own"] + per_call)
        simulated.append(
            [
                f"{mean} s",
                f"{found['busy']:.1%}",
                f"{found['hours']:.2f}",
                f"{1000 * found['own']:.2f}",
                f"{found['peak_mb']:.0f}",
            ]
        )
    cost = sorted(costs)[len(costs) // 2]
    return "\n\n".join(
        [
            "## Places of a cluster that one main process keeps busy",
            f"{FEW_SIDE**2:,} trials that sleep for {NAP:g} s in {SLOTS} places, on a Ray of this machine that takes "
            f"itself for one of {SLOTS} cores, and in as many of this machine's own processes. Busy: of the time of "
            "all places, from the first proposal to the last row in the ledger, what was slept.",
            table(("executor", "seconds", "places busy", "main process, CPU ms a trial"), naps),
            f"The same loop and ledger over {SIDE**2:,} trials in {MANY_SLOTS:,} places of a simulated cluster. Its "
            "clock moves by itself while a trial runs, and by the real time that the loop and the ledger take; a call "
            f"also costs the {1000 * per_call:.2f} ms of CPU that one on Ray was measured to cost the main process, "
            f"with up to {MANY_SLOTS:,} under way.",
            table(("mean trial", "places busy", "hours", "loop and ledger, ms a trial", "peak MB"), simulated),
            f"The first limit is the main process, which is one thread: {1 / cost:,.0f} trials a second, so that "
            f"{MANY_SLOTS:,} places stay busy from trials of {MANY_SLOTS * cost:.1f} s on.",
        ]
    )


if __name__ == "__main__":
    kind, number = sys.argv[1], float(sys.argv[2])
    measured = {
        "ray": lambda: measure_naps(_on_ray, int(number)),
        "local": lambda: measure_naps(_here, int(number)),
        "calls": lambda: measure_calls(int(number)),
        "simulated": lambda: simulate(number, float(sys.argv[3])),
    }[kind]()
    sys.stdout.write("\n" + json.dumps(measured) + "\n")
