"""A made-up `runs/` as a stranger may have edited it, and commands on it, in this process."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tuner.cli import app
from tuner.cli.ending import run_to_its_end
from tuner.ledger.events import Event, Stop
from tuner.ledger.ledger import Ledger
from tuner.ledger.requests import Decision, Request
from tuner.trial import Trial, artifact_path
from tuner.untrusted.sizes import sha256_of

#: What no run writes into a column of numbers or text, and some of what one does.
ODD: tuple[Any, ...] = (
    None, -1, 0, 1, 7, 2**40, -(2**63), 2**63 - 1, 0.0, 0.5, -0.5, 1.5, 1e38, -1e308, 1e308, float("inf"),
    float("-inf"), "", "x", "\x1b[2J", "../../x", "NaN", "[]", "{}", "[{}]", '{"": ""}', "null", "1", "[" * 3000,
    "0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59.999+00:00", "2026-01-01T00:00:00", "2199-01-01T00:00:00+00:00",
)  # fmt: skip
#: The same of what stands in JSON.
ODD_JSON: tuple[Any, ...] = (
    None, True, -1, 0, 1, 3, 2**40, 10**30, 0.0, 0.5, -0.5, 1e38, 1e308, float("nan"), float("inf"), "", "x", "../x",
    [], {}, [{}], [1], [[1]], {"x": 1}, "y" * 20_000,
)  # fmt: skip
TABLES = {
    "trials": (
        "trial", "content", "status", "error", "transient", "parameters", "seconds", "seconds_per_epoch", "latency_ms",
        "val_accuracy", "val_loss", "test_accuracy", "test_loss", "history", "files", "environment", "finished",
        "best_epoch", "layers", "watched", "passed", "began", "worker", "node", "folds",
    ),
    "searches": ("name", "key", "content", "started", "finished"),
    "members": ("search", "model", "dataset", "role", "number", "trial"),
    "events": ("search", "number", "kind", "at", "content"),
}  # fmt: skip
#: The columns that hold JSON, of which a test changes a part.
JSON_COLUMNS = (
    *(
        ("trials", name)
        for name in ("content", "history", "files", "environment", "layers", "watched", "passed", "folds")
    ),
    ("events", "content"),
)
COLUMNS = [(table, column) for table, columns in TABLES.items() for column in columns]


@dataclass(frozen=True)
class Ended:
    """What a command said, and its exit code."""

    code: int
    err: str


def run(folder: Path, *arguments: str) -> Ended:
    """Run a command in `folder`, its reports in a folder of their own; what it raises is raised."""
    before, words = Path.cwd(), sys.argv
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    os.chdir(folder)
    sys.argv = ["tuner", *arguments]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            run_to_its_end(app)
    except SystemExit as end:
        return Ended(int(end.code or 0), err.buffer.getvalue().decode("utf-8"))
    finally:
        os.chdir(before)
        sys.argv = words


def well_behaved(ended: Ended, command: str) -> None:
    """See that a command did what it was asked, or said in one line why it did not."""
    assert ended.code in (0, 1, 2), (command, ended)
    if ended.code:
        assert ended.err.startswith("tuner: "), (command, ended.err)
        assert ended.err.count("\n") == 1, (command, ended.err)
        assert len(ended.err) < 5_000, (command, ended.err[:5_000])


def update(folder: Path, table: str, column: str, value: Any, every: bool) -> bool:
    """Write a value into a column, of one row or of all; return whether the table took it."""
    database = sqlite3.connect(folder / "runs" / "ledger.sqlite")
    try:
        with database:
            where = "" if every else f" WHERE rowid = (SELECT max(rowid) FROM {table})"  # noqa: S608
            database.execute(f"UPDATE {table} SET {column} = ?{where}", (value,))  # noqa: S608
    except (sqlite3.Error, UnicodeEncodeError):
        return False
    finally:
        database.close()
    return True


def rewrite(folder: Path, table: str, column: str, change: Callable[[Any], Any]) -> None:
    """Change the JSON of every row; a trial whose content changes gets the name that is its hash, everywhere."""
    database = sqlite3.connect(folder / "runs" / "ledger.sqlite")
    with database:
        for rowid, text in database.execute(f"SELECT rowid, {column} FROM {table}").fetchall():  # noqa: S608
            changed = json.dumps(change(json.loads(text)))
            database.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (changed, rowid))  # noqa: S608
            if (table, column) == ("trials", "content"):
                _rename(folder, database, rowid, changed)
    database.close()


def _rename(folder: Path, database: sqlite3.Connection, rowid: int, content: str) -> None:
    try:
        name = Trial(**json.loads(content)).id
    except (TypeError, KeyError, ValueError, AttributeError):
        return
    ((old,),) = database.execute("SELECT trial FROM trials WHERE rowid = ?", (rowid,)).fetchall()
    try:
        database.execute("UPDATE trials SET trial = ? WHERE rowid = ?", (name, rowid))
    except sqlite3.IntegrityError:  # two trials have become one
        return
    database.execute("UPDATE members SET trial = ? WHERE trial = ?", (name, old))
    for path in (folder / "runs" / "models").glob(f"{old}-*"):
        path.rename(path.with_name(path.name.replace(old, name)))


def places_in(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each part of a JSON value, the whole included; of a list its first part alone."""
    yield place
    if isinstance(value, dict):
        for name, part in value.items():
            yield from places_in(part, (*place, name))
    elif isinstance(value, list) and value:
        yield from places_in(value[0], (*place, 0))


