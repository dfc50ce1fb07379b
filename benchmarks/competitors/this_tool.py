"""This tool, with its ledger on disk and its workers, up to the end of its search."""

from __future__ import annotations

import tempfile
from pathlib import Path

from rich.console import Console

from benchmarks.competitors.base import Trained, main
from benchmarks.driving import search_of
from benchmarks.workloads import Workload
from tuner.executors import ExecutionOptions
from tuner.ledger.ledger import SearchTrial
from tuner.running.options import RunOptions
from tuner.running.search import started
from tuner.trial import Record
from tuner.workspace import Workspace


def search_file(workload: Workload, seed: int, images: str = "workload.npz") -> str:
    """Return the search of the workload: one entry per convolution stack, so that the grid is the same.

    `images` is the `.npz` file that its images are in.
    """
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
    resources = workload.validation / (workload.train + workload.validation)
    head = [
        f'title = "{workload.name}"',
        f'dataset = "{images}"',
        f"seed = {seed}",
        f"validation = {resources}",
        "[training]",
        'optimizer = "rmsprop"',
        f"batch_size = {workload.batch_size}",
        f"epochs = {workload.epochs}",
    ]
    return "\n".join([*head, *entries])


def trained(search_trial: SearchTrial, record: Record | None) -> dict[str, object]:
    """Return what is to be printed of a trial."""
    if record is None or not record.completed:
        raise RuntimeError(f"trial {search_trial.number} of {search_trial.model} did not complete")
    values = record.trial.values
    return {
        "filters": [values[f"filters_{i}"] for i in range(1, int(values["conv_depth"]) + 1)],
        "dense_units": values["dense_units"],
        "dropout": values["dropout"],
        "val_accuracy": record.result.val_accuracy,
        "epochs": len(record.result.history["loss"]),
    }


def run(workload: Workload, seed: int, workers: str) -> Trained:
    """Run the search phase of the workload; the option is the number of workers."""
    if workload.file is None:
        raise RuntimeError("the images are written by benchmarks.grids")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        search = search_of(search_file(workload, seed, str(workload.file)), folder)
        workspace = Workspace(folder / "runs", folder / "reports")
        where = ExecutionOptions(workers=int(workers) if workers else None)
        with started(search, workspace, Console(stderr=True), RunOptions(where)) as run:
            run.search_trials()
            return [trained(search_trial, record) for search_trial, record in run.ledger.search_trials(search.name)]


if __name__ == "__main__":
    main(run)
