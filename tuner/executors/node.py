"""What runs on a node of a cluster: one call at a time, in a process of a fork server that the node's worker keeps.

A worker of Ray serves many calls and lives on; what a call did to memory or to a GPU ends with the call's own process.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tuner.errors import InputError, ResourceError, resource_error_of
from tuner.executors.base import Limits, Outcome, Resources
from tuner.executors.local import LocalExecutor
from tuner.executors.shipping import Files, Parcel, unpacked
from tuner.trial import Attempt, Result

#: What of the environment decides how Keras and its backends compute.
_PREFIXES = ("KERAS_", "TF_", "XLA_", "JAX_")


def _chosen_environment() -> dict[str, str]:
    """Return the variables of this process's environment that every trial is to be trained with."""
    return {name: value for name, value in os.environ.items() if name.startswith(_PREFIXES)}


@dataclass(frozen=True)
class Terms:
    """What all calls of an executor have in common."""

    function: str
    resources: Resources
    limits: Limits
    preload: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=_chosen_environment)


@dataclass(frozen=True)
class Delivery:
    """How a call ended, and the files that it left where the main machine does not see them.

    Its attempt is told in this node's own words: the worker is a process ID, the node what Ray knows it by.
    """

    outcome: Outcome
    files: Files = field(default_factory=dict)


_pool: tuple[object, LocalExecutor] | None = None


def call(terms: Terms, key: str, argument: object, group: str, node: str, fetch: Callable[[Any], Files]) -> Delivery:
    """Run a call on this node and return what came of it.

    Args:
        terms: what it has in common with others.
        key: its name.
        argument: what it is given; a `Parcel` is unpacked first.
        group: see `Executor`; a process that holds a GPU is not kept for anyone.
        node: by what Ray knows this machine.
        fetch: returns what something in a parcel stands for.
    """
    os.environ.update(terms.environment)
    try:
        with _at_hand(argument, fetch) as (ready, left):
            pool = _pool_for(terms)
            pool.submit(key, ready, "" if terms.resources.gpus else group)
            (outcome,) = pool.wait()
            done = isinstance(outcome.value, Result) and bool(outcome.value.files)
            files = left() if done else {}
    except (InputError, ResourceError, OSError) as error:
        wrong = error if isinstance(error, InputError) else resource_error_of(error, "disk")
        if wrong is None:
            raise
        outcome, files = Outcome(key, wrong), {}
    if isinstance(outcome.value, InputError | ResourceError):  # of this machine, whatever was asked of it
        wrong = outcome.value
        where = f"{socket.gethostname()}: {wrong.place}"
        kind = ResourceError if isinstance(wrong, InputError) else type(wrong)
        outcome = Outcome(key, kind(where, wrong.problem, wrong.remedy or "see to it"))
    seconds = outcome.attempt.seconds if outcome.attempt else 0.0
    return Delivery(replace(outcome, attempt=Attempt.of(seconds, os.getpid(), node)), files)


@contextmanager
def _at_hand(argument: object, fetch: Callable[[Any], Files]) -> Iterator[tuple[object, Callable[[], Files]]]:
    if isinstance(argument, Parcel):
        with unpacked(argument, fetch) as there:
            yield there
    else:
        yield argument, dict


def _pool_for(terms: Terms) -> LocalExecutor:
    """Return this worker's executor, which keeps the process of the last call for its group."""
    global _pool  # noqa: PLW0603  # of this process
    wanted = (terms, os.environ.get("CUDA_VISIBLE_DEVICES"))
    if _pool is not None and _pool[0] == wanted:
        return _pool[1]
    if _pool is not None:
        _pool[1].close()
    pool = LocalExecutor(terms.function, 1, terms.resources, Path(os.devnull), terms.preload, terms.limits)
    _pool = wanted, pool
    return pool
