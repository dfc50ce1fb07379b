"""The rows of the comparison: each `[[search]]`, and the best of its trials below each limit that a file asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tuner.errors import InputError, shown

if TYPE_CHECKING:
    from tuner.search_file.model_search import ModelSearch

#: Which trial of a `[[search]]` is trained again.
Choose = Literal["best", "smallest within one standard error"]
SMALLEST: Choose = "smallest within one standard error"

#: Bytes of a weight, a number of 32 bits.
BYTES_A_WEIGHT = 4
#: A comma stands between thousands alone: elsewhere it would be some languages' decimal point.
_NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9][0-9_]*)(?:\.[0-9]+)?(?:[eE][+]?[0-9]{1,2})?"
_LIMIT = re.compile(rf"\s*({_NUMBER})\s*(kB|MB|parameters)\s*")
_BYTES = {"kB": 1_000, "MB": 1_000_000}
_MOST = 1e15


@dataclass(frozen=True)
class SizeLimit:
    """A size that a network is to stay below: of its weights, as 32-bit numbers, or of how many there are.

    For example, `1 MB` are 10**6 bytes, which are fewer than 250,000 parameters.
    """

    amount: float
    unit: str

    def holds(self, parameters: int | None) -> bool:
        """Whether a network of so many parameters is smaller; of one whose number nobody knows, it is not."""
        if parameters is None:
            return False
        return parameters < self.amount if self.unit == "parameters" else self.in_bytes(parameters) < self._bytes

    @staticmethod
    def in_bytes(parameters: int) -> int:
        """Return how many bytes so many weights take."""
        return BYTES_A_WEIGHT * parameters

    @property
    def _bytes(self) -> float:
        return self.amount * _BYTES[self.unit]

    @property
    def parameters(self) -> float:
        """The number of parameters that a network is to stay below."""
        return self.amount if self.unit == "parameters" else self._bytes / BYTES_A_WEIGHT

    @property
    def words(self) -> str:
        """The limit as sentences say it, such as `100,000 parameters`."""
        number = f"{self.amount:,.0f}" if self.amount == int(self.amount) else f"{self.amount:,g}"
        return f"{number} {self.unit}"

    @property
    def slug(self) -> str:
        """The limit as a part of a name, such as `100000-parameters` or `0_5MB`."""
        number = f"{self.amount:.0f}" if self.amount == int(self.amount) else f"{self.amount:.6f}".rstrip("0")
        return number.replace(".", "_") + ("-parameters" if self.unit == "parameters" else self.unit)


def size_limit(text: object) -> SizeLimit:
    """Return the limit that a text says.

    Raises:
        ValueError: it says none.
    """
    found = _LIMIT.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError('is no size: write "1 MB", "500 kB" or "100_000 parameters"')
    amount = float(re.sub("[_,]", "", found[1]))
    if not 0 < amount <= _MOST:
        raise ValueError("is no size that a network can stay below")
    return SizeLimit(amount, found[2])


def checked_limits(given: object) -> object:
    """Return limits as a list of texts, each once, for pydantic.

    Raises:
        ValueError: one is no limit, or stands there twice.
    """
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list):
        raise ValueError('is no size, nor a list of sizes: write "1 MB" or ["1 MB", "100_000 parameters"]')
    seen: dict[float, str] = {}
    for text in texts:
        try:
            limit = size_limit(text)
        except ValueError as error:
            raise ValueError(str(error) if len(texts) == 1 else f"names {shown(text)}, which {error}") from error
        if limit.parameters in seen:
            raise ValueError(f"has {shown(seen[limit.parameters])} twice, the second time as {shown(text)}")
        seen[limit.parameters] = text
    return texts


@dataclass(frozen=True)
class Contender:
    """A row of the comparison.

    `name` is what tables and files call it and `label` what sentences do; `searched` names the `[[search]]` among whose
    trials it is chosen, empty for an ensemble, whose trials are of any. `limit` is the size that it stays below, None
    for the row of the `[[search]]` itself. `members` is how often an ensemble takes a trial, 0 for any other row.
    """

    name: str
    label: str
    searched: str
    limit: SizeLimit | None = None
    members: int = 0


def contenders_of(model_searches: Iterable[ModelSearch], limits: Sequence[str]) -> Iterator[Contender]:
    """Yield the rows of a comparison: of each `[[search]]` its own, and then one for each limit, the largest first."""
    order = sorted(map(size_limit, limits), key=lambda limit: -limit.parameters)
    for model_search in model_searches:
        yield Contender(model_search.name, model_search.label, model_search.name)
        for limit in order:
            name, label = f"{model_search.name}-under-{limit.slug}", f"{model_search.label} under {limit.words}"
            yield Contender(name, label, model_search.name, limit)


def ensemble_of(members: int) -> Contender:
    """Return the row of the ensemble that takes a trial so often."""
    return Contender(f"ensemble-of-{members}", f"ensemble of {members}", "", members=members)


def members_of(ensemble: Contender) -> Iterator[Contender]:
    """Yield under which names the retrainings of an ensemble's members are listed that are of no row of their own."""
    for number in range(1, ensemble.members + 1):
        yield Contender(f"{ensemble.name}-member-{number}", f"member {number} of the {ensemble.label}", "")


def check_contenders(contenders: Sequence[Contender]) -> None:
    """Refuse rows of one name, which would be one file.

    Raises:
        InputError: it names the row.
    """
    taken: set[str] = set()
    for one in contenders:
        if one.name.lower() in taken:
            place = f"report.{'also_smaller_than' if one.searched else 'ensemble'}"
            problem = f"{one.name!r} would be the name of two models"
            raise InputError(place, problem, "give the [[search]] of that name another one")
        taken.add(one.name.lower())
