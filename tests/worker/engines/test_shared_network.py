"""Networks that share a compiled epoch learn, bit for bit, what each learns alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from tuner.families import FAMILIES
from tuner.recipe import RECIPE, augmenter, compile_network, mixing, steps_per_epoch, use_precision
from tuner.space.space import Configuration, read_space
from tuner.trial import RUNTIME_SCALARS
from tuner.worker.engines import ENGINES, Plan, Samples
from tuner.worker.engines.compiled import CompiledEngine
from tuner.worker.engines.plain import PlainEngine
from tuner.worker.engines.shared_network import signature_of

SHAPE, CLASSES, EPOCHS, BATCH = (16, 16, 1), 3, 2, 16
(FAST,) = (
    type(engine)
    for engine in ENGINES
    if isinstance(engine, CompiledEngine) and engine.backend == keras.backend.backend()
)


class CountingEngine(FAST):  # type: ignore[misc,valid-type]
    """The backend's fast engine, which notes how often it compiles."""

    compiled = 0

    def compile(self, *args: Any) -> Any:
        self.compiled += 1
        return super().compile(*args)


@pytest.fixture(scope="module")
def data() -> tuple[Samples, Samples]:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (88, *SHAPE), dtype=np.uint8)
    labels = rng.integers(0, CLASSES, 88)
    return Samples(images[:56], labels[:56]), Samples(images[56:], labels[56:])


def values_of(family: str, **given: object) -> Configuration:
    (values,) = read_space(given, {}, [*FAMILIES[family].parameters, *RECIPE], {"batch_size": BATCH}).grid()
    return values


Learned = tuple[list[dict[str, float]], list[NDArray[Any]]]


def learn(
    engine: CompiledEngine,
    family: str,
    seed: int,
    data: tuple[Samples, Samples],
    weights: Sequence[float] | None = None,
    **given: object,
) -> Learned:
    """Return the history and the weights of a network of a family that `engine` trained, its classes weighted so."""
    values = values_of(family, **given)
    keras.utils.set_random_seed(seed)
    use_precision(values)
    network = FAMILIES[family].network(values, SHAPE, CLASSES)
    compile_network(network, values, EPOCHS, steps_per_epoch(len(data[0].labels), BATCH))
    of_classes = None if weights is None else np.array(weights, np.float32)
    mixed = mixing(values, CLASSES, seed)
    plan = Plan(EPOCHS, BATCH, seed, augmenter(values, SHAPE, seed), of_classes, mixing=mixed)
    history = list(engine.fit(network, *data, plan))
    use_precision({"precision": "float32"})
    return history, network.get_weights()


def same(one: Learned, other: Learned) -> bool:
    return one[0] == other[0] and all(np.array_equal(a, b) for a, b in zip(one[1], other[1], strict=True))


def compilations(family: str, settings: Sequence[dict[str, Any]], data: tuple[Samples, Samples], **common: Any) -> int:
    """Train trials one after the other in one engine, and return how often it compiled."""
    shared = CountingEngine()
    for seed, given in enumerate(settings):
        learn(shared, family, seed, data, **common, **given)
    return shared.compiled


def together_as_alone(
    family: str, settings: Sequence[dict[str, Any]], data: tuple[Samples, Samples], **common: Any
) -> int:
    """Train trials one after the other in one engine, and each but the first, which finds the engine fresh, in another.

    Return how often the one compiled.
    """
    shared = CountingEngine()
    for seed, given in enumerate(settings):
        together = learn(shared, family, seed, data, **common, **given)
        assert not seed or same(together, learn(FAST(), family, seed, data, **common, **given)), given
    return shared.compiled


@pytest.mark.parametrize(
    ("family", "common"),
    [
        ("ann", {"dense_units": 8}),
        ("ann", {"dense_units": 8, "optimizer": "adam", "batch_norm": True}),
        ("cnn", {"filters": 4, "dense_units": 8, "optimizer": "sgd", "momentum": 0.9}),
        ("cnn", {"filters": 4, "dense_units": 8, "pooling": "average", "batch_norm": True, "optimizer": "adamw"}),
        ("lenet", {}),
        ("resnet", {"filters": 4, "dense_units": 8}),
    ],
    ids=str,
)
def test_trials_that_differ_in_levels_share_one_compiled_epoch(
    family: str, common: dict[str, object], data: tuple[Samples, Samples]
) -> None:
    settings = [
        {"dropout": 0.5, "l2": 0.01, "learning_rate": 0.01},
        {"dropout": 0.0, "l2": 0.1, "learning_rate": 0.001},
    ]
    if family == "ann":
        settings.append({"dropout": 0.25, "l2": 0.0, "learning_rate": 0.003})
    assert together_as_alone(family, settings, data, **common) == 1


