"""Metrics that are not defined are told apart by why, and names that are also ours stay apart from ours."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_up import RAW, Project
from whole_page import page_of
from written import figures_of, words

from tuner import columns as col
from tuner.analysis.class_metrics import CLASS_METRICS
from tuner.analysis.class_scores import ClassScores, ModelScores, per_class_frame
from tuner.analysis.scoring import Predictions, averages, per_class
from tuner.contents.undefined import metric_cell, notes
from tuner.datasets.base import Dataset, checked_dataset
from tuner.errors import InputError
from tuner.figures.class_scores import class_scores_figure
from tuner.figures.style import report_style
from tuner.report.cards import card_json
from tuner.report.classes import f1_section

NAMES = ("seen", "ignored", "missing", "macro average")


def rows_of(names: tuple[str, ...], labels: list[int], predicted: list[int]) -> list[dict[str, Any]]:
    predictions = Predictions(np.array(labels), np.eye(len(names), dtype=np.float32)[predicted], names)
    return per_class(predictions).assign(kind="class").to_dict("records")  # type: ignore[return-value]


def test_a_class_without_test_images_and_one_that_is_never_predicted_have_marks_of_their_own() -> None:
    rows = rows_of(NAMES[:3], [0, 0, 1, 1], [0, 0, 0, 0])
    seen, ignored, missing = ([metric_cell(row, name) for name in list(CLASS_METRICS)] for row in rows)
    assert seen[:2] == ["0.5000", "1.0000"]
    assert ignored[:3] == ["0 ‡", "0.0000", "0.0000"]
    assert missing == ["–"] * 5
    assert notes(rows, list(CLASS_METRICS)) == [
        "° has no test image: recall, ROC AUC and average precision are not defined, and the class is left out of the "
        "averages.",
        "‡ never predicted: the precision is 0/0, and counts as 0 in the averages.",
    ]


def test_the_averages_count_the_one_as_nothing_and_leave_the_other_out_as_the_notes_say() -> None:
    predictions = Predictions(np.array([0, 0, 1, 1]), np.eye(3, dtype=np.float32)[[0, 0, 0, 0]], NAMES[:3])
    assert averages(per_class(predictions))[col.PRECISION][0] == (0.5 + 0) / 2


def test_where_all_is_defined_nothing_is_noted() -> None:
    assert notes(rows_of(NAMES[:2], [0, 0, 1, 1], [0, 1, 0, 1]), list(CLASS_METRICS)) == []


def test_a_test_set_of_one_class_has_no_roc_and_says_why() -> None:
    rows = rows_of(NAMES[:2], [0, 0], [0, 0])
    assert metric_cell(rows[0], col.ROC_AUC) == "– §"
    assert notes(rows[:1], [col.ROC_AUC]) == ["§ not defined, since the test images hold no other class."]


@pytest.fixture
def odd(tmp_path: Path, blobs: Dataset) -> Project:
    """A search on four classes: one is never predicted, one has no test image, one is called as our average is."""
    arrays = {
        "x_train": blobs.x_train,
        "y_train": np.arange(120) % 4,
        "x_test": blobs.x_test,
        "y_test": np.resize([0, 1, 3], 45),
    }
    made = Project(tmp_path, checked_dataset("blobs", arrays, NAMES), RAW)
    trial = made.searched("ann", [0.5])[0]
    right = made.data.y_test != 1  # which is taken for the class after it
    made.retrained("ann", trial, [right, right])
    return made


def test_a_class_that_is_called_like_an_average_stays_apart_in_tables_files_and_page(odd: Project) -> None:
    findings = odd.findings()
    with report_style():
        section = f1_section(findings)
    assert section is not None
    heads = [line.split("|")[1].strip() for line in words(section).splitlines() if line.startswith("|")]
    assert heads[2:] == ["seen", "ignored", "missing °", "macro average", "*macro average*", "*weighted average*"]
    frame = pd.read_csv(io.StringIO(section.tables["per_class.csv"].to_csv(index=False)))
    both = frame[frame["class"] == "macro average"]
    assert both["kind"].tolist() == ["class", "average"]
    assert both["support"].tolist() == [15, 45]
    card = json.loads(card_json(findings, findings.chosen[0]))
    assert [row["class"] for row in card["per_class"]] == list(NAMES)
    assert [row["class"] for row in card["averages"]] == ["macro average", "weighted average"]
    heat = re.search(r'<table class="heat">.*?</table>', page_of(odd).text, re.DOTALL)
    assert heat
    rows = re.findall(r'<tr ([^>]*)><th scope="row">macro average<', heat[0])
    assert rows == ['data-class="macro average"', 'class="average"']


def test_report_and_page_say_under_the_table_what_the_marks_mean(odd: Project) -> None:
    with report_style():
        section = f1_section(odd.findings())
    assert section is not None
    assert "‡ never predicted" in words(section)
    assert "° has no test image: recall" in words(section)
    assert "Classes marked ° have no test image." in words(section), "the caption of the figure"
    shown = page_of(odd).shown
    assert "missing °" in shown
    assert "° has no test image: recall" in shown
    assert "‡ never" in shown, "under the tables of all metrics"


def test_a_class_that_some_retrainings_never_predicted_is_told_as_such(tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path, blobs, RAW)
    trial = made.searched("ann", [0.5])[0]
    # Made-up answers take a wrong image for the next class. In the first retraining nothing is taken for class 1.
    made.retrained("ann", trial, [(made.data.y_test == 2), np.full(45, True)])
    (chosen,) = made.findings().chosen
    labels = chosen.predictions.labels
    chosen = replace(chosen, all_predictions=tuple(
        Predictions(labels, np.eye(3, dtype=np.float32)[predicted], chosen.predictions.class_names)
        for predicted in (np.where(labels == 1, 0, labels), labels)
    ))  # fmt: skip
    frame = per_class_frame([chosen])
    top, middle, bottom, macro, _ = frame.to_dict("records")
    # Of class 1 the one retraining that predicted it has a precision of 1; the macro mean counts 0 for the other:
    # the precisions of class 0 are 15/30 and 1, of class 2 they are 1 and 1.
    assert (middle["precision_mean"], middle["precision_undefined"]) == (1.0, 1)
    assert macro["precision_mean"] == pytest.approx(((0.5 + 0 + 1) / 3 + 1) / 2)
    assert [row["precision_undefined"] for row in (top, bottom, macro)] == [0, 0, 0]
    with report_style():
        section = f1_section(replace(made.findings(), chosen=(chosen,)))
    assert section is not None
    said = words(section)
    assert "| 1.0000 (1 of 2) ¶" in said
    assert "¶ never predicted in the other retrainings, of which the precision is 0/0: the mean leaves them out" in said
    assert "‡ never predicted" not in said
    both = replace(chosen, all_predictions=chosen.all_predictions[1:] * 2)
    assert "¶" not in words(f1_section(replace(made.findings(), chosen=(both,))))


def test_the_spread_of_f1_ends_where_f1_does(odd: Project) -> None:
    each = np.array([[0.0, 1.0], [1.0, 0.99]])
    model = ModelScores("ANN", each, each.mean(axis=0), each.std(axis=0, ddof=1))
    scores = ClassScores(CLASS_METRICS["f1"], "blobs", ("a", "b"), np.array([1, 1]), (model,))
    axes = class_scores_figure([scores]).axes[0]
    ends = [segment[:, 1] for lines in axes.collections[:1] for segment in lines.get_segments()]  # type: ignore[attr-defined]
    assert ends[0].tolist() == [0, 1]
    assert ends[1].tolist() == pytest.approx([0.995 - 0.01 / 2**0.5, 1])


def test_a_class_without_test_images_is_not_among_the_worst_that_are_drawn(odd: Project) -> None:
    findings = odd.findings()
    (chosen,) = findings.chosen
    names = tuple(f"class {k}" for k in range(30))
    labels = np.arange(45) % 25
    probabilities = np.eye(30, dtype=np.float32)[(labels + 1) % 30]
    many = replace(chosen, all_predictions=(replace(chosen.predictions, class_names=names, labels=labels,
                                                    probabilities=probabilities),))  # fmt: skip
    assert per_class_frame([many])[col.F1][25:30].isna().sum() == 4
    with report_style():
        section = f1_section(replace(findings, chosen=(many,)))
    assert section is not None
    figure, _ = figures_of(section).values()
    ticks = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    assert len(ticks) == 20
    assert not {f"class {k}" for k in range(25, 30)} & set(ticks)
    assert "has no test image" not in words(section).split("\n\n")[0]


@pytest.mark.parametrize("name", ["dataset", "true_class"])
def test_a_search_is_not_called_as_a_column_of_ours(tmp_path: Path, blobs: Dataset, name: str) -> None:
    with pytest.raises(InputError, match=f"{name!r} is a column of the tables"):
        Project(tmp_path, blobs, {"title": "x", "dataset": "blobs", "training": {"epochs": 1},
                                  "search": [{"family": "ann", "name": name}]})  # fmt: skip


@pytest.mark.parametrize("name", ["seed", "parameters", "true_class"])
def test_a_parameter_of_a_user_s_network_is_not_called_as_a_column_of_ours(
    tmp_path: Path, blobs: Dataset, name: str
) -> None:
    (tmp_path / "mine.py").write_text("def build(hp): ...")
    raw = {"title": "x", "dataset": "blobs", "training": {"epochs": 1}}
    with pytest.raises(InputError, match=rf"space\.{name}: is a column"):
        Project(tmp_path, blobs, {**raw, "search": [{"family": "mine:build", "space": {name: [1, 2]}}]})
