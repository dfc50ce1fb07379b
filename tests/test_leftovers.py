"""What a killed process left half written goes when the next one writes into the same folder, whichever that is."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from other_process import ended_process

from tuner.datasets.audit import audit
from tuner.datasets.base import Dataset
from tuner.datasets.contact_sheet import write_contact_sheet
from tuner.datasets.npz import save_npz
from tuner.datasets.store import save_to_store
from tuner.ledger.ledger import Ledger
from tuner.running.new import new_search
from tuner.search_file.file import parse_search
from tuner.search_file.overrides import Overrides
from tuner.worker.features import Backbone, Features

SEARCH = {"title": "x", "dataset": "digits", "training": {"epochs": 1}, "search": [{"family": "ann"}]}


def hold_a_search(folder: Path, blobs: Dataset) -> Path:
    with Ledger(folder / "ledger.sqlite") as ledger, ledger.sole_runner("small"):
        return folder / "locks"


def note_other_names(folder: Path, blobs: Dataset) -> Path:
    """Lay the same images out twice, out of files of other names."""
    names = {"train": [f"{folder.stat().st_mtime_ns}-{n}" for n in range(len(blobs.y_train))]}
    names["test"] = [f"{n}" for n in range(len(blobs.y_test))]
    return save_to_store(replace(blobs, files={split: tuple(files) for split, files in names.items()}), folder)


def compute_features(folder: Path, blobs: Dataset) -> Path:
    place = folder / "features" / ("0" * 16)
    Features(place, Backbone(lambda: lambda images: images.reshape(len(images), -1).astype(np.float32))).of(
        f"part{len(list(folder.rglob('*.npz')))}", blobs.x_train
    )
    return place


def draw_a_contact_sheet(folder: Path, blobs: Dataset) -> Path:
    save_npz(blobs, folder / "blobs.npz")
    write_contact_sheet(audit(str(folder / "blobs.npz")), folder / "sheet.png")
    return folder


def begin_a_search_file(folder: Path, blobs: Dataset) -> Path:
    save_npz(blobs, folder / "blobs.npz")
    path, _ = new_search("mine", "blobs.npz", None, force=True)
    return path.parent


def write_a_search_file(folder: Path, blobs: Dataset) -> Path:
    parse_search(SEARCH, "small", folder, Overrides(), "").to_toml(folder / "small.toml")
    return folder


@pytest.mark.parametrize(
    "write",
    [
        hold_a_search,
        note_other_names,
        compute_features,
        draw_a_contact_sheet,
        begin_a_search_file,
        write_a_search_file,
    ],
)
def test_what_a_killed_process_left_half_written_goes(
    write: Callable[[Path, Dataset], Path], tmp_path: Path, blobs: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    left = write(tmp_path, blobs) / f".partial-{ended_process()}-x"
    left.touch()
    os.utime(tmp_path)
    write(tmp_path, blobs)
    assert not left.exists()
