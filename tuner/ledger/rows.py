"""Rows of a ledger as values again. A ledger is a file like any other: whoever wrote it, it is checked as it is read.

`_TrialRow`, `_SearchTrialRow` and `_SearchRow` say all that a row may hold; whoever reads a `Record` may rely on it. A
row that no run wrote is refused in one line with the trial, the column, and what stands there. Names and hashes become
parts of paths, so that they must look like names and hashes.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NotRequired

from pydantic import AfterValidator, ConfigDict, Field, Json, ValidationError
from typing_extensions import TypedDict

from tuner.objective import objective_of
from tuner.text import shortened
from tuner.trial import BACKENDS, IMPORTED, MOST_EPOCHS, MOST_FOLDS, NEEDED, Attempt, Hash, Record, Result, Trial
from tuner.untrusted.checked_json import adapter_of

#: The columns of a result: plain ones, and those that hold JSON.
PLAIN = (
    "status", "error", "transient", "parameters", "seconds", "seconds_per_epoch", "latency_ms",
    "val_accuracy", "val_loss", "test_accuracy", "test_loss", "best_epoch",
)  # fmt: skip
AS_JSON = ("history", "files", "environment", "layers", "watched", "passed", "folds")
#: The columns that say when and where a trial ran.
ATTEMPT = ("began", "finished", "worker", "node")

#: The curves of a trial of a search: a value for each epoch.
CURVES = ("loss", "accuracy", "val_loss", "val_accuracy")
#: Numbers of 32 bits, which networks compute with, are no larger; sums of them stay finite.
_LARGEST = 4e38
#: The years in which a clock may have stood: at the ends of the calendar nothing can be added or taken away.
_YEARS = range(1970, 2200)
_SHOWN = 60


def _with_its_backend(notes: dict[str, Any]) -> dict[str, Any]:
    """See that what a worker notes of its hardware says by which backend it was used."""
    backend = notes.get("backend", "" if "device" in notes else BACKENDS[0])
    if not isinstance(backend, str) or backend.partition(" ")[0] not in BACKENDS:
        raise ValueError(f"the backend is one of {', '.join(BACKENDS)}")
    return notes


def _moment(text: str) -> str:
    moment_of(text)
    return text


Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Number = Annotated[float, Field(ge=-_LARGEST, le=_LARGEST, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, lt=1 << 53)]
Moment = Annotated[str, AfterValidator(_moment)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Curve = Annotated[list[Number], Field(min_length=1, max_length=MOST_EPOCHS)]
#: Versions and hardware, as a worker notes them.
Environment = Annotated[dict[str, bool | int | Number | str | list[str] | None], AfterValidator(_with_its_backend)]
#: The name of a `[[search]]`.
ModelName = Annotated[str, Field(pattern=r"^\w[\w-]{0,99}$")]
#: The values of a configuration, by the names of parameters.
GivenValues = Annotated[
    dict[Annotated[str, Field(max_length=200)], bool | int | float | Annotated[str, Field(max_length=10_000)]],
    Field(max_length=10_000),
]
_STRICT = ConfigDict(strict=True, extra="forbid")


class _Histogram(TypedDict):
    """The values of a kernel, as `tuner.worker.watch` counts them; without bins where none is finite."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    low: Number
    high: Number
    counts: Annotated[list[Count], Field(max_length=10_000)]


class _Watched(TypedDict):
    """What was noted of a layer before the first epoch and after each. A gradient that overflows is infinite."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    gradient_norm: Annotated[list[float], Field(min_length=1, max_length=MOST_EPOCHS + 1)]
    kernel: Annotated[list[_Histogram], Field(min_length=1, max_length=MOST_EPOCHS + 1)]


class _Layer(TypedDict):
    """A layer, as `tuner.worker.model_summary` describes it; earlier versions said less."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    name: str
    kind: str
    shape: Annotated[list[Count | None], Field(max_length=10)]
    parameters: NotRequired[Count]
    formula: NotRequired[Annotated[str, Field(max_length=1_000)]]
    activation: NotRequired[str]
    inputs: NotRequired[list[str]]


