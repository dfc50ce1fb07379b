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
import numpy as np

from tuner.errors import InputError, one_line
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
#: Added to all answers to see whether a loss is one of logits, which does not change by it.
_SHIFT = 3.0


class CompiledLoss(keras.losses.Loss):  # type: ignore[misc]  # Keras has no types
    """A loss as `build` compiles it, of labels as this tool has them: whole numbers `(n,)`.

    Args:
        loss: what was compiled.
        rows: whether it takes labels as one-hot rows; it is given such ones then.
    """

    def __init__(self, loss: keras.losses.Loss, rows: bool) -> None:
        self.whole = type(loss).__call__ is not keras.losses.Loss.__call__  # it reduces by code of its own
        super().__init__(name=loss.name, reduction="sum_over_batch_size" if self.whole else loss.reduction)
        self.loss, self.rows = loss, rows

    def call(self, labels: Any, answers: Any) -> Any:
        """Return the loss; see `keras.losses.Loss`."""
        if self.rows:
            labels = one_hot(labels, answers.shape[-1])
        return self.loss(labels, answers) if self.whole else self.loss.call(labels, answers)

    def get_config(self) -> dict[str, Any]:
        """Return what tells all about it.

        Raises:
            NotImplementedError: there is code of the user's in it, which nothing tells.
        """
        code = getattr(self.loss, "fn", type(self.loss))
        if not all(str(one.__module__).startswith("keras.") for one in (type(self.loss), code)):
            raise NotImplementedError
        return {"loss": keras.saving.serialize_keras_object(self.loss), "rows": self.rows}


class CompiledMetric(keras.metrics.Metric):  # type: ignore[misc]
    """A metric as `build` compiles it, of labels as this tool has them; see `CompiledLoss`."""

    def __init__(self, metric: keras.metrics.Metric, rows: bool) -> None:
        super().__init__(name=metric.name)
        self.metric, self.rows = metric, rows

    def update_state(self, labels: Any, answers: Any, sample_weight: Any = None) -> None:
        """Take a batch; see `keras.metrics.Metric`."""
        self.metric.update_state(one_hot(labels, answers.shape[-1]) if self.rows else labels, answers)

    def result(self) -> Any:
        """Return the metric; see `keras.metrics.Metric`."""
        return self.metric.result()

    def reset_state(self) -> None:
        """Begin anew; see `keras.metrics.Metric`."""
        self.metric.reset_state()


def one_hot(labels: Any, classes: int) -> Any:
    """Return labels `(n,)` as rows `(n, classes)` of zeros and a one."""
    return keras.ops.one_hot(keras.ops.cast(keras.ops.reshape(labels, (-1,)), "int32"), classes)


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
    logits = whole is not None and _takes_logits(whole, classes)
    own = None if whole is None else CompiledLoss(whole, _takes_rows(whole, classes, logits, place))
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
    return _OfLogits(loss) if logits else loss


class _OfLogits(keras.losses.Loss):  # type: ignore[misc]
    """The recipe's loss behind a softmax, for a network that is trained by its logits."""

    def __init__(self, loss: keras.losses.Loss) -> None:
        super().__init__(name=loss.name)
        self.loss = loss

    def call(self, labels: Any, answers: Any) -> Any:
        """Return the loss; see `keras.losses.Loss`."""
        return self.loss.call(labels, keras.ops.softmax(answers))

    def get_config(self) -> dict[str, Any]:
        """Return what tells all about it."""
        return {"loss": keras.saving.serialize_keras_object(self.loss)}


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


def _examples(classes: int) -> tuple[Any, Any, Any]:
    """Return labels, answers that are right and answers that are wrong, more than there are classes."""
    labels = np.arange(classes + 1) % classes
    right = np.full((classes + 1, classes), 0.1 / classes, np.float32)
    right[np.arange(classes + 1), labels] += 0.9
    return labels, right, np.roll(right, 1, axis=1)


def _takes_logits(loss: keras.losses.Loss, classes: int) -> bool:
    """Whether a loss says that it takes logits, or does not change as all answers to an image grow by as much."""
    said = getattr(loss, "from_logits", None)
    if said is None:
        said = getattr(loss, "_fn_kwargs", {}).get("from_logits")
    if said is not None:
        return bool(said)
    if str(getattr(getattr(loss, "fn", loss), "__module__", "")).startswith("keras."):
        return False
    labels, right, _ = _examples(classes)
    given = np.log(right) * np.linspace(0.5, 2, len(right), dtype=np.float32)[:, None]
    for target in (labels, np.eye(classes, dtype=np.float32)[labels]):
        try:
            values = [float(np.mean(_array(loss(target, given + shift)))) for shift in (0.0, _SHIFT)]
        except Exception:  # noqa: BLE001, S112  # a loss of the user's own may raise anything
            continue
        if np.isfinite(values).all() and abs(values[0] - values[1]) <= 1e-4 * max(1.0, abs(values[0])):
            return True
    return False


def _takes_rows(loss: keras.losses.Loss, classes: int, logits: bool, place: str) -> bool:
    """Whether a loss takes labels as one-hot rows, and not as whole numbers: in that form it likes what is right.

    Raises:
        InputError: it cannot be computed of either; or it is not reduced to a number.
    """
    if loss.reduction in (None, "none"):
        raise InputError(place, "compiles a loss that is not reduced to a number", "leave reduction out")
    labels, right, wrong = _examples(classes)
    if logits:
        right, wrong = np.log(right), np.log(wrong)
    problem = "it is no lower for right answers than for wrong ones"
    for rows, target in ((False, labels), (True, np.eye(classes, dtype=np.float32)[labels])):
        try:
            low, high = (float(np.mean(_array(loss(target, answers)))) for answers in (right, wrong))
        except Exception as error:  # noqa: BLE001
            problem = one_line(error, 120)
            continue
        if np.isfinite([low, high]).all() and low < high:
            return rows
    raise InputError(
        place,
        f"compiles the loss {name_of(loss)}, which can be computed neither of class numbers nor of one-hot rows "
        f"({problem})",
        "compile one of labels and answers",
    )


def _array(tensor: Any) -> Any:
    return keras.ops.convert_to_numpy(tensor)


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


def name_of(part: object) -> str:
    """Return what an optimizer, a loss or a metric is called."""
    if part is None or isinstance(part, str):
        return part or ""
    if type(part).__name__ == "LossFunctionWrapper":
        return str(getattr(part, "name", ""))
    return str(getattr(part, "__name__", "") or type(part).__name__)
