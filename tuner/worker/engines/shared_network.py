"""What networks share that train by one compiled step: everything but their weights and their runtime scalars.

A *runtime scalar* is a number that the step takes as an input: the rate of each dropout layer, the strength of each L2
penalty. Networks of the same *signature* differ in nothing else. The first one of a signature is copied into a
`SharedNetwork`, whose runtime scalars are variables; each one, the first included, trains in the shared network, so
that a network learns the same alone and in company.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import keras

#: Of Keras, and yet with code, or state outside of their variables, that no configuration tells.
_CODE = ("function", "Lambda", "TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper")
_ADAPTED = ("Normalization", "Discretization", "StringLookup", "IntegerLookup", "TextVectorization")
_UNTOLD = (*_CODE, *_ADAPTED)


@dataclass
class NetworkSignature:
    """What a network is beside its weights: all that a compiled step depends on, and its runtime scalars.

    `text` is alike for networks that may train by one step. `scalars` and `dropouts` hold values and dropout layers by
    their place in the network, `layers` the layers without the dropout layers, in order.
    """

    text: str = ""
    scalars: dict[str, float] = field(default_factory=dict)
    layers: list[keras.Layer] = field(default_factory=list)
    dropouts: dict[str, keras.Layer] = field(default_factory=dict)


class _NoSignatureError(Exception):
    """A network is not told apart from others by what Keras writes down of it."""


def signature_of(network: keras.Model) -> NetworkSignature | None:
    """Return a network's signature; None where Keras' own record of it may not tell everything about it.

    That is a network with layers or functions that are not Keras' own, or one that only its own code can build. The
    signature leaves out names and dropout layers, so that a network without dropout has the signature of one with it.
    """
    signature = NetworkSignature()
    try:
        parts = _parts_of(network, "", signature)
        signature.text = json.dumps(parts, sort_keys=True)
    except (_NoSignatureError, NotImplementedError, KeyError, TypeError, ValueError):
        return None
    return signature if is_told_by_keras(parts) else None


def is_told_by_keras(config: object) -> bool:
    """Whether every object in a configuration is of Keras or of this package, whose configurations tell everything."""
    if isinstance(config, Mapping):
        named = "class_name" in config and "module" in config
        if named and str(config["module"]).split(".")[0] not in ("keras", "tuner"):
            return False
        if config.get("class_name") in _UNTOLD or set(config) == {"value"}:  # the latter is a lambda's code
            return False
        return all(is_told_by_keras(value) for value in config.values())
    return not isinstance(config, list) or all(is_told_by_keras(item) for item in config)


def _parts_of(model: keras.Model, prefix: str, signature: NetworkSignature) -> dict[str, Any]:
    """Return what a model's signature says of it, and add its runtime scalars and layers to `signature`."""
    if type(model) not in (keras.Model, keras.Sequential) and type(model).__name__ != "Functional":
        raise _NoSignatureError
    config = model.get_config()
    if "layers" not in config:
        raise _NoSignatureError
    objects: dict[str, Any] = {layer.name: layer for layer in model.layers}  # a Sequential does not count its input
    places: dict[str, list[Any]] = {}  # where each layer's output comes from: itself, or what a dropout layer is fed
    kept: list[dict[str, Any]] = []
    before: list[Any] = []
    for part in config["layers"]:
        name, nodes = part["config"]["name"], part.get("inbound_nodes")
        layer = objects.get(name)
        if layer is not None and type(layer) is keras.layers.Dropout and layer.noise_shape is None:
            places[name] = source = before if nodes is None else _only_source(nodes, places)
            if layer.rate:
                place = f"dropout behind {source}"
                _add_scalar(signature, place, float(layer.rate))
                signature.dropouts[place] = layer
            continue
        place = f"{prefix}{len(kept)}"
        places[name] = before = [place]
        said = part["config"] if layer is None else _parts_of_layer(layer, part["config"], place, signature)
        origin = {key: part.get(key) for key in ("class_name", "module", "registered_name")}
        kept.append({**origin, "config": _without_name(said), "inbound_nodes": _renamed(nodes, places)})
    ends = {key: _renamed(config.get(key), places) for key in ("input_layers", "output_layers")}
    return {"layers": kept, "trainable": config.get("trainable"), **ends}


def _parts_of_layer(
    layer: keras.Layer, config: dict[str, Any], place: str, signature: NetworkSignature
) -> dict[str, Any]:
    if isinstance(layer, keras.Model):
        return _parts_of(layer, f"{place}.", signature)
    signature.layers.append(layer)
    said = {**config, "learns": [bool(variable.trainable) for variable in layer.variables]}
    if _has_penalty(layer):
        said["kernel_regularizer"] = None
        _add_scalar(signature, f"l2 of {place}", float(layer.kernel_regularizer.l2))
    return said


def _without_name(config: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key != "name"}


def _has_penalty(layer: keras.Layer) -> bool:
    return type(getattr(layer, "kernel_regularizer", None)) is keras.regularizers.L2


def _add_scalar(signature: NetworkSignature, place: str, value: float) -> None:
    if place in signature.scalars:
        raise _NoSignatureError
    signature.scalars[place] = value


def _only_source(nodes: list[Any], places: dict[str, list[Any]]) -> list[Any]:
    """Return the origin of what a layer is fed, which it must be once."""
    histories = _histories(nodes)
    if len(histories) != 1 or nodes[0]["kwargs"].get("training"):
        raise _NoSignatureError
    return _origin(histories[0], places)


def _origin(history: list[Any], places: dict[str, list[Any]]) -> list[Any]:
    """Return where a tensor comes from: place, node and output."""
    place = places[history[0]]
    return place if len(place) > 1 else [*place, *history[1:]]


