"""The displays: scikit-learn's convention, the right data, the report's style, errors in a line."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from made_up import RAW, Project, first
from matplotlib import pyplot
from matplotlib.colors import to_rgb

import tuner
from tuner.analysis.findings import Findings
from tuner.analysis.parallel import ParallelCoordinates
from tuner.analysis.scoring import per_class
from tuner.analysis.variance import mean_interval
from tuner.api.displays import Display
from tuner.datasets.base import Dataset
from tuner.errors import InputError
from tuner.figures.style import colour
from tuner.report.classes import confusion_section, f1_section, roc_section
from tuner.report.curves import curves_section
from tuner.report.importance import importance_section

DISPLAYS = [getattr(tuner, name) for name in tuner.__all__ if name.endswith("Display")]
#: Trials enough to tell what matters.
RAW_LARGE = {
    **RAW,
    "search": [
        {"family": "ann", "space": {"dense_units": [2, 4, 8, 16, 32, 64]}},
        {"family": "cnn", "space": {"conv_depth": 1, "filters": [2, 4, 8, 16, 32, 64], "dense_units": [8, 16]}},
    ],
    "watch": [],
    "published": {"study": "A study"},
}


@pytest.fixture(autouse=True)
def _figures() -> Iterator[None]:
    before = mpl.get_backend()
    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")
    pyplot.switch_backend(before)


@pytest.fixture
def findings(tmp_path: Path, blobs: Dataset) -> Findings:
    made = Project(tmp_path, blobs, RAW_LARGE)
    ann = made.searched("ann", [0.5, 0.55, 0.6, 0.65, 0.7, 0.75])
    cnn = made.searched("cnn", [0.70, 0.72, 0.74, 0.76, 0.78, 0.8, 0.82, 0.84, 0.86, 0.88, 0.9, 0.92])
    made.retrained("ann", ann[5], [first(30), first(31)])
    made.retrained("cnn", cnn[11], [first(43), first(44)])
    return made.findings()


@pytest.mark.parametrize("display", DISPLAYS)
def test_a_display_draws_into_a_figure_of_its_own_and_into_axes_that_are_given(
    display: type[Display], findings: Findings
) -> None:
    drawn = display.from_findings(findings)  # type: ignore[attr-defined]
    assert isinstance(drawn, display)
    assert drawn.ax_.figure is drawn.figure_ is pyplot.gcf()
    assert drawn.ax_.get_title(loc="left")
    figure, axes = pyplot.subplots()
    before = pyplot.get_fignums()
    assert drawn.plot(ax=axes) is drawn
    assert (drawn.ax_, drawn.figure_) == (axes, figure)
    assert axes.has_data()
    assert display.from_findings(findings, ax=axes).ax_ is axes  # type: ignore[attr-defined]
    assert pyplot.get_fignums() == before
    assert " at 0x" not in repr(drawn)


@pytest.mark.parametrize("display", DISPLAYS)
def test_drawing_leaves_the_settings_of_matplotlib_as_they_were(display: type[Display], findings: Findings) -> None:
    with mpl.rc_context({"axes.grid": False, "font.size": 33}):
        display.from_findings(findings)  # type: ignore[attr-defined]
        assert mpl.rcParams["font.size"] == 33
    assert mpl.get_backend().lower() == "agg"


@pytest.mark.parametrize("display", DISPLAYS)
def test_a_display_passes_on_what_it_is_given_beyond_its_own(display: type[Display], findings: Findings) -> None:
    parameters = inspect.signature(display.plot).parameters
    assert [parameter.kind.name for parameter in parameters.values()][-1] == "VAR_KEYWORD"
    with pytest.raises(AttributeError, match="colour"):
        display.from_findings(findings, colour="red")  # type: ignore[attr-defined]


def test_the_roc_curves_are_those_of_the_best_model_or_of_the_one_asked_for(findings: Findings) -> None:
    ann, cnn = findings.chosen
    best, named = tuner.RocDisplay.from_findings(findings), tuner.RocDisplay.from_findings(findings, model="ann")
    assert best.chosen is cnn
    assert named.chosen is ann
    for index, line in enumerate(named.ax_.lines):
        _, true_rate = ann.predictions.roc(index)
        assert np.array_equal(np.asarray(line.get_ydata()), true_rate)
    assert {line.get_linewidth() for line in named.plot(linewidth=5).ax_.lines} == {5}


def test_the_confusion_matrix_shows_the_counts(findings: Findings) -> None:
    display = tuner.ConfusionDisplay.from_findings(findings, model="ann")
    counts = findings.chosen[0].predictions.confusion
    assert sorted(int(text.get_text()) for text in display.ax_.texts) == sorted(counts[counts > 0].tolist())
    right, wrong = display.ax_.get_images()
    shares = counts / counts.sum(axis=1, keepdims=True)
    beside = shares[~np.eye(len(counts), dtype=bool)]
    assert wrong.get_clim() == pytest.approx((0, beside.max())), "the colours of mistakes go up to the largest of them"
    assert right.get_array().compressed().tolist() == pytest.approx(np.diag(shares).tolist())
    assert right.get_cmap().name != wrong.get_cmap().name


def test_the_legend_of_the_roc_stands_beside_the_curves_not_on_them(findings: Findings) -> None:
    display = tuner.RocDisplay.from_findings(findings)
    display.figure_.canvas.draw()
    legend, axes = display.ax_.get_legend().get_window_extent(), display.ax_.get_window_extent()
    assert legend.x0 >= axes.x1
    assert legend.x1 <= display.figure_.bbox.x1 + 1, "and is not cut off"


def test_the_dots_are_the_f1_of_each_class_in_each_retraining_around_their_mean(findings: Findings) -> None:
    axes = tuner.F1Display.from_findings(findings, dataset="blobs").ax_
    for place, chosen in enumerate(findings.chosen):
        each = np.array([per_class(predictions)["f1"] for predictions in chosen.all_predictions])
        spread, dots = axes.collections[2 * place : 2 * place + 2]
        assert dots.get_offsets()[:, 1].tolist() == pytest.approx(each.ravel().tolist())
        assert axes.lines[place].get_ydata() == pytest.approx(each.mean(axis=0))
        ends = np.array([line[:, 1] for line in spread.get_segments()])
        mean, sd = each.mean(axis=0), each.std(axis=0, ddof=1)
        assert ends.transpose() == pytest.approx(np.clip((mean - sd, mean + sd), 0, 1)), "F1 ends at 0 and 1"
    assert len(axes.patches) == 0, "a bar's length means nothing on an axis that does not begin at 0"


def test_the_accuracies_have_their_intervals_and_a_point_for_each_retraining(findings: Findings) -> None:
    axes = tuner.AccuracyDisplay.from_findings(findings).ax_
    for place, chosen in enumerate(findings.chosen):
        interval, mean = axes.lines[2 * place], axes.lines[2 * place + 1]
        expected = mean_interval(chosen.correct, 0, 1)
        assert np.asarray(interval.get_xdata()).tolist() == [expected.low, expected.high]
        assert np.asarray(mean.get_xdata()).tolist() == [chosen.mean]
        assert axes.collections[place].get_offsets()[:, 0].tolist() == chosen.test_accuracies.tolist()


def test_the_learning_curves_are_training_and_validation_of_the_best_trials(findings: Findings) -> None:
    loss = tuner.LearningCurvesDisplay.from_findings(findings, metric="loss").ax_
    assert len(loss.lines) == 4
    assert [text.get_text() for text in loss.get_legend().get_texts()] == ["ANN", "CNN", "validation", "training"]
    with pytest.raises(InputError, match="metric: is 'f1'; known: accuracy, loss"):
        tuner.LearningCurvesDisplay.from_findings(findings, metric="f1")
    with pytest.raises(InputError, match="did not record unpenalised_loss"):
        tuner.LearningCurvesDisplay.from_findings(findings, metric="unpenalised_loss")


def test_what_matters_is_asked_of_all_trials_or_of_one_model(findings: Findings) -> None:
    ticks = [text.get_text() for text in tuner.ImportanceDisplay.from_findings(findings).ax_.get_yticklabels()]
    assert {"model", "filters_1", "dense_units"} <= set(ticks)
    alone = tuner.ImportanceDisplay.from_findings(findings, model="cnn")
    assert {text.get_text() for text in alone.ax_.get_yticklabels()} >= {"filters_1", "dense_units"}
    assert alone.scope.model == "cnn"
    with pytest.raises(InputError, match="too few trials of ANN on blobs"):
        tuner.ImportanceDisplay.from_findings(findings, model="ann")


def test_a_slice_shows_each_trial_by_its_value(findings: Findings) -> None:
    display = tuner.SliceDisplay.from_findings(findings, "filters_1", model="cnn")
    (points,) = [c for c in display.ax_.collections if len(c.get_offsets()) == 12]
    assert sorted(points.get_offsets()[:, 1]) == pytest.approx(np.linspace(0.70, 0.92, 12))
    assert display.ax_.get_xlabel() == "filters_1"
    assert tuner.SliceDisplay.from_findings(findings, model="ann").parameter == "dense_units"
    with pytest.raises(InputError, match="parameter: is 'filter_1'; did you mean 'filters_1'"):
        tuner.SliceDisplay.from_findings(findings, "filter_1")


def lines_of(display: tuner.ParallelCoordinatesDisplay) -> dict[str, tuple[list[float], list[float]]]:
    """Return where the line of each trial runs, by the trial."""
    lines = [line for line in display.ax_.lines if line.get_gid()]
    return {line.get_gid(): (list(line.get_xdata()), list(line.get_ydata())) for line in lines}


def test_parallel_coordinates_have_a_line_for_each_trial_from_its_values_to_its_score(findings: Findings) -> None:
    display = tuner.ParallelCoordinatesDisplay.from_findings(findings, model="cnn")
    names = [text.get_text() for text in display.ax_.get_xticklabels()]
    assert names == ["filters_1", "dense_units", "validation accuracy"]
    lines = lines_of(display)
    records = findings.trials("cnn")
    assert lines.keys() == {record.trial.id for record in records}
    for record in records:
        places, heights = lines[record.trial.id]
        assert places == [0, 1, 2]
        step = [2, 4, 8, 16, 32, 64].index(record.trial.values["filters_1"]) / 5
        assert heights[0] == pytest.approx(step, abs=0.026), "beside the others of this value"
        assert heights[1] == pytest.approx({8: 0, 16: 1}[record.trial.values["dense_units"]], abs=0.026)
        assert heights[2] == pytest.approx((record.result.val_accuracy - 0.7) / 0.22)


def test_a_line_stands_at_none_where_its_model_has_no_such_parameter_and_the_best_lies_on_top(
    findings: Findings,
) -> None:
    display = tuner.ParallelCoordinatesDisplay.from_findings(findings)
    names = [text.get_text() for text in display.ax_.get_xticklabels()]
    assert names == ["model", "filters_1", "dense_units", "validation accuracy"]
    lines = lines_of(display)
    for record in findings.trials():
        places, heights = lines[record.trial.id]
        assert places == [0, 1, 2, 3]
        none = "filters_1" not in record.trial.values
        assert (heights[1] < -0.13) == none
        assert none or heights[1] >= -0.026
    stops = [(text.xy[0], text.get_text()) for text in display.ax_.texts if text.get_text() == "none"]
    assert stops == [(1, "none")], "the others have values for every trial"
    assert display.ax_.get_ylim()[0] < -0.19
    one = tuner.ParallelCoordinatesDisplay.from_findings(findings, model="cnn")
    assert not [text for text in one.ax_.texts if text.get_text() == "none"]
    assert one.ax_.get_ylim()[0] == -0.06
    best = max(findings.trials(), key=lambda record: record.result.val_accuracy)
    assert list(lines)[-1] == best.trial.id


def test_many_numbers_stand_by_their_size_or_its_logarithm(tmp_path: Path, blobs: Dataset) -> None:
    rates = [1e-5 * 10 ** (k / 3) for k in range(13)]
    entries = [{"family": "ann", "space": {"learning_rate": rates, "dropout": [0.0, 0.5]}}]
    made = Project(tmp_path, blobs, {**RAW, "search": entries, "published": {"study": "A study"}})
    made.searched("ann", [0.5 + k / 100 for k in range(26)])
    display = tuner.ParallelCoordinatesDisplay.from_findings(made.findings())
    place = [text.get_text() for text in display.ax_.get_xticklabels()].index("learning_rate")
    assert [text.get_text() for text in display.ax_.texts if text.xy[0] == place] == [
        "1e-05",
        "0.0001",
        "0.001",
        "0.01",
        "0.1",
    ]
    for record in made.findings().trials():
        height = lines_of(display)[record.trial.id][1][place]
        assert height == pytest.approx((np.log10(record.trial.values["learning_rate"]) + 5) / 4)


def test_trials_that_hardly_learned_end_at_the_lower_end_of_the_accuracy(findings: Findings) -> None:
    whole = tuner.ParallelCoordinatesDisplay.from_findings(findings, model="ann")
    lines = ParallelCoordinates.of(whole.parallel.scope, whole.parallel.dataset, low=0.6)
    cut = tuner.ParallelCoordinatesDisplay(lines).plot()
    ends = [heights[-1] for _, heights in lines_of(cut).values()]
    assert sorted(ends) == pytest.approx([0, 0, 0, 1 / 3, 2 / 3, 1])


@pytest.mark.parametrize("display", DISPLAYS)
def test_what_is_not_there_is_one_line(
    display: type[Display], findings: Findings, tmp_path: Path, blobs: Dataset
) -> None:
    wrong = [{"dataset": "blob"}]
    if "model" in inspect.signature(display.from_findings).parameters:  # type: ignore[attr-defined]
        wrong.append({"model": "cn"})
    for arguments in wrong:
        with pytest.raises(InputError, match=r"did you mean '(blobs|cnn)'\?"):
            display.from_findings(findings, **arguments)  # type: ignore[attr-defined]
    empty = Project(tmp_path / "empty", blobs).findings()
    with pytest.raises(InputError, match="small: has no"):
        display.from_findings(empty)  # type: ignore[attr-defined]


def test_a_model_keeps_its_colour_where_the_one_before_it_is_missing(tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path, blobs)
    made.retrained("cnn", made.searched("cnn", [0.9, 0.8])[0], [first(40)])
    found = made.findings()
    cnn = colour(1)  # the ANN, of which nothing is recorded, stands before it in the search file
    assert tuner.AccuracyDisplay.from_findings(found).ax_.lines[0].get_color() == cnn
    assert tuner.F1Display.from_findings(found).ax_.lines[0].get_color() == cnn
    curves = tuner.LearningCurvesDisplay.from_findings(found).ax_
    assert {line.get_color() for line in curves.lines} == {cnn}
    slices = tuner.SliceDisplay.from_findings(found).ax_
    assert slices.collections[0].get_facecolor()[0][:3] == pytest.approx(to_rgb(cnn))


def test_a_class_name_is_no_mathematics_in_a_display(tmp_path: Path, blobs: Dataset) -> None:
    odd = Dataset(
        blobs.name, blobs.x_train, blobs.y_train, blobs.x_test, blobs.y_test, ("$\\frac{$", "middle", "bottom")
    )
    made = Project(tmp_path, odd)
    made.retrained("cnn", made.searched("cnn", [0.9])[0], [first(40)])
    display = tuner.ConfusionDisplay.from_findings(made.findings())
    display.figure_.savefig(tmp_path / "figure.png")  # outside of the report's style
    assert display.ax_.get_yticklabels()[0].get_text() == "$\\frac{$"


@pytest.mark.parametrize(
    ("display", "file"),
    [
        (tuner.RocDisplay, "roc.csv"),
        (tuner.ConfusionDisplay, "confusion_matrix.csv"),
        (tuner.F1Display, "per_class.csv"),
        (tuner.LearningCurvesDisplay, "curves.csv"),
        (tuner.ImportanceDisplay, "importance.csv"),
    ],
)
def test_the_table_of_a_display_is_that_of_the_report(display: type[Display], file: str, findings: Findings) -> None:
    makers = (roc_section, confusion_section, f1_section, curves_section, importance_section)
    sections = [section for make in makers if (section := make(findings))]
    (whole,) = [section.tables[file] for section in sections if file in section.tables]
    rows = display.from_findings(findings).frame()  # type: ignore[attr-defined]
    assert len(rows) > 1
    assert list(rows) == list(whole)
    every = set(whole.astype(str).itertuples(index=False, name=None))
    assert set(rows.astype(str).itertuples(index=False, name=None)) <= every


def test_the_tables_of_trials_hold_every_point_and_line(findings: Findings) -> None:
    scores = [record.score for record in findings.trials(None, "blobs")]
    lines = tuner.ParallelCoordinatesDisplay.from_findings(findings).frame()
    assert lines["val_accuracy"].tolist() == scores
    assert lines["model"].tolist() == ["ANN"] * 6 + ["CNN"] * 12
    points = tuner.SliceDisplay.from_findings(findings, "filters_1").frame()
    assert points["filters_1"].tolist() == [2, 2, 4, 4, 8, 8, 16, 16, 32, 32, 64, 64]
    assert points["val_accuracy"].tolist() == scores[6:]


def test_the_table_of_accuracies_has_a_row_for_each_retraining(findings: Findings) -> None:
    rows = tuner.AccuracyDisplay.from_findings(findings).frame()
    assert rows["test_accuracy"].tolist() == [a for chosen in findings.chosen for a in chosen.test_accuracies]
    assert (rows["mean_ci_low"] < rows["retrained_mean"]).all()
