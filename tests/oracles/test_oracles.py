"""The contract of an oracle, over every algorithm, with rules and with failed trials."""

from __future__ import annotations

import json
from functools import cache

import pytest

from tuner.families import FAMILIES
from tuner.oracles import Pause, Proposal, make_oracle
from tuner.oracles.base import hyperband_trials
from tuner.recipe import RECIPE
from tuner.space import Configuration, Space, read_space

ALGORITHMS = ("grid", "random", "bayesian", "hyperband")


def space() -> Space:
    given = {
        "conv_depth": [1, 2, 3],
        "filters": [4, 8, 16],
        "dense_units": [4, 8],
        "dropout": [0.0, 0.5],
        "batch_norm": [True, False],
    }
    rules = {"filters_never_decrease": True, "where": ["dense_units >= first(filters) or dropout == 0"]}
    return read_space(given, rules, [*FAMILIES["cnn"].parameters, *RECIPE], {})


def score(values: Configuration) -> float:
    """A smooth, known function of the configuration: deeper is better, dropout is worse."""
    return 0.5 + 0.1 * int(values["conv_depth"]) + 0.001 * int(values["dense_units"]) - 0.2 * float(values["dropout"])


def drive(algorithm: str, seed: int, most: int, failing: bool = False) -> list[Proposal]:
    """Propose and observe in turn, as a runner with lag 1 does."""
    oracle = make_oracle(algorithm, space(), seed, None if algorithm in ("grid", "hyperband") else most, epochs=9)
    proposals: list[Proposal] = []
    told = 0

    def tell() -> None:
        nonlocal told
        values = proposals[told].values
        oracle.observe(told, None if failing and told % 3 == 0 else score(values))
        told += 1

    while len(proposals) < most:
        answer = oracle.propose()
        if answer is Pause.EXHAUSTED:
            break
        if isinstance(answer, Proposal):
            proposals.append(answer)
        if oracle.adaptive and told < len(proposals):
            tell()
    return proposals


@cache
def long_bayesian_search() -> list[Proposal]:
    """Propose 26, of which 18 are random; seconds, so that tests share it."""
    return drive("bayesian", 0, 26)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
class TestEveryOracle:
    def test_proposes_allowed_configurations_with_active_parameters_only(self, algorithm: str) -> None:
        searched = space()
        proposals = drive(algorithm, 0, 20)
        assert len(proposals) >= 15
        for proposal in proposals:
            assert searched.broken_rule(proposal.values) is None
            assert searched.active(proposal.values) == proposal.values
            assert ("filters_3" in proposal.values) == (proposal.values["conv_depth"] == 3)
            kinds = {parameter.name: parameter.kind for parameter in searched.parameters}
            assert all(type(value) is kinds[name] for name, value in proposal.values.items())

    def test_the_same_seed_and_results_give_the_same_proposals(self, algorithm: str) -> None:
        assert drive(algorithm, 0, 14) == drive(algorithm, 0, 14)

    def test_a_failed_trial_does_not_stop_it(self, algorithm: str) -> None:
        assert len(drive(algorithm, 0, 14, failing=True)) >= 12

    def test_proposals_can_be_written_as_json(self, algorithm: str) -> None:
        for proposal in drive(algorithm, 3, 5):
            assert json.loads(json.dumps(proposal.values)) == proposal.values


@pytest.mark.parametrize("algorithm", ["random", "bayesian", "hyperband"])
def test_seed_0_is_a_seed_and_other_seeds_differ(algorithm: str) -> None:
    first = [proposal.values for proposal in drive(algorithm, 0, 6)]
    assert first == [proposal.values for proposal in drive(algorithm, 0, 6)]
    assert first != [proposal.values for proposal in drive(algorithm, 1, 6)]


@pytest.mark.parametrize("algorithm", ["random", "bayesian"])
def test_a_small_space_is_proposed_whole_and_never_twice(algorithm: str) -> None:
    proposals = (
        [json.dumps(p.values, sort_keys=True) for p in drive(algorithm, 0, 500)] if algorithm == "random" else []
    )
    everything = [json.dumps(values, sort_keys=True) for values in space().grid()]
    if algorithm == "random":
        assert sorted(proposals) == sorted(everything)
    else:
        some = [json.dumps(p.values, sort_keys=True) for p in long_bayesian_search()]
        assert len(set(some)) == len(some)


def test_bayesian_learns_where_the_good_ones_are() -> None:
    # It starts with three random ones for each of the six parameters that vary.
    scores = [score(proposal.values) for proposal in long_bayesian_search()]
    assert max(scores) == pytest.approx(0.808)  # the best there is
    assert sum(scores[18:]) / 8 > sum(scores[:18]) / 18 + 0.05


def test_hyperband_promotes_the_best_and_stops_by_itself() -> None:
    proposals = drive("hyperband", 0, 1000)
    assert len(proposals) == hyperband_trials(9)
    by_epochs = {epochs: [p for p in proposals if p.epochs == epochs] for epochs in (1, 3, 9)}
    first_bracket = [score(p.values) for p in by_epochs[1]]
    promoted = [score(p.values) for p in by_epochs[3] if p.values in [q.values for q in by_epochs[1]]]
    assert len(promoted) >= 3
    assert min(promoted) >= sorted(first_bracket)[len(first_bracket) // 2]


def test_the_number_of_hyperband_trials_by_hand() -> None:
    # Nine epochs: brackets of 9 + 3 + 1, 5 + 2 and 3 trials.
    assert hyperband_trials(9) == 23
    assert hyperband_trials(1) == 1


@pytest.mark.parametrize("epochs", [2, 20, 81])
def test_the_number_of_hyperband_trials_is_keras_tuners(epochs: int) -> None:
    import keras_tuner

    hp = keras_tuner.HyperParameters()
    hp.Float("x", 0, 1)
    oracle = keras_tuner.oracles.HyperbandOracle("val_accuracy", max_epochs=epochs, hyperparameters=hp)
    brackets = range(oracle._get_num_brackets())
    theirs = sum(oracle._get_size(b, r) for b in brackets for r in range(oracle._get_num_rounds(b)))
    assert hyperband_trials(epochs) == theirs


def test_a_random_search_over_ranges_stays_inside_them() -> None:
    given = {
        "conv_depth": {"min": 1, "max": 4},
        "l2": {"min": 1e-6, "max": 1e-2, "sampling": "log"},
        "dropout": {"min": 0.0, "max": 0.6, "step": 0.1},
        "padding": "same",
    }
    searched = read_space(given, {}, [*FAMILIES["cnn"].parameters, *RECIPE], {})
    oracle = make_oracle("random", searched, 0, 40, 5)
    drawn = [answer.values for _ in range(40) if isinstance(answer := oracle.propose(), Proposal)]
    assert len(drawn) == 40
    assert {values["conv_depth"] for values in drawn} == {1, 2, 3, 4}
    assert all(1e-6 <= float(values["l2"]) <= 1e-2 for values in drawn)
    assert {round(float(values["dropout"]), 9) for values in drawn} <= {0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6}
    assert isinstance(oracle.propose(), Pause)
