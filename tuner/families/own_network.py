"""What becomes of a model that a user's `build(hp)` returns: one from raw pixels to probabilities, nothing in it lost.

Its layers are used as they are, with their weights and states, and not copied. Importing this imports Keras.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from keras.src.models.functional import Functional
from numpy.typing import NDArray

from tuner.datasets.base import Shape
from tuner.errors import InputError, TrialError, one_line, shown, suggestion
from tuner.families.own_compiled import Compiled, compiled_of
from tuner.space.parameters import Value

#: What `scaling` of a user's network may say: what is put in front of it. "own" says that the network scales itself.
SCALINGS: Mapping[str, tuple[float, float] | None] = {
    "none": None,
    "own": None,
    "0 to 1": (1 / 255, 0.0),
    "-1 to 1": (1 / 127.5, -1.0),
}
#: Rows of probabilities sum to 1 within this, in half precision too.
_SUM_TOLERANCE = 0.02
#: Pixels of the images by which it is seen whether a network scales, each image of one value.
_CONSTANTS = (1.0, 64.0, 255.0)
#: Methods of a model by which it trains; with one of its own, a model is trained as itself, by Keras' `fit` or its own.
_TRAINING = ("compile", "fit", "train_step", "test_step", "compute_loss", "compute_metrics")
#: Methods by which Keras asks a model; here, one is called.
_ASKING = ("evaluate", "predict", "predict_step")


@dataclass
class OwnNetwork:
    """A network of a user's own, ready to be trained.

    Args:
        model: takes raw pixels and gives a probability per class.
        scaling: what is done to pixels, in words.
        trained: what is trained in the place of `model`, of the same weights: without the softmax behind its logits.
        inner: what `build` returned.
        brought: factor and offset by which pixels are brought to what `inner` takes; None where they are left.
        compiled: what `build` compiles; None where it does not, or where only the network's own code knows.
        compiles: whether `build` compiles.
        softmax: whether a softmax was put behind its logits.
        steps: methods of its own by which `inner` trains.
        fit: `HyperModel.fit` of the user's own, given its parameters; None where there is none.
        notes: what there is to say of its scaling, lines that go on from the family's name.
        asked: the parameters that `build(hp)` asked for, each as it declares it to KerasTuner, if it does.
    """

    model: keras.Model
    scaling: str
    trained: keras.Model
    inner: keras.Model
    brought: tuple[float, float] | None = None
    compiled: Compiled | None = None
    compiles: bool = False
    softmax: bool = False
    steps: tuple[str, ...] = ()
    fit: Callable[..., Any] | None = None
    notes: tuple[str, ...] = ()
    asked: Mapping[str, Any] = field(default_factory=dict)

    @property
    def trains_itself(self) -> bool:
        """Whether code of the user's own trains it."""
        return bool(self.steps) or self.fit is not None

    def to_save(self) -> keras.Model:
        """Return the model without what `compile` left on it, which a saved file would carry along."""
        _uncompile(self.inner)
        return self.model


def completed(
    model: keras.Model,
    path: str,
    name: str,
    shape: Shape,
    classes: int,
    scaling: Value | None,
    fit: Callable[..., Any] | None = None,
) -> OwnNetwork:
    """Return a user's model with scaled pixels in front, and with what is known of how it is trained.

    Args:
        model: what `build` returned.
        path: how the search file names it.
        name: what the network is to be called.
        shape: height, width and channels of an image.
        classes: how many classes there are.
        scaling: a name in `SCALINGS`; None to see by the model itself whether it scales.
        fit: `HyperModel.fit` of the user's own.

    Raises:
        InputError: it has methods of its own that nothing would call; it takes more than images or gives no
            probabilities; its scaling cannot be seen; there is no such scaling; what it compiles cannot be followed.
        TrialError: it does not take such images, or gives something else than a number per class.
    """
    place = f"family {path}"
    for step in _ASKING:
        if getattr(type(model), step) is not getattr(keras.Model, step):
            raise InputError(place, f"has its own {step}, and networks are asked by a call", f"remove {step}")
    steps = tuple(step for step in _TRAINING if getattr(type(model), step) is not getattr(keras.Model, step))
    if steps and not model.compiled and fit is None:
        raise InputError(place, f"has its own {steps[0]}, and is not compiled", "compile it in build")
    _check_one_of_each(model, place)
    compiles = model.compiled
    compiled = _compiled(model, place, classes, bool(steps or fit))
    given = _given_scaling(scaling)
    problem, own = None, False
    try:
        own = _scales(model, shape)
    except Exception as error:  # noqa: BLE001  # of a user's network, which may not take such images at all
        problem = error
    if scaling is None and not own:
        given = SCALINGS["0 to 1"]
    pixels = keras.Input(shape, name="pixels")
    x = pixels if given is None else keras.layers.Rescaling(*given, name="scale")(pixels)
    try:
        outputs = _plain(model)(x)
        wrapped = keras.Model(pixels, outputs, name=name)
    except ValueError as error:
        raise TrialError(f"{path} does not take images of shape {shape}: {one_line(error)}") from error
    if problem is not None and scaling in (None, "own"):
        remedy = f"write scaling = {' or '.join(map(repr, SCALINGS))} into [search.space]"
        raise InputError(place, f"cannot be seen to scale pixels or not ({one_line(problem, 160)})", remedy)
    if scaling == "own" and not own:
        lacks = f"is 'own', and {path} computes nothing with pixels before its first weights"
        raise InputError("space.scaling", lacks, "leave it out, or write 'none'")
    if wrapped.output_shape != (None, classes):
        raise TrialError(
            f"{path} gives an output of shape {wrapped.output_shape}, not (None, {classes}), one probability per class"
        )
    trained, logits = wrapped, compiled is not None and compiled.logits
    softmax = _lacks_softmax(model, wrapped, shape, logits, place)
    if softmax:
        wrapped = keras.Model(pixels, keras.layers.Softmax(name="probabilities")(outputs), name=name)
    return OwnNetwork(
        wrapped,
        _in_words(given, scaling, own),
        trained,
        model,
        given,
        compiled,
        compiles,
        softmax,
        steps,
        fit,
        _notes(given, scaling, own),
    )


