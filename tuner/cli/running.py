"""The command `run`: what it takes, what it prints in the end, and what it says when it is stopped."""

from __future__ import annotations

import math
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tuner.cli.ending import stop
from tuner.cli.options import (
    data_dir_option,
    folder_options,
    override_options,
    search_name_argument,
    single_file_option,
    skip_bad_option,
    tensorboard_option,
)
from tuner.search_file.file import find_search, load_search
from tuner.search_file.overrides import MOST_HOURS, Overrides
from tuner.system.interrupts import INTERRUPTS
from tuner.workspace import Workspace, search_name

if TYPE_CHECKING:
    from tuner.analysis.findings import Findings


def _gpus(context: click.Context, parameter: click.Parameter, gpus: float | None) -> float | None:
    from tuner.search_file.schema import at_most_one_gpu

    try:
        return None if gpus is None else at_most_one_gpu(gpus)
    except ValueError as error:
        raise click.BadParameter(f"{gpus:g} {error}") from None


def _cores(context: click.Context, parameter: click.Parameter, cores: float | None) -> float | None:
    if cores is not None and math.isnan(cores):  # which is in every range
        raise click.BadParameter("nan is no number of cores")
    return cores


def _hours(context: click.Context, parameter: click.Parameter, hours: float | None) -> float | None:
    if hours is not None and math.isnan(hours):  # which is in every range
        raise click.BadParameter("nan is no number of hours")
    return hours


@click.command()
@search_name_argument
@override_options
@click.option(
    "--hours",
    type=click.FloatRange(0, MOST_HOURS, min_open=True),
    callback=_hours,
    help="End within so many hours, retrainings and report included, with as many trials as they allow.",
)
@click.option("--workers", type=click.IntRange(1, 1_000), help="Trials at once; by default as many as fit.")
@click.option("--executor", default="local", show_default=True, help="Where trials run: local, or ray for a cluster.")
@click.option("--address", help="Of the Ray cluster, HOST:PORT; by default the one that this machine belongs to.")
@click.option(
    "--cpus-per-trial",
    type=click.FloatRange(0, 1024, min_open=True),
    callback=_cores,
    help="Cores that a trial takes.",
)
@click.option(
    "--gpus-per-trial",
    type=float,
    callback=_gpus,
    help="How much of a GPU a trial takes, at most 1; 0.25 lets four share one, each with a quarter of its memory.",
)
@data_dir_option
@skip_bad_option
@folder_options
@click.option("--fresh", is_flag=True, help="Train again what is recorded of this search alone.")
@tensorboard_option
@single_file_option
def run(
    name: str,
    hours: float | None,
    workers: int | None,
    executor: str,
    address: str | None,
    cpus_per_trial: float | None,
    gpus_per_trial: float | None,
    data_dir: Path | None,
    skip_bad: bool,
    runs_dir: Path,
    reports_dir: Path,
    fresh: bool,
    tensorboard: bool,
    single_file: bool,
    **overrides: Any,
) -> None:
    """Search, retrain, score, report. Started again, it goes on where it stopped."""
    with INTERRUPTS.heeded():
        try:
            search = load_search(find_search(name), Overrides(**overrides))
            workspace = Workspace(runs_dir, reports_dir, data_dir)
            with INTERRUPTS.importing():
                from rich.console import Console

                from tuner.executors import ExecutionOptions
                from tuner.running.options import RunOptions
                from tuner.running.progress import say
                from tuner.running.search import run_search
                from tuner.watching.served import served_at

            console = Console(stderr=True)
            where = ExecutionOptions(executor, workers, cpus_per_trial, gpus_per_trial, address)
            options = RunOptions(where, fresh, tensorboard, skip_bad, single_file, hours)
            if console.is_terminal:
                say(console, f"watch it: {_to_watch(name, runs_dir)}")
                for served in served_at(runs_dir, search_name(name)):
                    say(console, f"watched at: {served}")
            findings, report = run_search(search, workspace, console, options)
            _print_summary(findings)
            click.echo(f"\nreport: {report}")
        except (Exception, KeyboardInterrupt) as error:
            if not INTERRUPTS.asked and not isinstance(error, KeyboardInterrupt):
                raise
            stop("stopped; nothing that finished is lost. Go on with", without=("--fresh",))


def _to_watch(name: str, runs_dir: Path) -> str:
    """Return the command that shows the run, to be typed in another terminal."""
    folders = [] if runs_dir == Path("runs") else ["--runs-dir", str(runs_dir)]
    return shlex.join(["tuner", "watch", name, *folders])


def _print_summary(findings: Findings) -> None:
    from tuner.report.budget import budget
    from tuner.report.comparison import margins_table
    from tuner.report.markdown import to_markdown
    from tuner.report.summary import verdict

    click.echo(f"\n{to_markdown([margins_table(findings)])}\n\nBudget: {budget(findings)}.")
    for line in verdict(findings):
        click.echo(line.replace("**", ""))
