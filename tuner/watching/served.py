"""Which searches are watched on this machine now: a note of each address, which this user alone can read."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tuner.errors import InputError, TunerError
from tuner.system.machine import still_runs
from tuner.system.scratch import user_folder
from tuner.untrusted.sizes import read_at_most

_ADDRESS = re.compile(r"http://127\.0\.0\.1:[0-9]{1,5}/[A-Za-z0-9_-]{1,100}/[^/\s]{1,300}/")


@contextmanager
def noted(address: str, runs: Path, name: str) -> Iterator[None]:
    """Keep a note of where this process serves a search, for a run of it to tell; where none can be made, none is.

    Args:
        address: of the page, token included.
        runs: the folder of the ledger that is read.
        name: of the search.
    """
    note: Path | None = None
    with suppress(TunerError, OSError):
        note = user_folder() / f"{_beginning(runs, name)}{os.getpid()}"
        note.unlink(missing_ok=True)  # of an earlier process of this number
        with os.fdopen(os.open(note, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(address)
    try:
        yield
    finally:
        if note is not None:
            with suppress(OSError):
                note.unlink(missing_ok=True)


def served_at(runs: Path, name: str) -> list[str]:
    """Return the addresses at which a search is watched now; the notes of processes that were killed are removed."""
    found = []
    with suppress(TunerError, OSError):
        for note in sorted(user_folder().glob(f"{_beginning(runs, name)}*")):
            process = note.name.rpartition("-")[2]
            if not process.isdecimal():
                continue
            if not still_runs(int(process), note.stat().st_mtime):
                note.unlink(missing_ok=True)
                continue
            with suppress(InputError, UnicodeDecodeError):
                address = read_at_most(note, 1000).decode("ascii")
                if _ADDRESS.fullmatch(address):  # whole, and nothing that a terminal would take for more than text
                    found.append(address)
    return found


def _beginning(runs: Path, name: str) -> str:
    """Return how the names of the notes on a search begin."""
    which = hashlib.sha256(os.fsencode(runs.resolve() / name)).hexdigest()
    return f"watch-{which[:16]}-"
