"""A loop of one's own around `fit`, in one process, as most people do."""

from __future__ import annotations

from benchmarks.competitors.base import Trained, main
from benchmarks.competitors.plain import train
from benchmarks.workloads import Workload


def run(workload: Workload, seed: int, _: str) -> Trained:
    """Train every configuration, one after the other."""
    split = workload.split(seed)
    return [train(workload, split, seed, values) for values in workload.configurations()]


if __name__ == "__main__":
    main(run)
