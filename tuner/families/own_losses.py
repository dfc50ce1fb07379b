"""Losses and metrics of a user's own as engines take them, and how it is seen what they take: labels, rows, logits.

Importing this imports Keras.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from tuner.errors import InputError, one_line

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


class OfLogits(keras.losses.Loss):  # type: ignore[misc]
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


def takes_logits(loss: keras.losses.Loss, classes: int) -> bool:
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


def takes_rows(loss: keras.losses.Loss, classes: int, logits: bool, place: str) -> bool:
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


def _examples(classes: int) -> tuple[Any, Any, Any]:
    """Return labels, answers that are right and answers that are wrong, more than there are classes."""
    labels = np.arange(classes + 1) % classes
    right = np.full((classes + 1, classes), 0.1 / classes, np.float32)
    right[np.arange(classes + 1), labels] += 0.9
    return labels, right, np.roll(right, 1, axis=1)


def _array(tensor: Any) -> Any:
    return keras.ops.convert_to_numpy(tensor)


def name_of(part: object) -> str:
    """Return what an optimizer, a loss or a metric is called."""
    if part is None or isinstance(part, str):
        return part or ""
    if type(part).__name__ == "LossFunctionWrapper":
        return str(getattr(part, "name", ""))
    return str(getattr(part, "__name__", "") or type(part).__name__)
