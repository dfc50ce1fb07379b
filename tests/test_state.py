"""Nothing is kept at the level of a module but in workers, and frozen values look at nothing outside of themselves."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tuner.running.planned import all_search_proposals
from tuner.search_file.file import parse_search
from tuner.search_file.overrides import Overrides

PACKAGE = Path(__file__).parents[1] / "tuner"
#: What runs in the processes of workers alone, each of which is one trial's, or one group's.
WORKERS = ("worker/", "executors/node.py")
#: What is kept all the same, and why it may be.
KEPT = {
    "api/functions.py _backend_of_this_process": "a process has one backend",
    "executors/gpus.py _memory_of": "a GPU's memory is what it is",
    "figures/network.py _text_width": "a function of its arguments alone",
    "ledger/schema.py _ours": "a function of nothing",
    "objective/__init__.py _of_a_class": "a function of its argument alone",
    "objective/own.py _made": "a function of its arguments alone",
    "objective/told.py told_objective": "a function of its arguments alone",
    "page/html.py _inline": "a parser without state",
    "page/shared.py asset": "a file of the package",
    "page/shared.py plotting_library": "a file of the package",
    "page/shared.py script": "files of the package",
    "system/exit_code.py _noted": "a process ends once",
    "system/streams.py _held": "a process has its streams once",
    "system/waiting.py _listener": "a process has one that is told",
    "executors/untimed.py _tell": "a worker has one that is told",
    "untrusted/checked_json.py adapter_of": "a function of its argument alone",
    "watching/pages.py _asset": "a file of the package",
}
_CONTAINERS = ("set", "dict", "list", "defaultdict", "OrderedDict", "deque", "Counter")


def _is_empty_container(value: ast.expr | None) -> bool:
    return (
        (isinstance(value, ast.Dict) and not value.keys)
        or (isinstance(value, ast.List) and not value.elts)
        or (isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in _CONTAINERS)
    )


def _kept_in(tree: ast.Module) -> Iterator[str]:
    """Yield the names of a module that may hold one thing now and another later."""
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and _is_empty_container(statement.value):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            yield from (ast.unparse(target) for target in targets)
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield from node.names
        if isinstance(node, ast.FunctionDef):
            decorators = [ast.unparse(one).partition("(")[0].rpartition(".")[2] for one in node.decorator_list]
            yield from [node.name] * bool({"cache", "lru_cache"}.intersection(decorators))


def test_no_module_but_a_workers_keeps_anything_that_is_not_justified() -> None:
    found = {
        f"{path.relative_to(PACKAGE).as_posix()} {name}"
        for path in PACKAGE.rglob("*.py")
        for name in _kept_in(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert {one for one in found if not one.startswith(WORKERS)} == set(KEPT)


@pytest.mark.parametrize(
    "code",
    [
        "a = {}",
        "a: list[int] = []",
        "a = set()",
        "@cache\ndef a(): ...",
        "@functools.lru_cache(1)\ndef a(): ...",
        "def f():\n    global a\n    a = 1",
    ],
)
def test_what_a_module_keeps_is_seen(code: str) -> None:
    assert list(_kept_in(ast.parse(code))) == ["a"]


def test_proposals_read_neither_files_nor_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "kept_own.py"
    module.write_text("def build(hp):\n    return None\n", encoding="utf-8")
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    raw: dict[str, Any] = {
        "title": "x",
        "dataset": "blobs",
        "training": {"epochs": 1},
        "search": [
            {"family": "kept_own:build", "space": {"width": [1, 2, 3]}},
            {"family": "ann", "space": {"dense_units": [4, 8]}},
        ],
    }
    search = parse_search(raw, "x", tmp_path, Overrides(), "0" * 16)
    with pytest.raises(RuntimeError, match="was not read"):
        search.trial(search.model_searches[0], "blobs", "f" * 16, {"width": 1}, None)
    search = replace(search, model_searches=tuple(one.with_code() for one in search.model_searches))
    key, source = search.key, search.model_searches[0].source
    assert source

    monkeypatch.setenv("KERAS_BACKEND", "jax")
    module.unlink()
    opened: list[object] = []
    watching = True
    sys.addaudithook(lambda event, given: opened.append(given) if watching and event == "open" else None)
    prepared: Any = {"blobs": type("Prepared", (), {"fingerprint": "f" * 16, "shape": (8, 8, 1), "classes": 3})}
    trials = []
    for proposals in all_search_proposals(search, prepared):
        while (following := proposals.next()) is not None:
            trials.append(following[1])
            assert following[1].id
    watching = False

    assert opened == []
    assert len(trials) == 5
    assert {trial.backend for trial in trials} == {"tensorflow"}
    assert {trial.source for trial in trials} == {source, ""}
    assert replace(search).key == key