def test_every_level_that_makes_trials_kin_is_one_to_the_engine(data: tuple[Samples, Samples]) -> None:
    scalars = [name for name in RUNTIME_SCALARS if name != "head_learning_rate"]  # which pretrained networks alone have
    # All change at once, each from a number of its own to another: one that did not would be told by what is learned.
    high = {scalar: 0.01 if scalar == "learning_rate" else 0.5 - 0.03 * n for n, scalar in enumerate(scalars)}
    low = {scalar: 1e-4 * (n + 1) for n, scalar in enumerate(scalars)}
    assert together_as_alone("cnn", [high, low], data, filters=4, dense_units=8) == 1


@pytest.mark.parametrize("common", [{}, {"loss": "focal", "dropout": 0.5}, {"mixup": 0.4}], ids=str)
def test_trials_that_differ_in_the_numbers_of_class_weights_share_one_compiled_epoch(
    common: dict[str, object], data: tuple[Samples, Samples]
) -> None:
    weights = [0.5, 3.0, 1.25], [2.0, 1.0, 0.1], [1.0, 1.0, 1.0]
    assert together_as_alone("ann", [{"weights": one} for one in weights], data, dense_units=8, **common) == 1


def test_a_trial_without_class_weights_has_an_epoch_without(data: tuple[Samples, Samples]) -> None:
    settings = [{"weights": [2.0, 1.0, 0.1]}, {}, {"weights": [0.5, 3.0, 1.25]}, {}]
    assert together_as_alone("ann", settings, data, dense_units=8) == 2


@pytest.mark.parametrize(
    "common",
    [
        {"flip": "both", "rotation": 20.0, "crop": 2},
        {"schedule": "cosine", "warmup_epochs": 1},
        {"label_smoothing": 0.1},
        {"precision": "mixed_bfloat16", "dropout": 0.5, "l2": 0.01},
        {"weight_decay": 0.01, "optimizer": "sgd", "nesterov": True, "momentum": 0.5},
    ],
    ids=str,
)
def test_repeats_share_whatever_the_recipe(common: dict[str, object], data: tuple[Samples, Samples]) -> None:
    family, sized = ("cnn", {"filters": 4}) if "precision" in common else ("ann", {})
    assert together_as_alone(family, [{}] * 2, data, dense_units=8, **sized, **common) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"dense_units": 8}, {"dense_units": 9}),
        ({"label_smoothing": 0.1}, {"label_smoothing": 0.2}),
        ({"schedule": "cosine"}, {"schedule": "cosine", "learning_rate": 0.1}),
        ({"schedule": "cosine", "warmup_epochs": 1}, {"schedule": "cosine"}),
        ({"optimizer": "sgd"}, {"optimizer": "sgd", "momentum": 0.9}),
        ({"optimizer": "adam"}, {"optimizer": "rmsprop"}),
        ({"activation": "relu"}, {"activation": "tanh"}),
        ({"flip": "horizontal"}, {"flip": "vertical"}),
        ({"flip": "horizontal"}, {}),
        ({"scaling": "0 to 1"}, {"scaling": "-1 to 1"}),
        ({"precision": "float32"}, {"precision": "mixed_bfloat16"}),
    ],
    ids=str,
)
def test_trials_that_differ_in_more_do_not(
    one: dict[str, object], other: dict[str, object], data: tuple[Samples, Samples]
) -> None:
    assert compilations("ann", [one, other], data) == 2


def test_a_level_that_the_first_has_no_place_for_has_an_epoch_of_its_own(data: tuple[Samples, Samples]) -> None:
    assert together_as_alone("ann", [{"dropout": 0.0}, {"dropout": 0.5}], data) == 2


