"""The budget in words: whose epochs and images they are, and what the command line set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from made_up import RAW, Project

from tuner.datasets.base import Dataset
from tuner.report.budget import budget
from tuner.search_file.overrides import Overrides


def told(folder: Path, data: Dataset, **changed: object) -> str:
    made = Project(folder, data, {**RAW, "report": {}, "published": {"study": "S"}, **changed})
    made.searched(made.search.model_searches[0].name, [0.5])
    findings = made.findings()
    return budget(replace(findings, search=replace(findings.search, overrides=Overrides())))


def entry(family: str, **more: object) -> dict[str, object]:
    return {"family": family, "space": {"dense_units": [4, 8]}, **more}


def test_one_length_and_one_size_belong_to_nobody(tmp_path: Path, blobs: Dataset) -> None:
    assert told(tmp_path, blobs) == (
        "3 epochs, 120 training images, 20 % of them held out during the search, holdout protocol"
    )


def test_models_of_other_lengths_are_named_with_theirs(tmp_path: Path, blobs: Dataset) -> None:
    search = [entry("ann", epochs=100), entry("cnn"), entry("lenet", epochs=1)]
    assert told(tmp_path, blobs, search=search).startswith("100 epochs (ANN) and 3 epochs (CNN) and 1 epoch (LeNet)")


def test_trials_that_may_end_earlier_have_up_to_so_many(tmp_path: Path, blobs: Dataset) -> None:
    search = [entry("ann", algorithm="hyperband"), entry("cnn")]
    text = told(tmp_path / "1", blobs, search=search)
    assert text.startswith("up to 3 epochs (ANN) and 3 epochs (CNN), ")
    stopping = {"epochs": 3, "early_stopping": "val_loss", "patience": 1}
    assert told(tmp_path / "2", blobs, training=stopping).startswith("up to 3 epochs, ")


def test_a_share_is_not_rounded_and_only_said_where_images_are_held_out(tmp_path: Path, blobs: Dataset) -> None:
    assert "12.5 % of them" in told(tmp_path / "1", blobs, validation=0.125)
    assert "held out" not in told(tmp_path / "2", blobs, protocol="published")


def test_what_the_command_line_set_is_said_as_that(tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path, blobs)
    made.searched("ann", [0.5])
    assert budget(made.findings()).endswith(
        "3 epochs, 60 training images, 20 % of them held out during the search, holdout protocol; set on the command "
        "line: --train-size 60"
    )


def test_keys_that_the_command_line_set_are_said_as_typed(tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path, blobs)
    made.searched("ann", [0.5])
    findings = made.findings()
    given = Overrides(epochs=2, settings=("training.batch_size=64", 'title="a | b"'))
    told = budget(replace(findings, search=replace(findings.search, overrides=given)))
    assert told.endswith("set on the command line: --epochs 2 --set training.batch_size=64 --set 'title=\"a \\| b\"'")


def test_a_note_stands_after_the_budget_and_is_no_part_of_what_made_it_smaller(tmp_path: Path, blobs: Dataset) -> None:
    why = "a | day of two cores is as much as there was"
    assert told(tmp_path, blobs, report={"note": why}).endswith(
        r"holdout protocol; a \| day of two cores is as much as there was"
    )
    made = Project(tmp_path / "set", blobs)
    made.searched("ann", [0.5])
    findings = made.findings()
    notes = ('report.note="as | said"', 'report . note = "as | said"')
    given = Overrides(epochs=2, settings=("training.batch_size=64", *notes))
    noted = findings.search.report.model_copy(update={"note": "as | said"})
    search = replace(findings.search, overrides=given, report=noted)
    assert budget(replace(findings, search=search)).endswith(
        r"set on the command line: --epochs 2 --set training.batch_size=64; as \| said"
    )
