"""Pictures as PNG files: few colours cost a byte a pixel, photographs keep theirs."""

from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from tuner.contents.png import with_palette
from tuner.report.images import show_image


def as_png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, "png")
    return buffer.getvalue()


class TestPalette:
    def test_up_to_256_colours_stay_exactly_as_they_are_at_a_byte_a_pixel(self) -> None:
        pixels = np.random.default_rng(0).permutation(np.repeat(np.arange(256), 4)).reshape(32, 32)
        pixels = np.stack([pixels, 255 - pixels, pixels // 2], axis=-1)
        with Image.open(io.BytesIO(with_palette(as_png(pixels)))) as image:
            assert image.mode == "P"
            np.testing.assert_array_equal(np.asarray(image.convert("RGB")), pixels)

    @pytest.mark.parametrize("colours", [400, 14_400])
    def test_photographs_keep_every_colour_however_few_they_are(self, colours: int) -> None:
        random = np.random.default_rng(0)
        photograph = random.integers(0, 256, (colours, 3))[np.arange(14_400) % colours].reshape(120, 120, 3)
        with Image.open(io.BytesIO(with_palette(as_png(photograph)))) as image:
            np.testing.assert_array_equal(np.asarray(image), photograph)

    def test_grey_pictures_keep_every_shade_at_a_byte_a_pixel(self) -> None:
        shades = np.random.default_rng(0).permutation(np.repeat(np.arange(256), 4)).reshape(32, 32)
        with Image.open(io.BytesIO(with_palette(as_png(np.stack([shades] * 3, axis=-1))))) as image:
            assert image.mode == "L"
            np.testing.assert_array_equal(np.asarray(image), shades)

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
        with Image.open(buffer) as whole, Image.open(io.BytesIO(with_palette(buffer.getvalue()))) as few:
            apart = np.abs(np.asarray(whole.convert("RGB"), np.int64) - np.asarray(few.convert("RGB"), np.int64))
        assert apart.mean() < 0.5  # of 255
        assert (apart.max(axis=-1) > 16).mean() < 0.02
