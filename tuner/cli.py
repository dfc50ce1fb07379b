"""The command line. Every command answers a wrong input with one line on stderr and exit code 2."""

from __future__ import annotations

import csv
import json
import shlex
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from tuner import __version__
from tuner.errors import InputError, ResourceError, TunerError, lacking, one_line
from tuner.interrupts import INTERRUPTS, leave
from tuner.places import Places, ran_as_it_is, recorded_search, search_name
from tuner.search import Overrides
from tuner.search_file import find_search, load_search
from tuner.text import escape, shortened, visible, visible_line

if TYPE_CHECKING:
    from tuner.findings import Findings
    from tuner.search import Search

_F = TypeVar("_F", bound=Callable[..., Any])


def _folders(command: _F) -> _F:
    """Give a command `--runs-dir` and `--reports-dir`."""
    folder = click.Path(path_type=Path, file_okay=False)
    runs = click.option(
        "--runs-dir", type=folder, default=Path("runs"), show_default=True, help="Where ledger and models are."
    )
    reports = click.option(
        "--reports-dir", type=folder, default=Path("reports"), show_default=True, help="Where reports are."
    )
    return runs(reports(command))


def _data_dir(command: _F) -> _F:
    """Give a command `--data-dir`."""
    return click.option(
        "--data-dir",
        type=click.Path(path_type=Path),
        envvar="TUNER_DATA_DIR",
        help="Looked at first for NAME.npz and folders of images.",
    )(command)


def _tensorboard(command: _F) -> _F:
    """Give a command `--tensorboard`."""
    return click.option(
        "--tensorboard", is_flag=True, help="Write logs too; see them: tensorboard --logdir runs/tensorboard/NAME"
    )(command)


def _named(context: click.Context, parameter: click.Parameter, name: str) -> str:
    if not name.strip():
        raise click.BadParameter("it is blank")
    return name


def _gpus(context: click.Context, parameter: click.Parameter, gpus: float | None) -> float | None:
    from tuner.search_schema import fraction_or_whole

    try:
        return None if gpus is None else fraction_or_whole(gpus)
    except ValueError as error:
        raise click.BadParameter(f"{gpus:g} {error}") from None


#: The argument of a command that is about one search.
_search_name = click.argument("name", callback=_named)


# Without a command, as with a wrong one, it says in one line where help is.
@click.group(context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=False)
@click.version_option(__version__, prog_name="tuner")
def app() -> None:
    """Which Keras image classifier is best, and is it really better?

    NAME is a file in searches/ without .toml, or a path to one.
    """


