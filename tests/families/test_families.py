"""The contract of a family, over all of them, and the sizes that the studies name."""

from __future__ import annotations

import numpy as np
import pytest

from tuner.errors import InputError, TrialError
from tuner.families import FAMILIES, get_family
from tuner.recipe import RECIPE, compile_network
from tuner.space import Configuration, read_space

SHAPES = {"grey": (28, 28, 1), "colour": (32, 32, 3)}


def defaults(family: str, **given: object) -> Configuration:
    """Return the one configuration of a family that these values and the defaults give."""
    space = read_space(given, {}, [*FAMILIES[family].parameters, *RECIPE], {})
    (values,) = space.grid()
    return values


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("name", FAMILIES)
class TestEveryFamily:
    def test_takes_raw_pixels_and_gives_probabilities(self, name: str, shape: tuple[int, int, int]) -> None:
        network = FAMILIES[name].network(defaults(name), shape, 7)
        assert network.input_shape == (None, *shape)
        images = np.random.default_rng(0).integers(0, 256, (3, *shape), dtype=np.uint8)
        answer = network.predict(images, verbose=0)
        assert answer.shape == (3, 7)
        np.testing.assert_allclose(answer.sum(axis=1), 1, atol=1e-5)

    def test_scales_pixels_in_its_first_layer(self, name: str, shape: tuple[int, int, int]) -> None:
        first = FAMILIES[name].network(defaults(name), shape, 7).layers[1]
        assert type(first).__name__ == "Rescaling"
        assert first.scale == pytest.approx(1 / 255)

    def test_is_a_hypermodel_that_plain_keras_tuner_searches(
        self, name: str, shape: tuple[int, int, int], tmp_path: object
    ) -> None:
        import keras_tuner

        model = FAMILIES[name].hypermodel(shape, 7)
        assert isinstance(model, keras_tuner.HyperModel)
        search = keras_tuner.RandomSearch(model, "val_accuracy", max_trials=1, directory=tmp_path, seed=1)
        names = {hp.name for hp in search.oracle.get_space().space}
        assert {"learning_rate", "optimizer", "dropout"} <= names
        built = model.build(search.oracle.get_space())
        assert built.optimizer is not None
        assert built.output_shape == (None, 7)

    def test_keeps_what_a_plain_search_space_overrides(self, name: str, shape: tuple[int, int, int]) -> None:
        import keras_tuner

        hp = keras_tuner.HyperParameters()
        hp.Fixed("dense_units", 11)
        network = FAMILIES[name].hypermodel(shape, 7).build(hp)
        assert network.get_layer("dense_1").units == 11


@pytest.mark.parametrize(
    ("family", "given", "parameters"),
    [
        ("ann", {"dense_depth": 2, "dense_units": 512, "dense_units_2": 256}, 535_818),
        ("cnn", {"conv_depth": 3, "filters": 32, "dense_units": 32}, 28_394),
        ("cnn", {"conv_depth": 3, "filters_1": 16, "filters_2": 64, "filters_3": 64, "dense_units": 64}, 83_946),
        ("cnn", {"conv_depth": 2, "filters": 64, "dense_units": 128}, 1_030_218),
        ("cnn", {"conv_depth": 1, "filters": 32, "dense_units": 32}, 692_906),
        # Study B's DNN and ConvNet, C's network, E's MLP: other settings of the same two families
        ("ann", {"dense_depth": 3, "dense_units": 16, "dense_units_2": 32, "dense_units_3": 64}, 15_866),
        ("cnn", {"conv_depth": 3, "filters": 64, "filters_1": 32, "dense_units": 64}, 93_322),
        ("cnn", {"conv_depth": 3, "filters_1": 32, "filters_2": 64, "filters_3": 128, "dense_units": 128}, 241_546),
        ("ann", {"dense_units": 300}, 238_510),
    ],
)
def test_parameter_counts_are_those_of_the_studies(family: str, given: dict[str, object], parameters: int) -> None:
    network = FAMILIES[family].network(defaults(family, **given), (28, 28, 1), 10)
    assert network.count_params() == parameters


def test_cnn_pools_after_every_convolution_but_the_last() -> None:
    kinds = [type(layer).__name__ for layer in FAMILIES["cnn"].network(defaults("cnn"), (28, 28, 1), 10).layers]
    assert kinds == [
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
    ],
)
def test_cnn_parameters_change_the_layers(given: dict[str, object], present: str, absent: str) -> None:
    network = FAMILIES["cnn"].network(defaults("cnn", **given), (28, 28, 1), 10)
    kinds = {type(layer).__name__ for layer in network.layers}
    assert present in kinds
    assert absent not in kinds


def test_bias_is_off_in_front_of_batch_normalisation_only() -> None:
    for batch_norm in (True, False):
        network = FAMILIES["cnn"].network(defaults("cnn", batch_norm=batch_norm), (28, 28, 1), 10)
        assert network.get_layer("conv_1").use_bias is not batch_norm
        assert network.get_layer("dense_1").use_bias is not batch_norm


def test_l2_penalises_hidden_weights_and_not_the_last_layer() -> None:
    network = FAMILIES["cnn"].network(defaults("cnn", l2=0.01), (28, 28, 1), 10)
    penalised = [layer.name for layer in network.layers if getattr(layer, "kernel_regularizer", None)]
    assert penalised == ["conv_1", "conv_2", "dense_1"]
    assert network.get_layer("conv_1").kernel_regularizer.l2 == pytest.approx(0.01)


def test_a_stack_too_deep_for_the_image_says_so_in_words() -> None:
    with pytest.raises(TrialError, match=r"conv_depth = 4 is too deep for 28x28 images: only 1x1 is left"):
        FAMILIES["cnn"].network(defaults("cnn", conv_depth=4), (28, 28, 1), 10)


@pytest.mark.parametrize(
    ("given", "kind", "setting"),
    [
        ({"optimizer": "sgd", "momentum": 0.9, "nesterov": True}, "SGD", ("momentum", 0.9)),
        ({"optimizer": "adam", "weight_decay": 1e-4}, "Adam", ("weight_decay", 1e-4)),
        ({"optimizer": "adamw"}, "AdamW", ("learning_rate", 1e-3)),
        ({"optimizer": "rmsprop", "learning_rate": 0.25}, "RMSprop", ("learning_rate", 0.25)),
    ],
)
def test_the_recipe_compiles_the_optimizer_that_it_names(
    given: dict[str, object], kind: str, setting: tuple[str, float]
) -> None:
    values = defaults("ann", **given)
    network = FAMILIES["ann"].network(values, (8, 8, 1), 3)
    compile_network(network, values)
    assert type(network.optimizer).__name__ == kind
    assert float(getattr(network.optimizer, setting[0])) == pytest.approx(setting[1])


def test_momentum_is_no_parameter_of_other_optimizers() -> None:
    assert "momentum" in defaults("ann", optimizer="sgd")
    assert "momentum" not in defaults("ann", optimizer="adam")


def test_an_unknown_family_gets_a_suggestion() -> None:
    with pytest.raises(InputError, match="did you mean 'cnn'"):
        get_family("cnnn")
