"""What matters in searches whose truth is known, with shares worked out by hand."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tuner.analysis.coded_trials import CodedTrials
from tuner.analysis.importance import Importance, importance, varying_parameters


def grid(**domains: list[Any]) -> list[dict[str, Any]]:
    return [dict(zip(domains, values, strict=True)) for values in itertools.product(*domains.values())]


#: 3 * 2 * 3 * 3 = 54 trials: two numbers, one of them over decades, a string and a number of units.
WHOLE = grid(
    depth=[1, 2, 3], learning_rate=[0.1, 0.001], optimizer=["adam", "sgd", "rmsprop"], filters=[8, 16, 32]
)  # fmt: skip


def measured(
    configurations: list[dict[str, Any]], truth: Callable[[dict[str, Any]], float], noise: float, seed: int = 0
) -> np.ndarray:
    return np.array([truth(c) for c in configurations]) + noise * np.random.default_rng(seed).standard_normal(
        len(configurations)
    )


def shares(found: Importance | None) -> dict[str, float]:
    assert found is not None
    return {effect.parameters[0]: effect.share for effect in found.effects}


def names_of(found: Importance | None) -> list[str]:
    assert found is not None
    return [effect.parameters[0] for effect in found.outstanding]


def test_one_parameter_that_matters_has_its_share_of_the_variance_and_the_others_have_none() -> None:
    # Variance 2/3 from the depths 1, 2, 3 and 0.4**2 from noise: 0.667 / 0.827 = 0.81
    found = importance(WHOLE, measured(WHOLE, lambda c: c["depth"], 0.4))
    assert names_of(found) == ["depth"]
    assert shares(found)["depth"] == pytest.approx(0.81, abs=0.1)
    assert max(abs(share) for name, share in shares(found).items() if name != "depth") < 0.05
    assert found is not None
    assert found.outstanding_interaction is None
    assert found.effects[0].interval.low < 0.81 < found.effects[0].interval.high
    assert 0.6 < found.explained < 0.85


def test_parameters_that_add_up_share_the_variance() -> None:
    # The rates add 0 or 1.5, variance 0.5625, and the depths 0.667: 0.41, 0.49, and noise has 0.10
    found = importance(WHOLE, measured(WHOLE, lambda c: c["depth"] + 1.5 * (c["learning_rate"] > 0.01), 0.37))
    assert names_of(found) == ["depth", "learning_rate"]
    assert shares(found)["depth"] == pytest.approx(0.49, abs=0.1)
    assert shares(found)["learning_rate"] == pytest.approx(0.41, abs=0.1)


def test_two_that_matter_only_together_are_found_with_their_interaction() -> None:
    # A trial is good if exactly one of two holds, so that the means of either's values are equal.
    trials = grid(flip=[False, True], batch_norm=[False, True], filters=[8, 16, 32], dropout=[0.0, 0.25, 0.5])
    found = importance(trials, measured(trials, lambda c: float(c["flip"] != c["batch_norm"]), 0.15))
    assert found is not None
    assert sorted(names_of(found)) == ["batch_norm", "flip"]
    both = found.outstanding_interaction
    assert both is not None
    assert set(both.parameters) == {"flip", "batch_norm"}
    # 0.25 / (0.25 + 0.15**2) = 0.92 for either and for both; a forest has too few neighbours to see it well
    assert both.interval.low < 0.92 < both.interval.high
    assert all(effect.interval.low < 0.92 < effect.interval.high for effect in found.effects[:2])
    assert both.share <= min(effect.share for effect in found.effects[:2])
    assert {len(trials), found.trials} == {36}


@pytest.mark.parametrize("trials", [WHOLE, WHOLE[:36], [*WHOLE, *WHOLE[:11]]], ids=["54", "36", "65"])
def test_where_nothing_matters_nothing_stands_out(trials: list[dict[str, Any]]) -> None:
    found = [importance(trials, measured(trials, lambda _: 0.9, 0.01, seed)) for seed in range(8)]
    assert sum(bool(names_of(each)) for each in found) <= 1
    for name in ("depth", "optimizer", "filters"):
        assert np.mean([shares(each).get(name, 0.0) for each in found]) == pytest.approx(0, abs=0.08)


def test_a_rate_over_decades_and_a_string_are_told_from_what_does_not_matter() -> None:
    rng = np.random.default_rng(1)
    trials = [
        {
            "learning_rate": float(10 ** rng.uniform(-5, -1)),
            "optimizer": str(rng.choice(["adam", "sgd", "rmsprop"])),
            "batch_norm": bool(rng.integers(2)),
            "units": int(rng.choice([32, 64, 128])),
        }
        for _ in range(65)
    ]
    # Best at 10**-3, worse by a hundredth for each decade squared; sgd is worse by two hundredths
    found = importance(
        trials,
        measured(
            trials,
            lambda c: -0.01 * (np.log10(c["learning_rate"]) + 3) ** 2 - 0.02 * (c["optimizer"] == "sgd"),
            0.002,
        ),
    )
    assert names_of(found) == ["learning_rate", "optimizer"]


def conditional() -> list[dict[str, Any]]:
    """Return 12 trials of depth 1 and 36 of depth 2, which alone have a second layer."""
    one = grid(conv_depth=[1], filters_1=[8, 16, 32], dropout=[0.0, 0.1, 0.2, 0.3])
    two = grid(conv_depth=[2], filters_1=[8, 16, 32], dropout=[0.0, 0.1, 0.2, 0.3], filters_2=[8, 16, 32])
    return one + two


WITH = {"filters_2": ["conv_depth"]}


def test_a_parent_gets_the_credit_for_what_it_switches_on() -> None:
    trials = conditional()
    found = importance(trials, measured(trials, lambda c: c["conv_depth"], 0.1), WITH)
    assert names_of(found) == ["conv_depth"]
    # Variance 3/16 between the depths, 0.01 of noise: 0.95
    assert shares(found)["conv_depth"] == pytest.approx(0.95, abs=0.1)
    assert abs(shares(found)["filters_2"]) < 0.02


def test_a_conditional_parameter_counts_by_its_values_where_it_is_active() -> None:
    trials = conditional()
    found = importance(trials, measured(trials, lambda c: {32: 1.0}.get(c.get("filters_2", 0), 0.0), 0.1), WITH)
    assert names_of(found)[0] == "filters_2"
    assert "filters_1" not in names_of(found)


@pytest.mark.parametrize("moved", [("conv_depth",), ("filters_2",), ("conv_depth", "filters_2")])
def test_swaps_give_configurations_that_can_be(moved: tuple[str, ...]) -> None:
    names = ["conv_depth", "filters_1", "dropout", "filters_2"]
    table = CodedTrials(conditional(), names, WITH)
    rng = np.random.default_rng(0)
    codes = table.codes
    for name in moved:
        for donors in table.donors((names.index(name),), 5, rng):
            codes = table.swapped(codes, (names.index(name),), donors)
    assert ((codes[:, 3] >= 0) == (codes[:, 0] == 1)).all(), "a second layer where the depth is 2 and nowhere else"
    changed = (codes != table.codes).any(axis=0)
    assert changed[names.index(moved[0])]
    assert not changed[1:3].any()


def test_no_trial_takes_a_value_from_itself() -> None:
    table = CodedTrials(WHOLE, list(WHOLE[0]), {})
    donors = table.donors((0,), 12, np.random.default_rng(0))
    assert (donors != np.arange(54)).all()
    assert all(sorted(row) == list(range(54)) for row in donors.tolist()), "each trial gives once"


def test_what_varies_is_what_takes_several_values_where_it_is_active() -> None:
    trials: list[dict[str, Any]] = [
        {"depth": 1, "padding": "same", "seed_of_user": 1},
        {"depth": 2, "padding": "same", "filters_2": 8, "pool_2": 2},
        {"depth": 2, "padding": "same", "filters_2": 16, "pool_2": 2},
    ]
    parents = {"filters_2": ["depth"], "pool_2": ["depth"]}
    # pool_2 is 2 wherever it is; the last has no parent, so that lacking it is a value
    assert varying_parameters(trials, parents) == ["depth", "seed_of_user", "filters_2"]


def test_too_few_trials_or_none_that_differ_say_nothing() -> None:
    y = np.arange(54.0)
    assert importance(WHOLE[:9], y[:9]) is None
    assert importance(grid(a=[1, 2], b=[1, 2], c=[1, 2], d=[1, 2])[:11], y[:11]) is None, "11 trials, 4 parameters"
    assert importance([{"a": 1}] * 20, y[:20]) is None
    assert importance(WHOLE, np.full(54, 0.9)) is None
    assert importance([], []) is None


def test_a_few_trials_far_below_the_others_make_no_endless_interval() -> None:
    trials = grid(model=["a", "b", "c"], learning_rate=[0.1, 0.01, 0.001, 0.0001])
    found = importance(trials, measured(trials, lambda c: 0.1 if c["learning_rate"] == 0.1 else 0.97, 0.01))
    assert names_of(found) == ["learning_rate"]
    assert found is not None
    assert all(0 <= e.interval.low <= e.share <= e.interval.high <= 1 for e in found.effects)


def test_the_same_trials_give_the_same_shares() -> None:
    y = measured(WHOLE, lambda c: c["depth"], 1.0)
    assert importance(WHOLE, y) == importance(WHOLE, y)


def test_a_thousand_trials_take_less_than_three_seconds() -> None:
    rng = np.random.default_rng(0)
    trials = [{f"p{k}": float(value) for k, value in enumerate(row)} for row in rng.random((1000, 10))]
    importance(WHOLE, measured(WHOLE, lambda c: c["depth"], 1.0))  # imports scikit-learn
    begin = time.process_time()
    found = importance(trials, measured(trials, lambda c: 2 * c["p3"] + c["p7"], 0.1))
    assert time.process_time() - begin < 3
    # Variances 4/12, 1/12 and 0.01: 0.78 and 0.20
    assert names_of(found) == ["p3", "p7"]
    assert shares(found)["p3"] == pytest.approx(0.78, abs=0.05)
    assert shares(found)["p7"] == pytest.approx(0.20, abs=0.04)


def tied() -> list[dict[str, Any]]:
    """Return 36 trials whose second layer is never narrower than the first."""
    whole = grid(filters_1=[8, 16, 32], filters_2=[8, 16, 32], dropout=[0.0, 0.25, 0.5], flip=[False, True])
    return [one for one in whole if one["filters_1"] <= one["filters_2"]]


RULES = [{"filters_1", "filters_2"}]


def test_parameters_that_a_rule_ties_share_one_effect_and_are_named_as_tied() -> None:
    trials = tied()
    found = importance(trials, measured(trials, lambda c: c["filters_2"] / 8, 0.3), rules=RULES)
    assert found is not None
    (effect,) = found.outstanding
    assert effect.tied
    assert effect.parameters == ("filters_1", "filters_2")
    assert effect.label == "filters_1 and filters_2, tied"
    assert found.outstanding_interaction is None


def test_a_rule_that_leaves_everything_possible_ties_nothing() -> None:
    trials = grid(filters_1=[8, 16, 32], filters_2=[8, 16, 32], dropout=[0.0, 0.25, 0.5])
    found = importance(trials, measured(trials, lambda c: c["filters_2"] / 8, 0.3), rules=RULES)
    assert names_of(found) == ["filters_2"]


def test_parameters_that_go_together_without_a_rule_are_tied_where_that_is_sure() -> None:
    rng = np.random.default_rng(0)
    trials = []
    for _ in range(60):
        rate = float(rng.random())
        trials.append({"rate": rate, "warmup": rate + 0.1 * float(rng.random()), "units": int(rng.choice([1, 2, 3]))})
    found = importance(trials, measured(trials, lambda c: c["rate"], 0.05))
    assert found is not None
    assert [effect.parameters for effect in found.outstanding] == [("rate", "warmup")]


def test_shares_and_their_intervals_lie_between_0_and_1() -> None:
    for seed in range(6):
        found = importance(WHOLE, measured(WHOLE, lambda c: 0.3 * c["depth"], 0.4, seed))
        assert found is not None
        for effect in (*found.effects, found.interaction):
            assert effect is not None
            assert 0 <= effect.interval.low <= effect.share <= effect.interval.high <= 1
