"""Where another tool keeps things: what has to be there, and what is wrong with it, in one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tuner.errors import InputError, one_line
from tuner.text import both_ends

if TYPE_CHECKING:
    from sqlalchemy import Engine


def check_database(url: str, table: str, example: str, verify: Callable[[Engine], object] | None = None) -> None:
    """See that a database answers, and that a file of SQLite's is empty or the tool's.

    Tools add their tables to whatever they are given, this tool's ledger too, and some try for minutes to connect.

    Args:
        url: of the database.
        table: one of the tool's tables.
        example: a URL that would do.
        verify: called where the tool's tables are there.

    Raises:
        InputError: it does not answer, or is another program's file.
    """
    from sqlalchemy import create_engine, inspect
    from sqlalchemy.exc import SQLAlchemyError

    try:
        engine = create_engine(url)
        tables = inspect(engine).get_table_names()
        if verify is not None and table in tables:
            verify(engine)
        engine.dispose()
    except (SQLAlchemyError, ImportError, ValueError) as error:  # no driver for it is installed; a port is no number
        raise unusable(error, url, example) from error
    if engine.dialect.name != "sqlite":
        return
    if engine.url.database in (None, "", ":memory:"):
        raise InputError("--storage", "names no file", f"give a URL like {example}")
    if tables and table not in tables:
        raise InputError("--storage", "is another program's database", "name another")


def unusable(error: Exception, url: str, example: str) -> InputError:
    """Return what is wrong with a storage. Its URL may hold a password, of which nothing is repeated."""
    problem = one_line(error, 100_000).partition(" (Background on this error")[0]
    address, _, query = url.partition("?")
    login = address.split("://", 1)[-1].rpartition("@")[0]
    password = login.partition(":")[2]
    for secret in (query, login, password, unquote(password)):
        problem = problem.replace(secret, "…") if secret else problem
    return InputError("--storage", f"cannot be used ({both_ends(problem, 300)})", f"give a URL like {example}")


def taken(what: str) -> InputError:
    """Return that a place is something else's, which is never written over."""
    return InputError("--storage", f"{what} is there already, and was not exported from here", "name another storage")
