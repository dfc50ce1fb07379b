"""The commands about what is recorded of searches: `results`, `report`, `compare`, `export`."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import replace
from pathlib import Path

import click

from tuner.cli.options import folder_options, not_blank, search_name_argument, single_file_option, tensorboard_option
from tuner.errors import InputError
from tuner.exporters import EXPORTERS, Recorded
from tuner.ledger.events import in_force
from tuner.saved_models.exporting import FORMATS, Quantize
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
        search_trials, finished = ledger.search_trials(search.name), ledger.is_finished(search.name)
        ended = in_force(ledger.events(search.name))
    if form == "md" and not whole:
        click.echo(results_table(search, search_trials, finished, ended))
        return
    rows = result_rows(search_trials, finished)
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
@click.option("--to", "tool", type=click.Choice([*EXPORTERS, *FORMATS]), required=True, help="What it is exported to.")
@click.option(
    "--storage",
    callback=lambda context, parameter, given: None if given is None else not_blank(context, parameter, given),
    help="The tool's database, such as sqlite:///study.db, or MLflow's server, by its URL; of trials alone.",
)
@click.option(
    "--quantize",
    type=click.Choice(["float", "int8"]),
    help="The numbers that an exported model computes with; int8 shrinks it to about a quarter.  [default: float]",
)
@folder_options
def export(
    name: str, tool: str, storage: str | None, quantize: Quantize | None, runs_dir: Path, reports_dir: Path
) -> None:
    """Write what is recorded for another tool, or the saved models in another format.

    optuna: a study for each [[search]] on each data set. See them: optuna-dashboard sqlite:///study.db

    mlflow: an experiment with a run for each trial. See it: mlflow ui --backend-store-uri sqlite:///mlflow.db

    litert, onnx, savedmodel: the saved models, by Keras' own export, into the folder `exported` of the report. Each is
    scored again on the test images by what will run it, and a table tells what it takes and where it differs.

    Exported again, it takes the place of what was exported before.
    """
    workspace = Workspace(runs_dir, reports_dir)
    if tool in FORMATS:
        if storage is not None:
            raise InputError("--storage", f"is of no use with --to {tool}", "exported models lie beside the report")
        _export_models(name, tool, quantize or "float", workspace)
        return
    if storage is None:
        raise InputError(
            "--storage", f"is missing, which --to {tool} needs", "give a database: --storage sqlite:///x.db"
        )
    if quantize is not None:
        raise InputError("--quantize", f"is of no use with --to {tool}, which takes trials", "leave it out")
    with workspace.existing_ledger(name) as ledger:
        recorded = Recorded.read(ledger, search_name(name))
    for line in EXPORTERS[tool](recorded, storage):
        click.echo(line)


def _export_models(name: str, tool: str, quantize: Quantize, workspace: Workspace) -> None:
    form = FORMATS[tool]
    form.check_quantizes(quantize)
    form.check_converts()
    workspace.existing_ledger(name).close()
    with doing("importing what computes scores"), INTERRUPTS.importing():
        from tabulate import tabulate

        from tuner.analysis.recorded import recorded_findings
        from tuner.saved_models.exporting.export import export_models, table_of

    found = export_models(recorded_findings(name, workspace), form, quantize)
    if found.exported:
        header, rows = table_of(found.exported)
        click.echo(tabulate(rows, header, tablefmt="pipe", disable_numparse=True))
        click.echo(f"exported: {found.exported[0].here.path.parent}")
    found.check(form)
