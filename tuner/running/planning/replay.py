"""What a search proposes as far as recorded results tell, and what it may be expected to propose after that.

Proposals are a function of recorded results, so that they can be replayed without training. Where a result is lacking
that an oracle waits for, made-up ones let it go on; what learns from results is taken to propose at random.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from tuner.oracles import ALGORITHMS
from tuner.running.proposals import Proposals
from tuner.search_file.model_search import ModelSearch
from tuner.trial import Record, Trial

#: So many proposals are looked at; what is beyond is expected to be like a draw of the space.
MOST_REPLAYED = 20_000
#: So many configurations are drawn of a space whose proposals nobody knows yet.
MOST_DRAWN = 200


@dataclass(frozen=True)
class Ahead:
    """The trainings of a model search on a data set.

    `counted` are recorded and count, each with its number among the proposals; `new` are proposed and not recorded.
    `drawn` stand for those that nobody knows yet, each for `each` of them. `configurations` is how many the model
    search will have, at most, `unknown` how many of them are not known yet. `certain` if all that it will propose is.
    """

    model: str
    dataset: str
    counted: tuple[tuple[int, Record], ...]
    new: tuple[Trial, ...]
    drawn: tuple[Trial, ...]
    each: float
    configurations: int
    unknown: int
    certain: bool

    @property
    def proposed(self) -> set[str]:
        """The names of the trials that are known to be proposed."""
        return {record.trial.id for _, record in self.counted} | {trial.id for trial in self.new}


def look_ahead(
    proposals_of: Callable[[ModelSearch], Proposals],
    model_search: ModelSearch,
    known: Callable[[Trial], Record | None],
) -> Ahead:
    """Replay what a model search proposes on a data set, and draw what it may propose after that.

    Args:
        proposals_of: returns the proposals of a model search on the data set, from the first.
        model_search: whose trainings are asked for.
        known: returns what is recorded of a trial and counts.
    """
    proposals = proposals_of(model_search)
    counted: list[tuple[int, Record]] = []
    waiting: list[tuple[int, Trial]] = []
    while len(counted) + len(waiting) < MOST_REPLAYED and (following := proposals.next()) is not None:
        record = known(following[1])
        if record is None:
            waiting.append(following)
        else:
            counted.append((following[0], record))
            proposals.finished(following[0], record)
    configurations = proposals.configurations
    certain = proposals.exhausted
    total = configurations if certain else max(configurations, model_search.planned(proposals.dataset))
    unknown = total - configurations
    drawn: list[Trial] = []
    each = 1.0
    if not certain:
        learns = model_search.algorithm.learns and not model_search.algorithm.varies_epochs
        if unknown and (learns or proposals.proposed >= MOST_REPLAYED):
            several = min(unknown, MOST_DRAWN)
            # The oracle is made of the algorithm, so that pruning stays as it is.
            at_random = replace(
                model_search, algorithm=ALGORITHMS["random"], max_trials=several, first=(), decided=(), earlier=()
            )
            drawn, each = _supposed(proposals_of(at_random), ()), unknown / several
        else:
            drawn = _supposed(proposals, waiting)
    new = tuple(trial for _, trial in waiting)
    model, dataset = proposals.model, proposals.dataset
    return Ahead(model, dataset, tuple(counted), new, tuple(drawn), each, total, unknown, certain)


def _supposed(proposals: Proposals, waiting: list[tuple[int, Trial]] | tuple[()]) -> list[Trial]:
    """Return what is proposed further when those that wait, and what comes after them, score at random."""
    luck, found, queue = random.Random(0), list[Trial](), deque(waiting)  # noqa: S311
    while len(found) < MOST_REPLAYED:
        while len(found) < MOST_REPLAYED and (following := proposals.next()) is not None:
            found.append(following[1])
            queue.append(following)
        if proposals.exhausted or not queue:
            break
        proposals.suppose(queue.popleft()[0], luck.random())
    return found
