"""What the report says of parameters that matter, from searches made up so that the truth is known.

Not `test_importance.py`: pytest wants names of test modules that differ between folders.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up import RAW, Project
from matplotlib.collections import PathCollection
from recorded import whole
from written import drawn_small, figures_of, words

from tuner import columns as col
from tuner.analysis.importance import Effect, Importance
from tuner.analysis.scopes import Scope, scopes
from tuner.analysis.significance import Interval
from tuner.contents.sections import Section
from tuner.datasets.base import Dataset
from tuner.figures.bars import bars_figure
from tuner.figures.style import report_style
from tuner.ledger.ledger import SearchTrial
from tuner.objective import ACCURACY
from tuner.report.importance import importance_section
from tuner.report.timing import timing_section
from tuner.trial import Record, Result

ANN = {"family": "ann", "space": {"learning_rate": [0.1, 0.01, 0.001, 0.0001], "dropout": [0.0, 0.2, 0.4]}}
CNN = {
    "family": "cnn",
    "space": {"conv_depth": [1, 2], "filters": [2, 4, 8], "dropout": [0.0, 0.2, 0.4], "padding": "same"},
}
Measure = Callable[[dict[str, Any]], float | None]


def made(tmp_path: Path, blobs: Dataset, *model_searches: dict[str, Any]) -> Project:
    raw = {key: value for key, value in RAW.items() if key not in ("published", "report", "watch")}
    return Project(tmp_path, blobs, {**raw, "search": list(model_searches)})


def trained(project: Project, model: str, score: Measure, seconds: Measure = lambda _: 0.5, most: int = 1000) -> None:
    """Record each trial of a model search's grid with the score and the time of its values, with noise; None fails."""
    model_search = next(e for e in project.search.model_searches if e.name == model)
    rng = np.random.default_rng(0)
    for index, values in enumerate(list(model_search.space.grid())[:most]):
        trial = project.search.trial(model_search, "blobs", project.data.fingerprint, values, None)
        reached, took = score(dict(values)), seconds(dict(values))
        noise = rng.normal(0, 0.002)
        result = (
            Result("failed", "it broke")
            if reached is None
            else whole(
                Result(
                    "completed",
                    parameters=10,
                    val_accuracy=min(reached + noise, 1.0),
                    val_loss=1.0,
                    seconds_per_epoch=took,
                )
            )
        )
        project.ledger.record(Record(trial, result))
        project.ledger.add(project.search.name, SearchTrial(model, "blobs", "search", index, trial.id))


@pytest.fixture
def both(tmp_path: Path, blobs: Dataset) -> Project:
    """12 trials whose score falls with dropout, and 36 better ones that need their second layer and the time for it."""
    project = made(tmp_path, blobs, ANN, CNN)
    trained(project, "ann", lambda v: 0.9 - 0.1 * v["dropout"], lambda _: 0.1)
    trained(project, "cnn", lambda v: 0.88 + 0.04 * v["conv_depth"], lambda v: 0.4 * v["conv_depth"])
    return project


def made_section(project: Project) -> Section:
    with report_style():
        section = importance_section(project.findings())
    assert section is not None
    return section


def time_rows(project: Project) -> list[list[str]]:
    """Return the table of what matters for the time per epoch."""
    with report_style():
        section = timing_section(project.findings())
    assert section is not None
    table = words(section).partition("| trials of ")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def row_of(section: Section, label: str) -> list[str]:
    line = next(line for line in words(section).splitlines() if line.startswith(f"| {label} "))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_it_names_what_matters_for_the_score_and_for_the_time(both: Project) -> None:
    section = made_section(both)
    _, trials, score, _ = row_of(section, "CNN")
    assert trials == "36"
    assert score.startswith(
        ("conv_depth 9", "conv_depth 100")
    )  # 0.0004 of variance between the depths and 0.000004 of noise: 99 %
    assert ";" not in score
    assert row_of(section, "ANN")[2].startswith("dropout ")
    every, cnn = time_rows(both)  # those of the ANN are all alike
    assert every[:2] == ["all models", "48"]
    assert cnn[:2] == ["CNN", "36"]
    assert cnn[2].startswith("conv_depth ")


def test_no_name_of_a_bar_runs_into_another() -> None:
    some = Interval(0.1, 0.4)
    five = ("conv_depth", "dense_units", "filters_1", "filters_2", "filters_3")
    effects = tuple(Effect(names, 0.2, some, tied=len(names) == 4) for names in (five[:1], five[1:], five[1:2]))
    scope = Scope("cnn", "CNN", (), (), {}, ACCURACY)
    with report_style():
        figure = bars_figure([(scope, Importance(65, 0.7, effects, Effect(five, 0.2, some)))], "validation accuracy")
        figure.draw_without_rendering()
    (axes,) = figure.axes
    boxes = sorted((label.get_window_extent() for label in axes.get_yticklabels()), key=lambda box: box.y0)
    assert len(boxes) == 4
    assert all(below.y1 <= above.y0 for below, above in pairwise(boxes))


