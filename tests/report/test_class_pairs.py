"""What the report shows of classes over all retrainings."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up import Project, first
from matplotlib.collections import PathCollection
from sklearn.metrics import f1_score
from written import figures_of, words

from tuner.analysis.class_scores import class_differences
from tuner.analysis.findings import Findings
from tuner.analysis.scoring import averages, per_class
from tuner.analysis.variance import compare
from tuner.contents.sections import Section
from tuner.datasets.base import Dataset
from tuner.figures.style import report_style
from tuner.report.class_pairs import class_pairs_section, retrainings_section
from tuner.report.classes import confusion_section, f1_section, roc_section


def test_metrics_of_classes_are_means_with_their_spread_in_table_and_file(project: Project) -> None:
    with report_style():
        section = f1_section(project.findings())
    assert section is not None
    frame = section.tables["per_class.csv"]
    row = frame.loc[frame["f1_sd"].idxmax()]
    assert f"{row['f1_mean']:.4f} ± {row['f1_sd']:.4f}" in words(section)
    assert row["f1_sd"] > 0
    assert row["repeats"] == 2


def test_the_figures_of_classes_have_a_dot_for_each_retraining(project: Project) -> None:
    findings = project.findings()
    section = f1_section(findings)
    assert section is not None
    f1, areas = figures_of(section).values()
    assert [axes.get_ylabel() for axes in [*f1.axes, *areas.axes]] == ["F1", "ROC AUC", "average precision"]
    for axes, name in zip([*f1.axes, *areas.axes], ("f1", "roc_auc", "average_precision"), strict=True):
        dots = [points for points in axes.collections if isinstance(points, PathCollection)]
        for points, chosen in zip(dots, findings.on("blobs"), strict=True):
            every = np.concatenate([per_class(one)[name] for one in chosen.all_predictions])
            assert np.asarray(points.get_offsets())[:, 1] == pytest.approx(every)
            assert len(every) == 2 * 3  # retrainings and classes
    captions = [picture.caption for picture in section.pictures]
    assert captions[0].startswith("F1 of each class on the test images of blobs. A point is a retraining")
    assert captions[1].startswith("ROC AUC and average precision of each class on the test images of blobs. A point is")


@pytest.mark.parametrize("make", [roc_section, confusion_section])
def test_a_figure_of_saved_models_says_which_retraining_each_is(
    make: Callable[[Findings], Section | None], project: Project, tmp_path: Path, blobs: Dataset
) -> None:
    findings = project.findings()
    assert "of the saved models alone, of each the first of 2 retrainings" in caption(make, findings)
    one = replace(findings, chosen=findings.chosen[:1])
    assert "of the saved model alone, the first of 2 retrainings" in caption(make, one)
    made = Project(tmp_path / "uneven", blobs)
    made.retrained("ann", made.searched("ann", [0.5])[0], [first(30)])
    made.retrained("cnn", made.searched("cnn", [0.5])[0], [first(30), first(31), first(32)])
    said = "of the saved models alone: of ANN the only retraining and of CNN the first of 3 retrainings"
    assert said in caption(make, made.findings())


def caption(make: Callable[[Findings], Section | None], findings: Findings) -> str:
    section = make(findings)
    assert section is not None
    return section.pictures[0].caption


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
