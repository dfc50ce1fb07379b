"""What the report shows of classes over all retrainings."""

from __future__ import annotations

from made_up import Project
from written import words

from tuner.analysis.scoring import averages, per_class
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
    assert len(frame) == 3 * 3
    assert (frame["ci_low"] <= frame["difference"]).all()
    assert (frame["difference"] <= frame["ci_high"]).all()


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
