"""Observers of a run's loop for tests: one that shows nothing and notes what tests ask for."""

from __future__ import annotations

from tuner.trial import Record, Trial


class Silent:
    """Notes which trials were known, scored and left out, how many more were planned, and why some came again."""

    def __init__(self) -> None:
        self.known: list[str] = []
        self.scores: list[str] = []
        self.retries: list[str] = []
        self.without: list[str] = []
        self.more = 0

    def begin(self, what: str, total: int | None) -> None: ...

    def proposed(self, trial: Trial, cost: float) -> None: ...

    def started(self, trial: Trial) -> None: ...

    def finished(self, record: Record, known: bool, node: str = "") -> None:
        if known:
            self.known.append(record.trial.id)

    def scored(self, record: Record) -> None:
        self.scores.append(record.trial.id)

    def left_out(self, trial: Trial) -> None:
        self.without.append(trial.id)

    def replanned(self, more: int) -> None:
        self.more += more

    def retried(self, trial: Trial, reason: str) -> None:
        self.retries.append(reason)
