"""MNIST, and Fashion-MNIST in Zalando's four IDX files, from where Keras downloads both; with checksums for each."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from tuner.datasets.base import ARRAYS
from tuner.datasets.downloadable import Arrays, DownloadableDataset, DownloadableFile
from tuner.datasets.idx import read_images_and_labels
from tuner.errors import InputError, one_line
from tuner.untrusted.arrays import read_arrays
from tuner.untrusted.sizes import MOST_ARCHIVE

DIGITS = tuple("0123456789")
FASHION_NAMES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
SIDE = 28

URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
# The SHA-256 is Keras' own; Keras has none for Fashion-MNIST, whose MD5s are those of Zalando's README.
MNIST_FILE = DownloadableFile(URL + "mnist.npz", "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1")
FASHION_FILES = (
    DownloadableFile(URL + "train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
    DownloadableFile(URL + "train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
    DownloadableFile(URL + "t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
    DownloadableFile(URL + "t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
)


def read_npz(paths: tuple[Path, ...]) -> Arrays:
    """Read the four arrays of a published `.npz` file.

    Raises:
        InputError: it is damaged, or lacks one.
    """
    (path,) = paths
    try:
        arrays = read_arrays(path, MOST_ARCHIVE, ARRAYS)
    except Exception as error:  # zipfile, zlib and numpy raise a dozen kinds on damaged files
        raise InputError(str(path), f"cannot be read as an .npz of plain arrays ({one_line(error, 120)})") from error
    missing = [name for name in ARRAYS if name not in arrays]
    if missing:
        raise InputError(str(path), f"has no {missing[0]}", "it needs " + ", ".join(ARRAYS))
    return arrays


MNIST = DownloadableDataset("mnist", DIGITS, (SIDE, SIDE, 1), (MNIST_FILE,), read_npz)
# In the folder that Keras' own loader uses, so that neither downloads what the other has.
FASHION_MNIST = DownloadableDataset(
    "fashion_mnist",
    FASHION_NAMES,
    (SIDE, SIDE, 1),
    FASHION_FILES,
    partial(read_images_and_labels, SIDE, len(FASHION_NAMES)),
    folder="fashion-mnist",
)
