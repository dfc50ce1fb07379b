"""`fit`: a network that code of the user's own trains, by `HyperModel.fit` or by steps of the model's own.

That code runs as a whole, from the first epoch to the last, and a callback hears of its epochs. So this is no `Engine`,
whose caller goes from epoch to epoch. Importing this imports Keras.
"""

from __future__ import annotations

import contextlib
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tuner.errors import TrialError
from tuner.families.own_compiled import in_its_place
from tuner.families.own_network import OwnNetwork
from tuner.objective import OBJECTIVES, Objective, ToldObjective
from tuner.objective.log_loss import cross_entropy
from tuner.space.parameters import Values
from tuner.worker.engines.base import Epoch, Samples
from tuner.worker.evaluation import evaluation_batch

NAME = "fit"
#: Arguments that a `fit` of the user's own may give to Keras' by itself: it is called without them then.
_ITS_OWN = ("batch_size", "verbose", "validation_data")
#: Metrics that are computed here, whatever `fit` tells.
_OURS = frozenset(("accuracy", "loss", *OBJECTIVES))


#: What a `fit` returns that KerasTuner would choose by: a number, one for each repetition, or some by name.
Returned = float | list[Any] | dict[str, Any]


@dataclass(frozen=True)
class Fitted:
    """What became of a training by the user's own code.

    `kept` is the epoch whose weights the network has in the end, with its answers to the validation images, where the
    code ended before the last epoch or went back to another. `returned` is the score that it returned, if any.
    """

    kept: tuple[int, NDArray[np.float32]] | None = None
    returned: Returned | None = None


class _OverError(BaseException):
    """The user's code goes on though it was told to stop. No `except Exception` of theirs takes it."""


