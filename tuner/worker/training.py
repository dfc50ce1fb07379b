"""Training of a trial, in a worker. Importing this imports Keras, and runs nothing."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

import keras

from tuner.datasets.base import Dataset
from tuner.errors import LostError, ResourceError, TrialError, TunerError, one_line, resource_error_of
from tuner.families import FAMILIES
from tuner.families.base import Family
from tuner.families.custom import CustomFamily
from tuner.families.frozen import FROZEN_SHA256, frozen_arrays, hash_of_arrays
from tuner.families.own_network import OwnNetwork, take_over
from tuner.families.pretrained import BACKBONE, NO_WEIGHTS, Pretrained, give_head
from tuner.recipe import Stopping, augmenter, class_weights, mixing, use_precision
from tuner.space.parameters import Values
from tuner.trial import ENSEMBLE, Job, Result, Trial
from tuner.worker.built import compile_built, trained_with
from tuner.worker.checkpoints import Checkpoint, Checkpoints, checkpoints_beside
from tuner.worker.engines import Engine, Epoch, Plan, Samples, StateError, engine_for, own_fit, restore_network
from tuner.worker.engines.compiled import is_told_by_variables
from tuner.worker.ensemble import make_ensemble
from tuner.worker.epochs import Epochs
from tuner.worker.materials import Materials, check_files, materials_of
from tuner.worker.model_summary import describe
from tuner.worker.own_code import callbacks_of_job, family_of_job, objective_of_job
from tuner.worker.progress import Progress
from tuner.worker.saving import keep_answers, score
from tuner.worker.stages import Ready, Stage, hand_on, head_epochs, seconds_per_epoch, stages_of, watched_layers
from tuner.worker.surroundings import draw_from, environment, set_up_process
from tuner.worker.watch import Watcher
from tuner.workspace import WRITTEN


def train(job: Job) -> Result | ResourceError:
    """Train a trial, or make an ensemble, and return its result; what is wrong with it becomes a failed result.

    A final trial leaves two files in `job.artifacts`, each written whole or not at all: the model without its
    optimizer, `.keras`, and `.npz` with `probabilities`, `(n, classes)`, and `labels`, `(n,)`, and with what the first
    convolution sees (`tuner.worker.model_summary.first_layer_view`). A search trial leaves its answers to the
    validation images (`tuner.analysis.validation_predictions`).

    What every trial will lack, such as room on the disk, is returned as an error and belongs to no trial.
    """
    begun = time.perf_counter()
    transient = False
    try:
        if job.trial.family == ENSEMBLE:
            return make_ensemble(job, begun, objective_of_job(job))
        with Progress(job) as progress:
            return _train(job, begun, progress)
    except TrialError as error:
        reason = str(error)
    except SystemExit as error:
        reason = f"the network's own code called sys.exit({error.code!r})"
    except Exception as error:  # noqa: BLE001  # a network or backend may raise anything
        own = (job.data, *(job.artifacts.parent / name for name in WRITTEN))
        lacks = resource_error_of(error, str(job.artifacts), own)
        if lacks is not None:
            return lacks
        transient = isinstance(error, MemoryError | OSError)
        reason = str(error) if isinstance(error, TunerError) else one_line(error)
        if _is_out_of_memory(error):
            reason, transient = "out of memory; use a smaller network or batch_size, or fewer workers", True
    spent = time.perf_counter() - begun
    return Result("failed", reason, transient=transient, seconds=spent, environment=environment(job.trial))


def _train(job: Job, begun: float, progress: Progress) -> Result:
    trial = job.trial
    set_up_process(trial.threads)
    objective = objective_of_job(job)  # before the family, which may come of the same module
    family = family_of_job(job)
    own = isinstance(family, CustomFamily)
    stages = stages_of(family, trial)
    ready = _ready(job, family, stages[0])
    built, materials = ready.built, ready.materials
    data, training, validation = materials.data, materials.training, materials.validation
    parameters = built.model.count_params() + (materials.backbone or 0)
    watched = watched_layers(family, trial)
    watcher = Watcher(built.trained, watched, training) if watched else None
    off = validation is None or trial.role == "final"
    stopping = Stopping({"early_stopping": "off"} if off else trial.values, objective, head_epochs(family, trial))
    epochs = Epochs(objective, validation, data.class_names, stopping, watcher, built.softmax, progress)
    if built.trains_itself:
        engine = own_fit.NAME
        fitted = own_fit.fit(built, training, validation, trial.values, trial.last_epoch, epochs.take)
        epochs.end(fitted.kept)
        if validation is not None:
            epochs.add_returned(own_fit.score_of(fitted.returned, objective))
    else:
        ready, engine = _run_stages(job, family, stages, ready, epochs)
    trained = ready.built.trained
    found: dict[str, Any] = {}
    told: dict[str, Any] = {"callbacks": trial.callbacks.partition(" ")[0]}
    if trial.role == "final":
        draw_from(trial.seed, everything=own)  # what is saved is the same, whatever this process has trained before
        use_precision({"precision": "float32"})
        clean = _build(family, trial, data, trial.values).to_save()  # so that the file holds no optimizer
        told |= _source_of(clean, family, trial)  # before it has what was trained
        if ready.stage.on_features:
            give_head(clean, trained)
        else:
            take_over(clean, trained)
        clean.run_eagerly = trained.run_eagerly  # of a layer that takes no other
        scores, files = score(job, clean, data)
        layers: list[dict[str, Any]] = []
        with contextlib.suppress(Exception):  # a user's network may be anything; it goes without rather than be lost
            layers = describe(clean)
        found = {**scores, "files": files, "layers": layers}
    if validation is not None:
        kept = epochs.best_epoch or len(epochs.seconds)
        found |= {name: epochs.curves[name][kept - 1] for name in ("val_accuracy", "val_loss")}
        if trial.role == "search":
            found["files"] = keep_answers(job, epochs.answers)
    if own:
        told |= {"scaling": built.scaling, "compiled": trained_with(built, trial.values), "files": list(job.files)}
    return Result(
        "completed",
        parameters=int(parameters),
        seconds=time.perf_counter() - begun + epochs.spent_before,
        seconds_per_epoch=seconds_per_epoch(epochs.seconds, stages),
        best_epoch=_best_epoch(trial, epochs),
        history=epochs.curves,
        environment={**environment(trial), "engine": engine, **{name: what for name, what in told.items() if what}},
        watched=watcher.notes if watcher else {},
        **found,
    )


def _source_of(network: keras.Model, family: Family, trial: Trial) -> dict[str, str]:
    """Return the hash of what a pretrained network freezes, as it came from its source; nothing of any other."""
    if not isinstance(family, Pretrained) or trial.values["weights"] == NO_WEIGHTS:
        return {}
    backbone = network.get_layer(BACKBONE)
    arrays = frozen_arrays(backbone, backbone)
    return {FROZEN_SHA256: hash_of_arrays(arrays)} if arrays else {}


def _best_epoch(trial: Trial, epochs: Epochs) -> int | None:
    """Return the epoch that counts, and at which retrainings stop: early stopping's, or where a callback stopped."""
    stopped = trial.callbacks and trial.role == "search" and len(epochs.seconds) < trial.last_epoch
    return epochs.best_epoch or (len(epochs.seconds) if stopped else None)


