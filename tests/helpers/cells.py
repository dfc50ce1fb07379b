"""Code as a notebook runs it: compiled from a cell, which stands in no file, with names that all cells share."""

from __future__ import annotations

import itertools
import linecache
from typing import Any

_number = itertools.count(1)


def run_cell(text: str, scope: dict[str, Any]) -> dict[str, Any]:
    """Run a cell in the names of a notebook, and return these; its source can be read as IPython lets it be read."""
    name = f"<cell {next(_number)}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    scope.setdefault("__name__", "__main__")
    exec(compile(text, name, "exec", dont_inherit=True), scope)  # noqa: S102  # a cell of a test
    return scope
