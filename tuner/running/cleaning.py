"""What in `runs/` can go: what no recorded trial needs, and what the next run that wants it makes again."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from tuner.ledger.sole_runner import sole_runner
from tuner.system.files import check_no_link, is_a
from tuner.workspace import Workspace

_DATA = re.compile("[0-9a-f]{16}", re.ASCII)
_FEATURES = re.compile("[0-9a-f]{16}-[0-9a-f]{16}", re.ASCII)


@dataclass(frozen=True)
class Part:
    """Some of what lies in `runs/` and can go: what it is, in words, its files and folders, and their size in bytes."""

    words: str
    paths: tuple[Path, ...]
    size: int


def parts_to_clean(workspace: Workspace) -> list[Part]:
    """Return what can go, by kind, without what is empty.

    Data sets of recorded trials stay, since reports show their images; and checkpoints do, which a search that is over
    removes by itself.

    Raises:
        InputError: a link stands where a folder should be, or the ledger cannot be read.
    """
    used = set[str]()
    ledger = workspace.open_ledger()
    if ledger is not None:
        with ledger:
            used = ledger.fingerprints()
    data = [path for path in _inside(workspace.store) if _DATA.fullmatch(path.name) and path.name not in used]
    features = [path for path in _inside(workspace.features) if _FEATURES.fullmatch(path.name)]
    found = {
        "data sets laid out for workers that no recorded trial used": data,
        "features of frozen backbones": features,
        "steps that JAX compiled for an earlier version": list(_inside(workspace.runs / "compiled")),
    }
    return [Part(words, tuple(paths), sum(map(_size, paths))) for words, paths in found.items() if paths]


def clean(workspace: Workspace) -> Sequence[Part]:
    """Remove what can go, and return it.

    Raises:
        InputError: a search is being run; or as of `parts_to_clean`.
    """
    ledger = workspace.open_ledger()
    names: list[str] = []
    if ledger is not None:
        with ledger:
            names = ledger.search_names()
    with ExitStack() as held:
        for name in names:
            held.enter_context(sole_runner(workspace.runs, name))
        parts = parts_to_clean(workspace)
        for path in (path for part in parts for path in part.paths):
            _remove(path)
    return parts


def _inside(folder: Path) -> Iterator[Path]:
    """Yield what lies in a folder, without links."""
    check_no_link(folder)
    if is_a(Path.is_dir, folder):
        yield from (path for path in sorted(folder.iterdir()) if not path.is_symlink())


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else (path,)
    size = 0
    for file in files:
        with suppress(OSError):
            size += file.lstat().st_size if file.is_file() else 0
    return size


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()