def _plan(trial: Trial, stage: Stage, data: Dataset, training: Samples) -> Plan:
    classes = len(data.class_names)
    seed = trial.seed ^ bool(stage.begin)  # so that a later stage does not see the variants of the first again
    return Plan(
        stage.end,
        int(trial.values["batch_size"]),
        trial.seed,
        augmenter(trial.values, data.shape, seed),
        class_weights(trial.values, training.labels, data.class_names),
        balanced=trial.values.get("sampling") == "balanced",
        done=stage.begin,
        mixing=mixing(trial.values, classes, seed),
    )


#: A training that takes longer leaves a checkpoint every so many seconds, at the end of an epoch.
CHECKPOINT_SECONDS = 60.0


def _run_stages(job: Job, family: Family, stages: Sequence[Stage], first: Ready, epochs: Epochs) -> tuple[Ready, str]:
    """Train one stage after the other, and return the last one that was trained, with the engine that did it.

    The last one goes on from a checkpoint where there is one, and what comes before it is over then.
    """
    trial = job.trial
    checkpoints, callbacks = Checkpoints(checkpoints_beside(job.artifacts)), callbacks_of_job(job)
    ready, engine = first, None
    if len(stages) > 1 and checkpoints.reaches(trial, stages[-1].begin):
        later = _ready(job, family, stages[-1])
        engine = _run_engine(job, later, epochs, callbacks, checkpoints, anew=False)
        ready = first if engine is None else later
    for stage in stages if engine is None else ():
        if stage.begin:
            ready, before = _ready(job, family, stage), ready
            hand_on(before, ready)
        engine = _run_engine(job, ready, epochs, callbacks, checkpoints)
        if len(epochs.seconds) < stage.end:
            break
    epochs.end()
    if not job.goes_on:
        checkpoints.forget({trial.course})
    return ready, engine or ""


