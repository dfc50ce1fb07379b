"""`pretrained`: a network of `keras.applications` without its last layer, and a small head that is trained on it."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tuner.errors import InputError, ResourceError, TrialError, one_line, resource_error_of
from tuner.families.base import Family, files_in
from tuner.families.common import L2, dropout, pooling
from tuner.families.work import Work
from tuner.recipe import VARIATION
from tuner.space.parameters import Parameter, Value, Values
from tuner.system.own_modules import with_files

if TYPE_CHECKING:
    import keras

    from tuner.datasets.base import Shape
    from tuner.space.space import Space

#: What a backbone takes pixels as, from 0 to 255, and how it was trained: -1 to 1; blue first, less the means of
#: ImageNet (as Caffe has it); 0 to 1, less the means, in units of the deviations (as PyTorch has it); or as they are.
Pixels = Literal["-1 to 1", "caffe", "torch", "own"]
#: Means and deviations of ImageNet's pixels, red, green and blue, as `keras.applications.imagenet_utils` has them.
_CAFFE_MEANS = (123.68, 116.779, 103.939)
_TORCH_MEANS, _TORCH_DEVIATIONS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Backbone:
    """A network of `keras.applications`.

    `function` makes it, `pixels` is what it takes, `work` its millions of multiply-adds for an image of 224x224, and
    `alphas` are the widths that there are ImageNet weights of, where it has a width.
    """

    function: str
    pixels: Pixels
    work: float
    alphas: tuple[float, ...] = ()


#: The backbones by name; a new one is a line here.
BACKBONES: dict[str, Backbone] = {
    "mobilenet": Backbone("MobileNet", "-1 to 1", 568, (0.25, 0.5, 0.75, 1.0)),
    "mobilenet_v2": Backbone("MobileNetV2", "-1 to 1", 299, (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)),
    "mobilenet_v3_small": Backbone("MobileNetV3Small", "own", 55, (0.75, 1.0)),
    "mobilenet_v3_large": Backbone("MobileNetV3Large", "own", 214, (0.75, 1.0)),
    "efficientnet_b0": Backbone("EfficientNetB0", "own", 385),
    "efficientnet_v2_b0": Backbone("EfficientNetV2B0", "own", 717),
    "resnet_50": Backbone("ResNet50", "caffe", 3_856),
    "resnet_50_v2": Backbone("ResNet50V2", "-1 to 1", 3_480),
    "densenet_121": Backbone("DenseNet121", "torch", 2_833),
    "convnext_tiny": Backbone("ConvNeXtTiny", "own", 4_455),
    "nasnet_mobile": Backbone("NASNetMobile", "-1 to 1", 563),
    "xception": Backbone("Xception", "-1 to 1", 4_551),
}
_WITH_ALPHA = tuple(name for name, backbone in BACKBONES.items() if backbone.alphas)
#: What `weights` says beside the name of a file.
IMAGENET, NO_WEIGHTS = "imagenet", "none"
#: How many pixels a side have the images that `work` is of.
_SIDE = 224
#: The parts of the network by their names in it.
BACKBONE, HEAD = "backbone", "head"
#: The size that a network brings images to by itself.
RESIZE = "resize"
#: The layers of a head that have a kernel.
HEAD_LAYERS = ("dense_1", "probabilities")
#: What the first stage of a fine-tuning is told by, and all parameters of it.
HEAD_EPOCHS, HEAD_RATE = "head_epochs", "head_learning_rate"
STAGE = (HEAD_EPOCHS, HEAD_RATE)


def _is_weights(value: str) -> None:
    if value not in (IMAGENET, NO_WEIGHTS) and not value.endswith(".h5"):
        raise ValueError(f"{value!r} is not {IMAGENET!r}, {NO_WEIGHTS!r} or the name of an .h5 file")


class Pretrained(Family):
    """A network that was trained on ImageNet, its features averaged, and a head of one or two dense layers on them.

    With `fine_tune = 0` the backbone stays as it is, and a trial trains the head alone, on features that are computed
    once for all trials. Otherwise the last part of its layers learns, too, from the first epoch on, or after
    `head_epochs` in which the head learns alone, at a rate of its own. Its batch normalisation stays in inference mode
    throughout, and its dropout is off. Pixels are brought to what the backbone was trained with
    inside the network; grey images are repeated three times. Images have 32 pixels a side or more (of `xception` 71);
    96 to 224 are what the backbones know.

    Args:
        folder: where files of weights lie, that of the search file.
        files: the files of weights that a search names.
    """

    name = "pretrained"
    label = "Pretrained"
    parameters = (
        Parameter(BACKBONE, "mobilenet_v2", tuple(BACKBONES), doc="network of `keras.applications`"),
        Parameter(
            "alpha",
            1.0,
            (0.35, 0.5, 1.0),
            low=0.05,
            high=4,
            doc="width of the backbone; ImageNet has weights for some",
            when=(BACKBONE, _WITH_ALPHA),
        ),
        Parameter(
            "weights",
            IMAGENET,
            doc=f"`{IMAGENET}`, which Keras downloads once, `{NO_WEIGHTS}` for random ones, or an `.h5` file in the "
            "search file's folder, without the last layer",
            verify=_is_weights,
        ),
        Parameter("fine_tune", 0.0, low=0, high=1, doc="share of the backbone's layers that learn, the last ones"),
        Parameter(
            HEAD_EPOCHS,
            0,
            low=0,
            high=1_000_000,
            doc="epochs, of all, in which the head learns alone before the backbone's layers do, too",
            idle=0,
            above=("fine_tune", 0),
        ),
        Parameter(
            HEAD_RATE,
            1e-3,
            low=1e-12,
            high=1e3,
            doc="`learning_rate` of these epochs",
            above=(HEAD_EPOCHS, 0),
        ),
        Parameter(
            RESIZE,
            0,
            low=0,
            high=2_048,
            doc="pixels a side to which the network brings images, which `image_size` reads as large as the largest; "
            "0 for none",
        ),
        pooling("average"),
        Parameter("dense_units", 0, (0, 64, 256), low=0, high=100_000, doc="units of a hidden layer; 0 for none"),
        dropout(0.0, "share of features, and of hidden units, dropped in training"),
        L2,
    )

    def __init__(self, folder: Path = Path(), files: tuple[str, ...] = ()) -> None:
        self.folder, self.files = folder, files

    def reading(self, space: Space) -> Pretrained:
        """Return the same with the files of weights that a space names; see `Family.reading`."""
        named = space.domains["weights"].grid() if "weights" in space.domains else ()
        return Pretrained(self.folder, tuple(str(name) for name in named if name not in (IMAGENET, NO_WEIGHTS)))

    def own_files(self) -> dict[str, Path]:
        """Return the files of weights by their names; see `Family.own_files`."""
        remedy = f"write {IMAGENET!r} for weights that Keras downloads"
        return files_in(self.folder, self.files, "space.weights", remedy)

    def source_hash(self) -> str:
        """Return a hash of the files of weights; see `Family.source_hash`."""
        try:
            return with_files("", self.own_files())
        except OSError as error:
            raise InputError("space.weights", f"{error.filename} cannot be read ({error.strerror})") from error

    def work(self, values: Values, shape: Shape, classes: int) -> float:
        """Count the multiply-adds of an image; see `Family.work`. A frozen backbone has seen it before."""
        head = Work((1, 1, 1_280))
        if values["dense_units"]:
            head.dense(int(values["dense_units"]))
        head.dense(classes)
        if not self.is_frozen(values):
            side = float(values[RESIZE])
            area = side * side if side else shape[0] * shape[1]
            width = float(values.get("alpha", 1.0))
            head.total += 1e6 * BACKBONES[str(values[BACKBONE])].work * area / _SIDE**2 * width * width
        return head.total

    @staticmethod
    def is_frozen(values: Values) -> bool:
        """Whether nothing of the backbone learns."""
        return not values["fine_tune"]

    @staticmethod
    def head_epochs(values: Values) -> int:
        """Return after how many epochs of the head alone the backbone's layers learn, too; 0 where they do at once."""
        return int(values.get(HEAD_EPOCHS, 0)) if values["fine_tune"] else 0

    def takes_features(self, values: Values) -> bool:
        """Whether a head learns alone, throughout or at first, on features that are computed once."""
        return self.is_frozen(values) or bool(self.head_epochs(values))

    def without_features_by(self, values: Values) -> list[str]:
        """Return which parameters keep a trial from training its head on features; none where it does so.

        Images that vary from epoch to epoch have no features that stay, nor has a backbone that learns.
        """
        names = [parameter.name for parameter in VARIATION if values.get(parameter.name) not in (None, 0, "none")]
        if values.get("precision", "float32") != "float32":
            names.append("precision")
        return names if self.takes_features(values) else ["fine_tune", *names]

    def of_backbone(self, values: Values, shape: Shape, seed: int, source: str) -> str:
        """Return a hash of all that decides what a frozen backbone makes of an image.

        Args:
            values: of a trial.
            shape: height, width and channels of an image.
            seed: of the trial, which random weights depend on.
            source: the hash of the files of weights.
        """
        names = (BACKBONE, "alpha", "weights", RESIZE, "pooling")
        told: dict[str, Any] = {name: values.get(name) for name in names}
        random = {"seed": seed} if values["weights"] == NO_WEIGHTS else {}
        text = json.dumps({**told, "shape": list(shape), "source": source, **random}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def network(self, values: Values, shape: Shape, classes: int) -> keras.Model:
        """Build the network; see `Family.network`."""
        import keras

        backbone = self.backbone(values, shape)
        head = self.head(values, int(backbone.output_shape[-1]), classes)
        pixels = keras.Input(shape, name="pixels")
        return keras.Model(pixels, head(backbone(pixels, training=False)), name=self.name)

    def backbone(self, values: Values, shape: Shape) -> keras.Model:
        """Build what is in front of the head: from raw pixels, `(n, *shape)`, to features, `(n, width)`.

        Raises:
            TrialError: it does not take such images, or a file holds no such weights.
            ResourceError: ImageNet's weights cannot be had.
        """
        import keras
        from keras import layers

        row = BACKBONES[str(values[BACKBONE])]
        if shape[2] not in (1, 3):
            raise TrialError(
                f"{row.function} takes grey images or such of three colours, and these have {shape[2]} channels"
            )
        side = int(values[RESIZE])
        inner = (side, side) if side else (shape[0], shape[1])
        pixels = keras.Input(shape, name="raw_pixels")
        x = layers.Resizing(side, side, name="resized")(pixels) if side and inner != shape[:2] else pixels
        if shape[2] == 1:
            x = layers.Concatenate(name="grey_three_times")([x, x, x])
        network = self._application(row, values, inner)
        if self.is_frozen(values):
            network.trainable = False
        else:
            _thaw(network, float(values["fine_tune"]))
        x = network(_brought(x, row.pixels), training=False)
        pool = layers.GlobalMaxPooling2D if values["pooling"] == "max" else layers.GlobalAveragePooling2D
        return keras.Model(pixels, pool(name="features", dtype="float32")(x), name=BACKBONE)

    def _application(self, row: Backbone, values: Values, side: tuple[int, int]) -> keras.Model:
        import keras

        weights: Value | None = values["weights"]
        if weights == NO_WEIGHTS:
            weights = None
        elif weights != IMAGENET:
            weights = str(self.folder / str(weights))
        options: dict[str, Any] = {"include_top": False, "weights": weights, "input_shape": (*side, 3)}
        if row.alphas:
            options["alpha"] = float(values["alpha"])
        what = f"{row.function} with weights = {values['weights']!r}"
        try:
            with _downloading() if weights == IMAGENET else nullcontext():
                made: keras.Model = getattr(keras.applications, row.function)(**options)
        except MemoryError:
            raise
        except Exception as error:  # of h5py, of a download, of Keras: too small an image, weights of another network
            if "ResourceExhausted" in type(error).__name__ or resource_error_of(error) is not None:
                raise
            if weights == IMAGENET and not isinstance(error, ValueError):
                remedy = "connect to the network, or put an .h5 file beside the search file and name it as weights"
                raise ResourceError(what, one_line(error, 200), remedy) from error
            if "Input size must be at least" in str(error):
                small = f"images of {side[0]}x{side[1]} pixels are too small for {row.function}"
                raise TrialError(f"{small}; raise image_size, or let resize bring them to more") from error
            fits = "" if weights is None else " (a file fits one backbone at one alpha, without its last layer)"
            raise TrialError(f"{what} cannot be built{fits}: {one_line(error, 200)}") from error
        for layer in made._flatten_layers():
            if isinstance(layer, keras.layers.Dropout):
                layer.rate = 0.0  # an outer call in training reaches inside, whatever the call in between says
        return made

    def head(self, values: Values, width: int, classes: int) -> keras.Model:
        """Build what is trained on features, `(n, width)`: it gives probabilities, `(n, classes)`."""
        import keras

        from tuner.families.layers import class_probabilities, dense_stack, dropped

        features = keras.Input((width,), name="features_of_the_backbone")
        x = dropped(features, values["dropout"], "dropout")
        if values["dense_units"]:
            recipe = {**values, "batch_norm": False, "activation": "relu"}
            x = dense_stack(x, [values["dense_units"]], recipe, after=values["dropout"])
        return keras.Model(features, class_probabilities(x, classes), name=HEAD)


def one_of_each_backbone(configurations: Iterable[Mapping[str, Value]]) -> list[dict[str, Value]]:
    """Return the first configuration with each backbone and its weights: whether these can be had is seen by them."""
    found: dict[tuple[Value | None, ...], dict[str, Value]] = {}
    for values in configurations:
        found.setdefault(tuple(values.get(name) for name in (BACKBONE, "alpha", "weights", RESIZE)), dict(values))
    return list(found.values())


def give_head(network: keras.Model, head: keras.Model) -> None:
    """Give a whole network the weights of a head that was trained on its backbone's features."""
    network.get_layer(HEAD).set_weights(head.get_weights())


@contextmanager
def _downloading() -> Iterator[None]:
    """Let one process at a time look for weights, and download them where they are not there: Keras holds no lock."""
    from filelock import FileLock

    folder = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "tuner-weights.lock")
        lock.acquire()
    except OSError:  # a home that cannot be written to, of which Keras makes another one
        yield
        return
    try:
        yield
    finally:
        lock.release()


def _thaw(network: keras.Model, share: float) -> None:
    """Let the last layers of a network learn, a share of those with weights, but for batch normalisation."""
    import keras

    norms = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    having = [layer for layer in network.layers if layer.weights and layer not in norms]
    frozen = len(having) - math.ceil(share * len(having))
    for layer in (*norms, *having[:frozen]):
        layer.trainable = False


def _brought(x: keras.KerasTensor, pixels: Pixels) -> keras.KerasTensor:
    """Bring pixels from 0 to 255 to what a backbone was trained with."""
    import keras
    from keras import layers

    if pixels == "-1 to 1":
        return layers.Rescaling(1 / 127.5, offset=-1, name="scale")(x)
    if pixels == "caffe":
        x = layers.Rescaling(1.0, offset=[-mean for mean in _CAFFE_MEANS], name="scale")(x)
        return keras.ops.flip(x, axis=-1)
    if pixels == "torch":
        scale = [1 / (255 * deviation) for deviation in _TORCH_DEVIATIONS]
        offset = [-mean / deviation for mean, deviation in zip(_TORCH_MEANS, _TORCH_DEVIATIONS, strict=True)]
        return layers.Rescaling(scale, offset=offset, name="scale")(x)
    return x
