"""Rows of a ledger as values again. A ledger is a file like any other: what is read from it is checked like any other.

Names and hashes become parts of paths, so that they must look like names and hashes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tuner.text import shortened
from tuner.trial import Record, Result, Trial
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


def record_of(fields: Mapping[str, Any]) -> Record:
    """Return the record that a row of `trials` tells of, given by the names of its columns.

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
    return Record(trial, result)


def _must(holds: object, what: str, found: object) -> None:
    if not holds:
        raise ValueError(f"the {what} {shortened(repr(found), 100)}")
