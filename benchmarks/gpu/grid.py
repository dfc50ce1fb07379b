"""Study A's grid on one GPU: what was measured of it, and its report."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.measuring import provenance, table
from tuner.trial import Trial

SEARCH = Path("searches/fashion_cnn.toml")


class Measured:
    """What was measured so far, written to its two files after every addition.

    Args:
        out: the folder of `gpu.md` and `gpu.json`.
        about: the conditions, in words.
        trials: every trial of the grid.
        work: the multiply-adds of one image's way through each trial's network, by the trial's name.
        passes: how many such ways a trial is long: three for each image that is fitted, one forward and two back,
            and one for each that is validated on, in every epoch.
    """

    def __init__(self, out: Path, about: str, trials: list[Trial], work: dict[str, float], passes: float) -> None:
        self._out, self._about, self._trials, self._work, self._passes = out, about, trials, work, passes
        self.device, self.backend, self.peak = "", "", math.nan
        self.workers, self.seconds = 0, math.nan
        self.tool: list[dict[str, Any]] = []
        self.keras_tuner: list[dict[str, Any]] = []
        self.also: list[dict[str, Any]] = []

    def add(self, by: list[dict[str, Any]], *trials: dict[str, Any]) -> None:
        """Add trials to those of the tool or of KerasTuner."""
        by += [{**trial, "multiply_adds": self._work[trial["id"]]} for trial in trials]
        self.write()

    def floor(self) -> float:
        """Return the seconds of the whole grid's multiply-adds, two operations each, at the measured peak."""
        return 2 * self._passes * sum(self._work[trial.id] for trial in self._trials) / self.peak

    def write(self) -> None:
        """Write both files."""
        self._out.mkdir(parents=True, exist_ok=True)
        kept = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        kept |= {"about": self._about, "trials": [asdict(trial) for trial in self._trials]}
        (self._out / "gpu.json").write_text(json.dumps(kept, indent=1), encoding="utf-8")
        (self._out / "gpu.md").write_text(self.markdown() + "\n", encoding="utf-8")

    def markdown(self) -> str:
        """Return the report."""
        count = len(self._trials)
        whole = self.seconds if len(self.tool) == count else math.nan
        rows = [self._row(f"this tool, {self.workers} at a time", self.tool, self.seconds, whole, whole)]
        if self.keras_tuner:
            spent = sum(trial["seconds"] for trial in self.keras_tuner)
            grid = extrapolated(self.keras_tuner, self._work)
            rows.append(self._row("KerasTuner GridSearch", self.keras_tuner, spent, grid, whole))
        heads = ("by", "trials", "in s", f"all {count} trials s", "× this tool", "floor in % of it")
        parts = [
            "# Study A's grid on one GPU",
            f"{self._about} {self.device}, {self.backend}; {provenance()}",
            table(heads, rows),
            "This tool's seconds are those of the command `tuner run` from its start, the import of Keras included, "
            "until the last trial of the search was recorded. KerasTuner's are those of its search alone; those for "
            "the whole grid are a line, seconds = a + b × multiply-adds, through its measured trials. "
            f"The floor, {number(self.floor(), 2)} s, is the grid's arithmetic (each image forward, and twice that "
            "back where it is fitted, in every epoch) at the speed of a large product of float32 matrices on the same "
            f"device and backend, {number(self.peak / 1e12, 2)} TFLOP/s.",
        ]
        if self.keras_tuner:
            parts.append(self._trial_table())
        if self.also:
            rows = [[str(one[name]) for name in ("search", "trials", "ended", "seconds")] for one in self.also]
            parts += ["Searches that ran at once on the same GPU behind this:"]
            parts.append(table(("search", "search trials finished", "came to its end", "s"), rows))
        return "\n\n".join(parts)

    def _row(self, name: str, trials: list[dict[str, Any]], spent: float, grid: float, ours: float) -> list[str]:
        cells = [number(spent), number(grid), number(grid / ours, 2), number(100 * self.floor() / grid, 3)]
        return [name, str(len(trials)), *cells]

    def _trial_table(self) -> str:
        """Return the trials that KerasTuner trained, beside this tool's."""
        values = {trial.id: trial.values for trial in self._trials}
        ours = {trial["id"]: trial for trial in self.tool}
        rows = []
        for trial in sorted(self.keras_tuner, key=lambda trial: trial["multiply_adds"]):
            of, mine = values[trial["id"]], ours.get(trial["id"], {})
            filters = "-".join(str(of[f"filters_{i}"]) for i in range(1, int(of["conv_depth"]) + 1))
            rows.append(
                [
                    f"{filters}, dense {of['dense_units']}",
                    f"{trial['multiply_adds'] / 1e6:.2f}",
                    *(number(one.get("seconds", math.nan)) for one in (trial, mine)),
                    *(number(one.get("val_accuracy", math.nan), 4) for one in (trial, mine)),
                ]
            )
        heads = ("filters", "million multiply-adds", "KerasTuner s", "this tool s", "its val. accuracy", "ours")
        return table(heads, rows)


def line(trials: list[dict[str, Any]]) -> tuple[float, float]:
    """Return a and b of seconds = a + b × multiply-adds by least squares; NaN if there are fewer than two points."""
    points = [(trial["multiply_adds"], trial["seconds"]) for trial in trials]
    if len({work for work, _ in points}) < 2:
        return math.nan, math.nan
    b, a = np.polyfit([work for work, _ in points], [seconds for _, seconds in points], deg=1)
    return float(a), float(b)


def extrapolated(trials: list[dict[str, Any]], work: dict[str, float]) -> float:
    """Return the seconds of the whole grid, by the line through the measured trials."""
    a, b = line(trials)
    return sum(a + b * one for one in work.values())


def spread(trials: list[Trial], work: dict[str, float], count: int) -> list[Trial]:
    """Return so many trials at even distances from the cheapest to the dearest, the outermost first."""
    ordered = sorted(trials, key=lambda trial: work[trial.id])
    places = {round(place) for place in np.linspace(0, len(ordered) - 1, min(count, len(ordered)))}
    return [ordered[place] for place in sorted(places, key=lambda place: -abs(2 * place - len(ordered) + 1))]


def peak(size: int) -> float:
    """Return the operations per second of products of square float32 matrices, the best of six tries; in a worker."""
    import keras

    products = 10
    left = keras.random.uniform((size, size), seed=0)
    right = keras.random.uniform((size, size), seed=1) * (2 / size)  # so that numbers stay as large as they are
    best = math.inf
    for _ in range(6):
        begun = perf_counter()
        product = left
        for _ in range(products):
            product = keras.ops.matmul(product, right)
        float(product[0, 0])  # waits for the device
        best = min(best, perf_counter() - begun)
    return products * 2 * size**3 / best


def number(value: float, digits: int = 1) -> str:
    """Return a number for a table, a dash where there is none."""
    return f"{value:,.{digits}f}" if math.isfinite(value) else "–"
