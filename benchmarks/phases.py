"""Part `phases`: where the seconds of `make search` go, from its start to its report."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measuring import report_progress, run_process, table
from benchmarks.sizes import sized
from tuner.ledger.ledger import Ledger
from tuner.trial import Attempt, Record
from tuner.workspace import Workspace

SEARCH = "digits"
#: What is left of the search at the smallest size: two networks of one model, and one of the other.
SMALLEST = {
    "search.ann.space.dense_units": 32,
    "search.ann.space.dropout": 0.0,
    "search.cnn.space.conv_depth": 1,
    "search.cnn.space.filters": 8,
    "search.cnn.space.dense_units": 32,
    "search.cnn.space.dropout": 0.0,
}
OPTIONS = sized(
    (),
    (
        *("--epochs=1", "--train-size=60", "--test-size=30", "--repeats=1"),
        *(f"--set={key}={value}" for key, value in SMALLEST.items()),
    ),
)


@dataclass(frozen=True)
class Training:
    """A trial or a retraining: when it ran, and the seconds of its epochs alone."""

    role: str
    ran: Attempt
    epochs: float

    @classmethod
    def of(cls, record: Record, ran: Attempt) -> Training:
        """Return what a ledger tells of a training."""
        passed = (record.result.seconds_per_epoch or 0.0) * len(record.result.history["loss"])
        return cls(record.trial.role, ran, passed)


def measure() -> dict[str, float]:
    """Run the embedded search in an empty folder as a command, and return its seconds by what they went into."""
    with tempfile.TemporaryDirectory() as made:
        begun = time.time()
        run_process([sys.executable, "-m", "tuner", "run", SEARCH, *OPTIONS], Path(made))
        ended = time.time()
        with Ledger(Workspace(Path(made) / "runs", Path(made) / "reports").ledger) as ledger:
            attempts = ledger.attempts(SEARCH)
            records = [record for _, record in ledger.all_search_trials(SEARCH) if record is not None]
    return seconds_of([Training.of(record, attempts[record.trial.id]) for record in records], begun, ended)


def seconds_of(trainings: Sequence[Training], begun: float, ended: float) -> dict[str, float]:
    """Return the seconds of a run's phases by the clock, and what its workers did in those of training.

    Args:
        trainings: all trials and retrainings.
        begun: when the command began, in seconds since 1970.
        ended: when it ended.
    """
    places = max(one.ran.worker or 1 for one in trainings)
    search, final = (
        (min(one.ran.began for one in mine), max(one.ran.ended for one in mine))
        for mine in ([one for one in trainings if one.role == role] for role in ("search", "final"))
    )
    busy = sum(one.ran.seconds for one in trainings)
    epochs = sum(one.epochs for one in trainings)
    trained = search[1] - search[0] + final[1] - final[0]
    return {
        "until the first trial begins": search[0] - begun,
        "search": search[1] - search[0],
        "between search and retraining": final[0] - search[1],
        "retraining": final[1] - final[0],
        "scores and report": ended - final[1],
        "all": ended - begun,
        "epochs": epochs / places,
        "building, tracing and compiling networks, validation, saving": (busy - epochs) / places,
        "no training in a worker": trained - busy / places,
    }


def section(rounds: int) -> str:
    """Measure in processes of their own and return the section."""
    found: list[dict[str, float]] = []
    for number in range(rounds):
        found.append(measure())
        report_progress(f"phases, round {number + 1}: {found[-1]}")
    medians = {name: statistics.median(one[name] for one in found) for name in found[0]}
    return "\n\n".join(["## Where the seconds of `make search` go", _EXPLAINED, phases_table(medians)])


def phases_table(seconds: Mapping[str, float]) -> str:
    """Return the phases as a table, each with its share of the whole."""
    whole = seconds["all"]
    return table(("what", "seconds", "share"), [[name, f"{s:.1f}", f"{s / whole:.0%}"] for name, s in seconds.items()])


_EXPLAINED = (
    f"The embedded search `{SEARCH}`, as a command in an empty folder, from start to end. The five phases up to "
    "*all* follow each other and add up to it. Below it stands what the workers did in the seconds of search and "
    "retraining, divided by how many they were: the three add up to these two phases."
)
