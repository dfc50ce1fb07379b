"""Part `grid`: how long `tuner space` and `tuner list` take over a grid of a million combinations."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measuring import report_progress, run_process, table
from benchmarks.sizes import sized

#: Values of each of six parameters, ten to the power of which are a million combinations.
VALUES = sized(10, 2)
#: A command that takes longer is stopped.
MOST_SECONDS = 300.0
COMMANDS = (("space", "million"), ("list",))

_SEARCH = """
title = "a grid of a million combinations"
dataset = "digits"
[training]
epochs = 1
[[search]]
family = "cnn"
[search.space]
conv_depth = 3
padding = "same"
filters_1 = {widths}
filters_2 = {widths}
filters_3 = {widths}
dense_units = {widths}
dropout = {shares}
learning_rate = {rates}
[search.rules]
filters_never_decrease = true
where = ["dense_units >= last(filters)"]
"""


def search_text(values: int) -> str:
    """Return a search file of six parameters with so many values each, and two rules."""
    return _SEARCH.format(
        widths=[8 * step for step in range(1, values + 1)],
        shares=[round(0.05 * step, 2) for step in range(values)],
        rates=[round(0.001 * step, 3) for step in range(1, values + 1)],
    )


def section(_: int) -> str:
    """Time each command once, in a process of its own, and return the section."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "searches").mkdir()
        (Path(name) / "searches" / "million.toml").write_text(search_text(VALUES), encoding="utf-8")
        for command in COMMANDS:
            words = f"tuner {' '.join(command)}"
            try:
                run = run_process([sys.executable, "-m", "tuner", *command], Path(name), MOST_SECONDS)
                rows.append([words, f"{run.seconds:.1f}", f"{run.megabytes:,.0f}"])
            except subprocess.TimeoutExpired:
                rows.append([words, f"stopped after {MOST_SECONDS:.0f}", ""])
            report_progress(f"grid, {words}: {rows[-1][1]} s")
    return "\n\n".join(
        [
            f"## A grid of {VALUES**6:,} combinations",
            "Whole processes over a search file with six parameters of a CNN and two rules, one run each.",
            table(("command", "seconds", "peak MB"), rows),
        ]
    )
