"""How a run with so many hours begins: it learns how fast the machine is, and says what it expects to reach."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console

from tuner.analysis.ended import hours_in_words
from tuner.datasets.store import load_from_store
from tuner.executors import Executor
from tuner.ledger.ledger import Ledger
from tuner.running.planned import Prepared
from tuner.running.planning.forecast import calibrated
from tuner.running.planning.hours import Deadline, Timekeeper, expected
from tuner.running.planning.needs import report_seconds, span_of
from tuner.running.planning.outlook import Outlook, trainings_of
from tuner.running.planning.wording import duration
from tuner.running.planning.work import Work, shown, work_of
from tuner.running.progress import say
from tuner.search_file.model import Search
from tuner.system.machine import busyness
from tuner.workspace import Workspace

#: A run of more hours sees how fast the machine is before it says what it expects.
LONG = 0.25
#: What is said of a search that its hours had ended and that has no report yet.
STAYS_ENDED = (
    "this search had been ended before it was stopped, so that it takes nothing new now: it goes on to its "
    "report; run again after that, it goes on from there"
)


@dataclass(frozen=True)
class Begun:
    """A search that begins: checked, with its data laid out, what is recorded, and what trains.

    `fresh` if it trains again what is recorded of it alone.
    """

    search: Search
    prepared: dict[str, Prepared]
    ledger: Ledger
    workspace: Workspace
    pool: Executor
    fresh: bool = False


def timekeeper(begun: Begun, deadline: Deadline, console: Console) -> Timekeeper:
    """Return what decides by the clock, having said what is expected to be reached.

    Raises:
        InputError: a network of the user's own cannot be used.
        ResourceError: the machine lacks something.
    """
    search, pool = begun.search, begun.pool
    outlook = Outlook(search, begun.prepared, begun.workspace)
    work = work_of(search, begun.prepared, begun.ledger, begun.workspace, fresh=begun.fresh)
    for ahead in work.ahead:
        outlook.build(ahead, own_alone=True)
    recorded = outlook.learn_recorded(begun.ledger)
    searched, finals = trainings_of(work, outlook)
    data = {name: load_from_store(one.folder) for name, one in begun.prepared.items()}
    every = [*finals, *(one for part in searched.values() for one in part)]
    # Soon after it has begun, the run sees by itself how fast the machine is now.
    basis, why = calibrated(outlook, every, data, pool, look=deadline.hours > LONG)
    places, report = pool.capacity(), report_seconds(shown(work), search.splits, busyness())
    ends = deadline.of_split(search.splits - search.split + 1, report)
    whole = hours_in_words(deadline.hours)
    if why:
        say(console, f"{whole}: how far that goes cannot be told, since {why}")
    else:
        kept = span_of(finals, outlook.pace, places).seconds
        reached = expected(searched, outlook, ends - time.monotonic() - kept, places)
        trained = " and ".join(_reached(work, reached)) or "nothing new"
        say(
            console, f"{promised(whole, trained, kept + report, deadline.ends - deadline.begun)}; times rest on {basis}"
        )
    return Timekeeper(outlook, ends, places, () if begun.fresh else recorded)


def promised(whole: str, trained: str, kept: float, seconds: float) -> str:
    """Return what can be expected, in words.

    Args:
        whole: the hours of the run, in words.
        trained: what will be trained in the search, in words.
        kept: how long retrainings and report take.
        seconds: the hours of the run.
    """
    if kept >= seconds:
        return (
            f"{whole} are hardly enough: retrainings and the report alone are expected to take {duration(kept)}; "
            f"{trained} are trained all the same, since without them there is nothing to report"
        )
    return f"within {whole}, {trained} can be expected; {duration(kept)} are kept for retrainings and the report"


def _reached(work: Work, reached: Mapping[tuple[str, str], int]) -> list[str]:
    """Return how many configurations, or trainings of what is pruned, can be expected, in words."""
    told = []
    for ahead in work.ahead:
        one = work.search.model_search(ahead.model)
        new = min(
            -(-reached.get((ahead.model, ahead.dataset), 0) // (work.search.folds or 1)),
            ahead.configurations if one.pruning is None else 1 << 60,
        )
        if one.pruning is not None:
            told.append(f"about {new:,} trainings of {one.label} on {ahead.dataset}")
        else:
            done = min(len(ahead.counted) + new, ahead.configurations)
            told.append(f"about {done:,} of {ahead.configurations:,} configurations of {one.label} on {ahead.dataset}")
    return told
