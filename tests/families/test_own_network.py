"""What becomes of the model that a user's `build(hp)` returns: scaling, probabilities, weights and states."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from tuner.errors import InputError, TrialError
from tuner.families.own_network import OwnNetwork, completed, take_over
from tuner.untrusted.saved_model import checked_model

SHAPE, CLASSES = (8, 8, 3), 4
WHITE = np.full((1, *SHAPE), 255, np.uint8)


def own(model: keras.Model, scaling: str | None = None) -> OwnNetwork:
    return completed(model, "net:build", "net", SHAPE, CLASSES, scaling)


def model_with(front: Callable[[Any], Any], activation: str = "softmax") -> keras.Model:
    """Return a network whose pixels go through `front` before its first weights."""
    pixels = keras.Input(SHAPE)
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3, name="conv")(front(pixels)))
    return keras.Model(pixels, layers.Dense(CLASSES, activation=activation)(x))


def adapted() -> keras.layers.Layer:
    layer = layers.Normalization()
    layer.adapt(np.random.default_rng(0).uniform(50, 90, (40, *SHAPE)).astype("float32"))
    return layer


class Standardize(layers.Layer):  # type: ignore[misc]
    """A layer of the user's own that keeps what it scales by in weights that are not learned."""

    def build(self, shape: tuple[int, ...]) -> None:
        self.mean = self.add_weight(shape=(shape[-1],), initializer=keras.initializers.Constant(120), trainable=False)

    def call(self, x: Any) -> Any:
        return (x - self.mean) / 60


class ScalingModel(keras.Model):  # type: ignore[misc]
    """A subclass, into which nobody can see, and which builds its layers as it is called."""

    def __init__(self, by: float) -> None:
        super().__init__()
        self.by = by
        self.flatten, self.dense = layers.Flatten(), layers.Dense(CLASSES, activation="softmax")

    def call(self, x: Any) -> Any:
        return self.dense(self.flatten(x * self.by))


def caffe(x: Any) -> Any:
    return keras.applications.imagenet_utils.preprocess_input(x, mode="caffe")


SCALED: dict[str, Callable[[], keras.Model]] = {
    "a Rescaling": lambda: model_with(layers.Rescaling(1 / 255)),
    "a Rescaling behind others": lambda: model_with(lambda x: layers.Rescaling(1 / 255)(layers.ZeroPadding2D()(x))),
    "a Normalization": lambda: model_with(adapted()),
    "a Normalization by numbers": lambda: model_with(layers.Normalization(mean=[127.0] * 3, variance=[60.0**2] * 3)),
    "preprocess_input to -1 to 1": lambda: model_with(keras.applications.mobilenet_v2.preprocess_input),
    "preprocess_input that takes the mean off": lambda: model_with(caffe),
    "preprocess_input of torch": lambda: model_with(keras.applications.densenet.preprocess_input),
    "a division": lambda: model_with(lambda x: x / 255.0),
    "operations": lambda: model_with(lambda x: ops.divide(ops.subtract(x, 127.5), 127.5)),
    "a Lambda": lambda: model_with(layers.Lambda(lambda x: x / 255.0)),
    "each image by itself": lambda: model_with(lambda x: x - ops.mean(x, axis=(1, 2, 3), keepdims=True)),
    "a layer of one's own": lambda: model_with(Standardize()),
    "a model inside": lambda: model_with(keras.Sequential([keras.Input(SHAPE), layers.Rescaling(1 / 255)])),
    "a subclass": lambda: ScalingModel(1 / 255),
    "a base that scales": lambda: keras.Sequential(
        [keras.Input(SHAPE), model_with(layers.Rescaling(1 / 255)), layers.Dense(CLASSES, activation="softmax")]
    ),
}
UNSCALED: dict[str, Callable[[], keras.Model]] = {
    "nothing": lambda: model_with(lambda x: x),
    "moves": lambda: model_with(lambda x: layers.Permute((2, 1, 3))(layers.ZeroPadding2D()(layers.RandomFlip()(x)))),
    "pools": lambda: model_with(layers.AveragePooling2D(3, padding="same")),
    "sizes": lambda: model_with(layers.Resizing(9, 9)),
    "colours": lambda: model_with(lambda x: ops.repeat(ops.max(x, axis=-1, keepdims=True), 3, axis=-1)),
    "a batch normalisation": lambda: model_with(layers.BatchNormalization()),
    "a scaling behind its weights": lambda: model_with(
        lambda x: layers.Rescaling(1 / 255)(layers.Conv2D(3, 1, name="before")(x))
    ),
    "a subclass": lambda: ScalingModel(1.0),
    "nothing that learns": lambda: keras.Sequential(
        [keras.Input(SHAPE), layers.Flatten(), layers.Reshape((4, 48)),
         layers.Lambda(lambda x: ops.softmax(ops.mean(x, axis=-1)))]
    ),
}  # fmt: skip


def front_of(network: OwnNetwork) -> list[str]:
    return [type(layer).__name__ for layer in network.model.layers[:2]]


