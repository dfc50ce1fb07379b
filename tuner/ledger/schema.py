"""The tables of a ledger, how one of an earlier version is brought up to date, and what is not a ledger of ours.

SQLite computes what a file defines: a view called `trials` may never end, and a trigger writes what nobody asked for.
So a file with anything in it but our tables is refused before one of them is read.
"""

from __future__ import annotations

import re
import sqlite3
from functools import cache
from pathlib import Path

from tuner.errors import InputError
from tuner.text import shortened

SCHEMA_VERSION = 6
_APPLICATION_ID = 0x74756E65  # "tune": tells our file from another program's

_EVENTS = """
CREATE TABLE events (
    search TEXT NOT NULL REFERENCES searches(name) ON DELETE CASCADE,
    number INTEGER NOT NULL,        -- from 0, in their order
    kind TEXT NOT NULL,             -- earlier, ended, lifted, asked, decided
    at TEXT NOT NULL,               -- UTC, to the millisecond
    content TEXT NOT NULL,          -- JSON
    PRIMARY KEY (search, number)
) STRICT;
"""
_SCHEMA = """
CREATE TABLE trials (
    trial TEXT PRIMARY KEY,         -- hash of the content
    content TEXT NOT NULL,          -- the trial, JSON
    status TEXT NOT NULL,           -- completed, failed
    error TEXT NOT NULL,
    transient INTEGER NOT NULL,     -- 1 for a failure that the next run tries again
    parameters INTEGER,
    seconds REAL NOT NULL,
    seconds_per_epoch REAL,
    latency_ms REAL,
    val_accuracy REAL, val_loss REAL, test_accuracy REAL, test_loss REAL,
    history TEXT NOT NULL,          -- one list per metric, a value per epoch, JSON
    files TEXT NOT NULL,            -- SHA-256 of each saved file, JSON
    environment TEXT NOT NULL,      -- versions and hardware, JSON
    finished TEXT NOT NULL,         -- UTC, to the millisecond
    best_epoch INTEGER,             -- that early stopping chose
    layers TEXT NOT NULL DEFAULT '[]',  -- the network, layer by layer, JSON
    watched TEXT NOT NULL DEFAULT '{}', -- what was recorded of watched layers, JSON
    passed TEXT NOT NULL DEFAULT '{}',  -- the limit at which a failed one was ended, JSON
    began TEXT,                     -- UTC, to the millisecond
    worker INTEGER,                 -- which of a machine's workers had it, from 1
    node TEXT NOT NULL DEFAULT '',  -- the machine, where there are several
    folds TEXT NOT NULL DEFAULT '[]'  -- what each fold of a cross-validated trial scored, JSON
) STRICT;
CREATE TABLE searches (
    name TEXT PRIMARY KEY,
    key TEXT NOT NULL,              -- hash of the file's content and the overrides
    content TEXT NOT NULL,          -- the search, JSON
    started TEXT NOT NULL,
    finished TEXT                   -- NULL until every trial has finished
) STRICT;
CREATE TABLE members (
    search TEXT NOT NULL REFERENCES searches(name) ON DELETE CASCADE,
    model TEXT NOT NULL,            -- name of the [[search]] entry
    dataset TEXT NOT NULL,
    role TEXT NOT NULL,             -- search, final
    number INTEGER NOT NULL,        -- order of proposal, from 0
    trial TEXT NOT NULL,
    PRIMARY KEY (search, model, dataset, role, number)
) STRICT;
"""
#: What SQLite keeps for itself after ANALYZE.
_OF_SQLITE = re.compile(r"sqlite_stat[0-9]")
_OTHER_VERSION = "pass another --runs-dir, or use the version that wrote it"
#: What brings a ledger of each earlier version to the next one.
_MIGRATIONS = {
    1: (
        "ALTER TABLE trials ADD COLUMN best_epoch INTEGER",
        "ALTER TABLE trials ADD COLUMN layers TEXT NOT NULL DEFAULT '[]'",
        "ALTER TABLE trials ADD COLUMN watched TEXT NOT NULL DEFAULT '{}'",
    ),
    2: ("ALTER TABLE trials ADD COLUMN passed TEXT NOT NULL DEFAULT '{}'",),
    3: (
        "ALTER TABLE trials ADD COLUMN began TEXT",
        "ALTER TABLE trials ADD COLUMN worker INTEGER",
        "ALTER TABLE trials ADD COLUMN node TEXT NOT NULL DEFAULT ''",
    ),
    4: (_EVENTS,),
    5: ("ALTER TABLE trials ADD COLUMN folds TEXT NOT NULL DEFAULT '[]'",),
}


