"""The tables of a ledger, and how one of an earlier version is brought up to date."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tuner.errors import InputError

SCHEMA_VERSION = 4
_APPLICATION_ID = 0x74756E65  # "tune": tells our file from another program's

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
    node TEXT NOT NULL DEFAULT ''   -- the machine, where there are several
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
        for statement in _SCHEMA.split(";"):
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    elif application != _APPLICATION_ID:
        raise InputError(str(path), "is another program's database", "pass another --runs-dir")
    elif version in _MIGRATIONS:
        for earlier in range(version, SCHEMA_VERSION):
            for statement in _MIGRATIONS[earlier]:
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    elif version != SCHEMA_VERSION:
        raise InputError(
            str(path),
            f"is a ledger of version {version}, and this is version {SCHEMA_VERSION}",
            "pass another --runs-dir, or use the version that wrote it",
        )
