"""The data sets by name, by `.npz` file and by folder. A new named one needs a loader and a line in each table here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tuner.datasets.base import Dataset
from tuner.datasets.builtin import CLASS_NAMES, load_digits
from tuner.datasets.cifar import CIFAR10, CIFAR100, CIFAR100_COARSE
from tuner.datasets.folder import has_class_folders, load_folder
from tuner.datasets.kmnist import KMNIST
from tuner.datasets.mnist import FASHION_MNIST, MNIST
from tuner.datasets.npz import load_npz
from tuner.datasets.published import Published
from tuner.errors import InputError, shown, suggestion
from tuner.system.files import is_a

#: Those in files as their authors publish them, which a user may have already.
PUBLISHED: dict[str, Published] = {
    "mnist": MNIST,
    "fashion_mnist": FASHION_MNIST,
    "kmnist": KMNIST,
    "cifar10": CIFAR10,
    "cifar100": CIFAR100,
    "cifar100_coarse": CIFAR100_COARSE,
}

DATASETS: dict[str, Callable[[], Dataset]] = {
    "digits": load_digits,
    **{name: published.load for name, published in PUBLISHED.items()},
}

#: Image shape and number of classes of the named data sets, so that a dry run needs none of their data.
SHAPES: dict[str, tuple[tuple[int, int, int], int]] = {
    "digits": ((8, 8, 1), 10),
    "mnist": ((28, 28, 1), 10),
    "fashion_mnist": ((28, 28, 1), 10),
    "kmnist": ((28, 28, 1), 10),
    "cifar10": ((32, 32, 3), 10),
    "cifar100": ((32, 32, 3), 100),
    "cifar100_coarse": ((32, 32, 3), 20),
}


def load_dataset(
    source: str,
    data_dir: Path | None = None,
    folder: Path = Path(),
    image_size: tuple[int, int] | None = None,
    channels: int | None = None,
    skip_bad: bool = False,
) -> Dataset:
    """Load a data set.

    Args:
        source: a name in `DATASETS`, an `.npz` file or a folder of class folders.
        data_dir: looked at first, for `SOURCE.npz`, a folder of class folders or the published files of that name.
        folder: where relative paths start, besides the working folder.
        image_size: height and width that the images of a folder are brought to.
        channels: 1 or 3 for the images of a folder.
        skip_bad: leave out files of a folder that cannot be used.

    Raises:
        InputError: there is no such data set, or it cannot be read.
    """
    if data_dir is not None:
        if not data_dir.is_dir():
            raise InputError("--data-dir or TUNER_DATA_DIR", f"{data_dir} is not a folder")
        local = data_dir / f"{source}.npz"
        if is_a(Path.is_file, local):
            return load_npz(local, source, CLASS_NAMES.get(source))
        if source in PUBLISHED and not is_a(has_class_folders, data_dir / source):
            found = PUBLISHED[source].find(data_dir)
            if found is not None:
                return found
    if source in DATASETS and not (data_dir and is_a(Path.is_dir, data_dir / source)):
        return DATASETS[source]()
    for base in (data_dir, Path(), folder) if Path(source).name else ():
        if base is None:
            continue
        if is_a(Path.is_file, base / source):
            return load_npz(base / source)
        if is_a(Path.is_dir, base / source):
            return load_folder(base / source, image_size, channels, skip_bad)
    problem = f"no data set, .npz file or folder is named {shown(source)}; {suggestion(source, DATASETS)}"
    raise InputError("dataset", problem)
