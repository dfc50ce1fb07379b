"""A user's own family: a `build(hp)` function or a `keras_tuner.HyperModel` class, given by dotted path."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner.datasets.base import Shape
from tuner.errors import InputError, TrialError, one_line, suggestion
from tuner.families.base import Family
from tuner.parameters import Values
from tuner.recipe import BATCH_SIZE, COMPILED, RECIPE

if TYPE_CHECKING:
    import keras


#: Settings of the recipe that a network has no use for; the optimizer's and the batch size it may ask for.
_RESERVED = frozenset(parameter.name for parameter in RECIPE) - {p.name for p in (*COMPILED, BATCH_SIZE)}


class CustomFamily(Family):
    """The network that `path`, written `package.module:name`, builds.

    Its parameters are those that the search file names; `build(hp)` finds their values in `hp` and gets its own
    defaults for the rest. It may take `shape` and `classes` too. The model may be compiled or not: the recipe
    compiles it again. Where it has no `Rescaling` or `Normalization` layer, one that divides by 255 is put in
    front, so that the saved model takes raw pixels.
    """

    parameters = ()

    def __init__(self, path: str, folder: Path) -> None:
        module, _, attribute = path.partition(":")
        if not attribute or not all(part.isidentifier() for part in (*module.split("."), attribute)):
            raise InputError("family", f"{path!r} is not written as package.module:name")
        self.path, self.folder = path, folder
        self.module, self.attribute = module, attribute
        self.name = attribute.lower()  # type: ignore[misc]  # an instance has a name where a built-in class has one
        self.label = attribute  # type: ignore[misc]

    def source_hash(self) -> str:
        """Return a hash of the module's file, so that an edited network is another trial.

        Raises:
            InputError: there is no such module.
        """
        with _importable(self.folder):
            try:
                spec = importlib.util.find_spec(self.module)
            except ModuleNotFoundError:
                spec = None
            except (Exception, SystemExit) as error:  # raised by the package around the module, which is imported
                raise self._not_imported(error) from error
        if spec is None or not spec.origin or not Path(spec.origin).is_file():
            raise InputError("family", f"no module {self.module!r} for {self.path!r}", f"put it in {self.folder}")
        return hashlib.sha256(Path(spec.origin).read_bytes()).hexdigest()[:16]

    def code_folder(self) -> Path | None:
        """Return the folder of the user's that the module is imported from; None for one of an installed package."""
        top = self.module.partition(".")[0]
        folders = (self.folder.resolve(), Path.cwd())
        return next((one for one in folders if (one / top).is_dir() or (one / f"{top}.py").is_file()), None)

    def _not_imported(self, error: BaseException) -> InputError:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = "" if isinstance(error, SyntaxError) else f", {Path(last.filename).name} line {last.lineno}"
        return InputError("family", f"{self.module!r} cannot be imported ({one_line(error, 200)}{where})")

    def _builder(self) -> Callable[..., Any]:
        with _importable(self.folder):
            try:
                module = importlib.import_module(self.module)
            except (Exception, SystemExit) as error:  # a module of the user's may raise anything
                raise self._not_imported(error) from error
        target = getattr(module, self.attribute, None)
        if target is None:
            raise InputError(
                "family", f"{self.module} has no {self.attribute!r}; {suggestion(self.attribute, vars(module))}"
            )
        if inspect.isclass(target):
            instance: Any = target()
            target = getattr(instance, "build", None)
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
        return self.build_watched(values, shape, classes)[0]

    def build_watched(self, values: Values, shape: Shape, classes: int) -> tuple[keras.Model, set[str]]:
        """Build the network and tell which parameters it asked for."""
        import keras

        from tuner.families.hypermodel import WatchedHyperParameters

        build = self._builder()
        hp = WatchedHyperParameters({name: value for name, value in values.items() if name not in _RESERVED})
        extra = {"shape": shape, "classes": classes}
        try:
            takes = inspect.signature(build).parameters
        except ValueError:
            takes = {}  # type: ignore[assignment]
        try:
            model = build(hp, **{name: value for name, value in extra.items() if name in takes})
        except SystemExit as error:
            raise TrialError(f"{self.path} called sys.exit({error.code!r})") from error
        if not isinstance(model, keras.Model):
            raise TrialError(f"{self.path} returned {type(model).__name__}, not a keras.Model")
        if hp.asked & _RESERVED:
            name = min(hp.asked & _RESERVED)
            raise TrialError(f"{self.path} asks for {name!r}, which is a setting of the recipe; call its own otherwise")
        return _on_raw_pixels(model, shape, classes, self), hp.asked


def _on_raw_pixels(model: keras.Model, shape: Shape, classes: int, family: CustomFamily) -> keras.Model:
    import keras

    model = _uncompiled(model, family)
    pixels = keras.Input(shape, name="pixels")
    scales = any(
        isinstance(layer, keras.layers.Rescaling | keras.layers.Normalization)
        for layer in model._flatten_layers(include_self=False)
    )
    x = pixels if scales else keras.layers.Rescaling(1 / 255, name="scale")(pixels)
    try:
        wrapped = keras.Model(pixels, model(x), name=family.name)
    except ValueError as error:
        raise TrialError(f"{family.path} does not take images of shape {shape}: {one_line(error)}") from error
    if wrapped.output_shape != (None, classes):
        raise TrialError(
            f"{family.path} gives an output of shape {wrapped.output_shape}, not (None, {classes}), one "
            "probability per class"
        )
    return wrapped


def _uncompiled(model: keras.Model, family: CustomFamily) -> keras.Model:
    """Return the same network without what `compile` left on it, which a saved file would carry along."""
    import keras

    if any(getattr(type(model), step) is not getattr(keras.Model, step) for step in ("train_step", "compute_loss")):
        raise TrialError(f"{family.path} trains by steps of its own, and the recipe trains by Keras'")
    try:
        return keras.models.clone_model(model)
    except ValueError:  # a subclass of keras.Model, which only its own code can build
        return model


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Make modules in `folder` and in the working folder importable for a moment."""
    paths = [str(folder.resolve()), str(Path.cwd())]
    sys.path[:0] = paths
    try:
        yield
    finally:
        for path in paths:
            sys.path.remove(path)