class _Passed(TypedDict, total=False):
    """The limit at which a trial was ended, by its name in `Limits`."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    minutes: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    gigabytes: Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _TrialRow(TypedDict):
    """A row of `trials`."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    trial: Hash
    content: Json[Trial]
    status: Literal["completed", "failed"]
    error: str
    transient: Literal[0, 1]
    parameters: Count | None
    seconds: Seconds
    seconds_per_epoch: Seconds | None
    latency_ms: Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)] | None
    val_accuracy: Share | None
    val_loss: Number | None
    test_accuracy: Share | None
    test_loss: Number | None
    best_epoch: Annotated[int, Field(ge=1, le=MOST_EPOCHS)] | None
    history: Json[dict[str, Curve]]
    files: Json[dict[str, Sha256]]
    environment: Json[Environment]
    layers: Json[Annotated[list[_Layer], Field(max_length=5_000)]]
    watched: Json[Annotated[dict[str, _Watched], Field(max_length=1_000)]]
    passed: Json[_Passed]
    folds: Json[Annotated[list[dict[str, Number]], Field(max_length=MOST_FOLDS)]]


class _AttemptRow(TypedDict):
    """The columns of `trials` that say when and where a trial ran; earlier versions knew the end alone."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    trial: Hash
    seconds: Seconds
    began: Moment | None
    finished: Moment
    worker: Annotated[int, Field(ge=1, le=1_000_000)] | None
    node: str


class _SearchTrialRow(TypedDict):
    """A row of the table `members`."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    model: ModelName
    dataset: str
    role: Literal["search", "final"]
    number: Annotated[int, Field(ge=0, lt=1 << 53)]
    trial: Hash


