"""What an executor is: it runs a function somewhere, and hands back results as they finish."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from tuner.trial import Attempt

#: The variable of a worker's environment that says which of its machine's workers it is, counted from 1.
WORKER = "TUNER_WORKER"


@dataclass(frozen=True)
class Limits:
    """What one call may take at most: minutes by the clock, and 10**9 bytes of resident memory. None is no limit."""

    minutes: float | None = None
    gigabytes: float | None = None

    def allow_more(self, passed: Mapping[str, float]) -> bool:
        """Tell whether a call that was ended at the limits `passed`, by name, may now take more."""
        return any((now := getattr(self, name)) is None or now > limit for name, limit in passed.items())


@dataclass(frozen=True)
class Resources:
    """What one call takes of a machine: CPU cores, and a GPU or a fraction of it.

    None leaves the GPUs to the executor: one a call where there are any.
    """

    cpus: float = 1
    gpus: float | None = None


@dataclass(frozen=True)
class Outcome:
    """How a submitted call ended: with `value`, or with its worker's death, whose reason is `died`.

    `passed` holds the limit, by its name in `Limits`, at which the executor itself ended the call. `lost` says that
    the machine went away below the call, which therefore had no part in it. `attempt` says when and where it ran,
    as far as that is known.
    """

    key: str
    value: Any = None
    died: str = ""
    passed: Mapping[str, float] = field(default_factory=dict)
    lost: bool = False
    attempt: Attempt | None = None


class Executor(ABC):
    """Runs one function, named `module:function`, on one argument at a time, several at once.

    Calls of one *group*, a name that the caller gives, may run one after the other in one process, so that a later one
    finds there what an earlier one left in memory. Calls of different groups may follow each other in one process where
    the caller gives them the same *surroundings*, a name for what they have to find alike there; otherwise they never
    share one, and a call without a group has a process of its own. A call that passes one of its `limits` is ended. A
    context manager; leaving it ends every worker.
    """

    #: How many calls the caller may have under way now, at least one; it may change as machines come and go.
    slots: int
    limits: Limits = Limits()

    def capacity(self) -> int:
        """Return how many calls run at a time; of `slots`, some may wait where they are to run."""
        return self.slots

    def in_words(self) -> str:
        """Say how many calls run at a time, and where if that is not plain."""
        return f"{self.capacity()} at a time"

    @abstractmethod
    def submit(self, key: str, argument: object, group: str = "", surroundings: str = "") -> None:
        """Start the call now. The caller keeps at most `slots` calls under way.

        Raises:
            ResourceError: the machine has no room for another worker.
        """

    def waiting_groups(self) -> set[str]:
        """Return the groups that a process is kept for which runs nothing now; none where none is ever kept."""
        return set()

    @abstractmethod
    def wait(self, timeout: float | None = None) -> Sequence[Outcome]:
        """Return the calls that have ended, waiting for one for up to `timeout` seconds; empty if none did."""

    def end(self, key: str) -> bool:
        """End a call that is under way now, and return whether that was done: then nothing comes of it.

        Where it cannot be done, the call goes on, and its outcome comes as that of any other.
        """
        return False

    @abstractmethod
    def close(self) -> None:
        """End every worker now; what is under way is dropped."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
