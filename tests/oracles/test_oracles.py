"""The contract of an oracle, over every algorithm, with rules and with failed trials."""

from __future__ import annotations

import json
import math
from collections import Counter
from functools import cache

import pytest

from tuner.errors import InputError
from tuner.families import FAMILIES
from tuner.oracles import ALGORITHMS, Pause, Proposal
from tuner.oracles.brackets import hyperband_trials
from tuner.recipe import RECIPE
from tuner.space.given import read_given
from tuner.space.space import Configuration, Space, read_space


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
    oracle = ALGORITHMS[algorithm].oracle(space(), seed, None if algorithm in ("grid", "hyperband") else most, epochs=9)
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


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    "given",
    [
        pytest.param([{"conv_depth": 2, "filters": 8, "dense_units": 8, "dropout": 0.5, "batch_norm": True}], id="one"),
        pytest.param(
            [
                {"conv_depth": 3, "filters": 4, "filters_3": 16, "dense_units": 4, "dropout": 0.0, "batch_norm": False},
                {"conv_depth": 1, "filters_1": 16, "dense_units": 8, "dropout": 0.0, "batch_norm": True},
                {"conv_depth": 1, "filters_1": 4, "dense_units": 4, "dropout": 0.5, "batch_norm": True},
            ],
            id="several",
        ),
    ],
)
def test_what_is_to_be_tried_first_is_and_then_never_again(algorithm: str, given: list[dict[str, object]]) -> None:
    first = read_given(given, space())
    most = None if algorithm in ("grid", "hyperband") else 20
    oracle = ALGORITHMS[algorithm].oracle(space(), 0, most, epochs=9, first=first)
    found: list[Configuration] = []
    while len(found) < 12:
        answer = oracle.propose()
        assert isinstance(answer, Proposal)
        found.append(answer.values)
        if oracle.adaptive:
            oracle.observe(len(found) - 1, score(answer.values))
    assert tuple(found[: len(first)]) == first
    if algorithm != "hyperband":  # which takes the good ones to more epochs
        assert not any(values in first for values in found[len(first) :])


def test_more_to_be_tried_first_than_bayesian_draws_at_random_are_all_tried() -> None:
    given: dict[str, object] = {"dropout": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]}
    searched = read_space(given, {}, [*FAMILIES["cnn"].parameters, *RECIPE], {})
    first = read_given([{"dropout": value} for value in (0.5, 0.3, 0.1, 0.0, 0.2)], searched)
    oracle = ALGORITHMS["bayesian"].oracle(searched, 0, 6, epochs=9, first=first)
    found = []
    for number in range(6):
        answer = oracle.propose()
        assert isinstance(answer, Proposal)
        oracle.observe(number, float(answer.values["dropout"]))
        found.append(answer.values["dropout"])
    assert found == [0.5, 0.3, 0.1, 0.0, 0.2, 0.4]


def test_a_grid_with_something_to_be_tried_first_is_the_same_grid() -> None:
    first = read_given([{"conv_depth": 2, "filters": 8, "dense_units": 8, "dropout": 0.5, "batch_norm": True}], space())
    oracle = ALGORITHMS["grid"].oracle(space(), 0, None, epochs=9, first=first)
    found = []
    while isinstance(answer := oracle.propose(), Proposal):
        found.append(answer.values)
    assert found == [*first, *(values for values in space().grid() if values not in first)]
    assert len(found) == space().count()[0]


@pytest.mark.parametrize("algorithm", ["random", "bayesian", "hyperband", "tpe"])
def test_seed_0_is_a_seed_and_other_seeds_differ(algorithm: str) -> None:
    first = [proposal.values for proposal in drive(algorithm, 0, 6)]
    assert first == [proposal.values for proposal in drive(algorithm, 0, 6)]
    assert first != [proposal.values for proposal in drive(algorithm, 1, 6)]


def proposed(
    algorithm: str, given: dict[str, object], rules: dict[str, object], most: int | None, epochs: int = 9
) -> list[Proposal]:
    """Propose to the end, each proposal followed by its result."""
    searched = read_space(given, rules, [*FAMILIES["cnn"].parameters, *RECIPE], {})
    oracle = ALGORITHMS[algorithm].oracle(searched, 0, most, epochs)
    found: list[Proposal] = []
    told = 0
    while (answer := oracle.propose()) is not Pause.EXHAUSTED:
        if isinstance(answer, Proposal):
            found.append(answer)
        if oracle.adaptive and told < len(found):
            oracle.observe(told, 0.5 + 0.01 * (told % 7))
            told += 1
    return found


