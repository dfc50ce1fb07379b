"""The command `watch`: the page of a search while it runs, or before, or after, served on this machine alone."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click

from tuner.cli.ending import stop
from tuner.cli.options import folder_options, search_name_argument
from tuner.errors import InputError
from tuner.search_file.file import find_search, load_search
from tuner.search_file.model import Search
from tuner.system.interrupts import INTERRUPTS
from tuner.system.waiting import doing
from tuner.workspace import Workspace, never_ran, search_name


@click.command()
@search_name_argument
@click.option("--port", type=click.IntRange(1, 65_535), help="Of the address; by default one that is free.")
@click.option(
    "--control",
    is_flag=True,
    help="Let the page stop, skip and add trials, change max_trials, pause the run, and end the search.",
)
@folder_options
def watch(name: str, port: int | None, control: bool, runs_dir: Path, reports_dir: Path) -> None:
    """Show a search while it runs: its page, alive, at an address that only this machine reaches.

    It reads the ledger, before, during and after a run. Nothing is changed or held up by it, unless --control lets
    whoever has the address ask something of the run.
    """
    workspace = Workspace(runs_dir, reports_dir)
    search = _described(name, workspace)
    with doing("importing what makes the page"), INTERRUPTS.importing():
        from tuner.watching.feed import Feed
        from tuner.watching.pages import Pages
        from tuner.watching.serve import WatchServer, asker
        from tuner.watching.served import noted

    own = search_name(name)
    feed = Feed(own, search, workspace)
    feed.look()
    pages = Pages(own, workspace, feed, control)
    server = WatchServer(own, feed, pages, port or 0, asker(feed, workspace) if control else None)
    feed.start()
    with suppress(KeyboardInterrupt), noted(server.address, runs_dir, own):
        click.echo(f"watch: {server.address}")
        server.serve()  # whose loop may take an interrupt for its end
    stop("no longer watched. Again with")


def _described(name: str, workspace: Workspace) -> Search | None:
    """Return a search as its file has it; None where it ran and has no file.

    Raises:
        InputError: it neither has a file nor ran here.
    """
    try:
        return load_search(find_search(name.partition("#")[0]))
    except InputError:
        with workspace.existing_ledger(name) as ledger:
            if ledger.search_content(search_name(name)) is None:
                raise never_ran(name, ledger.search_names()) from None
        return None
