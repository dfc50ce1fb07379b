"""The quick tests: those that ask neither for Keras, Ray or a browser nor for a process of their own.

No list says which they are. With `--quick`, a test that imports one of `HEAVY`, or starts a process, is skipped at that
moment, and a file that does so while it is imported is left out as a whole; what is left is quick whatever is added.
"""

from __future__ import annotations

import multiprocessing.process
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import NoReturn

import pytest

#: Packages that take seconds to import, or need much of the machine.
HEAVY = ("keras", "keras_tuner", "tensorflow", "jax", "ray", "selenium", "ipykernel", "mlflow", "tensorboard")


def _leave_out(what: str) -> NoReturn:
    pytest.skip(f"not quick: {what}", allow_module_level=True)


class _NothingHeavy(MetaPathFinder):
    """Is asked for modules before they are looked for, and leaves out the test that imports a heavy one."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.partition(".")[0] in HEAVY:
            _leave_out(f"imports {name}")
        return None


def _refusing(what: str) -> Callable[..., NoReturn]:
    def refuse(*_: object, **__: object) -> NoReturn:
        _leave_out(what)

    return refuse


def stay_quick() -> None:
    """Leave out from now on whatever is not quick in this process."""
    assert not set(HEAVY) & set(sys.modules)
    platform.processor()  # starts a process, once; pytest-xdist asks for it before any test
    sys.meta_path.insert(0, _NothingHeavy())
    subprocess.Popen.__init__ = _refusing("starts a process")  # type: ignore[method-assign]
    multiprocessing.process.BaseProcess.start = _refusing("starts a process")  # type: ignore[method-assign]
    os.fork = _refusing("forks")  # type: ignore[assignment]
