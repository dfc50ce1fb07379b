"""The data sets by name, by `.npz` file and by folder. A new named one needs a loader and a line here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from tuner.datasets.base import Dataset
from tuner.datasets.builtin import CLASS_NAMES, load_digits, load_keras
from tuner.datasets.folder import load_folder
from tuner.datasets.npz import load_npz
from tuner.errors import InputError, suggestion

DATASETS: dict[str, Callable[[], Dataset]] = {
    "digits": load_digits,
    "mnist": partial(load_keras, "mnist"),
    "fashion_mnist": partial(load_keras, "fashion_mnist"),
}

#: Image shape and number of classes of the named data sets, so that a dry run needs none of their data.
SHAPES: dict[str, tuple[tuple[int, int, int], int]] = {
    "digits": ((8, 8, 1), 10),
    "mnist": ((28, 28, 1), 10),
    "fashion_mnist": ((28, 28, 1), 10),
}


def load_dataset(
    source: str,
    data_dir: Path | None = None,
    folder: Path = Path(),
    image_size: tuple[int, int] | None = None,
    channels: int | None = None,
) -> Dataset:
    """Load a data set.

    Args:
        source: a name in `DATASETS`, an `.npz` file or a folder of class folders.
        data_dir: looked at first, for `SOURCE.npz` or a folder of that name.
        folder: where relative paths start, besides the working folder.
        image_size: height and width that the images of a folder are brought to.
        channels: 1 or 3 for the images of a folder.

    Raises:
        InputError: there is no such data set, or it cannot be read.
    """
    if data_dir is not None:
        if not data_dir.is_dir():
            raise InputError("--data-dir", f"{data_dir} is not a folder")
        local = data_dir / f"{source}.npz"
        if _is(Path.is_file, local):
            return load_npz(local, source, CLASS_NAMES.get(source))
    if source in DATASETS and not (data_dir and (data_dir / source).is_dir()):
        return DATASETS[source]()
    for base in (data_dir, Path(), folder) if Path(source).name else ():
        if base is None:
            continue
        if _is(Path.is_file, base / source):
            return load_npz(base / source)
        if _is(Path.is_dir, base / source):
            return load_folder(base / source, image_size, channels)
    raise InputError("dataset", f"no data set, .npz file or folder is named {source!r}; {suggestion(source, DATASETS)}")


def _is(kind: Callable[[Path], bool], path: Path) -> bool:
    try:
        return kind(path)
    except (OSError, ValueError):  # a name that no file can have
        return False
