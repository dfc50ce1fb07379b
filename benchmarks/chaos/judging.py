"""What stands in a ledger and beside it, and whether anything is lost, doubled or different."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from benchmarks.chaos.searches import NAME
from tuner import columns as col
from tuner.trial import ARTIFACTS, artifact_path

#: What is measured, not found: two runs of a search differ in it, and in the hashes of files that hold a date.
_MEASURED = (
    *(col.SECONDS, col.SECONDS_PER_EPOCH, col.LATENCY_MS, col.MEGABYTES),
    *(col.BEGAN, "finished", col.WORKER, col.NODE),
    "files",
)

Row = dict[str, Any]
#: Model, data set, role and number: a trial's place in its search.
Place = tuple[str, str, str, int]


@dataclass(frozen=True)
class Snapshot:
    """A ledger at one moment: its rows by trial, its lists by search, and what SQLite says of the file."""

    rows: dict[str, Row] = field(default_factory=dict)
    members: dict[str, dict[Place, str]] = field(default_factory=dict)
    integrity: str = "ok"
    ended_by_hours: bool = False

    def only(self, trials: Collection[str]) -> Snapshot:
        """Return it without the rows of any other trials than these."""
        return replace(self, rows={trial: row for trial, row in self.rows.items() if trial in trials})

    def count(self, role: str) -> int:
        """Return how many trials of a role are recorded."""
        return sum(json.loads(row["content"])["role"] == role for row in self.rows.values())


def snapshot(ledger: Path) -> Snapshot:
    """Read a copy of a ledger as a kill left it: a look at the file itself would repair it for the next run."""
    with tempfile.TemporaryDirectory() as made:
        for file in (ledger, ledger.with_name(f"{ledger.name}-wal")):
            if file.is_file():
                shutil.copy(file, made)
        copy = Path(made) / ledger.name
        if not copy.is_file():
            return Snapshot()
        database = sqlite3.connect(copy)
        database.row_factory = sqlite3.Row
        try:
            integrity = "; ".join(row[0] for row in database.execute("PRAGMA integrity_check"))
            if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'trials'").fetchone():
                return Snapshot(integrity=integrity)  # killed before its tables were made
            rows = {row["trial"]: dict(row) for row in database.execute("SELECT * FROM trials")}
            members: dict[str, dict[Place, str]] = {}
            query = "SELECT search, model, dataset, role, number, trial FROM members"
            for search, model, dataset, role, number, trial in database.execute(query):
                members.setdefault(search, {})[model, dataset, role, number] = trial
            ended = database.execute("SELECT count(*) FROM events WHERE kind = 'ended'").fetchone()[0]
        except sqlite3.DatabaseError as error:
            return Snapshot(integrity=str(error))
        finally:
            database.close()
    return Snapshot(rows, members, integrity, bool(ended))


@dataclass
class Problems:
    """What is wrong, in words, by kind."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    ended_badly: list[str] = field(default_factory=list)

    def add(self, more: Problems) -> None:
        """Count more of them in."""
        self.lost += more.lost
        self.doubled += more.doubled
        self.different += more.different
        self.ended_badly += more.ended_badly

    def __bool__(self) -> bool:
        return bool(self.lost or self.doubled or self.different or self.ended_badly)

    def __str__(self) -> str:
        named = {"lost": self.lost, "doubled": self.doubled, "different": self.different, "bad": self.ended_badly}
        return "; ".join(f"{name}: {', '.join(found)}" for name, found in named.items() if found)


class Judge:
    """Looks at the ledger of one life after each fault, with the reference and all earlier looks in mind."""

    def __init__(self, reference: Snapshot) -> None:
        self._reference = reference
        self._seen: dict[str, Row] = {}
        self._reported: set[tuple[str, str]] = set()

    def look(self, now: Snapshot, trained: Collection[str] = (), is_over: bool = False) -> Problems:
        """Return what is newly wrong: each trial is lost, doubled or different once in a life.

        Lost is a row that stood there before and does not now, and at the end any row of the reference. Doubled is a
        row that stood there before and is another one now, or whose trial the last run `trained` again; a row, or a
        place in the search, that the reference does not have; and a content that stands there twice. Different is a
        row whose findings are not the reference's, or a place in the search with another trial.

        Where hours ended the search once, the best of then were trained to the end, where they had been pruned, and
        again: these rows may stand there beside the reference's, and at their places until the search is over.
        """
        problems = Problems()
        expected = set(self._seen) | (set(self._reference.rows) if is_over else set())
        problems.lost = self._new("lost", expected - set(now.rows))
        contents = Counter(row["content"] for row in now.rows.values())
        problems.doubled = self._new(
            "doubled",
            [trial for trial, row in now.rows.items() if trial in self._seen and self._seen[trial] != row]
            + [trial for trial in trained if trial in self._seen]
            + [trial for trial in now.rows if trial not in self._reference.rows and not _is_of_hours(now, trial)]
            + [trial for trial, row in now.rows.items() if contents[row["content"]] > 1],
        )
        problems.different = self._new(
            "different",
            [
                trial
                for trial in now.rows.keys() & self._reference.rows.keys()
                if findings(now.rows[trial]) != findings(self._reference.rows[trial])
            ],
        )
        self._compare_members(now, is_over, problems)
        if now.integrity != "ok":
            problems.ended_badly.append(f"the ledger's integrity: {now.integrity}")
        self._seen.update(now.rows)
        return problems

    def _compare_members(self, now: Snapshot, is_over: bool, problems: Problems) -> None:
        listed = now.members.get(NAME, {})
        expected = self._reference.members.get(NAME, {})
        problems.doubled += self._new("doubled", [f"place {place}" for place in listed.keys() - expected.keys()])
        wrong = {
            place
            for place in listed.keys() & expected.keys()
            if listed[place] != expected[place] and (is_over or not _is_of_hours(now, listed[place]))
        }
        problems.different += self._new("different", [f"place {place}" for place in wrong])
        if is_over:
            problems.lost += self._new("lost", [f"place {place}" for place in expected.keys() - listed.keys()])

    def _new(self, problem: str, found: Iterable[str]) -> list[str]:
        new = sorted({name for name in found if (problem, name) not in self._reported})
        self._reported |= {(problem, name) for name in new}
        return new


