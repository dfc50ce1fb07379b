"""The commands about saved models: `predict`, `verify`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tuner.cli.options import folder_options, search_name_argument, skip_bad_option, trust_option
from tuner.errors import listed
from tuner.system.interrupts import INTERRUPTS
from tuner.system.waiting import doing
from tuner.text import visible_line
from tuner.workspace import Workspace


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="IMAGE...")
@click.option("--format", "form", type=click.Choice(["text", "csv"]), default="text", show_default=True)
@skip_bad_option
@trust_option
def predict(model: Path, images: tuple[Path, ...], form: str, skip_bad: bool, trusted: tuple[str, ...]) -> None:
    """Print class and probabilities of image files, by a saved MODEL.keras, or by what `tuner export` made of one.

    IMAGE is a file, or a folder with images in it, however deep.
    """
    from tuner.datasets.remarks import number_of
    from tuner.saved_models.predict import predict_files

    answers = predict_files(model, images, skip_bad, lambda line: click.echo(visible_line(line), err=True), trusted)
    if answers.no_card:
        click.echo(visible_line(answers.no_card), err=True)
    if answers.left_out:
        click.echo(f"left out {number_of(len(answers.left_out), 'file')} that cannot be used:", err=True)
        for line in listed([f"{error.place}: {error.problem}" for error in answers.left_out]):
            click.echo(line, err=True)
    if form == "csv":
        answers.write_csv(sys.stdout)
        return
    for image, answer in answers.ranked():
        ranking = ", ".join(f"{name} {probability:.4f}" for name, probability in answer)
        click.echo(f"{visible_line(image)}: {answer[0][0]} ({ranking})")


@click.command()
@search_name_argument
@trust_option
@folder_options
def verify(name: str, trusted: tuple[str, ...], runs_dir: Path, reports_dir: Path) -> None:
    """Reload each saved model with plain Keras and prove its recorded score."""
    workspace = Workspace(runs_dir, reports_dir)
    workspace.existing_ledger(name).close()
    from tuner.saved_models.reader import PlainKeras

    with PlainKeras() as reader:  # which imports Keras meanwhile
        with doing("importing what computes scores"), INTERRUPTS.importing():
            from tuner.analysis.recorded import recorded_findings
            from tuner.saved_models.verify import verify as check

        for line in check(recorded_findings(name, workspace), reader, trusted):
            click.echo(line)
