"""`ray`: the machines of a Ray cluster. Ray Core places the calls, shares out cores and GPUs, and tells who died.

https://docs.ray.io/en/latest/ray-core/tasks.html
"""

from __future__ import annotations

import logging
import os
import signal
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent import futures
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import ray
from ray import exceptions as failures

import tuner
from tuner.errors import CheckError, InputError, ResourceError, one_line
from tuner.executors import node
from tuner.executors.base import Executor, Limits, Outcome, Resources
from tuner.executors.ray_health import ENDED, RayHealth
from tuner.executors.shipping import Sender, receive
from tuner.system.interrupts import SIGNALS
from tuner.system.last_word import LastWord
from tuner.system.quiet import silence
from tuner.trial import Attempt, Job

#: The cluster's nodes are looked up at most this often, in seconds.
SECONDS_BETWEEN_LOOKS = 1.0
#: How long cancelled calls may take to end, in seconds.
SECONDS_TO_CANCEL = 10.0
#: Beyond what runs, one call in so many more waits at the cluster, so that no place stays empty until this process
#: has heard of the last result, and so that an autoscaler sees that there is more to do.
AHEAD = 4


class RayExecutor(Executor):
    """Runs calls on a Ray cluster, each in a fresh process for its group, like `LocalExecutor`.

    Where Ray is connected already, that connection is used, and kept; otherwise `address` is connected to. Ray's own
    retries are off, because it repeats without limit what runs out of memory: the caller decides what is tried again.

    Args:
        address: HOST:PORT of a cluster, of which this machine must be a node; None for the cluster that this machine is
            a node of, or else a new one of this machine alone.
        function: `module:function`.
        workers: how many calls at once; by default as many as the nodes that are there have room for.
        resources: what one call takes of a node. A fraction of a GPU is also the most of its memory for it.
        log: unused, because workers on other machines have none of this one's files.
        preload: modules that a worker imports once.
        limits: what a call may take; nodes also count with the memory.

    Raises:
        InputError: no cluster answers, or none of its nodes has room for a call.
    """

    def __init__(
        self,
        address: str | None,
        function: str,
        workers: int | None = None,
        resources: Resources = Resources(),  # noqa: B008  # frozen
        log: Path = Path(os.devnull),
        preload: Sequence[str] = (),
        limits: Limits = Limits(),  # noqa: B008  # frozen
    ) -> None:
        self.limits, self._workers = limits, workers
        self._last_word = None if ray.is_initialized() else LastWord(str(ENDED))
        if self._last_word is not None:
            try:
                _connect(address)
            except BaseException:
                self._last_word.close()
                raise
        self._health, self._own_node = RayHealth(), ray.get_runtime_context().get_node_id()
        try:
            self._nodes: dict[str, dict[str, Any]] = {}
            self._looked = 0.0
            self._look()
            gpus = resources.gpus
            if gpus is None:
                gpus = float(any(one["Resources"].get("GPU") for one in self._living()))
            self._needs = {"CPU": resources.cpus, "GPU": gpus, "memory": (limits.gigabytes or 0) * 1e9}
            if workers is None and not self._room():
                raise self._nowhere()
        except BaseException:
            self._disconnect()
            raise
        self._terms = ray.put(node.Terms(function, Resources(resources.cpus, gpus), limits, tuple(preload)))
        self._task = ray.remote(
            num_cpus=resources.cpus,
            num_gpus=gpus,
            memory=int(self._needs["memory"]),
            max_retries=0,
            max_calls=0,  # what must not outlive a call lies in the call's own process
        )(_call)
        self._sender = Sender(ray.put)
        # By what is told of a call's end: `ray.wait` talks to the raylet, and ends this process if that has just died.
        self._calls: dict[Future[node.Delivery], tuple[str, object, Any]] = {}
        self._processes: dict[str, list[int | None]] = {}  # that calls ran in, by node

    def _look(self, at_once: bool = False) -> None:
        if at_once or time.monotonic() - self._looked > SECONDS_BETWEEN_LOOKS:
            self._looked = time.monotonic()
            if not self._health.check():  # asking would take until Ray gives up, and this process with it
                return
            self._nodes = {one["NodeID"]: one for one in ray.nodes()}  # type: ignore[no-untyped-call]
            if not self._nodes.get(self._own_node, {"Alive": True})["Alive"]:  # it is about to end, and ends this one
                raise self._health.raylet_died()

    def _living(self) -> list[dict[str, Any]]:
        return [one for one in self._nodes.values() if one["Alive"]]

    def _room(self) -> int:
        """Return how many calls the nodes that are there can run at once."""
        needs = {name: need for name, need in self._needs.items() if need}
        return sum(
            min((int(one["Resources"].get(name, 0) / need + 1e-9) for name, need in needs.items()), default=0)
            for one in self._living()
        )

    def _nowhere(self) -> InputError:
        asked = f"{self._needs['CPU']:g} CPU"
        if self._needs["GPU"]:
            asked += f", {self._needs['GPU']:g} GPU"
        if self.limits.gigabytes:
            asked += f", {self.limits.gigabytes:g} GB of memory"
        return InputError(
            "--executor",
            f"no node of the cluster has room for one trial ({asked})",
            "ask for less (--cpus-per-trial, --gpus-per-trial), or pass --workers if nodes join by and by",
        )

    def _name_of(self, node_id: str) -> str:
        """Return how people call a node: by its host, with some of its ID where a host has several."""
        if node_id not in self._nodes:
            self._look(at_once=True)
        hosts = Counter(one["NodeManagerHostname"] for one in self._nodes.values())
        host = self._nodes[node_id]["NodeManagerHostname"] if node_id in self._nodes else "a node"
        return host if hosts[host] == 1 else f"{host}-{node_id[:4]}"

    @property
    def slots(self) -> int:  # type: ignore[override]  # it changes by itself
        """How many calls the cluster has room for now, and some more that wait there; see `Executor.slots`."""
        if self._workers:
            return self._workers
        self._look()
        room = self._room()
        return room + max(1, room // AHEAD)

    def capacity(self) -> int:
        """Return how many calls the nodes that are there run at a time; see `Executor.capacity`."""
        self._look()
        return self._workers or self._room()

    def in_words(self) -> str:
        """Say how many calls run at a time on how many nodes."""
        capacity, count = self.capacity(), len(self._living())
        return f"{capacity} at a time on {count} node{'s' if count > 1 else ''}"

    def submit(self, key: str, argument: object, group: str = "", surroundings: str = "") -> None:
        """Hand the call to the cluster; see `Executor.submit`."""
        if isinstance(argument, Job) and self._last_word is not None:
            self._last_word.sweeps(argument.artifacts)
        packed = self._sender.pack(argument) if isinstance(argument, Job) else argument
        reference = self._task.remote(self._terms, key, packed, group)
        self._calls[reference.future()] = key, argument, reference

    def wait(self, timeout: float | None = None) -> Sequence[Outcome]:
        """Return the calls that have ended; see `Executor.wait`."""
        if not self._calls:
            return []
        running = list(self._calls)
        deadline = float("inf") if timeout is None else time.monotonic() + timeout
        while True:
            self._look()
            patience = max(0.0, min(SECONDS_BETWEEN_LOOKS, deadline - time.monotonic()))
            ready = futures.wait(running, patience, futures.FIRST_COMPLETED).done
            if ready or time.monotonic() >= deadline:
                break
        return [self._outcome(future) for future in ready]

    def _outcome(self, future: Future[node.Delivery]) -> Outcome:
        key, argument, _ = self._calls.pop(future)
        try:
            delivery = future.result()
        except (failures.NodeDiedError, failures.LocalRayletDiedError, failures.ObjectLostError):
            self._look(at_once=True)  # where this machine's own raylet died, all calls would seem to have lost a node
            return Outcome(key, died="the node that it ran on went away", lost=True)
        except failures.OutOfMemoryError:
            return Outcome(key, died="its node ran out of memory; give trials more of it (cpus_per_trial)")
        except failures.WorkerCrashedError:
            return Outcome(key, died="the process that Ray ran it in was killed")
        except failures.RuntimeEnvSetupError as error:
            raise ResourceError("a node", f"cannot lay out the code ({one_line(error)})", "see to it") from error
        except failures.RayTaskError as error:
            return Outcome(key, died=one_line(error.cause or error))
        outcome = replace(delivery.outcome, attempt=self._attempt(delivery.outcome.attempt))
        if isinstance(argument, Job) and outcome.value is not None and not isinstance(outcome.value, Exception):
            try:
                receive(argument, outcome.value, delivery.files)
            except CheckError as error:
                return Outcome(key, died=str(error), attempt=outcome.attempt)
        return outcome

    def _attempt(self, told: Attempt | None) -> Attempt | None:
        """Return an attempt by this machine's clock, with its node's name and the number of its process there.

        Processes are numbered as they are first heard of.
        """
        if told is None:
            return None
        processes = self._processes.setdefault(told.node, [])
        if told.worker not in processes:
            processes.append(told.worker)
        return Attempt.of(told.seconds, processes.index(told.worker) + 1, self._name_of(told.node))

    def close(self) -> None:
        """Cancel every call; see `Executor.close`."""
        running = [reference for _, _, reference in self._calls.values()] if self._health.is_well else []
        self._calls.clear()
        for reference in running:
            ray.cancel(reference, force=True)
        if running:
            ray.wait(running, num_returns=len(running), timeout=SECONDS_TO_CANCEL)
        self._sender.close()
        self._disconnect()

    def _disconnect(self) -> None:
        if self._last_word is None:  # connected by somebody else
            return
        if self._health.is_well:
            ray.shutdown()
            self._last_word.close()
        else:
            self._health.leave(self._last_word)


def _call(terms: node.Terms, key: str, argument: object, group: str) -> node.Delivery:
    """Run in a worker of Ray."""
    context = ray.get_runtime_context()
    return node.call(terms, key, argument, group, context.get_node_id(), ray.get)


def _connect(address: str | None) -> None:
    """Connect to a cluster, or start one on this machine.

    Nodes need the packages that this one depends on. Its own code travels, so that all run the same.

    Raises:
        InputError: there is no such cluster.
        ResourceError: one that is started here does not come up.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # of a cluster that is started here
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        with _signals_kept(), silence(), warnings.catch_warnings(action="ignore"):
            ray.init(
                address=address,
                runtime_env={"py_modules": [str(Path(tuner.__file__).parent)]},
                include_dashboard=None if address else False,
                logging_level=logging.CRITICAL,
                log_to_driver=False,
            )
    except (ConnectionError, TimeoutError, RuntimeError, ValueError, AssertionError) as error:
        remedy = "see: ray status --address HOST:PORT"
        place = "--address" if address else "--executor"
        raise InputError(place, f"no Ray cluster can be used ({one_line(error)})", remedy) from error
    except Exception as error:  # as Ray says that what it started did not come up, or ended again
        raise ResourceError("Ray", f"did not start ({one_line(error)})", "see that it has memory and cores") from error
    # It would still print to the standard output when a node dies, which the caller is told of.
    ray._private.worker._worker_logs_enabled = False


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Give signals back the handlers that they had: Ray puts its own in their place, which end the process."""
    kept = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in kept.items():
            if handler is not None:
                signal.signal(number, handler)
