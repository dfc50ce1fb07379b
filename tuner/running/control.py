"""What somebody who watches a search asks of its run: what is decided of it, and when.

A request stands in the ledger, written by `tuner watch --control`. The run reads it between two results, decides, and
writes down what it decided with the number of results that were recorded. From then on the decision is a part of the
search as its file is: which trials are left out is a function of what is recorded, whoever goes on with it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from rich.console import Console

from tuner.analysis.ended import asked_in_words
from tuner.ledger.events import Event, Stop
from tuner.ledger.ledger import Ledger
from tuner.ledger.requests import Decision, Request, left_out_of
from tuner.running.loop import Place
from tuner.running.progress import say
from tuner.search_file.model import Search


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

    def heed(
        self, what: str, places: Callable[[], Sequence[Place]], under_way: Callable[[str], bool]
    ) -> Collection[str]:
        """Decide what is asked since the last look; return the trials that are left out from now on.

        Args:
            what: the phase, "search" or "retraining".
            places: tells how far each model search is on each data set.
            under_way: tells by a trial's name whether it is being trained.
        """
        change = self._ledger.change()
        if change == self._change:
            return ()
        self._change = change
        left_out: set[str] = set()
        for number, request in self._ledger.requests(self._search.name):
            left_out |= self._heed(number, request, what, places, under_way)
        self.left_out |= left_out
        return left_out

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

    def _report(self, number: int, request: Request, what: str, places: Sequence[Place]) -> set[str]:
        """End the search where it is, if each model search has something to report."""
        if what != "search" or self.ended:
            self._decide(number, request, refused="the search had ended already")
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
                max(place.configurations, self._search.model_search(place.model).planned()),
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
    ) -> None:
        after = self._ledger.count_finished(self._search.name)
        decision = Decision(number, request.what, request.trial, after, trained, refused)
        self._ledger.decide(self._search.name, decision, left_out, ended)
        say(self._console, f"by hand: {asked_in_words(decision)}")
