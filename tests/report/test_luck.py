"""What the report says of the luck of a choice, of which validation predictions are there, and of what is alike."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up import RAW, Project, first
from written import words

from tuner import columns as col
from tuner.analysis.luck import lucks
from tuner.contents.cells import signed
from tuner.datasets.base import Dataset
from tuner.objective import objective_of
from tuner.protocol import validation_labels
from tuner.report.luck import choice_frame, luck_section

#: The column of how far other images and seeds alone may move a score.
OTHERS = "other_images_and_seeds"
#: Of 60 training images a fifth.
IMAGES = 12


def project_of(folder: Path, data: Dataset, scores: list[int], published: bool = False) -> Project:
    """Return a project whose CNNs got so many validation images right, the first ones, and whose ANN is one trial."""
    raw = {name: part for name, part in RAW.items() if name not in ("published", "report")}
    raw["search"] = [{"family": "ann", "space": {"dense_units": 4}}, RAW["search"][1]]
    raw["protocol"] = "published" if published else "holdout"
    images = 45 if published else IMAGES
    project = Project(folder, data, raw)
    ann = project.searched("ann", [0.75], answers=[first(images * 3 // 4, images)])
    cnn = project.searched("cnn", [k / images for k in scores], answers=[first(k, images) for k in scores])
    project.retrained("ann", ann[0], [first(30), first(32)])
    project.retrained("cnn", cnn[int(np.argmax(scores))], [first(40), first(42)])
    return project


def text_of(project: Project) -> str:
    section = luck_section(project.findings())
    assert section is not None
    return words(section)


def row_of(text: str, model: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {model}"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def judged(folder: Path, data: Dataset, objective: str, trials: list[int], **raw: object) -> Project:
    """Return a project whose ANNs, chosen by an objective, got so many of twelve validation images right."""
    raw = {name: part for name, part in {**RAW, **raw}.items() if name not in ("published", "report")}
    made = Project(folder, data, {**raw, "objective": objective})
    made.search = replace(made.search, model_searches=tuple(one.with_code() for one in made.search.model_searches))
    by = made.search.objective
    labels = None
    scores = []
    for right in trials:  # what each answer scores, as a worker would record it
        trial = made.search.trial(made.search.model_searches[0], "blobs", data.fingerprint, {"dense_units": 4}, None)
        labels = validation_labels(trial, data)
        scores.append(by.score(labels, answers_with(labels, first(right, IMAGES)), data.class_names))
    ann = made.searched("ann", scores, answers=[first(right, IMAGES) for right in trials])
    best = max(range(len(trials)), key=lambda place: by.gain(scores[place]))
    made.retrained("ann", ann[best], [first(30), first(34)])
    return made


def answers_with(labels: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return probabilities of 0.8 for the true class where it is right, else for the next, as made-up projects have."""
    probabilities = np.full((len(labels), 3), 0.1, np.float32)
    probabilities[np.arange(len(labels)), np.where(right, labels, (labels + 1) % 3)] = 0.8
    return probabilities


@pytest.mark.parametrize("objective", ["log_loss", "macro_f1", "balanced_accuracy"])
def test_the_luck_of_a_choice_by_another_objective_is_told_in_it(
    objective: str, tmp_path: Path, blobs: Dataset
) -> None:
    made = judged(tmp_path, blobs, objective, [9, 11])
    (luck,) = lucks(made.findings())
    by = objective_of(objective)
    assert luck.choice is not None
    assert by.gain(luck.choice.score) == pytest.approx(luck.score, abs=2e-3)  # 0.8 is kept as a 16-bit float
    assert luck.choice.luck > -0.01
    text = text_of(made)
    row = row_of(text, "ANN")
    label = by.label
    assert f"search score, {label}" in text
    assert f"retrained mean test {label}" in text
    tested = [by.score(blobs.y_test, answers_with(blobs.y_test, first(k)), blobs.class_names) for k in (30, 34)]
    assert float(row[7]) == pytest.approx(np.mean(tested), abs=1e-3)
    # 30 and 34 of 45 right are worse than 11 of 12, whichever way the objective goes.
    assert row[8].startswith("−")
    assert ("also where less is better" in text) is (objective == "log_loss")
    assert ("jackknife pseudo-value" in text) is (objective != "log_loss")
    frame = choice_frame(made.findings())
    assert list(frame["chosen_by"]) == [objective]
    assert frame[col.INTERVAL_LOW][0] <= frame["without_luck"][0] <= frame[col.INTERVAL_HIGH][0]


