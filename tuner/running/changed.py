"""What a search was before its file changed: what is told of it, since its list of trials begins anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tuner.errors import InputError, key_name
from tuner.ledger.ledger import Ledger, SearchTrial
from tuner.search_file.file import saved_search
from tuner.search_file.model import Search
from tuner.search_file.overrides import option_name
from tuner.trial import Record

#: Of many changes, so many are named.
_MOST_NAMED = 3


@dataclass(frozen=True)
class Before:
    """A search as it ran before: its finished search trials, and the keys and options that have changed since."""

    trials: frozenset[str]
    changed: tuple[str, ...]

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
        return cls(frozenset(trials), tuple(changed))

    @property
    def in_words(self) -> str:
        """What has changed, by the names of a few keys and options."""
        named = ", ".join(self.changed[:_MOST_NAMED]) or "its data, a network of yours or Keras' backend"
        more = len(self.changed) - _MOST_NAMED
        return f"{named} and {more} more" if more > 0 else named

    def at_start(self, search: Search) -> list[str]:
        """Return what is said before the search begins."""
        lines = [
            f"{search.name} has changed since it last ran ({self.in_words}): its list of trials begins anew, and of "
            f"the {len(self.trials)} that finished then, those that are proposed again are not trained again."
        ]
        learning = [model_search.label for model_search in search.model_searches if model_search.algorithm.learns]
        if learning:
            lines.append(f"{', '.join(learning)}: proposals begin with the first, and learn from this list alone.")
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