def replaced(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    """Return a JSON value with another part at a place, or without it where `new` is Ellipsis; as it is without it."""
    if not place:
        return None if new is ... else new
    first, rest = place[0], place[1:]
    if isinstance(value, dict) and first in value:
        if new is ... and not rest:
            return {name: part for name, part in value.items() if name != first}
        return {**value, first: replaced(value[first], rest, new)}
    if isinstance(value, list) and isinstance(first, int) and first < len(value):
        return [
            *value[:first],
            *([] if new is ... and not rest else [replaced(value[first], rest, new)]),
            *value[first + 1 :],
        ]
    return value


def write_events(folder: Path) -> None:
    """Write events of every kind for the search `small`, as a run and who watches it write them."""
    with Ledger(folder / "runs" / "ledger.sqlite") as ledger:
        ledger.note("small", Event("ended", 2.0, (Stop("cnn", "blobs", 4, 5),)))
        ledger.note("small", Event("lifted", None))
        ledger.ask("small", Request("stop", "ab" * 8))
        ledger.decide("small", Decision(2, "stop", "ab" * 8, 5, trained=True))
        ledger.ask("small", Request("pause"))
        ended = Event("ended", None, (Stop("ann", "blobs", 2, 2, 1),), left_out=("cd" * 8,))
        ledger.ask("small", Request("report"))
        ledger.decide("small", Decision(5, "report", "", 7), ended=ended)
        ledger.note("small", Event("lifted", 1.5))


# --- files ---


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def folder_there(path: Path) -> None:
    path.unlink()
    path.mkdir()


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(10**12)


def array(value: Any) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        path.unlink()
        with path.open("wb") as file:
            np.save(file, value)

    return write


#: What may lie where a file of ours was.
FILES: dict[str, Callable[[Path], object]] = {
    "nothing": Path.unlink,
    "an empty file": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("no file of ours\n" * 100),
    "a pipe": pipe,
    "a device": endless,
    "a folder": folder_there,
    "a huge file": huge,
    "a number": array(np.array(7)),
    "an array of text": array(np.array(["a", "b"])),
    "no rows": array(np.zeros((0, 8, 8, 1), np.uint8)),
    "negative labels": array(np.full(45, -1)),
    "large labels": array(np.full(45, 2**62)),
    "a structured array": array(np.zeros(45, [("a", "u1")])),
    "deep JSON": lambda path: path.write_text("[" * 100_000),
    "other JSON": lambda path: path.write_text('{"name": 1, "class_names": [1, 2], "source": []}'),
    "one class": lambda path: path.write_text('{"name": "blobs", "class_names": ["a"], "source": ""}'),
}


def forged_predictions(folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Write other predictions of every retraining, with the hash that the ledger has of them."""
    database = sqlite3.connect(folder / "runs" / "ledger.sqlite")
    models = folder / "runs" / "models"
    with database:
        for trial, text in database.execute("SELECT trial, files FROM trials WHERE files <> '{}'").fetchall():
            files = json.loads(text)
            path = artifact_path(models, trial, files["predictions"], ".npz")
            with np.load(path) as loaded:
                arrays = dict(loaded)
            path.unlink()
            np.savez(models / "new.npz", **change(arrays))
            files["predictions"] = sha256_of(models / "new.npz")
            (models / "new.npz").rename(artifact_path(models, trial, files["predictions"], ".npz"))
            database.execute("UPDATE trials SET files = ? WHERE trial = ?", (json.dumps(files), trial))
    database.close()


def copy_of(project: Path, folder: Path) -> Path:
    """Return a copy of a made-up project."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(project, folder)
    return folder