class _SearchRow(TypedDict):
    """A row of `searches`, whose content `tuner.search_file.file` checks."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    name: str
    key: str
    content: str
    started: Moment
    finished: Moment | None


class RowError(ValueError):
    """A row that no run wrote: its message says where, and what stands there."""


@dataclass(frozen=True)
class SearchTrial:
    """A trial as a search lists it: of which model, on which data set, searched or retrained (`role`), which in order.

    The ledger keeps it in the table `members`; two of one content have the same `trial`.
    """

    model: str
    dataset: str
    role: str
    number: int
    trial: str


def search_trial_of(row: Sequence[Any]) -> SearchTrial:
    """Return what a row of the table `members` holds: model, data set, role, number, trial.

    Raises:
        RowError: it is none that a search wrote.
    """
    fields = dict(zip(_SearchTrialRow.__annotations__, row, strict=True))
    return SearchTrial(
        **checked(_SearchTrialRow, f"the listed trial of number {shortened(repr(fields['number']), _SHOWN)}", fields)
    )


def record_of(trial_id: str, fields: Mapping[str, Any]) -> Record:
    """Return the record that a row of `trials` tells of, given by its trial and the names of its columns.

    Raises:
        RowError: it is none that a run wrote.
    """
    place = _place(trial_id)
    row = checked(_TrialRow, place, {"trial": trial_id, **fields})
    trial: Trial = row.pop("content")
    del row["trial"]
    result = Result(**{**row, "transient": bool(row["transient"])})
    if trial.id != trial_id:
        raise RowError(f"{place} has the content of another trial, {trial.id}")
    _check_whole(place, trial, result)
    return Record(trial, result)


def _check_whole(place: str, trial: Trial, result: Result) -> None:
    """See that the columns of a row fit each other.

    Raises:
        RowError: they do not.
    """
    lengths = {name: len(curve) for name, curve in result.history.items()}
    _must(len(set(lengths.values())) <= 1, place, "history", lengths, "curves of one length")
    epochs = next(iter(lengths.values()), 0)
    _must(epochs <= trial.last_epoch, place, "history", epochs, f"at most {trial.last_epoch} epochs")
    for layer, notes in result.watched.items():
        noted = [len(notes["gradient_norm"]), len(notes["kernel"])]
        _must(noted[0] == noted[1], place, f"watched.{shortened(layer, _SHOWN)}", noted, "as many norms as kernels")
        for kernel in notes["kernel"]:
            _must(kernel["low"] <= kernel["high"], place, "watched", kernel["low"], "no more than its high")
    if result.status == "failed":
        return
    _must(trial.fold <= trial.folds, place, "content.fold", trial.fold, f"at most {trial.folds}")
    folds = len(trial.parts)
    _must(len(result.folds) == folds, place, "folds", len(result.folds), f"the scores of {folds} folds")
    best = result.best_epoch
    _must(best is None or best <= trial.last_epoch, place, "best_epoch", best, f"at most {trial.last_epoch}")
    if trial.role == "search" and IMPORTED in result.environment:  # of which not everything is known
        _must(result.val_accuracy is not None, place, "val_accuracy", None, "a number, of a completed trial")
        return
    _must(result.parameters is not None, place, "parameters", None, "a number, of a completed trial")
    if trial.role == "search":
        for name in ("val_accuracy", "val_loss"):
            _must(getattr(result, name) is not None, place, name, None, "a number, of a completed trial")
        curves = dict.fromkeys((*CURVES, objective_of(trial.objective).column))
        _must(curves.keys() <= lengths.keys(), place, "history", sorted(lengths), f"the curves {', '.join(curves)}")
        for fold in result.folds:
            scores = {name for name in curves if name.startswith("val_")}
            _must(scores <= fold.keys(), place, "folds", sorted(fold), f"the scores {', '.join(sorted(scores))}")
    else:
        for name in ("test_accuracy", "test_loss"):
            _must(getattr(result, name) is not None, place, name, None, "a number, of a completed retraining")
        _must(set(NEEDED) <= result.files.keys(), place, "files", sorted(result.files), f"the files {NEEDED}")


def attempt_of(trial_id: str, row: Sequence[Any]) -> Attempt:
    """Return when and where a trial ran, told by `seconds` and the columns `ATTEMPT`.

    A ledger of an earlier version holds neither the beginning nor the worker.

    Raises:
        RowError: no run wrote this.
    """
    fields = dict(zip(("seconds", *ATTEMPT), row, strict=True))
    found = checked(_AttemptRow, _place(trial_id), {"trial": trial_id, **fields})
    ended = moment_of(found["finished"])
    began = ended - found["seconds"] if found["began"] is None else moment_of(found["began"])
    _must(began <= ended, _place(trial_id), "began", found["began"], "before it finished")
    return Attempt(began, ended, found["worker"], found["node"])


def search_of(name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of `searches` of this name, by its columns.

    Raises:
        RowError: it is none that a run wrote.
    """
    return checked(_SearchRow, f"the search {shortened(repr(name), _SHOWN)}", {"name": name, **fields})


def utc(moment: float) -> str:
    """Return seconds since 1970 as tables show them: UTC, ISO 8601, to the millisecond."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def moment_of(text: str) -> float:
    """Return the seconds since 1970 of what `utc` wrote.

    Raises:
        ValueError: it did not write this.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or moment.year not in _YEARS:
        raise ValueError(f"no time in UTC from {_YEARS[0]} to {_YEARS[-1]}")
    return moment.timestamp()


def _place(trial_id: object) -> str:
    return f"trial {trial_id if isinstance(trial_id, str) and len(trial_id) <= _SHOWN else repr(trial_id)[:_SHOWN]}"


def checked(kind: Hashable, place: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a row, whose `kind` says what they may hold, as values.

    Raises:
        RowError: it is none that a run wrote.
    """
    try:
        found: dict[str, Any] = adapter_of(kind).validate_python(fields, strict=True)
        return found
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(shortened(str(part), _SHOWN) for part in first["loc"])
        what = "nothing" if first["type"] == "missing" else shortened(_shown(first["input"]), _SHOWN)
        raise RowError(f"{place}, {where}: {what}: {first['msg']}") from error


def _shown(value: object) -> str:
    try:
        return repr(value)
    except (ValueError, RecursionError):  # of thousands of digits, or thousands of lists in lists
        return f"a very large {type(value).__name__}"


def _must(holds: object, place: str, column: str, found: object, wanted: str) -> None:
    if not holds:
        raise RowError(f"{place}, {column}: {shortened(_shown(found), _SHOWN)}: a run writes {wanted}")
