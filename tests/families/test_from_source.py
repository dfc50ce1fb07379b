"""A network that is given in Python: named by its module, or written down as one with all that it uses."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cells import run_cell

from tuner.errors import InputError
from tuner.families import FAMILIES
from tuner.families.cnn import Cnn
from tuner.families.from_source import Importable, importable

SURROUNDINGS = """
import json
import os.path
import collections as c
from math import sqrt as root
from pathlib import Path
UNITS = (8, {"a": [1.5, None]}, {"y", "x"})
WEIGHTS = Path("weights") / "one.h5"

def helper(n=UNITS[0]):
    return later() + n

def later():
    return root(16)

def marked(function):
    function.marked = True
    return function

class Base:
    @property
    def size(self):
        return helper()

class Layer(Base):
    def call(self):
        return super().size, c.Counter("aab")["a"]
"""
NETWORK = """
@marked
def build(hp):
    def inner(x):
        return [UNITS[1]["a"][0] * x for UNITS2 in range(2)]
    return Layer().call(), inner(2), json.loads("1"), os.path.sep, WEIGHTS, sorted(UNITS[2])
"""


def made(thing: object, folder: Path) -> ModuleType:
    """Return what was written for a thing, imported as a worker does: it knows nothing of the notebook."""
    found = importable(thing)
    ((name, text),) = found.code.items()
    assert found.path.partition(":")[0] == name
    (folder / f"{name}.py").write_text(text)
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_function_of_a_cell_is_written_with_what_it_uses_of_other_cells(tmp_path: Path) -> None:
    scope = run_cell(NETWORK, run_cell(SURROUNDINGS, {}))
    module = made(scope["build"], tmp_path)
    assert module.build.marked
    assert module.build(None) == scope["build"](None) == ((12.0, 2), [3.0, 3.0], 1, os.path.sep, WEIGHTS, ["x", "y"])
    assert not hasattr(module, "Path")


WEIGHTS = Path("weights") / "one.h5"


def test_what_it_is_named_by_changes_with_what_it_uses_and_with_nothing_else() -> None:
    def path(surroundings: str, network: str = NETWORK) -> str:
        return importable(run_cell(network, run_cell(surroundings, {}))["build"]).path

    first = path(SURROUNDINGS)
    assert first == path(SURROUNDINGS + "\nOTHER = 3\n", "\n\n" + NETWORK)
    others = [
        path(SURROUNDINGS.replace("root(16)", "root(25)")),
        path(SURROUNDINGS.replace("(8,", "(9,")),
        path(SURROUNDINGS, NETWORK.replace("inner(2)", "inner(3)")),
    ]
    assert len({first, *others}) == 4


def test_the_name_is_the_same_in_every_process(tmp_path: Path) -> None:
    script = (
        SURROUNDINGS + NETWORK + "\nfrom tuner.families.from_source import importable\nprint(importable(build).path)"
    )
    (tmp_path / "script.py").write_text(script)
    said = {
        subprocess.run(
            [sys.executable, "script.py"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2", "3")
    }
    assert said == {importable(run_cell(NETWORK, run_cell(SURROUNDINGS, {}))["build"]).path}


def test_a_function_within_a_function_keeps_what_it_closes_over(tmp_path: Path) -> None:
    def outer(units: int) -> Any:
        def build(hp: object) -> int:
            return units + 1

        return build

    assert made(outer(4), tmp_path).build(None) == 5
    assert importable(outer(4)).path != importable(outer(5)).path


def test_a_class_and_an_object_of_one_are_written_with_their_attributes(tmp_path: Path) -> None:
    text = """
    class Net:
        def __init__(self, units):
            self.units = units
        def build(self, hp):
            return [self.units]
    """
    scope = run_cell(textwrap.dedent(text), {})
    assert made(scope["Net"], tmp_path).Net(3).build(None) == [3]
    assert made(scope["Net"](7), tmp_path).net.build(None) == [7]
    assert importable(scope["Net"](7).build) == importable(scope["Net"](7))  # its method means the object
    scope["Net"].build.__globals__["held"] = scope["Net"](object())
    with pytest.raises(InputError, match=r"Net uses self\.units, a object that only this process has; write it, with"):
        importable(scope["held"])


def test_a_hypermodel_that_is_an_object_builds(tmp_path: Path) -> None:
    keras_tuner = pytest.importorskip("keras_tuner")
    text = """
    import keras_tuner
    class Hyper(keras_tuner.HyperModel):
        def __init__(self, units):
            super().__init__(name="mine")
            self.units = units
        def build(self, hp):
            return hp.Int("units", 1, 4) * self.units
    """
    scope = run_cell(textwrap.dedent(text), {})
    module = made(scope["Hyper"](10), tmp_path)
    assert module.hyper.name == "mine"
    assert vars(module)["Hyper"].build(module.hyper, keras_tuner.HyperParameters()) == 10


def test_what_lies_in_a_module_is_named_by_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mynet_of_a_test").mkdir()
    (tmp_path / "mynet_of_a_test" / "deep.py").write_text("def build(hp):\n    return 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    from mynet_of_a_test.deep import build  # type: ignore[import-not-found]

    assert importable(build) == Importable("mynet_of_a_test.deep:build", root=tmp_path)
    monkeypatch.chdir(tmp_path)
    assert importable(build) == Importable("mynet_of_a_test.deep:build")
    scope = run_cell("def other(hp):\n    return build(hp)\n", {"build": build})
    (text,) = importable(scope["other"]).code.values()
    assert text.startswith("from mynet_of_a_test.deep import build\n")


@pytest.mark.parametrize("family", ["cnn", FAMILIES["cnn"], Cnn, Cnn()], ids=["name", "listed", "class", "object"])
def test_a_built_in_family_is_its_name(family: object) -> None:
    assert importable(family) == Importable("cnn")


def test_annotations_that_are_never_evaluated_need_no_names(tmp_path: Path) -> None:
    text = "from __future__ import annotations\ndef build(hp: Nowhere) -> NorHere:\n    return 1\n"
    assert made(run_cell(text, {})["build"], tmp_path).build(None) == 1


CELL = "def build(hp):\n    return held\n"


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (lambda hp: 1, "family: is a lambda, which has no source of its own; write a function with def"),
        (3, "family: is a int; give a name, a path, a function build"),
        (
            run_cell(CELL, {"held": object()})["build"],
            "family: build uses held, a object that only this process has; w",
        ),
        (run_cell(CELL, {"held": float("nan")})["build"], "family: build uses held, a float that only this process"),
        (
            run_cell(CELL, {"held": run_cell(CELL, {})["build"]})["build"],
            "family: uses two things that are called build",
        ),
        (FAMILIES, "family: is a dict"),
    ],
    ids=["lambda", "number", "object", "nan", "two", "dict"],
)
def test_what_no_worker_could_import_is_refused_in_a_line(thing: object, message: str) -> None:
    with pytest.raises(InputError, match="^" + message):
        importable(thing)


def test_a_function_without_source_is_refused() -> None:
    scope: dict[str, Any] = {"__name__": "__main__"}
    exec("def build(hp): return 1", scope)  # noqa: S102
    with pytest.raises(InputError, match="the source of build is not to be had here; write it, with all"):
        importable(scope["build"])