def _histories(part: object) -> list[list[Any]]:
    """Return the origin, `[layer, node, tensor]`, of every tensor in a part of a configuration."""
    if isinstance(part, Mapping):
        if "keras_history" in part:
            return [list(part["keras_history"])]
        return [history for value in part.values() for history in _histories(value)]
    if isinstance(part, list | tuple):
        return [history for value in part for history in _histories(value)]
    return []


def _renamed(part: Any, places: dict[str, list[Any]]) -> Any:
    """Return a part of a configuration with places for the names of layers."""
    if isinstance(part, Mapping):
        return {key: _renamed(value, places) for key, value in part.items()}
    if isinstance(part, list | tuple):
        if len(part) == 3 and isinstance(part[0], str) and part[0] in places:
            return _origin(list(part), places)
        return [_renamed(value, places) for value in part]
    return part


class SharedNetwork:
    """A copy of a network whose runtime scalars are variables, in which any network of its signature trains.

    Args:
        network: any Keras model.
        signature: what `signature_of` returned for it.
    """

    def __init__(self, network: keras.Model, signature: NetworkSignature) -> None:
        self.scalars = {
            place: keras.Variable(value, trainable=False, dtype="float32") for place, value in signature.scalars.items()
        }
        copies: dict[int, keras.Layer] = {}
        places = {id(layer): place for place, layer in signature.dropouts.items()}
        penalties = _penalties(signature)

        def copy_of(layer: keras.Layer) -> keras.Layer:
            place = places.get(id(layer))
            config = layer.get_config()
            if place is not None:
                copies[id(layer)] = _Dropout(self.scalars[place], name=layer.name, dtype=layer.dtype_policy)
            else:
                copies[id(layer)] = type(layer).from_config(config)
                if id(layer) in penalties:
                    copies[id(layer)].kernel_regularizer = _Penalty(self.scalars[penalties[id(layer)]])
            return copies[id(layer)]

        plain = keras.Model(network.inputs, network.outputs)  # one that is compiled would be copied with its optimizer
        self.network = keras.models.clone_model(plain, clone_function=copy_of, recursive=_has_models(network))
        self._layers = [copies.get(id(layer)) for layer in signature.layers]
        self._dropouts = {place: copies[id(layer)] for place, layer in signature.dropouts.items()}

    def trains_as(self, network: keras.Model, signature: NetworkSignature) -> bool:
        """Whether the copy has variables for all of a network's and learns the same ones.

        What is frozen may stand in flags that no configuration tells: of a variable, or of a model around layers.
        """
        pairs: list[tuple[keras.Variable, keras.Variable]] = []
        for layer, copy in zip(signature.layers, self._layers, strict=True):
            ours = copy.variables if copy is not None else []
            if len(ours) != len(layer.variables):
                return False
            pairs += zip(layer.variables, ours, strict=True)
        learned = {id(variable) for variable in network.trainable_variables}
        ours_learned = {id(variable) for variable in self.network.trainable_variables}
        return all((id(theirs) in learned) == (id(ours) in ours_learned) for theirs, ours in pairs) and (
            len(learned) == len(ours_learned)
        )

    def takes(self, signature: NetworkSignature) -> bool:
        """Whether a network of the same signature has no runtime scalar that this shared network lacks."""
        return signature.scalars.keys() <= self.scalars.keys()

    def load(self, signature: NetworkSignature) -> None:
        """Take over a network's weights, runtime scalars and states of its random generators."""
        self._copy(signature, inwards=True)
        for place, scalar in self.scalars.items():
            scalar.assign(signature.scalars.get(place, 0.0))
        for place, layer in signature.dropouts.items():
            self._dropouts[place].seed_generator.state.assign(layer.seed_generator.state)

    def store(self, signature: NetworkSignature) -> None:
        """Give the weights and the states of random generators back to the network that was loaded."""
        self._copy(signature, inwards=False)
        for place, layer in signature.dropouts.items():
            layer.seed_generator.state.assign(self._dropouts[place].seed_generator.state)

    def _copy(self, signature: NetworkSignature, inwards: bool) -> None:
        for layer, copy in zip(signature.layers, self._layers, strict=True):
            for theirs, ours in zip(layer.variables, copy.variables if copy is not None else (), strict=True):
                if inwards:
                    ours.assign(theirs)
                else:
                    theirs.assign(ours)


def _penalties(signature: NetworkSignature) -> dict[int, str]:
    """Return the place of the penalty of each layer that has one, by the layer's identity."""
    places = [place for place in signature.scalars if place not in signature.dropouts]
    layers = [layer for layer in signature.layers if _has_penalty(layer)]
    return {id(layer): place for layer, place in zip(layers, places, strict=True)}


def _has_models(network: keras.Model) -> bool:
    return any(isinstance(layer, keras.Model) for layer in network.layers)


class _Dropout(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Keras' dropout with a variable for its rate; at rate 0 every number passes as it is."""

    def __init__(self, rate: keras.Variable, **options: Any) -> None:
        super().__init__(**options)
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator()
        self.supports_masking = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training:
            return inputs
        rate = keras.ops.cast(self.rate, inputs.dtype)
        drawn = keras.random.uniform(keras.ops.shape(inputs), dtype=inputs.dtype, seed=self.seed_generator)
        return keras.ops.where(drawn >= rate, inputs / (1 - rate), keras.ops.zeros_like(inputs))


class _Penalty(keras.regularizers.Regularizer):  # type: ignore[misc]
    """Keras' L2 penalty with a variable for its strength."""

    def __init__(self, strength: keras.Variable) -> None:
        self.strength = strength

    def __call__(self, x: Any) -> Any:
        return keras.ops.cast(self.strength, x.dtype) * keras.ops.sum(keras.ops.square(x))
