"""A forecast of a run: what it needs, by what is recorded, else by a short probe."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tuner.datasets.base import Dataset
from tuner.executors import ExecutionOptions, Executor, Limits, LocalExecutor, Resources
from tuner.ledger.ledger import Ledger
from tuner.running.options import TRAIN
from tuner.running.planning.needs import Needs, Training, report_seconds, span_of, whole_time
from tuner.running.planning.outlook import Outlook, trainings_of
from tuner.running.planning.pace import kind_of
from tuner.running.planning.work import Work, shown
from tuner.search_file.model import Search
from tuner.system.machine import busyness
from tuner.system.scratch import scratch_folder
from tuner.system.waiting import doing
from tuner.workspace import Workspace


@dataclass(frozen=True)
class Foretold:
    """What a forecast looks at, beside what is to be trained.

    Args:
        data: the data sets of the first split, by name.
        tests: the number of test images of each data set, by its fingerprint.
        workspace: where the run would read and write.
        ledger: what is recorded, if anything is.
        execution: where trials would run, and how many at once.
        checked: the seconds that it took to read and check the search, which a run takes too.
    """

    data: Mapping[str, Dataset]
    tests: Mapping[str, int]
    workspace: Workspace
    ledger: Ledger | None
    execution: ExecutionOptions
    checked: float


def foretold(all_work: Sequence[Work], given: Foretold) -> tuple[Needs | None, str]:
    """Return what a run needs; or None, and why that cannot be told.

    Args:
        all_work: what is to be trained on each split.
        given: what the forecast looks at.

    Raises:
        InputError: a network of the user's own cannot be used.
        ResourceError: the machine lacks something.
    """
    search = all_work[0].search
    prepared = {f"{name}#{work.search.split}": one for work in all_work[1:] for name, one in work.prepared.items()}
    outlook = Outlook(search, {**prepared, **all_work[0].prepared}, given.workspace)
    begun = time.monotonic()
    for ahead in all_work[0].ahead:
        outlook.build(ahead)
    started = given.checked + time.monotonic() - begun
    if given.ledger:
        outlook.learn_recorded(given.ledger)
    phases = []
    for work in all_work:
        searched, finals = trainings_of(work, outlook)
        phases.append(([one for part in searched.values() for one in part], finals))
    every = [one for phase in phases for part in phase for one in part]
    resources = Resources(search.cpus_per_trial or search.threads, search.gpus_per_trial)
    limits = Limits(search.max_trial_minutes, search.max_trial_gb)
    with given.execution.open(TRAIN, resources, Path(os.devnull), limits) as pool:
        basis, why = calibrated(outlook, every, given.data, pool)
        places = pool.capacity()
    if why:
        return None, why
    return _needs(outlook, phases, places, started, basis, given.tests, shown(all_work[0])), ""


def calibrated(
    outlook: Outlook, every: Sequence[Training], data: Mapping[str, Dataset], pool: Executor, look: bool = True
) -> tuple[str, str]:
    """Probe what no record tells about. Return what the times rest on, and why they cannot be told if they cannot.

    Args:
        outlook: learns of the probe.
        every: what is to be trained.
        data: the data sets, by name.
        pool: trains; it has nothing under way.
        look: see how fast the machine is now where that is recorded, too.

    Raises:
        ResourceError: the machine lacks something.
    """
    recorded = outlook.pace.count(kind_of(one.trial) for one in every)
    basis = [f"{recorded:,} recorded training{'s' * (recorded != 1)}"] if recorded else []
    cases = outlook.unknown(every, data)
    if cases and not isinstance(pool, LocalExecutor):
        return "", f"nothing recorded tells how fast {cases[0].trial.family} trains, and only this machine is probed"
    if cases:
        begun = time.monotonic()
        with doing("training a probe"), scratch_folder("probe") as folder:
            probed = outlook.learn_probe(pool, cases, folder)
        took = time.monotonic() - begun
        basis.append(f"a probe of {len(cases)} short training{'s' * (len(cases) != 1)}, which took {took:.0f} s")
        missing = [one.trial for one in every if not outlook.pace.knows(one.trial)]
        if missing:
            return "", f"a probe of {missing[0].family} failed: {'; '.join(probed.errors) or 'nobody knows why'}"
    now = outlook.longest_kind(every, data) if look and isinstance(pool, LocalExecutor) else []
    if now:
        begun = time.monotonic()
        with doing("seeing how fast the machine is now"), scratch_folder("probe") as folder:
            outlook.check_pace(pool, now, folder)
        took, slower = time.monotonic() - begun, outlook.pace.slower
        basis[0] += f", taken to be {slower:.2g} times as long now, as a look of {took:.0f} s says"
    return " and ".join(basis) or "nothing, since nothing is to be trained", ""


def _needs(
    outlook: Outlook,
    phases: Sequence[tuple[Sequence[Training], Sequence[Training]]],
    places: int,
    started: float,
    basis: str,
    tests: Mapping[str, int],
    reported: int,
) -> Needs:
    search: Search = outlook.search
    every = [one for phase in phases for part in phase for one in part]
    searched = span_of([one for part, _ in phases for one in part], outlook.pace, places)
    retrained = span_of([one for _, part in phases for one in part], outlook.pace, places)
    start = started + outlook.feature_seconds(every)
    report = report_seconds(reported, search.splits, busyness())
    return Needs(
        whole_time(start, searched, retrained, report),
        start,
        searched.seconds,
        retrained.seconds,
        report,
        places,
        outlook.memory(places),
        outlook.disk(every, tests, reported),
        basis,
    )
