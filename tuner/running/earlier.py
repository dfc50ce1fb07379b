"""Which trials of before its file changed an edited search has still, so that it begins with them.

They are put before anything new, as `try_first` is: they count among `max_trials`, the ledger answers them without
training, and what learns from results hears of them all before it proposes anything else. Where the new search proposes
them anyway, as it does with nothing but a higher `max_trials`, nothing is put before: it is then the search that it
would have been with its file as it is now from the start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tuner.errors import InputError
from tuner.executors import Limits
from tuner.ledger.earlier import EarlierTrial
from tuner.ledger.ledger import Ledger, SearchTrial
from tuner.running.loop import counts
from tuner.running.planned import Prepared, search_proposals
from tuner.running.sizes import with_sizes
from tuner.search_file.model import Search
from tuner.search_file.model_search import ModelSearch
from tuner.space.given import read_one
from tuner.space.space import Configuration, Space
from tuner.trial import Record, Trial


@dataclass(frozen=True)
class Kept:
    """What a `[[search]]` on a data set has of the trials that were recorded before its file changed.

    `first` are put before anything new, of which `new` follow, at most; where there are none, `again` are proposed
    anyway, each in its place.
    """

    label: str
    dataset: str
    max_trials: int | None
    first: tuple[EarlierTrial, ...]
    again: int
    new: int

    def in_words(self) -> str:
        """Return what comes of them, in a sentence."""
        where = f"{self.label} on {self.dataset}"
        if not self.first and not self.again:
            return f"{where}: no earlier trial is one of its own now."
        count = len(self.first) or self.again
        told = f"{where}: {count:,} earlier {_verb(count, 'trial counts', 'trials count')}"
        if not self.first:
            return f"{told}; it proposes {_verb(count, 'it', 'them')} again, each in its place."
        if self.new > 0:
            return f"{told}; {self.new:,} new {_verb(self.new, 'one follows', 'ones follow')}."
        if self.max_trials is not None and len(self.first) >= self.max_trials:
            return f"{told}, and no new one follows, as max_trials is {self.max_trials:,}: raise it for new ones."
        return f"{told}, and no new one follows."


def takes_earlier(model_search: ModelSearch) -> bool:
    """Whether a `[[search]]` may begin with earlier trials: a grid has them in their places as it is.

    What prunes, and Hyperband, decide by what they sent to each epoch themselves.
    """
    return not (model_search.algorithm.lists_grid or model_search.varies_epochs)


def kept_of(search: Search, prepared: Mapping[str, Prepared], ledger: Ledger) -> list[Kept]:
    """Return what each `[[search]]` that takes earlier trials has of those that the ledger lists of the search.

    Args:
        search: checked, as its file is now.
        prepared: its data sets.
        ledger: lists the search as it was.
    """
    taking = [one for one in search.model_searches if takes_earlier(one)]
    if not taking:
        return []
    search = search.with_decisions(()).with_earlier(())
    listed = [(one, record) for one, record in ledger.all_search_trials(search.name) if one.role == "search"]
    known = {one.trial for one, _ in listed}
    for number, told in enumerate(ledger.earlier(search.name)):  # of which a run that ended at once listed none
        if told.trial not in known:
            place = SearchTrial(told.model, told.dataset, "search", number, told.trial)
            listed.append((place, ledger.get(told.trial)))
    finished = [(one, record) for one, record in listed if record is not None and record.completed]
    names = {one.name for one in search.model_searches}
    renamed = {one.model for one, _ in listed} - names
    before = {one.model for one, _ in listed}
    found = []
    for dataset in search.datasets:
        for one in taking:
            whose = {one.name} if one.name in before else renamed
            mine = [pair for pair in finished if pair[0].model in whose]
            kept = _kept(search, search.model_search(one.name), (dataset, prepared[dataset]), mine, ledger)
            if kept.first or kept.again or any(listed.dataset == dataset for listed, _ in mine):
                found.append(kept)
    return found


def _kept(
    search: Search,
    model_search: ModelSearch,
    on: tuple[str, Prepared],
    finished: Sequence[tuple[SearchTrial, Record]],
    ledger: Ledger,
) -> Kept:
    dataset, data = on
    sized = with_sizes(search, model_search, data.shape, data.classes)
    own: dict[str, EarlierTrial] = {}
    places: list[int] = []
    for listed, record in finished:
        values = _configuration(record.trial, sized.space)
        if values is None or listed.trial in own:
            continue
        if search.trial(sized, dataset, data.fingerprint, values, None).id == listed.trial:
            own[listed.trial] = EarlierTrial(sized.name, dataset, listed.trial, values)
            places.append(listed.number)
    earlier = tuple(own.values())
    if earlier and own.keys() <= set(_proposed(search, model_search, on, 1 + max(places), ledger)):
        earlier = ()
    new = sized.with_earlier(earlier).planned(dataset) - len(own)
    return Kept(sized.label, dataset, sized.max_trials, earlier, len(own), new)


def _configuration(trial: Trial, space: Space) -> Configuration | None:
    """Return the configuration of a trial as one of a space; None where the space, or a rule of it, has it not."""
    try:
        return read_one(space.completed(trial.values), space)
    except InputError:
        return None


def _proposed(
    search: Search, model_search: ModelSearch, on: tuple[str, Prepared], most: int, ledger: Ledger
) -> Iterator[str]:
    """Yield the first trials, so many at most, that are proposed with nothing put before them, by what is recorded."""
    limits = Limits(search.max_trial_minutes, search.max_trial_gb)
    proposals = search_proposals(search, model_search, *on)
    while proposals.proposed < most and (following := proposals.next()) is not None:
        number, trial = following
        yield trial.id
        record = ledger.get(trial.id)
        if record is not None and counts(record, limits):
            proposals.finished(number, record)


def _verb(number: int, one: str, several: str) -> str:
    return one if number == 1 else several
