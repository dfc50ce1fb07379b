"""What engines share that compile a whole epoch: it is kept for the next network of the same signature."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import keras
import numpy as np
from numpy.typing import NDArray

from tuner.worker.engines.base import (
    Engine,
    Epoch,
    Plan,
    Samples,
    State,
    changing,
    check_state,
    has_keras_steps,
    own_metrics,
    restore,
    state_of,
)
from tuner.worker.engines.shared_network import NetworkSignature, SharedNetwork, is_told_by_keras, signature_of

Order = NDArray[np.int64]
#: Runs one epoch in a given order of the training images and returns its metrics, in the order of `Epoch`'s keys, with
#: the probabilities that the validation images got, as the backend has them; None where there are no such images.
EpochFunction = Callable[[Order], tuple[list[float], Any]]

_NAMES = ("loss", "unpenalised_loss", "accuracy", "val_loss", "val_unpenalised_loss", "val_accuracy")
#: So many compiled epochs are kept; a process that is given trials of one kind needs one or two.
_MOST_KEPT = 2


@dataclass
class _Kept:
    """A compiled epoch with the shared network that it trains, and what it holds on to.

    `class_weights` are what it reads its trial's weights from; None where it trains those that have none.
    """

    shared: SharedNetwork
    run: EpochFunction
    optimizer: keras.optimizers.Optimizer
    begin: list[NDArray[Any]]
    random_layers: tuple[keras.Layer, ...]
    class_weights: keras.Variable | None
    samples: tuple[Samples, Samples | None]


class CompiledEngine(Engine):
    """Runs whole epochs with their validation in one compiled call each.

    A network trains in the shared network of its signature where it has one, with the optimizer that the first network
    of the signature was compiled with; otherwise in itself, and compiled for itself alone.
    """

    backend: ClassVar[str]

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[object, ...], _Kept] = OrderedDict()

    @abstractmethod
    def compile(
        self,
        network: keras.Model,
        training: Samples,
        validation: Samples | None,
        plan: Plan,
        scalars: list[keras.Variable],
    ) -> EpochFunction:
        """Return the function that trains `network` for an epoch; its optimizer is built.

        `scalars` are variables that are read and that are not the network's own: its runtime scalars, and the class
        weights of `plan` where these are a variable.
        """

    def takes(self, network: keras.Model) -> bool:
        """Whether the network learns, by Keras' own steps on this backend, with a Keras loss, unscaled.

        And whether nothing is to be measured of it but loss and accuracy, nor run without being compiled.
        """
        return (
            keras.backend.backend() == self.backend
            and network.built
            and bool(network.trainable_variables)
            and has_keras_steps(network)
            and not own_metrics(network)
            and not network.run_eagerly
            and not isinstance(network.optimizer, keras.optimizers.LossScaleOptimizer)
        )

    def fit(
        self,
        network: keras.Model,
        training: Samples,
        validation: Samples | None,
        plan: Plan,
        state: State | None = None,
    ) -> Iterator[Epoch]:
        """Fit and yield each epoch's metrics; see `Engine.fit`."""
        kept, signature = self._kept_for(network, training, validation, plan)
        if kept is None or signature is None:
            network.optimizer.build(network.trainable_variables)
            variables = changing(network, network.optimizer, plan.random_layers)
            if state is not None:
                check_state(variables, state)
                restore(variables, state)
            run = self.compile(network, training, validation, plan, [])
            for order in plan.orders(training.labels):
                yield _epoch(*run(order), variables)
            return
        variables = changing(network, kept.optimizer, kept.random_layers)
        if state is not None:
            check_state(variables, state)
            restore(network.variables, state[: len(network.variables)])
        kept.shared.load(signature)
        _begin_anew(kept, network, plan)
        if state is not None:
            restore(variables[len(network.variables) :], state[len(network.variables) :])
        for order in plan.orders(training.labels):
            metrics, answers = kept.run(order)
            kept.shared.store(signature)
            yield _epoch(metrics, answers, variables)

    def _kept_for(
        self, network: keras.Model, training: Samples, validation: Samples | None, plan: Plan
    ) -> tuple[_Kept | None, NetworkSignature | None]:
        """Return a compiled epoch for a network like this, and its signature; None where it has to train in itself."""
        signature = signature_of(network)
        key = None if signature is None else _key(signature, network, training, validation, plan)
        if signature is None or key is None:
            return None, None
        kept = self._kept.get(key)
        if network.optimizer.built:  # it goes on from an earlier fit, with variables that belong to that one
            return (kept, signature) if kept is not None and kept.optimizer is network.optimizer else (None, None)
        if kept is None or not kept.shared.takes(signature):
            shared = SharedNetwork(network, signature)
            if not shared.trains_as(network, signature):
                return None, None
            shared.network.compile(network.optimizer, network.loss)
            network.optimizer.build(shared.network.trainable_variables)
            begin = [keras.ops.convert_to_numpy(variable) for variable in network.optimizer.variables]
            weights = None
            if plan.class_weights is not None:
                weights = keras.Variable(plan.class_weights, trainable=False, dtype="float32", name="class_weights")
            scalars = [*shared.scalars.values(), *([] if weights is None else [weights])]
            run = self.compile(shared.network, training, validation, replace(plan, class_weights=weights), scalars)
            kept = _Kept(shared, run, network.optimizer, begin, plan.random_layers, weights, (training, validation))
            self._kept[key] = kept
        self._kept.move_to_end(key)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return kept, signature