def _compiled(model: keras.Model, place: str, classes: int, trains_itself: bool) -> Compiled | None:
    """Return what a model was compiled with, and take it off where it is put on what is trained."""
    if not trains_itself:
        compiled = compiled_of(model, place, classes)
        _uncompile(model)
        return compiled
    try:
        return compiled_of(model, place, classes)
    except InputError:
        return None  # its own code knows what to do with it


def _lacks_softmax(model: keras.Model, wrapped: keras.Model, shape: Shape, logits: bool, place: str) -> bool:
    """Whether a network gives logits, which its loss is of.

    Raises:
        InputError: it gives no probabilities, and its loss knows of no logits.
    """
    if _ends_in_softmax(model):
        return False
    right, furthest = _sums_of_answers(wrapped, shape)
    if right:
        return False
    if not logits:
        raise InputError(
            place,
            f"gives no probabilities: what it says of an image sums to {furthest:.3g}, not to 1",
            'end it with activation="softmax", or compile it with a loss of from_logits=True',
        )
    return True


def _check_one_of_each(model: keras.Model, place: str) -> None:
    """Refuse a model that takes or gives several things.

    Raises:
        InputError: it does.
    """
    inputs, outputs = (keras.tree.flatten(getattr(model, ends, None) or [None]) for ends in ("inputs", "outputs"))
    if len(inputs) > 1:
        raise InputError(place, f"takes {len(inputs)} inputs, and there are images alone", "let it take one")
    if len(outputs) > 1:
        raise InputError(place, f"gives {len(outputs)} outputs, and one is scored", "let it give the probabilities")


def _plain(model: keras.Model) -> keras.Model:
    """Return a functional model of a class of the user's own as Keras' own, of the same layers.

    What such a class has of its own trains, and its saved file would need it.
    """
    own = not str(type(model).__module__).startswith("keras.")
    if own and isinstance(model, Functional) and type(model).call is Functional.call:
        return keras.Model(model.inputs, model.outputs, name=model.name)
    return model


def _notes(given: tuple[float, float] | None, scaling: Value | None, own: bool) -> tuple[str, ...]:
    """Return what there is to say of scaling before anything is trained."""
    if given is not None and own:
        return (f"scaling = {scaling!r} stands in front of a network that scales pixels itself: they are scaled twice",)
    if given is None and scaling == "none" and not own:
        return ("pixels from 0 to 255 reach its first weights: neither scaling = 'none' nor the network scales them",)
    return (f"pixels are {_in_words(given, scaling, own)}",)


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


def _in_words(given: tuple[float, float] | None, scaling: Value | None, own: bool) -> str:
    if given is None:
        what = "left from 0 to 255 in front of the network"
    else:
        what = "brought to " + ("−1 to 1" if given[1] else "0 to 1") + " in front of the network"
    itself = "which scales them itself"
    if scaling is not None:
        return f"{what}, {itself}, as the search file says" if scaling == "own" else f"{what}, as the search file says"
    return f"{what}, {itself if own else 'which does not scale them'}"


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
