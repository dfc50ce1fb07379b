"""Where the loss without penalties is shown beside the one with them, and where nothing is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from made_up import Project
from matplotlib.axes import Axes

from tuner.analysis.findings import Findings
from tuner.analysis.penalties import any_penalised, unpenalised_val_loss
from tuner.analysis.results_table import result_rows, results_table
from tuner.analysis.trial_table import column_names, trial_rows
from tuner.contents.sections import Table
from tuner.datasets.base import Dataset
from tuner.page.data import page_data
from tuner.report.curves import curves_section
from tuner.report.markdown import to_markdown
from tuner.report.trials import trials_section
from tuner.trial import Record, Result

#: Losses by epoch: 0.1 of each is a penalty.
PENALISED = {
    "loss": [0.9, 0.7],
    "unpenalised_loss": [0.8, 0.6],
    "accuracy": [0.5, 0.6],
    "val_loss": [0.7, 0.8],
    "val_unpenalised_loss": [0.6, 0.7],
    "val_accuracy": [0.8, 0.7],
}
PLAIN = {**PENALISED, "unpenalised_loss": [0.9, 0.7], "val_unpenalised_loss": [0.7, 0.8 + 1e-8]}
EXPLAINED = "The loss without penalties, in files `unpenalised_loss`, is the error alone"
OLD = {name: curve for name, curve in PENALISED.items() if "unpenalised" not in name}


@pytest.fixture
def project(tmp_path: Path, blobs: Dataset) -> Project:
    return Project(tmp_path, blobs)


def searched(project: Project, histories: list[dict[str, list[float]]], best_epoch: int | None = None) -> list[Record]:
    """Record a search trial of `ann` for each of these histories."""
    project.searched("ann", [0.5] * len(histories))
    listing = [(m, r) for m, r in project.ledger.search_trials("small") if m.model == "ann" and r is not None]
    found = []
    for (listed, record), history in zip(listing[: len(histories)], histories, strict=True):
        last = (best_epoch or 2) - 1
        scores = {name: history[name][last] for name in ("val_accuracy", "val_loss")}
        result = Result("completed", parameters=9, seconds=1.0, history=history, best_epoch=best_epoch, **scores)
        project.ledger.forget_trial(listed.trial)
        project.ledger.record(Record(record.trial, result))
        found.append(Record(record.trial, result))
    return found


def drawn(findings: Findings) -> Sequence[Axes]:
    """Return the drawings of the best trials."""
    section = curves_section(findings)
    assert section is not None
    (picture,) = [one for one in section.pictures if one.file == "curves-blobs.png"]
    return picture.draw().axes


def test_the_epoch_that_counts_is_the_best_one_or_the_last(project: Project) -> None:
    (record,) = searched(project, [PENALISED])
    assert unpenalised_val_loss(record) == 0.7
    (record,) = searched(project, [PENALISED], best_epoch=1)
    assert unpenalised_val_loss(record) == 0.6
    assert unpenalised_val_loss(*searched(project, [OLD])) is None


def test_penalties_are_what_sets_the_losses_apart_beyond_rounding(project: Project) -> None:
    records = searched(project, [PENALISED, PLAIN])
    assert [any_penalised([record]) for record in records] == [True, False]
    assert any_penalised(records)
    assert not any_penalised(searched(project, [OLD]))


def test_tables_show_both_where_penalties_make_a_difference(project: Project) -> None:
    searched(project, [PENALISED, PLAIN])
    listing = project.ledger.search_trials("small")
    (head,) = [line for line in results_table(project.search, listing).splitlines() if "val. loss" in line]
    cells = [cell.strip() for cell in head.split("|")]
    place = cells.index("val. loss without penalties")
    assert cells[place - 1 : place + 2] == ["val. loss", "val. loss without penalties", "val. accuracy"]
    section = trials_section(project.findings())
    assert section is not None
    (table,) = [content for content in section.contents if isinstance(content, Table)]
    place = list(table.heads).index("val. loss without penalties")
    assert table.heads[place - 1] == "val. loss"
    assert {tuple(row[place - 1 : place + 1]) for row in table.cells} == {("0.8000", "0.7000"), ("0.8000", "0.8000")}
    assert sorted(section.tables["trials.csv"]["val_unpenalised_loss"]) == pytest.approx([0.7, 0.8])


@pytest.mark.parametrize(("history", "column"), [(PLAIN, True), (OLD, False)], ids=["no penalty", "an old ledger"])
def test_without_penalties_or_without_a_record_reports_say_nothing(
    history: dict[str, list[float]], column: bool, project: Project
) -> None:
    searched(project, [history, history])
    listing = project.ledger.search_trials("small")
    rows = trial_rows(listing)
    assert ("val_unpenalised_loss" in column_names(rows)) is column
    assert ("val_unpenalised_loss" in column_names(result_rows(listing))) is column
    findings = project.findings()
    texts = [to_markdown(section.contents) for make in (trials_section, curves_section) if (section := make(findings))]
    assert "penal" not in results_table(project.search, listing) + "".join(texts)
    assert [axes.get_title() for axes in drawn(findings)] == ["Accuracy, blobs", "Loss, blobs"]
    frame = pd.DataFrame(rows, columns=column_names(rows), dtype=object)
    assert "penalised" not in str(page_data(findings, {"trials.csv": frame})["curves"])


def test_what_the_tables_tell_is_explained_where_the_best_trial_alone_has_no_penalties(project: Project) -> None:
    penalised, _ = searched(project, [{**PENALISED, "val_accuracy": [0.1, 0.2]}, {**PLAIN, "val_accuracy": [0.8, 0.9]}])
    findings = project.findings()
    assert [record.trial.id for _, record in findings.best_trials("blobs")] != [penalised.trial.id]
    section = curves_section(findings)
    assert section is not None
    assert to_markdown(section.contents).count(EXPLAINED) == 1
    assert [axes.get_title() for axes in drawn(findings)] == ["Accuracy, blobs", "Loss, blobs"]


def test_a_single_epoch_stands_in_the_middle_of_its_axis(project: Project) -> None:
    once = {name: curve[:1] for name, curve in PLAIN.items()}
    searched(project, [once, once], best_epoch=1)
    for axes in drawn(project.findings()):
        assert axes.get_xlim() == (0.5, 1.5)
        assert axes.get_xticks().tolist() == [1]


def test_curves_have_a_third_picture_and_say_once_which_loss_is_which(project: Project) -> None:
    records = searched(project, [PENALISED, PLAIN])
    findings = project.findings()
    section = curves_section(findings)
    assert section is not None
    axes = drawn(findings)
    assert [one.get_title() for one in axes] == [
        "Accuracy, blobs",
        "Loss, blobs",
        "Loss without penalties, blobs",
    ]
    assert sorted(list(line.get_ydata()) for line in axes[2].lines) == [[0.6, 0.7], [0.8, 0.6]]
    assert axes[2].get_ylabel() == "loss without penalties"
    assert to_markdown(section.contents).count(EXPLAINED) == 1
    table = section.tables["curves.csv"]
    assert table[table["trial"] == records[0].trial.id]["val_unpenalised_loss"].tolist() == [0.6, 0.7]
    frame = pd.DataFrame(trial_rows(findings.search_trials), dtype=object)
    data = page_data(findings, {"trials.csv": frame})
    assert data["curves"][records[0].trial.id]["val_unpenalised_loss"] == [0.6, 0.7]
    assert "val_unpenalised_loss" in data["trials"]["columns"]