@pytest.mark.parametrize("name", SCALED)
def test_a_network_that_scales_however_it_does_is_fed_raw_pixels(name: str) -> None:
    model = SCALED[name]()
    expected = model(WHITE.astype("float32"))
    network = own(model)
    assert network.scaling == "left from 0 to 255 in front of the network, which scales them itself"
    assert "Rescaling" not in front_of(network)
    np.testing.assert_allclose(network.model(WHITE), expected, rtol=1e-5)


@pytest.mark.parametrize("name", UNSCALED)
def test_a_network_that_does_not_scale_is_fed_pixels_from_0_to_1(name: str) -> None:
    model = UNSCALED[name]()
    expected = model(WHITE.astype("float32") / 255)
    network = own(model)
    assert network.scaling == "brought to 0 to 1 in front of the network, which does not scale them"
    assert front_of(network)[1] == "Rescaling"
    np.testing.assert_allclose(network.model(WHITE), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("scaling", "factor", "offset", "words"),
    [
        ("none", 1, 0, "left from 0 to 255 in front of the network, as the search file says"),
        ("0 to 1", 1 / 255, 0, "brought to 0 to 1 in front of the network, as the search file says"),
        ("-1 to 1", 2 / 255, -1, "brought to −1 to 1 in front of the network, as the search file says"),
    ],
)
@pytest.mark.parametrize("name", ["nothing", "a division"])
def test_what_the_search_file_says_of_scaling_decides(
    scaling: str, factor: float, offset: float, words: str, name: str
) -> None:
    model = {**SCALED, **UNSCALED}[name]()
    grey = np.full((1, *SHAPE), 100, np.uint8)
    expected = model(grey.astype("float32") * factor + offset)
    network = own(model, scaling)
    assert network.scaling == words
    np.testing.assert_allclose(network.model(grey), expected, rtol=1e-5)


def test_a_network_is_said_to_scale_by_itself_only_where_it_does() -> None:
    network = own(SCALED["a division"](), "own")
    assert (
        network.scaling
        == "left from 0 to 255 in front of the network, which scales them itself, as the search file says"
    )
    assert network.brought is None
    with pytest.raises(InputError, match=r"scaling: is 'own', and net:build computes nothing with pixels before its"):
        own(UNSCALED["moves"](), "own")


@pytest.mark.parametrize(
    ("name", "scaling", "note"),
    [
        ("a division", None, "pixels are left from 0 to 255 in front of the network, which scales them itself"),
        ("nothing", None, "pixels are brought to 0 to 1 in front of the network, which does not scale them"),
        ("a division", "0 to 1", "scaling = '0 to 1' stands in front of a network that scales pixels itself: they are"),
        ("nothing", "none", "pixels from 0 to 255 reach its first weights: neither"),
    ],
)
def test_what_is_done_with_pixels_is_said_before_anything_trains(name: str, scaling: str | None, note: str) -> None:
    (said,) = own({**SCALED, **UNSCALED}[name](), scaling).notes
    assert said.startswith(note)


def test_an_unknown_scaling_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"space\.scaling: 'nome' is no scaling; did you mean 'none'\?"):
        own(model_with(lambda x: x), "nome")


