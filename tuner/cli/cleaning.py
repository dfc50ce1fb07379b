"""The command `clean`: what in `runs/` can be made again goes."""

from __future__ import annotations

from pathlib import Path

import click

from tuner.cli.options import folder_options
from tuner.workspace import Workspace


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@folder_options
def clean(dry_run: bool, runs_dir: Path, reports_dir: Path) -> None:
    """Remove from runs/ what no recorded trial needs and the next run makes again.

    That is features of frozen backbones, data sets laid out for workers that no recorded trial used, and what JAX
    compiled. Trials, models, reports and the data sets of recorded trials stay.
    """
    from tuner.running.cleaning import clean as remove
    from tuner.running.cleaning import parts_to_clean
    from tuner.untrusted.sizes import amount

    workspace = Workspace(runs_dir, reports_dir)
    parts = parts_to_clean(workspace) if dry_run else remove(workspace)
    for part in parts:
        click.echo(f"{part.words}: {len(part.paths):,}, {amount(part.size)}")
    total = amount(sum(part.size for part in parts))
    click.echo(f"{'would free' if dry_run else 'freed'} {total}" if parts else "nothing to clean")
