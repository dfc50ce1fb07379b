"""The command line, a file for each group of commands; a new command needs a line here.

`options.py` has the options that several of them share; `ending.py` turns whatever is wrong into one line and an exit
code. Commands import what they need when they are called, so that `tuner --help` and `tuner list` answer at once.
"""

from __future__ import annotations

from typing import NoReturn

import click

from tuner.cli.cleaning import clean
from tuner.cli.data import check
from tuner.cli.ending import Commands, run_to_its_end
from tuner.cli.importing import import_command
from tuner.cli.models import predict, verify
from tuner.cli.planning import plan
from tuner.cli.recorded import compare, export, report, results
from tuner.cli.running import run
from tuner.cli.searches import list_command, new, space
from tuner.cli.watching import watch
from tuner.system.version import __version__


@click.group(
    cls=Commands,
    commands=[
        list_command,
        check,
        new,
        space,
        plan,
        run,
        watch,
        results,
        report,
        compare,
        export,
        import_command,
        predict,
        verify,
        clean,
    ],
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=False,  # without a command, as with a wrong one, it says in one line where help is
)
@click.version_option(__version__, prog_name="tuner")
def app() -> None:
    """Which Keras image classifier is best, and is it really better?

    NAME is a file in searches/ without .toml, or a path to one.
    """


def main() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    run_to_its_end(app)
