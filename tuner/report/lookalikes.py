"""The classes that are taken for one another most often, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tuner import columns as col
from tuner.analysis.findings import Chosen, Findings
from tuner.contents.sections import Content, Paragraph, Picture, Section, Table
from tuner.datasets.base import Dataset
from tuner.figures.style import new_figure, short
from tuner.report.images import show_image
from tuner.text import enumerated, escape

_ROWS, _COLUMNS = 3, 4
_PAIRS = 5


@dataclass(frozen=True)
class LookAlikes:
    """Classes, by their numbers, and how many mistakes the saved models made among them, all models together.

    The pair with the most mistakes between its two comes first, then the third class; nothing where no mistake was
    made, and two classes where a third has none in common with them.
    """

    classes: tuple[int, ...] = ()
    mistakes: int = 0


def look_alikes(models: Sequence[Chosen]) -> LookAlikes:
    """Return the three classes among which the saved models made the most mistakes; of equal ones the first.

    No other three classes have more: the search is over all of them. A pair bounds what a group with no worse pair in
    it can reach, three times its own mistakes, so that few of the pairs have to be looked at.
    """
    counts = np.sum([chosen.predictions.confusion for chosen in models], axis=0)
    mixed = counts + counts.T
    np.fill_diagonal(mixed, 0)
    rows, columns = np.triu_indices(len(mixed), k=1)
    between = mixed[rows, columns]
    best = LookAlikes()
    for place in np.argsort(-between, kind="stable"):
        a, b, own = int(rows[place]), int(columns[place]), int(between[place])
        if 3 * own <= best.mistakes:
            break
        others = mixed[a] + mixed[b]
        others[[a, b]] = 0
        c = int(others.argmax())
        if own + others[c] > best.mistakes:
            best = LookAlikes((a, b, c) if others[c] else (a, b), own + int(others[c]))
    return best


def lookalikes_section(findings: Findings) -> Section | None:
    """Show images of the classes that are confused most, and the most confused pairs with their counts."""
    contents: list[Content] = []
    frames = []
    for dataset in findings.datasets:
        models = findings.on(dataset)
        found = look_alikes(models)
        classes = found.classes
        if not classes:
            continue
        names = models[0].predictions.class_names
        frame = _pairs(models, names)
        frames.append(frame.assign(**{col.DATASET: dataset}))
        caption = _caption(dataset, [names[label] for label in classes], found.mistakes, models)
        file = f"lookalikes-{findings.search.slugs[dataset]}.png"
        contents.append(Picture("lookalikes", file, caption, partial(_figure, findings.data(dataset), names, classes)))
        rows = [
            [escape(cell) if isinstance(cell, str) else cell for cell in row] for row in frame.head(_PAIRS).to_numpy()
        ]
        heads = ["true class", "taken for", *[escape(chosen.label) for chosen in models]]
        lead = (
            f"Test images of {escape(dataset)} that the saved models took for another class, the most frequent mistakes"
        )
        contents.append(Table(rows, heads, text_columns=2, lead=lead))
    if not contents:
        return None
    contents.append(Paragraph("All mistakes: [confusions.csv](confusions.csv)."))
    tables = {"confusions.csv": pd.concat(frames, ignore_index=True)}
    return Section("lookalikes", "Look-alike classes", contents, tables)


def _figure(data: Dataset, names: Sequence[str], classes: Sequence[int]) -> Figure:
    """Show the first test images of these classes, a block each."""
    figure = new_figure(9, 2.5)
    blocks: Any = figure.subfigures(1, len(classes), wspace=0.06, squeeze=False)
    for block, label in zip(blocks[0], classes, strict=True):
        block.suptitle(short(names[label]), fontsize=10, fontweight="bold")
        picked = np.flatnonzero(data.y_test == label)[: _ROWS * _COLUMNS]
        for place, axes in enumerate(block.subplots(_ROWS, _COLUMNS).flat):
            axes.set_axis_off()
            if place < len(picked):
                show_image(axes, np.asarray(data.x_test[picked[place]]))
    return figure


def _caption(dataset: str, names: Sequence[str], mistakes: int, models: Sequence[Chosen]) -> str:
    """Return what is seen: how many mistakes lie among the classes that are shown, of how many in all."""
    every = sum(int((~chosen.predictions.correct).sum()) for chosen in models)
    whose = "the saved model" if len(models) == 1 else f"the {len(models)} saved models"
    made = f"{mistakes:,} of the {every:,} mistakes" if every > 1 else "the one mistake"
    which = {2: "two", 3: "three"}[len(names)]
    return (
        f"The {which} classes of {dataset} that are most often taken for one another: {enumerated(names)} (first test "
        f"images). Among them {whose} made {made}."
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