def texts(proposals: list[Proposal]) -> list[str]:
    return sorted({json.dumps(proposal.values, sort_keys=True) for proposal in proposals})


STEPPED: dict[str, object] = {
    "dropout": {"min": 0.0, "max": 0.6, "step": 0.1},
    "l2": {"min": 1e-3, "max": 0.1, "step": 10, "sampling": "log"},
    "dense_units": {"min": 4, "max": 16, "step": 2, "sampling": "log"},
}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_stepped_range_has_one_list_of_values_for_every_algorithm(algorithm: str) -> None:
    # KerasTuner's own steps are 0.30000000000000004 and end at 0.5.
    one_by_one: dict[str, list[object]] = {
        "dropout": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
        "l2": [0.001, 0.01, 0.1],
        "dense_units": [4, 8, 16],
    }
    for name, expected in one_by_one.items():
        most = None if algorithm in ("grid", "hyperband") else 20
        found = proposed(algorithm, {name: STEPPED[name]}, {}, most)
        assert sorted({proposal.values[name] for proposal in found}) == expected
        assert {type(proposal.values[name]) for proposal in found} == {type(expected[0])}


@pytest.mark.parametrize("algorithm", ["random", "bayesian", "hyperband", "tpe"])
def test_what_a_grid_has_trained_counts_for_every_algorithm(algorithm: str) -> None:
    grid = texts(proposed("grid", STEPPED, {}, None))
    assert len(grid) == 7 * 3 * 3
    assert set(texts(proposed(algorithm, STEPPED, {}, 12))) <= set(grid)


SMALL: dict[str, object] = {"dense_units": [4, 8, 16, 32, 64], "dropout": [0.0, 0.1, 0.2]}
UNITS: dict[str, object] = {"dense_units": {"min": 1, "max": 2000}}


@pytest.mark.parametrize("algorithm", ["random", "bayesian", "tpe"])
@pytest.mark.parametrize(
    ("given", "rules", "count"),
    [
        pytest.param(SMALL, {}, 15, id="a small space"),
        pytest.param(UNITS, {"where": ["dense_units == 77"]}, 1, id="one in two thousand"),
        pytest.param(UNITS, {"where": ["dense_units % 200 == 7"]}, 10, id="ten in two thousand"),
        pytest.param(
            {"batch_norm": [True, False], "conv_depth": [1, 2], "filters": [4, 8]},
            {"filters_never_decrease": True},
            10,
            id="true and false, and a layer that not all have",
        ),
    ],
)
def test_a_finite_space_is_proposed_whole_and_nothing_twice(
    algorithm: str, given: dict[str, object], rules: dict[str, object], count: int
) -> None:
    found = proposed(algorithm, given, rules, 60)
    assert len(found) == count
    assert texts(found) == texts(proposed("grid", given, rules, None))


@pytest.mark.parametrize("algorithm", ["random", "bayesian", "hyperband", "tpe"])
def test_a_rule_that_draws_hardly_ever_obey_is_obeyed_beside_real_numbers(algorithm: str) -> None:
    given = {**UNITS, "learning_rate": {"min": 1e-4, "max": 1e-1, "sampling": "log"}}
    found = proposed(algorithm, given, {"where": ["dense_units == 77", "learning_rate > 1e-3"]}, 10)
    assert len(found) == 10
    assert all(proposal.values["dense_units"] == 77 for proposal in found)
    assert len({proposal.values["learning_rate"] for proposal in found}) > (5 if algorithm == "hyperband" else 9)
    assert all(0.001 < float(proposal.values["learning_rate"]) <= 0.1 for proposal in found)


def test_what_draws_at_random_find_is_proposed_as_before_it_was_counted() -> None:
    # The first ones of KerasTuner's own draws with this seed: searches that began with them go on with them.
    import keras_tuner

    searched = read_space(SMALL, {}, [*FAMILIES["cnn"].parameters, *RECIPE], {})
    theirs = keras_tuner.oracles.RandomSearchOracle(
        "val_accuracy", max_trials=8, seed=1, hyperparameters=searched.hyperparameters(varying_only=True)
    )
    theirs.save = theirs._save_trial = lambda *_: None
    theirs.verbose = 0
    names = ("dense_units", "dropout")
    drawn = [theirs.create_trial(str(number)).hyperparameters.values for number in range(8)]
    ours = [proposal.values for proposal in proposed("random", SMALL, {}, 8)]
    assert [[one[name] for name in names] for one in ours] == [[one[name] for name in names] for one in drawn]


_OF_ONE: list[tuple[str, list[int | None]]] = [
    ("random", [None]),
    ("bayesian", [None]),
    ("hyperband", [1, 3, 9]),
    ("tpe", [None]),
]


