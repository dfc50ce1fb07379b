"""A search whose trials and predictions are made up, for the tests of reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tuner.analysis.findings import Findings
from tuner.analysis.mistakes import MAPPED, MAPS
from tuner.analysis.recorded import load_findings
from tuner.datasets.base import Dataset, checked_dataset
from tuner.datasets.npz import load_npz
from tuner.datasets.store import save_to_store
from tuner.ledger.ledger import Ledger, SearchTrial
from tuner.objective import ACCURACY, Objective
from tuner.protocol import validation_labels
from tuner.search_file.file import parse_search
from tuner.search_file.model import Search
from tuner.search_file.overrides import Overrides
from tuner.trial import Attempt, Record, Result, Trial, artifact_path
from tuner.untrusted.sizes import sha256_of
from tuner.workspace import Workspace

RAW = {
    "title": "Blobs",
    "dataset": "blobs",
    "repeats": 2,
    "training": {"epochs": 3},
    "search": [
        {"family": "ann", "space": {"dense_units": [4, 8]}},
        {"family": "cnn", "space": {"conv_depth": [1, 2], "filters": [2, 4], "padding": "same"}},
    ],
    "watch": ["first"],
    "report": {"pivots": [["model", "dense_units"]], "curves": "dense_units", "reach": [0.15, 0.25, 0.95]},
    "published": {
        "study": "A study",
        "runs": 1,
        "scores": [
            {"model": "ann", "dataset": "blobs", "test_accuracy": 0.75},
            {"model": "cnn", "dataset": "blobs", "test_accuracy": [0.5, 0.98], "parameters": 1000},
        ],
        "trials": [
            {"model": "ann", "values": {"dense_units": 4}, "accuracy": 0.3},
            {"model": "ann", "values": {"dense_units": 8}, "accuracy": 0.62},
        ],
        "groups": [{"parameter": "conv_depth", "value": 2, "mean": 0.7, "sd": 0.01}],
    },
}


#: A histogram of a kernel, as a worker notes it.
KERNEL = {"low": -0.5, "high": 0.5, "counts": [1, 4, 9, 4, 1]}
#: What a first convolution of two filters sees in two images.
VIEW: dict[str, Any] = {
    "filters": np.linspace(-1, 1, 18, dtype=np.float32).reshape(3, 3, 1, 2),
    "shown": np.zeros((2, 8, 8, 1), np.uint8),
    "shown_labels": np.array([0, 2]),
    "outputs": np.linspace(0, 1, 2 * 8 * 8 * 2).astype(np.float16).reshape(2, 8, 8, 2),
}
_LAYERS = (
    ("pixels", "InputLayer", [8, 8, 1], 0, "", ""),
    ("scale", "Rescaling", [8, 8, 1], 0, "", ""),
    ("conv_1", "Conv2D", [8, 8, 2], 20, "3·3·1·2 + 2", "relu"),
    ("flatten", "Flatten", [128], 0, "", ""),
    ("probabilities", "Dense", [3], 387, "128·3 + 3", "softmax"),
)
#: A network, layer by layer, as a worker describes it.
LAYERS: list[dict[str, Any]] = [
    {
        "name": name,
        "kind": kind,
        "shape": shape,
        "parameters": count,
        "formula": formula,
        "activation": activation,
        "inputs": [_LAYERS[place - 1][0]] if place else [],
    }
    for place, (name, kind, shape, count, formula, activation) in enumerate(_LAYERS)
]


def heat_of(correct: np.ndarray) -> dict[str, Any]:
    """Return heat maps of the images that were classified wrongly: of the image n, the highest in column n of three."""
    wrong = np.flatnonzero(~correct).astype(np.int32)
    maps = np.zeros((len(wrong), 3, 3), np.uint8)
    maps[np.arange(len(wrong)), :, wrong % 3] = 255
    return {MAPPED: wrong, MAPS: maps} if len(wrong) else {}


class Project:
    """A search whose trials and predictions are made up; `right` says how many test images each model gets right."""

    def __init__(
        self,
        folder: Path,
        data: Dataset,
        raw: dict[str, object] | None = None,
        name: str = "small",
        train_size: int = 60,
    ) -> None:
        self.data = data
        self._others: dict[str, Dataset] = {}
        self.search: Search = parse_search(raw or RAW, name, folder, Overrides(train_size=train_size), "0" * 16)
        self.workspace = Workspace(folder / "runs", folder / "reports")
        save_to_store(data, self.workspace.store)
        self.ledger = Ledger(self.workspace.ledger)
        self.ledger.open_search(self.search.name, self.search.key, self.search.to_json())

    def add_data(self, name: str, data: Dataset) -> None:
        """Let a data set of the search have images of its own, where it would have those of the first one."""
        self._others[name] = data
        save_to_store(data, self.workspace.store)

    def _data(self, name: str) -> Dataset:
        return self._others.get(name, self.data)

    def searched(
        self,
        model: str,
        scores: list[float | None],
        dataset: str = "blobs",
        answers: list[np.ndarray] | None = None,
        parameters: list[int] | None = None,
    ) -> list[Trial]:
        """Record search trials; `answers` says of each which validation images it classified rightly.

        `scores` are of the model search's objective; where that is another, every trial has an accuracy of 0.75. Of a
        search with folds, one scored 0.03 less and one 0.03 more. `parameters` counts those of each.
        """
        model_search = next(e for e in self.search.model_searches if e.name == model)
        trials, search_trials = [], []
        for index, (values, score) in enumerate(zip(model_search.space.grid(), scores, strict=False)):
            trial = self.search.trial(model_search, dataset, self._data(dataset).fingerprint, values, None)
            notes = {"gradient_norm": [1.0, 0.5, 0.25, 0.125], "kernel": [KERNEL] * 4}
            curve = {m: [0.1, 0.2, 0.3] for m in ("loss", "accuracy", "val_loss", "val_accuracy")}
            if model_search.objective is not ACCURACY and score is not None:
                curve[model_search.objective.column] = [0.1, 0.2, score]
            files = {} if answers is None else {"validation": self._answered(trial, answers[index])}
            result = (
                Result("failed", "it | <broke>", seconds=1.0)
                if score is None
                else Result(
                    "completed",
                    parameters=parameters[index] if parameters else 1000,
                    seconds=1.0,
                    seconds_per_epoch=0.1,
                    val_accuracy=score if model_search.objective is ACCURACY else 0.75,
                    val_loss=1 - score,
                    history=curve,
                    watched={"conv_1": notes},
                    files=files,
                    folds=self._folds(trial, score, model_search.objective),
                )
            )
            self.ledger.record(Record(trial, result), Attempt.of(result.seconds, 1))
            search_trials.append(SearchTrial(model, dataset, "search", index, trial.id))
            trials.append(trial)
        self.ledger.add(self.search.name, *search_trials)
        return trials

    def _folds(self, trial: Trial, score: float, objective: Objective) -> list[dict[str, float]]:
        apart = [0.03, *[0.0] * (trial.folds - 2), -0.03] if trial.folds else []
        return [
            {"val_accuracy": score + one, "val_loss": 1 - score - one, objective.column: score + one} for one in apart
        ]

    def _answered(self, trial: Trial, correct: np.ndarray) -> str:
        labels = validation_labels(trial, self.data)
        classes = len(self.data.class_names)
        probabilities = np.full((len(labels), classes), 0.2 / (classes - 1), np.float16)
        probabilities[np.arange(len(labels)), np.where(correct, labels, (labels + 1) % classes)] = 0.8
        self.workspace.artifacts.mkdir(exist_ok=True)
        path = self.workspace.artifacts / f"{trial.id}.validation.npz"
        np.savez(path, probabilities=probabilities)
        digest = sha256_of(path)
        path.rename(artifact_path(self.workspace.artifacts, trial.id, digest, ".validation.npz"))
        return digest

    def retrained(self, model: str, trial: Trial, right: list[np.ndarray], dataset: str = "blobs") -> None:
        labels = self._data(dataset).y_test
        self.workspace.artifacts.mkdir(exist_ok=True)
        for repeat, correct in enumerate(right):
            final = trial.as_final(repeat + 1)
            classes = len(self.data.class_names)
            predicted = np.where(correct, labels, (labels + 1) % classes)
            probabilities = np.full((len(labels), classes), 0.2 / (classes - 1), np.float32)
            probabilities[np.arange(len(labels)), predicted] = 0.8
            path = self.workspace.artifacts / f"{final.id}.npz"
            kept = {**VIEW, **heat_of(correct)} if model == "cnn" else {}
            np.savez(path, probabilities=probabilities, labels=labels, **kept)
            digest = sha256_of(path)
            path.rename(artifact_path(self.workspace.artifacts, final.id, digest, ".npz"))
            artifact_path(self.workspace.artifacts, final.id, "0" * 64, ".keras").write_bytes(b"a model of 16 B.")
            accuracy = float(correct.mean())
            files = {"model": "0" * 64, "predictions": digest}
            result = Result(
                "completed",
                parameters=1000,
                seconds=2.0,
                seconds_per_epoch=0.5,
                latency_ms=0.25,
                test_accuracy=accuracy,
                test_loss=0.5,
                files=files,
                environment={"backend": "tensorflow 0", "keras": "3"},
                layers=LAYERS,
            )
            self.ledger.record(Record(final, result), Attempt.of(result.seconds, 1))
            self.ledger.add(self.search.name, SearchTrial(model, dataset, "final", repeat, final.id))

    def findings(self) -> Findings:
        self.ledger.close_search(self.search.name)
        return load_findings(self.ledger, self.search, self.workspace)


def banded_photos(classes: str, count: int, training: int) -> Dataset:
    """Return colour images of 32x32 pixels, the first ones for training, with a bright band of rows for each class."""
    rng = np.random.default_rng(3)
    labels = np.arange(count) % len(classes)
    images = rng.integers(0, 120, (count, 32, 32, 3))
    apart = 32 // len(classes)
    for image, label in zip(images, labels, strict=True):
        image[label * apart : label * apart + 8] += 100
    x, y = images.astype(np.uint8), labels
    arrays = {"x_train": x[:training], "y_train": y[:training], "x_test": x[training:], "y_test": y[training:]}
    return checked_dataset("photos", arrays, tuple(classes), "made up")


def first(count: int, total: int = 45) -> np.ndarray:
    return np.arange(total) < count


def make_strangers_project(folder: Path, npz: Path) -> Search:
    """Make what a finished search `small` on a data set leaves in `runs/`, and return the search."""
    project = Project(folder, replace(load_npz(npz), name="blobs"))
    ann = project.searched("ann", [0.5, 0.6])
    cnn = project.searched("cnn", [0.7, 0.8, None, 0.9, 0.85, 0.6])
    project.retrained("ann", ann[1], [first(30, 60), first(31, 60)])
    project.retrained("cnn", cnn[3], [first(43, 60), first(44, 60)])
    project.findings()
    project.ledger.close()
    return project.search


def with_histories(findings: Findings, **histories: dict[str, list[float]]) -> Findings:
    """Return findings in which all trials of a model have this history."""
    changed = tuple(
        (
            one,
            replace(
                record,
                result=replace(record.result, history=histories[one.model], seconds_per_epoch=len(one.model) * 1.0),
            ),
        )
        for one, record in findings.search_trials
        if one.model in histories
    )
    finals = {record.trial.id: record for _, record in changed}
    chosen = tuple(replace(c, finals=tuple(finals.get(r.trial.id, r) for r in c.finals)) for c in findings.chosen)
    return replace(findings, search_trials=changed, chosen=chosen)


def three_retrained(folder: Path, data: Dataset, *right: Sequence[int], **raw: object) -> Project:
    """Return a search of the models "one", "two" and "three", each retrained with so many right answers."""
    names = ("one", "two", "three")
    families = [{"family": "ann", "name": n, "space": {"dense_units": [4 + place]}} for place, n in enumerate(names)]
    made = Project(folder, data, {**RAW, "report": {}, "published": {"study": "S"}, "search": families, **raw})
    for name, counts in zip(names, right, strict=True):
        made.retrained(name, made.searched(name, [0.5])[0], [first(count) for count in counts])
    return made
