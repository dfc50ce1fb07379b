"""Data sets in the files that their authors publish, out of a user's folder or downloaded through Keras."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from numpy.typing import NDArray

from tuner.datasets.base import Dataset, Shape, checked_dataset
from tuner.datasets.source import NamedDataset
from tuner.errors import InputError, one_line
from tuner.system.files import is_a
from tuner.system.quiet import import_keras

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class DownloadableFile:
    """Where a file is published, and the MD5 or SHA-256 of its content, in hexadecimal digits."""

    url: str
    checksum: str

    @property
    def name(self) -> str:
        """The file's own name."""
        return PurePosixPath(urlsplit(self.url).path).name

    @property
    def host(self) -> str:
        """The machine that it is downloaded from."""
        return urlsplit(self.url).netloc


@dataclass(frozen=True)
class DownloadableDataset(NamedDataset):
    """A data set in published files: what they are called, where they come from and how they are read.

    `read` gets the paths in the order of `files`. `folder` is where the files lie in a user's data folder and in
    Keras' cache, for names that other data sets have as well.
    """

    name: str
    class_names: tuple[str, ...]
    shape: Shape
    files: tuple[DownloadableFile, ...]
    read: Callable[[tuple[Path, ...]], Arrays]
    folder: str = ""

    def load(self) -> Dataset:
        """Download the files, unless Keras' cache has them, check their checksums and read them.

        What was cut short, or damaged in the cache since, is downloaded again.

        Raises:
            InputError: the download fails, or what came has another checksum.
        """
        paths = tuple(self._download(file) for file in self.files)
        return self._dataset(paths, f"{self._files} from {self.files[0].host}")

    def find(self, data_dir: Path) -> Dataset | None:
        """Read the files in `data_dir`; None if none of them is there. Their checksums are not asked for.

        Raises:
            InputError: some are missing, or one cannot be read.
        """
        paths = tuple(data_dir / self.folder / file.name for file in self.files)
        missing = [path for path in paths if not is_a(Path.is_file, path)]
        if len(missing) == len(paths):
            return None
        if missing:
            raise InputError(str(missing[0]), "no such file", f"{self.name} needs all {self._files}")
        return self._dataset(paths, f"{self._files} in the folder {self.folder}" if self.folder else self._files)

    @property
    def _files(self) -> str:
        return self.files[0].name if len(self.files) == 1 else f"{len(self.files)} published files"

    def _download(self, file: DownloadableFile) -> Path:
        import_keras()
        import keras

        subfolder = f"datasets/{self.folder}".rstrip("/")
        try:
            path = keras.utils.get_file(file.name, file.url, file_hash=file.checksum, cache_subdir=subfolder)
        except Exception as error:  # a bare Exception for the network, a ValueError for a wrong checksum
            where = f"{self._files} in its folder {self.folder}" if self.folder else self._files
            instead = "" if where == f"{self.name}.npz" else f" (or the {where})"
            raise InputError(
                self.name,
                f"the download of {file.name} failed ({one_line(error, 160)})",
                f"go online, or pass --data-dir with {self.name}.npz in it{instead}",
            ) from error
        return Path(path)

    def _dataset(self, paths: tuple[Path, ...], source: str) -> Dataset:
        arrays = self.read(paths)
        try:
            return checked_dataset(self.name, arrays, self.class_names, source)
        except InputError as error:
            place = paths[0] if len(paths) == 1 else paths[0].parent
            raise InputError(str(place), error.problem, error.remedy) from error
