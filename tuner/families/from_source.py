"""A user's network that is given in Python: a function, a class or an object, as a path that a worker can import.

What lies in a module is named by it. What was defined in a notebook, in a script or in another function has no module
that a worker could import: its source is written down as one, with what it uses of its surroundings: imports, plain
values, and other functions and classes, wherever they are used. The module is named by a hash of its text.
"""

from __future__ import annotations
import __future__

import ast
import functools
import hashlib
import importlib
import inspect
import linecache
import math
import symtable
import sys
import textwrap
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from tuner.errors import InputError
from tuner.families import FAMILIES
from tuner.families.base import Family
from tuner.system.own_modules import file_of, is_own

_REMEDY = "write it, with all that makes what it uses, into a module of its own, mynet.py, and import it from there"
#: What KerasTuner's own constructor keeps in a HyperModel.
_OF_HYPERMODEL = frozenset({"name", "tunable", "_build", "build"})


@dataclass(frozen=True)
class Importable:
    """A network by the path that a search file has, with the modules that were made for it, and where others lie.

    `root` is the folder of a module of the user's that is neither installed nor in the working folder.
    """

    path: str
    code: Mapping[str, str] = field(default_factory=dict)
    root: Path | None = None


def importable(thing: object) -> Importable:
    """Return how a worker imports a network that is given as a name or path, or as what builds it.

    Raises:
        InputError: it is none, or uses what only this process has.
    """
    if isinstance(thing, str):
        return Importable(thing)
    known = thing if isinstance(thing, type) else type(thing)
    for name, family in FAMILIES.items():
        if type(family) is known:
            return Importable(name)
    if isinstance(thing, Family) or (inspect.isclass(thing) and issubclass(thing, Family)):
        problem = f"{known.__name__} is a family that the package does not list"
        raise InputError("family", problem, "give a function build(hp) or a HyperModel")
    if inspect.ismethod(thing) and thing.__name__ == "build":  # of an object, which is meant
        thing = thing.__self__
    if isinstance(thing, functools.partial):
        raise InputError("family", "is a functools.partial", "write a function build(hp) that calls it")
    if any(base.__name__ == "Model" and base.__module__.startswith("keras") for base in type(thing).__mro__):
        raise InputError("family", "is a network, not what builds it", "write a function build(hp) that returns it")
    if not (callable(thing) or callable(getattr(thing, "build", None))):
        problem = f"is a {type(thing).__name__}"
        raise InputError("family", problem, "give a name, a path, a function build(hp) or a HyperModel")
    home = _home(thing)
    if home is not None:
        module, name = home
        return Importable(f"{module}:{name}", root=_root(module))
    writer = _Writer()
    name = writer.write(thing)
    text = writer.text()
    module = f"{name}_{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    roots = {root for imported in writer.modules if (root := _root(imported)) is not None}
    if len(roots) > 1:
        problem = f"{name} imports modules from {' and '.join(sorted(map(str, roots)))}"
        raise InputError("family", problem, "keep them in one folder")
    return Importable(f"{module}:{name}", {module: text}, next(iter(roots), None))


def _home(thing: object) -> tuple[str, str] | None:
    """Return the module that a function or class is imported from, and its name there; None where there is none."""
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str) or not name.isidentifier() or module == "__main__":
        return None
    try:
        found = importlib.import_module(module)
    except Exception:  # noqa: BLE001  # a module may raise anything, and what cannot be imported is no home
        return None
    return (module, name) if getattr(found, name, None) is thing else None


def _root(module: str) -> Path | None:
    """Return the folder that a user's module is imported from, unless a worker finds it by itself."""
    folders = (Path.cwd(),)
    file = file_of(module, folders)
    if file is None or not is_own(file):
        return None
    root = file.resolve().parents[module.count(".") + (file.name == "__init__.py")]
    return None if root == folders[0].resolve() else root


