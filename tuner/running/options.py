"""How a run is made: a value that the command line, `import tuner` and benchmarks give, and no trial knows of."""

from __future__ import annotations

from dataclasses import dataclass

from tuner.executors import ExecutionOptions

#: What a worker runs.
TRAIN = "tuner.worker.training:train"


@dataclass(frozen=True)
class RunOptions:
    """How a search is run, beside what it is.

    Args:
        execution: where trials run, and how many at once.
        fresh: train again what is recorded of this search alone.
        tensorboard: write logs for TensorBoard, too.
        skip_bad: leave out image files of a folder that cannot be used.
        single_file: let the page hold its pictures, style and scripts, instead of links to them.
        hours: how long the run may take, retrainings and report included; None for as long as it takes.
    """

    execution: ExecutionOptions = ExecutionOptions()  # noqa: RUF009  # frozen
    fresh: bool = False
    tensorboard: bool = False
    skip_bad: bool = False
    single_file: bool = False
    hours: float | None = None
