"""How numbers are written in tables and sentences."""

from __future__ import annotations

import math

DASH = "–"
#: What stands behind the score of a trial that never left chance.
STUCK = " †"


def number(value: float | None, digits: int = 4) -> str:
    """Return a score with `digits` decimals, or a dash where it is not defined."""
    return DASH if value is None or not math.isfinite(value) else _without_sign_of_zero(f"{value:.{digits}f}")


def signed(value: float | None, digits: int = 4) -> str:
    """Return a difference with its sign, which one that is 0 at so many digits does not have, or a dash."""
    if value is None or not math.isfinite(value):
        return DASH
    return _without_sign_of_zero(f"{value:+.{digits}f}").replace("-", "−")


def span(low: float, high: float, digits: int) -> str:
    """Return the ends of an interval of differences in words."""
    return f"{number(low, digits)} to {number(high, digits)}".replace("-", "−")


def _without_sign_of_zero(text: str) -> str:
    return text if float(text) else text.lstrip("+-")


def plus_minus(mean: float, sd: float | None) -> str:
    """Return a mean with its standard deviation, where there is one."""
    return number(mean) if sd is None else f"{mean:.4f} ± {sd:.4f}"


def p_text(p: float) -> str:
    """Return a p-value in words that can follow the letter p."""
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def with_mark(score: float | None, stuck: bool) -> str:
    """Return a score, marked † where its trial never left chance."""
    return number(score) + (STUCK if stuck else "")