class _Writer:
    """Writes a module of what a function, a class or an object needs."""

    def __init__(self) -> None:
        self.modules: set[str] = set()
        self._imports: set[str] = set()
        self._lines: list[str] = []
        self._future = ""
        self._named: dict[str, Any] = {}

    def text(self) -> str:
        """Return the module."""
        return "\n\n".join([self._future, "\n".join(sorted(self._imports)), *self._lines]).strip() + "\n"

    def write(self, thing: Any) -> str:
        """Write a network's function, class or object, and return its name in the module."""
        if inspect.isclass(thing) or inspect.isfunction(thing):
            self._defined(thing)
            return str(thing.__name__)
        kind: type[Any] = type(thing)
        name = kind.__name__[:1].lower() + kind.__name__[1:]
        name = name if name != kind.__name__ else f"{name}_1"
        self._name(kind.__name__, kind, name)
        kept = dict(vars(thing)) if hasattr(thing, "__dict__") else {}
        made = [f"{name} = {kind.__name__}.__new__({kind.__name__})"]
        if any(base.__name__ == "HyperModel" and base.__module__.startswith("keras_tuner") for base in kind.__mro__):
            self._imports.add("import keras_tuner")
            own = {key: kept[key] for key in ("name", "tunable") if key in kept}
            made.append(f"keras_tuner.HyperModel.__init__({name}, **{own!r})")
            kept = {key: value for key, value in kept.items() if key not in _OF_HYPERMODEL}
        for key, value in kept.items():
            if (text := _literal(value)) is None:
                raise _only_here(kind.__name__, f"self.{key}", value)
            made.append(f"{name}.{key} = {text}")
        self._lines.append("\n".join(made))
        return name

    def _defined(self, thing: Any) -> None:
        """Write the definition of a function or a class behind all that it uses."""
        if self._named.setdefault(thing.__name__, thing) is not thing:
            raise InputError("family", f"uses two things that are called {thing.__name__}", "rename one")
        if thing.__name__ == "<lambda>":
            raise InputError("family", "is a lambda, which has no source of its own", "write a function with def")
        source = _source(thing)
        surroundings = _surroundings(thing)
        code = _code_in(thing)
        future = ""
        if code is not None and code.co_flags & __future__.annotations.compiler_flag:  # which are then never evaluated
            self._future = future = "from __future__ import annotations"
        for name in _used(f"{future}\n{source}"):
            if name in surroundings:
                self._name(name, surroundings[name], thing.__name__)
        self._lines.append(source)

    def _name(self, name: str, value: Any, user: str) -> None:
        """Give a value a name in the module, as an import, a plain value or a definition."""
        if self._named.get(name, self) is value:
            return
        if name in self._named:
            raise InputError("family", f"uses two things that are called {name}", "rename one")
        if isinstance(value, types.ModuleType):
            self._named[name] = value
            self._import(value.__name__)
            self._imports.add(f"import {value.__name__}" + ("" if value.__name__ == name else f" as {name}"))
        elif (text := _literal(value)) is not None:
            self._named[name] = value
            self._lines.append(f"{name} = {text}")
            if isinstance(value, PurePath):
                self._imports.add("import pathlib")
        elif (home := _home(value)) is not None:
            self._named[name] = value
            self._import(home[0])
            self._imports.add(f"from {home[0]} import {home[1]}" + ("" if home[1] == name else f" as {name}"))
        elif inspect.isclass(value) or inspect.isfunction(value):
            self._defined(value)
            if value.__name__ != name:
                self._named[name] = value
                self._lines.append(f"{name} = {value.__name__}")
        else:
            raise _only_here(user, name, value)

    def _import(self, module: str) -> None:
        if module == "__main__":
            raise InputError("family", "imports __main__, which in a worker is another", _REMEDY)
        self.modules.add(module)


def _only_here(user: str, name: str, value: object) -> InputError:
    kind = type(value)
    what = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__.partition('.')[0]} {kind.__name__}"
    return InputError("family", f"{user} uses {name}, a {what} that only this process has", _REMEDY)


