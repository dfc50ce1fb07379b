"""Confidence, calibration and the most confident mistakes, from predictions made up for the purpose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up import RAW, Project, first
from written import drawn_small, figures_of, pictures_of, words

from tuner import columns as col
from tuner.contents.sections import Section
from tuner.datasets.base import Dataset
from tuner.figures.style import report_style
from tuner.ledger.ledger import SearchTrial
from tuner.protocol import test_images as images_scored
from tuner.report.mistakes import mistakes_section
from tuner.trial import Record, Result, artifact_path
from tuner.untrusted.sizes import sha256_of


def made_section(project: Project) -> Section:
    with report_style():
        section = mistakes_section(project.findings())
        assert section is not None
        for figure in figures_of(section).values():
            drawn_small(figure)
    return section


def data_of(names: tuple[str, ...], train: np.ndarray, test: np.ndarray) -> Dataset:
    """Return a data set of 4x4 images whose pixels are all their place in the test set."""
    pixels = np.arange(len(test)).astype(np.uint8)[:, None, None, None] + np.zeros((1, 4, 4, 1), np.uint8)
    return Dataset("blobs", np.zeros((len(train), 4, 4, 1), np.uint8), train, pixels, test, names)


def scored(project: Project, model: str, probabilities: np.ndarray) -> None:
    """Record a retraining with these probabilities of the images that it is scored on."""
    trial = project.searched(model, [0.5])[0].as_final(1)
    labels = project.data.y_test[images_scored(trial, project.data.y_test)]
    project.workspace.artifacts.mkdir(exist_ok=True)
    path = project.workspace.artifacts / f"{trial.id}.npz"
    np.savez(path, probabilities=probabilities.astype(np.float32), labels=labels)
    digest = sha256_of(path)
    path.rename(artifact_path(project.workspace.artifacts, trial.id, digest, ".npz"))
    artifact_path(project.workspace.artifacts, trial.id, "0" * 64, ".keras").write_bytes(b"a model")
    files = {"model": "0" * 64, "predictions": digest}
    right = float((probabilities.argmax(axis=1) == labels).mean())
    project.ledger.record(
        Record(trial, Result("completed", parameters=10, test_accuracy=right, test_loss=0.5, files=files))
    )
    project.ledger.add(project.search.name, SearchTrial(model, "blobs", "final", 0, trial.id))


def of_a_folder(data: Dataset) -> Dataset:
    """Return the same as if it had been read from a folder."""
    arrays = {"train": data.y_train, "test": data.y_test}
    files = {s: tuple(f"{s}/{data.class_names[k]}/{n}|.png" for n, k in enumerate(y)) for s, y in arrays.items()}
    return replace(data, files=files)


def test_mistakes_on_images_of_a_folder_have_the_names_of_their_files(tmp_path: Path, blobs: Dataset) -> None:
    data = of_a_folder(blobs)
    project = project_of(tmp_path, data)
    project.retrained("ann", project.searched("ann", [0.5])[0], [first(30)])
    section = made_section(project)
    frame = section.tables["mistakes.csv"]
    assert len(frame) == 15
    assert frame[col.FILE].tolist() == [data.files["test"][place] for place in frame["test_image"]]
    assert "Files of these mistakes of ANN" in words(section)
    for file in frame[col.FILE][:12]:
        assert file.replace("|", r"\|") in words(section)
    assert frame[col.FILE][12].replace("|", r"\|") not in words(section)  # of 12 pictures
    assert "by file and place in the test set" in words(section)


def test_mistakes_on_images_of_no_folder_have_no_file(project: Project) -> None:
    section = made_section(project)
    assert col.FILE not in section.tables["mistakes.csv"]
    assert "Files of these" not in words(section)


def test_the_files_are_those_of_the_images_that_a_smaller_test_drew(tmp_path: Path, blobs: Dataset) -> None:
    data = of_a_folder(blobs)
    project = project_of(tmp_path, data)
    project.search = replace(project.search, overrides=replace(project.search.overrides, test_size=9))
    project.ledger.open_search(project.search.name, project.search.key, project.search.to_json())
    scored(project, "ann", np.full((9, 3), 1 / 3))
    frame = made_section(project).tables["mistakes.csv"]
    assert len(frame) == 6
    for place, file, true in zip(frame["test_image"], frame[col.FILE], frame[col.TRUE_CLASS], strict=True):
        assert file == f"test/{true}/{place}|.png"


def project_of(tmp_path: Path, data: Dataset) -> Project:
    return Project(tmp_path, data, {key: value for key, value in RAW.items() if key != "published"})


def test_each_model_has_its_row_of_calibration(project: Project) -> None:
    section = made_section(project)
    frame = section.tables["calibration.csv"].set_index(col.MODEL)
    # Confidence 0.8 throughout; 30 of 45 and 43 of 45 right; 0.1 for the true class where it is wrong
    assert frame["mean_confidence"].tolist() == pytest.approx([0.8, 0.8])
    assert frame["ece"].tolist() == pytest.approx([0.8 - 30 / 45, 43 / 45 - 0.8], abs=1e-6)
    assert frame["nll"]["ann"] == pytest.approx(-(30 * np.log(0.8) + 15 * np.log(0.1)) / 45, abs=1e-6)
    # (0.2, 0.1, 0.1) squared is 0.06 and (0.8, 0.9, 0.1) squared 1.46
    assert frame["brier"]["ann"] == pytest.approx((30 * 0.06 + 15 * 1.46) / 45, abs=1e-6)
    assert "overconfident |" in words(section)
    assert "underconfident |" in words(section)


def test_each_bin_of_the_reliability_figure_has_its_row(project: Project) -> None:
    frame = made_section(project).tables["reliability.csv"]
    filled = frame[frame["images"] > 0].set_index(col.MODEL)
    assert len(frame) == 2 * 15
    assert filled["confidence_above"].tolist() == pytest.approx([11 / 15, 11 / 15])  # 0.8 is the high end of its bin
    assert filled["confidence_to"].tolist() == pytest.approx([0.8, 0.8])
    assert filled["images"].tolist() == [45, 45]
    assert filled["accuracy"].tolist() == pytest.approx([30 / 45, 43 / 45])
    assert frame.loc[frame["images"] == 0, "accuracy"].isna().all()


def test_a_bin_of_few_images_is_hollow_and_no_line_runs_through_it(tmp_path: Path, blobs: Dataset) -> None:
    project = project_of(tmp_path, blobs)
    sure = np.repeat([0.99, 0.75, 0.5], [30, 14, 1])  # the last bin is of one image
    probabilities = np.repeat((1 - sure)[:, None] / 2, 3, axis=1)
    probabilities[np.arange(45), blobs.y_test] = sure
    scored(project, "ann", probabilities)
    axes = figures_of(made_section(project))["reliability-blobs.png"].axes[0]
    (joined,) = [line for line in axes.lines if line.get_linestyle() == "-"]
    assert joined.get_xdata() == pytest.approx([0.75, 0.99])
    filled, hollow = [line for line in axes.lines if line.get_marker() == "o"]
    assert filled.get_xdata() == pytest.approx([0.75, 0.99])
    assert hollow.get_xdata() == pytest.approx([0.5])
    assert filled.get_markerfacecolor() == filled.get_color()
    assert hollow.get_markerfacecolor() == "white"


def test_an_error_that_a_calibrated_model_would_have_too_is_not_held_against_it(tmp_path: Path, blobs: Dataset) -> None:
    project = Project(tmp_path, blobs)
    # 35 of 45 right is 0.778; at a confidence of 0.8 the standard error is 0.06
    project.retrained("ann", project.searched("ann", [0.5])[0], [first(35)])
    assert "not shown to be off" in words(made_section(project))


def test_mistakes_are_listed_by_model_the_most_confident_first(project: Project) -> None:
    frame = made_section(project).tables["mistakes.csv"]
    assert frame.groupby(col.MODEL)["test_image"].apply(list).to_dict() == {"ann": [*range(30, 45)], "cnn": [43, 44]}
    assert frame["confidence"].tolist() == pytest.approx([0.8] * 17)
    assert frame[["true_class", "predicted_class"]].iloc[0].tolist() == ["top", "middle"]  # image 30 is of class 0


def test_the_pictures_are_of_the_images_that_were_scored(tmp_path: Path) -> None:
    names = ("even", "odd")
    data = data_of(names, np.arange(60) % 2, np.arange(40) % 2)
    project = project_of(tmp_path, data)
    project.search = replace(project.search, overrides=replace(project.search.overrides, test_size=10))
    trial = project.searched("ann", [0.5])[0].as_final(1)
    scored_on = images_scored(trial, data.y_test)
    assert len(scored_on) == 10
    labels = data.y_test[scored_on]
    probabilities = np.where(np.eye(2)[labels] == 1, 0.9, 0.1)
    probabilities[[3, 7]] = probabilities[[3, 7], ::-1]
    probabilities[7] = np.where(probabilities[7] > 0.5, 0.97, 0.03)
    scored(project, "ann", probabilities)
    section = made_section(project)
    frame = section.tables["mistakes.csv"]
    assert frame["test_image"].tolist() == [scored_on[7], scored_on[3]]
    shown = [axes for axes in figures_of(section)["mistakes-ann-blobs.png"].axes if axes.get_images()]
    assert [int(axes.get_images()[0].get_array().max()) for axes in shown] == [scored_on[7], scored_on[3]]
    there = names[labels[7]], names[1 - labels[7]]
    assert shown[0].texts[0].get_text() == f"{there[0]} → {there[1]}\np = 0.970"


def test_a_model_that_is_never_wrong_is_said_to_be_so(tmp_path: Path, blobs: Dataset) -> None:
    project = Project(tmp_path, blobs)
    scored(project, "ann", np.eye(3)[blobs.y_test])
    section = made_section(project)
    assert "ANN classified all 45 test images of blobs rightly." in words(section)
    assert set(section.tables) == {"calibration.csv", "reliability.csv"}
    assert "mistakes.csv" not in words(section)
    assert pictures_of(section) == ["reliability-blobs.png"]


def test_a_hundred_classes_of_unequal_size_show_the_smallest_and_the_largest(tmp_path: Path) -> None:
    names = tuple(f"a class with the long name {k}" for k in range(100))
    train = np.concatenate([np.arange(100), np.arange(50)])  # two images of each of the first 50 classes
    project = project_of(tmp_path, data_of(names, train, np.arange(100)))
    project.search = replace(project.search, overrides=replace(project.search.overrides, train_size=None))
    scored(project, "ann", np.full((100, 100), 0.01))
    section = made_section(project)
    assert len(section.tables["mistakes.csv"]) == 50
    assert "the 12 most confident of 99 mistakes on 100 test images" in words(section)
    rows = [line.split("|")[1:4] for line in words(section).splitlines() if line.startswith("| a class with")]
    assert [row[1].strip() for row in rows] == ["1"] * 10 + ["2"] * 10
    assert rows[0][0].strip() == names[50]


def test_classes_of_nearly_equal_size_have_no_table_of_sizes(project: Project) -> None:
    assert "training images each class had" not in words(made_section(project))


def test_class_names_cannot_be_markup_nor_break_a_picture(tmp_path: Path) -> None:
    names = ("$x_1$ | <b>", "_hidden_ *two*\nlines")
    train = np.array([0] * 40 + [1] * 10)
    project = project_of(tmp_path, data_of(names, train, np.arange(20) % 2))
    project.search = replace(project.search, overrides=replace(project.search.overrides, train_size=None))
    scored(project, "ann", np.tile([0.6, 0.4], (20, 1)))
    section = made_section(project)
    assert "\\$x_1\\$ \\| &lt;b&gt;" in words(section)
    assert "\\_hidden\\_ \\*two\\*\\\\x0alines" in words(section)
    # always the first class: all of it is right, and nothing of the other
    small, large = (line for line in words(section).splitlines() if "hidden" in line or "&lt;b" in line)
    assert [cell.strip() for cell in small.rsplit("|", 3)[1:3]] == ["10", "0.0000"]
    assert [cell.strip() for cell in large.rsplit("|", 3)[1:3]] == ["40", "1.0000"]


def test_a_search_without_a_chosen_model_has_no_such_section(tmp_path: Path, blobs: Dataset) -> None:
    project = Project(tmp_path, blobs)
    project.searched("ann", [0.5])
    assert mistakes_section(project.findings()) is None


def test_the_section_fulfils_what_every_section_has_to(project: Project) -> None:
    section, again = made_section(project), made_section(project)
    assert words(section) == words(again)
    for name in (*pictures_of(section), *section.tables):
        assert f"({name})" in words(section)
    with report_style():
        others = figures_of(again)
        for name, figure in figures_of(section).items():
            assert drawn_small(figure) == drawn_small(others[name])
            for axes in figure.axes:
                assert not axes.axison or (axes.get_xlabel() and axes.get_ylabel())
