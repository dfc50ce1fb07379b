"""How much a choice flatters, in searches whose truth is known, and which configurations may be the best."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri

from tuner.analysis.choice import choose_again, not_told_from_the_best
from tuner.analysis.per_image import gains_of
from tuner.analysis.scoring import Predictions
from tuner.objective import objective_of


def answers(shares: list[float], images: int, seed: int) -> np.ndarray:
    """Return who classified which image rightly, where all find the same images hard; in the order of the shares."""
    rng = np.random.default_rng(seed)
    ease = np.sqrt(0.6) * rng.standard_normal(images) + np.sqrt(0.4) * rng.standard_normal((len(shares), images))
    found: np.ndarray = ease < ndtri(shares)[:, None]
    return found


def best_first(correct: np.ndarray) -> np.ndarray:
    return np.argsort(-correct.mean(axis=1), kind="stable")


@pytest.mark.parametrize("shares", [[0.9] * 20, [0.95] + [0.94] * 19, [0.5] * 10 + [0.95] * 10], ids=str)
def test_the_luck_of_the_choice_is_what_the_best_scores_too_much_in_the_mean(shares: list[float]) -> None:
    told, true = [], []
    for seed in range(600):
        correct = answers(shares, 200, seed)
        order = best_first(correct)
        true.append(correct[order[0]].mean() - shares[order[0]])
        if seed < 25:
            told.append(choose_again(correct[order]).luck)
    assert np.mean(told) == pytest.approx(np.mean(true), abs=0.003)
    assert np.mean(told) > 0.012


def test_of_losses_it_is_what_the_lowest_is_too_low_in_the_mean() -> None:
    told, true = [], []
    for seed in range(200):
        losses = np.random.default_rng(seed).exponential(0.4, (20, 200))
        order = np.argsort(losses.mean(axis=1))
        true.append(0.4 - losses[order[0]].mean())
        if seed < 25:
            told.append(choose_again(-losses[order]).luck)
    assert np.mean(told) == pytest.approx(np.mean(true), abs=0.006)
    assert np.mean(told) > 0.04  # 1.87 standard errors of 0.4 / √200


def test_of_macro_f1_it_is_what_the_highest_is_too_high_in_the_mean() -> None:
    """Of answers that are right in 70 % and else any: the macro F1 of 200,000 images is that of the class."""
    objective = objective_of("macro_f1")

    def drawn(images: int, seed: int) -> Predictions:
        rng = np.random.default_rng(seed)
        labels = np.random.default_rng(images).choice(3, images, p=(0.6, 0.3, 0.1))
        named = np.where(rng.random(images) < 0.7, labels, rng.integers(0, 3, images))
        return Predictions(labels, np.eye(3, dtype=np.float32)[named], ("a", "b", "c"))

    whole = drawn(200_000, 0)
    truth = objective.score(whole.labels, whole.probabilities, whole.class_names)
    told, true = [], []
    for seed in range(120):
        models = [drawn(200, 1 + 20 * seed + k) for k in range(20)]
        scores = [objective.score(one.labels, one.probabilities, one.class_names) for one in models]
        true.append(max(scores) - truth)
        if seed < 25:
            gains = np.stack([gains_of(objective, models[k]) for k in np.argsort(scores)[::-1]])
            told.append(choose_again(gains).luck)
    assert np.mean(told) == pytest.approx(np.mean(true), abs=0.012)
    assert np.mean(told) > 0.04


def test_where_one_is_far_ahead_no_luck_is_in_its_score() -> None:
    correct = answers([0.9, 0.5, 0.4], 400, 0)
    found = choose_again(correct)
    assert found.luck == pytest.approx(0, abs=0.003)
    assert found.interval.low < 0.9 < found.interval.high
    assert found.score == correct[0].mean()


def test_of_two_images_that_two_configurations_share_the_one_not_drawn_is_always_missed() -> None:
    # Either is right on one image. Drawn is one image twice, which chooses the one that is right on it and so wrong
    # on the other, or both, after which none is left to score on.
    found = choose_again(np.array([[True, False], [False, True]]))
    assert (found.score, found.corrected, found.luck) == (0.5, 0.0, 0.5)


def test_the_best_is_among_those_not_told_from_it_and_much_worse_ones_are_not() -> None:
    shares = [0.7, 0.9, 0.95, 0.94, 0.95, 0.5]
    found = [set(not_told_from_the_best(answers(shares, 1_000, seed)).tolist()) for seed in range(40)]
    assert sum(2 in one and 4 in one for one in found) >= 36
    assert not any({0, 5} & one for one in found)
    assert sum(1 in one for one in found) <= 2


def test_one_that_equals_the_best_image_by_image_cannot_be_told_from_it() -> None:
    correct = answers([0.9, 0.2], 50, 0)
    assert not_told_from_the_best(np.stack([correct[0], correct[0], correct[1]])).tolist() == [0, 1]


def test_the_same_answers_give_the_same_numbers() -> None:
    correct = answers([0.9] * 5, 100, 0)
    assert choose_again(correct) == choose_again(correct)