def _source(thing: Any) -> str:
    """Return the lines of a definition, its decorators included, as they stand in their file or cell."""
    unwrapped = inspect.unwrap(thing) if inspect.isfunction(thing) else thing
    code = _code_in(thing)
    lines = linecache.getlines(code.co_filename) if code is not None else []
    try:
        nodes = list(ast.walk(ast.parse("".join(lines))))
    except SyntaxError:
        nodes = []
    kinds = (ast.ClassDef,) if inspect.isclass(unwrapped) else (ast.FunctionDef,)
    for node in nodes:
        if not isinstance(node, kinds) or node.name != unwrapped.__name__ or code is None or node.end_lineno is None:
            continue
        start = min([node.lineno, *(one.lineno for one in node.decorator_list)])
        is_it = start == code.co_firstlineno if inspect.isfunction(unwrapped) else start <= code.co_firstlineno
        if is_it and code.co_firstlineno <= node.end_lineno:
            return textwrap.dedent("".join(lines[start - 1 : node.end_lineno])).rstrip()
    raise InputError("family", f"the source of {thing.__name__} is not to be had here", _REMEDY)


def _code_in(thing: Any) -> types.CodeType | None:
    """Return the code of a function, or of the first method of a class that has been defined in it."""
    return next((function.__code__ for function in _functions(thing)), None)


def _functions(thing: Any) -> Iterator[types.FunctionType]:
    """Yield a function without its decorators; of a class those that are defined in it."""
    values: list[Any] = [thing] if inspect.isfunction(thing) else list(vars(thing).values())
    for value in values:
        function = inspect.unwrap(getattr(value, "fget", None) or getattr(value, "__func__", value))
        if not inspect.isfunction(function):
            continue
        if inspect.isfunction(thing) or function.__qualname__ == f"{thing.__qualname__}.{function.__name__}":
            yield function


def _surroundings(thing: Any) -> dict[str, Any]:
    """Return what names outside of a definition stand for."""
    found = dict(vars(sys.modules[thing.__module__])) if thing.__module__ in sys.modules else {}
    functions = list(_functions(thing))
    for function in functions:
        found.update(function.__globals__)
    for function in functions:
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        found.update({name: cell.cell_contents for name, cell in cells if name != "__class__" and _is_full(cell)})
    return found


def _is_full(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False


def _used(source: str) -> list[str]:
    """Return the names that a definition takes from outside, in the order of the alphabet."""
    top = symtable.symtable(source, "<definition>", "exec")
    found = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_referenced() and not symbol.is_assigned()}
    for table in _inside(top):
        found |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global() and symbol.is_referenced()}
    return sorted(found - {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned()})


def _inside(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _inside(child)


def _literal(value: Any) -> str | None:
    """Return a plain value as Python writes it, the same in every process; None for anything else."""
    if isinstance(value, PurePath):
        return f"pathlib.Path({str(value)!r})"
    if hasattr(value, "dtype") and getattr(value, "shape", None) == () and hasattr(value, "item"):
        value = value.item()  # a number of NumPy's
    kind = type(value)
    if kind in (list, tuple, set, frozenset):
        parts = [_literal(one) for one in value]
        if None in parts:
            return None
        inside = ", ".join(sorted(map(str, parts)) if kind in (set, frozenset) else map(str, parts))
        if kind is tuple:
            return f"({inside},)" if parts else "()"
        return f"[{inside}]" if kind is list else f"{kind.__name__}([{inside}])"
    if kind is dict:
        pairs = [(_literal(key), _literal(one)) for key, one in value.items()]
        return None if None in sum(pairs, ()) else "{" + ", ".join(f"{key}: {one}" for key, one in pairs) + "}"
    if kind is float and not math.isfinite(value):
        return None
    return repr(value) if kind in (bool, int, float, complex, str, bytes, type(None)) else None
