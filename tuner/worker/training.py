"""Training of a trial, in a worker. Importing this imports Keras, and runs nothing."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tuner.analysis.validation_predictions import packed
from tuner.datasets.base import Dataset
from tuner.datasets.store import load_from_store
from tuner.errors import InputError, LostError, ResourceError, TrialError, TunerError, one_line, resource_error_of
from tuner.families import get_family
from tuner.families.base import Family
from tuner.families.custom import CustomFamily
from tuner.families.own_network import OwnNetwork, take_over
from tuner.objective import Objective, OwnObjective, objective_of
from tuner.objective.log_loss import cross_entropy
from tuner.protocol import test_images, training_images
from tuner.recipe import Stopping, augmenter, class_weights, use_precision
from tuner.system.files import partial_of, publish
from tuner.trial import ARTIFACTS, Job, Result, Trial, artifact_path
from tuner.untrusted.sizes import sha256_of
from tuner.worker.built import compile_built, trained_with
from tuner.worker.engines import Epoch, Plan, Samples, engine_for, own_fit
from tuner.worker.engines.base import EVALUATION_BATCH
from tuner.worker.model_files import make_reproducible
from tuner.worker.model_summary import describe, first_layer_view
from tuner.worker.surroundings import environment, set_up_process
from tuner.worker.watch import Watcher


def train(job: Job) -> Result | ResourceError:
    """Train a trial and return its result; whatever is wrong with the trial itself becomes a failed result.

    A final trial leaves two files in `job.artifacts`, each written whole or not at all: the model without its
    optimizer, `.keras`, and `.npz` with `probabilities`, `(n, classes)`, and `labels`, `(n,)`, and with what the first
    convolution sees (`tuner.worker.model_summary.first_layer_view`). A search trial leaves its answers to the
    validation images (`tuner.analysis.validation_predictions`).

    What every trial will lack, such as room on the disk, is returned as an error and belongs to no trial.
    """
    begun = time.perf_counter()
    transient = False
    try:
        return _train(job, begun)
    except TrialError as error:
        reason = str(error)
    except SystemExit as error:
        reason = f"the network's own code called sys.exit({error.code!r})"
    except Exception as error:  # noqa: BLE001  # a network or backend may raise anything
        lacks = resource_error_of(error, str(job.artifacts), own=(job.data, job.artifacts))
        if lacks is not None:
            return lacks
        transient = isinstance(error, MemoryError | OSError)
        reason = str(error) if isinstance(error, TunerError) else one_line(error)
        if _is_out_of_memory(error):
            reason, transient = "out of memory; use a smaller network or batch_size, or fewer workers", True
    spent = time.perf_counter() - begun
    return Result("failed", reason, transient=transient, seconds=spent, environment=environment(job.trial))


def _train(job: Job, begun: float) -> Result:
    trial = job.trial
    set_up_process(trial.threads, job.artifacts.parent / "compiled")
    objective = _objective_of(job)  # before the family, which may come of the same module
    family = _family_of(job)
    own = isinstance(family, CustomFamily)
    _seed(trial.seed, everything=own)
    data, training, validation = _materials(job)
    use_precision(trial.values)
    built = _build(family, trial, data)
    parameters = built.model.count_params()
    compile_built(built, trial.values, trial.epochs, len(training.labels))
    watcher = Watcher(built.trained, trial.watch, training) if trial.watch else None
    off = validation is None or trial.role == "final"
    stopping = Stopping({"early_stopping": "off"} if off else trial.values, objective)
    epochs = _Epochs(objective, validation, data.class_names, stopping, watcher, built.softmax)
    if built.trains_itself:
        engine = own_fit.NAME
        fitted = own_fit.fit(built, training, validation, trial.values, trial.last_epoch, epochs.take)
        epochs.end(fitted.kept)
        if validation is not None:
            epochs.add_returned(own_fit.score_of(fitted.returned, objective))
    else:
        engine = _run_engine(built.trained, training, validation, _plan(trial, data, training), epochs)
    found: dict[str, Any] = {}
    if trial.role == "final":
        _seed(trial.seed, everything=own)  # what is saved is the same, whatever this process has trained before
        use_precision({"precision": "float32"})
        clean = _build(family, trial, data).to_save()  # so that the file holds no optimizer
        take_over(clean, built.trained)
        clean.run_eagerly = built.trained.run_eagerly  # of a layer that takes no other
        scores, files = _score(job, clean, data)
        layers: list[dict[str, Any]] = []
        with contextlib.suppress(Exception):  # a user's network may be anything; it goes without rather than be lost
            layers = describe(clean)
        found = {**scores, "files": files, "latency_ms": _latency_ms(clean, data), "layers": layers}
    if validation is not None:
        kept = epochs.best_epoch or len(epochs.seconds)
        found |= {name: epochs.curves[name][kept - 1] for name in ("val_accuracy", "val_loss")}
        if trial.role == "search":
            found["files"] = _keep_answers(job, epochs.answers)
    told: dict[str, Any] = {}
    if own:
        told = {"scaling": built.scaling, "compiled": trained_with(built, trial.values), "files": list(job.files)}
    return Result(
        "completed",
        parameters=int(parameters),
        seconds=time.perf_counter() - begun,
        seconds_per_epoch=float(np.median(epochs.seconds[1:] or epochs.seconds)),  # the first compiles
        best_epoch=epochs.best_epoch,
        history=epochs.curves,
        environment={**environment(trial), "engine": engine, **{name: what for name, what in told.items() if what}},
        watched=watcher.notes if watcher else {},
        **found,
    )


def _plan(trial: Trial, data: Dataset, training: Samples) -> Plan:
    return Plan(
        trial.last_epoch,
        int(trial.values["batch_size"]),
        trial.seed,
        augmenter(trial.values, data.shape, trial.seed),
        class_weights(trial.values, training.labels, len(data.class_names)),
        balanced=trial.values.get("sampling") == "balanced",
    )


def _run_engine(
    network: keras.Model, training: Samples, validation: Samples | None, plan: Plan, epochs: _Epochs
) -> str:
    """Train a compiled network by the fastest engine for it, and return which that is."""
    engine = engine_for(network)
    for metrics in engine.fit(network, training, validation, plan):
        if epochs.take(metrics):
            break
    epochs.end()
    return engine.name


def _objective_of(job: Job) -> Objective:
    """Return what a trial is chosen by. The run has tried a user's own: what is wrong now was changed meanwhile."""
    objective = objective_of(job.trial.objective)
    if not isinstance(objective, OwnObjective):
        return objective
    try:
        (own := objective.located(job.modules)).loaded()
    except InputError as error:
        raise LostError(error.place, error.problem, error.remedy or "put back what the search began with") from error
    return own


