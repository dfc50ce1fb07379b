"""Options that several commands share, and the argument of those that are about one search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import click

from tuner.search_file.overrides import Overrides, option_name

_F = TypeVar("_F", bound=Callable[..., Any])
_FOLDER = click.Path(path_type=Path, file_okay=False)


def folder_options(command: _F) -> _F:
    """Give a command `--runs-dir` and `--reports-dir`."""
    runs = click.option(
        "--runs-dir", type=_FOLDER, default=Path("runs"), show_default=True, help="Where ledger and models are."
    )
    reports = click.option(
        "--reports-dir", type=_FOLDER, default=Path("reports"), show_default=True, help="Where reports are."
    )
    return runs(reports(command))


def override_options(command: _F) -> _F:
    """Give a command an option for each field of `Overrides`."""
    for one in reversed(fields(Overrides)):
        if "least" in one.metadata:
            limits = click.IntRange(one.metadata["least"], one.metadata["most"])
            command = click.option(option_name(one.name), type=limits, help=one.metadata["said"])(command)
        else:
            several = click.option(
                option_name(one.name), one.name, multiple=True, metavar="KEY=VALUE", help=one.metadata["said"]
            )
            command = several(command)
    return command


data_dir_option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    envvar="TUNER_DATA_DIR",
    help="Looked at first for NAME.npz and folders of images.",
)

trust_option = click.option(
    "--trust",
    "trusted",
    multiple=True,
    metavar="MODULE",
    help="Let this module of yours, whose code then runs, make a network again that no file can; may be repeated.",
)

skip_bad_option = click.option(
    "--skip-bad", is_flag=True, help="Leave out image files that cannot be used; they are listed."
)

tensorboard_option = click.option(
    "--tensorboard", is_flag=True, help="Write logs too; see them: tensorboard --logdir runs/tensorboard/NAME"
)

single_file_option = click.option(
    "--single-file", is_flag=True, help="Let report.html hold its pictures, style and scripts, to be sent alone."
)


def not_blank(context: click.Context, parameter: click.Parameter, name: str) -> str:
    """Return what was given, unless it is blank."""
    if not name.strip():
        raise click.BadParameter("it is blank")
    return name


search_name_argument = click.argument("name", callback=not_blank)
