"""The recipe of every model in a table, what a study left open, and its table of two data sets beside ours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_up import RAW, Project, first, with_histories
from written import rows_of, words

from tuner.datasets.base import Dataset
from tuner.recipe.own_callbacks import OwnCallbacks
from tuner.report.curves import curves_section
from tuner.report.published import published_section
from tuner.report.recipes import recipes_section

TRAINING: dict[str, Any] = {
    "epochs": 3,
    "optimizer": "sgd",
    "momentum": 0.9,
    "weight_decay": 0.001,
    "schedule": "steps",
    "schedule_steps": "0.4 0.8",
    "rotation": 10.0,
    "early_stopping": "val_loss",
}


def rows(folder: Path, data: Dataset, **raw: Any) -> list[list[str]]:
    made = Project(folder, data, {**RAW, "report": {}, "published": {"study": "S"}, **raw})
    ann = made.searched("ann", [0.5, 0.6])
    made.searched("cnn", [0.7])
    made.retrained("ann", ann[1], [first(30), first(31)])
    section = recipes_section(made.findings())
    assert section is not None
    return rows_of(words(section), "model")


def test_callbacks_of_ones_own_are_part_of_the_recipe(tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path, blobs)
    made.retrained("ann", made.searched("ann", [0.5])[0], [first(30), first(31)])
    findings = made.findings()
    callbacks = OwnCallbacks("calls:make", tmp_path, "0" * 8)
    searches = tuple(replace(one, callbacks=callbacks) for one in findings.search.model_searches)
    section = recipes_section(replace(findings, search=replace(findings.search, model_searches=searches)))
    assert section is not None
    (ann,) = rows_of(words(section), "model")
    assert ann[9] == "callbacks of calls:make"


def test_each_model_has_its_recipe_with_what_was_searched_and_what_was_chosen(tmp_path: Path, blobs: Dataset) -> None:
    space = {"dense_units": 4, "dropout": [0.0, 0.5], "l2": 0.001}
    ann, cnn = rows(tmp_path, blobs, search=[{"family": "ann", "space": space}, RAW["search"][1]])  # type: ignore[index]
    heads = ("model", "optimizer", "rate", "batch", "epochs", "schedule", "augmentation", "dropout", "l2", "other")
    told = dict(zip(heads, ann, strict=False))
    assert told == {
        "model": "ANN", "optimizer": "rmsprop", "rate": "0.001", "batch": "64", "epochs": "3", "schedule": "constant",
        "augmentation": "none", "dropout": "dropout 0, 0.5; chosen 0.5", "l2": "0.001", "other": "–",
    }  # fmt: skip
    assert ann[-2:] == ["2", "2"]
    assert (cnn[7], cnn[8], cnn[-2:]) == ("none", "none", ["1", "0"])


def test_what_is_set_of_optimizer_schedule_and_augmentation_stands_there(tmp_path: Path, blobs: Dataset) -> None:
    ann, _ = rows(tmp_path, blobs, training=TRAINING)
    assert ann[1] == "sgd, momentum 0.9, weight decay 0.001"
    assert ann[4:7] == ["up to 3", "steps, schedule steps 0.4 0.8, schedule factor 0.1", "rotation 10"]
    assert ann[9] == "early_stopping val_loss"


def test_what_a_study_left_open_stands_below(tmp_path: Path, blobs: Dataset) -> None:
    for assumptions, said in (([], False), (["It names no *batch size*."], True)):
        published = {"study": "S", "assumptions": assumptions}
        made = Project(tmp_path / str(said), blobs, {**RAW, "published": published})
        made.searched("ann", [0.5])
        section = recipes_section(made.findings())
        assert section is not None
        assert ("What the study left open:\n\n- It names no \\*batch size\\*." in words(section)) == said


@pytest.mark.parametrize(("right", "judged"), [([30, 31, 30], "p < 0.001"), ([30], "one retraining is not judged")])
def test_a_study_s_two_margins_stand_beside_ours_with_the_difference_of_differences(
    tmp_path: Path, blobs: Dataset, right: list[int], judged: str
) -> None:
    printed = {("ann", "blobs"): 0.95, ("ann", "others"): 0.80, ("cnn", "blobs"): 0.96, ("cnn", "others"): 0.90}
    scores = [{"model": model, "dataset": name, "test_accuracy": score} for (model, name), score in printed.items()]
    raw = {**RAW, "dataset": ["blobs", "others"], "report": {}, "published": {"study": "S", "scores": scores}}
    made = Project(tmp_path, blobs, raw)
    made.add_data("others", replace(blobs, x_test=blobs.x_test[::-1], y_test=blobs.y_test[::-1]))
    for model, counts in (("ann", [44] * 2 + [43]), ("cnn", [44, 43, 44])):
        for name in ("blobs", "others"):
            got = right if (model, name) == ("ann", "others") else counts[: len(right)]
            made.retrained(model, made.searched(model, [0.5], name)[0], [first(k) for k in got], name)
    section = published_section(made.findings())
    assert section is not None
    text = words(section)
    ann, cnn, delta = rows_of(text, "test accuracy")
    assert ann[:2] == ["ANN", "0.9500"]
    assert (ann[3], ann[5], cnn[5]) == ("0.8000", "−0.1500", "−0.0600")
    assert delta[:1] + delta[1::2][:2] == ["*delta_model: CNN − ANN*", "+0.0100", "+0.1000"]
    line = next(line for line in text.splitlines() if line.startswith("- CNN over ANN: published +0.0900, ours +0."))
    assert judged in line


def test_the_gap_of_training_and_validation_is_told_as_a_number(project: Project) -> None:
    section = curves_section(project.findings())
    assert section is not None
    ann, cnn, other = rows_of(words(section), "trial")
    assert ann == ["ANN", "blobs", "3", "0.3000", "0.3000", "0.0000"]
    assert (cnn[0], other[0]) == ("CNN", "dense_units 4")


def test_a_data_set_on_which_models_were_only_compared_has_curves_of_their_training(
    tmp_path: Path, blobs: Dataset
) -> None:
    made = Project(tmp_path, blobs, {**RAW, "report": {}, "compare": {"datasets": ["blobs", "others"]}})
    trial = made.searched("ann", [0.5])[0]
    for name in ("blobs", "others"):
        made.retrained("ann", trial, [first(30)], name)
    findings = with_histories(
        made.findings(), ann={"accuracy": [0.2, 0.3], "loss": [1.0, 0.5], "val_accuracy": [0.1, 0.2]}
    )
    section = curves_section(findings)
    assert section is not None
    assert [picture.file for picture in section.pictures] == ["curves-blobs.png", "curves-others.png"]
    assert "The saved models on the training images of others, on which they were only compared" in words(section)