def test_the_model_is_a_parameter_where_there_are_several(both: Project) -> None:
    section = made_section(both)
    _, trials, score, _ = row_of(section, "all models")
    assert trials == "48"
    assert score.startswith("model ")
    assert "conv_depth" in score
    assert "learning_rate" not in score


def test_what_one_entry_varies_and_another_does_not_belongs_to_that_entry(both: Project) -> None:
    every, ann, _ = scopes(both.findings(), "blobs")
    assert every.configurations[0] == {"model": "ANN", "learning_rate": 0.1, "dropout": 0.0}
    assert every.parents["filters_2"] == ["conv_depth", "model"]
    assert every.parents["learning_rate"] == ["model"]
    assert every.parents["dropout"] == []
    assert ann.configurations[0] == {"learning_rate": 0.1, "dropout": 0.0}


def test_nothing_is_said_to_stand_out_where_nothing_does(tmp_path: Path, blobs: Dataset) -> None:
    project = made(tmp_path, blobs, CNN)
    trained(project, "cnn", lambda _: 0.9)
    section = made_section(project)
    assert row_of(section, "CNN")[2] == "nothing stands out"
    assert "all models" not in words(section)
    frame = section.tables["importance.csv"]
    assert (frame[col.INTERVAL_LOW] < 0.02).all()


def test_nine_trials_are_too_few_and_failed_ones_do_not_count(tmp_path: Path, blobs: Dataset) -> None:
    project = made(tmp_path, blobs, ANN)
    trained(project, "ann", lambda v: 0.8 if v["learning_rate"] < 0.1 else None)
    assert len(project.findings().trials("ann")) == 12
    assert importance_section(project.findings()) is None


def test_a_search_without_trials_has_no_such_section(tmp_path: Path, blobs: Dataset) -> None:
    assert importance_section(made(tmp_path, blobs, ANN).findings()) is None


def test_the_table_has_a_row_per_parameter_and_target(both: Project) -> None:
    frame = made_section(both).tables["importance.csv"]
    assert set(frame["trials_of"]) == {"all models", "ANN", "CNN"}, "all of them learned"
    cnn = frame[(frame[col.MODEL] == "cnn") & (frame["target"] == col.VAL_ACCURACY)]
    single = cnn[cnn["together_with"] == ""]
    assert sorted(single["parameter"]) == ["conv_depth", "dropout", "filters_1", "filters_2"]
    assert len(cnn) == 5, "and the strongest interaction"
    assert single["parameter"].iloc[0] == "conv_depth"
    assert (frame[col.INTERVAL_LOW] <= frame[col.INTERVAL_HIGH]).all()
    assert set(frame[frame[col.MODEL] == ""][col.TRIALS]) == {48}


def test_rates_over_decades_stand_on_a_logarithmic_axis_and_bars_are_sorted(both: Project) -> None:
    section = made_section(both)
    slices = {axes.get_xlabel(): axes for axes in figures_of(section)["slices-blobs.png"].axes if axes.axison}
    assert slices["learning_rate"].get_xscale() == "log"
    assert slices["dropout"].get_xscale() == "linear"
    assert [text.get_text() for text in slices["learning_rate"].get_xticklabels()] == ["0.0001", "0.001", "0.01", "0.1"]
    for name in ("learning_rate", "dropout"):
        places = {
            float(x)
            for points in slices[name].collections
            if isinstance(points, PathCollection)
            for x, _ in points.get_offsets().tolist()
        }
        wanted = {values[name] for model in ("ann", "cnn") for values in _grid(both, model) if name in values}
        assert sorted(places) == pytest.approx(sorted(wanted)), "every point at its value, none beside it"
    bars = figures_of(section)["importance-blobs.png"].axes[0]
    assert bars.get_yticklabels()[0].get_text() == "model"


def _grid(project: Project, model: str) -> list[dict[str, Any]]:
    return [dict(values) for values in project.search.model_search(model).space.grid()]


def test_trials_at_chance_leave_the_axis_to_the_others_and_are_counted(tmp_path: Path, blobs: Dataset) -> None:
    project = made(tmp_path, blobs, CNN)
    trained(project, "cnn", lambda v: 0.3 if v["filters_1"] == 2 and v["dropout"] == 0.4 else 0.95)
    section = made_section(project)
    # dropout 0.4 and 2 filters in the first layer: one trial of depth 1 and three of depth 2
    assert "stand for 4 trials further down" in words(section)
    assert row_of(section, "CNN that learned")[1:3] == ["32", "nothing stands out"]
    assert figures_of(section)["slices-blobs.png"].axes[0].get_ylim()[0] > 0.9


def test_the_section_fulfils_what_every_section_has_to(both: Project) -> None:
    section, again = made_section(both), made_section(both)
    assert words(section) == words(again)
    with report_style():
        others = figures_of(again)
        for name, figure in figures_of(section).items():
            assert f"({name})" in words(section)
            assert drawn_small(figure) == drawn_small(others[name])
            for axes in figure.axes:
                assert not axes.axison or axes.get_xlabel()
                beside = axes.get_shared_y_axes().get_siblings(axes)
                assert not axes.axison or any(other.get_ylabel() for other in beside)
    assert "(importance.csv)" in words(section)
