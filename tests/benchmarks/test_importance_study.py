"""The study of importance: its cases, at a size that only shows that it runs and does not deny its own report."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.importance import CASES, Case, report, study, true_share


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_is_covered_and_names_nothing_that_does_not_matter(case: Case) -> None:
    outcome = study(case, 3)
    assert min(outcome.covered.values()) >= 1 / 3
    assert outcome.falsely <= 1 / 3
    assert case.name in report([outcome], 3)


def test_the_true_shares_are_those_worked_out_by_hand() -> None:
    named = {case.name: case for case in CASES}
    both = named["two add up"]
    trials = both.trials(np.random.default_rng(0))
    # Variances over 53 of 54: depth 2/3, rate 0.5625, and 0.37**2 of noise
    whole = (2 / 3 + 0.5625) * 54 / 53 + 0.37**2
    assert true_share(both, trials, ("depth",)) == pytest.approx(2 / 3 * 54 / 53 / whole, rel=1e-6)
    assert true_share(both, trials, ("filters",)) == 0
    either = named["either of two alone (XOR), grid of 36"]
    trials = either.trials(np.random.default_rng(0))
    assert true_share(either, trials, ("flip",)) == pytest.approx(0.25 * 36 / 35 / (0.25 * 36 / 35 + 0.15**2), rel=1e-6)
