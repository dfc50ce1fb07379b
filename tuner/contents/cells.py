"""How numbers are written in tables and sentences."""

from __future__ import annotations

import math

DASH = "–"
#: What stands behind the score of a trial that never left chance.
STUCK = " †"


def number(value: float | None, digits: int = 4) -> str:
    """Return a score with `digits` decimals, or a dash where it is not defined."""
    return DASH if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def signed(value: float | None, digits: int = 4) -> str:
    """Return a difference with its sign, or a dash."""
    return DASH if value is None or not math.isfinite(value) else f"{value:+.{digits}f}".replace("-", "−")


def plus_minus(mean: float, sd: float | None) -> str:
    """Return a mean with its standard deviation, where there is one."""
    return number(mean) if sd is None else f"{mean:.4f} ± {sd:.4f}"


def p_text(p: float) -> str:
    """Return a p-value in words that can follow the letter p."""
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def with_mark(score: float | None, stuck: bool) -> str:
    """Return a score, marked † where its trial never left chance."""
    return number(score) + (STUCK if stuck else "")
