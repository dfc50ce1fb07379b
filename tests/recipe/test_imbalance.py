"""Class weights and balanced sampling, against numbers worked out by hand and against scikit-learn."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from tuner.errors import TrialError
from tuner.recipe.imbalance import IMBALANCE, balanced_order, class_weights, read_weights, weights_of
from tuner.space.parameters import domain_of

UNEVEN = np.repeat([0, 1, 2], [12, 6, 2])


def test_balanced_weights_are_scikit_learns() -> None:
    found = class_weights({"class_weight": "balanced"}, UNEVEN, "abc")
    assert found is not None
    assert found == pytest.approx([20 / 36, 20 / 18, 20 / 6])
    assert found == pytest.approx(compute_class_weight("balanced", classes=np.arange(3), y=UNEVEN))
    assert found[UNEVEN].mean() == pytest.approx(1)


def test_a_class_without_images_is_no_class() -> None:
    found = class_weights({"class_weight": "balanced"}, UNEVEN, "abcd")
    assert found is not None
    assert found[:3] == pytest.approx([20 / 36, 20 / 18, 20 / 6])


@pytest.mark.parametrize("values", [{}, {"class_weight": "none"}])
def test_without_weights_all_images_count_the_same(values: dict[str, str]) -> None:
    assert class_weights(values, UNEVEN, "abc") is None


def test_weights_by_class_are_those_of_the_table_and_1_for_any_other() -> None:
    found = class_weights({"class_weight": "{a 0.5, c 3}"}, UNEVEN, "abc")
    assert found is not None
    assert found.dtype == np.float32
    assert found.tolist() == [0.5, 1.0, 3.0]


def test_a_class_that_the_data_do_not_have_fails_the_trial() -> None:
    with pytest.raises(TrialError, match="class_weight names 'd', which is no class of the data"):
        class_weights({"class_weight": "{a 2, d 3}"}, UNEVEN, "abc")


NAMES = [
    "top",
    "{a}",
    "Ankle boot",
    "T-shirt/top",
    "class 1",
    "0",
    "a, b",
    'say "a"',
    " led",
    "a\\b",
    "two\nlines",
    "é 2",
]


def test_the_text_of_a_table_is_one_in_any_order_and_is_read_again() -> None:
    table = {name: number + 0.5 for number, name in enumerate(NAMES)}
    text = read_weights(table)
    assert text is not None
    assert text == read_weights(dict(reversed(table.items()))) == read_weights(text)
    assert weights_of(text) == table
    assert read_weights({"top": 1, "bottom": 2.0}) == "{bottom 2, top 1}" == read_weights(" { top 1.0,bottom 2 }")
    assert read_weights({"a": 1e-7, "b": 1 / 3}) == "{a 1e-07, b 0.3333333333333333}"


@pytest.mark.parametrize(
    "text", ["none", "balancd", "", "{", "{}", "top 2", "{top}", "{top two}", "{a 1,, b 2}", "{2}", '{"a 2}', "{a 1} b"]
)
def test_other_texts_give_no_weights(text: str) -> None:
    assert read_weights(text) is None
    assert weights_of(text) == {}


@pytest.mark.parametrize("weight", [0, -1.0, float("inf"), float("nan"), True, "2", [1], {"b": 1}, 10**400], ids=repr)
def test_a_weight_that_is_no_number_above_0_is_refused(weight: object) -> None:
    with pytest.raises(ValueError, match=r"of 'top' is (not a number above 0|outside)"):
        read_weights({"bottom": 2, "top": weight})


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({}, "the table is empty"),
        ("{top 0}", "0.0 of 'top' is not a number above 0"),
        ("{top 1, top 2}", "names a class twice"),
        ({"top": 1e-40}, "1e-40 of 'top' is outside 1e-09 to 1e\\+09"),
        ({f"class {number}": 2 for number in range(2000)}, "longer than 10,000 letters: leave out classes"),
    ],
)
def test_other_tables_that_make_no_sense_are_refused(raw: dict[str, object] | str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_weights(raw)


def test_tables_stand_in_a_space_beside_words() -> None:
    parameter = IMBALANCE[0]
    assert domain_of({"b": 2}, parameter).grid() == ("{b 2}",)
    assert domain_of(["none", {"b": 2, "a": 1}, "balanced"], parameter).grid() == ("none", "{a 1, b 2}", "balanced")
    with pytest.raises(ValueError, match="names a value twice"):
        domain_of([{"b": 2, "a": 1}, {"a": 1.0, "b": 2.0}], parameter)
    for wrong in ("balancd", "{b two}"):
        with pytest.raises(ValueError, match=f"'{wrong}' is not one of none, balanced or a table of weights by class"):
            parameter.check(wrong)
    with pytest.raises(ValueError, match="3 is not a string or a table of weights by class"):
        parameter.check(3)


def test_a_balanced_epoch_has_as_many_images_of_each_class() -> None:
    labels = np.random.default_rng(0).permutation(UNEVEN)
    order = balanced_order(labels, np.random.default_rng(1))
    shown = Counter(labels[order].tolist())
    assert len(order) == 20
    assert sorted(shown.values()) == [6, 7, 7]
    times = Counter(order.tolist())
    rare = [times[place] for place in np.flatnonzero(labels == 2)]
    assert max(rare) - min(rare) <= 1, "the images of a class come in turn"
    assert max(times[place] for place in np.flatnonzero(labels == 0)) == 1


def test_the_remainder_goes_to_every_class_in_turn_of_chance() -> None:
    rng = np.random.default_rng(0)
    more = Counter[int]()
    for _ in range(300):
        shown = Counter(UNEVEN[balanced_order(UNEVEN, rng)].tolist())
        more.update(label for label, count in shown.items() if count == 7)
    assert all(150 < more[label] < 250 for label in range(3))


def test_epochs_differ_and_a_seed_repeats_them() -> None:
    one, other = np.random.default_rng(1), np.random.default_rng(1)
    first, second = balanced_order(UNEVEN, one), balanced_order(UNEVEN, one)
    assert (first != second).any()
    assert (balanced_order(UNEVEN, other) == first).all()


def test_a_name_that_no_file_can_hold_is_no_name() -> None:
    assert read_weights('{"\\ud800" 1}') is None
    assert read_weights('{"\\u00e9" 2}') == "{é 2}"
