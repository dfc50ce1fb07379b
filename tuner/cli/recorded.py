"""The commands about what is recorded of searches: `results`, `report`, `compare`, `export`."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import replace
from pathlib import Path

import click

from tuner.cli.options import folder_options, not_blank, search_name_argument, single_file_option, tensorboard_option
from tuner.exporters import EXPORTERS, Recorded
from tuner.system.interrupts import INTERRUPTS
from tuner.system.waiting import doing
from tuner.text import escape, visible
from tuner.workspace import Workspace, as_described_now, recorded_search, search_name


@click.command()
@search_name_argument
@click.option("--format", "form", type=click.Choice(["md", "csv", "json"]), default="md", show_default=True)
@click.option("--all", "whole", is_flag=True, help="Every column, as csv and json have them, however wide.")
@folder_options
def results(name: str, form: str, whole: bool, runs_dir: Path, reports_dir: Path) -> None:
    """Print the trials, best first, with what varies; and the test scores of those that were retrained."""
    workspace = Workspace(runs_dir, reports_dir)
    from tuner.analysis.results_table import result_rows, results_table
    from tuner.analysis.trial_table import column_names

    with workspace.existing_ledger(name) as ledger:
        search = recorded_search(ledger, search_name(name))
        search_trials = ledger.search_trials(search.name)
    if form == "md" and not whole:
        click.echo(results_table(search, search_trials))
        return
    rows = result_rows(search_trials)
    if form == "json":
        click.echo(json.dumps(rows, indent=1))
        return
    names, text = column_names(rows), escape if form == "md" else visible
    cells = [[text(cell) if isinstance(cell := row.get(n, ""), str) else cell for n in names] for row in rows]
    if form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([list(map(visible, names)), *cells])
        return
    from tabulate import tabulate

    click.echo(tabulate(cells, list(map(escape, names)), tablefmt="pipe"))


@click.command()
@search_name_argument
@folder_options
@tensorboard_option
@single_file_option
def report(name: str, runs_dir: Path, reports_dir: Path, tensorboard: bool, single_file: bool) -> None:
    """Write the report again from what is recorded."""
    workspace = Workspace(runs_dir, reports_dir)
    from tuner.analysis.recorded import recorded_findings

    recorded = recorded_findings(name, workspace)
    findings = replace(recorded, search=as_described_now(recorded.search, name))
    with doing("importing what draws"), INTERRUPTS.importing():
        from tuner.publish.write import write_report

    click.echo(f"report: {write_report(findings, single_file)}")
    if tensorboard:
        from tuner.exporters.tensorboard import write_recorded

        with workspace.existing_ledger(name) as ledger:
            click.echo(f"logs: {write_recorded(findings.search, workspace, ledger)}")


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@folder_options
def compare(names: tuple[str, ...], runs_dir: Path, reports_dir: Path) -> None:
    """Print one comparison table over several searches."""
    workspace = Workspace(runs_dir, reports_dir)
    from tuner.analysis.recorded import recorded_findings
    from tuner.report.across import compare_searches
    from tuner.report.markdown import to_markdown

    findings = [recorded_findings(name, workspace) for name in names]
    click.echo(to_markdown(compare_searches(findings)))


@click.command()
@search_name_argument
@click.option("--to", "tool", type=click.Choice(list(EXPORTERS)), required=True, help="What it is exported to.")
@click.option(
    "--storage",
    required=True,
    callback=not_blank,
    help="The tool's database, such as sqlite:///study.db, or MLflow's server, by its URL.",
)
@folder_options
def export(name: str, tool: str, storage: str, runs_dir: Path, reports_dir: Path) -> None:
    """Write what is recorded for another tool.

    optuna: a study for each [[search]] on each data set. See them: optuna-dashboard sqlite:///study.db

    mlflow: an experiment with a run for each trial. See it: mlflow ui --backend-store-uri sqlite:///mlflow.db

    Exported again, it takes the place of what was exported before.
    """
    with Workspace(runs_dir, reports_dir).existing_ledger(name) as ledger:
        recorded = Recorded.read(ledger, search_name(name))
    for line in EXPORTERS[tool](recorded, storage):
        click.echo(line)
