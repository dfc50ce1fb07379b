"""Numbers as tables and sentences write them: what rounds to 0 has no sign."""

from __future__ import annotations

import pytest

from tuner.contents.cells import number, signed, span


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.01234, "+0.0123"), (-0.01234, "−0.0123"), (0.00004, "0.0000"), (-0.00004, "0.0000"), (0.0, "0.0000")],
)
def test_a_difference_has_its_sign_unless_it_is_zero_as_written(value: float, text: str) -> None:
    assert signed(value) == text


def test_a_number_that_rounds_to_zero_is_not_below_it() -> None:
    assert [number(-0.00004), number(-0.00006), number(None), number(float("nan"))] == ["0.0000", "-0.0001", "–", "–"]


def test_the_ends_of_an_interval_are_written_alike() -> None:
    assert span(-0.04, 0.31, 1) == "0.0 to 0.3"
    assert span(-1.26, -0.3, 1) == "−1.3 to −0.3"
