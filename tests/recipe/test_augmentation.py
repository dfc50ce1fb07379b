"""Augmentation: every kind changes training images as it says, image by image, and the same way for the same seed."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from tuner.errors import TrialError
from tuner.recipe import augmenter
from tuner.recipe.augmentation import AUGMENTATIONS, OF_COLOURS
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

    def test_goes_on_from_the_states_of_its_variables(self, given: dict[str, Any], recipe: Any) -> None:
        augment = augmenter(recipe(**given), SHAPE, 3)
        augment(IMAGES, training=True)
        states = [keras.ops.convert_to_numpy(variable) for variable in augment.variables]
        then = keras.ops.convert_to_numpy(augment(IMAGES, training=True))
        other = augmenter(recipe(**given), SHAPE, 4)
        for variable, state in zip(other.variables, states, strict=True):
            variable.assign(state)
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(other(IMAGES, training=True)), then)

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

    def test_takes_grey_images_or_says_that_it_is_about_colours(self, given: dict[str, Any], recipe: Any) -> None:
        if about := [name for name in given if name in OF_COLOURS]:
            with pytest.raises(TrialError, match=rf"^{about[0]} = 0.2 is about colours, and the images have 1 channel"):
                augmenter(recipe(**given), (12, 10, 1), 3)
            return
        assert variants(recipe(**given), IMAGES[..., :1]).shape == (40, 12, 10, 1)


def test_a_trial_that_was_recorded_before_a_kind_came_is_augmented_as_it_was(recipe: Any) -> None:
    values = {name: value for name, value in recipe(flip="both", shift=0.1).items() if name != "erasing"}
    np.testing.assert_array_equal(variants(values), variants(recipe(flip="both", shift=0.1)))
    seeds = [layer.seed for layer in augmenter(values, SHAPE, 3).layers[0].layers]
    assert seeds == [3, 3 + 5], "as many as there were kinds when both flips came"


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


def test_brightness_moves_all_pixels_of_an_image_by_as_much_both_ways(recipe: Any) -> None:
    grey = np.full((40, 4, 4, 3), 120, np.float32)
    changed = variants(recipe(brightness=0.2), grey)
    moved_by = changed[:, 0, 0, 0] - 120
    np.testing.assert_allclose(changed, 120 + moved_by[:, None, None, None] * np.ones((1, 4, 4, 3)))
    assert -51 <= moved_by.min() < -25
    assert 25 < moved_by.max() <= 51


def test_contrast_is_more_and_less_about_the_mean_of_each_channel(recipe: Any) -> None:
    halves = np.full((40, 4, 4, 3), 100, np.float32)
    halves[:, :2] = 140
    changed = variants(recipe(contrast=0.5), halves)
    np.testing.assert_allclose(changed.mean(axis=(1, 2)), 120, rtol=1e-5)
    factors = (changed[:, 0, 0, 0] - changed[:, 3, 0, 0]) / 40
    assert 0.5 <= factors.min() < 0.75
    assert 1.25 < factors.max() <= 1.5


def test_saturation_keeps_hue_and_value_and_grey_takes_the_colours_of_its_share(recipe: Any) -> None:
    red = np.broadcast_to(np.array([200, 100, 100], np.float32), (200, 4, 4, 3))
    changed = variants(recipe(saturation=0.5), red)[:, 0, 0]
    np.testing.assert_allclose(changed[:, 0], 200, rtol=1e-5)
    np.testing.assert_allclose(changed[:, 1], changed[:, 2], rtol=1e-5)
    strengths = (1 - changed[:, 1] / 200) / 0.5
    assert 1 / 3 - 0.01 < strengths.min() < 0.5
    assert 1.5 < strengths.max() <= 2.0001  # at which the colour is pure
    grey = [bool(np.allclose(image, image[..., :1])) for image in variants(recipe(grey=0.25), red)]
    assert 0.15 < np.mean(grey) < 0.35


def test_erasing_makes_one_rectangle_noise_in_its_share_of_the_images(recipe: Any) -> None:
    changed = variants(recipe(erasing=0.5), SAME) != SAME
    hit = changed.any(axis=(1, 2, 3))
    assert 0.3 < hit.mean() < 0.7
    for image in changed[hit].any(axis=-1):
        rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
        assert image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
        assert image.mean() < 0.5