def _family_of(job: Job) -> Family:
    """Return a trial's family. The run has found it before: what is wrong now has gone, or was changed, meanwhile."""
    try:
        family = get_family(job.trial.family, job.modules, job.files)
        if isinstance(family, CustomFamily):
            family.forget_modules()
            family.own_files()
            family.check_there()
    except InputError as error:
        raise LostError(error.place, error.problem, error.remedy or "put back what the search began with") from error
    return family


def _build(family: Family, trial: Trial, data: Dataset) -> OwnNetwork:
    """Build a trial's network, as one of the user's own would be.

    Raises:
        LostError: the user's code is not the code that the trial is named by.
    """
    if not isinstance(family, CustomFamily):
        network = family.network(trial.values, data.shape, len(data.class_names))
        return OwnNetwork(network, "", network, network)
    built = family.own_network(trial.values, data.shape, len(data.class_names))
    if trial.source and family.source_hash() != trial.source:  # looked at behind the import, so that nothing slips by
        problem = "its code is not the code that the search began with: it was edited since, or differs on this machine"
        raise LostError(family.path, problem, "leave it as it is while a search runs, and run the search again")
    return built


class _Epochs:
    """What is seen of a training, epoch by epoch.

    The answers to the validation images are those of the epoch that counts.
    """

    def __init__(
        self,
        objective: Objective,
        validation: Samples | None,
        class_names: Sequence[str],
        stopping: Stopping,
        watcher: Watcher | None,
        softmax: bool,
    ) -> None:
        self.curves: dict[str, list[float]] = {}
        self.seconds: list[float] = []
        self.best_epoch: int | None = None
        self.answers: NDArray[np.float32] | None = None
        self._objective, self._validation, self._class_names = objective, validation, class_names
        self._stopping, self._watcher, self._softmax = stopping, watcher, softmax
        self._last: Epoch | None = None
        self._started = time.perf_counter()

    def take(self, metrics: Epoch) -> bool:
        """Note an epoch that has just ended, and return whether that was enough.

        Raises:
            TrialError: a metric of it is no number.
        """
        seconds = time.perf_counter() - self._started
        if self._softmax:
            of_logits = metrics.probabilities
            metrics.probabilities = lambda: _softmax(of_logits())
        self._score(metrics)
        self.seconds.append(seconds)
        number = len(self.seconds)
        for name, value in metrics.items():
            if not np.isfinite(value):
                raise TrialError(f"{name} became {value} in epoch {number}; try a lower learning rate")
            self.curves.setdefault(name, []).append(value)
        if self._watcher:
            self._watcher.note()
        self._stopping.observe(metrics)
        if self._stopping.best_epoch == number:
            self.answers = metrics.probabilities()
        self._last = metrics
        self._started = time.perf_counter()
        return self._stopping.over

    def end(self, kept: tuple[int, NDArray[np.float32]] | None = None) -> None:
        """Note that the training has ended; `kept` is the epoch that its own code went back to, with its answers."""
        self.best_epoch = self._stopping.best_epoch or None
        if self._stopping.watched:
            return
        if kept is not None:
            self.best_epoch, self.answers = kept
        elif self._last is not None:
            self.answers = self._last.probabilities()

    def add_returned(self, score: float | None) -> None:
        """Note the score of a training as a whole, after each of its epochs the same; None where there is none."""
        if score is not None:
            self.curves[self._objective.column] = [score] * len(self.seconds)

    def _score(self, metrics: Epoch) -> None:
        """Add the score by an objective that engines do not compute by themselves.

        Raises:
            TrialError: it cannot be computed of these validation images.
        """
        objective, validation = self._objective, self._validation
        if validation is None or objective.column in metrics or not objective.by_epoch:
            return
        score = objective.score(validation.labels, metrics.probabilities(), self._class_names)
        if not np.isfinite(score):
            raise TrialError(f"{objective.words} is {score}: it cannot be computed of these validation images")
        metrics[objective.column] = score


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    if not logits.size:
        return logits
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probabilities: NDArray[np.float32] = powers / powers.sum(axis=-1, keepdims=True)
    return probabilities


