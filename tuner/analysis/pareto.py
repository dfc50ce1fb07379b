"""Which of several choices no other one beats in both what it costs and what it scores."""

from __future__ import annotations

from collections.abc import Sequence


def pareto_front(costs: Sequence[float], scores: Sequence[float]) -> list[bool]:
    """Return for each choice whether none costs at most as much and scores at least as well, and is better in one.

    Args:
        costs: of each choice; less is better.
        scores: of each choice; more is better.
    """
    on_front = [False] * len(costs)
    best: tuple[float, float] | None = None
    for place in sorted(range(len(costs)), key=lambda k: (costs[k], -scores[k])):
        here = (costs[place], scores[place])
        if best is None or here[1] > best[1] or here == best:
            on_front[place] = True
            best = here
    return on_front
