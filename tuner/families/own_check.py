"""What of a user's network would be lost or without effect, found by building it several times before any training.

Importing this imports Keras.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from tuner.datasets.base import Shape
from tuner.errors import InputError, TunerError, one_line
from tuner.families.custom import CustomFamily
from tuner.families.own_compiled import effective_text, in_its_place, trained_with
from tuner.families.own_network import OwnNetwork, take_over
from tuner.recipe import RECIPE, VARIATION
from tuner.recipe.imbalance import IMBALANCE
from tuner.recipe.mixing import MIXING
from tuner.space.parameters import Value, Values
from tuner.untrusted.saved_model import checked_model

#: How far the answers of a network may lie from those of its copy, and of its saved file.
_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Case:
    """A user's network at some values of its parameters, built for some images."""

    family: CustomFamily
    values: Values
    shape: Shape
    classes: int

    def build(self, **changed: Value) -> OwnNetwork:
        """Build the network as every training does: with everything seeded."""
        keras.backend.clear_session(free_memory=False)
        keras.utils.set_random_seed(0)
        return self.family.own_network({**self.values, **changed}, self.shape, self.classes)


def check_kept(case: Case) -> list[str]:
    """Return what there is to say of how a network is scaled and saved, a line each.

    A second network with the first one's weights, as it is saved after a training, has to answer as the first one;
    and so has the saved file.

    Raises:
        InputError: it does not, or the network cannot be saved.
    """
    network, path = case.build(), case.family.path
    place = f"family {path}"
    lines = [f"{path}: {note}" for note in network.notes]
    if network.softmax:
        lines.append(f"{path}: a softmax is put behind its logits, since its loss takes logits")
    for variable in network.model.trainable_variables:  # as a training would change them
        variable.assign(variable * 1.25)
    clean = case.build().to_save()
    try:
        take_over(clean, network.model)
    except ValueError as error:
        remedy = "let build give the same layers each time"
        raise InputError(place, f"built again, it has other weights ({one_line(error, 160)})", remedy) from error
    answers = _answers(clean, case.shape)
    if not _alike(_answers(network.model, case.shape), answers):
        remedy = "keep in weights (add_weight) what is not the same in every build"
        raise InputError(place, "built again and given the same weights, it answers otherwise", remedy)
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "network.keras"
        try:
            clean.save(file)
        except Exception as error:  # a layer of the user's own may raise anything
            remedy = "give layers and models of your own get_config"
            raise InputError(place, f"cannot be saved ({one_line(error, 160)})", remedy) from error
        try:
            checked_model(file)
        except InputError as error:
            again = f"only its own code makes it again: verify and predict take --trust {case.family.module}"
            lines.append(f"{path}: its saved model {error.problem}: {again}")
            return lines
        try:
            loaded = keras.models.load_model(file)
        except Exception as error:  # Keras raises many kinds
            raise InputError(place, f"cannot be loaded once it is saved ({one_line(error, 160)})") from error
    if not _alike(_answers(loaded, case.shape), answers):
        raise InputError(
            place, "saved and loaded again, it answers otherwise", "keep in weights all that it computes with"
        )
    return lines


def check_compiled(case: Case, network: OwnNetwork, names: Collection[str]) -> list[str]:
    """Return what there is to say of what `build` compiles, a line or none.

    Args:
        case: the network, its values without the parts of the recipe that `build` decides.
        network: how it was built.
        names: parameters that are looked at: whether another value of theirs changes what is compiled, and that alone.

    Raises:
        InputError: the search file has a parameter that is of no effect.
    """
    path, instead = case.family.path, in_its_place(case.values, network.asked)
    if network.trains_itself:
        _check_own_training(case, network, instead)
        by = "HyperModel.fit" if network.fit is not None else f"{' and '.join(network.steps)}"
        return [f"{path}: {by} of its own trains it, on arrays of images and labels"]
    if network.compiled is None:
        return []
    for parameter in MIXING:
        if case.values.get(parameter.name):
            problem = f"{path} compiles a loss of its own, which does not know of mixed labels"
            raise InputError(parameter.name, problem, "remove it, or compile nothing in build")
    for name in ("momentum", "nesterov"):
        if name in instead and "optimizer" not in instead:
            raise InputError(name, f"{path} compiles an optimizer of its own", "name optimizer, too, or remove it")
    for name in _own_names(network, names):
        if _is_idle(case, network, name, instead):
            problem = f"{path} uses it only in what it compiles, and {', '.join(instead)} takes the place of that"
            raise InputError(f"space.{name}", problem, "remove one of them")
    return [f"{path}: trained with {trained_with(network.compiled, instead, rate=False)}"]


def _check_own_training(case: Case, network: OwnNetwork, instead: Values) -> None:
    """Refuse parts of the recipe that a training by the user's own code would not know of.

    Raises:
        InputError: it names the first one.
    """
    settable = network.compiles and isinstance(getattr(network.inner.optimizer, "_learning_rate", None), keras.Variable)
    for name in instead:
        if name != "learning_rate" or not settable:
            problem = f"{case.family.path} trains by code of its own, which does not know of it"
            raise InputError(name, problem, f"remove it, or let build ask hp for {name!r}")
    for parameter in VARIATION:
        if case.values.get(parameter.name, parameter.default) != parameter.default:
            problem = f"{case.family.path} trains by code of its own, and images are varied by this tool's alone"
            raise InputError(parameter.name, problem, "remove it, and put such a layer into the network")
    for parameter in IMBALANCE:
        if case.values.get(parameter.name, parameter.default) != parameter.default:
            problem = f"{case.family.path} trains by code of its own, which does not know of it"
            raise InputError(parameter.name, problem, "remove it, and let that code care for uneven classes")


def _own_names(network: OwnNetwork, names: Collection[str]) -> list[str]:
    of_recipe = {parameter.name for parameter in RECIPE}
    return [name for name in network.asked if name in names and name not in of_recipe]


def _is_idle(case: Case, network: OwnNetwork, name: str, instead: Values) -> bool:
    """Whether another value of a parameter changes what `build` compiles, and nothing that is trained."""
    domain = network.asked[name]
    now = case.values.get(name, getattr(domain, "default", None))
    other = next((value for value in getattr(domain, "values", ()) if value != now), None)
    if other is None or not instead:
        return False
    try:
        changed, same = case.build(**{name: other}), case.build()
        now_compiled, then = same.compiled, changed.compiled
        if now_compiled is None or then is None or now_compiled.text == then.text:
            return False
        if effective_text(now_compiled, instead) != effective_text(then, instead):
            return False
        return _content(changed.model) == _content(same.model)
    except TunerError:
        return False
    except Exception:  # noqa: BLE001  # a network of the user's, which other values may make impossible
        return False


def _content(model: keras.Model) -> tuple[str, list[bytes]]:
    """Return all that a network is: its configuration, and its weights."""
    text = json.dumps(model.get_config(), sort_keys=True, default=str)
    weights = [keras.ops.convert_to_numpy(weight).tobytes() for weight in model.weights]
    return re.sub(r" at 0x[0-9a-f]+", "", text), weights


def _answers(model: keras.Model, shape: Shape) -> NDArray[np.float64]:
    images = np.random.default_rng(0).integers(0, 256, (4, *shape)).astype(np.float32)
    answers: NDArray[np.float64] = keras.ops.convert_to_numpy(model(images, training=False)).astype(np.float64)
    return answers


def _alike(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    return one.shape == other.shape and np.allclose(one, other, rtol=0, atol=_TOLERANCE, equal_nan=True)
