"""What a person sees while a search runs: a bar on a terminal and in a notebook, plain lines elsewhere."""

from __future__ import annotations

import html
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from tuner.objective import ACCURACY
from tuner.running.forecast import Forecast
from tuner.running.status import MOST_WAITING, Phase, Status, StatusFile
from tuner.text import visible_line
from tuner.trial import Record, Trial

#: Elsewhere than on a terminal, a line at most this often.
_SECONDS_BETWEEN_LINES = 10.0
#: In a notebook one line is written over, at most this often.
_SECONDS_BETWEEN_UPDATES = 1.0
#: Of a large cluster, so many machines are named.
_MOST_NODES = 4


class ProgressReport:
    """Shows trials done, the best score so far, failures, the time that is left, and the trials of each machine.

    A context manager.

    Args:
        console: where it is shown.
        at_a_time: says in words how many trials run at a time.
        capacity: says in a number how many.
        status: where the same is told to whoever watches.
    """

    def __init__(
        self,
        console: Console,
        at_a_time: Callable[[], str],
        capacity: Callable[[], int] = lambda: 1,
        status: StatusFile | None = None,
    ) -> None:
        self._console, self._at_a_time, self._capacity, self._status = console, at_a_time, capacity, status
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("best {task.fields[best]}"),
            TimeElapsedColumn(),
            _TimeLeft(),
            TextColumn("{task.fields[nodes]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None
        self._what, self._total = "", 0
        self._done = self._known = self._failed = 0
        self._failed_in_folds: set[str] = set()  # cross-validated trials that count as failed
        self._best: dict[str, float] = {}  # by what it is called
        self._whole = False  # whether a search trial was trained to its end
        self._last_line = 0.0
        self._paused = False
        self._forecast = Forecast(0.0)
        self._nodes: Counter[str] = Counter()
        self._place: Any = None  # of this phase in a notebook

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def begin(self, what: str, total: int | None) -> None:
        """A phase of so many trials begins."""
        self._what, self._total = what, total or 0
        self._done = self._known = self._failed = 0
        self._failed_in_folds.clear()
        self._best.clear()
        self._whole = False
        self._nodes.clear()
        self._last_line = time.monotonic()
        self._forecast = Forecast(self._last_line)
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(what, total=total, best="–", left=None, nodes="")
        if not self._console.is_terminal:
            count = f"{total} trials, " if total else ""
            self._place = None
            self._show(f"{what}: {count}{self._at_a_time()}")
        self._tell(at_once=True)

    def proposed(self, trial: Trial, cost: float) -> None:
        """A trial is to be trained, at such a cost beside others."""
        self._forecast.proposed(trial, cost)

    def started(self, trial: Trial) -> None:
        """A trial has been handed to a worker."""
        self._forecast.started(trial)

    def finished(self, record: Record, known: bool, node: str = "") -> None:
        """A trial has finished, on a machine of this name; `known` if it had finished in an earlier run."""
        if not known:
            self._forecast.finished(record)
        trainings = len(record.trial.parts) or 1
        self._done += trainings
        self._known += known * trainings
        self._failed += self._is_another_failure(record)
        if node:
            self._nodes[node] += 1
        if record.completed and not record.trial.fold:
            self._note_best(record)
        best = _plain(", ".join(f"{head} {score:.4f}" for head, score in self._best.items())) or "–"
        if self._task is not None:
            left, nodes = self._seconds_left(), self._by_node()
            self._bar.update(self._task, completed=self._done, best=best, left=left, nodes=nodes)
        if not record.completed:
            fold = f", fold {record.trial.fold} of {record.trial.folds}" if record.trial.fold else ""
            self._console.print(
                f"[yellow]failed[/]: {_plain(record.trial.family)} on {_plain(record.trial.dataset)}, trial "
                f"{record.trial.id}{fold}: {_plain(record.result.error)}",
                highlight=False,
                emoji=False,
                soft_wrap=True,
            )
        last = self._done == self._total
        self._tell(at_once=last)
        pause = _SECONDS_BETWEEN_UPDATES if self._console.is_jupyter else _SECONDS_BETWEEN_LINES
        if not self._console.is_terminal and (last or time.monotonic() - self._last_line > pause):
            self._last_line = time.monotonic()
            left = self._seconds_left()
            failed = f", {self._failed} failed" if self._failed else ""
            eta = "" if left is None or last else f", {_clock(left)} left"
            where = f", on {nodes}" if (nodes := self._by_node()) else ""
            again = f", {self._known} from before" if self._known else ""
            scored = f", best {best}" if self._best else ""
            self._show(f"{self._what}: {self._done}/{self._total or '?'}{scored}{failed}{again}{eta}{where}")

    def _is_another_failure(self, record: Record) -> bool:
        """Whether a trial failed that has not been counted; one whose folds failed counts once, also as it is resumed.

        What a resumed run finds recorded of a cross-validated trial is the trial, of others the folds.
        """
        if record.completed or not record.trial.folds:
            return not record.completed
        whole, before = replace(record.trial, fold=0).id, len(self._failed_in_folds)
        self._failed_in_folds.add(whole)
        return len(self._failed_in_folds) > before

    def scored(self, record: Record) -> None:
        """The last fold of a cross-validated trial has finished: it counted, and now the trial has a score."""
        if record.completed:
            self._note_best(record)

    def _note_best(self, record: Record) -> None:
        """Note the score of a trial, a retraining's on the test set, if it is the best so far of its objective."""
        searched = record.trial.role == "search"
        objective = record.objective if searched else ACCURACY
        score = record.score if searched else record.result.test_accuracy
        head = objective.head if searched else "test accuracy"
        if searched and not record.trial.is_partial and not self._whole:
            self._whole = True
            self._best.clear()  # of what was trained for a few epochs
        elif record.trial.is_partial and self._whole:
            return
        known = [value for value in (self._best.get(head), score) if value is not None]
        if known:
            self._best[head] = max(known, key=objective.gain)

    def _show(self, line: str) -> None:
        """Say how far a phase is: in a notebook in the place of what it said before, elsewhere on a line of its own."""
        if not self._console.is_jupyter:
            self._console.print(line, highlight=False, emoji=False, soft_wrap=True)
        elif not self._console.quiet:
            from IPython.display import DisplayHandle

            plain = Text.from_markup(line).plain
            bar = f'<progress value="{self._done}" max="{self._total}"></progress> ' if self._total else ""
            shown = {"text/plain": plain, "text/html": f"{bar}<code>{html.escape(plain)}</code>"}
            if self._place is None:
                self._place = DisplayHandle()
                self._place.display(shown, raw=True)
            else:
                self._place.update(shown, raw=True)

    def retried(self, trial: Trial, reason: str) -> None:
        """A trial's worker died, and the trial is tried again."""
        self._console.print(
            f"[yellow]again[/]: trial {trial.id}: {_plain(reason)}", highlight=False, emoji=False, soft_wrap=True
        )

    def _tell(self, at_once: bool) -> None:
        """Tell whoever watches how far the phase is."""
        if self._status is None:
            return
        left = self._total - self._done
        between = self._forecast.left_between(left, self._capacity()) if self._total else None
        what: Phase = "retraining" if self._what in ("retraining", "ensembles") else "search"
        told = Status(
            what,
            self._total,
            self._done,
            self._known,
            self._failed,
            self._capacity(),
            between,
            time.time(),
            self._paused,
            tuple(self._forecast.waiting(MOST_WAITING)),
        )
        self._status.tell(told, at_once)

    def left_out(self, trial: Trial) -> None:
        """A trial that was to be trained, or is under way, is not trained, or no further."""
        self._forecast.left_out(trial)
        if self._total:
            self._total -= 1
            if self._task is not None:
                self._bar.update(self._task, total=self._total)
        self._tell(at_once=True)

    def replanned(self, more: int) -> None:
        """The phase has so many trials more than it was begun with, or fewer; unless nobody knows how many it has."""
        if self._total:
            self._total += more
            if self._task is not None:
                self._bar.update(self._task, total=self._total)
        self._tell(at_once=True)

    def paused(self, paused: bool) -> None:
        """The run begins nothing new for a while, or goes on."""
        self._paused = paused
        self._tell(at_once=True)

    def _by_node(self) -> str:
        """Return how many trials each machine has finished, those with the most first."""
        shown = [f"{_plain(name)} {count}" for name, count in self._nodes.most_common(_MOST_NODES)]
        more = len(self._nodes) - len(shown)
        return ", ".join([*shown, f"{more} more"] if more else shown)

    def _seconds_left(self) -> float | None:
        """Return the time left, where it is known how many trials there are."""
        return self._forecast.seconds_left(self._total - self._done, self._capacity()) if self._total else None


class _TimeLeft(ProgressColumn):
    """The time left, counted from the trials that this run trained, not from those that it found done."""

    def render(self, task: Task) -> Text:
        left = task.fields.get("left")
        return Text("" if left is None else f"{_clock(left)} left", style="cyan")


def say(console: Console, sentence: str) -> None:
    """Say a sentence on a search in a line of its own."""
    console.print(_plain(sentence), highlight=False, emoji=False, soft_wrap=True)


def _plain(text: str) -> str:
    """Return text as neither rich nor the terminal takes it for a command."""
    return escape(visible_line(text))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
