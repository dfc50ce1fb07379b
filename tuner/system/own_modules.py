"""The modules that a user's own code is made of, found where Python would find them, and their hash.

They are found without importing any: import statements are read wherever they stand, in functions too.
`tuner/worker/probe.py` compares what is found with what a build has really loaded.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import re
import sys
import sysconfig
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import machinery
from pathlib import Path
from typing import Any

from tuner.errors import InputError, one_line, suggestion

#: `module:name`, each part of it a name that Python takes.
PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")

#: What lies in folders of these names was installed.
_INSTALLED = frozenset(("site-packages", "dist-packages"))
_PACKAGE = Path(__file__).resolve().parents[1]
_STANDARD = tuple(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib"))


@dataclass(frozen=True)
class _Found:
    """A module: its file, which a folder without `__init__.py` lacks, and the folders of a package."""

    file: Path | None = None
    folders: tuple[Path, ...] = ()


def file_of(module: str, folders: Sequence[Path]) -> Path | None:
    """Return the file of a module, looked for in `folders` and then where Python looks; None if there is none."""
    return list(_way_to(module, folders))[-1][1].file


def own_modules(module: str, folders: Sequence[Path]) -> dict[str, Path]:
    """Return the files of a module, of the packages around it and of all modules of the user's that they import.

    By their dotted names. What was installed, and what belongs to Python or to this package, is not the user's own.
    """
    found: dict[str, Path] = {}
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        for name, there in _way_to(waiting.pop(), folders):
            if name in seen or there.file is None:
                continue
            seen.add(name)
            if name == module or is_own(there.file):
                found[name] = there.file
                waiting += _imports(there.file, name)
    return found


def is_own(file: Path) -> bool:
    """Whether a module's file is the user's: not installed, not of Python's and not of this package."""
    path = file.resolve()
    return not _INSTALLED.intersection(path.parts) and not any(
        path.is_relative_to(folder) for folder in (_PACKAGE, *_STANDARD)
    )


def hash_of(module: str, modules: dict[str, Path]) -> str:
    """Return a hash of the content of modules; of a module alone it is that of its file.

    A module without code, such as the empty `__init__.py` of a package, does not count.
    """
    own = hashlib.sha256(modules[module].read_bytes()).hexdigest()
    others = {
        name: content for name, file in modules.items() if name != module and _has_code(content := file.read_bytes())
    }
    if not others:
        return own[:16]
    digest = hashlib.sha256(f"{module}\0{own}\n".encode())
    for name, content in sorted(others.items()):
        digest.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


def with_files(source: str, files: Mapping[str, Path]) -> str:
    """Return a hash of modules, which `source` is, and of files by their names and content; without files, `source`."""
    if not files:
        return source
    digest = hashlib.sha256(f"{source}\n".encode())
    for name, path in sorted(files.items()):
        with path.open("rb") as file:
            digest.update(f"{name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


def code_folder(module: str, folders: Sequence[Path]) -> Path | None:
    """Return which of `folders` a module is imported from; None for one that is installed."""
    top = module.partition(".")[0]
    return next((one for one in folders if (one / top).is_dir() or (one / f"{top}.py").is_file()), None)


@contextmanager
def importable(*folders: Path) -> Iterator[None]:
    """Make modules in these folders importable for a moment."""
    paths = [str(folder) for folder in folders]
    sys.path[:0] = paths
    try:
        yield
    finally:
        for path in paths:
            sys.path.remove(path)


def own_attribute(module: str, name: str, folders: Sequence[Path], place: str) -> Any:
    """Return what a user's module calls by a name, importing the module.

    Args:
        module: its dotted name.
        name: of what is looked for in it.
        folders: where it is looked for first.
        place: how errors name where the user asks for it.

    Raises:
        InputError: the module cannot be imported, or has nothing of that name.
    """
    with importable(*folders):
        try:
            found = importlib.import_module(module)
        except (Exception, SystemExit) as error:  # a module of the user's may raise anything
            raise InputError(place, _why_not_imported(module, error)) from error
    attribute = getattr(found, name, None)
    if attribute is None:
        raise InputError(place, f"{module} has no {name!r}; {suggestion(name, vars(found))}")
    return attribute


def _why_not_imported(module: str, error: BaseException) -> str:
    """Return in words that a module cannot be imported, with the line that raised."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = "" if isinstance(error, SyntaxError) else f", {Path(last.filename).name} line {last.lineno}"
    return f"{module!r} cannot be imported ({one_line(error, 200)}{where})"


def loaded_besides(before: Iterable[str], modules: dict[str, Path], folders: Sequence[Path]) -> list[Path]:
    """Return the files in `folders` that were loaded as modules since `before`, and are not among `modules`."""
    known = {file.resolve() for file in modules.values()}
    roots = [folder.resolve() for folder in folders]
    found = []
    for name in sys.modules.keys() - set(before):
        file = getattr(sys.modules[name], "__file__", None)
        if not isinstance(file, str) or name.startswith("__"):  # such as TensorFlow writes for its own use
            continue
        path = Path(file).resolve()
        if path not in known and is_own(path) and any(path.is_relative_to(root) for root in roots):
            found.append(path)
    return sorted(found)


def _way_to(module: str, folders: Sequence[Path]) -> Iterator[tuple[str, _Found]]:
    """Yield the packages around a module, outermost first, and the module; the last one found may lead nowhere."""
    where: Sequence[Path] = [*folders, *map(Path, sys.path)]
    name = ""
    for part in module.split("."):
        top = not name
        name = f"{name}.{part}" if name else part
        there = _in(where, part)
        if there == _Found() and top:
            there = _by_finders(name)
        yield name, there
        where = there.folders


def _in(folders: Sequence[Path], name: str) -> _Found:
    for folder in folders:
        package = folder / name
        if (package / "__init__.py").is_file():
            return _Found(package / "__init__.py", (package,))
        for suffix in machinery.all_suffixes():
            if (file := folder / f"{name}{suffix}").is_file():
                return _Found(file)
    return _Found(None, tuple(folder / name for folder in folders if (folder / name).is_dir()))


def _by_finders(name: str) -> _Found:
    """Return a top-level module that no folder of Python's path holds, as of a package that is developed elsewhere."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return _Found()
    if spec is None or not spec.has_location or spec.origin is None:
        return _Found()
    return _Found(Path(spec.origin), tuple(map(Path, spec.submodule_search_locations or ())))


def _parsed(content: bytes) -> ast.Module:
    try:
        return ast.parse(content)
    except (SyntaxError, ValueError, RecursionError):  # no Python, which importing it says better; or compiled
        return ast.Module([ast.Pass()], [])


def _has_code(content: bytes) -> bool:
    body = _parsed(content).body
    return len(body) > 1 or any(not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)) for one in body)


def _imports(file: Path, name: str) -> Iterator[str]:
    """Yield what may be modules of all that a module imports by statements, by their dotted names."""
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(_parsed(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                around = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*around, *([base] if base else [])])
            if base:
                yield base
                yield from (f"{base}.{alias.name}" for alias in node.names if alias.name != "*")
