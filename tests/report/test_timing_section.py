"""What a clock measured: that it is told, and that it stands in its section alone."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up import RAW, Project, first
from timeless import differing, without_times
from written import drawn_small, words

from tuner import columns as col
from tuner.analysis.findings import Findings
from tuner.contents.sections import Section
from tuner.datasets.base import Dataset
from tuner.figures.style import report_style
from tuner.publish.write import write_report
from tuner.report import SECTIONS, SectionMaker
from tuner.report.provenance import provenance_section
from tuner.report.timing import clock, timing_section
from tuner.trial import Record, Result


@pytest.fixture
def rich(tmp_path: Path, blobs: Dataset) -> Project:
    """A search with something to say in every section."""
    ann = {"family": "ann", "space": {"dense_units": [4, 8], "learning_rate": [0.1, 0.05, 0.01, 0.005, 0.001]}}
    space = {"conv_depth": [1, 2], "filters": [2, 4, 8], "dropout": [0.0, 0.3], "padding": "same"}
    claims = [{"says": "It is so.", "order": ["cnn", "ann"], **by} for by in ({}, {"by": "seconds"}, {"by": "gap"})]
    published = {**RAW["published"], "claims": claims}  # type: ignore[dict-item]
    search = [ann, {"family": "cnn", "space": space}]
    project = Project(tmp_path, blobs, {**RAW, "search": search, "published": published})
    rng = np.random.default_rng(0)
    trials = {
        "ann": project.searched("ann", [0.8 + 0.1 * x for x in rng.random(10)]),
        "cnn": project.searched("cnn", [None, *(0.85 + 0.1 * x for x in rng.random(23))]),
    }
    project.retrained("ann", trials["ann"][1], [first(30), first(31)])
    project.retrained("cnn", trials["cnn"][3], [first(43), first(44)])
    return project


def measured_again(project: Project, seed: int) -> None:
    """Let every clock have measured something else of every trial, and let all of it have been at another date."""
    rng = np.random.default_rng(seed)
    ledger = sqlite3.connect(project.workspace.ledger)
    for (trial,) in ledger.execute("SELECT trial FROM trials").fetchall():
        for name in col.CLOCKED:
            took = float(np.exp(rng.normal(3, 2)))
            update = f"UPDATE trials SET {name} = ? WHERE trial = ? AND {name} NOT NULL"  # noqa: S608  # names of ours
            ledger.execute(update, (took, trial))
    date = f"20{seed + 10}-01-01T00:00:00+00:00"
    ledger.execute("UPDATE trials SET began = ?, finished = ?", (date, date))
    ledger.execute("UPDATE searches SET started = ?, finished = ?", (date, date))
    ledger.commit()
    ledger.close()


def test_what_a_clock_measured_stands_in_the_section_on_time_and_nowhere_else(
    rich: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Takes some seconds: every section is drawn twice, in small."""
    monkeypatch.setattr("tuner.contents.png.png", drawn_small)
    silent = []

    def heard(make: SectionMaker) -> SectionMaker:
        def section(findings: Findings) -> Section | None:
            made = make(findings)
            if made is None:
                silent.append(make.__name__)  # type: ignore[attr-defined]
            return made

        return section

    monkeypatch.setattr("tuner.report.SECTIONS", tuple(map(heard, SECTIONS)))
    found = []
    for seed in (1, 2):
        measured_again(rich, seed)
        folder = write_report(rich.findings()).parent
        times = {path.name: path.read_bytes() for path in folder.glob("timing*")}
        found.append((without_times(folder.parent), times, (folder / "report.md").read_bytes()))
    (rest, times, report), (other_rest, other_times, other_report) = found
    # It has no further splits, no class whose operating points are told and no ensemble; those sections hold no times.
    untold = {"splits_section", "operating_points_section", "ensemble_section"}
    assert set(silent) == untold, "a section that says nothing of this search is not tested"
    assert differing(rest, other_rest) == []
    assert differing(times, other_times) == [
        "timing-blobs.png", "timing.csv", "timing_importance.csv", "timing_models.csv",
    ]  # fmt: skip
    assert report != other_report


def made_section(project: Project) -> Section:
    with report_style():
        section = timing_section(project.findings())
    assert section is not None
    return section


