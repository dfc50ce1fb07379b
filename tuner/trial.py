"""A trial, named by its canonical content; and what came of it."""

from __future__ import annotations

import hashlib
import json
import math
import statistics
import time
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from tuner.objective import Objective, OwnObjective, objective_of
from tuner.untrusted.checked_json import parsed

#: Keras' backends that trials are trained with.
BACKENDS = ("tensorflow", "jax")
#: What a fingerprint and a trial's name look like.
Hash = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
#: No training is longer.
MOST_EPOCHS = 1_000_000
#: Nobody divides images into more folds.
MOST_FOLDS = 100
#: The longest text that is a value of a parameter.
LONGEST_TEXT = 10_000
#: A number of epochs, of images, a seed, a value of a parameter, each as far as a search file lets it reach.
Epochs = Annotated[int, Field(ge=1, le=MOST_EPOCHS)]
Size = Annotated[int, Field(ge=1, lt=1 << 53)]
Seed = Annotated[int, Field(ge=0, lt=1 << 32)]
Held = (
    bool
    | Annotated[int, Field(gt=-(1 << 63), lt=1 << 63)]
    | Annotated[float, Field(allow_inf_nan=False)]
    | Annotated[str, Field(max_length=LONGEST_TEXT)]
)


def _known_objective(code: str) -> str:
    objective_of(code)
    return code


