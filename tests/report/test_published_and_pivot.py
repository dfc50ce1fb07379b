"""Published results, pivots, convergence, look-alikes and watched layers, against numbers worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up import KERNEL, RAW, Project, first
from written import figures_of, rows_of, words

from tuner import columns as col
from tuner.datasets.base import Dataset
from tuner.ledger.ledger import SearchTrial
from tuner.report.convergence import convergence_section
from tuner.report.lookalikes import lookalikes_section
from tuner.report.pivot import pivot_section
from tuner.report.published import published_section
from tuner.report.trials import trials_section
from tuner.report.watched import watched_section
from tuner.trial import Record, Result


def made(tmp_path: Path, blobs: Dataset, **changes: object) -> Project:
    raw = {**RAW, **changes}
    return Project(tmp_path, blobs, {key: value for key, value in raw.items() if value is not None})


def with_curves(project: Project, model: str, curves: list[list[float]]) -> None:
    """Record a trial of `model` for each curve of validation accuracy, in the order of its grid."""
    model_search = next(e for e in project.search.model_searches if e.name == model)
    for number, (values, curve) in enumerate(zip(model_search.space.grid(), curves, strict=False)):
        trial = project.search.trial(model_search, "blobs", project.data.fingerprint, values, None)
        history = dict.fromkeys(("loss", "accuracy", "val_loss", "val_accuracy"), curve)
        result = Result(
            "completed", seconds_per_epoch=2.0, parameters=1000, val_accuracy=curve[-1], val_loss=0.5, history=history
        )
        project.ledger.record(Record(trial, result))
        project.ledger.add(project.search.name, SearchTrial(model, "blobs", "search", number, trial.id))


def test_a_pivot_shows_the_best_score_of_each_pair_and_how_many_trials_it_is_the_best_of(project: Project) -> None:
    section = pivot_section(project.findings())
    assert section is not None
    assert rows_of(words(section), "model") == [
        ["ANN", "0.5000 †", "0.6000 †", "–"],
        ["CNN", "–", "–", "0.9000 (best of 5)"],
    ]
    frame = section.tables["pivot.csv"]
    assert frame[col.TRIALS].tolist() == [1, 1, 6]
    assert frame[col.FAILED].tolist() == [0, 0, 1]


def test_two_parameters_that_alone_vary_make_a_pivot_by_themselves(tmp_path: Path, blobs: Dataset) -> None:
    search = [{"family": "ann", "space": {"dense_units": [4, 8], "learning_rate": [0.1, 0.01]}}]
    project = made(tmp_path, blobs, search=search, report=None, published=None)
    project.searched("ann", [0.5, 0.6, 0.7, None])
    section = pivot_section(project.findings())
    assert section is not None
    assert rows_of(words(section), "dense_units") == [["4", "0.6000 †", "0.5000 †"], ["8", "failed", "0.7000 †"]]


def test_models_by_the_one_parameter_that_varies_in_all_make_one_too_and_nothing_else_does(
    tmp_path: Path, blobs: Dataset
) -> None:
    rates = {"learning_rate": [0.1, 0.01]}
    search = [{"family": "ann", "space": rates}, {"family": "cnn", "space": rates}]
    project = made(tmp_path, blobs, search=search, report=None, published=None)
    project.searched("ann", [0.8, 0.6])
    project.searched("cnn", [0.9, 0.7])
    section = pivot_section(project.findings())
    assert section is not None
    assert rows_of(words(section), "model") == [["ANN", "0.6000 †", "0.8000"], ["CNN", "0.7000 †", "0.9000"]]
    more = made(tmp_path / "more", blobs, report=None, published=None)
    more.searched("ann", [0.5, 0.6])
    more.searched("cnn", [0.7, 0.8])
    assert pivot_section(more.findings()) is None


def test_a_trial_that_never_left_chance_is_marked(tmp_path: Path, blobs: Dataset) -> None:
    # 60 images, 12 held out, 4 of each of 3 classes: chance is 1/3 + 3 * sqrt(1/3 * 2/3 / 12) = 0.7416
    project = made(tmp_path, blobs)
    with_curves(project, "ann", [[0.2, 0.4, 0.34], [0.2, 0.75, 0.34]])
    findings = project.findings()
    stuck, left = findings.trials("ann")
    assert findings.chance(stuck.trial) == pytest.approx(1 / 3 + 3 * np.sqrt(2 / 9 / 12))
    assert findings.stuck_at_chance(stuck)
    assert not findings.stuck_at_chance(left), "it had left chance in its second epoch"
    section = trials_section(findings)
    assert section is not None
    assert words(section).count("0.3400 †") == 1
    assert "† never left chance" in words(section)


def test_convergence_counts_the_epochs_to_an_accuracy_from_one(tmp_path: Path, blobs: Dataset) -> None:
    project = made(tmp_path, blobs)
    with_curves(project, "ann", [[0.1, 0.26, 0.5], [0.1, 0.2, 0.2]])
    section = convergence_section(project.findings())
    assert section is not None
    # The best trial is the first; 0.15 and 0.25 are reached in its second epoch, 0.95 never
    assert rows_of(words(section), "model") == [["ANN", "blobs", "2", "2", "–", "0.5000"]]


def test_published_scores_stand_beside_ours_with_a_prediction_of_a_single_run(project: Project) -> None:
    section = published_section(project.findings())
    assert section is not None
    ann, cnn = rows_of(words(section), "model   | data set")
    assert ann[:6] == ["ANN", "blobs", "0.7500", "0.6778 ± 0.0157", "dense_units 8", "−0.0722"]
    # 30 and 31 of 45: the mean 61/90 and sd sqrt(1/2)/45 of two, whose t is 12.71, times sqrt(1 + 1/2)
    half = 12.7062 * np.sqrt(0.5) / 45 * np.sqrt(1.5)
    assert ann[6:] == [f"{61 / 90 - half:.4f} to {61 / 90 + half:.4f}", "cannot tell"]
    # A printed range: ours, 0.9667, lies in it, so that the difference to the nearest of it is 0
    assert [cnn[2], cnn[3], cnn[5], cnn[7]] == ["0.5 to 0.98", "0.9667 ± 0.0157", "0.0000", "cannot tell"]
    trials = rows_of(words(section), "model   | trial")
    # Two runs of that spread, 12 images of ours and all 45 of theirs
    assert trials[0][:5] == ["ANN", "dense_units 4", "0.3000 †", "0.5000 †", "+0.2000"]
    assert trials[0][6] == "cannot tell"
    assert trials[1][2:5] == ["0.6200 †", "0.6000 †", "−0.0200"]
    assert "Of 2 published ones 0 lie inside, 0 outside, and of 2 it cannot be told" in words(section)


@pytest.mark.parametrize(("matters", "said"), [(0.5, "yes"), (0.1, "cannot tell")])
def test_a_published_score_agrees_where_the_prediction_is_narrow_enough_to_tell(
    tmp_path: Path, blobs: Dataset, matters: float, said: str
) -> None:
    scores = [{"model": "ann", "dataset": "blobs", "test_accuracy": 0.7}]
    project = made(tmp_path, blobs, published={"study": "S", "scores": scores}, report={"matters": matters})
    project.retrained("ann", project.searched("ann", [0.5])[0], [first(30), first(31)])
    section = published_section(project.findings())
    assert section is not None
    assert rows_of(words(section), "model   | data set")[0][7] == said


def test_of_one_retraining_no_published_score_can_be_told_apart(tmp_path: Path, blobs: Dataset) -> None:
    scores = [{"model": "ann", "dataset": "blobs", "test_accuracy": 0.1}]
    project = made(tmp_path, blobs, published={"study": "S", "scores": scores})
    project.retrained("ann", project.searched("ann", [0.5])[0], [first(40)])
    section = published_section(project.findings())
    assert section is not None
    assert rows_of(words(section), "model   | data set")[0][6:] == ["–", "cannot tell"]
    assert "Where the published score lies outside" not in words(section)


def outside(project: Project) -> str:
    """Return the line on the score of ANN, whose retrainings are alike, so that any other score lies outside."""
    project.retrained("ann", project.searched("ann", [0.5, 0.4])[0], [first(30), first(30)])
    section = published_section(project.findings())
    assert section is not None
    (line,) = [line for line in words(section).splitlines() if line.startswith("- ANN on blobs: ")]
    return line


def test_a_published_score_outside_our_prediction_gets_its_reasons(tmp_path: Path, blobs: Dataset) -> None:
    scores = [{"model": "ann", "dataset": "blobs", "test_accuracy": 0.99, "why": "They | cheated.", "megabytes": 1.0}]
    project = made(tmp_path, blobs, published={"study": "S", "runs": 1, "chosen_on_test_set": True, "scores": scores})
    line = outside(project)
    assert "They \\| cheated." in line
    assert "smaller budget" in line
    assert "single run" in line
    assert "chosen on the images that it was scored on" in line
    section = published_section(project.findings())
    assert section is not None
    assert rows_of(words(section), "model   | data set   |   test loss")[0][-2:] == ["1.00", "0.00"]


def test_what_was_never_chosen_was_not_chosen_on_its_test_images(tmp_path: Path, blobs: Dataset) -> None:
    scores = [{"model": "ann", "dataset": "blobs", "test_accuracy": 0.99}]
    search = [{"family": "ann", "space": {"dense_units": 4}}]  # one configuration
    study = {"study": "S", "chosen_on_test_set": True, "scores": scores}
    project = made(tmp_path, blobs, published=study, search=search, report=None)
    assert "chosen on the images" not in outside(project)


def test_a_smaller_budget_is_no_reason_for_ours_being_higher(tmp_path: Path, blobs: Dataset) -> None:
    scores = [{"model": "ann", "dataset": "blobs", "test_accuracy": 0.1}]
    project = made(tmp_path, blobs, published={"study": "S", "chosen_on_test_set": True, "scores": scores})
    assert outside(project) == "- ANN on blobs: Nothing that is recorded explains it."


def test_many_published_trials_are_folded_away_and_counted_by_the_side_on_which_ours_lie(
    tmp_path: Path, blobs: Dataset
) -> None:
    one = {"model": "ann", "values": {"dense_units": 4}, "accuracy": 0.5}
    trials = [*[{**one, "accuracy": 0.9 + i / 1000} for i in range(28)], {**one, "accuracy": 0.0}, one]
    project = made(tmp_path, blobs, published={"study": "S", "chosen_on_test_set": True, "trials": trials})
    # 12 images of ours and 45 of theirs: 0.5 +- 1.96 to 2.2 x sqrt(0.25 x (1/12 + 1/45)) and no spread over seeds
    project.retrained("ann", project.searched("ann", [0.5])[0], [first(30), first(30)])
    section = published_section(project.findings())
    assert section is not None
    assert "Of 30 published ones 0 lie inside, 29 outside, and of 1 it cannot be told" in words(section)
    assert "<summary>All 30 trials</summary>" in words(section)
    said = words(section).split("outside our prediction:")[1]
    assert "- Ours is lower in 28 of 30: Ours is lower after a smaller budget. Ours trained on fewer images." in said
    assert "- Ours is higher in 1 of 30: Nothing that is recorded explains it." in said
    assert "chosen on" not in said, "single trials are all that there were, and none was chosen"


def test_printed_trials_are_compared_on_the_data_set_that_they_name(tmp_path: Path, blobs: Dataset) -> None:
    trials = [{"model": "ann", "values": {"dense_units": 4}, "accuracy": 0.5}]
    trials.append({**trials[0], "dataset": "others"})
    project = made(tmp_path, blobs, dataset=["blobs", "others"], published={"study": "S", "trials": trials})
    project.searched("ann", [0.5])
    section = published_section(project.findings())
    assert section is not None
    assert [row[3] for row in rows_of(words(section), "model   | trial")] == ["0.5000 †", "–"]


def test_mistakes_are_counted_for_every_model(project: Project) -> None:
    section = lookalikes_section(project.findings())
    assert section is not None
    frame = section.tables["confusions.csv"]
    assert frame[["ann", "cnn"]].sum().tolist() == [15, 2]  # each model's first retraining


def test_watched_layers_become_a_table_of_epochs(project: Project) -> None:
    section = watched_section(project.findings())
    assert section is not None
    frame = section.tables["watched.csv"]
    mine = frame[frame[col.MODEL] == "cnn"]
    assert mine[col.EPOCH].tolist() == [0, 1, 2, 3]
    assert mine[col.GRADIENT_NORM].tolist() == [1.0, 0.5, 0.25, 0.125]
    # Bins of 0.2 with centres -0.4, -0.2, 0, 0.2, 0.4 and counts 1, 4, 9, 4, 1
    assert mine["kernel_mean"].tolist() == pytest.approx([0.0] * 4, abs=1e-12)
    assert mine["kernel_sd"].iloc[0] == pytest.approx(np.sqrt((2 * 0.16 + 8 * 0.04) / 19))


def test_of_several_watched_layers_it_is_told_how_far_the_gradient_comes_over_all_watched_trainings(
    tmp_path: Path, blobs: Dataset
) -> None:
    project = made(tmp_path, blobs)
    trial = project.searched("ann", [0.5])[0]
    project.retrained("ann", trial, [first(30), first(31)])

    def noted(first_layer: float) -> dict[str, object]:
        norms = {"conv_1": [first_layer, 0.5], "conv_2": [0.4, 0.5], "out": [1.0, 0.5]}
        return {name: {"gradient_norm": both, "kernel": [KERNEL] * 2} for name, both in norms.items()}

    reached = iter([0.1, 0.2, 0.4])
    findings = project.findings()

    def seen(record: Record) -> Record:
        return replace(record, result=replace(record.result, watched=noted(next(reached))))

    search_trials = tuple((one, seen(record)) for one, record in findings.search_trials)
    finals = tuple(record for one, record in search_trials if one.role == "final")
    findings = replace(
        findings, search_trials=search_trials, chosen=tuple(replace(c, finals=finals) for c in findings.chosen)
    )
    section = watched_section(findings)
    assert section is not None
    # The geometric mean of 0.1, 0.2 and 0.4; over both epochs √(0.1 · 0.5) = 0.2236 to √(0.4 · 0.5) = 0.447
    (row,) = rows_of(words(section), "model")
    assert row == ["ANN", "3", "3", "0.2 (0.1 to 0.4)", "1 (1 to 1)", "0.316 (0.224 to 0.447)"]
    assert figures_of(section)["layers-blobs.png"].axes[0].get_lines()[0].get_xdata().tolist() == [1, 2, 3]  # type: ignore[union-attr]
    assert sorted(section.tables["watched.csv"].groupby(col.SEED).size()) == [6, 6, 6]


def test_a_report_without_anything_watched_has_no_such_section(tmp_path: Path, blobs: Dataset) -> None:
    project = made(tmp_path, blobs)
    with_curves(project, "ann", [[0.5]])
    assert watched_section(project.findings()) is None


def test_stopped_trials_are_drawn_as_long_as_they_ran(tmp_path: Path, blobs: Dataset) -> None:
    from tuner.figures.style import report_style
    from tuner.report.curves import curves_section

    project = made(tmp_path, blobs)
    with_curves(project, "ann", [[0.3, 0.5], [0.2]])
    with report_style():
        section = curves_section(project.findings())
    assert section is not None
    lines = figures_of(section)["curves-dense_units-blobs.png"].axes[0].get_lines()
    assert [len(line.get_xdata()) for line in lines] == [2, 1]
    frame = section.tables["curves.csv"]
    assert sorted(frame.groupby("trial").size()) == [1, 2]
    assert set(frame["curve"]) <= {"ANN", "4", "8"}
