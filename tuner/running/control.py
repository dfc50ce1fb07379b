"""What somebody who watches a search asks of its run: what is decided of it, and when.

A request stands in the ledger, written by `tuner watch --control`. The run reads it between two results, decides, and
writes down what it decided with the number of results that were recorded. From then on the decision is a part of the
search as its file is: which trials are left out is a function of what is recorded, whoever goes on with it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from rich.console import Console

from tuner.analysis.ended import asked_in_words
from tuner.errors import InputError
from tuner.ledger.events import Event, Stop
from tuner.ledger.ledger import Ledger
from tuner.ledger.requests import OF_A_MODEL, Change, Decision, Request, left_out_of
from tuner.running.asked import added, asked_trials, limited, searched_as
from tuner.running.loop import Heeded, Place
from tuner.running.progress import say
from tuner.search_file.model import Search

_OVER = "the search had ended already"


class Control:
    """Reads what is asked of a run, and decides.

    Args:
        search: what is run.
        ledger: where requests are read and decisions written.
        console: where what was decided is said.
        paused: is told when the run pauses and goes on.
    """

    def __init__(
        self, search: Search, ledger: Ledger, console: Console, paused: Callable[[bool], None] = lambda paused: None
    ) -> None:
        self._search, self._ledger, self._console, self._tell = search, ledger, console, paused
        self.left_out = set(left_out_of(ledger.decisions(search.name), ledger.events(search.name)))
        self.paused = False
        #: Whether somebody ended the search; whether that is to happen now.
        self.ended = self.ends = False
        self._change = -1
        for number, request in ledger.requests(search.name):
            if request.what in ("pause", "resume"):
                self._decide(number, request, refused="the run that was asked has ended")

    def heed(self, what: str, places: Callable[[], Sequence[Place]], under_way: Callable[[str], bool]) -> Heeded:
        """Decide what is asked since the last look; return what follows from it.

        Args:
            what: the phase, "search" or "retraining".
            places: tells how far each model search is on each data set.
            under_way: tells by a trial's name whether it is being trained.
        """
        heeded = Heeded()
        change = self._ledger.change()
        if change == self._change:
            return heeded
        self._change = change
        for number, request in self._ledger.requests(self._search.name):
            if request.what not in OF_A_MODEL:
                left_out = self._heed(number, request, what, places, under_way)
                self.left_out |= left_out
                heeded.left_out |= left_out
                continue
            self._change = -1  # to look again soon
            repeated = not any(place.proposals.repeats for place in places())
            if repeated or what != "search" or self.ended:  # what was decided before comes first
                self._of_a_model(number, request, what, places(), heeded)
                break  # so that what follows is decided by what is proposed then
        return heeded

    def _heed(
        self,
        number: int,
        request: Request,
        what: str,
        places: Callable[[], Sequence[Place]],
        under_way: Callable[[str], bool],
    ) -> set[str]:
        match request.what:
            case "pause" | "resume":
                self.paused = request.what == "pause"
                self._tell(self.paused)
                self._decide(number, request)
                return set()
            case "report":
                return self._report(number, request, what, places())
        found = [place for place in places() if request.trial in place.open]
        if what != "search" or not found or request.trial in self.left_out:
            self._decide(number, request, refused="the trial had ended, or is none of the search's trials")
            return set()
        self._decide(number, request, [request.trial], trained=under_way(request.trial))
        return {request.trial}

    def _of_a_model(self, number: int, request: Request, what: str, places: Sequence[Place], heeded: Heeded) -> None:
        """Add a configuration, or let another `max_trials` hold."""
        try:
            if what != "search" or self.ended:
                raise InputError("", _OVER)
            mine = [place for place in places if place.model == request.model]
            if not mine:
                searched_as(self._search, request.model)
            changes = (added if request.what == "add" else limited)(request, mine)
        except InputError as error:
            self._decide(number, request, refused=str(error))
            return
        before = [place.proposals.planned for place in mine]
        decision = self._decide(number, request, changes=changes, instead_of=asked_trials(mine))
        of = {change.dataset: change for change in changes}
        for place, planned in zip(mine, before, strict=True):
            proposals = place.proposals
            if proposals.searched is None:
                continue
            searched = replace(proposals.searched, decided=(*proposals.searched.decided, decision))
            proposals.decided(searched, of.get(place.dataset))
            left_out = of[place.dataset].left_out if place.dataset in of else ()
            heeded.left_out |= set(left_out)
            heeded.more += (proposals.planned - planned + len(left_out)) * (self._search.folds or 1)
        heeded.changed = True

    def _report(self, number: int, request: Request, what: str, places: Sequence[Place]) -> set[str]:
        """End the search where it is, if each model search has something to report."""
        if what != "search" or self.ended:
            self._decide(number, request, refused=_OVER)
            return set()
        lacking = [place for place in places if not place.completed]
        if lacking:
            label = self._search.model_search(lacking[0].model).label
            refused = f"no trial of {label} on {lacking[0].dataset} has completed yet"
            self._decide(number, request, refused=refused)
            return set()
        open_trials = tuple(sorted({trial for place in places for trial in place.open}))
        stops = tuple(
            Stop(
                place.model,
                place.dataset,
                place.configurations,
                max(place.proposals.configurations, place.proposals.planned),
                place.left_out + len(place.open),
            )
            for place in places
        )
        self.ended = self.ends = True
        self._decide(number, request, open_trials, ended=Event("ended", None, stops, left_out=open_trials))
        return set(open_trials)

    def _decide(
        self,
        number: int,
        request: Request,
        left_out: Collection[str] = (),
        trained: bool = False,
        refused: str = "",
        ended: Event | None = None,
        changes: Sequence[Change] = (),
        instead_of: int | None = None,
    ) -> Decision:
        after = self._ledger.count_finished(self._search.name)
        decision = Decision(
            number, request.what, request.trial, after, trained, refused, request.model, request.values,
            request.max_trials, None if request.max_trials is None else instead_of, tuple(changes),
        )  # fmt: skip
        left_out = [*left_out, *(trial for change in changes for trial in change.left_out)]
        self._ledger.decide(self._search.name, decision, left_out, ended)
        say(self._console, f"by hand: {asked_in_words(decision)}")
        return decision
