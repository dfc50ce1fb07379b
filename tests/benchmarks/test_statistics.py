"""The simulation judges by the tool's own rule, simulates what it says, and writes its report at a tiny size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from benchmarks import cells, few_retrainings, rules, statistics, verdicts
from benchmarks.rules import Parts, parts
from benchmarks.simulated import Answers, Models, simulate
from benchmarks.verdicts import made_up_models
from tuner.analysis.pairs import adjusted, paired
from tuner.analysis.significance import holm
from tuner.analysis.variance import compare_all


def answers_of(models: list[np.ndarray]) -> Answers:
    """Return what the simulation would keep of one test set, given which images each retraining got right."""
    right = np.stack(models).astype(float)
    return Answers(np.einsum("mri,kqi->mrkq", right, right)[np.newaxis] / right.shape[2], right.shape[2])


@pytest.mark.parametrize("retrainings", [2, 3, 6])
@pytest.mark.parametrize("count", [2, 3])
def test_what_is_kept_of_a_test_set_gives_the_intervals_of_the_tool(retrainings: int, count: int) -> None:
    rng = np.random.default_rng(retrainings)
    models = [rng.random((retrainings, 200)) < share for share in (0.9, 0.8, 0.85)[:count]]
    answers = answers_of(models)
    for (a, b), expected in zip(rules.pairs_of(count), compare_all(models), strict=True):
        found = rules.kept(parts(answers, a, b))
        assert (found.low[0], found.high[0]) == pytest.approx((expected.low, expected.high))
        assert found.p[0] == pytest.approx(expected.p_value)


@pytest.mark.parametrize("retrainings", [(2, 3), (5, 2), (3, 7)])
@pytest.mark.parametrize("count", [2, 3, 4])
def test_models_with_different_numbers_of_retrainings_are_judged_as_the_tool_does(
    retrainings: tuple[int, int], count: int
) -> None:
    rng = np.random.default_rng(count)
    models = [rng.random((max(retrainings), 200)) < share for share in (0.9, 0.8, 0.85, 0.88)[:count]]
    mine = [model[: retrainings[place % 2]] for place, model in enumerate(models)]
    answers = answers_of(models).first(*retrainings)
    for (a, b), expected in zip(rules.pairs_of(count), compare_all(mine), strict=True):
        found = rules.kept(parts(answers, a, b))
        assert (found.low[0], found.high[0]) == pytest.approx((expected.low, expected.high))
        assert found.p[0] == pytest.approx(expected.p_value)


def test_comparisons_are_judged_by_what_the_command_calls() -> None:
    right = np.random.default_rng(0).random((3, 5, 300)) < np.array([0.9, 0.8, 0.85])[:, np.newaxis, np.newaxis]
    pairs = adjusted(paired(made_up_models(right, (3, 5))))
    found = {frozenset((pair.better.model, pair.worse.model)): pair for pair in pairs}
    mine = [right[0, :3], right[2, :3], right[1]]  # best first
    p = holm([one.p_value or 0.0 for one in compare_all(mine)])
    assert [found[frozenset(names)].p for names in ("02", "01", "12")] == pytest.approx(p)
    assert [pair.pairs for pair in pairs] == [3, 3, 3]


def two_models(spreads: tuple[float, float], images: float) -> Parts:
    """Return parts of two models with three retrainings each, a difference of 1 and many images."""
    one = [np.array([value]) for value in (1.0, *spreads, 1.0, 1.0, images, 0.0)]
    return Parts(one[0], (one[1], one[2]), one[3], 4.0, one[4], one[4], 2, one[5], one[6], (3, 3), 10**9)


def test_stricter_rules_have_the_degrees_of_freedom_that_are_worked_out_by_hand() -> None:
    # S are 0.3 / 3 and 0.6 / 3, so V = 0.1 + 0.2 + 0.1 = 0.4. Satterthwaite: 0.16 / (0.05 / 2) = 6.4; capped at 2 x 2
    # it is 4. Seeds of one: 0.16 / (0.09 / 2) = 32 / 9. Ratio: the quartile of F(2, 2) is 3, so at 0.3 and 0.2 it is
    # 0.36 / (0.13 / 2) = 72 / 13, and at 0.1 / 3 and 0.2 it is 4.86. Upper end: of chi-square(2) the quartile is
    # -2 ln 0.75 = 0.5754, so that S count 2 / 0.5754 = 3.476 times: (1.0428 + 0.1)^2 / (3.476^2 x 0.05 / 2).
    found = two_models((0.3, 0.6), 0.1)
    low = (0.1 / 3 + 0.3) ** 2 / ((0.01 / 9 + 0.04) / 2)
    times = 2 / (-2 * np.log(0.75))
    upper = (0.3 * times + 0.1) ** 2 / (times**2 * 0.05 / 2)
    expected = {
        few_retrainings.capped: 4.0,
        few_retrainings.of_one: 32 / 9,
        few_retrainings.ratio: min(6.4, 72 / 13, low),
        few_retrainings.upper: upper,
    }
    for rule, df in expected.items():
        assert rule(found).p[0] == pytest.approx(2 * stats.t.sf(1 / 0.4**0.5, df), rel=1e-6), rule.__name__
    # Half: 0.01 and 0.2 have the mean 0.105, so that the first counts 0.0525.
    spread = few_retrainings.half(two_models((0.03, 0.6), 0.1))
    variance = 0.0525 + 0.2 + 0.1
    df = variance**2 / ((0.0525**2 + 0.04) / 2)
    assert spread.p[0] == pytest.approx(2 * stats.t.sf(1 / variance**0.5, df), rel=1e-6)


def test_behrens_and_fishers_p_is_that_of_its_distribution() -> None:
    # Without luck of images, and with seeds of one model alone, it is a t test with two degrees of freedom.
    found = few_retrainings.behrens_fisher(two_models((0.3, 0.0), 1e-9))
    assert found.p[0] == pytest.approx(2 * stats.t.sf(1 / 0.1**0.5, 2), rel=0.01)
    drawn = np.random.default_rng(0).standard_t(2, (2, 400_000))
    sums = 0.1**0.5 * drawn[0] + 0.2**0.5 * drawn[1]
    both = few_retrainings.behrens_fisher(two_models((0.3, 0.6), 1e-9))
    assert both.p[0] == pytest.approx((np.abs(sums) > 1).mean(), rel=0.03)


def test_the_rule_before_tests_the_first_retrainings_by_mcnemar() -> None:
    # 1 against 8: 2 x (1 + 9) / 2^9; 10 against 20: chi-square (10 - 1)^2 / 30 = 2.7, whose tail is 0.1003
    for only, p in (((1, 8), 0.0390625), ((10, 20), 0.1003482)):
        a, b = np.zeros((2, 1, 100), bool)
        a[0, : only[0]] = True
        b[0, only[0] : sum(only)] = True
        assert rules.mcnemar(answers_of([a, b]), 0, 1)[0] == pytest.approx(p, rel=1e-5)


def test_many_sets_are_adjusted_after_holm_as_one_is() -> None:
    p = np.random.default_rng(0).random((20, 6)) ** 3
    assert rules.holm(p) == pytest.approx(np.array([holm(row.tolist()) for row in p]))


@pytest.mark.parametrize("heavy_tails", [False, True])
def test_models_have_the_accuracy_and_the_spread_over_seeds_that_they_are_given(heavy_tails: bool) -> None:
    models = Models((0.9, 0.8), (0.05, 0.02), heavy_tails)
    accuracies = simulate(models, 4_000, 40, 40, np.random.default_rng(1)).accuracies
    assert accuracies.mean(axis=(0, 2)) == pytest.approx([0.9, 0.8], abs=0.006)
    assert accuracies.std(axis=2).mean(axis=0) == pytest.approx([0.05, 0.02], rel=0.15)


def test_the_report_is_written_and_the_same_sets_give_the_same_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells, "IMAGES", (40,))
    monkeypatch.setattr(cells, "GAPS", {40: 0.05})
    path = tmp_path / "statistics.md"
    monkeypatch.setattr("sys.argv", ["statistics", "--sets", "4", "--report", str(path)])
    statistics.main()
    text = path.read_text(encoding="utf-8")
    assert statistics.report(4) in text
    for heading in (
        "## Coverage",
        "## False verdicts",
        "## False verdicts of `tuner compare`",
        "## Power",
        "## Power among several models",
        "## Different numbers of retrainings",
        "## Several splits",
        "## Would a stricter rule do at few retrainings?",
        "## What was kept, and why",
        "Written by",
    ):
        assert heading in text
    rows = [line for line in text.splitlines() if line.startswith("| 40 ")]
    of_tables = {
        "coverage": 7 * 4,
        "searches": 7 * 4,
        "compared": 2 * 2,
        "power": 7 * 4,
        "powers": 6 * 3 * 2,
        "uneven": 2 * len(verdicts.UNEVEN),
        "stuck": 2 * 3 * 2,
        "spreads seen": 4 * 3,
    }
    assert len(rows) == sum(of_tables.values())
