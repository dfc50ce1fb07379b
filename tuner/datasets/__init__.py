"""The data sets by name, and the kinds of files and folders. A new one of either needs its file and a line here."""

from __future__ import annotations

from pathlib import Path

from tuner.datasets.base import Dataset, Shape
from tuner.datasets.cifar import CIFAR10, CIFAR100, CIFAR100_COARSE
from tuner.datasets.digits import DIGITS_8X8
from tuner.datasets.folder import FolderKind, has_class_folders
from tuner.datasets.kmnist import KMNIST
from tuner.datasets.long_tailed import FASHION_MNIST_LT
from tuner.datasets.mnist import FASHION_MNIST, MNIST
from tuner.datasets.npz import NpzKind, load_npz
from tuner.datasets.source import Kind, NamedDataset, Reading
from tuner.errors import InputError, shown, suggestion
from tuner.system.files import is_a

__all__ = ["DATASETS", "KINDS", "Kind", "NamedDataset", "Reading", "load_dataset", "named_data"]

DATASETS: dict[str, NamedDataset] = {
    one.name: one
    for one in (DIGITS_8X8, MNIST, FASHION_MNIST, FASHION_MNIST_LT, KMNIST, CIFAR10, CIFAR100, CIFAR100_COARSE)
}

#: The first that takes a path reads it.
KINDS: tuple[Kind, ...] = (NpzKind(), FolderKind())


def load_dataset(
    source: str,
    data_dir: Path | None = None,
    folder: Path = Path(),
    image_size: tuple[int, int] | None = None,
    channels: int | None = None,
    skip_bad: bool = False,
    store: Path | None = None,
) -> Dataset:
    """Load a data set.

    Args:
        source: a name in `DATASETS`, a file or folder of one of the `KINDS`, or a `.npz` file without its ending.
        data_dir: looked at first, for `SOURCE.npz`, a folder of class folders or the published files of that name.
        folder: where relative paths start, besides the working folder.
        image_size: height and width that the images of a folder are brought to.
        channels: 1 or 3 for the images of a folder.
        skip_bad: leave out files of a folder that cannot be used.
        store: where data sets are laid out for workers, in which a folder that has not changed is found decoded.

    Raises:
        InputError: there is no such data set, or it cannot be read.
    """
    named = DATASETS.get(source)
    if data_dir is not None:
        if not data_dir.is_dir():
            raise InputError("--data-dir or TUNER_DATA_DIR", f"{data_dir} is not a folder")
        local = data_dir / f"{source}.npz"
        if is_a(Path.is_file, local):
            return load_npz(local, source, named.class_names if named else None)
        if named is not None and not is_a(has_class_folders, data_dir / source):
            found = named.find(data_dir)
            if found is not None:
                return found
    if named is not None and not (data_dir and is_a(Path.is_dir, data_dir / source)):
        return named.load()
    reading = Reading(image_size, channels, skip_bad, store)
    places = [base / source for base in (data_dir, Path(), folder) if base is not None] if Path(source).name else []
    for path in (*places, *(place.with_name(f"{place.name}.npz") for place in places)):
        for kind in KINDS:
            if is_a(kind.takes, path):
                return kind.load(path, reading)
    kinds = [kind.name for kind in KINDS]
    problem = f"no {', '.join(['data set', *kinds[:-1]])} or {kinds[-1]} is named {shown(source)}"
    raise InputError("dataset", f"{problem}; {suggestion(source, DATASETS)}")


def named_data(source: str, data_dir: Path | None) -> tuple[Shape, tuple[str, ...]] | None:
    """Return the image shape and the classes of a data set known by name; None where `data_dir` has its own."""
    named = DATASETS.get(source)
    if named is None or (data_dir and ((data_dir / f"{source}.npz").is_file() or (data_dir / source).is_dir())):
        return None
    return named.shape, named.class_names
