"""The space of a user's `build(hp)`, read by building: which parameters it asks for, and where each of them is active.

A build asks for one parameter after the other, and what it asks for may depend on what it was answered: by
`conditional_scope`, or as a loop does that asks for `units_1`, `units_2`, …. So each parameter is given its other
values, as KerasTuner does it with conditions, and what is asked for then is given its other values in turn. What is
found is tried on further configurations, and mended where a build asks otherwise. Free of Keras: who reads says how to
build.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tuner.errors import InputError
from tuner.families.declared import Declared
from tuner.space.parameters import Choice, Condition, Domain, Parameter, Range, Value, Values
from tuner.space.space import Space

#: Lists of so many values are tried whole; of longer ones the ends and the middle, and all where these differ.
_FEW = 6
#: So many configurations are built to see that what was read is right; of a smaller space, all.
_SAMPLES = 24
#: So often what was read is mended, and so many networks are built in all.
_MOST_ROUNDS = 60
_MOST_BUILDS = 1_500


@dataclass(frozen=True)
class Asked:
    """A parameter as one build asked for it: its value there, None where it was not active."""

    declared: Declared
    value: Value | None


@dataclass(frozen=True)
class Trace:
    """What one build asked for, in order; `failed` if it did not come to its end, and asks for more otherwise.

    `notes` are lines that the user should read.
    """

    asked: tuple[Asked, ...] = ()
    failed: bool = False
    notes: tuple[str, ...] = ()

    @property
    def active(self) -> dict[str, Value]:
        """The values of the active parameters."""
        return {one.declared.name: one.value for one in self.asked if one.value is not None}


@dataclass(frozen=True)
class Reading:
    """What was read: the parameters, parents before children, and lines that the user should read."""

    parameters: tuple[Declared, ...]
    notes: tuple[str, ...] = ()


@dataclass
class _Known:
    """A parameter that was met: as what, what is searched of it, and the configurations in which it was active.

    `decides` names the parameters that were seen to decide about it.
    """

    declared: Declared
    domain: Domain
    contexts: list[dict[str, Value]] = field(default_factory=list)
    decides: set[str] = field(default_factory=set)


class _Reader:
    """Reads the space of one network; see `read_own_space`."""

    def __init__(
        self, path: str, build: Callable[[Values], Trace], domain_of: Callable[[Declared], Domain], kept: frozenset[str]
    ) -> None:
        self._path, self._build, self._domain_of, self._kept = path, build, domain_of, kept
        self._known: dict[str, _Known] = {}
        self._order: list[str] = []
        self._base: dict[str, Value] = {}
        self._traces: dict[frozenset[tuple[str, Value]], Trace] = {}
        self._lost: set[tuple[str, Value]] = set()
        self._fresh: deque[tuple[str, dict[str, Value]]] = deque()
        self._scopes: set[tuple[Condition, ...]] = set()
        self._decisive: set[str] = set()
        self._notes: dict[str, None] = {}

    def read(self) -> Reading:
        self._meet({})
        self._follow()
        for turn in range(_MOST_ROUNDS):
            surprise = self._surprise(turn)
            if surprise is None:
                return Reading(tuple(self._found()), tuple(self._notes))
            self._mend(*surprise)
            self._follow()
        raise self._untold("")

    # --- building ---

    def _trace(self, wishes: Values) -> Trace:
        """Return what a build asks for that is answered so, where it asks for what is named."""
        changed = {name: value for name, value in wishes.items() if self._base.get(name) != value}
        key = frozenset(changed.items())
        if key in self._traces:
            return self._traces[key]
        if self._lost.intersection(changed.items()):
            return Trace(failed=True)
        if len(self._traces) >= _MOST_BUILDS:
            raise self._untold("")
        trace = self._build({**self._base, **changed})
        if trace.failed and not trace.asked and len(changed) == 1:
            self._lost.update(changed.items())  # it died, or never ended: not once more
        self._traces[key] = trace
        self._notes.update(dict.fromkeys(trace.notes))
        return trace

    def _meet(self, wishes: Values) -> Trace:
        """Build, and note every parameter that was not known."""
        trace = self._trace(wishes)
        context = trace.active
        before = 0  # where the last one of what was asked for stands
        for number, one in enumerate(trace.asked):
            name = one.declared.name
            if name in self._known:
                self._see_alike(one.declared)
            elif one.value is not None:
                self._known[name] = _Known(one.declared.bare, self._domain_of(one.declared.bare), [context])
                later = {other.declared.name for other in trace.asked[number:]} & set(self._order)
                behind = min(map(self._order.index, later), default=len(self._order))
                self._order.insert(max(before, behind), name)
                self._base.setdefault(name, one.value)
                self._fresh.append((name, context))
            if name in self._known:
                before = max(before, self._order.index(name) + 1)
        for one in trace.asked:
            if one.value is None:
                self._open(one.declared.ways[0] if one.declared.ways else (), context)
        return trace

    def _open(self, scope: tuple[Condition, ...], context: dict[str, Value]) -> None:
        """Meet what stands in a `conditional_scope` that was not active."""
        if not scope or scope in self._scopes:
            return
        wishes = dict(context)
        for name, values in scope:
            allowed = [value for value in values if name in self._known and self._known[name].domain.holds(value)]
            if not allowed:
                return
            wishes[name] = allowed[0]
        self._scopes.add(scope)
        self._meet(wishes)

    def _see_alike(self, declared: Declared) -> None:
        known = self._known[declared.name].declared
        if replace(known, default=None) == replace(declared.bare, default=None) or declared.name in self._kept:
            return
        raise InputError(
            f"family {self._path}",
            f"asks for {declared.name!r} with different values, as others differ ({known}, and {declared})",
            "ask for all of them each time, with a rule in [search.rules]; or name it in [search.space]",
        )

    # --- which parameter decides about which ---

    def _follow(self) -> None:
        """Give every parameter that was met its other values, and what is met then, until nothing new is."""
        while self._fresh:
            name, context = self._fresh.popleft()
            traces = [self._meet({**context, name: value}) for value in self._points(name)]
            told = {frozenset(trace.active) for trace in traces if not trace.failed}
            if len(told) > 1:
                self._decisive.add(name)
                for value in self._between(name, context):
                    self._meet({**context, name: value})

    def _points(self, name: str) -> list[Value]:
        values = self._values(name)
        if len(values) <= _FEW or not isinstance(values[0], int | float):
            return list(values)
        return [values[0], values[len(values) // 2], values[-1]]

    def _values(self, name: str) -> Sequence[Value]:
        domain = self._known[name].domain
        if isinstance(domain, Range) and not domain.is_finite:
            return (domain.low, domain.high)
        return domain.values

    def _between(self, name: str, context: Mapping[str, Value]) -> list[Value]:
        """Return the values of a parameter at which builds are asked: all, but for those between two that are alike."""
        values = self._values(name)
        if not isinstance(values[0], int | float):
            return list(values)
        found = {0, len(values) - 1, len(values) // 2}
        waiting = [(0, len(values) // 2), (len(values) // 2, len(values) - 1)]
        while waiting:
            low, high = waiting.pop()
            if high - low < 2 or (len(values) > 4 * _FEW and self._alike(name, context, values[low], values[high])):
                continue
            middle = (low + high) // 2
            found.add(middle)
            waiting += [(low, middle), (middle, high)]
        return [values[index] for index in sorted(found)]

    def _alike(self, name: str, context: Mapping[str, Value], one: Value, other: Value) -> bool:
        return self._trace({**context, name: one}).active.keys() == self._trace({**context, name: other}).active.keys()

    def _lets(self, name: str, parent: str, context: Mapping[str, Value]) -> tuple[Value, ...]:
        """Return the values of a parent at which a parameter is active, all others being as in a configuration."""
        values, let = self._values(parent), []
        asked = self._between(parent, context)
        active = True
        for value in values:
            if value in asked:
                trace = self._trace({**context, parent: value})
                active = name in trace.active or trace.failed
            if active:
                let.append(value)
        return tuple(let)

    def _ways(self, name: str) -> tuple[tuple[Condition, ...], ...]:
        known, ways = self._known[name], []
        for context in known.contexts:
            before = list(self._trace(context).active)
            above = before[: before.index(name)] if name in before else before
            way: list[Condition] = []
            for parent in (one for one in self._order if one in above and one in known.decides | self._decisive):
                let = self._lets(name, parent, context)
                if len(let) < len(self._values(parent)):
                    domain = self._known[parent].domain
                    if isinstance(domain, Range) and not domain.is_finite:
                        raise self._untold(name, f"{parent}, which decides, is a real number")
                    way.append((parent, let))
            ways.append(tuple(way))
        return () if () in ways else tuple(dict.fromkeys(ways))

    def _found(self) -> Iterator[Declared]:
        """Yield the parameters with their conditions, parents before children."""
        left = {name: replace(self._known[name].declared, ways=self._ways(name)) for name in self._order}
        while left:
            ready = [n for n, one in left.items() if not any(p in left for way in one.ways for p, _ in way)]
            if not ready:
                raise self._untold(next(iter(left)))
            yield left.pop(ready[0])

    # --- trying what was read ---

    def _surprise(self, turn: int) -> tuple[str, dict[str, Value], bool] | None:
        """Return a parameter that a build asks for otherwise than was read, with the configuration, and whether it did.

        Of a build that fails only what was never met is a surprise.
        """
        for values in self._samples(turn):
            trace = self._meet(values)
            active = trace.active
            unmet = [name for name, _ in self._fresh]
            if unmet:
                return unmet[0], active, True
            if trace.failed:
                continue
            for name in self._order:
                if (name in active) != (name in values):
                    return name, dict(active if name in active else values), name in active
        return None

    def _samples(self, turn: int) -> Iterator[Values]:
        parameters = [Parameter(one.name, 0, ways=one.ways) for one in self._found()]
        space = Space(tuple(parameters), {name: known.domain for name, known in self._known.items()})
        draw = random.Random(turn)  # noqa: S311
        finite = space.finite
        if finite is not None and not finite.endless and finite.count <= _SAMPLES:
            yield from (finite.numbered.at(number) for number in range(finite.count))
            return
        for _ in range(_SAMPLES):
            values: dict[str, Value] = {}
            for parameter in parameters:
                if parameter.is_active(values):
                    values[parameter.name] = _drawn(self._known[parameter.name].domain, draw)
            yield values

    def _mend(self, name: str, values: dict[str, Value], active: bool) -> None:
        """Learn from a surprise: another way in which a parameter is active, or another that decides about it."""
        known = self._known[name]
        context = dict(values)
        if not active:  # go from where it is active to here, and see where it goes
            context = next(one for one in known.contexts if self._matches(name, one, values))
            known.contexts.remove(context)
            for parent in self._order:
                if parent == name or context.get(parent) == values.get(parent) or parent not in values:
                    continue
                further = {**context, parent: values[parent]}
                trace = self._trace(further)
                if name not in trace.active and not trace.failed:
                    if parent not in known.decides | self._decisive:
                        known.contexts.append(context)
                    known.decides.add(parent)
                    break
                context = further
        context = self._trace(context).active
        for parent in self._order[: self._order.index(name)]:
            if parent in context and any(
                name not in trace.active and not trace.failed
                for trace in (self._trace({**context, parent: value}) for value in self._points(parent))
            ):
                known.decides.add(parent)
        if context not in known.contexts:
            known.contexts.append(context)

    def _matches(self, name: str, context: dict[str, Value], values: Values) -> bool:
        """Whether what was read in one configuration says that a parameter is active in another."""
        known = self._known[name]
        all_contexts, known.contexts = known.contexts, [context]
        ways = self._ways(name)
        known.contexts = all_contexts
        return Parameter(name, 0, ways=ways).is_active(values)

    def _untold(self, name: str, why: str = "") -> InputError:
        what = f"where it asks for {name!r}" if name else "what it asks for"
        problem = f"{what} cannot be told: {why or 'it depends on too much at once'}"
        remedy = "ask for it always, or let a Choice or a Boolean decide; or write a build for each kind of network"
        return InputError(f"family {self._path}", problem, remedy)


def _drawn(domain: Domain, draw: random.Random) -> Value:
    if isinstance(domain, Choice) or domain.is_finite:
        return draw.choice(domain.values)
    if domain.log:
        return float(domain.low * (domain.high / domain.low) ** draw.random())
    return float(domain.low + (domain.high - domain.low) * draw.random())


def read_own_space(
    path: str, build: Callable[[Values], Trace], domain_of: Callable[[Declared], Domain], kept: frozenset[str]
) -> Reading:
    """Return what `build(hp)` asks for.

    Args:
        path: how the search file names it.
        build: builds with these answers, and its own defaults for what is not among them.
        domain_of: returns what is searched of a parameter, narrowed by the search file.
        kept: names that the search file gives values for, whatever ranges `build` asks for.

    Raises:
        InputError: where it asks for a parameter cannot be told; or what `domain_of` raises.
    """
    return _Reader(path, build, domain_of, kept).read()
