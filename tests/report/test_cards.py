"""The cards of saved models: what they are, what they were trained on and scored, and no time."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up import LAYERS, RAW, Project, first
from written import words

from tuner.analysis.findings import Findings
from tuner.analysis.scoring import averages, per_class
from tuner.datasets.base import Dataset
from tuner.report.cards import card_json, cards_section
from tuner.trial import Trial


def cards(findings: Findings) -> dict[str, dict[str, str]]:
    """Return the rows of each card, by the file in its summary."""
    section = cards_section(findings)
    assert section is not None
    assert section.key == "cards"
    found = {}
    for part in words(section).split("<summary>")[1:]:
        file, _, rest = part.partition("</summary>")
        rows = re.findall(r"^\| (\S.*?) +\| (.*?) *\|$", rest, re.MULTILINE)
        found[file] = dict(rows[1:])
    return found


def test_each_saved_model_has_a_card_that_says_what_it_is(project: Project) -> None:
    findings = project.findings()
    both = cards(findings)
    assert list(both) == ["ann-blobs.keras", "cnn-blobs.keras"]
    card = both["cnn-blobs.keras"]
    assert card["model"].startswith("CNN, the first of 2 retrainings; trial ")
    assert card["file"] == f"`cnn-blobs.keras`, SHA-256 {'0' * 64}"
    assert card["card"] == "[cnn-blobs.json](cnn-blobs.json)"
    assert card["data set"] == f"blobs, fingerprint {project.data.fingerprint}"
    assert card["classes"] == "3: top, middle, bottom"
    assert card["input"] == "raw pixels from 0 to 255, 8×8×1 (height, width, channels)"
    assert card["architecture"] == "Conv2D 8×8×2 → Dense 3"
    assert card["parameters"] == "1,000"
    assert "conv_depth = 2, filters_1 = 2, filters_2 = 4" in card["hyperparameters"]
    assert "learning_rate" not in card["hyperparameters"]
    assert card["recipe"].startswith("optimizer = rmsprop, learning_rate = 0.001")
    assert card["training"] == (
        f"60 training images of {len(project.data.y_train)}, drawn by class, those for validation included; "
        "3 epochs, seed 1"
    )
    assert card["retrainings"] == "seeds 1, 2: mean test accuracy 0.9667 ± 0.0157"
    assert card["software"] == "tensorflow 0, Keras 3"
    assert card["hardware"] == "–", "none was noted"


def test_scores_are_those_of_the_saved_model_and_not_of_all_retrainings(project: Project) -> None:
    findings = project.findings()
    chosen = findings.on("blobs")[0]
    card = cards(findings)["ann-blobs.keras"]
    assert re.fullmatch(r"0\.6667 on 45 images \(95 % interval 0\.5\d+ to 0\.[78]\d+\)", card["test accuracy"])
    macro = averages(per_class(chosen.predictions)).iloc[0]
    assert card["macro F1"] == f"{macro['f1']:.4f}"
    assert card["macro ROC AUC"] == f"{macro['roc_auc']:.4f}"


def test_a_card_agrees_with_the_json_beside_the_file(reported: Project) -> None:
    folder = reported.workspace.reports / "small"
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert "`tuner verify small` proves it" in text
    for name, card in cards(reported.findings()).items():
        saved = json.loads((folder / name).with_suffix(".json").read_text(encoding="utf-8"))
        assert saved["sha256"] in card["file"]
        assert card["model"].endswith(saved["trial"]["id"])
        assert card["test accuracy"].startswith(f"{saved['test_accuracy']:.4f} ")


def test_the_json_says_all_that_the_model_is(project: Project) -> None:
    findings = project.findings()
    (chosen,) = (chosen for chosen in findings.chosen if chosen.model == "cnn")
    card = json.loads(card_json(findings, chosen))
    assert (card["file"], card["sha256"]) == ("cnn-blobs.keras", "0" * 64)
    assert card["class_names"] == ["top", "middle", "bottom"]
    assert card["input"]["shape"] == [8, 8, 1]
    assert card["data"] == {"source": "", "training_images": 120, "test_images": 45}
    assert card["architecture"] == LAYERS
    assert card["hyperparameters"]["filters_2"] == 4
    assert card["recipe"]["learning_rate"] == 0.001
    values = card["hyperparameters"] | card["recipe"]
    content = {name: value for name, value in card["trial"].items() if name != "id"}
    assert Trial.from_json(json.dumps({**content, "values": values})).id == card["trial"]["id"]
    assert card["trial"]["fingerprint"] == project.data.fingerprint
    assert [one["seed"] for one in card["retrainings"]] == [1, 2]
    assert [one["test_accuracy"] for one in card["retrainings"]] == pytest.approx([43 / 45, 44 / 45])
    assert card["environment"] == {"backend": "tensorflow 0", "keras": "3"}
    assert card["timing"] == {"seconds": 2.0, "seconds_per_epoch": 0.5, "latency_ms": 0.25}


def test_a_card_says_by_what_its_model_was_chosen_and_which_way_is_better(
    tmp_path: Path, project: Project, blobs: Dataset
) -> None:
    told = {chosen.model: json.loads(card_json(project.findings(), chosen)) for chosen in project.findings().chosen}
    assert told["cnn"]["chosen_by"] == {
        "objective": "accuracy",
        "direction": "max",
        "score": 0.9,
        "scored_on": "validation images",
        "dataset": "blobs",
    }
    assert cards(project.findings())["cnn-blobs.keras"]["chosen by"] == (
        "accuracy, the higher the better: 0.9000 on validation images"
    )
    made = Project(tmp_path / "lowest", blobs, {**RAW, "objective": "log_loss"})
    made.retrained("ann", made.searched("ann", [0.75, 0.31])[1], [first(30)])
    findings = made.findings()
    told = json.loads(card_json(findings, findings.chosen[0]))["chosen_by"]
    assert (told["objective"], told["direction"], told["score"]) == ("log_loss", "min", 0.31)
    assert cards(findings)["ann-blobs.keras"]["chosen by"] == (
        "log loss, the lower the better: 0.3100 on validation images"
    )


def test_of_a_data_set_that_is_only_compared_on_the_card_tells_where_its_model_was_chosen(
    tmp_path: Path, blobs: Dataset
) -> None:
    made = Project(tmp_path, blobs, {**RAW, "objective": "macro_f1", "compare": {"datasets": ["blobs", "other"]}})
    (trial,) = made.searched("ann", [0.75])
    made.retrained("ann", trial, [first(30)])
    made.retrained("ann", trial, [first(20)], dataset="other")
    other = next(chosen for chosen in made.findings().chosen if chosen.dataset == "other")
    told = json.loads(card_json(made.findings(), other))["chosen_by"]
    assert (told["objective"], told["score"], told["dataset"]) == ("macro_f1", 0.75, "blobs")
    assert cards(made.findings())["ann-other.keras"]["chosen by"].endswith("0.7500 on validation images of blobs")


def test_the_json_has_the_scores_of_each_class_and_their_averages(project: Project) -> None:
    findings = project.findings()
    card = json.loads(card_json(findings, findings.chosen[0]))
    frame = per_class(findings.chosen[0].predictions)
    assert [row["class"] for row in card["per_class"]] == ["top", "middle", "bottom"]
    for name in ("precision", "recall", "f1", "roc_auc", "average_precision", "support"):
        assert [row[name] for row in card["per_class"]] == pytest.approx(frame[name].tolist())
        assert card["averages"][0][name] == pytest.approx(averages(frame).iloc[0][name])


def test_a_metric_that_is_not_defined_is_null_in_the_json(project: Project) -> None:
    findings = project.findings()
    chosen = findings.chosen[0]
    labels = np.zeros_like(chosen.predictions.labels)
    only_top = replace(chosen, all_predictions=(replace(chosen.predictions, labels=labels),))
    card = json.loads(card_json(findings, only_top))
    assert card["per_class"][1]["recall"] is None
    assert card["per_class"][1]["support"] == 0


def test_a_card_is_the_same_whatever_the_clock_measured(project: Project) -> None:
    def retimed(findings: Findings) -> Findings:
        later = {"seconds": 99.0, "seconds_per_epoch": 7.5, "latency_ms": 31.0}
        chosen = tuple(
            replace(one, finals=tuple(replace(r, result=replace(r.result, **later)) for r in one.finals))  # type: ignore[arg-type]
            for one in findings.chosen
        )
        return replace(findings, chosen=chosen)

    findings = project.findings()
    one, other = cards_section(findings), cards_section(retimed(findings))
    assert one and other and one.contents == other.contents


def test_a_retraining_to_the_best_epoch_says_how_many_of_how_many(tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path, blobs)
    (trial,) = made.searched("ann", [0.5])
    made.retrained("ann", trial, [first(30)])
    findings = made.findings()
    (chosen,) = findings.chosen
    stopped = replace(chosen.saved, trial=replace(chosen.saved.trial, stop_after=2, train_size=None))
    card = cards(replace(findings, chosen=(replace(chosen, finals=(stopped,)),)))["ann-blobs.keras"]
    everything = f"{len(blobs.y_train)} training images, those for validation included"
    assert card["training"] == f"{everything}; 2 epochs of 3, seed 1"


def test_a_deep_network_is_told_by_how_many_of_each_layer_it_has(project: Project) -> None:
    findings = project.findings()
    chosen = findings.chosen[0]
    conv = {"name": "c", "kind": "Conv2D", "shape": [8, 8, 2], "parameters": 20, "formula": "", "activation": ""}
    layers = [*[conv] * 40, {**conv, "kind": "Flatten", "parameters": 0}, {**conv, "kind": "Dense"}]
    saved = replace(chosen.saved, result=replace(chosen.saved.result, layers=layers))
    deep = replace(findings, chosen=(replace(chosen, finals=(saved, *chosen.finals[1:])),))
    assert cards(deep)["ann-blobs.keras"]["architecture"] == "40 × Conv2D, 1 × Dense"


def test_of_many_classes_the_first_and_the_last_are_named(project: Project) -> None:
    findings = project.findings()
    chosen = findings.chosen[0]
    names = tuple(f"kind {i}" for i in range(100))
    predictions = replace(
        chosen.predictions, class_names=names, probabilities=np.full((45, 100), 0.01), labels=np.arange(45)
    )
    many = replace(findings, chosen=(replace(chosen, all_predictions=(predictions,)),))
    assert cards(many)["ann-blobs.keras"]["classes"] == "100: kind 0, kind 1, kind 2 to kind 99"


def test_without_a_saved_model_there_is_no_section(tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path, blobs)
    made.searched("ann", [None, None])
    assert cards_section(made.findings()) is None


@pytest.mark.parametrize("protocol", ["holdout", "published"])
def test_only_where_images_were_held_out_are_they_said_to_be_back(
    tmp_path: Path, blobs: Dataset, protocol: str
) -> None:
    made = Project(tmp_path, blobs, {**RAW, "protocol": protocol})
    made.retrained("ann", made.searched("ann", [0.5])[0], [first(30)])
    told = cards(made.findings())["ann-blobs.keras"]["training"]
    assert ("validation" in told) == (protocol == "holdout")
