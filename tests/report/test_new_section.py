"""A new section with a figure is its numbers, its drawing, its function and a line: the rest follows."""

from __future__ import annotations

import base64
import csv
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from made_up import Project
from matplotlib.figure import Figure

import tuner.report
from tuner.analysis.findings import Findings
from tuner.contents.sections import Paragraph, Picture, Section, Table
from tuner.datasets.base import Dataset
from tuner.figures.style import new_figure
from tuner.publish.write import write_report


def losses(findings: Findings) -> pd.DataFrame:
    """The numbers, as `analysis` would have them."""
    return pd.DataFrame({"trial": record.trial.id, "loss": record.result.val_loss} for record in findings.trials())


def drawn(frame: pd.DataFrame) -> Figure:
    """The drawing, as `figures` would have it."""
    figure = new_figure(3, 2)
    figure.subplots().plot(frame["loss"])
    return figure


def losses_section(findings: Findings) -> Section:
    """The section, as `report` would have it."""
    frame = losses(findings)
    contents = [
        Paragraph("A sentence of the new section: [losses.csv](losses.csv)."),
        Table([[trial, f"{loss:.3f}"] for trial, loss in frame.to_numpy()], ["trial", "loss"]),
        Picture("losses", "losses-blobs.png", "Each trial's loss", partial(drawn, frame)),
    ]
    return Section("losses", "Losses of the trials", contents, {"losses.csv": frame})


def test_a_section_that_is_listed_is_in_the_report_among_the_files_and_on_the_page(
    tmp_path: Path, blobs: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Project(tmp_path, blobs)
    trials = made.searched("ann", [0.5, 0.75])
    monkeypatch.setattr(tuner.report, "SECTIONS", (losses_section,))
    folder = write_report(made.findings()).parent
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert "## Losses of the trials\n\nA sentence of the new section" in text
    assert "![Each trial's loss](losses-blobs.png)" in text
    picture = (folder / "losses-blobs.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    page = (folder / "report.html").read_text(encoding="utf-8")
    whole = write_report(made.findings(), single_file=True).with_name("report.html").read_text(encoding="utf-8")
    assert ">Losses of the trials</h2>" in page
    assert '<img src="losses-blobs.png" alt="Each trial&#x27;s loss"' in page
    assert f"data:image/png;base64,{base64.b64encode(picture).decode()}" in whole
    with (folder / "losses.csv").open() as file:
        assert [row["trial"] for row in csv.DictReader(file)] == [trial.id for trial in trials]
    for trial, loss in zip(trials, ("0.500", "0.250"), strict=True):
        assert f"| {trial.id} |  {loss} |" in text
        assert f'>{trial.id}</th><td class="number">{loss}</td>' in page
