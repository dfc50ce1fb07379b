"""What a user's `build(hp)` compiles: read off the model, and put on the network that is trained.

The search file's recipe takes the place of single parts: of those that it names. Importing this imports Keras.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from tuner.errors import InputError
from tuner.families.own_losses import CompiledLoss, CompiledMetric, OfLogits, name_of, takes_logits, takes_rows
from tuner.objective import OBJECTIVES
from tuner.recipe import OF_COMPILE, OF_LOSS, OF_SCHEDULE, RECIPE
from tuner.recipe.losses import make_loss
from tuner.recipe.optimizers import make_optimizer
from tuner.recipe.schedules import learning_rate
from tuner.space.parameters import Values

#: Metrics that are recorded of every trial, by the names that Keras has for them.
_ACCURACIES = ("acc", "accuracy", "categoricalaccuracy", "sparsecategoricalaccuracy")
#: The recipe's values where the search file names none.
_DEFAULTS = {parameter.name: parameter.default for parameter in RECIPE}


@dataclass
class Compiled:
    """What `build` compiles.

    Args:
        optimizer: as it is given to `compile`; None where there is none.
        loss: of labels that are whole numbers; None where there is none.
        metrics: those that are not recorded of every trial anyhow.
        logits: whether the loss takes logits.
        eager: whether it is to run without being compiled.
        text: the same for the same.
        words: which optimizer and loss, for readers.
    """

    optimizer: keras.optimizers.Optimizer | None
    loss: CompiledLoss | None
    metrics: tuple[keras.metrics.Metric, ...]
    logits: bool
    eager: bool
    text: str
    words: str

    @property
    def rows(self) -> bool:
        """Whether the loss takes labels as one-hot rows."""
        return self.loss is not None and self.loss.rows


def compiled_of(model: keras.Model, place: str, classes: int) -> Compiled | None:
    """Return what a model was compiled with; None if it was not.

    Args:
        model: what `build` returned.
        place: how its family is named in errors.
        classes: how many there are.

    Raises:
        InputError: there is something among it that could not be followed.
    """
    if not model.compiled:
        return None
    given: Mapping[str, Any] = getattr(getattr(model, "_compile_config", None), "config", {})
    optimizer, loss = given.get("optimizer", model.optimizer), _only(given.get("loss", model.loss), place, "losses")
    if getattr(optimizer, "use_ema", False):
        raise InputError(place, "compiles an optimizer with use_ema, whose averages no epoch is scored by", "leave it")
    if given.get("loss_weights") is not None:
        raise InputError(place, "compiles loss_weights, and there is one loss", "leave them out")
    whole = _as_loss(loss)
    logits = whole is not None and takes_logits(whole, classes)
    own = None if whole is None else CompiledLoss(whole, takes_rows(whole, classes, logits, place))
    asked = [*_flat(given.get("metrics")), *_flat(given.get("weighted_metrics"))]
    metrics = [one for one in map(_as_metric, asked) if _plain(one.name) not in _ACCURACIES]
    for metric in metrics:
        if metric.name in OBJECTIVES or metric.name in ("loss", "unpenalised_loss"):
            raise InputError(place, f"compiles a metric named {metric.name!r}, which is recorded as what it is here",
                             "give it another name")  # fmt: skip
    names = [name_of(part) for part in (optimizer, whole)]
    return Compiled(
        optimizer,
        own,
        tuple(CompiledMetric(one, own is not None and own.rows) for one in metrics),
        logits,
        bool(given.get("run_eagerly")),
        _text_of(model, given),
        ", ".join(name for name in names if name),
    )


def compile_as_built(
    network: keras.Model, compiled: Compiled, values: Values, logits: bool = False, epochs: int = 1, steps: int = 1
) -> None:
    """Compile a network with what `build` compiles, and with the parts of the recipe in `values` in its place.

    Args:
        network: gives what the loss takes.
        compiled: what `build` compiles.
        values: what takes its place, as `in_its_place` returns it.
        logits: whether the network gives logits.
        epochs: how many epochs a schedule of the recipe spans.
        steps: how many steps an epoch has.

    Raises:
        InputError: a schedule of the recipe has no rate to begin from.
    """
    network.compile(
        optimizer=_optimizer(compiled, values, epochs, steps),
        loss=_loss(compiled, values, logits),
        metrics=["accuracy", *compiled.metrics],
        run_eagerly=compiled.eager,
    )


def in_its_place(values: Values, asked: Collection[str]) -> Values:
    """Return the parts of the recipe that take the place of what `build` compiles.

    Those that it asks `hp` for are its own to compile with.

    Args:
        values: of a trial, which has of the recipe what the search file names.
        asked: what `build` asked for.
    """
    return {name: values[name] for name in OF_COMPILE if name in values and name not in asked}


def trained_with(compiled: Compiled, instead: Values, rate: bool = True) -> str:
    """Return in words what a network is trained with: what `build` compiles, and what takes its place.

    Args:
        compiled: what `build` compiles.
        instead: what takes its place, as `in_its_place` returns it.
        rate: tell the learning rate, too, which may be another one for other parameters.
    """
    told = rate and compiled.optimizer is not None and "learning_rate" not in instead
    at = _rate_in_words(compiled.optimizer) if told else ""
    what = f"what build compiles ({compiled.words}{at})" if compiled.words else "what build compiles"
    lacking = [part for part, there in (("optimizer", compiled.optimizer), ("loss", compiled.loss)) if there is None]
    without = f"; it compiles no {' and no '.join(lacking)}, which the recipe gives" if lacking else ""
    return what + without + (f"; {', '.join(instead)} of the search file in its place" if instead else "")


def effective_text(compiled: Compiled, values: Values) -> str:
    """Return what a network is trained with as text that is the same for the same."""
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2)])
    compile_as_built(network, compiled, values)
    return _text_of(network, getattr(network, "_compile_config").config)  # noqa: B009  # Keras has no other door


def _rate_in_words(optimizer: keras.optimizers.Optimizer) -> str:
    rate = optimizer._learning_rate
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        return f", {type(rate).__name__}"
    try:
        return f", learning rate {float(keras.ops.convert_to_numpy(optimizer.learning_rate)):.6g}"
    except Exception:  # noqa: BLE001  # a rate of the user's own code
        return ""


def _optimizer(compiled: Compiled, values: Values, epochs: int, steps: int) -> keras.optimizers.Optimizer:
    own = compiled.optimizer
    rate: Any = None if own is None else own._learning_rate
    changed = own is None or any(name in values for name in ("learning_rate", *OF_SCHEDULE))
    if changed:
        full = values.get("learning_rate")
        if full is None and isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
            raise InputError(
                "training", "names a schedule, and build compiles one of its own", "name learning_rate, too, or neither"
            )
        if full is None:
            default = _DEFAULTS["learning_rate"]
            full = default if own is None else float(keras.ops.convert_to_numpy(own.learning_rate))
        rate = learning_rate({**_DEFAULTS, **values, "learning_rate": full}, epochs, steps)
    if own is None or "optimizer" in values:
        if isinstance(rate, keras.Variable):
            rate = float(keras.ops.convert_to_numpy(rate))
        return make_optimizer({**_DEFAULTS, **values}, rate)
    if changed:
        if isinstance(own._learning_rate, keras.optimizers.schedules.LearningRateSchedule) and not callable(rate):
            rate = keras.optimizers.schedules.ExponentialDecay(rate, 1, 1.0)  # constant: it takes no number then
        own.learning_rate = rate
    if "weight_decay" in values:
        own.weight_decay = float(values["weight_decay"])
    return own


def _loss(compiled: Compiled, values: Values, logits: bool) -> keras.losses.Loss:
    if compiled.loss is not None and not any(name in values for name in OF_LOSS):
        return compiled.loss
    loss = make_loss({**_DEFAULTS, **values})
    return OfLogits(loss) if logits else loss


def _only(parts: Any, place: str, what: str) -> Any:
    """Return the only one of what may be given as a list or by the names of outputs."""
    several = list(parts.values()) if isinstance(parts, dict) else parts if isinstance(parts, list | tuple) else [parts]
    if len(several) != 1:
        raise InputError(place, f"compiles {len(several)} {what}, and a classifier has one", "compile one")
    return several[0]


def _flat(parts: Any) -> Sequence[Any]:
    if isinstance(parts, dict):
        return [one for part in parts.values() for one in _flat(part)]
    if isinstance(parts, list | tuple):
        return [one for part in parts for one in _flat(part)]
    return [] if parts is None else [parts]


def _as_loss(loss: Any) -> keras.losses.Loss | None:
    """Return a loss, as Keras would make one of what `compile` is given."""
    if isinstance(loss, str) and loss.lower() in ("crossentropy", "ce"):
        loss = "sparse_categorical_crossentropy"
    found = None if loss is None else keras.losses.get(loss)
    if found is None or isinstance(found, keras.losses.Loss):
        return found
    return keras.src.losses.losses.LossFunctionWrapper(found, name=name_of(loss) or "loss")


def _as_metric(metric: Any) -> keras.metrics.Metric:
    if isinstance(metric, str) and _plain(metric) in _ACCURACIES:
        return keras.metrics.Mean(name="accuracy")  # which is recorded anyhow
    found = keras.metrics.get(metric)
    if not isinstance(found, keras.metrics.Metric):
        found = keras.metrics.MeanMetricWrapper(found, name=name_of(found))
    if isinstance(metric, str):
        found.name = metric
    return found


def _plain(name: str) -> str:
    return name.lower().replace("_", "")


def _text_of(model: keras.Model, given: Mapping[str, Any]) -> str:
    parts = [_written(given.get(name)) for name in ("optimizer", "loss", "metrics", "weighted_metrics")]
    return re.sub(r" at 0x[0-9a-f]+", "", json.dumps(_without_names(parts), sort_keys=True, default=str))


def _without_names(part: Any) -> Any:
    """Return a written part without what Keras counts: names that nobody gave, and objects."""
    if isinstance(part, dict):
        counted = ("name", "shared_object_id")
        return {key: _without_names(value) for key, value in part.items() if key not in counted}
    return [_without_names(one) for one in part] if isinstance(part, list | tuple) else part


def _written(part: Any) -> Any:
    """Return a part of what is compiled as Keras writes it down, or its name and what it holds."""
    if isinstance(part, list | tuple):
        return [_written(one) for one in part]
    try:
        return keras.saving.serialize_keras_object(part)
    except Exception:  # noqa: BLE001  # of the user's own, which may not be written down
        return [name_of(part), {k: str(v) for k, v in getattr(part, "__dict__", {}).items() if not k.startswith("_")}]
