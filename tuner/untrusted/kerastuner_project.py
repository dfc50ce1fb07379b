"""The folder of a KerasTuner project, whoever wrote it: `oracle.json`, and `trial.json` of each trial, read as values.

Nothing of KerasTuner is imported, and nothing in the folder is executed or unpickled; checkpoints are not opened.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tuner.errors import InputError, one_line, shown
from tuner.system.files import is_a
from tuner.text import shortened, visible_line
from tuner.untrusted.sizes import MOST_CARD, MOST_TEXT, read_at_most

#: No project has more trials.
_MOST_TRIALS = 100_000
#: What validation accuracy is called, by how a model was compiled.
_ACCURACY = ("accuracy", "acc", "sparse_categorical_accuracy", "categorical_accuracy", "binary_accuracy")
#: What KerasTuner's Hyperband keeps among the values of a trial.
_EPOCHS = "tuner/epochs"
_OWN = "tuner/"
_REMEDY = "give the folder of a project, which has an oracle.json and trial_… folders"


@dataclass(frozen=True)
class ReadTrial:
    """A trial as its project tells of it; `best_epoch` counts from 1, `epochs` is what Hyperband gave it.

    `score` is what KerasTuner chose by, `curves` hold a value for each epoch, where the project kept more than the
    best.
    """

    name: str
    values: Mapping[str, bool | int | float | str]
    error: str = ""
    score: float | None = None
    val_accuracy: float | None = None
    val_loss: float | None = None
    best_epoch: int | None = None
    epochs: int | None = None
    curves: Mapping[str, list[float]] = field(default_factory=dict)

    @property
    def completed(self) -> bool:
        """Whether it has a score."""
        return not self.error


@dataclass(frozen=True)
class Project:
    """A project: its folder's name, a hash of all that was read of it, and its trials in the order of their start.

    `unended` counts trials that had not ended.
    """

    name: str
    fingerprint: str
    trials: tuple[ReadTrial, ...]
    unended: int


def read_project(folder: Path) -> Project:
    """Return the trials of a KerasTuner project.

    Raises:
        InputError: it is no such folder, holds what KerasTuner does not write, or has no trial with a validation
            accuracy.
    """
    if not is_a(Path.is_dir, folder):
        raise InputError(str(folder), "is no folder", _REMEDY)
    oracle = folder / "oracle.json"
    if not is_a(Path.is_file, oracle):
        raise InputError(str(folder), "is no project of KerasTuner's: it has no oracle.json", _REMEDY)
    digest = hashlib.sha256()
    state = _json(oracle, MOST_CARD, digest)
    folders = sorted(path for path in folder.glob("trial_*") if is_a(Path.is_dir, path))
    if len(folders) > _MOST_TRIALS:
        raise InputError(str(folder), f"has {len(folders):,} trials", f"at most {_MOST_TRIALS:,} are read")
    started = state.get("start_order", [])
    if not isinstance(started, list) or not all(isinstance(one, str) for one in started):
        raise InputError(str(oracle), "its start_order is no list of names", "it was not written by KerasTuner")
    order = {f"trial_{name}": place for place, name in enumerate(started)}
    folders.sort(key=lambda path: (order.get(path.name, len(order)), path.name))
    found, unended = [], 0
    for place in folders:
        file = place / "trial.json"
        try:
            trial = _trial(_json(file, MOST_TEXT, digest))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            problem = f"is not as KerasTuner writes it ({one_line(error, 120)})"
            raise InputError(str(file), problem) from error
        unended += trial is None
        found += [trial] if trial else []
    if not any(trial.completed for trial in found):
        lacks = "none of its trials has completed" if found or unended else "it has no trial"
        raise InputError(str(folder), lacks, _REMEDY)
    if not all(trial.val_accuracy is not None for trial in found if trial.completed):
        name = next(trial.name for trial in found if trial.completed and trial.val_accuracy is None)
        remedy = "only classifiers that were compiled with metrics=['accuracy'] are read"
        raise InputError(str(folder), f"trial {shown(name)} has no validation accuracy", remedy)
    return Project(visible_line(folder.resolve().name), digest.hexdigest()[:16], tuple(found), unended)


def _json(path: Path, most: int, digest: Any) -> dict[str, Any]:
    """Return the object in a file of JSON, with None for NaN and infinite numbers, as KerasTuner writes them."""
    content = read_at_most(path, most)
    digest.update(f"{path.name} {len(content)}\0".encode() + content)
    try:
        found = json.loads(content.decode("utf-8"), parse_constant=lambda text: None)
    except (ValueError, RecursionError) as error:
        raise InputError(str(path), f"is not JSON ({shortened(visible_line(error), 120)})") from error
    if not isinstance(found, dict):
        raise InputError(str(path), f"holds a {type(found).__name__}, and no object of JSON")
    return found


def _trial(state: Mapping[str, Any]) -> ReadTrial | None:
    """Return a trial by its state; None if it has not ended.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: KerasTuner did not write it.
    """
    name, status = _text(state["trial_id"]), _text(state["status"])
    given = state["hyperparameters"]["values"]
    values = {_text(key): _value(value) for key, value in given.items() if not key.startswith(_OWN)}
    epochs = given.get(_EPOCHS)
    if epochs is not None and (isinstance(epochs, bool) or not isinstance(epochs, int) or not 1 <= epochs <= 10**6):
        raise ValueError(f"{_EPOCHS} is {shown(epochs)}")
    if status in ("RUNNING", "IDLE"):
        return None
    if status in ("FAILED", "INVALID", "STOPPED"):
        lines = [line for line in str(state.get("message") or "").splitlines() if line.strip()]
        told = shortened(visible_line(lines[-1]), 300) if lines else ""
        return ReadTrial(name, values, told or f"KerasTuner says {status}", epochs=epochs)
    if status != "COMPLETED":
        raise ValueError(f"status is {shown(status)}")
    metrics = {_text(metric): _observed(told) for metric, told in state["metrics"]["metrics"].items()}
    step, score = state["best_step"], _number(state["score"])
    if isinstance(step, bool) or not isinstance(step, int) or not 0 <= step < 10**6:
        raise ValueError(f"best_step is {shown(step)}")
    if score is None:
        return ReadTrial(name, values, "its score is no number", epochs=epochs)
    accuracy = next((f"val_{one}" for one in _ACCURACY if f"val_{one}" in metrics), "")
    at = {metric: seen.get(step, next(iter(seen.values()), None)) for metric, seen in metrics.items()}
    if at.get(accuracy) is not None and not 0 <= (at[accuracy] or 0.0) <= 1:
        raise ValueError(f"{accuracy} is {at[accuracy]}")
    ours = {"val_accuracy": accuracy, "accuracy": accuracy.removeprefix("val_"), "loss": "loss", "val_loss": "val_loss"}
    curves = {our: curve for our, their in ours.items() if (curve := _curve(metrics.get(their, {})))}
    return ReadTrial(
        name, values, "", score, at.get(accuracy), at.get("val_loss"), step + 1, epochs, _of_one_length(curves)
    )


def _observed(metric: Mapping[str, Any]) -> dict[int, float | None]:
    """Return the mean of the executions' values of a metric, by step."""
    found: dict[int, float | None] = {}
    for observation in metric["observations"]:
        step, values = observation["step"], [_number(value) for value in observation["value"]]
        if isinstance(step, bool) or not isinstance(step, int):
            raise ValueError(f"step is {shown(step)}")
        numbers = [value for value in values if value is not None]
        found[step] = statistics.fmean(numbers) if numbers and len(numbers) == len(values) else None
    return found


def _curve(observed: Mapping[int, float | None]) -> list[float]:
    """Return a metric after each epoch; nothing where not every epoch from the first on was kept, or only one."""
    values = [observed.get(step) for step in range(len(observed))]
    known = [value for value in values if value is not None]
    return known if len(known) == len(observed) > 1 else []


def _of_one_length(curves: dict[str, list[float]]) -> dict[str, list[float]]:
    longest = max(map(len, curves.values()), default=0)
    return {name: curve for name, curve in curves.items() if len(curve) == longest}


def _number(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e300:
        raise ValueError(f"{shown(value)} is no number")
    return float(value) if math.isfinite(value) else None


def _value(value: object) -> bool | int | float | str:
    if isinstance(value, str):
        return _text(value)
    if not isinstance(value, bool | int | float) or abs(value) > 1 << 62:
        raise ValueError(f"{shown(value)} is no value of a parameter")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 200 or not re.fullmatch(r"[^\x00-\x1f\x7f]+", value):
        raise ValueError(f"{shown(value)} is no name")
    return visible_line(value) or "_"
