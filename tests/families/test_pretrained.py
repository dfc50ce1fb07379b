"""`pretrained`: networks of `keras.applications` from raw pixels, what of them learns, and where weights come from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tuner.errors import InputError, TrialError
from tuner.families import FAMILIES, get_family
from tuner.families.pretrained import BACKBONES, STAGE, Pretrained, give_head, one_of_each_backbone
from tuner.recipe import RECIPE
from tuner.space.space import Configuration, read_space

SMALL = {"backbone": "mobilenet", "alpha": 0.25, "weights": "none"}
IMAGES = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
PARAMETERS = (*FAMILIES["pretrained"].parameters, *RECIPE)


def values_of(**given: object) -> Configuration:
    (values,) = read_space({**SMALL, **given}, {}, PARAMETERS, {}).grid()
    return values


def built(shape: tuple[int, int, int] = (32, 32, 3), **given: object) -> keras.Model:
    keras.utils.set_random_seed(1)
    return Pretrained().network(values_of(**given), shape, 5)


def spread(network: keras.Model) -> keras.Model:
    """Give a network kernels by which it tells images apart: with those that Keras draws, numbers fade on their way."""
    rng = np.random.default_rng(1)
    for layer in network._flatten_layers():
        if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D | keras.layers.Dense):
            kernel = layer.get_weights()[0]
            fed = np.prod(kernel.shape[:2]) if isinstance(layer, keras.layers.DepthwiseConv2D) else kernel[..., 0].size
            layer.set_weights([rng.normal(0, (2 / fed) ** 0.5, kernel.shape), *layer.get_weights()[1:]])
    return network


def answers(network: keras.Model, images: np.ndarray) -> np.ndarray:
    return keras.ops.convert_to_numpy(network(images, training=False))


def weights_of(network: keras.Model, learning: bool) -> list[str]:
    return [v.path for v in (network.trainable_variables if learning else network.non_trainable_variables)]


@pytest.mark.parametrize("name", BACKBONES)
def test_every_backbone_is_there_and_is_fed_what_it_was_trained_with(name: str) -> None:
    row = BACKBONES[name]
    make = getattr(keras.applications, row.function)
    module = sys.modules[make.__module__]
    from tuner.families.pretrained import _brought

    pixels = keras.Input((8, 8, 3))
    images = np.random.default_rng(1).integers(0, 256, (2, 8, 8, 3)).astype(np.float32)
    brought = _brought(pixels, row.pixels)
    ours = images if brought is pixels else answers(keras.Model(pixels, brought), images)
    np.testing.assert_allclose(ours, module.preprocess_input(images.copy()), atol=1e-4)
    assert row.work > 0


#: Backbones that take more than 5 seconds to build, save and load again.
SLOW = {"efficientnet_b0", "efficientnet_v2_b0", "resnet_50", "resnet_50_v2", "densenet_121", "convnext_tiny",
        "nasnet_mobile", "xception"}  # fmt: skip


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in SLOW)) for n in BACKBONES])
def test_every_backbone_is_built_for_the_smallest_images_and_answers_alike_when_loaded(
    name: str, tmp_path: Path
) -> None:
    row, side = BACKBONES[name], 71 if name == "xception" else 32
    with pytest.raises(TrialError, match=rf"images of {side - 1}x{side - 1} pixels are too small for {row.function}"):
        built((side - 1, side - 1, 3), backbone=name, alpha=1.0)
    network = built((side, side, 3), backbone=name, alpha=min(row.alphas, default=1.0))
    assert network.get_layer("backbone").get_layer(index=-1).name == "features"
    assert weights_of(network, True) == ["probabilities/kernel", "probabilities/bias"]
    images = np.random.default_rng(2).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    found = answers(network, images)
    assert found.shape == (2, 5)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras", safe_mode=True)
    np.testing.assert_array_equal(answers(loaded, images), found)


@pytest.mark.parametrize("shape", [(32, 32, 3), (32, 40, 1)])
def test_takes_raw_pixels_grey_or_coloured_and_gives_probabilities(shape: tuple[int, int, int]) -> None:
    network = built(shape)
    assert network.input_shape == (None, *shape)
    found = answers(network, np.resize(IMAGES, (3, *shape)))
    assert found.shape == (3, 5)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)


def test_a_network_is_saved_and_loaded_in_safe_mode_and_answers_as_before(tmp_path: Path) -> None:
    for given in ({}, {"resize": 48}, {"dense_units": 7, "dropout": 0.5, "pooling": "max"}):
        network = spread(built(**given))
        assert np.ptp(answers(network, IMAGES), axis=0).max() > 1e-3
        network.save(tmp_path / "network.keras")
        loaded = keras.models.load_model(tmp_path / "network.keras", safe_mode=True)
        np.testing.assert_array_equal(answers(loaded, IMAGES), answers(network, IMAGES))


def test_of_a_frozen_backbone_nothing_learns() -> None:
    network = built(dense_units=6)
    assert weights_of(network, True) == ["dense_1/kernel", "dense_1/bias", "probabilities/kernel", "probabilities/bias"]
    assert built().count_params() - 1_285 == Pretrained().backbone(values_of(), (32, 32, 3)).count_params()


def test_a_share_of_the_layers_learns_but_for_batch_normalisation() -> None:
    some, every = built(fine_tune=0.2), built(fine_tune=1.0)
    assert 4 < len(some.trainable_variables) < len(every.trainable_variables)
    for network in (some, every):
        assert not [path for path in weights_of(network, True) if "bn" in path]
    last = [v.path for v in some.trainable_variables]
    assert [path for path in weights_of(every, True) if path in last] == last, "the last ones"
    statistics = [v for v in every.non_trainable_variables if "moving" in v.path]
    before = [keras.ops.convert_to_numpy(v).copy() for v in statistics]
    every.compile("sgd", "sparse_categorical_crossentropy")
    every.fit(IMAGES, np.arange(4), epochs=1, verbose=0)
    for variable, value in zip(statistics, before, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), value)


def test_a_head_on_features_is_the_whole_network() -> None:
    network = spread(built(dense_units=6))
    family, values = Pretrained(), values_of(dense_units=6)
    features = answers(network.get_layer("backbone"), IMAGES)
    keras.utils.set_random_seed(2)
    head = family.head(values, features.shape[1], 5)
    give_head(network, head)
    np.testing.assert_allclose(answers(network, IMAGES), answers(head, features), atol=1e-6)


def test_work_is_that_of_the_head_where_the_backbone_is_frozen() -> None:
    def work(**given: object) -> float:
        return Pretrained().work(values_of(**given), (224, 224, 3), 10)

    assert work() == 1_280 * 10
    assert work(dense_units=100) == 1_280 * 100 + 100 * 10
    assert work(fine_tune=1.0, alpha=1.0) == 568e6 + 12_800
    assert work(fine_tune=1.0, alpha=0.5, resize=112) == 568e6 / 16 + 12_800


@pytest.mark.parametrize(
    ("shape", "given", "fragments"),
    [
        ((16, 16, 3), {}, ["images of 16x16 pixels are too small for MobileNet", "resize"]),
        ((32, 32, 3), {"weights": "nothing.h5"}, ["MobileNet", "nothing.h5"]),
        ((32, 32, 3), {"weights": "broken.h5"}, ["MobileNet", "broken.h5"]),
        ((32, 32, 3), {"weights": "another.h5"}, ["MobileNet", "another.h5"]),
    ],
)
def test_what_cannot_be_built_is_one_line(
    shape: tuple[int, int, int], given: dict[str, Any], fragments: list[str], tmp_path: Path
) -> None:
    (tmp_path / "broken.h5").write_bytes(b"no weights")
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save_weights(tmp_path / "a.weights.h5")
    (tmp_path / "a.weights.h5").rename(tmp_path / "another.h5")
    with pytest.raises(TrialError) as caught:
        Pretrained(tmp_path).network(values_of(**given), shape, 5)
    assert len(str(caught.value).splitlines()) == 1
    for fragment in fragments:
        assert fragment in str(caught.value)


def test_weights_come_from_a_file_beside_the_search_file(tmp_path: Path) -> None:
    keras.utils.set_random_seed(9)
    source = keras.applications.MobileNet(include_top=False, weights=None, input_shape=(32, 32, 3), alpha=0.25)
    source.save_weights(tmp_path / "mine.weights.h5")
    network = Pretrained(tmp_path).network(values_of(weights="mine.weights.h5"), (48, 48, 3), 5)
    inner = next(layer for layer in network.get_layer("backbone").layers if isinstance(layer, keras.Model))
    for ours, theirs in zip(inner.get_weights(), source.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_files_are_those_that_the_space_names_and_their_content_is_its_source(tmp_path: Path) -> None:
    space = read_space({"weights": ["imagenet", "a.h5", "b.h5", "none"]}, {}, PARAMETERS, {})
    family = get_family("pretrained", tmp_path).reading(space)
    assert family.files == ("a.h5", "b.h5")
    with pytest.raises(InputError, match=r"space.weights 'a.h5': is not there; put it at .*a.h5, or write 'imagenet'"):
        family.source_hash()
    for name in family.files:
        (tmp_path / name).write_text(name)
    first = family.source_hash()
    assert len(first) == 16
    (tmp_path / "b.h5").write_text("another")
    assert family.source_hash() != first
    assert get_family("pretrained", tmp_path).source_hash() == ""


@pytest.mark.parametrize("wrong", ["weights.keras", "Imagenet21k", ""])
def test_other_weights_are_refused(wrong: str) -> None:
    with pytest.raises(InputError, match=r"is not 'imagenet', 'none' or the name of an .h5 file"):
        read_space({"weights": wrong}, {}, PARAMETERS, {})


def test_alpha_is_for_backbones_that_have_a_width() -> None:
    space = read_space({"backbone": ["resnet_50", "mobilenet"], "alpha": [0.25, 0.5]}, {}, PARAMETERS, {})
    assert [(v["backbone"], v.get("alpha")) for v in space.grid()] == [
        ("resnet_50", None),
        ("mobilenet", 0.25),
        ("mobilenet", 0.5),
    ]
    assert len(one_of_each_backbone(space.grid())) == 3


def test_a_first_stage_is_told_where_layers_learn_and_its_rate_where_there_is_one() -> None:
    given = {"fine_tune": [0.0, 0.2], "head_epochs": [0, 3], "head_learning_rate": [1e-3, 1e-2]}
    space = read_space({**SMALL, **given}, {}, PARAMETERS, {})
    grid = [tuple(v.get(name) for name in given) for v in space.grid()]
    assert grid == [(0.0, None, None), (0.2, 0, None), (0.2, 3, 1e-3), (0.2, 3, 1e-2)]
    wide = {"fine_tune": {"min": 0.0, "max": 0.5}, "head_epochs": {"min": 0, "max": 2}}
    ranges = read_space({**SMALL, **wide}, {}, PARAMETERS, {})
    assert ranges.active({**ranges.fixed(), "fine_tune": 0.3, "head_epochs": 2})["head_learning_rate"] == 1e-3
    assert "head_learning_rate" not in ranges.active({**ranges.fixed(), "fine_tune": 0.3, "head_epochs": 0})
    assert ranges.hyperparameters().values["head_epochs"] == 0
    assert Pretrained.head_epochs({"fine_tune": 0.2}) == 0, "of a trial that was recorded before there were stages"


def test_trials_without_a_first_stage_have_the_names_that_they_had() -> None:
    space = read_space({**SMALL, "fine_tune": [0.0, 0.2], "head_epochs": [0, 3]}, {}, PARAMETERS, {})
    assert [[p.name for p in space.parameters if p.name in STAGE and p.is_idle(v)] for v in space.grid()] == [
        [],
        ["head_epochs"],
        [],
    ]


def test_what_decides_about_features_names_them() -> None:
    family = Pretrained()

    def name(seed: int = 0, source: str = "", **given: object) -> str:
        return family.of_backbone(values_of(**{"weights": "imagenet", **given}), (32, 32, 3), seed, source)

    assert name() == name(seed=1) == name(dense_units=9, dropout=0.5, learning_rate=0.1)
    others = [name(alpha=0.5), name(resize=64), name(pooling="max"), name(source="x"), name(weights="none")]
    assert len({name(), *others, name(weights="none", seed=1)}) == 7


def test_the_page_on_photographs_lists_every_backbone() -> None:
    page = (Path(__file__).parents[2] / "docs" / "photographs.md").read_text()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| `")]
    assert [row for row in rows if row[0].strip("`") in BACKBONES] == [
        [f"`{name}`", one.function, f"{one.work:,.0f}", ", ".join(f"{alpha:g}" for alpha in one.alphas)]
        for name, one in BACKBONES.items()
    ]