class Teller(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Passes on each epoch as it ends.

    Args:
        most: how many epochs there are.
        measured: what becomes of the metrics that `fit` tells.
        take: is given each epoch, and says whether that was enough.
        network: whose training is to stop then.
    """

    def __init__(
        self,
        most: int,
        measured: Callable[[Mapping[str, Any]], Epoch],
        take: Callable[[Epoch], bool],
        network: keras.Model,
    ) -> None:
        super().__init__()
        self._most, self._measured, self._take, self._network = most, measured, take, network
        self.epochs, self.over = 0, False
        self.answers: list[NDArray[np.float32]] = []
        self._names: frozenset[str] = frozenset()

    def __deepcopy__(self, memo: object) -> Teller:
        return self  # tuners hand out copies of callbacks

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Take an epoch; see `keras.callbacks.Callback`."""
        if self.over:
            raise _OverError
        self.epochs += 1
        if self.epochs > self._most:
            problem = f"its fit trains more than the {self._most} epochs that it is given"
            raise TrialError(f"{problem}; leave epochs to its arguments")
        metrics = self._measured(logs or {})
        if self.epochs == 1:
            self._names = frozenset(metrics)
        elif missing := self._names - metrics.keys():
            raise TrialError(f"its fit tells callbacks of {min(missing)} in some epochs alone")
        else:
            for name in metrics.keys() - self._names:
                del metrics[name]
        self.answers.append(metrics.probabilities())
        self.over = self._take(metrics)
        if self.over:
            self._network.stop_training = True


def fit(
    own: OwnNetwork,
    training: Samples,
    validation: Samples | None,
    values: Values,
    epochs: int,
    take: Callable[[Epoch], bool],
) -> Fitted:
    """Train a network by the user's own code, and hand each epoch to `take`, which says whether that was enough.

    Args:
        own: as its family built it.
        training: raw images to train on.
        validation: raw images to validate on, if there are any.
        values: of the trial.
        epochs: how many there are.
        take: is given the metrics of each epoch.

    Raises:
        TrialError: it trains in a way that cannot be followed.
    """
    if "learning_rate" in in_its_place(values, own.asked):
        own.inner.optimizer.learning_rate = float(values["learning_rate"])
    measured = partial(_measured, own, training, validation)
    teller = Teller(epochs, measured, take, own.inner)
    images, labels = _given(own, training)
    options: dict[str, Any] = {"epochs": epochs, "callbacks": [teller], "verbose": 0}
    if validation is not None:
        options["validation_data"] = _given(own, validation)
    if "batch_size" in values and "batch_size" not in own.asked:
        options["batch_size"] = int(values["batch_size"])
    run = own.inner.fit if own.fit is None else partial(own.fit, own.inner)
    returned = None
    with contextlib.suppress(_OverError):
        returned = _call(run, images, labels, options, teller)
    if not teller.epochs:  # code that tells no callback
        take(measured({}))
        return Fitted(returned=returned)
    if validation is None or teller.over:
        return Fitted(returned=returned)
    last = _answers(own, validation)
    same = [number for number, one in enumerate(teller.answers, start=1) if np.array_equal(one, last)]
    if not same:
        problem = "after its last epoch its fit changes the network, to what no epoch was scored with"
        raise TrialError(f"{problem}; leave the weights as the last, or the best, epoch has them")
    return Fitted((same[-1], last) if same[-1] < epochs else None, returned)


def _call(
    run: Callable[..., Any], images: Any, labels: Any, options: dict[str, Any], teller: Teller
) -> Returned | None:
    """Call a `fit` with the arguments that it takes, and without those that it gives to Keras' `fit` by itself.

    Return the score that it returns; None for anything else, such as a history.
    """
    taken = inspect.signature(run).parameters
    kinds = {parameter.kind for parameter in taken.values()}
    if inspect.Parameter.VAR_KEYWORD not in kinds:
        options = {name: value for name, value in options.items() if name in taken}
    required = taken.get("validation_data")
    if required is not None and required.default is inspect.Parameter.empty:
        options.setdefault("validation_data", None)
    while True:
        try:
            if "x" in taken or inspect.Parameter.VAR_POSITIONAL not in kinds:
                returned = run(x=images, y=labels, **options)
            else:
                returned = run(images, labels, **options)
        except TypeError as error:
            twice = re.search(r"multiple values for keyword argument '(\w+)'", str(error))
            if twice is None or twice[1] not in options or teller.epochs:
                raise
            if twice[1] not in _ITS_OWN:
                raise TrialError(f"its fit gives {twice[1]} by itself, which it is given; leave that out") from error
            del options[twice[1]]
        else:
            if isinstance(returned, np.number) or (isinstance(returned, np.ndarray) and returned.ndim == 0):
                returned = float(returned)
            return returned if isinstance(returned, float | int | dict | list) else None


def score_of(returned: Returned | None, objective: Objective) -> float | None:
    """Return the score that a `fit` returned, where trials are chosen by it; None where they are not.

    Raises:
        TrialError: it returned a score and trials are chosen by something else, or none though they are chosen by it.
    """
    if not isinstance(objective, ToldObjective) or objective.by_epoch:
        if returned is None:
            return None
        remedy = 'choose by it with objective = "returned", or return what Keras\' fit returns'
        raise TrialError(f"its fit returns a score of its own, which trials are not chosen by; {remedy}")
    if objective.key:
        if not isinstance(returned, dict) or objective.key not in returned:
            there = ", ".join(map(str, returned)) if isinstance(returned, dict) else type(returned).__name__
            raise TrialError(f"its fit returns {there or 'nothing'}, and {objective.form} is not in it")
        returned = returned[objective.key]
    if isinstance(returned, dict | list) or returned is None:
        what = "nothing" if returned is None else f"a {type(returned).__name__}"
        raise TrialError(f"its fit returns {what}, and {objective.form} is a number")
    score = float(returned)
    if not np.isfinite(score):
        raise TrialError(f"its fit returned {score}")
    return score


def _given(own: OwnNetwork, samples: Samples) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Return images and labels as the user's code takes them: scaled as in front of the network, perhaps as rows."""
    images = samples.every.astype(np.float32)
    if own.brought is not None:
        images = images * np.float32(own.brought[0]) + np.float32(own.brought[1])
    if own.compiled is not None and own.compiled.rows:
        return images, np.eye(own.model.output_shape[-1], dtype=np.float32)[samples.labels]
    return images, samples.labels


def _answers(own: OwnNetwork, samples: Samples) -> NDArray[np.float32]:
    batches = samples.batches(evaluation_batch(own.model, samples.images.shape[1:]))
    parts = [keras.ops.convert_to_numpy(own.model(images, training=False)) for images, _ in batches]
    return np.concatenate(parts).astype(np.float32)


def _measured(own: OwnNetwork, training: Samples, validation: Samples | None, logs: Mapping[str, Any]) -> Epoch:
    """Return an epoch's metrics: what `fit` tells, and what it does not tell of loss and accuracy computed."""
    told = {name: float(value) for name, value in logs.items() if np.ndim(value) == 0 and np.isreal(value)}
    metrics = {name: value for name, value in told.items() if name.removeprefix("val_") not in _OURS}
    if "loss" in told and "accuracy" in told:
        metrics |= {"loss": told["loss"], "accuracy": told["accuracy"]}
    else:
        answers = _answers(own, training)
        metrics["loss"] = told.get("loss", cross_entropy(answers, training.labels))
        metrics["accuracy"] = told.get("accuracy", float((answers.argmax(axis=1) == training.labels).mean()))
    if validation is None:
        return Epoch(metrics, lambda: np.empty((0, 0), np.float32))
    answers = _answers(own, validation)
    metrics["val_accuracy"] = float((answers.argmax(axis=1) == validation.labels).mean())
    metrics["val_loss"] = told.get("val_loss", cross_entropy(answers, validation.labels))
    return Epoch(metrics, lambda: answers)
