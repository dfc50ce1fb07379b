"""The contract of a family, over all of them. One that is listed in `FAMILIES` is tested by that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import numpy as np
import pytest
from from_scratch import FROM_SCRATCH

from tuner.errors import InputError, TrialError
from tuner.families import get_family, in_order
from tuner.recipe import COMPILED, RECIPE
from tuner.space.parameters import Layered, Parameter
from tuner.space.space import Configuration, read_space
from tuner.worker.multiply_adds import multiply_adds as as_the_probe_counts

SHAPES = {"grey": (28, 28, 1), "colour": (32, 32, 3)}
Shape = tuple[int, int, int]


def values_of(family: str, **given: object) -> Configuration:
    """Return the one configuration of a family that these values and the defaults give."""
    space = read_space(given, {}, [*FROM_SCRATCH[family].parameters, *RECIPE], {})
    (values,) = space.grid()
    return values


def own(item: Parameter | Layered) -> Parameter:
    return item.parameter if isinstance(item, Layered) else item


def small(family: str) -> dict[str, object]:
    """Return the smallest number that each parameter of a family offers, but for the number of layers of a stack."""
    items = FROM_SCRATCH[family].parameters
    depths = {item.depth for item in items if isinstance(item, Layered)}
    offered = {item.name: own(item).choices for item in items if item.name not in depths}
    return {name: min(choices) for name, choices in offered.items() if choices and not isinstance(choices[0], str)}


def built(family: str, shape: Shape = (28, 28, 1), **given: object) -> keras.Model:
    return FROM_SCRATCH[family].network(values_of(family, **{**small(family), **given}), shape, 7)


def images_of(shape: Shape, count: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *shape), dtype=np.uint8)


def predicted(network: keras.Model, images: np.ndarray) -> np.ndarray:
    return keras.ops.convert_to_numpy(network(images, training=False))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("name", FROM_SCRATCH)
class TestEveryFamily:
    def test_takes_raw_pixels_and_gives_probabilities(self, name: str, shape: Shape) -> None:
        network = built(name, shape)
        assert network.input_shape == (None, *shape)
        answer = predicted(network, images_of(shape))
        assert answer.shape == (3, 7)
        assert answer.dtype == np.float32
        assert answer.min() >= 0
        np.testing.assert_allclose(answer.sum(axis=1), 1, atol=1e-5)

    def test_scales_pixels_in_its_first_layer(self, name: str, shape: Shape) -> None:
        first = built(name, shape).layers[1]
        assert type(first).__name__ == "Rescaling"
        assert first.scale == pytest.approx(1 / 255)

    def test_is_named_after_the_family_and_names_its_layers_the_same_every_time(self, name: str, shape: Shape) -> None:
        one, other = built(name, shape), built(name, shape)
        assert one.name == name
        assert [layer.name for layer in one.layers] == [layer.name for layer in other.layers]

    def test_is_saved_and_loaded_in_safe_mode_and_answers_as_before(
        self, name: str, shape: Shape, tmp_path: Path
    ) -> None:
        network = built(name, shape)
        rng = np.random.default_rng(1)  # so that no bias and no moving mean is 0 any more
        network.set_weights([weights + rng.uniform(0, 0.1, weights.shape) for weights in network.get_weights()])
        network.save(tmp_path / "network.keras")
        loaded = keras.models.load_model(tmp_path / "network.keras", safe_mode=True)
        images = images_of(shape)
        np.testing.assert_allclose(predicted(loaded, images), predicted(network, images), atol=1e-6)


# --- a family in plain KerasTuner ---


@pytest.mark.parametrize("name", FROM_SCRATCH)
class TestEveryHyperModel:
    def test_declares_every_parameter_of_the_family_and_of_what_compile_knows(self, name: str) -> None:
        hp = keras_tuner.HyperParameters()
        network = FROM_SCRATCH[name].hypermodel((28, 28, 1), 7).build(hp)
        values = values_of(name)
        expected = {key for key in values if key not in {p.name for p in RECIPE} - {p.name for p in COMPILED}}
        assert set(hp.values) == expected | {"batch_size"}
        assert network.optimizer is not None
        assert network.output_shape == (None, 7)

    def test_builds_the_defaults_where_nothing_else_is_said(self, name: str) -> None:
        by_tuner = FROM_SCRATCH[name].hypermodel((28, 28, 1), 7).build(keras_tuner.HyperParameters())
        ours = FROM_SCRATCH[name].network(values_of(name), (28, 28, 1), 7)
        assert by_tuner.count_params() == ours.count_params()

    def test_keeps_what_a_plain_search_space_overrides(self, name: str) -> None:
        hp = keras_tuner.HyperParameters()
        smallest = {key: value for key, value in values_of(name, **small(name)).items() if key != "batch_size"}
        for key, value in smallest.items():
            hp.Fixed(key, value)
        hp.Fixed("batch_size", 3)
        network = FROM_SCRATCH[name].hypermodel((28, 28, 1), 7).build(hp)
        assert network.count_params() == built(name).count_params()
        assert hp.get("batch_size") == 3

    def test_is_searched_by_plain_keras_tuner(self, name: str, tmp_path: Path) -> None:
        hp = keras_tuner.HyperParameters()
        for key, value in values_of(name, **small(name)).items():
            hp.Fixed(key, value)
        model = FROM_SCRATCH[name].hypermodel((16, 16, 1), 2)
        assert isinstance(model, keras_tuner.HyperModel)
        search = keras_tuner.RandomSearch(
            model, "val_loss", max_trials=1, hyperparameters=hp, directory=tmp_path, project_name="p", seed=1
        )
        images, labels = images_of((16, 16, 1), 4), np.array([0, 1, 0, 1])
        search.search(images, labels, validation_data=(images, labels), epochs=1, verbose=0)
        (trial,) = search.oracle.get_best_trials()
        assert trial.score > 0


# --- the parameters of a family ---


def others(parameter: Parameter) -> list[object]:
    """Return values of a parameter that are not its default: every one of a string or boolean, one of a number."""
    if isinstance(parameter.default, bool):
        return [not parameter.default]
    choices: list[object] = [choice for choice in parameter.choices if choice != parameter.default]
    if parameter.kind is str:
        return choices
    return choices[:1] or [parameter.default + (1 if parameter.kind is int else 0.25)]


def contexts(family: str) -> Iterator[dict[str, object]]:
    """Yield what a parameter may need beside it to matter: normalisation, two layers of each stack, or both."""
    items = FROM_SCRATCH[family].parameters
    deep: dict[str, object] = {item.depth: 2 for item in items if isinstance(item, Layered)}
    norm: dict[str, object] = {"batch_norm": True} if any(item.name == "batch_norm" for item in items) else {}
    yield from ({}, norm, deep, {**norm, **deep})


PARAMETERS = [
    pytest.param(name, own(item), id=f"{name}-{item.name}")
    for name, family in FROM_SCRATCH.items()
    for item in family.parameters
]


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_every_value_of_every_parameter_builds_another_network(name: str, parameter: Parameter) -> None:
    left = others(parameter)
    for context in contexts(name):
        base = {key: value for key, value in context.items() if key != parameter.name}
        default = built(name, **{**base, parameter.name: parameter.default}).to_json()
        left = [value for value in left if built(name, **{**base, parameter.name: value}).to_json() == default]
        if not left:
            break
    assert left == [], "values that change nothing"


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_every_parameter_is_explained_and_takes_its_default_and_its_choices(name: str, parameter: Parameter) -> None:
    assert parameter.doc
    assert parameter.name not in {part.name for part in RECIPE}
    for value in (parameter.default, *parameter.choices):
        assert parameter.check(value) == value


def normalised(network: keras.Model) -> list[keras.Layer]:
    """Return the layers whose output goes straight into batch normalisation."""
    norms = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    return [norm.input._keras_history.operation for norm in norms]


NORMALISING = [name for name, family in FROM_SCRATCH.items() if any(p.name == "batch_norm" for p in family.parameters)]


@pytest.mark.parametrize("name", NORMALISING)
def test_no_layer_has_a_bias_directly_in_front_of_batch_normalisation(name: str) -> None:
    kinds = [own(item) for item in FROM_SCRATCH[name].parameters]
    variants = [{p.name: value} for p in kinds if p.kind in (str, bool) for value in others(p)]
    for variant in ({}, *variants):
        if variant.keys() & {"batch_norm", "bias_before_norm"}:
            continue
        found = normalised(built(name, **{"batch_norm": True, **variant}))
        assert found, variant
        assert [layer.name for layer in found if getattr(layer, "use_bias", False)] == [], variant


@pytest.mark.parametrize("name", NORMALISING)
def test_without_batch_normalisation_every_layer_with_a_kernel_has_a_bias(name: str) -> None:
    network = built(name, batch_norm=False)
    assert normalised(network) == []
    assert all(layer.use_bias for layer in network.layers if hasattr(layer, "kernel"))


@pytest.mark.parametrize("name", [name for name, family in FROM_SCRATCH.items() if "l2" in values_of(name)])
def test_l2_penalises_every_kernel_but_that_of_the_softmax(name: str) -> None:
    network = built(name, l2=0.01)
    kernels = [layer for layer in network.layers if hasattr(layer, "kernel")]
    assert [layer.name for layer in kernels if layer.kernel_regularizer is None] == ["probabilities"]
    assert all(layer.kernel_regularizer.l2 == pytest.approx(0.01) for layer in kernels[:-1])


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 3), (5, 40, 1), (8, 8, 1), (11, 11, 3)], ids=str)
@pytest.mark.parametrize("name", FROM_SCRATCH)
def test_images_that_are_too_small_are_one_line_that_tells_their_size(name: str, shape: Shape) -> None:
    try:
        network = built(name, shape)
    except TrialError as error:
        assert f"{shape[0]}x{shape[1]}" in str(error)
        assert len(str(error).splitlines()) == 1
    else:
        assert predicted(network, images_of(shape)).shape == (3, 7)


# --- sizes that the studies name ---


def count(family: str, shape: Shape = (28, 28, 1), **given: object) -> int:
    return int(FROM_SCRATCH[family].network(values_of(family, **given), shape, 10).count_params())


@pytest.mark.parametrize(
    ("family", "given", "parameters"),
    [
        ("ann", {"dense_depth": 2, "dense_units": 512, "dense_units_2": 256}, 535_818),
        ("ann", {"dense_depth": 3, "dense_units": 16, "dense_units_2": 32, "dense_units_3": 64}, 15_866),
        ("ann", {"dense_units": 300}, 238_510),
        ("ann", {"dense_depth": 2, "dense_units": 126, "dense_units_2": 75}, 109_195),
        ("cnn", {"conv_depth": 3, "filters": 32, "dense_units": 32}, 28_394),
        ("cnn", {"conv_depth": 3, "filters_1": 16, "filters_2": 64, "filters_3": 64, "dense_units": 64}, 83_946),
        ("cnn", {"conv_depth": 2, "filters": 64, "dense_units": 128}, 1_030_218),
        ("cnn", {"conv_depth": 1, "filters": 32, "dense_units": 32}, 692_906),
        ("cnn", {"conv_depth": 3, "filters": 64, "filters_1": 32, "dense_units": 64}, 93_322),
        ("cnn", {"conv_depth": 3, "filters_1": 32, "filters_2": 64, "filters_3": 128, "dense_units": 128}, 241_546),
        ("cnn", {"filters_1": 5, "filters_2": 7, "kernel_size": 5, "pool_last": True, "dense_depth": 0}, 2_142),
        (
            "cnn",
            {"filters_1": 8, "filters_2": 24, "padding": "same", "pool_last": True, "dense_units": 170},
            203_632,
        ),
        ("lenet", {}, 61_706),
        ("resnet", {}, 348_362),
        ("resnet", {"shortcut": False}, 344_138),
    ],
)
def test_parameter_counts_on_grey_images_are_those_of_the_studies(
    family: str, given: dict[str, object], parameters: int
) -> None:
    assert count(family, **given) == parameters


@pytest.mark.parametrize(
    ("family", "shape", "given", "parameters"),
    [
        ("ann", (32, 32, 3), {"dense_depth": 2, "dense_units": 256, "dense_units_2": 32}, 795_242),
        ("lenet", (32, 32, 1), {"padding": "valid"}, 61_706),
    ],
)
def test_parameter_counts_on_images_of_32x32_are_those_of_the_studies(
    family: str, shape: Shape, given: dict[str, object], parameters: int
) -> None:
    assert count(family, shape, **given) == parameters


# --- cnn and ann ---


def kinds_of(network: keras.Model) -> list[str]:
    return [type(layer).__name__ for layer in network.layers]


def test_cnn_pools_after_every_convolution_but_the_last() -> None:
    assert kinds_of(FROM_SCRATCH["cnn"].network(values_of("cnn"), (28, 28, 1), 10)) == [
        "InputLayer", "Rescaling", "Conv2D", "Activation", "MaxPooling2D", "Conv2D", "Activation", "Flatten",
        "Dense", "Activation", "Dense",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "present", "absent"),
    [
        ({"pooling": "average"}, "AveragePooling2D", "MaxPooling2D"),
        ({"pool_size": 1}, "Conv2D", "MaxPooling2D"),
        ({"dropout": 0.5}, "Dropout", "BatchNormalization"),
        ({"batch_norm": True}, "BatchNormalization", "Dropout"),
        ({"dense_depth": 0}, "Flatten", "Dropout"),
        ({"head": "average"}, "GlobalAveragePooling2D", "Flatten"),
    ],
)
def test_cnn_parameters_change_the_layers(given: dict[str, object], present: str, absent: str) -> None:
    kinds = kinds_of(built("cnn", **given))
    assert present in kinds
    assert absent not in kinds


def test_cnn_normalises_its_dense_layers_only_where_it_is_asked_to() -> None:
    def norms(**given: object) -> list[str]:
        return [layer.name for layer in built("cnn", **given).layers if layer.name.endswith("_norm")]

    assert norms(batch_norm=True) == ["conv_1_norm", "conv_2_norm"]
    assert norms(dense_batch_norm=True) == ["dense_1_norm"]


def test_cnn_keeps_a_bias_in_front_of_batch_normalisation_where_it_is_asked_to() -> None:
    network = built("cnn", batch_norm=True, bias_before_norm=True, dense_batch_norm=True)
    assert {layer.name: layer.use_bias for layer in normalised(network)} == {
        "conv_1": True,
        "conv_2": True,
        "dense_1": False,
    }


def test_cnn_drops_out_after_convolutions_and_dense_layers_where_it_is_asked_to() -> None:
    given = {"dense_depth": 2, "conv_dropout": 0.1, "dropout": 0.2, "dense_dropout": 0.3, "pool_last": True}
    names = [layer.name for layer in built("cnn", **given).layers]
    dropouts = {layer.name: layer.rate for layer in built("cnn", **given).layers if hasattr(layer, "rate")}
    assert dropouts == {
        "conv_dropout_1": 0.1,
        "conv_dropout_2": 0.1,
        "dropout": 0.2,
        "dense_dropout_1": 0.3,
        "dense_dropout_2": 0.3,
    }
    assert names.index("pool_2") + 1 == names.index("conv_dropout_2") == names.index("flatten") - 1


def test_ann_drops_out_between_its_dense_layers_and_in_front_of_the_softmax() -> None:
    names = [layer.name for layer in built("ann", dense_depth=3, dense_dropout=0.1, dropout=0.2).layers]
    assert [name for name in names if "drop" in name] == ["dense_dropout_1", "dense_dropout_2", "dropout"]
    assert names[-2:] == ["dropout", "probabilities"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"conv_depth": 4}, "conv_depth = 4 is too deep for 28x28 images: only 1x1 is left for the 3x3 kernel"),
        ({"conv_depth": 3, "pool_last": True, "pool_size": 4}, "is left for the 3x3 kernel of convolution 3"),
        ({"kernel_size": 27, "pool_size": 3}, "only 2x2 is left for the 3x3 pool after convolution 1"),
    ],
)
def test_a_stack_too_deep_for_the_image_says_so_in_words(given: dict[str, object], message: str) -> None:
    with pytest.raises(TrialError, match=message):
        built("cnn", **given)


# --- lenet and alexnet ---


@pytest.mark.parametrize(("padding", "least"), [("same", 12), ("valid", 16)])
def test_lenet_tells_the_smallest_images_that_it_takes(padding: str, least: int) -> None:
    assert built("lenet", (least, least, 1), padding=padding).output_shape == (None, 7)
    with pytest.raises(TrialError, match=rf"at least 12x12 .*16x16.*not {least - 1}x40"):
        built("lenet", (least - 1, 40, 1), padding=padding)


def test_alexnet_has_the_published_order_of_layers() -> None:
    network = built("alexnet", (32, 32, 3), dropout=0.5, stride=2)
    named = {"Conv2D": "C", "MaxPooling2D": "P", "Dropout": "D", "Dense": "F"}
    assert "".join(named.get(kind, "") for kind in kinds_of(network)) == "CPCPCCCPDFDFF"
    assert network.get_layer("pool_5").output.shape[1:3] == (2, 2)


# --- the residual networks ---


def test_the_shortcut_of_resnet_can_be_taken_away_and_nothing_else_changes() -> None:
    with_it, without = built("resnet"), built("resnet", shortcut=False)
    names = [[layer.name for layer in network.layers] for network in (with_it, without)]
    assert set(names[0]) - set(names[1]) == {"shortcut", "shortcut_relu", "add"}
    assert set(names[1]) <= set(names[0])
    convolution = with_it.get_layer("shortcut")
    assert (convolution.kernel_size, convolution.strides) == ((1, 1), (4, 4))
    feeds = [tensor._keras_history.operation.name for tensor in with_it.get_layer("add").input]
    assert feeds == ["conv_4_relu", "shortcut_relu"]


def resnet_cifar(shape: Shape = (32, 32, 3), **given: Any) -> keras.Model:
    return FROM_SCRATCH["resnet_cifar"].network(values_of("resnet_cifar", **given), shape, 10)


def trainable(network: keras.Model) -> int:
    return sum(int(np.prod(variable.shape)) for variable in network.trainable_variables)


def test_resnet_20_has_the_published_0_27_million_parameters() -> None:
    assert trainable(resnet_cifar()) == 269_722


def test_resnet_20_six_times_as_wide_is_of_about_40_megabytes() -> None:
    assert 38 < resnet_cifar(width=6.0).count_params() * 4 / 1e6 < 42


@pytest.mark.parametrize("depth", [8, 14, 20, 32])
def test_depth_counts_the_layers_with_weights_but_those_of_shortcuts(depth: int) -> None:
    for shortcut in ("identity", "projection", "none"):
        network = resnet_cifar(depth=depth, width=0.1, shortcut=shortcut)
        kernels = [layer for layer in network.layers if hasattr(layer, "kernel")]
        assert sum(not layer.name.endswith("_shortcut") for layer in kernels) == depth
        additions = sum(isinstance(layer, keras.layers.Add) for layer in network.layers)
        assert additions == (0 if shortcut == "none" else (depth - 2) // 2)


@pytest.mark.parametrize(("depth", "near"), [(9, "8 or 14"), (13, "8 or 14"), (21, "20 or 26"), (1000, "998 or 1004")])
def test_a_depth_that_is_not_6n_plus_2_is_refused_with_the_near_ones(depth: int, near: str) -> None:
    with pytest.raises(InputError, match=rf"space\.depth: {depth} is not 6n \+ 2.*take {near}"):
        values_of("resnet_cifar", depth=depth)


def test_a_depth_that_a_range_draws_is_checked_when_the_network_is_built() -> None:
    with pytest.raises(TrialError, match=r"depth = 13 is not 6n \+ 2.*take 8 or 14"):
        FROM_SCRATCH["resnet_cifar"].network({**values_of("resnet_cifar"), "depth": 13}, (32, 32, 3), 10)


def test_option_a_costs_nothing_and_option_b_costs_two_projections() -> None:
    plain, identity, projection = (
        trainable(resnet_cifar(depth=8, shortcut=shortcut)) for shortcut in ("none", "identity", "projection")
    )
    assert identity == plain
    assert projection == plain + (16 * 32 + 2 * 32) + (32 * 64 + 2 * 64)


@pytest.mark.parametrize(("shortcut", "end"), [("identity", "channels_last"), ("projection", "shortcut_norm")])
def test_a_residual_block_adds_the_shortcut_before_its_last_activation(shortcut: str, end: str) -> None:
    network = resnet_cifar(depth=8, shortcut=shortcut)
    layer = network.get_layer("stage_2_block_1_relu")
    for name in ("relu", "add", "conv_2_norm", "conv_2", "conv_1_relu", "conv_1_norm", "conv_1"):
        assert layer.name == f"stage_2_block_1_{name}"
        inputs = layer.input if isinstance(layer.input, list) else [layer.input]
        feeds = [tensor._keras_history.operation for tensor in inputs]
        assert [feed.name for feed in feeds[1:]] == ([f"stage_2_block_1_{end}"] if name == "add" else [])
        layer = feeds[0]
    assert layer.name == "stage_1_block_1_relu"


def test_the_convolutions_of_the_published_residual_networks_begin_as_he_and_others_say() -> None:
    network = resnet_cifar(depth=8, shortcut="projection")
    convolutions = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    assert {type(layer.kernel_initializer).__name__ for layer in convolutions} == {"HeNormal"}


def test_option_a_takes_every_second_pixel_and_zeros_for_the_new_channels() -> None:
    network = resnet_cifar((9, 8, 3), depth=8)
    shortcut = network.get_layer("stage_2_block_1_channels_last").output
    before = network.get_layer("stage_1_block_1_relu").output
    taken, given = keras.Model(network.input, [before, shortcut])(images_of((9, 8, 3)))
    expected = np.zeros((3, 5, 4, 32), np.float32)
    expected[..., 8:24] = keras.ops.convert_to_numpy(taken)[:, ::2, ::2]
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(given), expected)


def test_a_residual_block_whose_convolutions_are_zero_gives_its_input_back() -> None:
    network = resnet_cifar((8, 8, 3), depth=14)
    block = "stage_1_block_2"
    for layer in network.layers:
        if layer.name.startswith(f"{block}_conv") and hasattr(layer, "kernel"):
            layer.kernel.assign(keras.ops.zeros_like(layer.kernel))
    before, after = network.get_layer("stage_1_block_1_relu").output, network.get_layer(f"{block}_relu").output
    given, returned = keras.Model(network.input, [before, after])(images_of((8, 8, 3)))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(returned), keras.ops.convert_to_numpy(given), atol=1e-6)


# --- names ---


def test_an_unknown_family_gets_a_suggestion() -> None:
    with pytest.raises(InputError, match="did you mean 'cnn'"):
        get_family("cnnn")


def test_names_stand_in_the_order_of_declaration_with_layers_by_number_and_strangers_first() -> None:
    given = ["batch_size", "filters_10", "dense_units_2", "filters_2", "mine", "dense_units", "conv_depth", "optimizer"]
    assert in_order(given) == [
        "mine",
        "conv_depth",
        "filters_2",
        "filters_10",
        "dense_units",
        "dense_units_2",
        "optimizer",
        "batch_size",
    ]


def multiply_adds(network: keras.Model) -> float:
    """Count what every convolution and dense layer of a built network multiplies for one image."""
    total = 0.0
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
            places = np.prod(layer.output.shape[1:-1]) if isinstance(layer, keras.layers.Conv2D) else 1
            total += float(places * np.prod(layer.kernel.shape))
    return total


@pytest.mark.parametrize(
    ("family", "given"),
    [
        ("ann", {"dense_depth": 3, "dense_units_2": 20}),
        ("cnn", {"conv_depth": 1, "filters": 16}),
        ("cnn", {"conv_depth": 3, "filters_2": 5, "padding": "same", "pool_last": True, "dense_depth": 2}),
        ("cnn", {"conv_depth": 2, "kernel_size": 5, "head": "average", "pool_size": 3}),
        ("cnn", {"conv_depth": 2, "dense_depth": 0, "pool_size": 1}),
        ("lenet", {}),
        ("lenet", {"padding": "valid", "filters_1": 12}),
        ("alexnet", {"width": 0.5}),
        ("alexnet", {"stride": 1}),
        ("resnet", {}),
        ("resnet", {"shortcut": False, "filters": 3}),
        ("resnet_cifar", {"depth": 14}),
        ("resnet_cifar", {"width": 1.5, "shortcut": "projection", "depth": 8}),
    ],
    ids=str,
)
@pytest.mark.parametrize("shape", [(28, 28, 1), (33, 30, 3)], ids=str)
def test_work_counts_the_multiply_adds_of_the_network(family: str, given: dict[str, object], shape: Shape) -> None:
    values = values_of(family, **given)
    built = FROM_SCRATCH[family].network(values, shape, 7)
    assert FROM_SCRATCH[family].work(values, shape, 7) == multiply_adds(built) == as_the_probe_counts(built) > 0
    counted = FROM_SCRATCH[family].counted(values, shape, 7)
    assert counted is not None
    assert counted.parameters == built.count_params()
    assert counted.total == as_the_probe_counts(built)


def test_weights_are_counted_as_keras_does_whatever_the_configuration() -> None:
    rng = np.random.default_rng(0)
    for name, family in FROM_SCRATCH.items():
        offered = {
            item.name: (False, True) if isinstance(own(item).default, bool) else own(item).choices
            for item in family.parameters
        }
        for _ in range(8):
            given = {key: choices[rng.integers(len(choices))] for key, choices in offered.items() if choices}
            values = values_of(name, **given)
            counted = family.counted(values, (28, 26, 3), 5)
            assert counted is not None
            built = family.network(values, (28, 26, 3), 5)
            assert (counted.parameters, counted.total) == (built.count_params(), as_the_probe_counts(built)), values
