"""Did a competitor do the same work, and learn as much?"""

from __future__ import annotations

import json
import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scipy import stats

from benchmarks.competitors.base import Trained
from benchmarks.workloads import Workload

#: A difference of mean accuracies whose whole interval is further from 0 than this is marked.
TOLERANCE = 0.02
_KEYS = ("filters", "dense_units", "dropout")


def configuration(values: dict[str, object]) -> str:
    """Return what names a configuration among those of its workload."""
    return json.dumps([values[key] for key in _KEYS])


def check(workload: Workload, trained: Trained) -> int:
    """Make sure that a competitor trained the workload's configurations and no others, for all epochs.

    Returns:
        How many trainings it did more than there are configurations, because it took one more than once.

    Raises:
        RuntimeError: it left one out, trained another one, or for another number of epochs.
    """
    wanted = {configuration(values) for values in workload.configurations()}
    counts = Counter(configuration(trial) for trial in trained)
    if missing := len(wanted - counts.keys()):
        raise RuntimeError(f"{missing} of the {len(wanted)} configurations of {workload.name} were not trained")
    if foreign := len(counts.keys() - wanted):
        raise RuntimeError(f"{foreign} configurations were trained that {workload.name} does not have")
    if others := sorted({str(trial["epochs"]) for trial in trained} - {str(workload.epochs)}):
        raise RuntimeError(f"trained for {', '.join(others)} epochs instead of {workload.epochs}")
    return len(trained) - len(wanted)


@dataclass(frozen=True)
class Difference:
    """A mean difference with its 95 % interval."""

    mean: float
    low: float
    high: float

    @property
    def is_large(self) -> bool:
        """Whether the whole interval is further from 0 than the tolerance."""
        return self.low > TOLERANCE or self.high < -TOLERANCE

    @property
    def is_small(self) -> bool:
        """Whether the whole interval is within the tolerance of 0."""
        return self.low >= -TOLERANCE and self.high <= TOLERANCE

    def __str__(self) -> str:
        if math.isinf(self.low):
            return f"{self.mean:+.4f}"
        return f"{self.mean:+.4f} ({self.low:+.4f} to {self.high:+.4f}){' *' * self.is_large}"


def difference(theirs: Iterable[Trained], ours: Iterable[Trained]) -> Difference:
    """Return by how much their validation accuracies exceed ours, paired by round.

    Trials of a round share a seed and with it the luck of one order of the images; what varies freely is the mean over
    the configurations of a round. The interval is that of the paired t-test over the rounds, without bounds for one.
    """
    return paired([_mean(other) - _mean(mine) for other, mine in zip(theirs, ours, strict=True)])


def paired(gaps: Sequence[float]) -> Difference:
    """Return the mean of paired differences with the interval of the t-test, without bounds for a single one."""
    mean = statistics.fmean(gaps)
    if len(gaps) < 2:
        return Difference(mean, -math.inf, math.inf)
    half = float(stats.t.ppf(0.975, len(gaps) - 1)) * statistics.stdev(gaps) / math.sqrt(len(gaps))
    return Difference(mean, mean - half, mean + half)


def _mean(trained: Trained) -> float:
    """Return the mean validation accuracy of the configurations of a round, one trained twice counting once."""
    scores: dict[str, list[float]] = defaultdict(list)
    for trial in trained:
        scores[configuration(trial)].append(float(str(trial["val_accuracy"])))
    return statistics.fmean(map(statistics.fmean, scores.values()))