def test_a_network_that_cannot_be_tried_asks_to_be_told() -> None:
    class Symbolic(layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            if isinstance(x, keras.KerasTensor) or not hasattr(x, "numpy"):
                return x
            raise RuntimeError("not with numbers")

        def compute_output_shape(self, shape: Any) -> Any:
            return shape

    with pytest.raises(InputError, match=r"cannot be seen to scale .*not with numbers.*; write scaling = 'none' or"):
        own(model_with(Symbolic()))


def test_images_of_another_size_are_a_trial_s_error_as_before() -> None:
    model = keras.Sequential([keras.Input((9, 9, 3)), layers.Flatten(), layers.Dense(CLASSES)])
    with pytest.raises(TrialError, match="does not take images of shape"):
        own(model)


# --- probabilities ---


@pytest.mark.parametrize("activation", ["linear", "sigmoid", "relu", "log_softmax"])
def test_a_network_that_gives_no_probabilities_is_refused(activation: str) -> None:
    with pytest.raises(InputError, match=r"gives no probabilities: .* sums to .*, not to 1; end it with activation="):
        own(model_with(layers.Rescaling(1 / 255), activation))


@pytest.mark.parametrize(
    "last",
    [
        lambda x: layers.Softmax()(layers.Dense(CLASSES)(x)),
        lambda x: layers.Activation("softmax")(layers.Dense(CLASSES)(x)),
        lambda x: ops.softmax(layers.Dense(CLASSES)(x)),
        lambda x: ops.divide(ops.ones_like(layers.Dense(CLASSES)(x)), CLASSES),
        keras.Sequential([layers.Dense(CLASSES, activation="softmax")]),
        lambda x: layers.Average()([layers.Dense(CLASSES, activation="softmax")(x) for _ in range(2)]),
    ],
)
def test_probabilities_are_known_by_their_sums_wherever_they_come_from(last: Callable[[Any], Any]) -> None:
    pixels = keras.Input(SHAPE)
    network = own(keras.Model(pixels, last(layers.Flatten()(pixels))))
    assert not network.softmax
    np.testing.assert_allclose(np.sum(network.model(WHITE), axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_probabilities_in_half_precision_are_some_too(precision: str) -> None:
    keras.config.set_dtype_policy(precision)
    try:
        pixels = keras.Input(SHAPE)
        own(keras.Model(pixels, ops.softmax(layers.Dense(CLASSES)(layers.Flatten()(pixels)))))
    finally:
        keras.config.set_dtype_policy("float32")


def test_logits_whose_loss_says_so_get_a_softmax_behind_them() -> None:
    model = model_with(layers.Rescaling(1 / 255), "linear")
    logits = model(WHITE.astype("float32"))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    network = own(model)
    assert network.softmax
    np.testing.assert_allclose(network.model(WHITE), ops.softmax(logits), rtol=1e-5)


def test_a_loss_of_logits_behind_a_softmax_adds_none() -> None:
    model = model_with(layers.Rescaling(1 / 255))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    assert not own(model).softmax


# --- what was compiled ---


def steps_of_their_own() -> list[type[keras.Model]]:
    names = ("evaluate", "predict", "predict_step")

    def step(self: keras.Model, *args: Any, **options: Any) -> Any:
        raise NotImplementedError

    return [type(f"With_{name}", (keras.Model,), {name: step}) for name in names]


@pytest.mark.parametrize("kind", steps_of_their_own(), ids=lambda kind: kind.__name__)
def test_a_model_with_answers_of_its_own_that_nothing_would_ask_for_is_refused(kind: type[keras.Model]) -> None:
    pixels = keras.Input(SHAPE)
    outputs = layers.Dense(CLASSES, activation="softmax")(layers.Flatten()(pixels))
    name = kind.__name__.removeprefix("With_")
    with pytest.raises(InputError, match=rf"has its own {name}, and networks are asked by a call; remove {name}"):
        own(kind(pixels, outputs))


def without_ids(config: Any) -> Any:
    """Return a saved configuration without the addresses that Keras notes of shared objects."""
    if isinstance(config, dict):
        return {key: without_ids(value) for key, value in config.items() if key != "shared_object_id"}
    return [without_ids(item) for item in config] if isinstance(config, list) else config


def test_what_was_compiled_is_told_and_leaves_no_trace_in_the_saved_file(tmp_path: Path) -> None:
    def saved(compiled: bool) -> tuple[OwnNetwork, dict[str, Any]]:
        keras.backend.clear_session()
        base = keras.Sequential([keras.Input(SHAPE), layers.Flatten(), layers.Dense(4)], name="base")
        model = keras.Sequential([keras.Input(SHAPE), base, layers.Dense(CLASSES, activation="softmax")], name="all")
        if compiled:
            base.compile("sgd", "mse", metrics=["mae"])
            base.fit(np.zeros((2, *SHAPE)), np.zeros((2, 4)), verbose=0)
            model.compile(keras.optimizers.Adam(0.5), "categorical_crossentropy", metrics=["accuracy"])
        network = own(model)
        network.model.save(tmp_path / "net.keras")
        return network, without_ids(checked_model(tmp_path / "net.keras").config)

    plain, never = saved(False)
    compiled, config = saved(True)
    assert config == never
    assert (plain.compiled, plain.compiles) == (None, False)
    assert compiled.compiled is not None
    assert compiled.compiled.words == "Adam, categorical_crossentropy"
    assert compiled.compiled.rows
    assert "0.5" in compiled.compiled.text


# --- weights and states ---


def test_weights_states_and_what_is_frozen_are_kept() -> None:
    normalization, base = adapted(), layers.Dense(5, name="base")
    pixels = keras.Input(SHAPE)
    x = base(layers.Flatten()(normalization(pixels)))
    model = keras.Model(pixels, layers.Dense(CLASSES, activation="softmax")(x))
    base.set_weights([np.arange(192 * 5).reshape(192, 5) / 1000, np.ones(5)])
    base.trainable = False
    expected, weights = model(WHITE.astype("float32")), model.get_weights()
    network = own(model).model
    for kept, given in zip(network.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(kept, given)
    np.testing.assert_array_equal(network(WHITE), expected)
    assert len(network.trainable_weights) == 2


def test_what_layers_derive_from_their_weights_is_taken_over_with_them() -> None:
    def build(low: float) -> keras.Model:
        layer = layers.Normalization()
        layer.adapt(np.random.default_rng(0).uniform(low, 90, (40, *SHAPE)).astype("float32"))
        return own(model_with(layer)).model

    trained, clean = build(0), build(60)
    take_over(clean, trained)
    np.testing.assert_array_equal(clean(WHITE), trained(WHITE))
    for layer in clean._flatten_layers():
        if isinstance(layer, layers.Normalization):
            assert float(ops.max(layer.mean)) < 50