def _run_engine(
    job: Job,
    ready: Ready,
    epochs: Epochs,
    callbacks: tuple[keras.callbacks.Callback, ...],
    checkpoints: Checkpoints,
    anew: bool = True,
) -> str | None:
    """Train a stage by the fastest engine for its network, and return which that is.

    It goes on from a checkpoint where there is one, and leaves one where another trial may go on from its end; one of
    the user's own does so where its variables tell all about it. Where it cannot go on, and is not to begin `anew`,
    nothing is trained, and None returned.
    """
    trial, stage, network, materials = job.trial, ready.stage, ready.built.trained, ready.materials
    epochs.follow(network, materials.training)
    engine = engine_for(network, materials.training, materials.validation, callbacks=bool(callbacks))
    plan = replace(_plan(trial, stage, materials.data, materials.training), callbacks=callbacks)
    made_with = {**environment(trial), "engine": engine.name}
    told = trial.family in FAMILIES or is_told_by_variables(network)
    resumable = told and not trial.callbacks  # of which nobody knows the state
    before = None
    if resumable:
        before = checkpoints.latest(trial, made_with, len(materials.data.class_names), stage.begin, stage.end)
    if before is not None and not epochs.can_go_on(before):
        before = None
    if before is None and not anew:
        return None
    written = time.monotonic()
    running = _epochs_from(before, engine, ready, plan, epochs, anew)
    for metrics in running:
        over = epochs.take(metrics) or len(epochs.seconds) == trial.last_epoch
        due = job.goes_on if over else time.monotonic() - written > CHECKPOINT_SECONDS
        if due and resumable and metrics.state is not None:
            checkpoints.write(trial, epochs.checkpoint(metrics.state(), made_with))
            written = time.monotonic()
        if over:
            break
    running.close()
    return engine.name if anew or epochs.seconds else None


def _epochs_from(
    before: Checkpoint | None, engine: Engine, ready: Ready, plan: Plan, epochs: Epochs, anew: bool
) -> Generator[Epoch, None, None]:
    """Yield the epochs of a stage that are still to be trained, after those of a checkpoint were noted.

    A checkpoint of another network is as good as none; then a stage that is not to begin `anew` is not trained.
    """
    network, training, validation = ready.built.trained, ready.materials.training, ready.materials.validation
    if before is None:
        yield from engine.fit(network, training, validation, plan)
        return
    running = engine.fit(network, training, validation, replace(plan, done=before.epochs), before.state)
    try:
        first = None
        if before.epochs == plan.epochs:
            restore_network(network, before.state)  # another stage may go on with it
        elif not epochs.is_over_at(before):
            first = next(running)
    except StateError:
        if anew:
            yield from engine.fit(network, training, validation, plan)
        return
    epochs.go_on(before)
    if first is not None:
        yield first
        yield from running


def _ready(job: Job, family: Family, stage: Stage) -> Ready:
    """Build and compile the network of a stage, and load what it is trained with."""
    trial = job.trial
    draw_from(trial.seed, everything=isinstance(family, CustomFamily) or bool(trial.callbacks))
    use_precision(trial.values)
    materials = materials_of(job, family if stage.on_features else None)
    if stage.on_features:
        built = _build_head(family, trial, materials)
    else:
        built = _build(family, trial, materials.data, stage.values)
    compile_built(built, stage.values, stage.planned, len(materials.training.labels))
    return Ready(stage, built, materials)


def _build_head(family: Family, trial: Trial, materials: Materials) -> OwnNetwork:
    """Build what is trained on features; the seed gives it the same weights, whether or not they had to be computed."""
    if not isinstance(family, Pretrained):
        raise TypeError(f"{family.name} has no head of its own")
    draw_from(trial.seed, everything=False)
    width = materials.training.images.shape[1]
    head = family.head(trial.values, width, len(materials.data.class_names))
    return OwnNetwork(head, "", head, head)


def _build(family: Family, trial: Trial, data: Dataset, values: Values) -> OwnNetwork:
    """Build a trial's network for values, as one of the user's own would be.

    Raises:
        LostError: the user's code, or a file, is not what the trial is named by.
    """
    if not isinstance(family, CustomFamily):
        check_files(family, trial)
        network = family.network(values, data.shape, len(data.class_names))
        return OwnNetwork(network, "", network, network)
    built = family.own_network(values, data.shape, len(data.class_names))
    if trial.source and family.source_hash() != trial.source:  # looked at behind the import, so that nothing slips by
        problem = "its code is not the code that the search began with: it was edited since, or differs on this machine"
        raise LostError(family.path, problem, "leave it as it is while a search runs, and run the search again")
    return built


def _is_out_of_memory(error: Exception) -> bool:
    text = f"{type(error).__name__} {error}"
    return any(mark in text for mark in ("ResourceExhausted", "RESOURCE_EXHAUSTED", "Out of memory", "OOM when"))
