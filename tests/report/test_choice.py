"""What a report says of how its models came about holds, and is not said where it does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from made_up import RAW, Project, first

from tuner.datasets.base import Dataset
from tuner.report.choice import choice_in_words, chosen_by_in_words


def told(
    folder: Path, data: Dataset, trials: dict[str, list[float | None]], retrainings: int = 2, **changed: object
) -> str:
    made = Project(folder, data, {**RAW, **changed})
    for model, scores in trials.items():
        searched = made.searched(model, scores)
        best = max(range(len(scores)), key=lambda k: scores[k] or 0)
        made.retrained(model, searched[best], [first(30 + k) for k in range(retrainings)])
    return choice_in_words(made.findings())


def test_several_trials_are_counted_where_they_completed(tmp_path: Path, blobs: Dataset) -> None:
    assert told(tmp_path, blobs, {"ann": [0.5, 0.6], "cnn": [0.7, 0.8, None, 0.9]}) == (
        "CNN was chosen on validation images, as the best of 3 trials. ANN was chosen on validation images, as the "
        "best of 2 trials. The best of several is flattered by luck. Each configuration was then trained again with "
        "other seeds, on all training images, those for validation included, and scored on the test set."
    )


def test_of_one_trial_nothing_was_chosen_and_nothing_is_flattered(tmp_path: Path, blobs: Dataset) -> None:
    assert told(tmp_path, blobs, {"ann": [0.5, None]}, retrainings=1) == (
        "ANN had one completed trial, so that nothing was chosen. It was then trained again with another seed, on all "
        "training images, those for validation included, and scored on the test set."
    )


def test_of_an_objective_of_ones_own_each_ones_mean_is_said(tmp_path: Path, blobs: Dataset) -> None:
    (tmp_path / "judged.py").write_text("def hits(y, p):\n    return float((p.argmax(1) == y).sum())\n")
    made = Project(tmp_path, blobs, {**RAW, "objective": "judged:hits", "direction": "max"})
    made.search = replace(made.search, model_searches=tuple(one.with_code() for one in made.search.model_searches))
    for model, right in (("ann", [30, 32]), ("cnn", [40, 44])):
        made.retrained(model, made.searched(model, [0.5])[0], [first(count) for count in right])
    (text,) = chosen_by_in_words(made.findings())
    assert text == (
        "Chosen by hits; what is compared here is test accuracy. In hits on blobs, CNN scores 42.0000 ± 2.8284 over "
        "its retrainings and ANN 31.0000 ± 1.4142; of an objective of one's own no interval is computed."
    )


def test_models_of_many_trials_and_of_one_are_told_apart(tmp_path: Path, blobs: Dataset) -> None:
    text = told(tmp_path, blobs, {"ann": [0.5], "cnn": [0.7, 0.8]})
    assert text.startswith("CNN was chosen on validation images, as the best of 2 trials. ANN had one completed trial")


def test_the_published_protocol_chooses_on_the_test_set_and_holds_nothing_out(tmp_path: Path, blobs: Dataset) -> None:
    text = told(tmp_path, blobs, {"ann": [0.5, 0.6]}, protocol="published")
    assert "ANN was chosen on the test set, as the best of 2 trials." in text
    assert "on the same training images, and scored" in text
    assert "validation" not in text
