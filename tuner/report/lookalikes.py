"""The classes that are taken for one another most often, side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tuner import columns as col
from tuner.findings import Chosen, Findings
from tuner.report.base import Section, escape, picture, table
from tuner.report.images import show_image
from tuner.report.style import new_figure, short

_CLASSES = 3
_ROWS, _COLUMNS = 3, 4
_PAIRS = 5


def look_alikes(models: list[Chosen], most: int = _CLASSES) -> list[int]:
    """Return up to `most` classes that models confuse most, the worst pair first, each further one by its sum.

    A class is confused with another as often as either is taken for the other, as a share of both classes' images,
    averaged over the saved models.
    """
    mixed = np.mean([_mutual(chosen.predictions.confusion) for chosen in models], axis=0)
    if not mixed.any():
        return []
    found = [int(index) for index in np.unravel_index(mixed.argmax(), mixed.shape)]
    while len(found) < min(most, len(mixed)):
        sums = mixed[found].sum(axis=0)
        sums[found] = -1
        if sums.max() <= 0:
            break
        found.append(int(sums.argmax()))
    return found


def _mutual(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    images = confusion.sum(axis=1)
    both = images[:, None] + images[None, :]
    shares: NDArray[np.float64] = (confusion + confusion.T) / np.maximum(both, 1)
    np.fill_diagonal(shares, 0)
    return shares


def lookalikes_section(findings: Findings) -> Section | None:
    """Show images of the classes that are confused most, and the most confused pairs with their counts."""
    figures, parts, frames = {}, [], []
    for dataset in findings.datasets:
        models = findings.on(dataset)
        classes = look_alikes(models)
        if not classes:
            continue
        data, names = findings.data(dataset), models[0].predictions.class_names
        figure = new_figure(9, 2.5)
        blocks: Any = figure.subfigures(1, len(classes), wspace=0.06, squeeze=False)
        for block, label in zip(blocks[0], classes, strict=True):
            block.suptitle(short(names[label]), fontsize=10, fontweight="bold")
            picked = np.flatnonzero(data.y_test == label)[: _ROWS * _COLUMNS]
            for place, axes in enumerate(block.subplots(_ROWS, _COLUMNS).flat):
                axes.set_axis_off()
                if place < len(picked):
                    show_image(axes, np.asarray(data.x_test[picked[place]]))
        name = f"lookalikes-{findings.search.slugs[dataset]}.png"
        figures[name] = figure
        frame = _pairs(models, names)
        frames.append(frame.assign(**{col.DATASET: dataset}))
        listed = ", ".join(names[label] for label in classes)
        parts.append(picture(name, f"The classes of {dataset} that are confused most: {listed}; first test images"))
        rows = [
            [escape(cell) if isinstance(cell, str) else cell for cell in row] for row in frame.head(_PAIRS).to_numpy()
        ]
        parts.append(
            f"Test images of {escape(dataset)} taken for another class, the most frequent mistakes:\n\n"
            + table(rows, ["true class", "taken for", *[escape(chosen.label) for chosen in models]], text_columns=2)
        )
    if not parts:
        return None
    parts.append("All mistakes: [confusions.csv](confusions.csv).")
    return Section(
        "Look-alike classes", "\n\n".join(parts), figures, {"confusions.csv": pd.concat(frames, ignore_index=True)}
    )


def _pairs(models: list[Chosen], names: tuple[str, ...]) -> pd.DataFrame:
    """Return how often each saved model took one class for another, the most frequent mistakes first."""
    counts = np.stack([chosen.predictions.confusion for chosen in models])
    total = counts.sum(axis=0)
    np.fill_diagonal(total, 0)
    places = sorted(map(tuple, np.argwhere(total > 0)), key=lambda place: (-total[place], place))
    return pd.DataFrame(
        [
            {
                col.TRUE_CLASS: names[true],
                col.PREDICTED_CLASS: names[predicted],
                **{chosen.model: int(count) for chosen, count in zip(models, counts[:, true, predicted], strict=True)},
            }
            for true, predicted in places
        ]
    )
