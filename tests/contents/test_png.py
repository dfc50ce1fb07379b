"""Pictures as PNG files: in fewer colours, which look the same."""

from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from tuner.contents.png import in_few_colours
from tuner.report.images import show_image


def as_png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, "png")
    return buffer.getvalue()


class TestFewColours:
    def test_few_colours_stay_exactly_as_they_are_at_a_byte_a_pixel(self) -> None:
        pixels = np.random.default_rng(0).permutation(np.repeat(np.arange(0, 256, 6), 24)).reshape(43, 24)
        pixels = np.stack([pixels, 255 - pixels, pixels // 2], axis=-1)
        with Image.open(io.BytesIO(in_few_colours(as_png(pixels)))) as image:
            assert image.mode == "P"
            np.testing.assert_array_equal(np.asarray(image.convert("RGB")), pixels)

    @pytest.mark.parametrize("colours", [400, 14_400])
    def test_photographs_keep_every_colour_but_for_its_last_steps(self, colours: int) -> None:
        """Of noise each colour is as far from the next one as can be, so that no 256 come near to all."""
        random = np.random.default_rng(0)
        photograph = random.integers(0, 256, (colours, 3))[np.arange(14_400) % colours].reshape(120, 120, 3)
        with Image.open(io.BytesIO(in_few_colours(as_png(photograph)))) as image:
            assert image.mode == "RGB"
            assert np.abs(np.asarray(image, np.int64) - photograph).max() <= 8

    def test_photographs_that_256_colours_come_near_to_are_drawn_with_them(self) -> None:
        across = np.linspace(0, 255, 120)
        photograph = np.stack([*np.meshgrid(across, across), np.full((120, 120), 90.0)], axis=-1)
        with Image.open(io.BytesIO(in_few_colours(as_png(photograph)))) as image:
            assert image.mode == "P"
            apart = np.abs(np.asarray(image.convert("RGB"), np.int64) - photograph.astype(np.uint8)).max(axis=-1)
        assert (apart > 16).mean() < 0.04

    def test_grey_pictures_keep_every_shade_but_for_its_last_steps(self) -> None:
        shades = np.random.default_rng(0).permutation(np.repeat(np.arange(256), 4)).reshape(32, 32)
        with Image.open(io.BytesIO(in_few_colours(as_png(np.stack([shades] * 3, axis=-1))))) as image:
            assert image.mode == "L"
            grey = np.asarray(image, np.int64)
        assert np.abs(grey - shades).max() <= 8
        assert set(grey[np.isin(shades, [0, 255])]) == {0, 255}, "black and white stay so"
        assert (np.diff(grey.ravel()[np.argsort(shades, axis=None)]) >= 0).all(), "and no two change places"

    def test_small_images_are_drawn_with_sharp_pixels_and_large_ones_smoothly(self) -> None:
        for side, sharp in ((8, True), (28, True), (96, False)):
            figure = Figure(figsize=(1, 1), dpi=100)
            checks = (np.indices((side, side, 1)).sum(axis=0) % 2 * 255).astype(np.uint8)
            show_image(figure.add_axes((0, 0, 1, 1)), checks)
            buffer = io.BytesIO()
            figure.savefig(buffer, format="png", dpi=100)
            with Image.open(buffer) as image:
                shades = np.unique(np.asarray(image.convert("L")))
            assert (shades.tolist() == [0, 255]) == sharp, side

    def test_a_drawing_hardly_changes(self) -> None:
        figure = Figure(figsize=(4, 3))
        figure.subplots().plot(np.random.default_rng(0).normal(size=(50, 6)))
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=144)
        with Image.open(buffer) as whole, Image.open(io.BytesIO(in_few_colours(buffer.getvalue()))) as few:
            apart = np.abs(np.asarray(whole.convert("RGB"), np.int64) - np.asarray(few.convert("RGB"), np.int64))
        assert apart.mean() < 1  # of 255
        assert (apart.max(axis=-1) > 16).mean() < 0.005
