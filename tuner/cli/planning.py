"""The command `plan`: what a run would do, before anything is trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from tuner.cli.options import (
    data_dir_option,
    folder_options,
    override_options,
    search_name_argument,
    skip_bad_option,
)
from tuner.search_file.file import find_search, load_search
from tuner.search_file.overrides import Overrides
from tuner.system.interrupts import INTERRUPTS
from tuner.text import visible_line
from tuner.workspace import Workspace


@click.command()
@search_name_argument
@override_options
@click.option("--workers", type=click.IntRange(1, 1_000), help="Trials at once; by default as many as fit.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@data_dir_option
@skip_bad_option
@folder_options
def plan(
    name: str,
    workers: int | None,
    as_json: bool,
    data_dir: Path | None,
    skip_bad: bool,
    runs_dir: Path,
    reports_dir: Path,
    **overrides: Any,
) -> None:
    """Say what a run would reuse, train and leave behind, and forecast hours, memory and disk. Writes nothing.

    Where no trial of such a network is recorded, a short probe is trained.
    """
    search = load_search(find_search(name), Overrides(**overrides))
    workspace = Workspace(runs_dir, reports_dir, data_dir)
    with INTERRUPTS.importing():
        from rich.console import Console

        from tuner.executors import ExecutionOptions
        from tuner.running.options import RunOptions
        from tuner.running.planning.plan import make_plan

    options = RunOptions(ExecutionOptions(workers=workers), skip_bad=skip_bad)
    found = make_plan(search, workspace, Console(stderr=True), options)
    for note in found.notes:
        click.echo(f"note: {visible_line(note)}", err=True)
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=1))
        return
    for line in found.lines():
        click.echo(visible_line(line))
