"""Searches that run by the tool's own command, and what they recorded."""

from __future__ import annotations

import argparse
import math
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter, sleep, time

from benchmarks.gpu.grid import Measured, number
from benchmarks.measuring import report_progress
from tuner.ledger.ledger import Ledger
from tuner.trial import Record

#: How long a run that is asked to stop may take to record what has finished.
_SECONDS_TO_STOP = 30
_SECONDS_BETWEEN_LOOKS = 0.2


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
            self.ask_to_stop()
        try:
            self._process.wait(_SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        return False

    @property
    def seconds(self) -> float:
        """How long ago it was started."""
        return time() - self._begun

    def ended(self) -> bool:
        """Whether it has ended, however it did."""
        return self._process.poll() is not None

    def ask_to_stop(self) -> None:
        """Ask it to record what has finished and to end, which is not waited for."""
        if not self.ended():
            self._process.send_signal(signal.SIGINT)

    def finished(self) -> tuple[list[Record], float]:
        """Return its finished search trials, and the seconds from its start until the last of them had ended.

        The seconds are NaN where another run than this one finished some.
        """
        with Ledger(self._ledger) as ledger:
            listed = ledger.search_trials(self.name)
            attempts = ledger.attempts(self.name)
        records = [record for place, record in listed if place.role == "search" and record is not None]
        own = [attempts[record.trial.id] for record in records]
        if not own or min(attempt.began for attempt in own) < self._begun:
            return records, math.nan
        return records, max(attempt.ended for attempt in own) - self._begun


def note_search(run: TunerRun, measured: Measured) -> None:
    """Add what a search recorded to what was measured; a trial that failed is told, and has no figures."""
    records, measured.seconds = run.finished()
    trials = []
    for record in records:
        if not record.completed:
            report_progress(f"{run.name}: trial {record.trial.id} failed: {record.result.error}")
            continue
        result = record.result
        measured.device = str(result.environment["device"])
        measured.backend = f"Keras {result.environment['keras']} on {result.environment['backend']}"
        trial = {"id": record.trial.id, "seconds": result.seconds, "val_accuracy": result.val_accuracy}
        trials.append({**trial, "seconds_per_epoch": result.seconds_per_epoch})
    measured.add(measured.tool, *trials)


@dataclass(frozen=True)
class Chain:
    """Searches that run one after the other, with so many trials at once; a later one finds what an earlier trained."""

    names: tuple[str, ...]
    workers: int

    @classmethod
    def read(cls, text: str) -> Chain:
        """Read `NAME,NAME:WORKERS`; without WORKERS it has two.

        Raises:
            ValueError: a name is missing, or WORKERS is no number of them.
        """
        names, _, own = text.partition(":")
        chain = cls(tuple(names.split(",")), int(own or 2))
        if not all(chain.names) or chain.workers < 1:
            raise ValueError(text)
        return chain


def run_also(chains: Sequence[Chain], options: argparse.Namespace, until: float, measured: Measured) -> None:
    """Run chains of searches at once until their time is over; each search is noted as it ends."""

    def started(chain: Chain) -> tuple[TunerRun, Chain]:
        workers = ("--workers", str(chain.workers))
        return TunerRun(chain.names[0], options.out, options.data_dir, *workers, *smaller(options)), chain

    running = [started(chain) for chain in chains]
    while running:
        sleep(_SECONDS_BETWEEN_LOOKS)
        over = perf_counter() >= until
        if over:
            for run, _ in running:
                run.ask_to_stop()
        for place in [place for place in running if over or place[0].ended()]:
            run, chain = place
            running.remove(place)
            ended = run.wait(perf_counter() + _SECONDS_TO_STOP)
            records, _ = run.finished()
            seconds = number(run.seconds)
            measured.also.append({"search": run.name, "trials": len(records), "ended": ended, "seconds": seconds})
            measured.write()
            report_progress(f"{run.name}: {len(records)} trials, {'ended' if ended else 'stopped'}, {seconds} s")
            if chain.names[1:] and not over:
                running.append(started(replace(chain, names=chain.names[1:])))


def smaller(options: argparse.Namespace) -> list[str]:
    """Return the options of `tuner run` that make a search smaller."""
    given = (("--epochs", options.epochs), ("--train-size", options.train_size))
    return [part for name, value in given if value is not None for part in (name, str(value))]
