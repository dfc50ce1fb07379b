"""What the report shows of classes over all retrainings."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up import Project, first
from sklearn.metrics import f1_score
from written import words

from tuner.analysis.class_scores import class_differences
from tuner.analysis.scoring import averages, per_class
from tuner.analysis.variance import compare
from tuner.datasets.base import Dataset
from tuner.figures.style import report_style
from tuner.report.class_pairs import class_pairs_section, retrainings_section
from tuner.report.classes import f1_section


def test_metrics_of_classes_are_means_with_their_spread_in_table_and_file(project: Project) -> None:
    with report_style():
        section = f1_section(project.findings())
    assert section is not None
    frame = section.tables["per_class.csv"]
    row = frame.loc[frame["f1_sd"].idxmax()]
    assert f"{row['f1_mean']:.4f} ± {row['f1_sd']:.4f}" in words(section)
    assert row["f1_sd"] > 0
    assert row["repeats"] == 2


def test_the_best_two_models_are_set_against_each_other_in_each_class(project: Project) -> None:
    section = class_pairs_section(project.findings())
    assert section is not None
    assert "**CNN − ANN on blobs**" in words(section)
    frame = section.tables["class_differences.csv"]
    assert len(frame) == 3 * 3 + 3
    assert (frame["ci_low"] <= frame["difference"]).all()
    assert (frame["difference"] <= frame["ci_high"]).all()


def test_the_difference_of_the_macro_average_is_the_mean_of_classes_that_occur(tmp_path: Path, blobs: Dataset) -> None:
    """Its interval is that of the mean of the classes' pseudo-values: here by leaving out each image, by hand."""
    made = Project(tmp_path, replace(blobs, y_test=np.arange(45) % 2))  # the third class has no test image
    right = {model: [first(count) for count in counts] for model, counts in {"ann": [30, 33], "cnn": [44, 41]}.items()}
    for model, told in right.items():
        made.retrained(model, made.searched(model, [0.5])[0], told)
    findings = made.findings()
    ann, cnn = findings.on("blobs")
    found = {(label, name): difference for _, _, label, name, difference in class_differences([(cnn, ann)])}
    macro = found[None, "f1"]
    assert macro.mean == pytest.approx((found[0, "f1"].mean + found[1, "f1"].mean) / 2)
    assert macro.mean == pytest.approx(
        np.mean([f1_score(p.labels, p.predicted, labels=[0, 1], average="macro") for p in cnn.all_predictions])
        - np.mean([f1_score(p.labels, p.predicted, labels=[0, 1], average="macro") for p in ann.all_predictions])
    )

    def pseudo(labels: np.ndarray, named: np.ndarray) -> list[np.floating]:
        whole = f1_score(labels, named, labels=[0, 1], average="macro")
        parts = [f1_score(np.delete(labels, i), np.delete(named, i), labels=[0, 1], average="macro") for i in range(45)]
        return [whole + 44 * (np.mean(parts) - part) for part in parts]  # shifted, so that their mean is the whole

    by_hand = compare(*([pseudo(p.labels, p.predicted) for p in chosen.all_predictions] for chosen in (cnn, ann)))
    assert (macro.mean, macro.low, macro.high) == pytest.approx((by_hand.mean, by_hand.low, by_hand.high))
    section = class_pairs_section(findings)
    assert section is not None
    assert f"| *macro average* | {macro.mean:+.4f} (" in re.sub(" +", " ", words(section)).replace("−", "-")


def test_every_retraining_is_listed_with_its_scores(project: Project) -> None:
    findings = project.findings()
    section = retrainings_section(findings)
    assert section is not None
    frame = section.tables["retrainings.csv"]
    assert frame["seed"].tolist() == [1, 2, 1, 2]
    assert frame["saved"].tolist() == [True, False, True, False]
    every = [predictions for chosen in findings.chosen for predictions in chosen.all_predictions]
    assert frame["test_accuracy"].tolist() == [predictions.accuracy for predictions in every]
    assert frame["macro_f1"].tolist() == [averages(per_class(predictions))["f1"][0] for predictions in every]
    assert words(section).count(", saved |") == 2