def test_other_data_are_another_epoch(data: tuple[Samples, Samples]) -> None:
    engine = CountingEngine()
    learn(engine, "ann", 0, data)
    learn(engine, "ann", 0, (data[0], Samples(*(part.copy() for part in (data[1].images, data[1].labels)))))
    assert engine.compiled == 2


# --- networks of other people ---


def nested(rate: float) -> keras.Model:
    """A network within a network, with the names that Keras makes up."""
    layers = keras.layers
    inner = keras.Sequential([keras.Input((256,)), layers.Dense(8, kernel_regularizer="l2"), layers.Dropout(rate)])
    pixels = keras.Input(SHAPE)
    x = layers.Dropout(rate / 2)(layers.Flatten()(layers.Rescaling(1 / 255)(pixels)))
    return keras.Model(pixels, layers.Dense(CLASSES, activation="softmax")(inner(x)))


def sequential(rate: float) -> keras.Model:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(SHAPE),
            layers.Conv2D(4, 3, kernel_regularizer=keras.regularizers.L2(rate)),
            layers.SpatialDropout2D(0.3),
            layers.Dropout(rate),
            layers.Flatten(),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )


def branched(rate: float) -> keras.Model:
    """Dropout in one of two branches only, and a layer that is used twice."""
    layers = keras.layers
    pixels = keras.Input(SHAPE)
    flat = layers.Flatten()(layers.Rescaling(1 / 255)(pixels))
    twice = layers.Dense(8)
    x = layers.Add()([twice(flat), layers.Dropout(rate)(twice(flat))])
    return keras.Model(pixels, layers.Dense(CLASSES, activation="softmax")(x))


def train(engine: CompiledEngine, build: Callable[[float], keras.Model], rate: float, data: Any) -> Learned:
    keras.utils.set_random_seed(3)
    network = build(rate)
    network.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
    history = list(engine.fit(network, *data, Plan(2, BATCH, 3)))
    return history, network.get_weights()


@pytest.mark.parametrize("build", [nested, sequential, branched])
def test_a_network_of_ones_own_shares_too(build: Callable[[float], keras.Model], data: tuple[Samples, Samples]) -> None:
    shared = CountingEngine()
    learned = {rate: train(shared, build, rate, data) for rate in (0.5, 0.2, 0.0)}
    for rate in (0.2, 0.0):
        assert same(learned[rate], train(FAST(), build, rate, data))
    assert shared.compiled == 1
    assert not same(learned[0.5], learned[0.2])


