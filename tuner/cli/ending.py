"""How the process ends: with an exit code, and with one line on stderr for whatever is wrong."""

from __future__ import annotations

import sys
from typing import NoReturn

import click

from tuner.errors import InputError, ResourceError, TunerError, lacking, one_line
from tuner.interrupts import leave
from tuner.text import visible_line


def run_to_its_end(app: click.Command) -> NoReturn:
    """Run a command line and end the process with its exit code."""
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


def _explained(error: click.ClickException) -> str:
    """Return what is wrong in the words typed, with where to look unless click knows what was meant."""
    message = " ".join(error.format_message().split()).removesuffix(".")
    context = error.ctx if isinstance(error, click.UsageError) else None
    return message if context is None or message.endswith("?") else f"{message}; see: {context.command_path} --help"


def _of_the_system(error: OSError | MemoryError) -> TunerError:
    """Return an error of the system that no module has explained as one line all the same."""
    if isinstance(error, MemoryError):
        return ResourceError("memory", "is exhausted", "free memory, or pass a smaller --workers")
    place = error.filename if isinstance(error.filename, str) else ""
    return InputError(place, error.strerror or one_line(error), "see that it is there, and who may read and write it")
