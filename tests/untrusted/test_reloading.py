"""What a network will take between its layers is known from its shapes, before any of it is computed."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from tuner.untrusted import reloading
from tuner.untrusted.reloading import Step, TooMuch, fitting_batch, most_bytes

layers = keras.layers


def network(*middle: keras.layers.Layer, side: int = 8) -> keras.Model:
    return keras.Sequential([keras.Input((side, side, 1)), *middle, layers.GlobalAveragePooling2D(), layers.Dense(2)])


def test_values_take_room_until_their_last_step() -> None:
    steps = [Step([], {"a": 10}), Step(["a"], {"b": 5}), Step(["b"], {"c": 5}), Step(["a", "c"], {"d": 1})]
    assert most_bytes(steps) == 10 + 5 + 5  # b and c beside a, which the last step needs
    assert most_bytes([*steps[:3], Step(["c"], {"d": 1})]) == 15
    assert most_bytes([Step([], {"a": 4}, within=100)]) == 104
    assert most_bytes([Step([], {"never used": 7}), Step([], {"a": 4})]) == 7
    assert most_bytes([]) == 0


@pytest.mark.parametrize(
    ("made", "gigabytes"),
    [
        (network(layers.UpSampling2D((3000, 3000))), "2.3"),  # 24,000 x 24,000 numbers of 4 bytes
        (keras.Sequential([keras.Input((8, 8, 1)), network(layers.UpSampling2D((3000, 3000)))]), "2.3"),
    ],
    ids=["plain", "within another"],
)
def test_a_network_that_makes_much_of_one_image_is_refused(made: keras.Model, gigabytes: str) -> None:
    with pytest.raises(TooMuch, match=r"takes ([0-9.]+) GB of memory for one image, and at most 1 GB are") as caught:
        fitting_batch(made, 32)
    told = float(str(caught.value).split()[1])
    assert float(gigabytes) <= told <= 3 * float(gigabytes)  # with what lies between the steps


def test_attention_counts_with_what_it_compares() -> None:
    pixels = keras.Input((200, 200, 1))
    x = layers.Reshape((-1, 1))(pixels)
    attended = layers.MultiHeadAttention(1, 1)(x, x)  # of 40,000 places each with each
    answer = layers.Dense(2)(layers.GlobalAveragePooling1D()(attended))
    with pytest.raises(TooMuch, match="GB of memory for one image"):
        fitting_batch(keras.Model(pixels, answer), 32)


def test_as_many_images_at_a_time_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    made = network(layers.UpSampling2D((100, 100)))  # 640,000 numbers
    assert fitting_batch(made, 32) == 32
    monkeypatch.setattr(reloading, "MOST_BETWEEN_LAYERS", 30_000_000)
    assert 3 <= fitting_batch(made, 32) <= 11
    assert fitting_batch(made, 2) == 2


def test_of_the_images_in_a_file_a_few_batches_are_read_at_a_time(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (25, 2, 2, 1), np.uint8)
    np.save(tmp_path / "images.npy", images)
    seen: list[int] = []

    class Model:
        def predict(self, images: np.ndarray, batch_size: int, verbose: int) -> np.ndarray:
            assert type(images) is np.ndarray, "what is mapped would stay in memory"
            seen.append(len(images))
            return images.reshape(len(images), -1)[:, :2]

    found = reloading._answers(Model(), str(tmp_path / "images.npy"), 1)
    np.testing.assert_array_equal(found, images[:, 0, :, 0])
    assert seen == [10, 10, 5]
