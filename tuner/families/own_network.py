"""What becomes of a model that a user's `build(hp)` returns: one from raw pixels to probabilities, nothing in it lost.

Its layers are used as they are, with their weights and states, and not copied. Importing this imports Keras.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tuner.datasets.base import Shape
from tuner.errors import InputError, TrialError, one_line, shown, suggestion
from tuner.space.parameters import Value

#: What `scaling` of a user's network may say: what is put in front of it.
SCALINGS: Mapping[str, tuple[float, float] | None] = {
    "none": None,
    "0 to 1": (1 / 255, 0.0),
    "-1 to 1": (1 / 127.5, -1.0),
}
#: Rows of probabilities sum to 1 within this, in half precision too.
_SUM_TOLERANCE = 0.02
#: Pixels of the images by which it is seen whether a network scales, each image of one value.
_CONSTANTS = (1.0, 64.0, 255.0)
#: Methods of a model by which Keras trains, scores and is called: a user's own would never be called.
_STEPS = (
    "compile", "fit", "evaluate", "predict", "train_step", "test_step", "predict_step", "compute_loss",
    "compute_metrics",
)  # fmt: skip


@dataclass
class OwnNetwork:
    """A network of a user's own, ready to be compiled with the recipe.

    Args:
        model: takes raw pixels and gives a probability per class.
        scaling: what is done to pixels, in words.
        compiled: what `build` compiled, as text that is the same for the same; empty if it did not compile.
        compiled_with: the same in words.
        softmax: whether a softmax was put behind its logits.
        asked: the parameters that `build(hp)` asked for, each as it declares it to KerasTuner, if it does.
    """

    model: keras.Model
    scaling: str
    compiled: str = ""
    compiled_with: str = ""
    softmax: bool = False
    asked: Mapping[str, Any] = field(default_factory=dict)


def completed(
    model: keras.Model, path: str, name: str, shape: Shape, classes: int, scaling: Value | None
) -> OwnNetwork:
    """Return a user's model with scaled pixels in front, and without what `compile` left on it.

    Args:
        model: what `build` returned.
        path: how the search file names it.
        name: what the network is to be called.
        shape: height, width and channels of an image.
        classes: how many classes there are.
        scaling: a name in `SCALINGS`; None to see by the model itself whether it scales.

    Raises:
        InputError: it has steps of its own, which nothing would call; it gives no probabilities; its scaling cannot be
            seen; there is no such scaling.
        TrialError: it does not take such images, or gives something else than a number per class.
    """
    for step in _STEPS:
        if getattr(type(model), step) is not getattr(keras.Model, step):
            raise InputError(f"family {path}", f"has its own {step}, and the recipe trains by Keras'", f"remove {step}")
    compiled, compiled_with, logits = _compiled(model)
    _uncompile(model)
    given = _given_scaling(scaling)
    problem = None
    own = False
    if scaling is None:
        try:
            own = _scales(model, shape)
        except Exception as error:  # noqa: BLE001  # of a user's network, which may not take such images at all
            problem = error
    if scaling is None and not own:
        given = SCALINGS["0 to 1"]
    pixels = keras.Input(shape, name="pixels")
    x = pixels if given is None else keras.layers.Rescaling(*given, name="scale")(pixels)
    try:
        outputs = model(x)
        wrapped = keras.Model(pixels, outputs, name=name)
    except ValueError as error:
        raise TrialError(f"{path} does not take images of shape {shape}: {one_line(error)}") from error
    if problem is not None:
        remedy = f"write scaling = {' or '.join(map(repr, SCALINGS))} into [search.space]"
        raise InputError(f"family {path}", f"cannot be seen to scale pixels or not ({one_line(problem, 160)})", remedy)
    if wrapped.output_shape != (None, classes):
        raise TrialError(
            f"{path} gives an output of shape {wrapped.output_shape}, not (None, {classes}), one probability per class"
        )
    softmax = False
    if not _ends_in_softmax(model) and not (total := _sums_of_answers(wrapped, shape))[0]:
        if not logits:
            raise InputError(
                f"family {path}",
                f"gives no probabilities: what it says of an image sums to {total[1]:.3g}, not to 1",
                'end it with activation="softmax", or compile it with a loss of from_logits=True',
            )
        softmax = True
        wrapped = keras.Model(pixels, keras.layers.Softmax(name="probabilities")(outputs), name=name)
    return OwnNetwork(wrapped, _in_words(given, scaling is not None, own), compiled, compiled_with, softmax)


def take_over(network: keras.Model, trained: keras.Model) -> None:
    """Give a network the weights of another one that was built alike, and what its layers derive from them."""
    network.set_weights(trained.get_weights())
    for layer in network._flatten_layers():
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()  # it computes with a copy of its weights


def _given_scaling(scaling: Value | None) -> tuple[float, float] | None:
    if scaling is None:
        return None
    if scaling not in SCALINGS:
        raise InputError("space.scaling", f"{shown(scaling)} is no scaling; {suggestion(str(scaling), SCALINGS)}")
    return SCALINGS[str(scaling)]


def _in_words(given: tuple[float, float] | None, said: bool, own: bool) -> str:
    if given is None:
        what = "left from 0 to 255 in front of the network"
    else:
        what = "brought to " + ("−1 to 1" if given[1] else "0 to 1") + " in front of the network"
    why = "as the search file says" if said else "which scales them itself" if own else "which does not scale them"
    return f"{what}, {why}"


def _compiled(model: keras.Model) -> tuple[str, str, bool]:
    """Return what a model was compiled with: as text, in words; and whether its loss is one of logits."""
    if not model.compiled:
        return "", "", False
    try:
        text = re.sub(r" at 0x[0-9a-f]+", "", json.dumps(model.get_compile_config(), sort_keys=True, default=str))
    except Exception:  # noqa: BLE001  # a loss of the user's own may not be written down
        text = "compiled"
    loss = model.loss
    logits = bool(getattr(loss, "from_logits", False))
    names = [_name_of(model.optimizer), _name_of(loss)]
    return text, ", ".join(name for name in names if name), logits


def _name_of(part: object) -> str:
    if part is None or isinstance(part, str):
        return part or ""
    return str(getattr(part, "__name__", "") or type(part).__name__)


def _uncompile(model: keras.Model) -> None:
    """Take off a model, and the models in it, what `compile` left: a saved file would carry it along."""
    for part in model._flatten_layers():
        if isinstance(part, keras.Model) and part.compiled:
            part.compiled = False
            for left in ("optimizer", "loss", "_compile_loss", "_compile_metrics", "_loss_tracker"):
                setattr(part, left, None)


class _SeenError(Exception):
    """The first layer that learns has been fed."""


def _scales(model: keras.Model, shape: Shape) -> bool:
    """Whether a model computes with its pixels before the first layer that learns, as by `preprocess_input`.

    It is shown images of one value each. Layers that move, repeat, pad or pool pixels hand that value on.
    """
    for value in _CONSTANTS:
        fed = _fed_to_the_first_that_learns(model, np.full((1, *shape), value, np.float32))
        near = np.abs(fed - value) <= 0.01 * value
        if len(fed) and not (near.any() and (near | (fed == 0)).all()):
            return True
    return False  # or nothing learns: what it is fed then matters to nobody


def _fed_to_the_first_that_learns(model: keras.Model, images: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return all numbers that the first layer with weights to learn is fed, frozen or not; the call ends there."""
    call = keras.layers.Layer.__call__
    fed: list[NDArray[np.float64]] = []

    def watched(layer: keras.layers.Layer, *args: Any, **options: Any) -> Any:
        outputs = call(layer, *args, **options)
        if layer._trainable_variables:  # its own ones, which are known after the call that builds it
            try:
                fed.extend(np.ravel(_array(one)) for one in keras.tree.flatten(args))
            except Exception:  # noqa: BLE001  # no values: Keras is only finding out about shapes
                fed.clear()
            else:
                raise _SeenError
        return outputs

    keras.layers.Layer.__call__ = watched
    try:
        model(images, training=False)
    except _SeenError:
        pass
    finally:
        keras.layers.Layer.__call__ = call
    return np.concatenate(fed) if fed else np.empty(0)


def _array(tensor: Any) -> NDArray[np.float64]:
    array: NDArray[np.float64] = keras.ops.convert_to_numpy(tensor).astype(np.float64)
    return array


def _ends_in_softmax(model: keras.Model) -> bool:
    """Whether a model's last layer is known to give probabilities."""
    history = getattr(model.outputs[0] if getattr(model, "outputs", None) else None, "_keras_history", None)
    if history is None:
        return False
    last = history.operation
    if isinstance(last, keras.Model):
        return _ends_in_softmax(last)
    return isinstance(last, keras.layers.Softmax) or getattr(last, "activation", None) is keras.activations.softmax


def _sums_of_answers(network: keras.Model, shape: Shape) -> tuple[bool, float]:
    """Return whether a network's answers are probabilities, and the sum of them that is furthest from 1."""
    images = np.random.default_rng(0).integers(0, 256, (4, *shape)).astype(np.float32)
    answers = _array(network(images, training=False))
    if not np.isfinite(answers).all():
        return True, np.nan  # which training will say
    sums = answers.sum(axis=1)
    furthest = float(sums[np.abs(sums - 1).argmax()])
    return bool(abs(furthest - 1) <= _SUM_TOLERANCE and answers.min() >= -_SUM_TOLERANCE), furthest
