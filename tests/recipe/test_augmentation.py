"""Augmentation: every kind changes training images as it says, image by image, and the same way for the same seed."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from tuner.errors import TrialError
from tuner.recipe import augmenter
from tuner.recipe.augmentation import AUGMENTATIONS
from tuner.space.parameters import Parameter

SHAPE = (12, 10, 3)
IMAGES = np.random.default_rng(0).integers(1, 256, (40, *SHAPE)).astype(np.float32)
#: The same image forty times.
SAME = np.repeat(IMAGES[:1], 40, axis=0)


def asked(parameter: Parameter) -> list[object]:
    """Return values of a parameter that ask for something."""
    if parameter.choices:
        return [choice for choice in parameter.choices if choice != parameter.default]
    return [2] if parameter.kind is int else [0.2 if parameter.high <= 1 else 20.0]


def variants(values: dict[str, Any], images: np.ndarray = IMAGES, seed: int = 3) -> np.ndarray:
    augment = augmenter(values, images.shape[1:], seed)
    assert augment is not None
    return keras.ops.convert_to_numpy(augment(images, training=True))


KINDS = [
    pytest.param({parameter.name: value}, id=f"{parameter.name}-{value}")
    for parameter, _ in AUGMENTATIONS
    for value in asked(parameter)
]
ALL_AT_ONCE = pytest.param({parameter.name: asked(parameter)[-1] for parameter, _ in AUGMENTATIONS}, id="all")


@pytest.mark.parametrize("given", [*KINDS, ALL_AT_ONCE])
class TestEveryAugmentation:
    def test_changes_images_and_keeps_their_shape_and_range(self, given: dict[str, Any], recipe: Any) -> None:
        changed = variants(recipe(**given))
        assert changed.shape == IMAGES.shape
        assert changed.dtype == np.float32
        assert not np.array_equal(changed, IMAGES)
        assert changed.min() >= 0
        assert changed.max() <= 255
        assert changed.max() > 200, "raw pixels, not scaled ones"

    def test_draws_anew_for_each_image_of_a_batch(self, given: dict[str, Any], recipe: Any) -> None:
        assert len({image.tobytes() for image in variants(recipe(**given), SAME)}) > 1

    def test_draws_anew_for_each_batch(self, given: dict[str, Any], recipe: Any) -> None:
        augment = augmenter(recipe(**given), SHAPE, 3)
        one, other = (keras.ops.convert_to_numpy(augment(IMAGES, training=True)) for _ in range(2))
        assert not np.array_equal(one, other)

    def test_repeats_with_the_same_seed_and_with_no_other(self, given: dict[str, Any], recipe: Any) -> None:
        values = recipe(**given)
        keras.utils.set_random_seed(1)
        first = variants(values, seed=3)
        keras.utils.set_random_seed(2)
        np.testing.assert_array_equal(variants(values, seed=3), first)
        assert not np.array_equal(variants(values, seed=4), first)

    def test_has_no_weights_and_leaves_images_alone_outside_training(self, given: dict[str, Any], recipe: Any) -> None:
        augment = augmenter(recipe(**given), SHAPE, 3)
        assert augment.count_params() == 0
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(augment(IMAGES, training=False)), IMAGES)

    def test_takes_grey_images(self, given: dict[str, Any], recipe: Any) -> None:
        assert variants(recipe(**given), IMAGES[..., :1]).shape == (40, 12, 10, 1)


def test_where_nothing_is_asked_for_there_is_no_augmentation(recipe: Any) -> None:
    assert augmenter(recipe(), SHAPE, 3) is None


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("horizontal", {"same", "horizontal"}),
        ("vertical", {"same", "vertical"}),
        ("both", {"same", "horizontal", "vertical", "turned"}),
    ],
)
def test_flips_are_exact_and_each_happens(recipe: Any, kind: str, expected: set[str]) -> None:
    known = {
        IMAGES[0].tobytes(): "same",
        IMAGES[0][:, ::-1].tobytes(): "horizontal",
        IMAGES[0][::-1].tobytes(): "vertical",
        IMAGES[0][::-1, ::-1].tobytes(): "turned",
    }
    found = [known.get(image.tobytes(), "something else") for image in variants(recipe(flip=kind), SAME)]
    assert set(found) == expected
    assert max(found.count(name) for name in expected) < 30


def moved(image: np.ndarray, down: int, right: int) -> np.ndarray:
    """Return an image that is moved by whole pixels, with black where nothing is."""
    height, width = image.shape[:2]
    padded = np.pad(image, ((height, height), (width, width), (0, 0)))
    return padded[height - down : 2 * height - down, width - right : 2 * width - right]


def test_a_crop_moves_by_whole_pixels_and_fills_with_black(recipe: Any) -> None:
    known = {moved(SAME[0], down, right).tobytes(): (down, right) for down in range(-2, 3) for right in range(-2, 3)}
    found = [known.get(image.tobytes()) for image in np.concatenate([variants(recipe(crop=2), SAME) for _ in range(3)])]
    assert None not in found
    assert {down for down, _ in found} == {right for _, right in found} == {-2, -1, 0, 1, 2}


def test_a_crop_as_wide_as_the_image_is_taken_and_a_wider_one_fails_the_trial(recipe: Any) -> None:
    assert variants(recipe(crop=10)).shape == IMAGES.shape
    with pytest.raises(TrialError, match="crop = 11 pads by more than the 12x10 images have"):
        augmenter(recipe(crop=11), SHAPE, 3)


def bright(image: np.ndarray) -> tuple[float, float]:
    """Return the place of the one bright spot of an image: the mean of its light."""
    light = image.sum(axis=-1)
    rows, columns = np.indices(light.shape)
    return float((rows * light).sum() / light.sum()), float((columns * light).sum() / light.sum())


@pytest.fixture
def spot() -> np.ndarray:
    """A bright spot of 3x3 pixels, 4 to the right of the centre of 21x21 black ones, forty times."""
    images = np.zeros((40, 21, 21, 1), np.float32)
    images[:, 9:12, 13:16] = 255
    return images


def test_a_rotation_is_by_degrees_about_the_centre(recipe: Any, spot: np.ndarray) -> None:
    places = [bright(image) for image in variants(recipe(rotation=30.0), spot)]
    angles = np.degrees([np.arctan2(10 - row, column - 10) for row, column in places])
    assert np.abs(angles).max() < 31
    assert np.abs(angles).max() > 20
    assert angles.min() < 0 < angles.max()
    np.testing.assert_allclose([np.hypot(row - 10, column - 10) for row, column in places], 4, atol=0.3)


def test_a_shift_is_by_shares_of_the_sides(recipe: Any, spot: np.ndarray) -> None:
    places = np.array([bright(image) for image in variants(recipe(shift=0.2), spot)]) - bright(spot[0])
    assert np.abs(places).max() < 0.2 * 21 + 0.1
    assert np.abs(places).max(axis=0).min() > 0.1 * 21


def test_a_zoom_is_in_and_out_by_up_to_its_share(recipe: Any, spot: np.ndarray) -> None:
    factors = np.array([(bright(image)[1] - 10) / 4 for image in variants(recipe(zoom=0.5), spot)])
    assert 1 / 1.5 - 0.1 < factors.min() < 0.9
    assert 1.1 < factors.max() < 1 / 0.5 + 0.1
