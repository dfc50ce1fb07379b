"""Saved models that only their author's own code can make again, for whoever trusts that code by name.

Of such a file its weights alone are read. The network is built by the module that the model's trial names, as it was
built to be trained, and takes these weights over; so nothing that the file says is run. For example, a model of
`family = "mynet:build"` with a Lambda layer, for `tuner verify NAME --trust mynet`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner.datasets.base import Shape
from tuner.errors import InputError, TrialError, TunerError, one_line
from tuner.families.custom import CustomFamily
from tuner.space.parameters import Values
from tuner.system.quiet import import_keras, silence
from tuner.system.waiting import doing
from tuner.untrusted.checked_json import strict_json
from tuner.untrusted.saved_model import SavedModel, checked_model, checked_weights, load_checked
from tuner.untrusted.sizes import MOST_CARD, read_at_most

if TYPE_CHECKING:
    import keras


def checked_or_trusted(path: Path, trusted: Collection[str] = ()) -> tuple[SavedModel, Callable[[], keras.Model]]:
    """Look at a saved model, and return what loads it: in safe mode, or by a trusted module that its card names.

    Args:
        path: the `.keras` file.
        trusted: names of modules.

    Raises:
        InputError: it may not be loaded, and is of no trusted module.
    """
    try:
        saved = checked_model(path)
    except InputError as error:
        again = _of_card(path)
        if again is None:
            raise
        family, source, values, shape, classes = again
        if family.module not in trusted:
            raise InputError(error.place, error.problem, remedy_of(family.module)) from error
        return checked_weights(path), partial(made_again, path, family, source, values, shape, classes)
    return saved, partial(load_checked, saved)


def remedy_of(module: str) -> str:
    """Return what to do about a model that only this module can make again."""
    return f"if you trust the module {module}, whose code then runs, let it make the network again: --trust {module}"


def made_again(
    path: Path, family: CustomFamily, source: str, values: Values, shape: Shape, classes: int
) -> keras.Model:
    """Return the network that a trusted module builds, with the weights of a saved file.

    Args:
        path: the file, whose weights have been checked.
        family: what builds it; its module is imported.
        source: the hash of the code by which the model was trained.
        values: of its trial.
        shape: height, width and channels of an image.
        classes: how many there are.

    Raises:
        InputError: the code is not there or is another one, or does not build the network of these weights.
    """
    if family.source_hash() != source:
        problem = f"was trained by other code than {family.module} has now"
        raise InputError(str(path), problem, "put the module back as it was then")
    import_keras()
    import keras

    try:
        with doing(f"building {family.path} again"), silence():
            keras.config.set_dtype_policy("float32")
            network = family.own_network(values, shape, classes).to_save()
            network.load_weights(path)
    except TunerError:
        raise
    except (Exception, SystemExit) as error:  # a network of the user's may raise anything
        problem = str(error) if isinstance(error, TrialError) else one_line(error, 160)
        raise InputError(str(path), f"{family.path} does not make its network again ({problem})") from error
    network.run_eagerly = True  # its code may take no other
    return network


def _of_card(path: Path) -> tuple[CustomFamily, str, dict[str, Any], Shape, int] | None:
    """Return what the card beside a model tells of its making; None where it tells nothing of the kind."""
    try:
        card = strict_json(read_at_most(path.with_suffix(".json"), MOST_CARD))
        trial, shape = card["trial"], card["input"]["shape"]
        files = tuple(str(name) for name in card["environment"].get("files", ()))
        family = CustomFamily(str(trial["family"]), Path("searches"), files)
        values: Mapping[str, Any] = {**card["hyperparameters"], **card["recipe"]}
        height, width, channels = (int(side) for side in shape)
        return family, str(trial["source"]), dict(values), (height, width, channels), len(card["class_names"])
    except (InputError, ValueError, KeyError, TypeError, AttributeError):
        return None
