"""A trial, named by its canonical content; and what came of it."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from tuner.objective import Objective, objective_of
from tuner.untrusted.checked_json import parsed

#: Keras' backends that trials are trained with.
BACKENDS = ("tensorflow", "jax")
#: What a fingerprint and a trial's name look like.
Hash = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
#: No training is longer.
MOST_EPOCHS = 1_000_000
#: A number of epochs, of images, a seed, a value of a parameter, each as far as a search file lets it reach.
Epochs = Annotated[int, Field(ge=1, le=MOST_EPOCHS)]
Size = Annotated[int, Field(ge=1, lt=1 << 53)]
Seed = Annotated[int, Field(ge=0, lt=1 << 32)]
Held = (
    bool
    | Annotated[int, Field(gt=-(1 << 63), lt=1 << 63)]
    | Annotated[float, Field(allow_inf_nan=False)]
    | Annotated[str, Field(max_length=10_000)]
)


def _known_objective(code: str) -> str:
    objective_of(code)
    return code


Protocol = Literal["holdout", "published"]
Role = Literal["search", "final"]
#: Which retraining is saved: the first, that of the median test accuracy, or the best on images that all hold out.
Save = Literal["first", "median", "best on validation"]
#: What names, in the environment of a result, the tool whose trial it is; ours have none.
IMPORTED = "imported"
#: What stands for the first layer with a kernel among the layers that are watched.
FIRST_LAYER = "first"
#: Numbers that a compiled training step takes as inputs, so that trials which differ in nothing else share one.
RUNTIME_SCALARS = ("dropout", "conv_dropout", "dense_dropout", "l2", "learning_rate")


#: The files that a trial leaves, by their kinds in `Result.files`, with their endings: a final trial its model and its
#: predictions for the test set, a search trial its predictions for the validation images.
ARTIFACTS = {"model": ".keras", "predictions": ".npz", "validation": ".validation.npz"}
#: The kinds without which a trial is no use: where such a file is lost, the trial is trained again.
NEEDED = ("model", "predictions")


@dataclass(frozen=True)
class Trial:
    """One training, whole: whoever trains it needs nothing else but the data.

    `role` is "search" for a trial that is chosen among, scored on validation images, and "final" for a chosen
    configuration trained on all training images and scored on the test set. `stop_after` ends a training before
    its last epoch, on a schedule that spans all `epochs`. `watch` names layers whose kernels and gradients are
    recorded; see `tuner.worker.watch`. `hold_out` is the share of the training images that a final trial does not fit,
    so that its retrainings can be told apart by them; 0 for none. `objective` is what it is chosen by, as
    `Objective.code` says it; empty for accuracy. `idle` names values at which a newer parameter changes nothing; see
    `tuner.space.parameters.Parameter`.
    """

    family: str
    dataset: str
    fingerprint: Hash
    values: dict[str, Held]
    epochs: Epochs
    seed: Seed
    protocol: Protocol = "holdout"
    role: Role = "search"
    validation: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)] = 0.2
    split_seed: Seed = 0
    train_size: Size | None = None
    test_size: Size | None = None
    threads: Annotated[int, Field(ge=1, le=1024)] = 1
    backend: str = "tensorflow"
    source: str = ""
    stop_after: Epochs | None = None
    watch: Annotated[tuple[str, ...], Field(max_length=1_000)] = ()
    hold_out: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] = 0.0
    objective: Annotated[str, AfterValidator(_known_objective)] = ""
    idle: Annotated[tuple[str, ...], Field(max_length=1_000)] = ()
    #: Of what is read back: an unknown field would be no part of the hash.
    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012  # not a field

    @cached_property
    def id(self) -> str:
        """A hash of the content. The data set counts by its fingerprint, not by its name.

        A field that cannot matter does not count: the test set's size where the test set is not looked at, the
        validation share where nothing is held out, what is watched where nothing is, a value that is idle.
        """
        content = {name: getattr(self, name) for name in self.__dataclass_fields__}
        del content["dataset"], content["idle"]
        if self.idle:
            content["values"] = {name: value for name, value in self.values.items() if name not in self.idle}
        for name in ("stop_after", "watch", "hold_out", "objective"):
            if not content[name]:
                del content[name]
        if self.role == "search" and self.protocol == "holdout":
            del content["test_size"]
        else:
            del content["validation"]
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @cached_property
    def compile_group(self) -> str:
        """A hash of what trials have in common that can share a compiled step: all but seed and runtime scalars."""
        structure = {name: value for name, value in self.values.items() if name not in RUNTIME_SCALARS}
        return replace(self, values=structure, seed=0).id

    @property
    def last_epoch(self) -> int:
        """The epoch at which a training ends if nothing stops it before."""
        return self.stop_after or self.epochs

    def as_final(self, seed: int, stop_after: int | None = None, hold_out: float = 0.0) -> Trial:
        """Return the retraining of this configuration with another seed, to be scored on the test set.

        No validation images stop it: `stop_after` is the epoch that was best in the search. Only where it holds images
        out, its objective is asked for.
        """
        objective = self.objective if hold_out else ""
        return replace(
            self, role="final", seed=seed, stop_after=stop_after, watch=(), hold_out=hold_out, objective=objective
        )

    def to_json(self) -> str:
        """Return the trial as JSON, for the ledger."""
        content = asdict(self)
        if not self.idle:
            del content["idle"]  # so that a trial without is written as it always was
        return json.dumps(content, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Trial:
        """Return the trial that `to_json` wrote.

        Raises:
            ValueError: it did not write this.
        """
        return parsed(cls, text)


@dataclass(frozen=True)
class Job:
    """A trial and where its worker finds the data, the user's modules, and a place for what it leaves.

    `files` are those in the folder of the modules that a user's network reads.
    """

    trial: Trial
    data: Path
    artifacts: Path
    modules: Path = Path()
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """What came of a trial.

    `transient` marks a failure that is the machine's and not the trial's, such as lacking memory: the next run tries
    it again. `history` holds one list per metric, a value per epoch. `files` maps each saved file's kind, one of
    `ARTIFACTS`, to its SHA-256. `seconds_per_epoch` is the median without the first epoch, which compiles.
    `best_epoch`, counted from 1, is the epoch that early stopping chose; None without it. `layers` describes
    the network, a dict per layer (`tuner.worker.model_summary`), of final trials. `watched` holds what was recorded of
    watched layers (`tuner.worker.watch`). `passed` holds the limit at which a trial was ended, by its name in `Limits`:
    a run that allows more tries it again.
    """

    status: Literal["completed", "failed"]
    error: str = ""
    transient: bool = False
    parameters: int | None = None
    seconds: float = 0.0
    seconds_per_epoch: float | None = None
    latency_ms: float | None = None
    val_accuracy: float | None = None
    val_loss: float | None = None
    test_accuracy: float | None = None
    test_loss: float | None = None
    best_epoch: int | None = None
    history: dict[str, list[float]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    layers: list[dict[str, Any]] = field(default_factory=list)
    watched: dict[str, Any] = field(default_factory=dict)
    passed: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Attempt:
    """When and where a trial got its result: of several attempts, the last.

    `began` and `ended` are seconds since 1970, UTC, by the clock of the main process. `worker`, counted from 1, is one
    of the places that a machine trains in, None where nobody knows; `node` names the machine where there are several.
    """

    began: float
    ended: float
    worker: int | None = None
    node: str = ""

    @classmethod
    def of(cls, seconds: float, worker: int | None = None, node: str = "") -> Attempt:
        """Return an attempt that has just ended after so many seconds."""
        now = time.time()
        return cls(now - seconds, now, worker, node)

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.began


@dataclass(frozen=True)
class Record:
    """A trial with its result, as the ledger holds it."""

    trial: Trial
    result: Result

    @property
    def completed(self) -> bool:
        """Whether the trial ended with a score."""
        return self.result.status == "completed"

    @property
    def imported(self) -> str:
        """The tool that the trial was imported from; empty for one of ours."""
        return str(self.result.environment.get(IMPORTED, ""))

    @property
    def objective(self) -> Objective:
        """What the trial is chosen by."""
        return objective_of(self.trial.objective)

    @property
    def score(self) -> float | None:
        """What it scored on its validation images by its objective; None where it has none."""
        return self.objective.of(self.result)

    @property
    def gain(self) -> float:
        """A number that is higher the better its score is; the lowest of all where it has none."""
        return self.objective.gain_of(self.result)


def artifact_path(folder: Path, trial: str, sha256: str, suffix: str) -> Path:
    """Return where a trial's file with this hash lies, by its ending, one of `ARTIFACTS`."""
    return folder / f"{trial}-{sha256[:8]}{suffix}"
