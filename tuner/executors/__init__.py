"""The executors by name. A new one needs its file and a line here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuner.errors import InputError, suggestion
from tuner.executors.address import check_address
from tuner.executors.base import Executor, Limits, Outcome, Resources
from tuner.executors.local import LocalExecutor
from tuner.system.extras import needs
from tuner.system.interrupts import INTERRUPTS
from tuner.system.machine import available_cores, check_system


def _local(address: str | None, *arguments: Any) -> Executor:
    return LocalExecutor(*arguments)


def _ray(address: str | None, *arguments: Any) -> Executor:
    with INTERRUPTS.importing():
        from tuner.executors.ray import RayExecutor

    return RayExecutor(address, *arguments)


#: Each takes the address of a cluster, and what `LocalExecutor` takes.
EXECUTORS = {"local": _local, "ray": _ray}

#: What a server of workers imports once, so that no trial has to: Keras, its backend, and nothing run.
PRELOAD = ("tuner.worker.preloaded",)

#: More workers a core than this take its memory, and make nothing faster.
MOST_WORKERS = 16


@dataclass(frozen=True)
class ExecutionOptions:
    """Where trials run, and how many at once: a matter of machines, which changes no result.

    Args:
        executor: a name in `EXECUTORS`.
        workers: how many trials at once; None for as many as fit.
        cpus: cores that a trial takes; None for what the search file says, or its threads.
        gpus: how much of a GPU a trial takes, at most 1; None for what the search file says, or the executor's own.
        address: of a Ray cluster.
    """

    executor: str = "local"
    workers: int | None = None
    cpus: float | None = None
    gpus: float | None = None
    address: str | None = None

    def open(self, function: str, resources: Resources, log: Path, limits: Limits) -> Executor:
        """Return the executor, ready to run calls of `module:function`, each with `resources` unless `self` says.

        Raises:
            InputError: it cannot run here.
            ResourceError: the machine has no room for it.
        """
        own = Resources(self.cpus or resources.cpus, resources.gpus if self.gpus is None else self.gpus)
        return EXECUTORS[self.executor](self.address, function, self.workers, own, log, PRELOAD, limits)

    def check(self, asked: float | None = None) -> None:
        """See whether there is such an executor, with all that it needs, and whether its cluster answers.

        Starts and writes nothing.

        Args:
            asked: the cores of a trial that the search file asks for, if it does.

        Raises:
            InputError: there is not.
        """
        check_system()
        if self.executor not in EXECUTORS:
            what = f"no executor is named {self.executor!r}"
            raise InputError("--executor", f"{what}; {suggestion(self.executor, EXECUTORS)}")
        if self.executor == "ray":
            needs("--executor", "Ray", "ray", "ray")
            check_address(self.address)
        if self.executor == "local":
            self._check_cores(asked)
        if self.executor == "local" and self.address is not None:
            raise InputError("--address", "is that of a Ray cluster", "pass --executor=ray with it")

    def _check_cores(self, asked: float | None) -> None:
        cores, cpus = available_cores(), self.cpus or asked
        here = f"this machine has {cores} core{'s' if cores > 1 else ''}"
        if cpus is not None and cpus > cores:
            place = "--cpus-per-trial" if self.cpus else "cpus_per_trial"
            raise InputError(place, f"a trial cannot take {cpus:g} cores: {here}", "ask for fewer")
        if self.workers is not None and self.workers > MOST_WORKERS * cores:
            most = f"at most {MOST_WORKERS * cores} trials at once are sensible"
            raise InputError("--workers", f"{self.workers:,} are too many: {here}", most)


__all__ = ["EXECUTORS", "PRELOAD", "ExecutionOptions", "Executor", "Limits", "LocalExecutor", "Outcome", "Resources"]
