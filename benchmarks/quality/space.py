"""The space of 200 CNNs: as a search file, and as choices that a program makes one after the other."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.sizes import sized

EPOCHS = sized(20, 3)
FITTED, HELD_OUT = sized((10_000, 2_000), (80, 40))
#: Those of the networks alone, and those that only change what their training learns.
DEPTHS, FILTERS, UNITS = (1, 2), sized((16, 32), (2,)), sized((32, 128), (4,))
DROPOUT, L2, BATCH_SIZES = sized((0.0, 0.5), (0.0,)), sized((0.0, 1e-4), (0.0,)), sized((32, 128), (20,))
RATES = sized((1e-4, 3e-4, 1e-3, 3e-3, 1e-2), (1e-3, 1e-2))
_VARIED = ("conv_depth", "filters_1", "dense_units", "dropout", "l2", "batch_size", "learning_rate")

_FILE = """\
title = "quality"
dataset = "{images}"
seed = {seed}
validation = {validation}
[training]
optimizer = "adam"
epochs = {epochs}
[[search]]
family = "cnn"
{algorithm}
[search.space]
conv_depth = {depths}
filters = {filters}
dense_units = {units}
dropout = {dropout}
l2 = {l2}
batch_size = {batch_sizes}
learning_rate = {rates}
[search.rules]
where = [
    "conv_depth == 1 or filters_1 == filters_2",
    "conv_depth == 2 or filters_1 == {least_filters}",
    "conv_depth == 2 or dense_units == {least_units}",
]
"""

#: The lines of a search file by which every configuration is trained.
GRID = 'algorithm = "grid"'

Choose = Callable[[str, Sequence[Any]], Any]


def search_file(images: Path, algorithm: str, seed: int, rates: Sequence[float] = RATES, epochs: int = EPOCHS) -> str:
    """Return the search file; `images` is an `.npz` file, `algorithm` the lines that say what proposes."""
    return _FILE.format(
        images=images.resolve(),
        seed=seed,
        validation=HELD_OUT / (FITTED + HELD_OUT),
        epochs=epochs,
        algorithm=algorithm,
        depths=list(DEPTHS),
        filters=list(FILTERS),
        units=list(UNITS),
        dropout=list(DROPOUT),
        l2=list(L2),
        batch_sizes=list(BATCH_SIZES),
        rates=list(rates),
        least_filters=FILTERS[0],
        least_units=UNITS[0],
    )


def chosen(choose: Choose) -> str:
    """Return the configuration that `choose(name, values)` takes, by name: a choice may depend on those before it.

    A network of one convolution has the least filters and units, as a large dense layer on a whole image is no CNN's.
    """
    depth = choose("conv_depth", DEPTHS)
    return named(
        {
            "conv_depth": depth,
            "filters_1": choose("filters_1", FILTERS) if depth == max(DEPTHS) else FILTERS[0],
            "dense_units": choose("dense_units", UNITS) if depth == max(DEPTHS) else UNITS[0],
            "dropout": choose("dropout", DROPOUT),
            "l2": choose("l2", L2),
            "batch_size": choose("batch_size", BATCH_SIZES),
            "learning_rate": choose("learning_rate", RATES),
        }
    )


def named(values: Mapping[str, Any]) -> str:
    """Return the name of a configuration, from all its parameters or those that vary: the same for every tool."""
    return json.dumps({name: values[name] for name in _VARIED})