def rows_of(section: Section) -> list[list[str]]:
    lines = [line for line in words(section).splitlines() if line.startswith(("| ANN", "| CNN"))]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_it_tells_how_long_each_model_took(project: Project) -> None:
    section = made_section(project)
    assert "The trials of the search took 8.0 s in their workers, the retrainings 8.0 s." in words(section)
    # 0.1 seconds an epoch, and the third of three epochs is the first with 0.25; of the saved model 0.5 and 0.25 ms
    assert rows_of(section) == [
        ["ANN", "blobs", "2 in 2.0 s", "0.1", "200 ms", "300 ms", "–", "0.5", "0.25"],
        ["CNN", "blobs", "6 in 6.0 s", "0.1", "200 ms", "300 ms", "–", "0.5", "0.25"],
    ]
    frame = section.tables["timing_models.csv"]
    assert frame["best_trial_seconds_to_0.25"].tolist() == pytest.approx([0.3, 0.3])
    assert frame["best_trial_seconds_to_0.95"].isna().all()
    assert frame["seconds_of_trials"].tolist() == [2, 6]


def test_it_has_a_row_for_every_trial_and_retraining(project: Project) -> None:
    frame = made_section(project).tables["timing.csv"]
    assert frame[col.ROLE].tolist() == ["search"] * 8 + ["final"] * 4
    assert frame[col.TRIAL].is_unique
    assert frame[col.SECONDS].tolist() == [1.0] * 8 + [2.0] * 4
    assert frame[col.LATENCY_MS].count() == 4
    assert frame[col.SECONDS_PER_EPOCH].count() == 11, "all but the failed one"


def test_it_says_at_once_what_differs_from_run_to_run_and_what_does_not(project: Project) -> None:
    first_sentence = words(made_section(project)).split(".")[0]
    assert "measured by a clock" in first_sentence
    assert "they differ from run to run" in first_sentence
    assert first_sentence.endswith("run again with this seed on such a machine")


def ran_on(project: Project, backend: str, device: str, **result: object) -> None:
    """Record one more trial, which ran there."""
    trial = replace(project.findings().trials("ann")[0].trial, seed=99)
    noted = Result("failed", "x", environment={"backend": backend, "device": device}, **result)  # type: ignore[arg-type]
    project.ledger.record(Record(trial, noted))
    search_trial = replace(project.ledger.search_trials(project.search.name)[0][0], number=99, trial=trial.id)
    project.ledger.add(project.search.name, search_trial)


@pytest.mark.parametrize(
    ("backend", "device", "told"),
    [
        ("tensorflow 2.21.0", "cpu", ""),
        ("jax 0.7", "cpu", ""),
        ("tensorflow 2.21.0", "NVIDIA <H200>", "enable_op_determinism"),
        ("jax 0.7", "NVIDIA <H200>", "--xla_gpu_deterministic_ops"),
    ],
)
def test_provenance_says_what_is_promised_on_a_cpu_and_what_is_not_on_another_device(
    project: Project, backend: str, device: str, told: str
) -> None:
    ran_on(project, backend, device)
    text = words(provenance_section(project.findings()))
    assert "On a CPU a training repeats bit for bit" in text
    if told:
        (paragraph,) = [part for part in text.split("\n\n") if part.startswith("On NVIDIA &lt;H200&gt;, ")]
        assert "not promised" in paragraph
        assert told in paragraph
        assert "as far as [Provenance](#provenance) says" in words(made_section(project))
    else:
        assert "not promised" not in text
        assert "such a machine." in words(made_section(project))


def test_trials_that_were_ended_at_a_limit_are_told_as_what_may_differ(project: Project) -> None:
    ran_on(project, "tensorflow 2.21.0", "cpu", passed={"minutes": 1.0})
    text = words(provenance_section(project.findings()))
    assert "a limit of time or memory may differ from run to run; 1 did." in text


def test_an_unfinished_search_has_its_times_too_and_one_without_trials_has_none(tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path, blobs)
    assert timing_section(made.findings()) is None
    made.searched("ann", [None])
    section = made_section(made)
    assert "The trials of the search took 1.0 s in their workers." in words(section)
    assert rows_of(section) == [["ANN", "blobs", "1 in 1.0 s", "–", "–", "–"]]


def test_times_are_written_as_people_say_them() -> None:
    assert [clock(x) for x in (0.034, 12.34, 150, 9000)] == ["34 ms", "12.3 s", "2.5 min", "2.5 h"]
