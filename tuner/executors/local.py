"""`local`: processes for groups of calls on this machine, one of which is always forked ahead; see `worker.py`.

What a fresh process has to do once, begin with its backend, takes longer than a short trial: a process that has
remained small goes on with another group of the same surroundings.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from multiprocessing import connection, forkserver
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.errors import InputError, ResourceError
from tuner.executors.base import WORKER, Executor, Limits, Outcome, Resources
from tuner.executors.gpus import environment_of, visible_gpus
from tuner.executors.worker import Worker, forked_worker, reason_of_exit
from tuner.system.machine import available_cores, check_system, memory_bytes, resident_bytes
from tuner.system.quiet import printing_to

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerProcess  # which Windows has not

#: A worker on a CPU takes about this much memory; the default number of workers leaves room for it.
WORKER_BYTES = 1_500_000_000
#: A process takes so many calls before a fresh one takes over, whatever little each leaves in its memory.
MOST_CALLS = 50
#: A process that holds so many bytes more than a fresh one gives its memory back before another group is begun.
MOST_KEPT_BYTES = 250_000_000
#: How often the memory of workers is looked at where it has a limit, and a server that is dying, in seconds.
SECONDS_BETWEEN_LOOKS = 0.2
#: A killed server counts as dead only after it has ended, which takes a large one on a busy machine some seconds.
SECONDS_TO_DIE = 30.0


class LocalExecutor(Executor):
    """Runs calls in processes on this machine, a fresh one for every group.

    Args:
        function: `module:function`.
        workers: how many at once; by default as many as the share of each allows of cores and memory, or of GPUs.
        resources: what one call takes. Cores are a matter of counting; a fraction of a GPU is also the most of its
            memory that a call may have.
        log: what workers print goes to this file.
        preload: modules that the server imports before it forks; there is one server a process, so that the first
            executor decides.
        limits: what a call may take; memory can be limited on Linux alone.

    Raises:
        InputError: memory is limited where it cannot be measured; there are fewer GPUs than one call is to have.
        ResourceError: the machine has no room for the server.
    """

    def __init__(
        self,
        function: str,
        workers: int | None = None,
        resources: Resources = Resources(),  # noqa: B008  # frozen
        log: Path = Path(os.devnull),
        preload: Sequence[str] = (),
        limits: Limits = Limits(),  # noqa: B008  # frozen
    ) -> None:
        check_system()
        if limits.gigabytes is not None and resident_bytes(os.getpid()) is None:
            raise InputError("max_trial_gb", "memory is not measured on this system", "remove it")
        self._function, self._log, self.limits = function, log, limits
        self._resources = resources
        self._gpus = visible_gpus() if resources.gpus != 0 else []
        if resources.gpus and resources.gpus > len(self._gpus):
            there = f"this machine shows {len(self._gpus)} GPUs"
            raise InputError("gpus_per_trial", f"is {resources.gpus:g}, and {there}", "remove it, or see: nvidia-smi")
        fitting = int(len(self._gpus) / (resources.gpus or 1)) if self._gpus else default_workers(resources.cpus)
        self.slots = workers or fitting
        self._free = list(range(self.slots))[::-1]
        self._workers: list[Worker] = []
        self._spare: Worker | None = None  # forked ahead, so that nobody waits for it
        self._leaving: list[ForkServerProcess] = []
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(preload))
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        log.parent.mkdir(parents=True, exist_ok=True)
        with _needing_room(), printing_to(log):
            forkserver.ensure_running()

    def submit(self, key: str, argument: object, group: str = "", surroundings: str = "") -> None:
        """Start the call in a kept process for its group or surroundings, or in a fresh one; see `Executor`."""
        waiting = [worker for worker in self._workers if not worker.key]
        kept = next((worker for worker in waiting if worker.group == group), None)
        if kept is None and group and surroundings and not self._free:
            alike = (worker for worker in waiting if worker.surroundings == surroundings and self._is_small(worker))
            kept = next(alike, None)
        if kept is not None:
            kept.group = group
            if self._hand_over(kept, key, argument):
                return
            self._release(kept)
        if not self._free:
            self._release(waiting[0])
        slot = self._free.pop()
        worker = self._spare or self._fork()
        worker.slot, worker.group, worker.surroundings = slot, group, surroundings
        while not self._hand_over(worker, key, argument):
            self._end(worker)
            worker = replace(self._fork(), slot=slot, group=group, surroundings=surroundings)
        self._workers.append(worker)
        self._spare = self._fork()
        self._reap()

    def _is_small(self, worker: Worker) -> bool:
        """Whether a process holds hardly more memory than a fresh one, none of a GPU's, and no limit counts it."""
        if self._gpus or self._spare is None or self.limits.gigabytes is not None:
            return False
        held, fresh = (resident_bytes(one.process.pid) for one in (worker, self._spare))
        return held is not None and fresh is not None and held <= fresh + MOST_KEPT_BYTES

    def _hand_over(self, worker: Worker, key: str, argument: object) -> bool:
        """Give a worker its next call; return whether it was alive to take it."""
        try:
            settings = environment_of(self._gpus, self._resources.gpus, worker.slot)
            worker.calls.send(({**settings, WORKER: str(worker.slot + 1)}, argument))
        except OSError:
            return False
        worker.key = key
        worker.taken += 1
        worker.begun, worker.stopped, worker.uncounted = None, None, 0.0
        return True

    def _fork(self) -> Worker:
        deadline = time.monotonic() + SECONDS_TO_DIE
        with _needing_room():
            while True:
                try:
                    return forked_worker(self._context, self._function, self._log)
                except (ConnectionError, EOFError):  # the server was killed, as the system may do where memory runs out
                    if time.monotonic() > deadline:
                        raise
                time.sleep(SECONDS_BETWEEN_LOOKS)
                with printing_to(self._log):
                    forkserver.ensure_running()

    def waiting_groups(self) -> set[str]:
        """Return the groups of the processes that wait for a call; see `Executor.waiting_groups`."""
        return {worker.group for worker in self._workers if not worker.key}

    def wait(self, timeout: float | None = None) -> Sequence[Outcome]:
        """Return the calls that have ended; see `Executor.wait`."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            running = [worker for worker in self._workers if worker.key]
            # A result wakes this before its process has ended, so that large results cannot block their worker.
            ready = connection.wait([worker.results for worker in running], self._patience(running, deadline))
            answers = [self._hear(worker) for worker in running if worker.results in ready]
            answers += [self._ended_at_limit(worker) for worker in running if worker.key]
            outcomes = [outcome for outcome in answers if outcome is not None]
            if outcomes or (deadline is not None and time.monotonic() >= deadline):
                return outcomes

    def _patience(self, running: list[Worker], deadline: float | None) -> float | None:
        """Return how many seconds may pass before a deadline, a limit or a look at the memory is due."""
        moments = [] if deadline is None else [deadline]
        if self.limits.minutes is not None:
            timed = [worker for worker in running if worker.begun is not None and worker.stopped is None]
            now = time.monotonic()
            moments += [now + 60 * self.limits.minutes - worker.counted(now) for worker in timed]
        now = time.monotonic()
        if self.limits.gigabytes is not None:
            moments.append(now + SECONDS_BETWEEN_LOOKS)
        return max(0.0, min(moments) - now) if moments else None

    def _ended_at_limit(self, worker: Worker) -> Outcome | None:
        """End a call that has passed a limit, and return its outcome."""
        minutes, gigabytes = self.limits.minutes, self.limits.gigabytes
        if worker.begun is None:
            return None
        if minutes is not None and worker.counted(time.monotonic()) >= 60 * minutes:
            reason, passed = f"took longer than {minutes:g} minutes (max_trial_minutes)", {"minutes": minutes}
        elif gigabytes is not None and (resident_bytes(worker.process.pid) or 0) > gigabytes * 1e9:
            reason, passed = f"took more than {gigabytes:g} GB of memory (max_trial_gb)", {"gigabytes": gigabytes}
        else:
            return None
        worker.process.kill()
        key, worker.key = worker.key, ""
        self._release(worker)
        return Outcome(key, died=reason, passed=passed, attempt=worker.attempt())

    def _hear(self, worker: Worker) -> Outcome | None:
        """Take what a worker says: that it has begun its call, that its time stops or goes on, or what came of it."""
        try:
            of_time, value = worker.results.recv()
            if of_time:
                worker.note(value)
                return None
            outcome = Outcome(worker.key, value, attempt=worker.attempt())
        except (EOFError, OSError):
            worker.process.join()
            outcome = Outcome(worker.key, died=reason_of_exit(worker.process.exitcode), attempt=worker.attempt())
        worker.key = ""
        if outcome.died or not worker.group or worker.taken >= MOST_CALLS:
            self._release(worker)
        return outcome

    def end(self, key: str) -> bool:
        """Kill the process that runs a call; see `Executor.end`."""
        worker = next((worker for worker in self._workers if worker.key == key), None)
        if worker is None:
            return False
        worker.process.kill()
        worker.key = ""
        self._release(worker)
        return True

    def _release(self, worker: Worker) -> None:
        """Let a worker go, without waiting until it has given its memory back."""
        self._end(worker)
        self._free.append(worker.slot)
        self._workers.remove(worker)

    def _end(self, worker: Worker) -> None:
        worker.calls.close()  # which ends it
        worker.lifeline.close()
        worker.results.close()
        self._leaving.append(worker.process)

    def _reap(self) -> None:
        for process in [process for process in self._leaving if process.exitcode is not None]:
            process.close()
            self._leaving.remove(process)

    def worker_pids(self) -> list[int]:
        """Return the process numbers of the workers that are there."""
        return [worker.process.pid for worker in self._workers if worker.process.pid is not None]

    def close(self) -> None:
        """Kill every worker; see `Executor.close`."""
        for worker in list(self._workers):
            worker.process.kill()
            self._release(worker)
        if self._spare is not None:
            self._spare.process.kill()
            self._end(self._spare)
            self._spare = None
        for process in self._leaving:
            process.kill()
            process.join()
        self._reap()


def default_workers(cpus: float) -> int:
    """Return how many workers of so many cores fit the cores and the memory of this machine, at least one."""
    cores = available_cores()
    return max(1, min(int(cores / cpus), memory_bytes() // WORKER_BYTES))


@contextlib.contextmanager
def _needing_room() -> Iterator[None]:
    """Say in one line what the machine lacks where a process cannot be started."""
    try:
        yield
    except (OSError, EOFError) as error:  # what the server lacks shows here as an end of its answer
        if "path too long" in str(error):  # of a socket, which Python makes in the folder of temporary files
            raise ResourceError(
                "TMPDIR", f"{tempfile.gettempdir()} is too long a path for a socket of processes", "set a shorter one"
            ) from error
        reason = (error.strerror if isinstance(error, OSError) else None) or "the server of workers ended"
        raise ResourceError(
            "workers",
            f"no process can be started ({reason})",
            "allow more open files (ulimit -n 4096) and processes, free memory, or pass a smaller --workers",
        ) from error
