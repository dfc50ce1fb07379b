"""The lock by which one process at a time runs a search, with a note of which process that is."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tuner.errors import InputError
from tuner.system.files import check_no_link, folder_inside, remove_partials, write_whole
from tuner.system.machine import still_runs
from tuner.untrusted.sizes import read_at_most, size_of


@contextmanager
def sole_runner(runs: Path, search: str) -> Iterator[None]:
    """Hold a search for this process, by files in the folder `locks` of `runs`.

    Raises:
        InputError: another process holds it.
    """
    from filelock import FileLock, Timeout

    folder = folder_inside(runs, "locks")
    path, holder = folder / f"{search}.lock", folder / f"{search}.holder"
    check_no_link(path)
    if path.exists():
        size_of(path)
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        who = _process_in(holder)
        raise InputError(search, f"is being run by process {who}", "wait for it or stop it") from None
    try:
        remove_partials(folder)
        write_whole(holder, lambda file: file.write_text(str(os.getpid()), encoding="ascii"))
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def runner_of(runs: Path, search: str) -> tuple[int, float] | None:
    """Return which process of this machine runs a search, and since when, in seconds since 1970; None if none does.

    The lock itself is not tried: that could make a run that begins at this moment believe in another one.
    """
    holder = runs / "locks" / f"{search}.holder"
    who = _process_in(holder)
    if who == "unknown":
        return None
    try:
        since = holder.stat().st_mtime
    except OSError:
        return None
    process = int(who)
    return (process, since) if still_runs(process, since) else None  # it was killed, and left its note


def _process_in(holder: Path) -> str:
    """Return the number of the process that holds a search, as it has noted it; a killed one leaves its note behind."""
    try:
        text = read_at_most(holder, 20).decode("ascii")
    except (InputError, UnicodeDecodeError):
        return "unknown"
    return text if re.fullmatch("[0-9]{1,10}", text) else "unknown"
