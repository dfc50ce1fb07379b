"""What a run would do, for notebooks and scripts: `tuner.plan`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.api.functions import PathLike, check_whole, load_search
from tuner.api.wording import in_pythons_words
from tuner.search_file.model import Search
from tuner.system.streams import lasting
from tuner.workspace import Workspace

if TYPE_CHECKING:
    from tuner.running.planning.wording import Plan


@in_pythons_words()
def plan(
    search: Search | PathLike,
    *,
    workers: int | None = None,
    skip_bad: bool = False,
    data_dir: PathLike | None = None,
    runs_dir: PathLike = "runs",
    reports_dir: PathLike = "reports",
) -> Plan:
    """Return what a run would reuse, train and leave behind, and what it needs: time, memory and room on the disk.

    Nothing is written, and nothing trained but a short probe where no trial of such a network is recorded. Printed, the
    answer is its sentences, which `lines()` returns; it has the same as values: `parts`, one for each `[[search]]` on
    each data set, `retrainings`, `left_behind`, and `needs`, with intervals; `to_dict()` returns what
    `tuner plan --json` prints.

    Args:
        search: as `load_search` returns it, or what `load_search` takes.
        workers: trials at once; by default as many as fit.
        skip_bad: leave out image files of a folder that cannot be used.
        data_dir: looked at first for NAME.npz and folders of images; by default what `TUNER_DATA_DIR` says.
        runs_dir: where ledger and models are.
        reports_dir: where reports are written.

    Raises:
        InputError: the search cannot run as given.
        ResourceError: the machine lacks something.
    """
    from rich.console import Console

    from tuner.executors import ExecutionOptions
    from tuner.running.options import RunOptions
    from tuner.running.planning.plan import make_plan

    found = search if isinstance(search, Search) else load_search(search)
    data = data_dir or os.environ.get("TUNER_DATA_DIR")
    workspace = Workspace(Path(runs_dir), Path(reports_dir), Path(data) if data else None)
    check_whole("workers", workers, 1)
    if found.given is not None:
        found.given.write_code(found.folder)
    options = RunOptions(ExecutionOptions(workers=workers), skip_bad=skip_bad)
    return make_plan(found, workspace, Console(file=lasting(sys.stderr)), options)
