"""A ledger that is only read, however often, while a run writes to it: what reads here changes and holds up nothing."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

from tuner.ledger.ledger import LONGEST, Ledger, SearchTrial
from tuner.ledger.rows import search_trial_of
from tuner.ledger.schema import check_current
from tuner.system.files import check_no_link
from tuner.system.machine import network_disk
from tuner.untrusted.sizes import size_of


class ReadOnlyLedger(Ledger):
    """A ledger file that is there, opened so that SQLite itself refuses to write; see `Ledger` for what it answers.

    Of one thread, as all of SQLite's connections are.
    """

    def __init__(self, path: Path) -> None:
        """Open the ledger at `path`.

        Raises:
            InputError: it is not there, is no ledger of this version, or is damaged.
        """
        self.path = path
        self.network_disk = network_disk(path)
        check_no_link(path)
        size_of(path)  # which knows files alone: SQLite would wait for a pipe
        try:
            # Waits shortly where a rollback journal lets nobody read: whoever watches asks again.
            address = f"file:{quote(str(path.resolve()))}?mode=ro"
            self._db = sqlite3.connect(address, uri=True, isolation_level=None, timeout=5)
        except sqlite3.OperationalError as error:
            raise self._refused(error) from error
        try:
            with self._explained():
                self._db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
                self._db.execute("PRAGMA trusted_schema = OFF")
                check_current(self._db, path)
        except BaseException:
            self._db.close()
            raise

    def trained(self, search: str) -> list[tuple[SearchTrial, str]]:
        """Return the places of a search whose trial has finished, and when: of equal time as they were proposed."""
        rows = self._rows(
            "SELECT m.model, m.dataset, m.role, m.number, m.trial, t.finished "
            "FROM members m JOIN trials t ON t.trial = m.trial "
            "WHERE m.search = ? ORDER BY t.finished, m.role DESC, m.model, m.dataset, m.number",
            search,
        )
        with self._explained():
            return [(search_trial_of(row), str(finished)) for *row, finished in rows]

    def listed(self, search: str) -> set[str]:
        """Return the names of all trials that a search lists."""
        return {str(trial) for (trial,) in self._rows("SELECT DISTINCT trial FROM members WHERE search = ?", search)}
