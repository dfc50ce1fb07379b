"""Kuzushiji-MNIST: ten hiragana in old cursive writing, in the four IDX files that the CODH publishes."""

from __future__ import annotations

from pathlib import Path

from tuner.datasets.idx import read_idx
from tuner.datasets.published import Arrays, Published, PublishedFile
from tuner.errors import InputError

#: The ten hiragana in Latin letters, since many fonts have no Japanese ones.
HIRAGANA = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
SIDE = 28

# The authors give these addresses without https: the MD5s, the same as torchvision's, vouch for the content.
URL = "http://codh.rois.ac.jp/kmnist/dataset/kmnist/"
FILES = (
    PublishedFile(URL + "train-images-idx3-ubyte.gz", "bdb82020997e1d708af4cf47b453dcf7"),
    PublishedFile(URL + "train-labels-idx1-ubyte.gz", "e144d726b3acfaa3e44228e80efcd344"),
    PublishedFile(URL + "t10k-images-idx3-ubyte.gz", "5c965bf0a639b31b8f53240b1b52f4d7"),
    PublishedFile(URL + "t10k-labels-idx1-ubyte.gz", "7320c461ea6c1c855c0b718fb2a4b134"),
)


def read_kmnist(paths: tuple[Path, ...]) -> Arrays:
    """Read train images, train labels, test images and test labels.

    Raises:
        InputError: a file is damaged, or does not fit the others.
    """
    x_train, y_train, x_test, y_test = paths
    arrays: Arrays = {}
    for split, images, labels in (("train", x_train, y_train), ("test", x_test, y_test)):
        x, y = read_idx(images, 3), read_idx(labels, 1)
        if x.shape[1:] != (SIDE, SIDE):
            raise InputError(str(images), f"has images of {x.shape[1]}x{x.shape[2]}", f"they are {SIDE}x{SIDE}")
        if len(x) != len(y):
            raise InputError(str(labels), f"has {len(y)} labels, but {images.name} has {len(x)} images")
        if y.max() >= len(HIRAGANA):
            raise InputError(str(labels), f"has the label {y.max()}, but there are {len(HIRAGANA)} classes")
        arrays |= {f"x_{split}": x, f"y_{split}": y}
    return arrays


# The files are called as MNIST's are, hence a folder of their own.
KMNIST = Published("kmnist", HIRAGANA, FILES, read_kmnist, folder="kmnist")
