"""Saved files that are the same bytes whenever and wherever the same content was saved."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import keras
import numpy as np

from tuner.worker.model_files import make_reproducible


def a_network() -> keras.Model:
    """Return a network whose layers share their policy of data types, which Keras tells by its address."""
    return keras.Sequential(
        [
            keras.Input((4,), name="pixels"),
            keras.layers.Dense(3, kernel_initializer="ones", name="one"),
            keras.layers.Dense(2, kernel_initializer="ones", name="two"),
        ],
        name="network",
    )


def saved(path: Path, date: str) -> Path:
    """Save such a network as if at a date; return where."""
    kept = [a_network() for _ in range(3)]  # so that the next one lies elsewhere in memory
    network = a_network()
    network.save(path)
    del kept
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    about = json.loads(members["metadata.json"])
    members["metadata.json"] = json.dumps({**about, "date_saved": date}).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, datetime.fromisoformat(date).timetuple()[:6]), content)
    return path


def test_the_same_network_is_the_same_bytes_whenever_it_was_saved(tmp_path: Path) -> None:
    one = saved(tmp_path / "one.keras", "2024-01-01 10:00:00")
    other = saved(tmp_path / "other.keras", "2025-12-31 23:59:58")
    assert one.read_bytes() != other.read_bytes()
    for path in (one, other):
        make_reproducible(path)
    assert one.read_bytes() == other.read_bytes()


def test_plain_keras_reads_the_same_network_back(tmp_path: Path) -> None:
    path = saved(tmp_path / "one.keras", "2024-01-01 10:00:00")
    make_reproducible(path)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
        assert json.loads(archive.read("metadata.json")) == {"keras_version": keras.__version__}
        assert '"shared_object_id": 1' in archive.read("config.json").decode(), "Keras shares nothing any more"
    answers = keras.models.load_model(path).predict(np.ones((2, 4), np.float32), verbose=0)
    np.testing.assert_array_equal(answers, np.full((2, 2), 12))  # 3 units of 4 ones each


def test_what_is_shared_keeps_one_number_and_others_get_their_own(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "made-up.keras", "w") as archive:
        first, second = ({"name": name, "shared_object_id": place} for name, place in (("a", 140_737), ("b", 94_001)))
        archive.writestr("config.json", json.dumps({"layers": [first, second, {"inner": first}], "units": 140_737}))
    make_reproducible(tmp_path / "made-up.keras")
    with zipfile.ZipFile(tmp_path / "made-up.keras") as archive:
        config = json.loads(archive.read("config.json"))
    numbers = [layer["shared_object_id"] for layer in (*config["layers"][:2], config["layers"][2]["inner"])]
    assert numbers == [1, 2, 1]
    assert config["units"] == 140_737


def test_arrays_are_the_same_bytes_whenever_they_were_saved_and_stay_compressed(tmp_path: Path) -> None:
    path = tmp_path / "arrays.npz"
    np.savez_compressed(path, labels=np.arange(5), probabilities=np.zeros((5000, 3)))
    size = path.stat().st_size
    make_reproducible(path)
    assert path.stat().st_size <= size
    with zipfile.ZipFile(path) as archive:
        assert {datetime(*member.date_time, tzinfo=UTC).year for member in archive.infolist()} == {1980}
    with np.load(path, allow_pickle=False) as arrays:
        assert arrays["labels"].tolist() == [0, 1, 2, 3, 4]
        assert arrays["probabilities"].shape == (5000, 3)
