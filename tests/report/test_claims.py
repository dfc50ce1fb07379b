"""Claims of a study: each verdict where it is due, what is missing for others, and what is said first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up import KERNEL, RAW, Project, first, three_retrained, with_histories
from written import rows_of, words

from tuner.analysis.claims import Answer, answers_to_claims
from tuner.analysis.findings import Findings
from tuner.analysis.pairs import judged_on
from tuner.contents.cells import p_text
from tuner.datasets.base import Dataset
from tuner.report.claims import claims_in_words, claims_section
from tuner.report.summary import verdict
from tuner.report.timing import timing_section
from tuner.search_file.overrides import Overrides

#: Retrainings that are told apart for certain, and some that are not.
APART = {"ann": [30, 31, 30], "cnn": [44, 44, 43]}
CLOSE = {"ann": [40, 41, 40], "cnn": [41, 40, 41]}


def found(
    folder: Path,
    data: Dataset,
    *claims: dict[str, Any],
    right: dict[str, list[int]] | None = None,
    scores: dict[str, list[float | None]] | None = None,
    **raw: Any,
) -> Findings:
    published = {"study": "S", "claims": [{"says": "It is so.", **claim} for claim in claims]}
    project = Project(folder, data, {**RAW, "report": {}, "repeats": 3, "published": published, **raw})
    for name in project.search.datasets[1:]:
        project.add_data(name, replace(data, x_test=data.x_test[::-1], y_test=data.y_test[::-1]))
    for model, reached in {"ann": [0.5], "cnn": [0.9], **(scores or {})}.items():
        for dataset in project.search.datasets:
            trials = project.searched(model, reached, dataset)
            counts = (right or {}).get(f"{model} on {dataset}", (right or {}).get(model))
            if counts:
                project.retrained(model, trials[int(np.argmax(reached))], [first(k) for k in counts], dataset)
    return project.findings()


def answer(folder: Path, data: Dataset, claim: dict[str, Any], **more: Any) -> Answer:
    (one,) = answers_to_claims(found(folder, data, claim, **more))
    return one


def test_models_that_are_far_apart_but_not_shown_to_be_after_holm_are_told_as_that(
    tmp_path: Path, blobs: Dataset
) -> None:
    published = {"study": "S", "claims": [{"says": "It hardly matters.", "alike": ["one", "two", "three"]}]}
    right = ([30, 34, 32], [26, 28, 25], [27, 32, 30])
    findings = three_retrained(tmp_path, blobs, *right, published=published).findings()
    told = row(findings)
    pair = next(p for p in judged_on(findings, "blobs") if {p.better.model, p.worse.model} == {"one", "two"})
    assert pair.matters
    assert not pair.proven
    assert told[2] == "cannot tell"
    said = f"after Holm the difference is not shown (p {p_text(pair.p or 0)}). Missing: more retrainings."
    assert told[3] == f"Between one and two the interval lies beyond 0.5 points, but {said}"


def row(findings: Findings) -> list[str]:
    section = claims_section(findings)
    assert section is not None
    (only,) = rows_of(words(section), "claim")
    return only


@pytest.mark.parametrize(
    ("claim", "right", "said", "why"),
    [
        ({"order": ["cnn", "ann"]}, APART, "holds", "The difference is shown (p < 0.001)."),
        ({"best": "cnn"}, APART, "holds", "The difference is shown"),
        ({"order": ["ann", "cnn"]}, APART, "**does not hold**", "The opposite is shown of ANN and CNN (p < 0.001)."),
        ({"order": ["cnn", "ann"]}, CLOSE, "cannot tell", "on one would have been. Missing: more retrainings."),
        ({"order": ["cnn", "ann"]}, {"ann": [40], "cnn": [41]}, "cannot tell", "Missing: several retrainings"),
        ({"order": ["cnn", "ann"]}, {"cnn": [41, 41]}, "cannot tell", "Missing: ann."),
        ({"alike": ["cnn", "ann"]}, APART, "**does not hold**", "CNN and ANN are shown to differ"),
        ({"alike": ["cnn", "ann"]}, CLOSE, "cannot tell", "too wide to tell whether it matters"),
        ({"at_least": ["cnn", "ann"]}, APART, "holds", "At most 0.5 points behind"),
        ({"at_least": ["ann", "cnn"]}, APART, "**does not hold**", "The opposite is shown"),
        ({"order": ["ann", "cnn"], "by": "loss"}, APART, "holds", "The difference is shown"),
        ({"order": ["cnn", "ann"], "by": "loss"}, APART, "**does not hold**", "The opposite is shown"),
    ],
)  # fmt: skip
def test_models_are_judged_by_the_statistics_of_their_retrainings(
    tmp_path: Path, blobs: Dataset, claim: dict[str, Any], right: dict[str, list[int]], said: str, why: str
) -> None:
    told = row(found(tmp_path, blobs, claim, right=right))
    assert told[2] == said
    assert why in told[3]


@pytest.mark.parametrize(
    ("claim", "said"),
    [({"order": ["cnn", "ann"]}, "does not hold"), ({"alike": ["cnn", "ann"]}, "holds"),
     ({"at_least": ["ann", "cnn"]}, "holds")],
)  # fmt: skip
def test_a_difference_that_is_too_small_to_matter_is_none(
    tmp_path: Path, blobs: Dataset, claim: dict[str, Any], said: str
) -> None:
    assert answer(tmp_path, blobs, claim, right=CLOSE, report={"matters": 0.5}).verdict == said


def test_an_order_of_several_needs_all_its_pairs_and_fails_by_one(tmp_path: Path, blobs: Dataset) -> None:
    search = [{"family": "ann", "name": name, "space": {"dense_units": 4 + k}} for k, name in enumerate("abc")]
    right = {"a": [44, 44, 43], "b": [30, 31, 30], "c": [10, 11, 10]}
    scores: dict[str, Any] = {"a": [0.9], "b": [0.8], "c": [0.7], "ann": [], "cnn": []}
    claims = [{"order": list(order)} for order in ("abc", "acb", "bac")]
    published = {"study": "S", "claims": [{"says": "So.", **one} for one in claims]}
    project = Project(tmp_path, blobs, {**RAW, "report": {}, "search": search, "published": published})
    for name in "abc":
        project.retrained(name, project.searched(name, scores[name])[0], [first(k) for k in right[name]])
    answers = answers_to_claims(project.findings())
    assert [one.verdict for one in answers] == ["holds", "does not hold", "does not hold"]
    assert [[pair.says for pair in one.pairs] for one in answers] == [
        ["yes", "yes", "yes"], ["yes", "yes", "no"], ["no", "yes", "yes"]
    ]  # fmt: skip


def test_nothing_is_judged_of_models_that_were_validated_on_the_images_that_score_them(
    tmp_path: Path, blobs: Dataset
) -> None:
    told = row(found(tmp_path, blobs, {"order": ["cnn", "ann"]}, right=APART, protocol="published"))
    assert told[2:] == [
        "cannot tell", "Each was validated on the test images that score it. Missing: the holdout protocol."
    ]  # fmt: skip


def test_values_of_a_parameter_are_compared_over_all_trials_that_have_them(tmp_path: Path, blobs: Dataset) -> None:
    scores: dict[str, list[float | None]] = {"cnn": [0.3, 0.31, 0.9, 0.91, 0.9, 0.92]}  # two of depth 1, four of 2
    claims = [{"order": order, "parameter": "conv_depth"} for order in ([2, 1], [1, 2], [2, 3])]
    answers = answers_to_claims(found(tmp_path, blobs, *claims, scores=scores))
    assert [one.verdict for one in answers] == ["holds", "does not hold", "cannot tell"]
    assert [len(one.values) for one in answers[0].measured] == [4, 2]
    assert (answers[2].missing, answers[2].absent) == ("absent", "3")


def test_values_of_a_parameter_are_compared_where_others_are_fixed(tmp_path: Path, blobs: Dataset) -> None:
    search = [{"family": "ann", "space": {"dense_units": [4, 8], "dropout": [0.0, 0.5]}}]
    claim = {"says": "So.", "order": [8, 4], "parameter": "dense_units", "where": {"dropout": 0.0}}
    free = {key: value for key, value in claim.items() if key != "where"}
    published = {"study": "S", "claims": [claim, free]}
    project = Project(tmp_path, blobs, {**RAW, "report": {}, "search": search, "published": published})
    scores = {(4, 0.0): 0.25, (4, 0.5): 0.95, (8, 0.0): 0.75, (8, 0.5): 0.5}
    grid = [(values["dense_units"], values["dropout"]) for values in project.search.model_searches[0].space.grid()]
    trials = project.searched("ann", [scores[one] for one in grid])
    project.retrained("ann", trials[grid.index((4, 0.5))], [first(44), first(44), first(43)])
    findings = project.findings()
    fixed, among_all = answers_to_claims(findings)
    assert [one.values.tolist() for one in fixed.measured] == [[0.75], [0.25]]
    assert [sorted(one.values) for one in among_all.measured] == [[0.5, 0.75], [0.25, 0.95]]
    section = claims_section(findings)
    assert section is not None
    told = rows_of(words(section), "claim")
    assert [row[-1].endswith("Of the trials with dropout 0.") for row in told] == [True, False]


def test_the_best_of_values_is_set_against_every_other_one(tmp_path: Path, blobs: Dataset) -> None:
    search = [{"family": "ann", "space": {"dense_units": [4, 8, 16]}}]
    claims = [{"says": "So.", "best": units, "parameter": "dense_units"} for units in (8, 4)]
    project = Project(
        tmp_path,
        blobs,
        {**RAW, "report": {}, "search": search, "published": {"study": "S", "claims": claims}},
    )
    trials = project.searched("ann", [0.1, 0.95, 0.2], answers=[first(k, 12) for k in (1, 12, 2)])
    project.retrained("ann", trials[1], [first(44), first(44), first(43)])
    best, worst = answers_to_claims(project.findings())
    assert (best.verdict, worst.verdict) == ("holds", "does not hold")
    assert [(pair.first, pair.second) for pair in best.pairs] == [
        ("dense_units 8", "dense_units 4"), ("dense_units 8", "dense_units 16")
    ]  # fmt: skip


def test_trials_at_chance_are_counted_and_named(tmp_path: Path, blobs: Dataset) -> None:
    told = row(found(tmp_path / "some", blobs, {"at_chance": True}, scores={"ann": [0.3, 0.99], "cnn": [0.99]}))
    assert told[1:3] == ["1 of 3 trials never left chance: ANN at dense_units 4", "holds"]
    told = row(found(tmp_path / "none", blobs, {"at_chance": True}, scores={"ann": [0.99], "cnn": [0.99]}))
    assert told[1:3] == ["0 of 2 trials never left chance", "**does not hold**"]


def test_a_lead_that_is_larger_on_one_data_set_is_a_difference_of_differences(tmp_path: Path, blobs: Dataset) -> None:
    gains = {"model": "cnn", "over": "ann", "on": "blobs", "than": "others"}
    turned = {**gains, "on": "others", "than": "blobs"}
    right = {"ann on blobs": [10, 11, 10], "cnn": [44, 44, 43], "ann on others": [43, 44, 44]}
    findings = found(tmp_path, blobs, {"gains": gains}, {"gains": turned}, right=right, dataset=["blobs", "others"])
    answers = answers_to_claims(findings)
    assert [one.verdict for one in answers] == ["holds", "does not hold"]
    assert answers[0].pairs[2].difference is not None
    assert answers[0].pairs[2].difference.mean == pytest.approx((44 + 44 + 43 - 10 - 11 - 10) / 3 / 45)


@pytest.mark.parametrize(
    ("score", "right", "said"),
    [(0.95, [30, 31, 30], "holds"), (0.30, [30, 31, 30], "does not hold"), (0.70, [30, 31, 20], "cannot tell"),
     (0.95, [30], "cannot tell")],
)  # fmt: skip
def test_a_choice_flatters_where_its_score_is_above_what_retrainings_reach(
    tmp_path: Path, blobs: Dataset, score: float, right: list[int], said: str
) -> None:
    claim = {"flattered": "ann"}
    got = answer(tmp_path, blobs, claim, right={"ann": right}, scores={"ann": [score]}, protocol="published")
    assert got.verdict == said


def test_gap_roughness_epochs_and_time_come_of_the_recorded_curves(tmp_path: Path, blobs: Dataset) -> None:
    claims = [
        {"order": ["ann", "cnn"], "by": "gap"},
        {"order": ["ann", "cnn"], "by": "roughness"},
        {"order": ["cnn", "ann"], "by": "epochs", "reach": 0.9},
        {"order": ["cnn", "ann"], "by": "seconds"},
    ]
    findings = found(tmp_path, blobs, *claims, right=APART)
    smooth, rough = [1 - 0.05 * k for k in range(12)], [1.0, 0.2] * 6
    histories = {
        "ann": {"accuracy": [0.95] * 12, "val_accuracy": [0.35] * 12, "loss": rough},
        "cnn": {"accuracy": [0.5] * 11 + [0.95], "val_accuracy": [0.95] * 12, "loss": smooth},
    }
    findings = with_histories(findings, **histories)
    gap, roughness, epochs, seconds = answers_to_claims(findings)
    assert [one.mean for one in gap.measured] == pytest.approx([0.6, 0.0])
    assert [one.mean for one in roughness.measured] == pytest.approx([0.8, 0.0])
    assert (roughness.verdict, roughness.pairs[0].p) == ("holds", pytest.approx(2 * 0.5**10))
    assert [one.values.tolist() for one in epochs.measured] == [[12] * 4, [1] * 4]
    assert epochs.verdict == "holds"
    assert len(seconds.measured[0].values) == 4


def test_what_a_clock_measured_stands_in_the_section_of_times_alone(tmp_path: Path, blobs: Dataset) -> None:
    findings = found(tmp_path, blobs, {"order": ["cnn", "ann"], "by": "seconds"}, right=APART)
    assert row(findings) == ["It is so.", "see [Time](#time)", "see [Time](#time)", "a clock measured it"]
    section = claims_section(findings)
    assert section is not None
    assert section.tables["claims.csv"].loc[0, "verdict"] == "time"
    assert claims_in_words(findings) == ["The one claim of the study is about time."]
    timed = timing_section(findings)
    assert timed is not None
    assert rows_of(words(timed), "claim")[0][0] == "It is so."


def test_the_gradient_before_training_is_compared_over_watched_trainings(tmp_path: Path, blobs: Dataset) -> None:
    findings = found(tmp_path, blobs, {"order": ["cnn", "ann"], "by": "gradient"}, right=APART)
    norms = {"ann": iter([1e-6, 1.1e-6, 1.2e-6, 1.1e-6]), "cnn": iter([0.1, 0.11, 0.12, 0.1])}

    def seen(record: Any, model: str) -> Any:
        notes = {"conv_1": {"gradient_norm": [next(norms[model]), 1.0], "kernel": [KERNEL] * 2}}
        return replace(record, result=replace(record.result, watched=notes))

    trials = tuple((one, seen(record, one.model)) for one, record in findings.search_trials)
    finals = {record.trial.id: record for _, record in trials}
    chosen = tuple(replace(c, finals=tuple(finals[r.trial.id] for r in c.finals)) for c in findings.chosen)
    told = row(replace(findings, search_trials=trials, chosen=chosen))
    assert told[2] == "holds"
    assert told[1].startswith("gradient at the first layer before training CNN 0.107 (0.1 to 0.12); ANN 1.1e-06")


def test_what_ours_contradicts_is_said_first_and_in_the_verdict(tmp_path: Path, blobs: Dataset) -> None:
    claims = [
        {"says": "The CNN is better.", "order": ["cnn", "ann"]},
        {"says": "The *ANN* is better.", "order": ["ann", "cnn"]},
        {"says": "It is asked elsewhere.", "elsewhere": "another"},
        {"says": "Nobody knows.", "open": "There is no such thing.", "why": "Nor was there."},
    ]
    smaller = found(tmp_path, blobs, *claims, right=APART)
    findings = replace(smaller, search=replace(smaller.search, overrides=Overrides()))
    section = claims_section(findings)
    assert section is not None
    text = words(section)
    again = claims_section(findings)
    assert again is not None
    assert (words(again), "(claims.csv)" in text) == (text, True)
    assert text.index("Ours contradicts the study where it says:\n\n- The \\*ANN\\* is better.") < text.index("| claim")
    assert [cells[2] for cells in rows_of(text, "claim")] == [
        "**does not hold**",
        "holds",
        "cannot tell",
        "see `another`",
    ]
    assert rows_of(text, "claim")[2][3] == "There is no such thing. Nor was there."
    counted = "Of 4 claims of the study, 1 does not hold, 1 holds, 1 cannot be told and 1 is answered by another search"
    assert f"{counted}:" in text
    assert verdict(findings)[-1] == f"{counted}. **Ours contradicts it** where it says “The \\*ANN\\* is better”."
    assert section.tables["claims.csv"]["verdict"].tolist() == ["holds", "does not hold", "elsewhere", "cannot tell"]
    assert "smaller budget" not in text
    section = claims_section(smaller)
    assert section is not None
    text = words(section)
    assert "Ours, after a smaller budget than its own, contradicts the study where it says:" in text
    assert [cells[3].count("That is after a smaller budget.") for cells in rows_of(text, "claim")] == [1, 0, 0, 0]
    said = "**Ours contradicts it**, after a smaller budget, where it says “The \\*ANN\\* is better”."
    assert verdict(smaller)[-1] == f"{counted}. {said}"


def test_a_search_without_claims_has_no_such_section(project: Project) -> None:
    assert claims_section(project.findings()) is None
    assert claims_in_words(project.findings()) == []
