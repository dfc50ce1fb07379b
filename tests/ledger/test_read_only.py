"""A ledger that is only read: it answers while a run writes, writes nothing itself, refuses what is none of ours."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from recorded import whole

from tuner.errors import InputError
from tuner.ledger.ledger import Ledger, SearchTrial
from tuner.ledger.read_only import ReadOnlyLedger
from tuner.ledger.sole_runner import runner_of
from tuner.trial import Attempt, Record, Result, Trial


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.open_search("s", "key", "{}")
        yield ledger


def record(ledger: Ledger, seed: int, ended: float) -> SearchTrial:
    trial = Trial("ann", "blobs", "f" * 16, {"dense_units": 4}, 1, seed=seed)
    place = SearchTrial("ann", "blobs", "search", seed, trial.id)
    ledger.add("s", place)
    ledger.record(Record(trial, whole(Result("completed"))), Attempt(ended - 1, ended))
    return place


def test_it_tells_what_a_run_writes_in_the_order_of_its_end_and_when_something_changed(ledger: Ledger) -> None:
    with ReadOnlyLedger(ledger.path) as reader:
        assert reader.trained("s") == []
        before = reader.change()
        assert reader.change() == before
        second, first = record(ledger, 0, 1_700_000_009.0), record(ledger, 1, 1_700_000_001.0)
        assert reader.change() != before
        told = [(first, "2023-11-14T22:13:21.000+00:00"), (second, "2023-11-14T22:13:29.000+00:00")]
        assert reader.trained("s") == told
        waiting = SearchTrial("ann", "blobs", "search", 2, "0" * 16)
        ledger.add("s", waiting)
        assert reader.trained("s") == told
        assert reader.listed("s") == {first.trial, second.trial, waiting.trial}


def test_sqlite_itself_refuses_to_write_through_it(ledger: Ledger) -> None:
    with ReadOnlyLedger(ledger.path) as reader, pytest.raises(InputError, match="cannot be written"):
        reader.close_search("s")


def test_it_makes_no_ledger_and_brings_none_up_to_date(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        ReadOnlyLedger(tmp_path / "none.sqlite")
    assert not (tmp_path / "none.sqlite").exists()
    ledger._db.execute("PRAGMA user_version = 5")
    with pytest.raises(InputError, match="is a ledger of version 5, and this is version 6; run tuner list"):
        ReadOnlyLedger(ledger.path)
    ledger._db.execute("PRAGMA user_version = 6")
    ledger._db.execute("CREATE VIEW strange AS SELECT 1")
    with pytest.raises(InputError, match="has the view 'strange'"):
        ReadOnlyLedger(ledger.path)


def test_another_programs_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    sqlite3.connect(path).execute("CREATE TABLE x (y)").connection.close()
    with pytest.raises(InputError, match="is another program's database"):
        ReadOnlyLedger(path)


def test_a_search_is_run_by_the_process_that_says_so_while_it_lives(ledger: Ledger) -> None:
    runs = ledger.path.parent
    assert runner_of(runs, "s") is None
    with ledger.sole_runner("s"):
        found = runner_of(runs, "s")
        assert found is not None
        assert found[0] == os.getpid()
        holder = runs / "locks" / "s.holder"
        os.utime(holder, (1_000_000_000, 1_000_000_000))  # before this process began: it was another one of its number
        assert runner_of(runs, "s") is None
        holder.write_text("nobody")
        assert runner_of(runs, "s") is None
    assert runner_of(runs, "s") is None
