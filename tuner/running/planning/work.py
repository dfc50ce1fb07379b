"""What is to be trained on one split of a search: the trainings that lie ahead, and what is recorded of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tuner.executors import Limits
from tuner.ledger.furthest import furthest
from tuner.ledger.ledger import Ledger, SearchTrial
from tuner.running.loop import is_kept
from tuner.running.planned import Prepared, final_trials, is_lost, search_proposals
from tuner.running.planning.replay import Ahead, look_ahead
from tuner.running.proposals import Proposals
from tuner.search_file.contenders import Contender
from tuner.search_file.model import Search
from tuner.search_file.model_search import ModelSearch
from tuner.trial import Record, Trial
from tuner.workspace import Workspace


@dataclass(frozen=True)
class Work:
    """What is to be trained on one split: the checked search, its data, and what lies ahead of each model search."""

    search: Search
    prepared: Mapping[str, Prepared]
    ahead: tuple[Ahead, ...]
    finals: tuple[tuple[str, str, list[Trial]], ...]
    finals_recorded: frozenset[str]

    @property
    def decided(self) -> bool:
        """Whether all results of the search are there."""
        return all(one.certain and not one.new for one in self.ahead)


def candidates(work: Work, contender: Contender, dataset: str) -> list[Trial]:
    """Return the trials, recorded, ahead or drawn, of which one may be chosen for a row of the comparison.

    Each configuration stands once. Of a network that only building tells of, nobody knows whether it is below a limit.

    Args:
        work: what is recorded, and lies ahead.
        contender: the row; it is of one model search.
        dataset: of the comparison.
    """
    search = work.search
    on = search.chosen_on(dataset)
    one, data = search.model_search(contender.name), work.prepared[on]
    ahead = next(a for a in work.ahead if (a.model, a.dataset) == (one.name, on))
    trials = [*ahead.new, *ahead.drawn, *(record.trial for _, record in ahead.counted)]
    distinct = {repr(sorted(trial.values.items())): trial for trial in trials}.values()
    if contender.limit is None:
        return list(distinct)
    found = []
    for trial in distinct:
        counted = one.family.counted(trial.values, data.shape, data.classes)
        if counted is None or contender.limit.holds(counted.parameters):
            found.append(trial)
    return found


def may_be_there(work: Work) -> list[tuple[Contender, str]]:
    """Return the rows of the comparison, each with its data set, that have something to choose, without the ensemble's.

    A row below a size that no network has will not be there.
    """
    search = work.search
    return [
        (contender, dataset)
        for dataset in search.compare or search.datasets
        for contender in search.contenders
        if contender.limit is None or candidates(work, contender, dataset)
    ]


def shown(work: Work) -> int:
    """Return how many models the report shows at most, one on two data sets as two."""
    ensembles = len(work.search.compare or work.search.datasets) if work.search.ensemble else 0
    return len(may_be_there(work)) + ensembles


def work_of(
    search: Search,
    prepared: Mapping[str, Prepared],
    ledger: Ledger | None,
    workspace: Workspace,
    most: Mapping[tuple[str, str], int] | None = None,
    left_out: Collection[str] = (),
    fresh: bool = False,
) -> Work:
    """Return what is to be trained on one split of a checked search.

    `most` says after how many configurations nothing new is proposed, by model and data set, where that is so;
    `left_out` are trials that are not trained; `fresh` if what is recorded of this search alone is trained again.
    """
    ends = most or {}
    limits = Limits(search.max_trial_minutes, search.max_trial_gb)

    def known(trial: Trial) -> Record | None:
        record = ledger.get(trial.id) if ledger else None
        if ledger is None or record is None:
            return None
        return record if is_kept(trial, record, search.name, ledger, limits, fresh) else None

    def proposals_on(dataset: str) -> Callable[[ModelSearch], Proposals]:
        data = prepared[dataset]
        return lambda one: search_proposals(search, one, dataset, data, ends.get((one.name, dataset)), left_out)

    ahead = tuple(
        look_ahead(proposals_on(dataset), one, known) for dataset in search.datasets for one in search.model_searches
    )
    finals = tuple(final_trials(search, furthest(list(_recorded(ahead))), prepared, workspace))
    recorded = frozenset(
        trial.id
        for _, _, trials in finals
        for trial in trials
        if (record := known(trial)) is not None and not is_lost(record, workspace)
    )
    return Work(search, prepared, ahead, finals, recorded)


def _recorded(ahead: Sequence[Ahead]) -> Iterator[tuple[SearchTrial, Record | None]]:
    """Yield the recorded trials as the search will list them."""
    for one in ahead:
        for number, record in one.counted:
            yield SearchTrial(one.model, one.dataset, "search", number, record.trial.id), record