#: What the last trial of this process trained on; the next one of its group trains on the same.
_last: tuple[Trial, Path, tuple[Dataset, Samples, Samples | None]] | None = None


def _materials(job: Job) -> tuple[Dataset, Samples, Samples | None]:
    """Return the data set, the images to train on and to validate on; the same objects for trials of one group."""
    global _last  # noqa: PLW0603  # a process is for one group of trials
    trial = job.trial
    if _last is None or _last[0].compile_group != trial.compile_group or _last[1] != job.data:
        data = load_from_store(job.data)
        fit, held = training_images(trial, data)
        training = Samples(np.asarray(data.x_train[fit]), np.asarray(data.y_train[fit]))
        _last = trial, job.data, (data, training, _validation(trial, data, held))
    return _last[2]


def _validation(trial: Trial, data: Dataset, held: NDArray[np.intp] | None) -> Samples | None:
    if held is not None:
        return Samples(np.asarray(data.x_train[held]), np.asarray(data.y_train[held]))
    if trial.role == "final":
        return None
    tested = test_images(trial, data.y_test)
    return Samples(np.asarray(data.x_test[tested]), np.asarray(data.y_test[tested]))


def _score(job: Job, network: keras.Model, data: Dataset) -> tuple[dict[str, float], dict[str, str]]:
    tested = test_images(job.trial, data.y_test)
    labels = data.y_test[tested]
    images = np.asarray(data.x_test[tested])
    probabilities = predict(network, images)
    arrays: dict[str, Any] = {"probabilities": probabilities, "labels": labels}
    with contextlib.suppress(Exception):  # the same
        arrays |= first_layer_view(network, images, labels)
    job.artifacts.mkdir(parents=True, exist_ok=True)
    files = {
        "model": _keep(job, "model", network.save),
        "predictions": _keep(job, "predictions", lambda path: np.savez_compressed(path, **arrays)),
    }
    scores = {
        "test_accuracy": float((probabilities.argmax(axis=1) == labels).mean()),
        "test_loss": cross_entropy(probabilities, labels),
    }
    return scores, files


