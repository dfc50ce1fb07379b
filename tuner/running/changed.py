"""What a search was before its file changed, and what is told of what it has of that still."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from tuner.datasets.remarks import number_of
from tuner.errors import InputError, key_name
from tuner.ledger.earlier import EarlierTrial
from tuner.ledger.ledger import Ledger, SearchTrial
from tuner.running.checked import run_key
from tuner.running.earlier import Kept, kept_of
from tuner.running.planned import Prepared
from tuner.search_file.file import saved_search
from tuner.search_file.model import Search
from tuner.search_file.overrides import option_name
from tuner.text import first_of
from tuner.trial import Record

#: Of many changes, so many are named.
_MOST_NAMED = 3
#: What a search is made of beside its file.
_UNNAMED = "its data, a network, an objective or callbacks of yours, or Keras' backend"


@dataclass(frozen=True)
class Before:
    """A search as it ran before: its finished search trials, and the keys and options that have changed since.

    `decided` is how many decisions by hand were a part of it, and `kept` what it has of these trials still; nothing
    where it is run `fresh`.
    """

    trials: frozenset[str]
    changed: tuple[str, ...]
    decided: int = 0
    kept: tuple[Kept, ...] = ()
    fresh: bool = False

    @classmethod
    def read(cls, ledger: Ledger, search: Search, key: str) -> Before | None:
        """Return what a search was if it last ran under another key and has trials from then."""
        trials = ledger.listed_under(search.name, key)
        if not trials:
            return None
        try:
            saved = saved_search(ledger.search_content(search.name) or "")
        except InputError:  # of a stranger's ledger, whose list is written anew
            return None
        options = {name for name, value in vars(search.overrides).items() if value != vars(saved.overrides)[name]}
        changed = [*differing(saved.raw, search.raw), *(option_name(name) for name in sorted(options))]
        decisions = ledger.decisions(search.name)
        decided = sum(not one.refused and one.what not in ("pause", "resume") for one in decisions)
        return cls(frozenset(trials), tuple(changed), decided)

    def with_kept(self, search: Search, prepared: Mapping[str, Prepared], ledger: Ledger) -> Before:
        """Return the same with what the search as it is now has of these trials; see `kept_of`."""
        return replace(self, kept=tuple(kept_of(search, prepared, ledger)))

    @property
    def earlier(self) -> tuple[EarlierTrial, ...]:
        """The trials with which the search as it is now begins."""
        return tuple(trial for kept in self.kept for trial in kept.first)

    @property
    def in_words(self) -> str:
        """What has changed, by the names of a few keys and options."""
        return first_of(self.changed, _MOST_NAMED) or _UNNAMED

    def at_start(self, search: Search) -> list[str]:
        """Return what is said before the search begins."""
        finished = number_of(len(self.trials), "trial")
        told = f"of the {finished} that finished then, what is its own still is not trained again"
        if self.fresh:
            told = "a fresh run begins with none of its trials"
        return [f"{search.name} has changed since it last ran ({self.in_words}): {told}.", *self.of_kept(search)]

    def of_kept(self, search: Search) -> list[str]:
        """Return what comes of the earlier trials in each `[[search]]`, and of what was decided by hand."""
        lines = [kept.in_words() for kept in self.kept]
        lines += [
            f"{one.label}: {'what is pruned' if one.pruning else one.algorithm.name} goes by what it proposes itself: "
            "proposals begin with the first, and earlier trials count where they are proposed again."
            for one in search.model_searches
            if one.varies_epochs and not (self.fresh or one.algorithm.lists_grid)
        ]
        if self.decided:
            several = self.decided > 1
            what = f"{self.decided} decisions that were" if several else "1 decision that was"
            lines.append(f"{what} made by hand {'are' if several else 'is'} no part of it any more.")
        return lines

    def left_behind(self, search_trials: Iterable[tuple[SearchTrial, Record | None]]) -> str:
        """Return what is said after the search of trials that it no longer has; empty where it has them all."""
        left = self.trials - {search_trial.trial for search_trial, _ in search_trials}
        if not left:
            return ""
        return (
            f"{len(left)} of the {len(self.trials)} trials from before the change no longer belong to this search: "
            "they stand in no table of it, and stay in the ledger."
        )


def opened(
    search: Search, prepared: Mapping[str, Prepared], ledger: Ledger, fresh: bool = False
) -> tuple[Search, Before | None]:
    """Begin or go on with a search in a ledger; return it as recorded there, and what it was if it has changed.

    Args:
        search: checked, as its file is now.
        prepared: its data sets.
        ledger: where it may have run before.
        fresh: whether what is recorded is trained again, so that it has nothing of what it was.
    """
    key = run_key(search, prepared)
    before = Before.read(ledger, search, key)
    if before:
        before = replace(before, fresh=True) if fresh else before.with_kept(search, prepared, ledger)
    ledger.open_search(search.name, key, search.to_json(), before.earlier if before else ())
    return search.as_recorded(ledger), before


def differing(before: object, after: object, place: str = "") -> Iterator[str]:
    """Yield the places, as the file's author writes them, in which two search files differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*after, *before)):
            inner = f"{place}.{key_name(key)}" if place else key_name(key)
            yield from differing(before.get(key), after.get(key), inner)
    elif place == "search" and isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True), start=1):
            yield from differing(one, other, f"[[search]] {number}")
    elif before != after:
        yield place
