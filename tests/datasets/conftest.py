"""Downloads that come from a folder of the test and stay in another one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tuner.datasets import DATASETS
from tuner.datasets.downloadable import DownloadableDataset, DownloadableFile


@pytest.fixture
def keras_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keras' cache in the test's own folder."""
    import keras

    cache = tmp_path / "keras"
    cache.mkdir()  # Keras turns to /tmp/.keras if the folder is not there
    monkeypatch.setattr("keras.utils.get_file", partial(keras.utils.get_file, cache_dir=str(cache)))
    return cache / "datasets"


@pytest.fixture
def mirrored(keras_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let a named data set be downloaded from a folder, with the MD5s of the files in it or with `md5`."""

    def mirror(published: DownloadableDataset, folder: Path, md5: str | None = None) -> None:
        def there(file: DownloadableFile) -> DownloadableFile:
            path = folder / file.name
            known = hashlib.md5(path.read_bytes()).hexdigest() if path.is_file() else "0" * 32  # noqa: S324
            return DownloadableFile(f"file://localhost{path}", md5 or known)

        moved = replace(published, files=tuple(there(file) for file in published.files))
        monkeypatch.setitem(DATASETS, published.name, moved)

    return mirror


@pytest.fixture
def no_download(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the test if anything is downloaded."""

    def fail(*args: object, **options: object) -> None:
        pytest.fail("a download was tried")

    monkeypatch.setattr("keras.utils.get_file", fail)
