"""Notes what a run trains, and ends it at a precise moment, from within its processes; the tool knows nothing of it.

Python imports a module of this name when it starts, where it lies on the path: in the main process, the server of
workers and the workers alike. The file that TUNER_CHAOS_TRAINED names gets a line for each trial that a worker begins.
Where TUNER_CHAOS holds a fault (`benchmarks.chaos.faults.Inside` as JSON), the process watches for the fault's event,
and at the event of that number sends the signal. A fault strikes once: the file `mark` says that it has.
"""

from __future__ import annotations

import contextlib
import importlib.machinery
import importlib.util
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

#: Functions around whose call a fault strikes: the module, and its function.
_CALLS = {"scoring": ("tuner.worker.saving", "predict"), "findings": ("tuner.running.search", "load_findings")}
#: Folders, below that of the run, in which a fault strikes as a file is written or moved into place.
_FOLDERS = {"data": "runs/data", "checkpoint": "runs/models", "report": "reports"}


class _Fault:
    def __init__(self, event: str, number: int, when: str, delay: float, number_of_signal: int, victim: str, mark: str):
        self._left, self._when, self._delay = number, when, delay
        self._signal, self._victim, self._mark = number_of_signal, victim, mark
        if event == "ledger":
            self._watch_ledger()
        elif event in _CALLS:
            sys.meta_path.insert(0, _Wrapper(*_CALLS[event], self.around))
        else:
            self._watch_files(os.path.join(os.getcwd(), *_FOLDERS[event].split("/"), ""))  # noqa: PTH109, PTH118

    def _is_due(self) -> bool:
        self._left -= 1
        return self._left == 0

    def _strike(self, delay: float = 0.0) -> None:
        time.sleep(delay)
        with contextlib.suppress(FileExistsError):
            os.close(os.open(self._mark, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            main = os.getsid(0)  # the main process leads its session
            if self._victim == "group":
                os.killpg(main, self._signal)
            else:
                os.kill(main if self._victim == "main" else os.getpid(), self._signal)

    def _strike_soon(self) -> None:
        threading.Thread(target=self._strike, args=(self._delay,), daemon=True).start()

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return the call with the fault before it, in the middle of it or after it."""

        def called(*arguments: Any, **options: Any) -> Any:
            if not self._is_due():
                return call(*arguments, **options)
            if self._when == "before":
                self._strike()
            elif self._when == "amid":
                self._strike_soon()
            answer = call(*arguments, **options)
            if self._when == "after":
                self._strike()
            return answer

        return called

    def _watch_ledger(self) -> None:
        import sqlite3

        connect, around = sqlite3.connect, self.around

        class Connection(sqlite3.Connection):
            def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
                execute = super().execute
                return (around(execute) if sql == "COMMIT" else execute)(sql, *parameters)

        sqlite3.connect = lambda *arguments, **options: connect(*arguments, factory=Connection, **options)  # type: ignore[assignment]

    def _watch_files(self, folder: str) -> None:
        def audit(event: str, arguments: Sequence[Any]) -> None:
            writes = event == "open" and isinstance(arguments[1], str) and "w" in arguments[1]
            if not writes and event != "os.rename":
                return
            if not isinstance(arguments[0], (str, os.PathLike)) or self._left <= 0:
                return
            if os.path.abspath(os.fspath(arguments[0])).startswith(folder) and self._is_due():  # noqa: PTH100
                if self._when == "before":  # an audit hook is called before what it is told of
                    self._strike()
                else:
                    self._strike_soon()

        sys.addaudithook(audit)


class _Wrapper:
    """Imports one module, and puts something around one of its functions."""

    def __init__(self, module: str, function: str, around: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        self._module, self._function, self._around = module, function, around

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find the one module; see `importlib.abc.MetaPathFinder`."""
        if name != self._module:
            return None
        sys.meta_path.remove(self)  # it finds one module, once
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_wrap(module: Any) -> None:
            execute(module)
            setattr(module, self._function, self._around(getattr(module, self._function)))

        spec.loader.exec_module = execute_and_wrap  # type: ignore[method-assign]
        return spec


def _noting(file: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return what makes a call on a job note its trial in a file.

    A probe by which `--hours` is planned writes elsewhere than in `runs/`: it is no trial, though of the few images of
    these searches it may train one.
    """

    def around(call: Callable[..., Any]) -> Callable[..., Any]:
        def called(job: Any) -> Any:
            if job.artifacts.parts[-2:] == tuple(_FOLDERS["checkpoint"].split("/")):
                with open(file, "a", encoding="ascii") as notes:  # noqa: PTH123
                    notes.write(f"{job.trial.id}\n")
            return call(job)

        return called

    return around


if "TUNER_CHAOS_TRAINED" in os.environ:
    sys.meta_path.insert(0, _Wrapper("tuner.worker.training", "train", _noting(os.environ["TUNER_CHAOS_TRAINED"])))
if "TUNER_CHAOS" in os.environ:
    _fault = json.loads(os.environ["TUNER_CHAOS"])
    _fault["number_of_signal"] = signal.Signals[_fault.pop("signal")]
    _Fault(**_fault)