def is_told_by_variables(network: keras.Model) -> bool:
    """Whether a compiled network, its optimizer, loss and metrics are Keras' own, which keep all in variables."""
    try:
        parts = [keras.saving.serialize_keras_object(part) for part in (network.optimizer, network.loss)]
    except (NotImplementedError, TypeError, ValueError):
        return False
    return is_told_by_keras(parts) and not own_metrics(network) and signature_of(network) is not None


def _epoch(metrics: list[float], answers: Any, variables: list[keras.Variable]) -> Epoch:
    def probabilities() -> NDArray[np.float32]:
        found = np.empty((0, 0)) if answers is None else keras.ops.convert_to_numpy(answers)
        return found.astype(np.float32)

    return Epoch(dict(zip(_NAMES, metrics, strict=False)), probabilities, partial(state_of, variables))


def _begin_anew(kept: _Kept, network: keras.Model, plan: Plan) -> None:
    """Bring the kept optimizer, class weights, and layers that vary images, to where a network's own ones begin."""
    own = network.optimizer
    if own is not kept.optimizer:
        for variable, value in zip(kept.optimizer.variables, kept.begin, strict=True):
            variable.assign(value)
        if _rate_is_variable(own):
            kept.optimizer.learning_rate.assign(own.learning_rate)
    if kept.class_weights is not None:
        kept.class_weights.assign(plan.class_weights)
    for layer, own_layer in zip(kept.random_layers, plan.random_layers, strict=True):
        if layer is not own_layer:
            for variable, value in zip(layer.variables, own_layer.variables, strict=True):
                variable.assign(value)


def _rate_is_variable(optimizer: keras.optimizers.Optimizer) -> bool:
    return isinstance(optimizer._learning_rate, keras.Variable)


def _key(
    signature: NetworkSignature, network: keras.Model, training: Samples, validation: Samples | None, plan: Plan
) -> tuple[object, ...] | None:
    """Return what names a compiled epoch; None where a part's configuration may not tell all about the part."""
    try:
        optimizer = keras.saving.serialize_keras_object(network.optimizer)
        loss = keras.saving.serialize_keras_object(network.loss)
        varied = [keras.saving.serialize_keras_object(layer) for layer in plan.random_layers]
    except (NotImplementedError, TypeError, ValueError):
        return None
    if not is_told_by_keras([optimizer, loss, varied]):
        return None
    if _rate_is_variable(network.optimizer):
        del optimizer["config"]["learning_rate"]
    recipe = json.dumps(_without([optimizer, loss, varied], ("seed", "name")), sort_keys=True)
    weights = None if plan.class_weights is None else plan.class_weights.shape  # their numbers are read at run time
    return signature.text, recipe, plan.batch_size, weights, id(training), id(validation)


def _without(config: Any, keys: tuple[str, ...]) -> Any:
    if isinstance(config, dict):
        return {key: _without(value, keys) for key, value in config.items() if key not in keys}
    return [_without(item, keys) for item in config] if isinstance(config, list) else config
