"""Kuzushiji-MNIST: ten hiragana in old cursive writing, in the four IDX files that the CODH publishes."""

from __future__ import annotations

from functools import partial

from tuner.datasets.downloadable import DownloadableDataset, DownloadableFile
from tuner.datasets.idx import read_images_and_labels

#: The ten hiragana in Latin letters, since many fonts have no Japanese ones.
HIRAGANA = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
SIDE = 28

# The authors give these addresses without https: the MD5s, the same as torchvision's, vouch for the content.
URL = "http://codh.rois.ac.jp/kmnist/dataset/kmnist/"
FILES = (
    DownloadableFile(URL + "train-images-idx3-ubyte.gz", "bdb82020997e1d708af4cf47b453dcf7"),
    DownloadableFile(URL + "train-labels-idx1-ubyte.gz", "e144d726b3acfaa3e44228e80efcd344"),
    DownloadableFile(URL + "t10k-images-idx3-ubyte.gz", "5c965bf0a639b31b8f53240b1b52f4d7"),
    DownloadableFile(URL + "t10k-labels-idx1-ubyte.gz", "7320c461ea6c1c855c0b718fb2a4b134"),
)


# The files are called as MNIST's are, hence a folder of their own.
KMNIST = DownloadableDataset(
    "kmnist",
    HIRAGANA,
    (SIDE, SIDE, 1),
    FILES,
    partial(read_images_and_labels, SIDE, len(HIRAGANA)),
    folder="kmnist",
)