def _is_of_hours(now: Snapshot, trial: str) -> bool:
    """Return whether a trial may be of what was best as a run's hours were over: its retraining, trained or not.

    Of a search that prunes, it may be its training to the end, beside the one to a rung.
    """
    if not now.ended_by_hours or trial not in now.rows:
        return now.ended_by_hours
    content = json.loads(now.rows[trial]["content"])
    return content["role"] == "final" or any(
        other != content and {**other, "stop_after": None} == {**content, "stop_after": None}
        for other in (json.loads(row["content"]) for row in now.rows.values())
    )


def findings(row: Row) -> Row:
    """Return a row without what is measured."""
    return {name: value for name, value in row.items() if name not in _MEASURED}


def final_tables(folder: Path, beside: Collection[str] = ()) -> dict[str, object]:
    """Return everything that a finished search gives a user, by name, without what is measured.

    Tables as rows; predictions and weights as the hashes of their arrays, since their files hold a date; but for the
    trials that lie `beside` the search.
    """
    found: dict[str, object] = {"tuner results": _results(folder)}
    reports = folder / "reports" / NAME
    for table in sorted(reports.glob("*.csv")):
        if not table.name.startswith("timing"):
            with table.open(encoding="utf-8", newline="") as file:
                found[table.name] = [
                    {k: v for k, v in row.items() if k not in _MEASURED} for row in csv.DictReader(file)
                ]
    for model in sorted(reports.glob("*.keras")):
        found[model.name] = weights(model)
    for trial, row in snapshot(folder / "runs" / "ledger.sqlite").rows.items():
        if trial in beside or json.loads(row["content"]).get("fold"):
            continue  # what a fold answered lies with the other folds' in the file of the cross-validated trial
        files = json.loads(row["files"])
        artifacts = folder / "runs" / "models"
        for kind, sha256 in files.items():
            path = artifact_path(artifacts, trial, sha256, ARTIFACTS[kind])
            name = "weights" if kind == "model" else kind
            found[f"{name} of {trial}"] = weights(path) if kind == "model" else _arrays(path)
    return found


def compare(found: dict[str, object], reference: dict[str, object]) -> list[str]:
    """Return the names of what is not as in the reference, or there in one of them alone."""
    return sorted(name for name in found.keys() | reference.keys() if found.get(name) != reference.get(name))


def left_over(folder: Path) -> list[str]:
    """Return the files and folders that a killed run wrote by another name and no later one removed."""
    places = (folder / "runs", folder / "reports")
    return sorted(str(path.relative_to(folder)) for place in places for path in place.rglob(".*"))


def _results(folder: Path) -> object:
    command = [sys.executable, "-m", "tuner", "results", NAME, "--format", "json"]
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if answer.returncode:
        return answer.stderr
    return [{k: v for k, v in row.items() if k not in _MEASURED} for row in json.loads(answer.stdout)]


def weights(model: Path) -> dict[str, str] | None:
    """Return the weights of a saved model as the hash of each array; None where the file is not there or not whole."""
    try:
        with zipfile.ZipFile(model) as parts:
            content = parts.read("model.weights.h5")
    except (OSError, zipfile.BadZipFile, KeyError):
        return None
    found = {}
    with h5py.File(io.BytesIO(content)) as file:
        file.visititems(
            lambda name, item: found.update({name: _hash(item[()])}) if isinstance(item, h5py.Dataset) else None
        )
    return found


def _arrays(file: Path) -> dict[str, str] | None:
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return {name: _hash(arrays[name]) for name in arrays.files}
    except (OSError, ValueError, zipfile.BadZipFile):
        return None


def _hash(array: np.ndarray[Any, Any]) -> str:
    return f"{array.dtype}{array.shape} {hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()}"