class Scaled(keras.layers.Layer):
    """A layer whose factor no configuration tells."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def call(self, x: Any) -> Any:
        return x * self.factor


class Subclassed(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.dense = keras.layers.Dense(CLASSES, activation="softmax")

    def call(self, x: Any) -> Any:
        return self.dense(keras.ops.reshape(x, (-1, 256)) / 255)


def built(network: keras.Model) -> keras.Model:
    network(np.zeros((1, *SHAPE)))
    return network


def with_layer(layer: keras.layers.Layer) -> keras.Model:
    pixels = keras.Input(SHAPE)
    x = keras.layers.Flatten()(layer(pixels))
    return keras.Model(pixels, keras.layers.Dense(CLASSES, activation="softmax")(x))


@pytest.mark.parametrize(
    "build",
    [
        lambda rate: with_layer(Scaled(rate)),
        lambda rate: with_layer(keras.layers.Lambda(lambda x: x * rate, output_shape=SHAPE)),
        lambda rate: with_layer(keras.layers.Activation(lambda x: x * rate)),
        lambda rate: built(Subclassed()),
    ],
    ids=["a layer of one's own", "a Lambda", "a function", "a subclass"],
)
def test_a_network_that_its_configuration_does_not_tell_trains_by_itself(
    build: Callable[[float], keras.Model], data: tuple[Samples, Samples]
) -> None:
    shared = CountingEngine()
    train(shared, build, 0.01, data)
    assert same(train(shared, build, 0.02, data), train(FAST(), build, 0.02, data))
    assert shared.compiled == 2


def test_a_dropout_layer_that_is_used_twice_has_no_level() -> None:
    pixels = keras.Input(SHAPE)
    drop = keras.layers.Dropout(0.5)
    x = keras.layers.Flatten()(keras.layers.Add()([drop(pixels), drop(drop(pixels))]))
    assert signature_of(keras.Model(pixels, keras.layers.Dense(CLASSES)(x))) is None


def test_an_adapted_normalisation_is_not_told_by_its_configuration() -> None:
    norm = keras.layers.Normalization()
    norm.adapt(np.arange(20.0).reshape(-1, 1))
    assert signature_of(keras.Sequential([keras.Input((1,)), norm, keras.layers.Dense(CLASSES)])) is None


def test_levels_are_read_with_their_values() -> None:
    signature = signature_of(sequential(0.25))
    assert signature is not None
    assert sorted(signature.scalars.values()) == [0.25, 0.25]


def test_training_goes_on_where_an_earlier_fit_of_the_same_network_ended(data: tuple[Samples, Samples]) -> None:
    learned = []
    for engine in (FAST(), PlainEngine()):
        keras.utils.set_random_seed(3)
        network = nested(0.0)
        network.compile(keras.optimizers.Adam(), keras.losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
        for seed in range(2):
            list(engine.fit(network, *data, Plan(1, BATCH, seed)))
        assert int(keras.ops.convert_to_numpy(network.optimizer.iterations)) == 8
        learned.append(network.get_weights())
    for one, other in zip(*learned, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-4)


@pytest.mark.parametrize("layer", [keras.layers.Discretization, keras.layers.Normalization])
def test_a_layer_that_was_adapted_shares_nothing_and_learns_as_by_fit(
    layer: type[keras.layers.Layer], data: tuple[Samples, Samples]
) -> None:
    def build(low: float) -> keras.Model:
        adapted = layer(num_bins=4) if layer is keras.layers.Discretization else layer()
        adapted.adapt(np.random.default_rng(0).uniform(low, 256, (32, *SHAPE)).astype("float32"))
        return with_layer(adapted)

    shared = CountingEngine()
    train(shared, build, 0, data)
    assert same(train(shared, build, 100, data), train(FAST(), build, 100, data))
    assert shared.compiled == 2


def frozen_variable() -> keras.Model:
    network = nested(0.0)
    network.trainable_variables[0].trainable = False
    return network


def frozen_model_with_a_layer_that_is_not() -> keras.Model:
    base = keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(4), keras.layers.Dense(4)])
    base.trainable = False
    base.layers[-1].trainable = True  # to no effect, since the model around it is frozen
    return keras.Sequential([keras.Input(SHAPE), base, keras.layers.Dense(CLASSES, activation="softmax")])


def frozen_layer() -> keras.Model:
    network = nested(0.0)
    next(one for one in network._flatten_layers() if isinstance(one, keras.layers.Dense)).trainable = False
    return network


@pytest.mark.parametrize("build", [frozen_variable, frozen_model_with_a_layer_that_is_not, frozen_layer])
def test_what_is_frozen_keeps_its_bits_and_the_rest_learns_what_fit_teaches(
    build: Callable[[], keras.Model], data: tuple[Samples, Samples]
) -> None:
    learned = []
    shared = FAST()
    for engine in (shared, shared, PlainEngine()):
        keras.utils.set_random_seed(3)
        network = build()
        frozen = {id(weight) for weight in network.weights} - {id(weight) for weight in network.trainable_weights}
        before = network.get_weights()
        network.compile(keras.optimizers.Adam(), keras.losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
        list(engine.fit(network, *data, Plan(2, BATCH, 0)))
        for variable, old in zip(network.weights, before, strict=True):
            assert np.array_equal(keras.ops.convert_to_numpy(variable), old) == (id(variable) in frozen)
        learned.append(network.get_weights())
    assert all(np.array_equal(one, other) for one, other in zip(learned[0], learned[1], strict=True))
    for one, other in zip(learned[0], learned[2], strict=True):
        np.testing.assert_allclose(one, other, atol=2e-4)


def test_networks_that_differ_in_what_is_frozen_have_different_forms() -> None:
    signatures = [signature_of(network) for network in (nested(0.0), frozen_variable(), frozen_layer())]
    assert len({signature.text for signature in signatures if signature is not None}) == 3


def test_a_network_that_learns_nothing_is_fitted_by_keras() -> None:
    network = nested(0.0)
    network.trainable = False
    network.compile(keras.optimizers.Adam(), keras.losses.SparseCategoricalCrossentropy())
    assert not FAST().takes(network)
