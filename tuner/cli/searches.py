"""The commands about search files, before anything is trained: `list`, `new`, `space`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuner.cli.options import data_dir_option, folder_options, search_name_argument, skip_bad_option
from tuner.errors import InputError
from tuner.ledger.events import in_force
from tuner.search_file.checks import capitals
from tuner.search_file.file import embedded_searches, find_search, load_search
from tuner.search_file.own_space import own_parameters
from tuner.text import shortened, visible_line
from tuner.workspace import Workspace, ran_as_it_is, recorded_search

if TYPE_CHECKING:
    from tuner.ledger.ledger import Ledger
    from tuner.search_file.model import Search


@click.command("list")
@folder_options
def list_command(runs_dir: Path, reports_dir: Path) -> None:
    """List the searches: families, data sets, number of trials, how many are done."""
    files = sorted(Path("searches").glob("*.toml"))
    own = bool(files)
    files = files or embedded_searches()
    rows, wrong = [], []
    with Workspace(runs_dir, reports_dir).open_ledger() or nullcontext() as ledger:
        for file in files:
            try:
                rows.append(_row(load_search(file), file, ledger))
            except InputError as error:
                rows.append((file.stem, "", "", "", "", "wrong: see below"))
                wrong.append(shortened(str(error), 300))
    heads = ("search", "models", "data sets", "trials", "done", "title")
    lines = [list(map(visible_line, row)) for row in (heads, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    if not own:
        click.echo("\nThere is no search file in searches/ here; what is listed comes with the package.")
        click.echo("Run it: tuner run digits. A search of your own: tuner new NAME --data FOLDER_OF_IMAGES")
    if wrong:
        raise InputError("", "; ".join(wrong))


def _row(search: Search, file: Path, ledger: Ledger | None) -> tuple[str, ...]:
    """Return what is listed of a search."""
    if ledger and any(one.space.is_open for one in search.model_searches) and ran_as_it_is(ledger, search):
        search = replace(recorded_search(ledger, search.name), title=search.title)
    done, splits = 0, []
    for one in map(search.at_split, range(1, search.splits + 1)):
        ran = ledger if ledger and ran_as_it_is(ledger, one) else None
        done += ran.count_finished(one.name) if ran else 0
        splits.append(one.as_recorded(ran) if ran else one)
    trials = _trials(splits, file)
    if done and ledger and ledger.is_finished(search.name) and not in_force(ledger.events(search.name)):
        trials = str(done)  # however many were asked for, there are no more
    names = ", ".join(dict.fromkeys(model_search.label for model_search in search.model_searches))
    return search.name, names, ", ".join(search.all_datasets), trials, str(done), search.title


def _trials(splits: Sequence[Search], file: Path) -> str:
    """Return how many trials the splits of a search plan, or the most; "?" where only building a network tells."""
    search = splits[0]
    if not all(model_search.is_known for model_search in search.model_searches):
        return "?"
    try:
        every = [(one, dataset) for split in splits for one in split.model_searches for dataset in split.datasets]
        planned = sum(model_search.planned(dataset) for model_search, dataset in every)
    except InputError as error:  # a rule that cannot be computed
        raise error.inside(str(file)) from error
    return str(planned) if all(model_search.is_counted for model_search in search.model_searches) else f"<={planned}"


@click.command()
@search_name_argument
@click.option("--data", "source", required=True, help="A folder of class folders, an .npz file or a known name.")
@click.option("--force", is_flag=True, help="Write over a file of this name.")
@data_dir_option
@skip_bad_option
def new(name: str, source: str, force: bool, data_dir: Path | None, skip_bad: bool) -> None:
    """Write searches/NAME.toml for a data set, with reasons, and show its dry run. Trains nothing."""
    from tuner.datasets.remarks import remarks
    from tuner.running.new import guessed_groups, new_search, summary

    path, look = new_search(name, source, data_dir, force, skip_bad=skip_bad)
    click.echo(f"wrote {path}")
    for line in (*remarks(look.source, look.dataset), *guessed_groups(look)):
        click.echo(line)
    for line in summary(path, look, data_dir):
        click.echo(line)


@click.command()
@search_name_argument
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@data_dir_option
@skip_bad_option
def space(name: str, as_json: bool, data_dir: Path | None, skip_bad: bool) -> None:
    """Show the configurations with their parameter counts, and how many each rule rejected. Trains nothing.

    Of a [[search]] with more than 1,000 configurations only the first 10 are built and shown.
    """
    search = load_search(find_search(name))
    from tuner.analysis.shortfall import planned_shortfall
    from tuner.running.dryrun import dry_run
    from tuner.running.own_objectives import check_own_objectives
    from tuner.running.own_spaces import with_spaces_read

    check_own_objectives(search)
    search, notes = with_spaces_read(search, data_dir, skip_bad)
    found = dry_run(search, data_dir, skip_bad)
    found["notes"] = list(dict.fromkeys((*notes, *found["notes"])))
    asked = {one.name: own_parameters(search, one) for one in search.model_searches if one.declared is not None}
    for note in found["notes"]:
        click.echo(f"note: {visible_line(note)}", err=True)
    if as_json:
        click.echo(json.dumps({**found, **({"asked": asked} if asked else {})}, indent=1))
        return
    for model_search in search.model_searches:
        for parameter in asked.get(model_search.name, ()):
            said = ", as the search file says" if parameter["in_file"] else ""
            where = f"; where {parameter['where']}" if parameter["where"] else ""
            line = f"{model_search.path} asks for {parameter['name']}: {parameter['values']}{said}{where}"
            click.echo(visible_line(line))
    shown = {n for e in search.model_searches for n in e.space.varying()}
    for trial in found["trials"]:
        values = visible_line(", ".join(f"{k}={_short(v)}" for k, v in trial["values"].items() if k in shown))
        size = f"{trial['parameters']:,}" if trial["parameters"] is not None else "cannot be built: " + trial["error"]
        click.echo(f"{trial['family']} on {visible_line(trial['dataset'])}  {visible_line(size):>12}  {values}")
    total, listed = found["configurations"], len(found["trials"])
    click.echo(f"{total} configurations" + (f", of which {listed} are shown" if listed < total else ""))
    for rule, count in found["rejected"].items():
        click.echo(f"{count} rejected by {rule}")
    for sentence in capitals(search):
        click.echo(sentence)
    for model_search in search.model_searches:
        if sentence := planned_shortfall(model_search):
            click.echo(sentence)
    if listed < total:
        click.echo('to train fewer: algorithm = "random" with max_trials, fewer values, or another rule')


def _short(value: object) -> str:
    """Return a parameter's value as it is read, not as it is computed with: 0.3967, not 0.3966700418808315."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