Protocol = Literal["holdout", "published"]
Role = Literal["search", "final"]
#: Which retraining is saved: the first, that of the median test accuracy, or the best on images that all hold out.
Save = Literal["first", "median", "best on validation"]
#: What stands in the place of a family for an ensemble of retrainings; see `tuner.analysis.ensemble`.
ENSEMBLE = "ensemble"
#: What names, in the environment of a result, the tool whose trial it is; ours have none.
IMPORTED = "imported"
#: What stands for the first layer with a kernel among the layers that are watched.
FIRST_LAYER = "first"
#: What stands for every layer with a kernel that learns.
EVERY_LAYER = "every"
#: What stands for layers whose names nobody needs to know.
LAYER_WORDS = frozenset((FIRST_LAYER, EVERY_LAYER))
#: Numbers that a compiled training step takes as inputs, so that trials which differ in nothing else share one.
RUNTIME_SCALARS = ("dropout", "conv_dropout", "dense_dropout", "l2", "learning_rate", "head_learning_rate")
#: What says weights of classes, which are an input of the step where there are any; "none" for none.
CLASS_WEIGHT = "class_weight"


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
    `tuner.space.parameters.Parameter`. `callbacks` are those of the user's own, by their path and hash; empty for none.

    `folds` is into how many folds the training images are divided for a search trial that is cross-validated, 0 for
    one that holds out a share. Such a trial is no training itself: its `parts` are, a trial for each `fold`, counted
    from 1, which is validated on that fold and trained on the others.
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
    folds: Annotated[int, Field(ge=0, le=MOST_FOLDS)] = 0
    fold: Annotated[int, Field(ge=0, le=MOST_FOLDS)] = 0
    callbacks: Annotated[str, Field(max_length=1_000)] = ""
    #: Of what is read back: an unknown field would be no part of the hash.
    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012  # not a field

    @cached_property
    def id(self) -> str:
        """A hash of the content. The data set counts by its fingerprint, not by its name.

        A field that cannot matter does not count: the test set's size where the test set is not looked at, the
        validation share where no share is held out, what is watched where nothing is, a value that is idle.
        """
        content = {name: getattr(self, name) for name in self.__dataclass_fields__}
        del content["dataset"], content["idle"]
        if self.idle:
            content["values"] = {name: value for name, value in self.values.items() if name not in self.idle}
        for name in ("stop_after", "watch", "hold_out", "objective", "folds", "fold", "callbacks"):
            if not content[name]:
                del content[name]
        if self.role == "search" and self.protocol == "holdout":
            del content["test_size"]
        if self.role != "search" or self.protocol != "holdout" or self.folds:
            del content["validation"]
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @cached_property
    def parts(self) -> tuple[Trial, ...]:
        """The trainings that a cross-validated trial consists of, one for each fold; none of any other trial."""
        if not self.folds or self.fold:
            return ()
        return tuple(replace(self, fold=number) for number in range(1, self.folds + 1))

    @cached_property
    def compile_group(self) -> str:
        """A hash of what trials have in common that can share a compiled step.

        That is all but their seed, their runtime scalars, the numbers of their class weights, and the epoch at which
        they end.
        """
        structure = {name: value for name, value in self.values.items() if name not in RUNTIME_SCALARS}
        if structure.get(CLASS_WEIGHT, "none") != "none":
            structure[CLASS_WEIGHT] = ""
        return replace(self, values=structure, seed=0, stop_after=None).id

    @property
    def surroundings(self) -> str:
        """What a process is set to where the trial is trained: others of the same surroundings may follow it there.

        Empty where the trial runs code of a user's own, which may leave anything in its process.
        """
        own = self.source or self.callbacks or isinstance(objective_of(self.objective), OwnObjective)
        return "" if own else f"{self.backend}, {self.threads} threads"

    @cached_property
    def whole(self) -> str:
        """The name of the same trial trained to its last epoch: trials that differ in where they end share it."""
        return replace(self, stop_after=None).id

    @cached_property
    def course(self) -> str:
        """A hash of what decides how a training goes, epoch by epoch: all but where it ends.

        How many epochs it has counts where something may depend on that.
        """
        return self.whole if self.spans_epochs else replace(self, stop_after=None, epochs=1).id

    @property
    def spans_epochs(self) -> bool:
        """Whether an epoch may depend on how many there are: by a changing learning rate, or the user's own code."""
        return self.values.get("schedule", "constant") != "constant" or bool(self.source or self.callbacks)

    @property
    def is_partial(self) -> bool:
        """Whether it is a search trial that ends before its last epoch, as one that is pruned there does."""
        return self.role == "search" and self.stop_after is not None

    @property
    def last_epoch(self) -> int:
        """The epoch at which a training ends if nothing stops it before."""
        return self.stop_after or self.epochs

    @property
    def given_epochs(self) -> int:
        """How many epochs a search gave it: those to which it was trained, where it was pruned."""
        return self.last_epoch if self.is_partial else self.epochs

    def as_final(self, seed: int, stop_after: int | None = None, hold_out: float = 0.0, watched: bool = False) -> Trial:
        """Return the retraining of this configuration with another seed, to be scored on the test set.

        No validation images stop it: `stop_after` is the epoch that was best in the search. Only where it holds images
        out, its objective is asked for; only where it is `watched`, its layers are.
        """
        objective = self.objective if hold_out else ""
        return replace(
            self,
            role="final",
            seed=seed,
            stop_after=stop_after,
            watch=self.watch if watched else (),
            hold_out=hold_out,
            objective=objective,
            folds=0,
            fold=0,
        )

    def to_json(self) -> str:
        """Return the trial as JSON, for the ledger."""
        content = asdict(self)
        for name in ("idle", "folds", "fold", "callbacks"):
            if not content[name]:
                del content[name]  # so that a trial without is written as it always was
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

    `files` are those in the folder of the modules that a user's network reads. `goes_on` says whether another trial of
    the search may go on from where this one ends. `members` are the saved models that an ensemble is made of, each with
    its weight.
    """

    trial: Trial
    data: Path
    artifacts: Path
    modules: Path = Path()
    files: tuple[str, ...] = ()
    goes_on: bool = False
    members: tuple[tuple[Path, int], ...] = ()


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

    Of a cross-validated trial the scores are means over its folds, `history` is their mean curves, each epoch of the
    folds that reached it, `best_epoch` their median and `seconds` their sum. `folds` then holds of each fold what it
    scored at its own best epoch, by the names of the curves on validation images.
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
    folds: list[dict[str, float]] = field(default_factory=list)

    def validated(self, column: str) -> float | None:
        """Return what a trial scored on its validation images by a curve's name, at the epoch that counts.

        Of a cross-validated trial that is the mean over its folds, each at its own epoch; None where none is recorded.
        """
        if self.folds:
            scores = [fold[column] for fold in self.folds if column in fold]
            return statistics.fmean(scores) if len(scores) == len(self.folds) else None
        curve = self.history.get(column)
        return curve[: self.best_epoch][-1] if curve else None


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
    def fold_scores(self) -> tuple[float, ...]:
        """What each fold of a cross-validated trial scored by its objective; empty where it is none."""
        column = self.objective.column
        return tuple(fold[column] for fold in self.result.folds if column in fold)

    @property
    def standard_error(self) -> float | None:
        """The standard error of the score of a cross-validated trial: s / √k over its k folds; None for any other.

        Folds share most of their training images, so that it is only about right (Bengio and Grandvalet, 2004).
        """
        scores = self.fold_scores
        return statistics.stdev(scores) / math.sqrt(len(scores)) if len(scores) > 1 else None

    @property
    def gain(self) -> float:
        """A number that is higher the better its score is; the lowest of all where it has none."""
        return self.objective.gain_of(self.result)


def artifact_path(folder: Path, trial: str, sha256: str, suffix: str) -> Path:
    """Return where a trial's file with this hash lies, by its ending, one of `ARTIFACTS`."""
    return folder / f"{trial}-{sha256[:8]}{suffix}"
