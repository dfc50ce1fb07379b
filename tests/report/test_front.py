"""Size and score: which trials and which saved models are on the front, how fast these are, and where that stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_up import RAW, Project, first
from written import words

from tuner.analysis.latency import Latency, Timing, latency_of, latency_path
from tuner.contents.sections import Section
from tuner.datasets.base import Dataset
from tuner.figures.front import FrontPoint, front_figure
from tuner.figures.style import report_style
from tuner.report.front import front_section
from tuner.report.timing import timing_section

LATENCY = Latency(Timing(1.5, 1.25, 2.0, 50), Timing(12.0, 11.0, 14.0, 50), "a CPU")


def project_of(folder: Path, data: Dataset, sizes: list[int]) -> Project:
    rest = {name: part for name, part in RAW.items() if name not in ("published", "report")}
    made = Project(folder, data, rest)
    ann = made.searched("ann", [0.6, 0.7], parameters=[sizes[0], sizes[1]])
    cnn = made.searched("cnn", [0.65, 0.8, 0.7], parameters=sizes[2:])
    made.retrained("ann", ann[1], [first(30), first(31)])
    made.retrained("cnn", cnn[1], [first(43), first(44)])
    return made


def section_of(made: Project) -> Section:
    with report_style():
        section = front_section(made.findings())
    assert section is not None
    return section


def rows_of(text: str, *begin: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith(tuple(f"| {one}" for one in begin))]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_a_trial_is_on_the_front_where_no_smaller_one_is_as_good(tmp_path: Path, blobs: Dataset) -> None:
    section = section_of(project_of(tmp_path, blobs, [100, 300, 200, 2_000, 3_000]))
    frame = section.tables["front.csv"]
    assert list(frame["parameters"]) == [100, 200, 300, 2_000]
    assert list(frame["val_accuracy"]) == [0.6, 0.65, 0.7, 0.8]
    assert list(frame["model"]) == ["ANN", "CNN", "ANN", "CNN"]
    text = words(section)
    assert "Trials on blobs that no smaller one equals in accuracy on validation images" in text
    assert rows_of(text, "ANN", "CNN")[3][3:] == ["2,000", "0.008", "0.8000"]
    (picture,) = section.pictures
    assert picture.file == "front-blobs.png"
    assert picture.png.startswith(b"\x89PNG")


def test_a_larger_model_that_is_worse_is_on_no_front(tmp_path: Path, blobs: Dataset) -> None:
    made = project_of(tmp_path, blobs, [100, 300, 200, 2_000, 3_000])
    ann, cnn = made.findings().chosen
    ann.artifact.write_bytes(b"x" * 99)
    models = [row for row in rows_of(words(section_of(made)), "ANN", "CNN") if len(row) == 7]
    # Both retrained models have 1,000 parameters, and the CNN is the better one; the ANN's file is the larger one.
    assert [(row[0], row[5], row[6]) for row in models] == [("ANN", "no", "no"), ("CNN", "yes", "yes")]
    assert cnn.megabytes < ann.megabytes


def test_saved_models_are_compared_by_what_they_were_chosen_by(tmp_path: Path, blobs: Dataset) -> None:
    rest = {name: part for name, part in RAW.items() if name not in ("published", "report")}
    of_top = blobs.y_test == blobs.class_names.index("top")
    for objective, on_front in (("accuracy", ("no", "yes")), ("recall:top", ("yes", "no"))):
        made = Project(tmp_path / objective.replace(":", "-"), blobs, {**rest, "objective": objective})
        made.retrained("ann", made.searched("ann", [0.6])[0], [of_top])  # all of "top" and nothing else: 15 of 45
        made.retrained("cnn", made.searched("cnn", [0.6])[0], [~of_top])
        text = words(section_of(made))
        models = rows_of(text, "ANN", "CNN")
        assert tuple(row[-2] for row in models) == on_front
        assert [row[4] for row in models] == ["0.3333", "0.6667"]
        if objective != "accuracy":
            assert "no other of its data set beats in size and recall of top" in text
            assert [row[5] for row in models] == ["1.0000", "0.0000"]
        made.ledger.close()


@pytest.mark.parametrize(("more", "on_front"), [(100, "no"), (2_000, "yes")])
def test_files_that_differ_by_bytes_alone_are_equally_large(
    more: int, on_front: str, tmp_path: Path, blobs: Dataset
) -> None:
    made = project_of(tmp_path, blobs, [100, 300, 200, 2_000, 3_000])
    ann, cnn = made.findings().chosen
    ann.artifact.write_bytes(b"x" * 1_000_000)
    cnn.artifact.write_bytes(b"x" * (1_000_000 + more))
    models = [row for row in rows_of(words(section_of(made)), "ANN", "CNN") if len(row) == 7]
    assert [(row[0], row[6]) for row in models] == [("ANN", on_front), ("CNN", "yes")]


def test_where_all_trials_have_one_size_the_saved_models_alone_are_shown(tmp_path: Path, blobs: Dataset) -> None:
    section = section_of(project_of(tmp_path, blobs, [100] * 5))
    assert not section.tables
    assert not section.pictures
    assert len(rows_of(words(section), "ANN", "CNN")) == 2


def test_the_figure_has_a_point_for_each_trial_and_a_line_along_the_front() -> None:
    points = [FrontPoint("A", 10, 0.5, True), FrontPoint("B", 100, 0.9, True), FrontPoint("B", 200, 0.4, False)]
    with report_style():
        (axes,) = front_figure(points, "validation accuracy").axes
    a, b, front = axes.get_lines()
    assert list(a.get_xdata()) == [10]
    assert list(b.get_ydata()) == [0.9, 0.4]
    assert list(front.get_xdata()) == [10, 100]
    assert axes.get_xscale() == "log"


def test_what_was_measured_by_itself_stands_in_the_section_on_time(tmp_path: Path, blobs: Dataset) -> None:
    made = project_of(tmp_path, blobs, [100, 300, 200, 2_000, 3_000])
    LATENCY.write(made.findings().chosen[0].artifact)
    section = timing_section(made.findings())
    assert section is not None
    (row,) = [row for row in rows_of(words(section), "ANN") if "a CPU" in row]
    assert row[3:] == ["1.5", "1.25 to 2", "12", "11 to 14", "0.6778", "yes"]
    frame = section.tables["timing_models.csv"]
    assert list(frame["latency_ms"]) == [1.5, 0.25]  # the second as an earlier version measured it
    assert frame["latency_ms_of_64"][0] == 12.0


@pytest.mark.parametrize("text", ["", "{}", '{"why": "no"}', "[1]", '{"one": null, "batch": null, "device": ""}'])
def test_what_is_no_latency_is_none(text: str, tmp_path: Path) -> None:
    model = tmp_path / "a-b.keras"
    assert latency_of(model) is None
    latency_path(model).write_text(text)
    assert latency_of(model) is None


def test_a_latency_is_read_as_it_was_written(tmp_path: Path) -> None:
    model = tmp_path / "a-b.keras"
    LATENCY.write(model)
    assert latency_of(model) == LATENCY