def prepare(db: sqlite3.Connection, path: Path) -> None:
    """Make the tables in a new file, or bring an earlier version up to date; within a transaction of the caller's.

    Args:
        db: the file, opened.
        path: where it lies, for what is said of it.

    Raises:
        InputError: it is another program's database, or a ledger of a version that is not known here.
    """
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application == 0 and version == 0 and tables == 0:
        for statement in (_SCHEMA + _EVENTS).split(";"):
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    elif application != _APPLICATION_ID:
        raise InputError(str(path), "is another program's database", "pass another --runs-dir")
    elif version in _MIGRATIONS:
        _check_objects(db, path)
        for earlier in range(version, SCHEMA_VERSION):
            for statement in _MIGRATIONS[earlier]:
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        _check_tables(db, path)
    elif version != SCHEMA_VERSION:
        raise InputError(
            str(path),
            f"is a ledger of version {version}, and this is version {SCHEMA_VERSION}",
            _OTHER_VERSION,
        )
    else:
        _check_objects(db, path)
        _check_tables(db, path)


def check_current(db: sqlite3.Connection, path: Path) -> None:
    """See that a file that is only read is a ledger of this version, whole and with nothing else in it.

    Raises:
        InputError: it is not.
    """
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if application != _APPLICATION_ID:
        raise InputError(str(path), "is another program's database", "pass another --runs-dir")
    if version != SCHEMA_VERSION:
        remedy = "run tuner list, which brings it up to date" if version in _MIGRATIONS else _OTHER_VERSION
        raise InputError(str(path), f"is a ledger of version {version}, and this is version {SCHEMA_VERSION}", remedy)
    _check_objects(db, path)
    _check_tables(db, path)


def _check_objects(db: sqlite3.Connection, path: Path) -> None:
    """Refuse a file that holds a view, a trigger, an index or a table that no ledger has."""
    ours = _ours()
    for kind, name in db.execute("SELECT type, name FROM sqlite_master ORDER BY rowid"):
        known = (kind == "table" and (name in ours or _OF_SQLITE.fullmatch(name))) or (
            kind == "index" and name.startswith("sqlite_autoindex_")
        )
        if not known:
            raise _refused(path, f"has the {kind} {shortened(repr(name), 60)}, which no ledger of ours has")


def _check_tables(db: sqlite3.Connection, path: Path) -> None:
    """Refuse a file whose tables are not ours to the last column, or that compute something of their own."""
    for name, (columns, words) in _ours().items():
        rows = db.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)).fetchall()
        if not rows:
            raise _refused(path, f"lacks the table {name!r}")
        if _columns(db, name) != columns:
            raise _refused(path, f"has a table {name!r} of other columns than ours")
        strange = sorted(_words(str(rows[0][0])) - words)  # such as CHECK, COLLATE or a function
        if strange:
            raise _refused(path, f"has {shortened(strange[0], 60)} in its table {name!r}, which ours has not")


def _refused(path: Path, problem: str) -> InputError:
    return InputError(str(path), problem, "keep the file, and pass another --runs-dir")


@cache
def _ours() -> dict[str, tuple[list[tuple[object, ...]], frozenset[str]]]:
    """Return of each of our tables its columns, and the words and signs in what defines it."""
    db = sqlite3.connect(":memory:")
    db.executescript(_SCHEMA + _EVENTS)
    found = {
        name: (_columns(db, name), _words(sql))
        for name, sql in db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
    }
    db.close()
    return found


def _columns(db: sqlite3.Connection, table: str) -> list[tuple[object, ...]]:
    """Return name, type, constraints and kind of each column, and whether the table keeps to its types."""
    kinds = [tuple(row[2:]) for row in db.execute("PRAGMA table_list").fetchall() if row[1] == table]
    return [*kinds, *(tuple(row) for row in db.execute(f"PRAGMA table_xinfo({table})"))]


def _words(sql: str) -> frozenset[str]:
    plain = re.sub(r"--[^\n]*|/\*.*?\*/", " ", sql, flags=re.DOTALL)
    return frozenset(word.lower() for word in re.findall(r"\w+|'[^']*'|[^\s\w]", plain)) - {'"'}
