"""A user's own family: a `build(hp)` function or a `keras_tuner.HyperModel` class, given by dotted path."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner.errors import InputError, TrialError
from tuner.families.base import Family, files_in
from tuner.recipe import BATCH_SIZE, COMPILED, RECIPE
from tuner.space.parameters import Values
from tuner.system.own_code import OwnCode
from tuner.system.own_modules import importable, own_attribute, with_files

if TYPE_CHECKING:
    import keras
    import keras_tuner

    from tuner.datasets.base import Shape
    from tuner.families.asked import AskedHyperParameters
    from tuner.families.own_network import OwnNetwork

#: A value of this name in the search file says what is put in front of the network, unless `build` asks for it.
SCALING = "scaling"
#: Settings of the recipe that a network has no use for; the optimizer's and the batch size it may ask for.
RESERVED = frozenset(parameter.name for parameter in RECIPE) - {p.name for p in (*COMPILED, BATCH_SIZE)}


class CustomFamily(OwnCode, Family):
    """The network that `path`, written `package.module:name`, builds.

    Its parameters are those that `build(hp)` asks `hp` for, which building it tells (`own_space.py`). It may take
    `shape` and `classes` too. The network is trained as `build` returns it, with its weights and states, and with what
    it compiles; what the search file names of the recipe takes the place of that. Where it does nothing to its pixels
    before its first weights, a layer that divides by 255 is put in front; `scaling` in the space says otherwise.
    """

    parameters = ()
    place = "family"

    def __init__(self, path: str, folder: Path, files: tuple[str, ...] = ()) -> None:
        module, _, attribute = path.partition(":")
        if not attribute or not all(part.isidentifier() for part in (*module.split("."), attribute)):
            raise InputError("family", f"{path!r} is not written as package.module:name")
        self.path, self.folder, self.files = path, folder, files
        self.module, self.attribute = module, attribute
        self.name = attribute.lower()  # type: ignore[misc]  # an instance has a name where a built-in class has one
        self.label = attribute  # type: ignore[misc]

    def in_file(self) -> tuple[str, str, Path | None]:
        """Return where it is named; see `OwnCode.in_file`."""
        return self.path, self.module, self.folder

    def hash_of_code(self) -> str:
        """Return a hash of the modules and of the network's files; see `OwnCode.hash_of_code`.

        So an edited network is another trial. All of it is read whenever this is asked.
        """
        return with_files(super().hash_of_code(), self.own_files())

    def own_files(self) -> dict[str, Path]:
        """Return the files that the network reads, by the names that the search file gives them.

        Raises:
            InputError: one is not there.
        """
        return files_in(self.folder, self.files, "files", "take it out of files")

    def forget_modules(self) -> None:
        """Let the next build import the user's modules anew, as in a fresh process.

        A module may hold layers, which an earlier training in this process has changed.
        """
        for name in self.own_modules():
            sys.modules.pop(name, None)

    def _builder(self) -> Callable[..., Any]:
        target = own_attribute(self.module, self.attribute, self.folders, "family")
        made = inspect.isclass(target)
        if made or (not inspect.isroutine(target) and hasattr(target, "build")):  # a class, or an object of one
            if issubclass(target if made else type(target), _keras_model()):
                raise InputError("family", f"{self.path!r} is a keras.Model, not a function build(hp) or a HyperModel")
            target = getattr(target() if made else target, "build", None)
        if not callable(target):
            raise InputError("family", f"{self.path!r} is not a function build(hp) or a HyperModel")
        return target  # type: ignore[no-any-return]

    def check_there(self) -> None:
        """Import what builds the networks.

        Raises:
            InputError: it cannot be imported, or is no such thing.
        """
        self._builder()

    def network(self, values: Values, shape: Shape, classes: int) -> keras.Model:
        """Build the network; see `Family.network`."""
        return self.own_network(values, shape, classes).model

    def build(self, hp: keras_tuner.HyperParameters, shape: Shape, classes: int) -> Any:
        """Return what the user's `build(hp)` returns, which may be anything.

        Raises:
            InputError: there is no such function.
            TrialError: it left by `sys.exit`.
        """
        return self._called(self._builder(), hp, shape, classes)

    def _called(self, build: Callable[..., Any], hp: keras_tuner.HyperParameters, shape: Shape, classes: int) -> Any:
        extra = {"shape": shape, "classes": classes}
        try:
            takes = inspect.signature(build).parameters
        except ValueError:
            takes = {}  # type: ignore[assignment]
        try:
            with importable(*self.folders):  # for what it imports only now
                return build(hp, **{name: value for name, value in extra.items() if name in takes})
        except SystemExit as error:
            raise TrialError(f"{self.path} called sys.exit({error.code!r})") from error

    def trains(self) -> bool:
        """Whether it is a `HyperModel` with a `fit` of its own.

        Raises:
            InputError: there is no such function or class.
        """
        return _own_fit(self._builder()) is not None

    def own_network(
        self, values: Values, shape: Shape, classes: int, asked: AskedHyperParameters | None = None
    ) -> OwnNetwork:
        """Build the network and tell what became of what `build(hp)` returned; see `Family.network`.

        Args:
            values: a value for every active parameter.
            shape: height, width and channels of an image.
            classes: how many classes there are.
            asked: what is asked in the place of `values`.

        Raises:
            InputError: `build` gives what no trial could train as it is meant.
        """
        import keras

        from tuner.families.hypermodel import WatchedHyperParameters
        from tuner.families.own_network import completed

        build = self._builder()
        hp = asked or WatchedHyperParameters({name: value for name, value in values.items() if name not in RESERVED})
        model = self._called(build, hp, shape, classes)
        if not isinstance(model, keras.Model):
            raise TrialError(f"{self.path} returned {type(model).__name__}, not a keras.Model")
        if hp.asked.keys() & RESERVED:
            name = min(hp.asked.keys() & RESERVED)
            problem = f"{self.path} asks for {name!r}, which is a setting of the recipe"
            raise InputError("family", problem, "give its own another name")
        scaling = None if SCALING in hp.asked else values.get(SCALING)
        fit = _own_fit(build)
        bound = None if fit is None else partial(fit, hp)
        return replace(completed(model, self.path, self.name, shape, classes, scaling, bound), asked=hp.asked)


def _keras_model() -> type:
    import keras

    return keras.Model  # type: ignore[no-any-return]  # Keras has no types


def _own_fit(build: Callable[..., Any]) -> Callable[..., Any] | None:
    """Return `HyperModel.fit` as the user's class has it, if it is one of its own."""
    import keras_tuner

    instance = getattr(build, "__self__", None)
    fit = getattr(type(instance), "fit", None)
    return None if fit is None or fit is keras_tuner.HyperModel.fit else getattr(instance, "fit")  # noqa: B009
