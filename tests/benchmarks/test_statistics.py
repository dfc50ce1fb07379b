"""The simulation judges by the tool's own rule, simulates what it says, and writes its report at a tiny size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import simulated, statistics
from benchmarks.simulated import Answers, Models, parts, simulate
from tuner.analysis.significance import holm
from tuner.analysis.variance import FEW, compare_all


def answers_of(models: list[np.ndarray]) -> Answers:
    """Return what the simulation would keep of one test set, given which images each retraining got right."""
    right = np.stack(models).astype(float)
    return Answers(np.einsum("mri,kqi->mrkq", right, right)[np.newaxis] / right.shape[2], right.shape[2])


@pytest.mark.parametrize("retrainings", [2, 3, FEW + 1])
@pytest.mark.parametrize("count", [2, 3])
def test_what_is_kept_of_a_test_set_gives_the_intervals_of_the_tool(retrainings: int, count: int) -> None:
    rng = np.random.default_rng(retrainings)
    models = [rng.random((retrainings, 200)) < share for share in (0.9, 0.8, 0.85)[:count]]
    answers = answers_of(models)
    for (a, b), expected in zip(simulated.pairs_of(count), compare_all(models), strict=True):
        found = simulated.kept(parts(answers, a, b))
        assert (found.low[0], found.high[0]) == pytest.approx((expected.low, expected.high))
        assert found.p[0] == pytest.approx(expected.p_value)


def test_the_rule_before_tests_the_first_retrainings_by_mcnemar() -> None:
    # 1 against 8: 2 x (1 + 9) / 2^9; 10 against 20: chi-square (10 - 1)^2 / 30 = 2.7, whose tail is 0.1003
    for only, p in (((1, 8), 0.0390625), ((10, 20), 0.1003482)):
        a, b = np.zeros((2, 1, 100), bool)
        a[0, : only[0]] = True
        b[0, only[0] : sum(only)] = True
        assert simulated.mcnemar(answers_of([a, b]), 0, 1)[0] == pytest.approx(p, rel=1e-5)


def test_many_sets_are_adjusted_after_holm_as_one_is() -> None:
    p = np.random.default_rng(0).random((20, 6)) ** 3
    assert simulated.holm(p) == pytest.approx(np.array([holm(row.tolist()) for row in p]))


@pytest.mark.parametrize("heavy_tails", [False, True])
def test_models_have_the_accuracy_and_the_spread_over_seeds_that_they_are_given(heavy_tails: bool) -> None:
    models = Models((0.9, 0.8), (0.05, 0.02), heavy_tails)
    accuracies = simulate(models, 4_000, 40, 40, np.random.default_rng(1)).accuracies
    assert accuracies.mean(axis=(0, 2)) == pytest.approx([0.9, 0.8], abs=0.006)
    assert accuracies.std(axis=2).mean(axis=0) == pytest.approx([0.05, 0.02], rel=0.15)


def test_the_report_is_written_and_the_same_sets_give_the_same_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "IMAGES", (40,))
    monkeypatch.setattr(statistics, "GAPS", {40: 0.05})
    path = tmp_path / "statistics.md"
    monkeypatch.setattr("sys.argv", ["statistics", "--sets", "4", "--report", str(path)])
    statistics.main()
    text = path.read_text(encoding="utf-8")
    assert statistics.report(4) in text
    for heading in (
        "## Coverage",
        "## False verdicts",
        "## Power",
        "## Power among several models",
        "## Several splits",
        "## What was kept, and why",
        "Written by",
    ):
        assert heading in text
    rows = [line for line in text.splitlines() if line.startswith("| 40 ")]
    assert len(rows) == 7 * 4 + 5 * 4 + 5 * 4 + 3 * 2 + 2 * 3 * 2