@pytest.mark.parametrize(("algorithm", "epochs"), _OF_ONE)
def test_where_nothing_varies_there_is_one_configuration_to_propose(algorithm: str, epochs: list[int | None]) -> None:
    found = proposed(algorithm, {"dense_units": 8}, {}, 5)
    assert [proposal.epochs for proposal in found] == epochs
    assert all(proposal.values["dense_units"] == 8 for proposal in found)


def test_hyperband_takes_few_configurations_as_far_as_many() -> None:
    # Nine epochs: its brackets want 9, 5 and 3 new ones of 15, and there are 9, 5 and 1; of 5 there is one bracket.
    by_epochs = Counter(proposal.epochs for proposal in proposed("hyperband", SMALL, {}, None))
    assert by_epochs == {1: 9, 3: 3 + 5, 9: 1 + 2 + 1}
    units = {"dense_units": SMALL["dense_units"]}
    few = Counter(proposal.epochs for proposal in proposed("hyperband", units, {}, None))
    assert few == {1: 5, 3: 2, 9: 1}
    assert [hyperband_trials(9, configurations) for configurations in (15, 5, 1, 0)] == [21, 8, 3, 0]
    assert hyperband_trials(9, 17) == hyperband_trials(9) == 23


def test_bayesian_learns_where_the_good_ones_are() -> None:
    # It starts with three random ones for each of the six parameters that vary.
    scores = [score(proposal.values) for proposal in long_bayesian_search()]
    assert max(scores) == pytest.approx(0.808)  # the best there is
    assert sum(scores[18:]) / 8 > sum(scores[:18]) / 18 + 0.05


def test_tpe_learns_where_the_good_ones_are() -> None:
    scores = [score(proposal.values) for proposal in drive("tpe", 0, 40)]
    assert max(scores) == pytest.approx(0.808)  # the best there is
    assert sum(scores[20:]) / 20 > sum(scores[:10]) / 10 + 0.05  # ten are drawn at random


def test_tpe_comes_nearer_to_good_real_numbers_than_draws_at_random() -> None:
    """The mean distance from the best rate and dropout, of 20 proposals after the first 20, with four seeds."""
    given: dict[str, object] = {
        "learning_rate": {"min": 1e-5, "max": 1.0, "sampling": "log"},
        "dropout": {"min": 0.0, "max": 0.9},
    }
    searched = read_space(given, {}, [*FAMILIES["cnn"].parameters, *RECIPE], {})

    def distance(values: Configuration) -> float:
        return abs(math.log10(float(values["learning_rate"])) + 3) + abs(float(values["dropout"]) - 0.4)

    def far(algorithm: str, seed: int) -> float:
        oracle = ALGORITHMS[algorithm].oracle(searched, seed, 40, epochs=9)
        distances = []
        for number in range(40):
            answer = oracle.propose()
            assert isinstance(answer, Proposal)
            distances.append(distance(answer.values))
            if oracle.adaptive:
                oracle.observe(number, -distances[-1])
        return sum(distances[20:]) / 20

    assert sum(far("tpe", seed) for seed in range(4)) < 0.75 * sum(far("random", seed) for seed in range(4))


def test_tpe_hears_of_results_late_as_several_workers_tell_them() -> None:
    # Ten are drawn at random; the other ten are where it thinks that the good ones are, by what it has heard.
    def proposals() -> list[Configuration]:
        oracle = ALGORITHMS["tpe"].oracle(space(), 0, 20, epochs=9)
        found: list[Configuration] = []
        for number in range(20):
            answer = oracle.propose()
            assert isinstance(answer, Proposal)
            found.append(answer.values)
            if number >= 4:
                oracle.observe(number - 4, score(found[number - 4]))
        return found

    found = proposals()
    assert len({json.dumps(values, sort_keys=True) for values in found}) == 20
    assert found == proposals()


def test_tpe_without_optuna_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"^algorithm: Optuna is not installed; install it: pip install 'tunetable"):
        ALGORITHMS["tpe"].oracle(space(), 0, 3, epochs=9)


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
    oracle = ALGORITHMS["random"].oracle(searched, 0, 40, 5)
    drawn = [answer.values for _ in range(40) if isinstance(answer := oracle.propose(), Proposal)]
    assert len(drawn) == 40
    assert {values["conv_depth"] for values in drawn} == {1, 2, 3, 4}
    assert all(1e-6 <= float(values["l2"]) <= 1e-2 for values in drawn)
    assert {values["dropout"] for values in drawn} == {0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6}
    assert isinstance(oracle.propose(), Pause)