@app.command("list")
@_folders
def list_command(runs_dir: Path, reports_dir: Path) -> None:
    """List the searches: families, data sets, number of trials, how many are done."""
    files = sorted(Path("searches").glob("*.toml"))
    if not files:
        raise InputError("searches/", "has no search file", "go to the folder that holds searches/")
    ledger = Places(runs_dir, reports_dir).open_ledger()
    rows, wrong = [], []
    for file in files:
        try:
            search = load_search(file)
            trials = _trials(search, file)
            done = ledger.count_finished(search.name) if ledger and ran_as_it_is(ledger, search) else 0
        except InputError as error:
            rows.append((file.stem, "", "", "", "", "wrong: see below"))
            wrong.append(shortened(str(error), 300))
            continue
        names = ", ".join(dict.fromkeys(entry.label for entry in search.entries))
        rows.append((search.name, names, ", ".join(search.all_datasets), trials, str(done), search.title))
    heads = ("search", "models", "data sets", "trials", "done", "title")
    lines = [list(map(visible_line, row)) for row in (heads, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    if wrong:
        raise InputError("", "; ".join(wrong))


def _trials(search: Search, file: Path) -> str:
    """Return how many trials a search plans, or the most that it can have."""
    try:
        planned = sum(entry.planned() for entry in search.entries) * len(search.datasets)
    except InputError as error:  # a rule that cannot be computed
        raise error.inside(str(file)) from error
    exact = all(entry.algorithm != "grid" or entry.space.is_countable for entry in search.entries)
    return str(planned) if exact else f"<={planned}"


@app.command()
@_search_name
@click.option("--data", "source", required=True, help="A folder of class folders, an .npz file or a known name.")
@click.option("--force", is_flag=True, help="Write over a file of this name.")
@_data_dir
def new(name: str, source: str, force: bool, data_dir: Path | None) -> None:
    """Write searches/NAME.toml for a data set, with reasons, and show its dry run. Trains nothing."""
    from tuner.new import new_search, summary

    path, look = new_search(name, source, data_dir, force)
    click.echo(f"wrote {path}")
    for line in summary(path, look, data_dir):
        click.echo(line)


@app.command()
@_search_name
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_data_dir
def space(name: str, as_json: bool, data_dir: Path | None) -> None:
    """Show the configurations with their parameter counts, and how many each rule rejected. Trains nothing.

    Of a [[search]] with more than 1,000 configurations only the first 10 are built and shown.
    """
    search = load_search(find_search(name))
    from tuner.dryrun import dry_run

    found = dry_run(search, data_dir)
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    shown = {n for e in search.entries for n in e.space.varying()}
    for trial in found["trials"]:
        values = visible_line(", ".join(f"{k}={v}" for k, v in trial["values"].items() if k in shown))
        size = f"{trial['parameters']:,}" if trial["parameters"] is not None else "cannot be built: " + trial["error"]
        click.echo(f"{trial['family']} on {visible_line(trial['dataset'])}  {visible_line(size):>12}  {values}")
    total, listed = found["configurations"], len(found["trials"])
    click.echo(f"{total} configurations" + (f", of which {listed} are shown" if listed < total else ""))
    for rule, count in found["rejected"].items():
        click.echo(f"{count} rejected by {rule}")
    if listed < total:
        click.echo('to train fewer: algorithm = "random" with max_trials, fewer values, or another rule')


@app.command()
@_search_name
@click.option(
    "--epochs", type=click.IntRange(1, 1_000_000), help="Epochs of every trial, instead of the search file's."
)
@click.option("--train-size", type=click.IntRange(2), help="Use so many training images, drawn by class.")
@click.option("--test-size", type=click.IntRange(2), help="Use so many test images, drawn by class.")
@click.option(
    "--repeats", type=click.IntRange(1, 100), help="Retrainings of each winner, instead of the search file's."
)
@click.option("--workers", type=click.IntRange(1, 1_000), help="Trials at once; by default as many as fit.")
@click.option("--executor", default="local", show_default=True, help="Where trials run: local, or ray for a cluster.")
@click.option("--address", help="Of the Ray cluster, HOST:PORT; by default the one that this machine belongs to.")
@click.option("--cpus-per-trial", type=click.FloatRange(0, 1024, min_open=True), help="Cores that a trial takes.")
@click.option(
    "--gpus-per-trial",
    type=click.FloatRange(0, 64),
    callback=_gpus,
    help="GPUs that a trial takes; 0.25 lets four share one, each with a quarter of its memory.",
)
@_data_dir
@_folders
@click.option("--fresh", is_flag=True, help="Train again what is recorded of this search alone.")
@_tensorboard
def run(
    name: str,
    epochs: int | None,
    train_size: int | None,
    test_size: int | None,
    repeats: int | None,
    workers: int | None,
    executor: str,
    address: str | None,
    cpus_per_trial: float | None,
    gpus_per_trial: float | None,
    data_dir: Path | None,
    runs_dir: Path,
    reports_dir: Path,
    fresh: bool,
    tensorboard: bool,
) -> None:
    """Search, retrain, score, report. Started again, it goes on where it stopped."""
    with INTERRUPTS.heeded():
        try:
            search = load_search(find_search(name), Overrides(epochs, train_size, test_size, repeats))
            places = Places(runs_dir, reports_dir, data_dir)
            with INTERRUPTS.importing():
                from rich.console import Console

                from tuner.executors import Placement
                from tuner.searching import run_search

            console = Console(stderr=True)
            where = Placement(executor, workers, cpus_per_trial, gpus_per_trial, address)
            findings, report = run_search(
                search, places, console, placement=where, fresh=fresh, tensorboard=tensorboard
            )
            _print_summary(findings)
            click.echo(f"\nreport: {report}")
        except (Exception, KeyboardInterrupt) as error:
            if not INTERRUPTS.asked and not isinstance(error, KeyboardInterrupt):
                raise
            resume = shlex.join(["tuner", *(arg for arg in sys.argv[1:] if arg != "--fresh")])
            click.echo(f"stopped; nothing that finished is lost. Go on with: {resume}", err=True)
            leave()


def _print_summary(findings: Findings) -> None:
    from tuner.report import verdict
    from tuner.report.budget import budget
    from tuner.report.comparison import margins_table

    click.echo(f"\n{margins_table(findings)}\n\nBudget: {budget(findings)}.")
    for line in verdict(findings):
        click.echo(line.replace("**", ""))


def _as_described_now(recorded: Search, name: str) -> Search:
    """Return a recorded search with title, `[report]` and `[published]` as its file has them now.

    Only where the file differs in nothing else: what was not trained cannot be reported.
    """
    try:
        now = load_search(find_search(name), recorded.overrides)
    except InputError:
        return recorded
    before, after = (
        {key: value for key, value in search.raw.items() if key not in ("title", "report", "published")}
        for search in (recorded, now)
    )
    return (
        replace(recorded, title=now.title, report=now.report, published=now.published) if before == after else recorded
    )


@app.command()
@_search_name
@click.option("--format", "form", type=click.Choice(["md", "csv", "json"]), default="md", show_default=True)
@_folders
def results(name: str, form: str, runs_dir: Path, reports_dir: Path) -> None:
    """Print the table of trials, best first."""
    places = Places(runs_dir, reports_dir)
    from tuner.trial_table import column_names, trial_rows

    with places.existing_ledger(name) as ledger:
        search = recorded_search(ledger, search_name(name))
        rows = trial_rows(ledger.members(search.name))
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


@app.command()
@_search_name
@_folders
@_tensorboard
def report(name: str, runs_dir: Path, reports_dir: Path, tensorboard: bool) -> None:
    """Write the report again from what is recorded."""
    places = Places(runs_dir, reports_dir)
    from tuner.findings import recorded_findings

    recorded = recorded_findings(name, places)
    findings = replace(recorded, search=_as_described_now(recorded.search, name))
    from tuner.report import write_report

    click.echo(f"report: {write_report(findings)}")
    if tensorboard:
        from tuner.tensorboard import write_recorded

        with places.existing_ledger(name) as ledger:
            click.echo(f"logs: {write_recorded(findings.search, places, ledger)}")


@app.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@_folders
def compare(names: tuple[str, ...], runs_dir: Path, reports_dir: Path) -> None:
    """Print one comparison table over several searches."""
    places = Places(runs_dir, reports_dir)
    from tuner.comparing import compare_searches
    from tuner.findings import recorded_findings

    findings = [recorded_findings(name, places) for name in names]
    click.echo(compare_searches(findings))


@app.command()
@_search_name
@click.option("--to", "tool", type=click.Choice(["optuna"]), required=True, help="What it is exported to.")
@click.option("--storage", required=True, help="Optuna's database by its URL, such as sqlite:///study.db.")
@_folders
def export(name: str, tool: str, storage: str, runs_dir: Path, reports_dir: Path) -> None:
    """Write what is recorded for another tool: a study for each [[search]] on each data set.

    Exported again, a study takes the place of the earlier one. Look at them with: optuna-dashboard sqlite:///study.db
    """
    from tuner.export import EXPORTERS, Recorded

    with Places(runs_dir, reports_dir).existing_ledger(name) as ledger:
        recorded = Recorded.read(ledger, search_name(name))
    for line in EXPORTERS[tool](recorded, storage):
        click.echo(line)


@app.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="IMAGE...")
def predict(model: Path, images: tuple[Path, ...]) -> None:
    """Print class and probabilities of image files, by a saved MODEL.keras."""
    from tuner.predict import predict_files

    for image, answer in predict_files(model, list(images)):
        ranking = ", ".join(f"{name} {probability:.4f}" for name, probability in answer)
        click.echo(f"{visible_line(image)}: {answer[0][0]} ({ranking})")


@app.command()
@_search_name
@_folders
def verify(name: str, runs_dir: Path, reports_dir: Path) -> None:
    """Reload each saved model with plain Keras and prove its recorded score."""
    from tuner.findings import recorded_findings
    from tuner.verify import verify as check

    findings = recorded_findings(name, Places(runs_dir, reports_dir))
    for line in check(findings):
        click.echo(line)


def _explained(error: click.ClickException) -> str:
    """Return what is wrong in the words typed, with where to look unless click knows what was meant."""
    message = " ".join(error.format_message().split()).removesuffix(".")
    context = error.ctx if isinstance(error, click.UsageError) else None
    return message if context is None or message.endswith("?") else f"{message}; see: {context.command_path} --help"


def main() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    try:
        app(prog_name="tuner", standalone_mode=False)
    except click.ClickException as error:
        click.echo(f"tuner: {visible_line(_explained(error))}", err=True)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        leave()
    except TunerError as error:
        _end(error)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        sys.stderr.close()
        sys.exit(0)
    except (OSError, MemoryError) as error:
        _end(lacking(error) or _of_the_system(error))
    sys.exit(0)


def _end(error: TunerError) -> NoReturn:
    click.echo(f"tuner: {visible_line(error)}", err=True)
    sys.exit(error.exit_code)


def _of_the_system(error: OSError | MemoryError) -> TunerError:
    """Return an error of the system that no module has explained as one line all the same."""
    if isinstance(error, MemoryError):
        return ResourceError("memory", "is exhausted", "free memory, or pass fewer --workers")
    place = error.filename if isinstance(error.filename, str) else ""
    return InputError(place, error.strerror or one_line(error), "see that it is there, and who may read and write it")
