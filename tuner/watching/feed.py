"""What is told to those who watch: a row for each training that has finished, and how the search stands now.

Rows come from the ledger and are numbered as they are seen, so that who was cut off asks for those after the last one
that came, and misses none and gets none twice. Nothing is ever written.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tuner import columns as col
from tuner.analysis.ended import asked_in_words, request_in_words
from tuner.analysis.trial_table import trial_row
from tuner.errors import TunerError
from tuner.ledger.ledger import SearchTrial
from tuner.ledger.read_only import ReadOnlyLedger
from tuner.ledger.sole_runner import runner_of
from tuner.running.asked import why_no_number
from tuner.running.status import Status, read_status
from tuner.search_file.model import Search
from tuner.search_file.model_search import ModelSearch
from tuner.system.files import is_a
from tuner.text import setting, visible_line
from tuner.trial import Record, Trial
from tuner.worker.progress import UnderWay, under_way
from tuner.workspace import Workspace, recorded_search

#: How often is looked at what is recorded and what is told, in seconds.
SECONDS_BETWEEN_LOOKS = 0.5
#: Of what was asked of a search and decided, so much is told.
MOST_ASKED = 20
#: Of a worker's progress file and a run's beginning, the clocks of file systems may differ by so many seconds.
_SLACK = 2.0


@dataclass(frozen=True)
class Told:
    """What is known at a moment: `rows` of the list `epoch`, as far as it goes, and the `state` of the search.

    A list that begins anew, as that of an edited search does, is another `epoch`.
    """

    epoch: str
    rows: Sequence[Mapping[str, Any]] = ()
    state: Mapping[str, Any] = field(default_factory=dict)


class Feed:
    """Looks at a search again and again, in a thread of its own, and wakes those who wait for what is new.

    Args:
        name: of the search.
        search: the search as its file has it; None where there is no file.
        workspace: where it reads.
    """

    def __init__(self, name: str, search: Search | None, workspace: Workspace) -> None:
        self._name, self._search, self._workspace = name, search, workspace
        self._changed = threading.Condition()
        self._ended = self._finished = self._begun = False
        self._ledger: ReadOnlyLedger | None = None
        self._file: tuple[int, int] | None = None  # which file the ledger is
        self._change = -1
        self._rows: dict[tuple[str, SearchTrial, str], dict[str, Any]] = {}  # by search, place and time
        self._problem = ""
        self._asked: list[str] = []
        self.runs = ""
        self._told = Told(secrets.token_hex(4), state=self._state("not begun"))

    @property
    def search(self) -> Search | None:
        """The search, as it last ran or, before that, as its file has it."""
        return self._search

    def start(self) -> None:
        """Begin to look."""
        self._forget()  # a connection to the ledger belongs to the thread that made it
        threading.Thread(target=self._follow, name="feed", daemon=True).start()

    def end(self) -> None:
        """Look no more, and let nobody wait."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    @property
    def told(self) -> Told:
        """What is known now."""
        return self._told

    def wait(self, seen: Told, seconds: float) -> Told | None:
        """Return what is known as soon as that is not `seen`, or after so many seconds; None when the feed ends."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._told is not seen, seconds)
            return None if self._ended else self._told

    def _follow(self) -> None:
        while True:
            self.look()
            with self._changed:
                if self._changed.wait_for(lambda: self._ended, SECONDS_BETWEEN_LOOKS):
                    break
        if self._ledger is not None:
            self._ledger.close()

    def look(self) -> None:
        """Look once, and tell what is new."""
        before = self._told
        try:
            epoch, rows = self._recorded(before)
            self._problem = ""
        except TunerError as error:  # a ledger that is being made, moved away, or written with a rollback journal
            epoch, rows, self._problem = before.epoch, before.rows, str(error)
            self._forget()
        state = self._state_now(rows)
        if (epoch, len(rows)) != (before.epoch, len(before.rows)) or state != before.state:
            with self._changed:
                self._told = Told(epoch, rows, state)
                self._changed.notify_all()

    def _forget(self) -> None:
        if self._ledger is not None:
            self._ledger.close()
        self._ledger, self._file, self._change = None, None, -1

    def _recorded(self, before: Told) -> tuple[str, Sequence[Mapping[str, Any]]]:
        """Return the rows of what is recorded, those seen before first."""
        path = self._workspace.ledger
        found = path.stat() if is_a(lambda one: one.is_file(), path) else None
        file = (found.st_dev, found.st_ino) if found else None
        if file != self._file:
            self._forget()
            self._ledger = ReadOnlyLedger(path) if found else None
            self._file = file
        if self._ledger is None:
            self._begun = self._finished = False
            return self._anew() if before.rows else (before.epoch, before.rows)
        change = self._ledger.change()
        if change == self._change:
            return before.epoch, before.rows
        return self._read(self._ledger, change, before)

    def _read(self, ledger: ReadOnlyLedger, change: int, before: Told) -> tuple[str, Sequence[Mapping[str, Any]]]:
        self._begun = ledger.search_content(self._name) is not None
        self._asked = [
            *(asked_in_words(one) for name in self._names for one in ledger.decisions(name)),
            *(f"{request_in_words(one)}: not decided yet" for name in self._names for _, one in ledger.requests(name)),
        ]
        if self._begun:
            self._search = recorded_search(ledger, self._name)
        self._finished = ledger.is_finished(self._name)
        places = [(name, place, when) for name in self._names for place, when in ledger.trained(name)]
        epoch, rows = before.epoch, before.rows
        if self._rows.keys() - set(places):  # forgotten, trained again since, or of a file that was edited
            self._rows.clear()
            epoch, rows = self._anew()
        new: list[Mapping[str, Any]] = []
        for name, place, when in places:
            if (name, place, when) not in self._rows and (record := ledger.get(place.trial)) is not None:
                attempt = ledger.attempt(place.trial)
                row = {
                    "number": len(rows) + len(new) + 1,
                    "key": f"{name} {place.role} {place.model} {place.dataset} {place.number}",
                    "worker": attempt.worker if attempt else None,
                    "node": attempt.node if attempt else "",
                    **self._row(name, place, record),
                }
                self._rows[name, place, when] = row
                new.append(row)
        self._change = change  # not before all is read
        return epoch, [*rows, *new] if new else rows

    @property
    def _names(self) -> list[str]:
        """The names under which the trials of the search stand, one for each split of all images."""
        search = self._search
        if search is None:
            return [self._name]
        return [search.at_split(number).name for number in range(1, search.splits + 1)]

    def _anew(self) -> tuple[str, Sequence[Mapping[str, Any]]]:
        self._rows.clear()
        return secrets.token_hex(4), ()

    def _row(self, name: str, place: SearchTrial, record: Record) -> dict[str, Any]:
        """Return what is told of a training; of a retraining no score, since that is of the test images."""
        whole = trial_row(place.model, place.dataset, record, finished=False)
        return {
            "trial": record.trial.id,
            "model": self._label(place.model),
            "dataset": visible_line(place.dataset),
            "role": place.role,
            "split": self._names.index(name) + 1,
            "status": record.result.status,
            "error": whole[col.ERROR],
            "epochs": whole[col.TRAINED],
            "score": record.score if place.role == "search" else None,
            "seconds": record.result.seconds,
            "settings": self._settings(record.trial),
        }

    def _label(self, model: str) -> str:
        known = {one.name: one.label for one in self._search.listed} if self._search else {}
        return visible_line(known.get(model, model))

    def _settings(self, trial: Trial) -> list[list[str]]:
        """Return what a trial was given of what its family's searches vary."""
        searches = self._search.model_searches if self._search else ()
        varied = {name for one in searches if one.path == trial.family for name in one.space.varying()}
        return [[name, visible_line(setting(value))] for name, value in trial.values.items() if name in varied]

    def _state_now(self, rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """Return how the search stands: whether somebody runs it, how far that is, and what is being trained."""
        for name in reversed(self._names):
            runner = runner_of(self._workspace.runs, name)
            if runner is not None:
                self.runs = name
                since = runner[1] - _SLACK
                status = read_status(self._workspace.progress, name, since)
                ours = [one for one in under_way(self._workspace.progress, since) if self._is_ours(one, name)]
                return self._state("running", status, ours)
        self.runs = ""
        begun = self._ledger is not None and bool(rows or self._begun)
        return self._state("finished" if self._finished else "stopped" if begun else "not begun")

    def _is_ours(self, one: UnderWay, name: str) -> bool:
        """Return whether a training that somebody has under way is one that the search lists and nobody recorded."""
        if self._ledger is None:
            return False
        whole = replace(one.trial, fold=0).id  # of a fold, the trial that the search lists
        return whole in self._ledger.listed(name) and self._ledger.get(one.trial.id) is None

    def _state(self, what: str, status: Status | None = None, running: Sequence[UnderWay] = ()) -> Mapping[str, Any]:
        return {
            "what": what,
            "problem": visible_line(self._problem),
            "phase": status.what if status else "",
            "total": status.total if status else 0,
            "done": status.done if status else None,
            "failed": status.failed if status else None,
            "places": status.places if status else 0,
            "left": list(status.left) if status and status.left else None,
            "running": [self._running(one) for one in running],
            "paused": status is not None and status.paused,
            "waiting": [self._waiting(one) for one in _wholes(status.waiting if status else ())],
            "asked": self._asked[-MOST_ASKED:],
            "searches": [self._searched(one) for one in (self._search.model_searches if self._search else ())],
        }

    def _searched(self, one: ModelSearch) -> dict[str, Any]:
        """Return what a page asks about of a `[[search]]`, and why there is no `max_trials` where there is none."""
        none = why_no_number(one)
        return {
            "model": one.name,
            "label": visible_line(one.label),
            "max_trials": None if none else one.asked_trials,
            "none": visible_line(none),
        }

    def _running(self, one: UnderWay) -> dict[str, Any]:
        return {
            **self._waiting(one.trial),
            "whole": replace(one.trial, fold=0).id,
            "fold": [one.trial.fold, one.trial.folds] if one.trial.fold else None,
            "worker": one.worker,
            "node": visible_line(one.node),
            "began": one.began,
            "epoch": one.epoch,
            "epochs": one.trial.last_epoch,
            "column": visible_line(one.column),
            "curve": [list(point) for point in one.curve],
        }

    def _waiting(self, trial: Trial) -> dict[str, Any]:
        return {
            "trial": trial.id,
            "model": visible_line(self._family_label(trial)),
            "dataset": visible_line(trial.dataset),
            "role": trial.role,
            "settings": self._settings(trial),
        }

    def _family_label(self, trial: Trial) -> str:
        """Return how tables call the model that a trial is of, as far as its family tells."""
        searches = [one for one in self._search.model_searches if one.path == trial.family] if self._search else []
        return searches[0].label if len(searches) == 1 else trial.family


def _wholes(trials: Sequence[Trial]) -> list[Trial]:
    """Return trials, and of folds the cross-validated trial that they are of, each once."""
    return list({whole.id: whole for whole in (replace(trial, fold=0) for trial in trials)}.values())
