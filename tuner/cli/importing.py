"""The command about what other tools recorded: `import`."""

from __future__ import annotations

from pathlib import Path

import click

from tuner.cli.options import folder_options
from tuner.text import visible_line
from tuner.workspace import Workspace


@click.command("import")
@click.argument("tool", type=click.Choice(["kerastuner"]))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--name", help="What the search is called; by default as the folder.")
@folder_options
def import_command(tool: str, folder: Path, name: str | None, runs_dir: Path, reports_dir: Path) -> None:
    """Read the trials of a finished KerasTuner project into the ledger.

    DIR is the folder with oracle.json. Imported again, it takes the place of what was imported before.
    """
    from tuner.running.imported import import_kerastuner

    for line in import_kerastuner(folder, Workspace(runs_dir, reports_dir), name):
        click.echo(visible_line(line))