def _keep_answers(job: Job, answers: NDArray[np.float32] | None) -> dict[str, str]:
    """Keep what a search trial answered to its validation images, for what is later asked of the choice."""
    if answers is None or answers.ndim != 2 or not answers.size:  # a user's network may answer anything
        return {}
    job.artifacts.mkdir(parents=True, exist_ok=True)
    small = packed(answers)
    return {"validation": _keep(job, "validation", lambda path: np.savez_compressed(path, probabilities=small))}


def predict(network: keras.Model, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return class probabilities, `(n, classes)`, of raw images, `(n, height, width, channels)`."""
    probabilities: NDArray[np.float32] = network.predict(images, batch_size=EVALUATION_BATCH, verbose=0)
    return probabilities


def _keep(job: Job, kind: str, write: Callable[[Path], object]) -> str:
    """Write a file of this kind into the artifacts and return its SHA-256, part of which names it.

    Two searches may train the same trial at once; where their files differ, as on a GPU, neither replaces the other.
    """
    suffix = ARTIFACTS[kind]
    with partial_of(job.artifacts / f"{job.trial.id}{suffix}") as partial:
        write(partial)
        make_reproducible(partial)
        digest = sha256_of(partial)
        publish(partial, artifact_path(job.artifacts, job.trial.id, digest, suffix))
    return digest


def _latency_ms(network: keras.Model, data: Dataset, calls: int = 30) -> float:
    """Return the median time of one prediction of one image, in milliseconds, after warming up."""
    image = np.asarray(data.x_test[:1])
    times = []
    for _ in range(calls + 3):
        begun = time.perf_counter()
        network.predict_on_batch(image)
        times.append(time.perf_counter() - begun)
    return float(np.median(times[3:]) * 1000)


_seeded = False


def _seed(seed: int, everything: bool) -> None:
    """Seed what a training draws from.

    Keras seeds its own layers by Python's generator. Seeding TensorFlow's, too, makes it forget how it runs the graphs
    that it has compiled, which costs as much as a short trial; so that is done again only for `everything` that a
    user's own network may draw from. Layers without a name of their own are then numbered from the first again.
    """
    global _seeded  # noqa: PLW0603  # of this process
    if everything:
        keras.backend.clear_session(free_memory=False)
    if everything or not _seeded:
        keras.utils.set_random_seed(seed)
        _seeded = True
    random.seed(seed)
    np.random.seed(seed)


def _is_out_of_memory(error: Exception) -> bool:
    text = f"{type(error).__name__} {error}"
    return any(mark in text for mark in ("ResourceExhausted", "RESOURCE_EXHAUSTED", "Out of memory", "OOM when"))
