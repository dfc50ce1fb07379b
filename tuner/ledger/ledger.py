"""The ledger: the only truth about what ran. SQLite, a transaction a trial, readable with pandas.

Trials stand there once, by the hash of their content, whichever search they belong to. A search lists its trials
in the order of their proposal; a search that is started again with the same file lists the same ones.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, astuple
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tuner.errors import InputError, ResourceError, TunerError, one_line, resource_error_of
from tuner.ledger.earlier import Earlier, EarlierTrial
from tuner.ledger.events import Event
from tuner.ledger.furthest import furthest
from tuner.ledger.requests import Decision, Request, Told, told_of
from tuner.ledger.rows import (
    AS_JSON,
    ATTEMPT,
    PLAIN,
    RowError,
    SearchTrial,
    attempt_of,
    moment_of,
    record_of,
    search_of,
    search_trial_of,
    utc,
)
from tuner.ledger.schema import prepare
from tuner.ledger.sole_runner import sole_runner
from tuner.system.files import check_no_link
from tuner.system.machine import network_disk
from tuner.trial import Attempt, Record
from tuner.untrusted.sizes import size_of

__all__ = ["Ledger", "SearchTrial"]

#: No text of a row is longer; a training of ten thousand epochs that watches ten layers takes a tenth of it.
LONGEST = 200_000_000
#: What SQLite keeps beside the file.
_BESIDE = ("-wal", "-shm", "-journal")
#: How many seconds another program may hold the file.
_PATIENCE = 60
#: SQLite's errors that are the machine's, and what helps.
_LACKS = {
    sqlite3.SQLITE_FULL: "make room",
    sqlite3.SQLITE_IOERR: "make room on the disk, or see to it",
    sqlite3.SQLITE_NOMEM: "free memory",
}

_FINISHED = "SELECT m.trial FROM members m JOIN trials t ON t.trial = m.trial WHERE m.search = ? AND m.role = 'search'"


class Ledger:
    """One ledger file. A context manager; each method is a transaction of its own.

    `network_disk` is the kind of network file system that the file lies on, empty where it lies on this machine.
    """

    def __init__(self, path: Path, thorough: bool = False) -> None:
        """Open the ledger at `path`, or make it.

        Args:
            path: the file.
            thorough: read all of it, to see that it is whole; hundredths of a second for ten thousand trials.

        Raises:
            InputError: the file is not a ledger, is damaged, is of another version, or cannot be written.
            ResourceError: the machine has no room for it.
        """
        self.path = path
        self.network_disk = network_disk(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            for file in (path, *(path.with_name(path.name + ending) for ending in _BESIDE)):
                check_no_link(file)
                if file.exists() and not file.is_dir():  # of a folder SQLite says what is wrong itself
                    size_of(file)  # SQLite would wait for a pipe
            self._db = sqlite3.connect(path, isolation_level=None, timeout=_PATIENCE)
        except (OSError, sqlite3.OperationalError) as error:
            raise self._refused(error) from error
        try:
            with self._explained():
                self._db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
                self._db.execute("PRAGMA foreign_keys = ON")
                self._db.execute("PRAGMA trusted_schema = OFF")  # what a stranger's file defines runs no function
            with self._transaction():  # so that two processes never make the same file
                prepare(self._db, path)
            with self._explained():
                self._choose_journal()
                if thorough:
                    self._see_that_it_is_whole()
        except BaseException:
            self._db.close()
            raise

    def _choose_journal(self) -> None:
        """Keep a write-ahead log, one flush a transaction and no reader waits; on a network disk a rollback journal.

        A write-ahead log needs memory that all who have the file open share, which two machines do not:
        https://www.sqlite.org/wal.html, "WAL does not work over a network filesystem".
        """
        wanted = "delete" if self.network_disk else "wal"
        ((answer,),) = self._db.execute(f"PRAGMA journal_mode = {wanted}").fetchall()
        if self.network_disk and answer != wanted:
            raise sqlite3.OperationalError(f"its journal cannot be changed from {answer} to {wanted}")

    def _see_that_it_is_whole(self) -> None:
        ((answer,),) = self._db.execute("PRAGMA quick_check(1)").fetchall()
        if answer != "ok":
            raise sqlite3.DatabaseError(answer)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say in one line what SQLite, or content that is not ours, raises an error for."""
        try:
            yield
        except (sqlite3.Error, ValueError, TypeError, KeyError) as error:
            raise self._refused(error) from error

    def _refused(self, error: Exception) -> TunerError:
        place, code = str(self.path), getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _LACKS:
            return ResourceError(place, str(error), _LACKS[code])
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return ResourceError(place, f"is held by another program ({error})", "end that program")
        if isinstance(error, OSError) or code in (
            sqlite3.SQLITE_CANTOPEN,
            sqlite3.SQLITE_READONLY,
            sqlite3.SQLITE_PERM,
        ):
            remedy = "see that the folder may be written to, or pass another --runs-dir"
            return resource_error_of(error, place) or InputError(place, f"cannot be written ({error})", remedy)
        if isinstance(error, RowError):
            return InputError(place, f"holds what no run wrote ({error})", "keep the file, and pass another --runs-dir")
        remedy = "keep the file, and pass another --runs-dir; the program sqlite3 may mend it (.recover)"
        return InputError(place, f"is not a ledger, or is damaged ({one_line(error, 120)})", remedy)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._explained():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # SQLite ends it itself where the disk is full
                    self._db.execute("ROLLBACK")
                raise

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._explained():
            return self._db.execute(query, values).fetchall()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def record(self, record: Record, attempt: Attempt | None = None) -> None:
        """Write a finished trial; one that stands there already stays as it is.

        Without an attempt it counts as one that has just ended, nobody knows where.
        """
        attempt = attempt or Attempt.of(record.result.seconds)
        result = asdict(record.result)
        result["error"] = _storable(result["error"])  # may quote any file name
        row = {
            "trial": record.trial.id,
            "content": record.trial.to_json(),
            **{name: result[name] for name in PLAIN},
            **{name: json.dumps(result[name], sort_keys=True) for name in AS_JSON},
            "began": utc(attempt.began),
            "finished": utc(attempt.ended),
            "worker": attempt.worker,
            "node": _storable(attempt.node),
        }
        marks = ", ".join(f":{name}" for name in row)
        with self._transaction():
            self._db.execute(f"INSERT OR IGNORE INTO trials ({', '.join(row)}) VALUES ({marks})", row)  # noqa: S608

    def forget_trial(self, trial: str) -> None:
        """Forget a finished trial, so that it is trained again; for one whose saved files were lost."""
        with self._transaction():
            self._db.execute("DELETE FROM trials WHERE trial = ?", (trial,))

    def get(self, trial: str) -> Record | None:
        """Return what is recorded of the trial with this hash."""
        names = ("content", *PLAIN, *AS_JSON)
        rows = self._rows(f"SELECT {', '.join(names)} FROM trials WHERE trial = ?", trial)  # noqa: S608
        with self._explained():
            return record_of(trial, dict(zip(names, rows[0], strict=True))) if rows else None

    def _search(self, name: str) -> dict[str, Any] | None:
        """Return the row of a search, None if it never ran."""
        names = ("key", "content", "started", "finished")
        rows = self._rows(f"SELECT {', '.join(names)} FROM searches WHERE name = ?", name)  # noqa: S608
        with self._explained():
            return search_of(name, dict(zip(names, rows[0], strict=True))) if rows else None

    def open_search(self, name: str, key: str, content: str, earlier: Sequence[EarlierTrial] = ()) -> None:
        """Begin or go on with a search. With another key than before, its list of trials begins anew.

        It begins with `earlier`, which are told with the new list or not at all.
        """
        with self._transaction():
            row = self._db.execute("SELECT key FROM searches WHERE name = ?", (name,)).fetchone()
            if row is None or row[0] != key:
                self._db.execute("DELETE FROM searches WHERE name = ?", (name,))
                self._db.execute(
                    "INSERT INTO searches (name, key, content, started) VALUES (?, ?, ?, ?)",
                    (name, key, content, utc(time.time())),
                )
                if earlier:
                    self._note(name, "earlier", Earlier(tuple(earlier)).content())
            else:
                self._db.execute("UPDATE searches SET content = ?, finished = NULL WHERE name = ?", (content, name))

    def listed_under(self, name: str, key: str) -> set[str] | None:
        """Return the finished search trials of a search that last ran under another key; None if it did not.

        Those that it was to begin with are its own, too, though it may have ended before it listed them.
        """
        rows = self._rows("SELECT key FROM searches WHERE name = ?", name)
        if not rows or rows[0][0] == key:
            return None
        return {str(trial) for (trial,) in self._rows(_FINISHED, name)} | {one.trial for one in self.earlier(name)}

    def note(self, name: str, event: Event, anew: bool = False) -> None:
        """Write an event of a search behind its earlier ones; `anew` if its list of trials begins anew with it."""
        with self._transaction():
            if anew:
                self._db.execute("DELETE FROM members WHERE search = ?", (name,))
            self._note(name, event.kind, event.content(), event.at)

    def _note(self, name: str, kind: str, content: str, at: float | None = None) -> None:
        self._db.execute(
            "INSERT INTO events (search, number, kind, at, content) "
            "SELECT ?, count(*), ?, ?, ? FROM events WHERE search = ?",
            (name, kind, utc(time.time() if at is None else at), content, name),
        )

    def _told(self, name: str) -> list[tuple[int, Told]]:
        """Return what all events of a search tell, in their order, each with its number."""
        rows = self._rows("SELECT number, kind, at, content FROM events WHERE search = ? ORDER BY number", name)
        with self._explained():
            return told_of(name, rows)

    def events(self, name: str) -> list[Event]:
        """Return the events of a search that ended it or let it go on, in their order."""
        return [one for _, one in self._told(name) if isinstance(one, Event)]

    def earlier(self, name: str) -> tuple[EarlierTrial, ...]:
        """Return the trials of before its file changed that a search begins with, in the order of their proposal."""
        return tuple(trial for _, one in self._told(name) if isinstance(one, Earlier) for trial in one.trials)

    def ask(self, name: str, request: Request) -> None:
        """Write what somebody asks of a search, which is listed."""
        with self._transaction():
            self._note(name, "asked", request.content())

    def requests(self, name: str) -> list[tuple[int, Request]]:
        """Return what was asked of a search and is not decided, each with the number of its event."""
        told = self._told(name)
        decided = {one.asked for _, one in told if isinstance(one, Decision)}
        return [(number, one) for number, one in told if isinstance(one, Request) and number not in decided]

    def decisions(self, name: str) -> list[Decision]:
        """Return what runs decided on requests, in their order."""
        return [one for _, one in self._told(name) if isinstance(one, Decision)]

    def decide(self, name: str, decision: Decision, left_out: Collection[str] = (), ended: Event | None = None) -> None:
        """Write what was decided on a request, and the end of the search where it is one; all or nothing of it.

        Trials that are `left_out` are listed no longer.
        """
        with self._transaction():
            self._note(name, "decided", decision.content())
            if ended is not None:
                self._note(name, ended.kind, ended.content(), ended.at)
            pairs = [(name, trial) for trial in left_out]
            self._db.executemany("DELETE FROM members WHERE search = ? AND trial = ?", pairs)

    def change(self) -> int:
        """Return a number that is another one whenever somebody else has written to the file since it was asked for."""
        ((number,),) = self._rows("PRAGMA data_version")
        return int(number)

    def close_search(self, name: str) -> None:
        """Note that every trial of a search has finished."""
        with self._transaction():
            self._db.execute("UPDATE searches SET finished = ? WHERE name = ?", (_now(), name))

    def search_names(self) -> list[str]:
        """Return the names of all searches that ran."""
        return [str(name) for (name,) in self._rows("SELECT name FROM searches ORDER BY name")]

    def search_content(self, name: str) -> str | None:
        """Return the search of this name as `Search.to_json` wrote it, or None if it never ran."""
        row = self._search(name)
        return row["content"] if row else None

    def is_finished(self, name: str) -> bool:
        """Return whether the last run of a search got to its end."""
        row = self._search(name)
        return row is not None and row["finished"] is not None

    def is_listed_elsewhere(self, trial: str, search: str) -> bool:
        """Return whether another search than this one lists a trial."""
        return bool(self._rows("SELECT 1 FROM members WHERE trial = ? AND search <> ? LIMIT 1", trial, search))

    def listed_elsewhere(self, search: str) -> dict[str, set[str]]:
        """Return the other searches that list the same trials as a search does, by the name of each such trial."""
        found: dict[str, set[str]] = {}
        for trial, other in self._rows(
            "SELECT DISTINCT theirs.trial, theirs.search FROM members ours JOIN members theirs "
            "ON theirs.trial = ours.trial WHERE ours.search = ? AND theirs.search <> ?",
            search,
            search,
        ):
            found.setdefault(str(trial), set()).add(str(other))
        return found

    def add(self, search: str, *search_trials: SearchTrial) -> None:
        """List trials in a search, in the order of their proposal; one listed under a number before is replaced."""
        if not search_trials:
            return
        with self._transaction():
            self._db.executemany(
                "INSERT INTO members (search, model, dataset, role, number, trial) VALUES (?,?,?,?,?,?) "
                "ON CONFLICT DO UPDATE SET trial = excluded.trial WHERE trial <> excluded.trial",
                [(search, *astuple(search_trial)) for search_trial in search_trials],
            )

    def keep_retrainings(self, search: str, kept: Collection[tuple[str, str]]) -> None:
        """List retrainings of these models on these data sets alone; others are of what is no longer chosen."""
        listed = "SELECT DISTINCT model, dataset FROM members WHERE search = ? AND role = 'final'"
        with self._transaction():
            gone = [(search, *pair) for pair in self._rows(listed, search) if pair not in kept]
            self._db.executemany(
                "DELETE FROM members WHERE search = ? AND model = ? AND dataset = ? AND role = 'final'", gone
            )

    def search_trials(self, search: str) -> list[tuple[SearchTrial, Record | None]]:
        """Return the trials of a search, each with its record if it has finished.

        Search trials come before final ones; then they stand by model, data set and number. A trial that was pruned, or
        went on from where it might have been, stands once, at its first number, as far as it was trained.
        """
        return furthest(self.all_search_trials(search))

    def all_search_trials(self, search: str) -> list[tuple[SearchTrial, Record | None]]:
        """Return the same with every training, each to an epoch where the trial was, or might have been, pruned."""
        names = ("content", *PLAIN, *AS_JSON)
        columns = ", ".join(f"t.{name}" for name in names)
        rows = self._rows(
            "SELECT m.model, m.dataset, m.role, m.number, m.trial, "  # noqa: S608  # names of ours
            f"{columns} FROM members m LEFT JOIN trials t ON t.trial = m.trial WHERE m.search = ? "
            "ORDER BY m.role DESC, m.model, m.dataset, m.number",
            search,
        )
        found = []
        with self._explained():
            for row in rows:
                fields = dict(zip(names, row[5:], strict=True))
                search_trial = search_trial_of(row[:5])
                found.append(
                    (search_trial, None if fields["content"] is None else record_of(search_trial.trial, fields))
                )
        return found

    def attempts(self, search: str) -> dict[str, Attempt]:
        """Return when and where each finished trial of a search ran, by its name."""
        rows = self._rows(
            f"SELECT t.trial, t.seconds, {', '.join(f't.{name}' for name in ATTEMPT)} FROM trials t "  # noqa: S608
            "JOIN members m ON m.trial = t.trial WHERE m.search = ?",
            search,
        )
        with self._explained():
            return {str(trial): attempt_of(trial, row) for trial, *row in rows}

    def attempt(self, trial: str) -> Attempt | None:
        """Return when and where a finished trial ran."""
        columns = ", ".join(("seconds", *ATTEMPT))
        rows = self._rows(f"SELECT {columns} FROM trials WHERE trial = ?", trial)  # noqa: S608  # names of ours
        with self._explained():
            return attempt_of(trial, rows[0]) if rows else None

    def began(self, search: str) -> float | None:
        """Return when a search began, in seconds since 1970, UTC; None if it never ran."""
        row = self._search(search)
        return moment_of(row["started"]) if row else None

    def count_finished(self, search: str) -> int:
        """Return how many of a search's search trials have finished; one that may yet go on is one of them."""
        finished = "FROM members m JOIN trials t ON t.trial = m.trial WHERE m.search = ? AND m.role = 'search'"
        pruned = self._rows(f"SELECT 1 {finished} AND instr(t.content, ?) = 0 LIMIT 1", search, '"stop_after": null')
        # Trainings that differ in where they end alone are of one trial.
        content = "CASE WHEN json_valid(t.content) THEN json_remove(t.content, '$.stop_after') ELSE t.trial END"
        one = f"DISTINCT json_array(m.model, m.dataset, {content})" if pruned else "*"
        ((count,),) = self._rows(f"SELECT count({one}) {finished}", search)
        return int(count)

    def trained_here(self, family: str, most: int) -> list[Record]:
        """Return the last completed trials of a family that no machine of a cluster trained, in their order.

        At most so many of them.
        """
        names = ("content", *PLAIN, *AS_JSON)
        rows = self._rows(
            f"SELECT trial, {', '.join(names)} FROM trials WHERE status = 'completed' AND node = '' "  # noqa: S608
            "AND json_valid(content) AND json_extract(content, '$.family') = ? ORDER BY finished DESC, trial LIMIT ?",
            family,
            most,
        )
        with self._explained():
            return [record_of(trial, dict(zip(names, row, strict=True))) for trial, *row in reversed(rows)]

    def fingerprints(self) -> set[str]:
        """Return the fingerprints of the data sets of all recorded trials."""
        query = "SELECT DISTINCT json_extract(content, '$.fingerprint') FROM trials WHERE json_valid(content)"
        return {str(fingerprint) for (fingerprint,) in self._rows(query)}

    def scored_on(self, fingerprint: str) -> list[tuple[str, str | None]]:
        """Return the completed trials that a data set's test images scored, each with a search that lists it.

        A trial, as its content, stands once for each of these searches, and with None where none lists it any more.
        """
        found = self._rows(
            "SELECT t.content, m.search FROM trials t LEFT JOIN members m ON m.trial = t.trial "
            "WHERE t.status = 'completed' AND json_valid(t.content) AND json_extract(t.content, '$.fingerprint') = ? "
            "AND (json_extract(t.content, '$.role') = 'final' OR json_extract(t.content, '$.protocol') = 'published') "
            "ORDER BY m.search, t.trial",
            fingerprint,
        )
        return [(str(content), search if search is None else str(search)) for content, search in found]

    def sole_runner(self, search: str) -> AbstractContextManager[None]:
        """Hold a search for this process; two processes never run the same one.

        Raises:
            InputError: another process holds it.
        """
        return sole_runner(self.path.parent, search)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
