"""Rows of a ledger as values again. A ledger is a file like any other: what is read from it is checked like any other.

Names and hashes become parts of paths, so that they must look like names and hashes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tuner.text import shortened
from tuner.trial import Attempt, Record, Result, Trial
from tuner.untrusted.checked_json import parsed

#: The columns of a result: plain ones, and those that hold JSON.
PLAIN = (
    "status", "error", "transient", "parameters", "seconds", "seconds_per_epoch", "latency_ms",
    "val_accuracy", "val_loss", "test_accuracy", "test_loss", "best_epoch",
)  # fmt: skip
AS_JSON = ("history", "files", "environment", "layers", "watched", "passed")

_HASH, _SHA256 = re.compile(r"[0-9a-f]{16}"), re.compile(r"[0-9a-f]{64}")
_MODEL = re.compile(r"\w[\w-]{0,99}")


@dataclass(frozen=True)
class Member:
    """A trial's place in a search."""

    model: str
    dataset: str
    role: str
    number: int
    trial: str


def member_of(row: tuple[Any, ...]) -> Member:
    """Return the place that a row of `members` tells of.

    Raises:
        ValueError: it is none that a search wrote.
    """
    model, dataset, role, number, trial = row
    _must(isinstance(model, str) and _MODEL.fullmatch(model), "model", model)
    _must(isinstance(dataset, str), "data set", dataset)
    _must(role in ("search", "final"), "role", role)
    _must(isinstance(number, int), "number", number)
    _must(isinstance(trial, str) and _HASH.fullmatch(trial), "trial", trial)
    return Member(model, dataset, role, number, trial)


def record_of(trial_id: str, fields: Mapping[str, Any]) -> Record:
    """Return the record that a row of `trials` tells of, given by its trial and the names of its columns.

    Raises:
        ValueError: it is none that a run wrote.
    """
    trial = Trial.from_json(str(fields["content"]))
    plain = {name: fields[name] for name in PLAIN} | {"transient": bool(fields["transient"])}
    parts = [json.dumps(plain, default=repr)[:-1], *(f'"{name}": {fields[name]}' for name in AS_JSON)]
    result = parsed(Result, ", ".join(parts) + "}")
    _must(_HASH.fullmatch(trial.fingerprint), "fingerprint", trial.fingerprint)
    for kind, sha256 in result.files.items():
        _must(_SHA256.fullmatch(sha256), f"SHA-256 of {kind!r},", sha256)
    _must(trial.id == trial_id, "content of another trial under", trial_id)
    return Record(trial, result)


def attempt_of(row: Sequence[Any]) -> Attempt:
    """Return when and where a trial ran, told by the columns `began`, `finished`, `seconds`, `worker` and `node`.

    A ledger of an earlier version holds neither the beginning nor the worker.

    Raises:
        ValueError: no run wrote this.
    """
    began, finished, seconds, worker, node = row
    ended = moment_of(finished)
    _must(worker is None or isinstance(worker, int), "worker", worker)
    _must(isinstance(node, str), "node", node)
    return Attempt(ended - float(seconds) if began is None else moment_of(began), ended, worker, node)


def utc(moment: float) -> str:
    """Return seconds since 1970 as tables show them: UTC, ISO 8601, to the millisecond."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def moment_of(text: object) -> float:
    """Return the seconds since 1970 of what `utc` wrote.

    Raises:
        ValueError: it did not write this.
    """
    _must(isinstance(text, str), "time", text)
    return datetime.fromisoformat(str(text)).timestamp()


def _must(holds: object, what: str, found: object) -> None:
    if not holds:
        raise ValueError(f"the {what} {shortened(repr(found), 100)}")
