"""A search of many trials, made up, for the tests of the page."""

from __future__ import annotations

import math
import sqlite3
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from made_up import Project

from tuner.datasets.base import checked_dataset

CLASSES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_CNN = {
    "conv_depth": [1, 2, 3],
    "filters": [8, 16, 32],
    "dense_units": [16, 32, 64, 128],
    "dropout": [0.0, 0.25, 0.5],
    "learning_rate": [1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1],
}
#: A part of it, with networks of one and of two layers.
_SMALL = {**_CNN, "conv_depth": [1, 2], "filters": [8, 16], "dense_units": [16, 64]}


def _searched(space: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": "Many trials on patterns",
        "dataset": "patterns",
        "repeats": 3,
        "training": {"epochs": 12},
        "search": [
            {"family": "cnn", "space": space, "rules": {"filters_never_decrease": True}},
            {"family": "ann", "space": {"dense_units": [16, 64], "dropout": [0.0, 0.5], "learning_rate": [1e-3, 1e-2]}},
        ],
    }


def many_trials(folder: Path, trials: int = 1000, images: int = 600) -> Project:
    """Record a search of so many trials, seven of them failed, with the winners of two models and their mistakes.

    Up to 308 are of a smaller grid, so that its first configurations have networks of either depth.
    """
    rng = np.random.default_rng(0)
    labels = {"train": np.arange(200) % 10, "test": np.arange(images) % 10}
    arrays = {f"y_{name}": found for name, found in labels.items()}
    arrays |= {f"x_{name}": rng.integers(0, 256, (len(found), 28, 28), np.uint8) for name, found in labels.items()}
    project = Project(
        folder, checked_dataset("patterns", arrays, CLASSES), _searched(_SMALL if trials <= 308 else _CNN), name="many"
    )
    few = project.searched("ann", [0.8 + 0.05 * rng.random() for _ in range(8)], "patterns")
    configurations = islice(project.search.model_searches[0].space.grid(), trials - len(few))
    scores: list[float | None] = [_score(values) + float(rng.normal(0, 0.008)) for values in configurations]
    for place in range(60, 67):
        scores[place] = None
    cnn = project.searched("cnn", scores, "patterns")
    assert len(few) + len(cnn) == trials
    right = [rng.random(images) < share for share in (0.85, 0.86, 0.84, 0.93, 0.94, 0.92)]
    project.retrained("ann", few[0], right[:3], "patterns")
    project.retrained("cnn", cnn[0], right[3:], "patterns")
    _spread(project, rng)
    return project


def _score(values: dict[str, Any]) -> float:
    """Return what a configuration would reach: the learning rate matters most, then depth and filters."""
    rate = math.log10(values["learning_rate"])
    return 0.9 - 0.03 * (rate + 2.8) ** 2 + 0.02 * values["conv_depth"] + 0.0005 * values["filters_1"]


def _spread(project: Project, rng: np.random.Generator) -> None:
    """Give every trial sizes, times and curves of its own, and an end when one of four workers had done it."""
    ledger = sqlite3.connect(project.workspace.ledger)
    began = datetime(2026, 1, 1, tzinfo=UTC)
    free = [0.0] * 4
    for trial, score in ledger.execute("SELECT trial, val_accuracy FROM trials ORDER BY rowid").fetchall():
        took = float(np.exp(rng.normal(3, 0.6)))
        worker = int(np.argmin(free))
        free[worker] += took
        until = [(began + timedelta(seconds=after)).isoformat() for after in (free[worker] - took, free[worker])]
        ledger.execute(
            "UPDATE trials SET seconds = ?, began = ?, finished = ?, worker = ? WHERE trial = ?",
            (took, *until, worker + 1, trial),
        )
        if score is not None:  # of the search, and completed
            curve = [score - 0.5 * 0.6**epoch for epoch in range(12)]
            lists = {"accuracy": curve, "val_accuracy": curve, "loss": curve[::-1], "val_loss": curve[::-1]}
            text = "{" + ", ".join(f'"{name}": {values}' for name, values in lists.items()) + "}"
            size = int(np.exp(rng.normal(10, 1)))
            ledger.execute(
                "UPDATE trials SET parameters = ?, seconds_per_epoch = ?, history = ? WHERE trial = ?",
                (size, took / 12, text, trial),
            )
    ledger.execute("UPDATE searches SET started = ?", (began.isoformat(timespec="seconds"),))
    ledger.commit()
    ledger.close()
