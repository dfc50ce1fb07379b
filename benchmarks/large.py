"""Part `large`: photographs that take more memory than a process is given.

Run as `python -m benchmarks.large FOLDER COUNT` it makes a folder of so many pictures.
"""

from __future__ import annotations

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.measuring import report_progress, run_module, run_process, table
from benchmarks.sizes import sized

COUNTS = sized((10_000, 40_000), (80,))
SIDE = sized(224, 32)
CLASSES = 4
SEARCH = """
title = "Photographs"
dataset = "photographs"
image_size = [{side}, {side}]
repeats = 1
[training]
optimizer = "adam"
batch_size = 32
epochs = 1
[[search]]
family = "cnn"
[search.space]
conv_depth = 3
filters = 8
dense_units = 8
head = "average"
"""


def make(folder: Path, count: int) -> None:
    """Write pictures of soft colours, brighter in one corner by their class, as JPEG files in class folders."""
    for number in range(CLASSES):
        (folder / f"class {number}").mkdir(parents=True)

    def write(number: int) -> None:
        rng = np.random.default_rng(number)
        coarse = rng.integers(0, 180, (6, 6, 3), np.uint8)
        label = number % CLASSES
        coarse[label // 2 * 5, label % 2 * 5] += 75
        picture = Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        picture.save(folder / f"class {label}" / f"{number}.jpg", quality=85)

    with ThreadPoolExecutor() as pool:
        list(pool.map(write, range(count)))


def section(_: int) -> str:
    """Measure once, and return the section."""
    rows = []
    for count in COUNTS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            run_module("large", str(folder / "photographs"), str(count))
            (folder / "searches").mkdir()
            (folder / "searches" / "large.toml").write_text(SEARCH.format(side=SIDE))
            run = run_process([sys.executable, "-m", "tuner", "run", "large", "--workers", "1"], folder)
        size = count * SIDE * SIDE * 3 / 1e9
        peaks = [f"{megabytes:,.0f}" for megabytes in (run.own_megabytes, run.largest_megabytes)]
        report_progress(f"large, {count} photographs: {run.seconds:.0f} s, {', '.join(peaks)} MB")
        rows.append([f"{count:,}", f"{size:.1f}", *peaks, f"{run.seconds / 60:.1f}"])
    heads = ("photographs", "pixels GB", "main process MB", "largest worker MB", "minutes")
    return "\n\n".join(
        [
            "## Photographs larger than memory",
            f"`tuner run` from a folder of JPEG files of {SIDE}x{SIDE} pixels to its report: they are decoded and laid "
            "out, and a small CNN trains on them for an epoch twice, in the search and once more on all. Memory "
            "is the most that a process held at a time, mapped files included; the system's own cache of files is not.",
            table(heads, rows),
        ]
    )


if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]))
