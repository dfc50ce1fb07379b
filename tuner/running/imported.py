"""The trials of another tool's project, written into the ledger as a search of its own, to be looked at with ours."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tuner import columns as col
from tuner.errors import InputError
from tuner.families.custom import SCALING
from tuner.ledger.ledger import Ledger, SearchTrial
from tuner.objective import OBJECTIVES
from tuner.recipe import RECIPE
from tuner.search_file.file import parse_search
from tuner.search_file.model import Search
from tuner.search_file.overrides import Overrides
from tuner.search_file.schema import NAME
from tuner.space.parameters import Value
from tuner.system.files import file_part
from tuner.trial import IMPORTED, Attempt, Record, Result, Trial
from tuner.untrusted.kerastuner_project import Project, ReadTrial, read_project
from tuner.workspace import Workspace, recorded_search

#: How a trial names the network, of whose code its project holds nothing.
_FAMILY = "kerastuner:network"
#: What a parameter is called whose name means something else here.
_RENAMED = "hp_{}"


def import_kerastuner(folder: Path, workspace: Workspace, name: str | None = None) -> list[str]:
    """Read a finished KerasTuner project into the ledger; return lines on what was read and what was not to be had.

    Imported again, it takes the place of what was imported before.

    Args:
        folder: of the project.
        workspace: whose ledger it is written to.
        name: of the search; by default the folder's.

    Raises:
        InputError: it is no such folder; a search of this name has been run here.
    """
    project = read_project(folder)
    called = file_part(project.name, "kerastuner")[:100] if name is None else name
    if not re.fullmatch(NAME, called) or called.endswith(".toml"):
        raise InputError("--name", f"{called!r} is no name of a search", "letters, digits, '.', '_' and '-'")
    search, names = _search(project, called)
    workspace.check_writable(called)
    trials = [_record(search, project, one, names) for one in project.trials]
    with Ledger(workspace.ledger, thorough=True) as ledger, ledger.sole_runner(called):
        _check_free(ledger, called)
        ledger.open_search(called, search.key, search.to_json())
        for number, record in enumerate(trials):
            ledger.record(record, Attempt.of(0.0))
            (data,) = search.datasets
            ledger.add(called, SearchTrial(search.model_searches[0].name, data, "search", number, record.trial.id))
        ledger.close_search(called)
    return list(_told(project, called, trials, names))


def _check_free(ledger: Ledger, name: str) -> None:
    """See that no search of our own is called so.

    Raises:
        InputError: one is.
    """
    if ledger.search_content(name) is None:
        return
    recorded_search(ledger, name)
    if any(record is None or not record.imported for _, record in ledger.search_trials(name)):
        raise InputError("--name", f"a search {name!r} has been run here", "take another name")


def _search(project: Project, name: str) -> tuple[Search, dict[str, str]]:
    """Return the search that a project's trials are listed in, and how its parameters are called in it."""
    values: dict[str, dict[Value, None]] = {}
    for trial in project.trials:
        for key, value in trial.values.items():
            values.setdefault(key, {})[value] = None
    taken = {*col.TAKEN, *(objective.column for objective in OBJECTIVES.values()), SCALING}
    reserved = {*taken, *(parameter.name for parameter in RECIPE)}
    error: InputError | None = None
    for renamed in (taken, reserved):  # a learning rate is one here too, but not every optimizer is
        names = {key: _RENAMED.format(key) if key in renamed else key for key in values}
        try:
            return _parsed(project, name, {names[key]: list(found) for key, found in values.items()}), names
        except InputError as refused:
            error = refused
    raise InputError(project.name, f"has parameters that cannot be read ({error})") from error


def _parsed(project: Project, name: str, values: dict[str, list[Value]]) -> Search:
    completed = [trial for trial in project.trials if trial.completed]
    table: dict[str, Any] = {"family": _FAMILY, "algorithm": "random", "max_trials": len(project.trials)}
    raw = {
        "title": f"{project.name}, from KerasTuner",
        "dataset": [file_part(project.name, "data")[:100]],
        "training": {"epochs": max(map(_epochs, completed))},
        "search": [{**table, "space": {key: _one_kind(found) for key, found in values.items()}}],
    }
    return parse_search(raw, name, Path(), Overrides(), "")


def _epochs(trial: ReadTrial) -> int:
    """Return how many epochs a trial had at least."""
    return max(trial.epochs or 1, trial.best_epoch or 1, *map(len, trial.curves.values()))


def _one_kind(values: Sequence[Value]) -> list[Value]:
    """Return values in their order, whole numbers among real ones as real ones."""
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        real = any(isinstance(value, float) for value in values)
        return sorted({float(value) if real else value for value in values}, key=float)
    return sorted(values, key=lambda value: json.dumps([type(value).__name__, value]))


def _record(search: Search, project: Project, one: ReadTrial, names: dict[str, str]) -> Record:
    """Return a trial as the ledger holds it: what the project does not tell is empty, or the same for all."""
    (model_search,) = search.model_searches
    values = {names[key]: value for key, value in one.values.items()}
    for key, found in values.items():
        if isinstance(found, int) and not isinstance(found, bool) and isinstance(_first(search, key), float):
            values[key] = float(found)
    trial = Trial(
        family=model_search.path,
        dataset=search.datasets[0],
        fingerprint=project.fingerprint,
        values=values,
        epochs=_epochs(one) if one.epochs else model_search.epochs,
        seed=0,
        source=f"kerastuner {one.name}",
    )
    result = Result(
        "completed" if one.completed else "failed",
        one.error,
        val_accuracy=one.val_accuracy,
        val_loss=one.val_loss,
        best_epoch=one.best_epoch,
        history={name: list(curve) for name, curve in one.curves.items()},
        environment={IMPORTED: "KerasTuner"},
    )
    return Record(trial, result)


def _first(search: Search, key: str) -> object:
    return search.raw["search"][0]["space"][key][0]


def _told(project: Project, name: str, records: Sequence[Record], names: dict[str, str]) -> Sequence[str]:
    completed = [trial for trial in project.trials if trial.completed]
    failed = len(records) - len(completed)
    lines = [
        f"read {len(records)} trials of KerasTuner's project {project.name} as the search {name}"
        + (f", {failed} of them failed" if failed else "")
        + (f"; {project.unended} that had not ended are left out" if project.unended else "")
    ]
    for old, new in names.items():
        if old != new:
            lines.append(f"its parameter {old} is called {new} here")
    if any(trial.score is not None and trial.score != trial.val_accuracy for trial in completed):
        lines.append("KerasTuner chose by something else; here they are ranked by validation accuracy")
    if not any(trial.curves for trial in completed):
        lines.append("it holds no learning curves, only the values of each trial's best epoch")
    lines.append("it holds no predictions, test scores, images, times, sizes and seeds: none are shown")
    lines.append(f"tuner report {name} writes its report")
    return lines
