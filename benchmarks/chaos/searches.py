"""The quick searches that are killed: one per algorithm, one that prunes, and one with folds, on their own data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np

NAME = "quick"
#: What a user types, and types again after every fault.
COMMAND = ("run", NAME, "--workers", "2")

_HEAD = """\
title = "A quick search to be killed: {algorithm}"
dataset = "bands.npz"
seed = 0
repeats = 2
{more}[training]
optimizer = "adam"
learning_rate = 0.01
batch_size = 16
epochs = 3
"""
# Each has an ANN, and most a small CNN; what adapts to results does so within these few trials, for a search whose
# proposals depended on the order in which results came would otherwise look as good as one whose do not.
_ENTRIES = {
    "grid": """\
[[search]]
family = "ann"
[search.space]
dense_units = [4, 8]
dropout = [0.0, 0.3]
[[search]]
family = "cnn"
[search.space]
conv_depth = [1, 2]
filters = [2, 4]
dense_units = 8
[search.rules]
filters_never_decrease = true
""",
    "random": """\
[[search]]
family = "ann"
algorithm = "random"
max_trials = 5
[search.space]
dense_units = { min = 4, max = 32, step = 4 }
learning_rate = { min = 1e-3, max = 1e-1, sampling = "log" }
[[search]]
family = "cnn"
algorithm = "random"
max_trials = 5
[search.space]
conv_depth = 1
filters_1 = { min = 2, max = 8, step = 2 }
dense_units = 8
dropout = { min = 0.0, max = 0.5 }
""",
    # Three random draws for one parameter, then the Gaussian process proposes.
    "bayesian": """\
[[search]]
family = "ann"
algorithm = "bayesian"
max_trials = 6
lag = 1
[search.space]
dense_units = 8
learning_rate = { min = 1e-4, max = 1e-1, sampling = "log" }
[[search]]
family = "cnn"
algorithm = "bayesian"
max_trials = 6
lag = 1
[search.space]
conv_depth = 1
filters_1 = { min = 2, max = 9 }
dense_units = 8
""",
    "hyperband": """\
[[search]]
family = "ann"
algorithm = "hyperband"
[search.space]
dense_units = { min = 4, max = 32, step = 4 }
learning_rate = { min = 1e-3, max = 1e-1, sampling = "log" }
[[search]]
family = "cnn"
algorithm = "hyperband"
[search.space]
conv_depth = 1
filters_1 = { min = 2, max = 8, step = 2 }
dense_units = 8
dropout = { min = 0.0, max = 0.5 }
""",
    # Ten random draws, then the estimator proposes.
    "tpe": """\
[[search]]
family = "ann"
algorithm = "tpe"
max_trials = 13
lag = 1
[search.space]
dense_units = [4, 8, 16]
learning_rate = { min = 1e-4, max = 1e-1, sampling = "log" }
""",
    # All to the first of three epochs, the best third to the end, from checkpoints.
    "pruned": """\
[[search]]
family = "ann"
algorithm = "random"
max_trials = 9
lag = 2
prune = "halving"
[search.space]
dense_units = { min = 4, max = 32, step = 4 }
dropout = [0.0, 0.3]
learning_rate = { min = 1e-3, max = 1e-1, sampling = "log" }
""",
    # Each trial is trained on three pairs of folds, side by side, and is recorded as their mean.
    "folds": """\
[[search]]
family = "ann"
algorithm = "random"
max_trials = 4
[search.space]
dense_units = { min = 4, max = 32, step = 4 }
learning_rate = { min = 1e-3, max = 1e-1, sampling = "log" }
""",
}
#: What stands in the head of the search file of one of them besides what all have.
_HEADS = {"folds": "folds = 3\n"}
ALGORITHMS = tuple(_ENTRIES)


def make_project(folder: Path, algorithm: str) -> Path:
    """Make a folder with the search file of an algorithm and its data set, and return it."""
    searches = folder / "searches"
    searches.mkdir(parents=True)
    head = _HEAD.format(algorithm=algorithm, more=_HEADS.get(algorithm, ""))
    (searches / f"{NAME}.toml").write_text(head + _ENTRIES[algorithm], encoding="utf-8")
    rng = np.random.default_rng(7)
    (x_train, y_train), (x_test, y_test) = _draw(rng, 150), _draw(rng, 60)
    np.savez(searches / "bands.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return folder


def _draw(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return images of 8x8 pixels with a brighter band of rows per class, dim enough for scores to differ."""
    labels = np.arange(count) % 3
    images = rng.integers(0, 140, (count, 8, 8))
    for image, label in zip(images, labels, strict=True):
        image[label * 3 : label * 3 + 2] += 40
    return images.astype(np.uint8), labels