def test_models_of_several_objectives_say_what_each_was_chosen_by(tmp_path: Path, blobs: Dataset) -> None:
    searches = [{**RAW["search"][0], "objective": "macro_f1"}, RAW["search"][1]]
    raw = {name: part for name, part in RAW.items() if name not in ("published", "report")}
    project = Project(tmp_path, blobs, {**raw, "search": searches})
    for name, right in (("ann", 30), ("cnn", 40)):
        trials = project.searched(name, [0.5, 0.75], answers=[first(6, IMAGES), first(9, IMAGES)])
        project.retrained(name, trials[1], [first(right), first(right + 2)])
    text = text_of(project)
    assert row_of(text, "ANN")[2] == "macro F1"
    assert row_of(text, "CNN")[2] == "accuracy"


def test_a_trial_whose_score_hangs_on_one_image_is_left_out_and_counted(tmp_path: Path, blobs: Dataset) -> None:
    raw = {name: part for name, part in RAW.items() if name not in ("published", "report")}
    made = Project(tmp_path, blobs, {**raw, "objective": "precision:top"})
    trial = made.search.trial(made.search.model_searches[1], "blobs", blobs.fingerprint, {"filters_1": 4}, None)
    labels, top = validation_labels(trial, blobs), blobs.class_names.index("top")
    # A wrong answer names the next class, so that one that has "top" wrong and the class before right never names it.
    never = labels != top
    cnn = made.searched("cnn", [0.9, 0.8, 0.0], answers=[np.ones(IMAGES, bool), first(10, IMAGES), never])
    made.retrained("cnn", cnn[0], [first(40), first(42)])
    (luck,) = lucks(made.findings())
    assert luck.answers.undefined == 1
    assert [record.trial.id for record in luck.answers.records] == [cnn[0].id, cnn[1].id]
    text = text_of(made)
    assert "of 2 trials cannot be told from the best" in text or "each of the other 1 trials" in text
    assert "Left out are 1 whose score is not defined without some image." in text
    assert luck.corrected is not None
    assert 0 <= luck.corrected <= 1
    frame = choice_frame(made.findings())
    assert 0 <= frame[col.INTERVAL_LOW][0] <= frame[col.INTERVAL_HIGH][0] <= 1


@pytest.mark.parametrize(
    ("objective", "raw"), [("macro_f1", {"folds": 3}), ("judged:hits", {"direction": "max"})], ids=["folds", "own"]
)
def test_where_no_score_is_a_mean_over_images_it_is_said_that_no_luck_is_estimated(
    objective: str, raw: dict[str, object], tmp_path: Path, blobs: Dataset
) -> None:
    (tmp_path / "judged.py").write_text("def hits(y, p):\n    return float((p.argmax(1) == y).sum())\n")
    made = Project(tmp_path, blobs, {**RAW, "objective": objective, **raw})
    made.search = replace(made.search, model_searches=tuple(one.with_code() for one in made.search.model_searches))
    images = 60 if "folds" in raw else IMAGES
    ann = made.searched("ann", [0.5, 0.75], answers=[first(6, images), first(9, images)])
    made.retrained("ann", ann[1], [first(30)])
    text = text_of(made)
    assert f"ANN on blobs: chosen by {made.search.objective.label}, of which no luck is estimated." in text
    assert "choosing again" not in text
    assert luck_section(made.findings()).tables == {}


def test_luck_training_data_and_other_images_stand_apart(tmp_path: Path, blobs: Dataset) -> None:
    project = project_of(tmp_path, blobs, [9, 11, 10, 2, 3])
    (_, cnn) = lucks(project.findings())
    assert cnn.choice is not None
    row = row_of(text_of(project), "CNN")
    assert row[2:4] == ["5", "0.9167"]
    assert float(row[4].replace("−", "-")) == pytest.approx(cnn.choice.luck, abs=1e-4)
    assert float(row[5]) == pytest.approx(11 / 12 - cnn.choice.luck, abs=1e-4)
    assert row[6] == "48 → 60"
    mean = (40 + 42) / 90
    assert float(row[7]) == pytest.approx(mean, abs=1e-4)
    assert float(row[8].replace("−", "-")) == pytest.approx(mean - float(row[5]), abs=2e-4)
    # 12 and 45 images at 0.911, and the sd of 40/45 and 42/45 once for the search and by 2 retrainings
    variance = mean * (1 - mean) * (1 / 12 + 1 / 45) + np.var([40 / 45, 42 / 45], ddof=1) * (1 + 1 / 2)
    assert row[9] == f"± {1.96 * variance**0.5:.4f}"
    rest = mean - (11 / 12 - cnn.choice.luck)
    ends = signed(rest - 1.96 * variance**0.5), signed(rest + 1.96 * variance**0.5)
    assert row[10] == f"{signed(rest)} ({ends[0]} to {ends[1]})"
    told = choice_frame(project.findings()).iloc[1]
    assert told["more_training_data"] == pytest.approx(rest)
    assert told["more_training_data_high"] - told["more_training_data_low"] == pytest.approx(2 * told[OTHERS])
    assert "No record tells these two apart" in text_of(project)


