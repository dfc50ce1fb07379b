"""How the process ends: with an exit code, and with one line on stderr for whatever is wrong."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

import click

from tuner.errors import InputError, ResourceError, TunerError, listed, one_line, resource_error_of
from tuner.system.interrupts import INTERRUPTS, leave
from tuner.system.streams import lost_output
from tuner.system.waiting import heard_by
from tuner.text import visible_line

#: What takes longer is said, in seconds. Who sees no terminal reads it later, if at all.
SECONDS_ON_TERMINAL, SECONDS_ELSEWHERE = 1.0, 10.0


#: What takes a terminal to the line above, and empties it.
_LINE_ABOVE = "\x1b[1A\x1b[2K"
_STOPPED = "stopped; nothing that is recorded is lost. Again with"


class Commands(click.Group):
    """Commands that end in a line of ours where they are asked to stop, and not in an empty one of click's."""

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        """Read what was typed before the command."""
        try:
            return super().make_context(*arguments, **options)
        except KeyboardInterrupt:
            stop(_STOPPED)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command that was typed."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            stop(_STOPPED)


def run_to_its_end(app: click.Command) -> NoReturn:
    """Run a command line and end the process with its exit code."""
    with INTERRUPTS.heeded(), _waits_explained():
        try:
            app(prog_name="tuner", standalone_mode=False)
            sys.stdout.flush()
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # foreign code may make it of an interrupt
            if INTERRUPTS.asked or isinstance(error, click.Abort | KeyboardInterrupt):
                stop(_STOPPED)
            _end(error)
    lost = lost_output()
    if lost is not None:
        _say(f"standard output: cannot be written to ({lost.strerror})")
        sys.exit(0 if _is_kept_elsewhere() else 1)
    sys.exit(0)


@contextmanager
def _waits_explained() -> Iterator[None]:
    """Say on the standard error what takes long, past whoever silences it while Keras is imported."""
    terminal = sys.stderr.isatty()
    after = SECONDS_ON_TERMINAL if terminal else SECONDS_ELSEWHERE
    kept = os.dup(2)

    def say(what: str, again: bool) -> None:
        line = f"{_LINE_ABOVE if again and terminal else ''}{visible_line(what)} …\n"
        with suppress(OSError):
            os.write(kept, line.encode(sys.stderr.encoding, "backslashreplace"))

    try:
        with heard_by(say, after):
            yield
    finally:
        os.close(kept)


def stop(why: str, without: tuple[str, ...] = ()) -> NoReturn:
    """End a command that was asked to stop, with the line to type that goes on, but for the options `without`."""
    again = shlex.join(["tuner", *(argument for argument in sys.argv[1:] if argument not in without)])
    click.echo(f"{why}: {again}", err=True)
    leave()


def _is_kept_elsewhere() -> bool:
    """Whether what the command prints stands in a file, too, so that its work is done all the same."""
    return sys.argv[1:2] in (["run"], ["report"])


def _end(error: BaseException) -> NoReturn:
    """End with what is wrong in one line; a fault of this program's own goes on as what it is."""
    if isinstance(error, click.ClickException):
        _say(_explained(error))
        sys.exit(error.exit_code)
    if isinstance(error, OSError | MemoryError):
        error = resource_error_of(error) or _of_the_system(error)
    if not isinstance(error, TunerError):
        raise error
    _say(str(error))
    for line in listed(error.details) if isinstance(error, InputError) else ():
        click.echo(line, err=True)
    sys.exit(error.exit_code)


def _say(what: str) -> None:
    click.echo(f"tuner: {visible_line(what)}", err=True)


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
