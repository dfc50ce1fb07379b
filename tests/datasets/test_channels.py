"""Images of more than three channels are read, trained on and shown by their first three."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tuner.datasets.audit import audit
from tuner.datasets.base import Dataset
from tuner.datasets.channels import channels_in_words, drawn
from tuner.datasets.contact_sheet import write_contact_sheet
from tuner.datasets.npz import load_npz
from tuner.datasets.store import load_from_store, save_to_store
from tuner.errors import TrialError
from tuner.families import FAMILIES
from tuner.page.images import _tile
from tuner.recipe import RECIPE
from tuner.report.images import _samples_figure
from tuner.space.space import Configuration, read_space

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 56, 48, 5), np.uint8)


@pytest.fixture
def data(tmp_path: Path) -> Dataset:
    labels = np.arange(6) % 2
    np.savez(tmp_path / "d.npz", x_train=IMAGES[:6], y_train=labels, x_test=IMAGES[6:], y_test=labels)
    return load_npz(tmp_path / "d.npz")


def values(family: str, **given: object) -> Configuration:
    (found,) = read_space(given, {}, [*FAMILIES[family].parameters, *RECIPE], {}).grid()
    return found


def test_they_are_read_laid_out_and_audited(data: Dataset, tmp_path: Path) -> None:
    assert data.shape == (56, 48, 5)
    stored = load_from_store(save_to_store(data, tmp_path / "store"))
    np.testing.assert_array_equal(stored.x_train, IMAGES[:6])
    found = audit(str(tmp_path / "d.npz"))
    assert len(found.images) == 12
    assert found.images[0].looks is not None
    write_contact_sheet(found, tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").is_file()


def test_their_first_three_channels_are_shown_or_the_first_of_two(data: Dataset) -> None:
    assert [drawn(IMAGES[..., :count]).shape[-1] for count in (1, 2, 3, 4, 5)] == [1, 1, 3, 3, 3]
    np.testing.assert_array_equal(drawn(IMAGES), IMAGES[..., :3])
    assert [channels_in_words(count) for count in (1, 3)] == ["grey", "colour"]
    assert channels_in_words(5) == "5 channels, the first three of which are shown"
    assert channels_in_words(2) == "2 channels, the first of which is shown"
    assert _samples_figure(data).axes
    assert _tile(IMAGES[0]).shape[-1] == 3


def test_networks_from_scratch_take_them(data: Dataset) -> None:
    for family in ("ann", "cnn", "lenet", "resnet_cifar"):
        network = FAMILIES[family].network(values(family), data.shape, 2)
        assert network(data.x_train[:2]).shape == (2, 2)


def test_a_pretrained_network_says_that_it_does_not(data: Dataset) -> None:
    with pytest.raises(TrialError, match="MobileNet takes grey images or such of three colours, and these have 5 chan"):
        FAMILIES["pretrained"].network(values("pretrained", backbone="mobilenet", weights="none"), data.shape, 2)
