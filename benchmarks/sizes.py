"""How much each part measures: as much as the report says, with fewer peers, or as little as it runs with at all.

The size is an environment variable, because a part measures in processes of its own, which inherit it.
"""

from __future__ import annotations

import os
from typing import TypeVar

#: Set to `smallest`, every part runs with the least that it can; to `quick`, the grids run with the peers that count
#: most: what `python -m benchmarks.run --smallest` and `--quick` set.
VARIABLE = "BENCHMARK_SIZE"

T = TypeVar("T")


def is_smallest() -> bool:
    """Return whether the parts are to be as small as they run at all."""
    return os.environ.get(VARIABLE) == "smallest"


def is_quick() -> bool:
    """Return whether the grids are to be run by few."""
    return os.environ.get(VARIABLE) == "quick"


def sized(full: T, smallest: T) -> T:
    """Return the value for the size that this process measures at.

    >>> sized(full=40, smallest=2)
    40
    """
    return smallest if is_smallest() else full
