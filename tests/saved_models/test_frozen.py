"""What a saved model of `pretrained` has frozen is held against the source of the weights, bit for bit."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras.src.legacy.saving import legacy_h5_format
from made_up import banded_photos
from saved_search import saved_search

from tuner.analysis.findings import Findings
from tuner.datasets.base import Dataset
from tuner.errors import CheckError
from tuner.families import FAMILIES
from tuner.families.frozen import frozen_arrays, hash_of_arrays
from tuner.families.pretrained import BACKBONE, IMAGENET, Pretrained
from tuner.recipe import RECIPE
from tuner.saved_models.frozen import frozen_in_words
from tuner.saved_models.verify import verify
from tuner.space.space import read_space
from tuner.untrusted.saved_model import checked_model

pytestmark = pytest.mark.usefixtures("forked_scripts")

SPACE = {"backbone": "mobilenet", "alpha": 0.25, "weights": "mine.weights.h5"}
#: All arrays of the backbone, and those that learn where the last third of its layers does.
ARRAYS, LEARNING = 135, 9
LAYERS = (keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax"))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made-up weights of a small backbone; tests change copies of the file."""
    folder = tmp_path_factory.mktemp("source")
    rng = np.random.default_rng(0)
    network = keras.applications.MobileNet(include_top=False, weights=None, input_shape=(32, 32, 3), alpha=0.25)
    network.set_weights([rng.uniform(0.1, 0.2, one.shape) for one in network.get_weights()])
    network.save_weights(folder / "mine.weights.h5")
    return folder / "mine.weights.h5"


@pytest.fixture
def photos() -> Dataset:
    return banded_photos("abc", 40, 25)


@functools.cache  # a network is built, and its predictions compiled, once for all tests that save it
def built(source: Path, **given: Any) -> keras.Model:
    space = {**SPACE, **given}
    (values,) = read_space(space, {}, [*FAMILIES["pretrained"].parameters, *RECIPE], {}).grid()
    return Pretrained(source.parent, (source.name,)).network(values, (32, 32, 3), 3)


def backbone_hash(network: keras.Model) -> dict[str, str]:
    backbone = network.get_layer(BACKBONE)
    return {"frozen_sha256": hash_of_arrays(frozen_arrays(backbone, backbone))}


@contextmanager
def turned(network: keras.Model, learning: bool) -> Iterator[None]:
    """Turn the lowest bit of one number of the backbone for a while, of an array that learns or of a frozen one."""
    backbone = network.get_layer(BACKBONE)
    variable = (backbone.trainable_weights if learning else backbone.non_trainable_weights)[-1]
    before = np.array(variable)
    bits = before.copy()
    bits.view(np.uint32).flat[-1] ^= 1
    variable.assign(bits)
    try:
        yield
    finally:
        variable.assign(before)


def said(
    folder: Path,
    source: Path,
    photos: Dataset,
    network: keras.Model,
    after: Callable[[Path], object] = str,
    share: float = 0.0,
    **given: Any,
) -> str:
    """Return what is said of a saved network's frozen arrays once `after` was called on the weights beside it."""
    folder.mkdir()
    weights = shutil.copy(source, folder)
    searched = {"family": "pretrained", "space": {**SPACE, "fine_tune": share}}
    findings, path = saved_search(folder, photos, network, searched=searched, **given)
    after(Path(weights))
    return told_of(findings, path)


def told_of(findings: Findings, path: Path) -> str:
    return frozen_in_words(findings, findings.chosen[0], checked_model(path))


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_frozen_arrays_are_those_of_the_file_and_one_bit_of_difference_is_an_error(
    share: float, tmp_path: Path, source: Path, photos: Dataset
) -> None:
    count = ARRAYS - (LEARNING if share else 0)
    network = built(source, fine_tune=share) if share else built(source)
    line = f"its {count} frozen arrays those of mine.weights.h5 bit for bit"
    assert said(tmp_path / "a", source, photos, network, share=share) == line
    if share:
        with turned(network, learning=True):
            assert said(tmp_path / "b", source, photos, network, share=share) == line
    with turned(network, learning=False), pytest.raises(CheckError) as caught:
        said(tmp_path / "c", source, photos, network, share=share)
    assert str(caught.value) == (
        f"pretrained-blobs.keras: array {count} of {count} that were frozen is not the one of mine.weights.h5; "
        "train it again"
    )


def test_a_file_in_the_data_folder_is_a_source_too(tmp_path: Path, source: Path, photos: Dataset) -> None:
    network = built(source)
    line = said(tmp_path / "a", source, photos, network, Path.unlink, data_dir=source.parent)
    assert line == f"its {ARRAYS} frozen arrays those of mine.weights.h5 bit for bit"


def test_without_the_file_the_hash_on_the_card_counts_and_a_card_without_one_stays_valid(
    tmp_path: Path, source: Path, photos: Dataset
) -> None:
    def replaced(weights: Path) -> None:
        weights.write_bytes(b"other weights under the same name")

    network = built(source)
    told = backbone_hash(network)
    line = f"its {ARRAYS} frozen arrays by their recorded hash those of mine.weights.h5"
    assert said(tmp_path / "a", source, photos, network, Path.unlink, environment=told) == line
    assert said(tmp_path / "b", source, photos, network, replaced, environment=told) == line
    found = said(tmp_path / "c", source, photos, network, replaced)
    assert found == "its frozen arrays not compared, as mine.weights.h5 is not here"
    with turned(network, learning=False), pytest.raises(CheckError) as caught:
        said(tmp_path / "d", source, photos, network, replaced, environment=told)
    assert str(caught.value) == (
        "pretrained-blobs.keras: the arrays that were frozen have not the hash of those of mine.weights.h5 that was "
        "recorded; train it again"
    )


def test_weights_of_imagenet_are_looked_for_in_the_folder_of_keras_and_never_downloaded(
    tmp_path: Path, source: Path, photos: Dataset, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    asked: list[object] = []
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path / "keras"))
    monkeypatch.setitem(keras.utils.get_file.__globals__, "urlretrieve", lambda *given: asked.append(given))
    network = built(source)
    searched = {"family": "pretrained", "space": {**SPACE, "weights": IMAGENET}}
    findings, path = saved_search(tmp_path / "mine", photos, network, searched=searched)
    assert told_of(findings, path) == "its frozen arrays not compared, as imagenet is not here"
    assert capfd.readouterr().out == ""
    (tmp_path / "keras" / "models").mkdir(exist_ok=True)
    there = keras.applications.MobileNet(include_top=False, weights=None, input_shape=(32, 32, 3), alpha=0.25)
    there.load_weights(source)
    with h5py.File(tmp_path / "keras" / "models" / "mobilenet_2_5_224_tf_no_top.h5", "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, there)  # as Keras' own lie there
    (line,) = verify(findings)
    assert line.endswith(f"; its {ARRAYS} frozen arrays those of imagenet bit for bit")
    assert not asked


def test_random_weights_have_no_source_and_of_other_families_nothing_is_said(
    tmp_path: Path, source: Path, photos: Dataset, blobs: Dataset
) -> None:
    searched = {"family": "pretrained", "space": {**SPACE, "weights": "none"}}
    findings, path = saved_search(tmp_path / "a", photos, built(source, weights="none"), searched=searched)
    assert told_of(findings, path) == ""
    findings, path = saved_search(tmp_path / "b", blobs, keras.Sequential([keras.Input((8, 8, 1)), *LAYERS]))
    assert told_of(findings, path) == ""