def test_without_more_training_images_nothing_is_said_of_what_they_brought(tmp_path: Path, blobs: Dataset) -> None:
    (_, cnn) = lucks(project_of(tmp_path, blobs, [9, 11, 10]).findings())
    assert cnn.more_data is not None
    assert replace(cnn, fitted=(60, 60)).more_data is None
    assert replace(cnn, others=float("nan")).more_data is None
    assert replace(cnn, choice=None).more_data is None


def test_those_that_cannot_be_told_from_the_best_are_counted_and_the_smallest_is_named(
    tmp_path: Path, blobs: Dataset
) -> None:
    project = project_of(tmp_path, blobs, [11, 11, 11, 2, 3])
    text = text_of(project)
    assert "3 of 5 trials cannot be told from the best, itself included. None of them is smaller" in text
    findings = project.findings()
    smallest = findings.trials("cnn")[1].trial
    project.ledger._db.execute("UPDATE trials SET parameters = 500 WHERE trial = ?", (smallest.id,))
    text = text_of(project)
    # Now it is the smallest of equal ones, and so the best.
    assert "None of them is smaller" in text
    project.ledger._db.execute("UPDATE trials SET val_loss = 0.9 WHERE trial = ?", (smallest.id,))
    text = text_of(project)
    assert "has 500 parameters in place of 1,000 and scored 0.9167: conv_depth 1, filters_1 4" in text
    assert smallest.id[:8] in text


def test_one_far_ahead_is_told_from_all_others(tmp_path: Path, blobs: Dataset) -> None:
    assert "each of the other 4 trials is shown to be worse" in text_of(project_of(tmp_path, blobs, [12, 1, 2, 2, 3]))


def test_of_one_trial_it_is_said_that_nothing_was_chosen(tmp_path: Path, blobs: Dataset) -> None:
    text = text_of(project_of(tmp_path, blobs, [9, 11]))
    assert row_of(text, "ANN")[4:6] == ["nothing was chosen", "0.7500"]
    assert "ANN on blobs: one trial completed, so that nothing was chosen" in text
    assert "no luck of a choice is in its score." in text


def test_of_one_trial_of_each_model_it_is_said_once(tmp_path: Path, blobs: Dataset) -> None:
    text = text_of(project_of(tmp_path, blobs, [9]))
    assert "ANN and CNN on blobs: one trial of each completed, so that nothing was chosen" in text
    assert "no luck of a choice is in their scores." in text
    assert text.count("nothing was chosen and") == 1


@pytest.mark.parametrize("how", ["lost", "damaged", "never kept"])
def test_a_trial_without_answers_is_left_out_and_said(tmp_path: Path, blobs: Dataset, how: str) -> None:
    project = project_of(tmp_path, blobs, [9, 11, 10, 2, 3])
    record = project.findings().trials("cnn")[2]
    spoil(project, record.trial.id, how)
    text = text_of(project)
    assert "of 4 trials cannot be told from the best" in text
    assert "Without 1 trials whose answers are not there" not in text
    assert "One trial whose answers are not there is left out." in text
    assert row_of(text, "CNN")[2] == "5"


@pytest.mark.parametrize("how", ["lost", "damaged", "never kept"])
def test_without_the_answers_of_the_best_nothing_is_said_of_the_choice(
    tmp_path: Path, blobs: Dataset, how: str
) -> None:
    project = project_of(tmp_path, blobs, [9, 11, 10])
    spoil(project, project.findings().trials("cnn")[1].trial.id, how)
    text = text_of(project)
    assert row_of(text, "CNN")[4:6] == ["–", "–"]
    assert "CNN on blobs: the best trial's answers to what it was chosen on are not there" in text


def spoil(project: Project, trial: str, how: str) -> None:
    (file,) = project.workspace.artifacts.glob(f"{trial}*.validation.npz")
    if how == "damaged":
        file.write_bytes(file.read_bytes()[:-1] + b"?")
    elif how == "lost":
        file.unlink()
    else:
        project.ledger._db.execute("UPDATE trials SET files = '{}' WHERE trial = ?", (trial,))


def test_in_the_published_protocol_training_and_test_images_are_the_same(tmp_path: Path, blobs: Dataset) -> None:
    text = text_of(project_of(tmp_path, blobs, [40, 44, 43], published=True))
    row = row_of(text, "CNN")
    assert row[6] == "60"
    assert row[9] == f"± {1.96 * (np.var([40 / 45, 42 / 45], ddof=1) * 1.5) ** 0.5:.4f}"
    assert "is due to other seeds." in text
    assert row[10] == "no more"
    assert "No record tells" not in text
