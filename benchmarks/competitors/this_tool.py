"""This tool, through its command line, with its ledger on disk and a process for every trial."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.workloads import WORKLOADS, Workload


def search_file(workload: Workload) -> str:
    """Return the search of the workload: one entry per convolution stack, so that the grid is the same."""
    entries = []
    configurations = workload.configurations()
    for number, stack in enumerate(workload.stacks, start=1):
        mine = [c for c in configurations if c["filters"] == list(stack)]
        widths = sorted({c["dense_units"] for c in mine})
        if not mine:
            continue
        layers = "\n".join(f"filters_{i} = {width}" for i, width in enumerate(stack, start=1))
        entries += [
            f'[[search]]\nname = "stack-{number}"\nfamily = "cnn"\n[search.space]\nconv_depth = {len(stack)}',
            layers,
            f'dense_units = {widths}\ndropout = {list(workload.dropout)}\npadding = "{workload.padding}"',
        ]
    share = workload.validation / (workload.train + workload.validation)
    head = [
        f'title = "{workload.name}"',
        'dataset = "workload.npz"',
        f"validation = {share}",
        "[training]",
        'optimizer = "rmsprop"',
        f"batch_size = {workload.batch_size}",
        f"epochs = {workload.epochs}",
    ]
    return "\n".join([*head, *entries])


def main() -> None:
    """Run the search phase of the workload and print its trials; what comes after a search is not measured."""
    workload = WORKLOADS[sys.argv[1]]
    images, labels = workload.images()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "searches").mkdir()
        (folder / "searches" / "workload.toml").write_text(search_file(workload))
        np.savez(folder / "workload.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
        script = "from benchmarks.competitors.this_tool import search_only; search_only()"
        root = Path(__file__).parents[2]
        subprocess.run(
            [sys.executable, "-c", script, *sys.argv[2:]],
            cwd=folder,
            check=True,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
        listed = subprocess.run(
            [sys.executable, "-m", "tuner", "results", "workload", "--format", "json"],
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
        )
    trained = []
    for row in json.loads(listed.stdout):
        filters = [row[f"filters_{i}"] for i in range(1, row["conv_depth"] + 1)]
        kept = {key: row[key] for key in ("dense_units", "dropout", "val_accuracy", "epochs")}
        trained.append({"filters": filters, **kept})
    sys.stdout.write("\n" + json.dumps(trained) + "\n")


def search_only() -> None:
    """Run `searches/workload.toml` up to the end of its search phase, in the working folder."""
    from rich.console import Console

    from tuner.places import Places
    from tuner.run import started
    from tuner.search_file import load_search

    workers = int(sys.argv[sys.argv.index("--workers") + 1]) if "--workers" in sys.argv else None
    search = load_search(Path("searches/workload.toml"))
    with started(search, Places(data=Path()), Console(stderr=True), workers=workers) as run:
        run.search_trials()


if __name__ == "__main__":
    main()
