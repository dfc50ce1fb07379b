"""Parameters and rules become configurations.

A `Space` holds every parameter of one family and its recipe, each with a domain. It lists its grid itself and
declares itself as `keras_tuner.HyperParameters`, from which KerasTuner's oracles propose.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from tuner.errors import InputError, key_name, shown, suggestion
from tuner.space.finite import FinitePart, finite_part
from tuner.space.grid import Grid
from tuner.space.parameters import Choice, Condition, Domain, Layered, Parameter, Range, Value, Values, domain_of
from tuner.space.rules import NAMED, Measure, Rule, parse_rule

if TYPE_CHECKING:
    import keras_tuner

Configuration = dict[str, Value]

#: So many steps of a count take seconds and less than 1 GB. That is enough for rules that read every parameter of a
#: grid of a million configurations; rules that read few of them together need thousands, however large the grid.
_MOST_EFFORT = 2_500_000
#: More rules than anybody writes; each is asked of every configuration.
_MOST_RULES = 1_000


@dataclass(frozen=True)
class Space:
    """The parameters of a search, parents before children, each with its domain; and the rules."""

    parameters: tuple[Parameter, ...]
    domains: Mapping[str, Domain]
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    #: Whether there may be further parameters, which building a user's network tells.
    is_open: bool = False

    def broken_rule(self, values: Values) -> Rule | None:
        """Return the first rule that the active `values` break, or None if they are allowed."""
        for rule in self.rules:
            try:
                allowed = rule.allows(values, self.groups)
            except ValueError as error:
                raise InputError("rule", str(error)) from error
            if not allowed:
                return rule
        return None

    @property
    def speaks_of_sizes(self) -> bool:
        """Whether a rule is about the network's size, which only `measured_by` makes it ask for."""
        return any(rule.measured for rule in self.rules)

    @property
    def awaits_sizes(self) -> bool:
        """Whether a rule is about the network's size, and nothing tells it yet."""
        return any(rule.measured and rule.measure is None for rule in self.rules)

    def measured_by(self, measure: Measure, costly: bool) -> Space:
        """Return the same with what tells the size of networks; it is `costly` where it builds them."""
        rules = (replace(rule, measure=measure, costly=costly) if rule.measured else rule for rule in self.rules)
        return replace(self, rules=tuple(rules))

    def active(self, values: Values) -> Configuration:
        """Return `values` without those that do not matter, in the order of the parameters, each of its type.

        KerasTuner hands true and false back as 1 and 0.
        """
        kept: Configuration = {}
        for parameter in self.parameters:
            if parameter.name in values and parameter.is_active(kept):
                kept[parameter.name] = parameter.kind(values[parameter.name])
        return kept

    def completed(self, values: Values) -> Configuration:
        """Return `values` with the idle ones of parameters that are newer than the trial that had these values."""
        whole: Configuration = {}
        for parameter in self.parameters:
            if parameter.name in values:
                whole[parameter.name] = values[parameter.name]
            elif parameter.idle is not None and parameter.is_active(whole):
                whole[parameter.name] = parameter.idle
        return {**whole, **values}

    def candidates(self) -> Iterator[Configuration]:
        """Yield every configuration of the grid, before any rule; the last parameter varies fastest.

        Raises:
            InputError: a range without a step has no grid.
        """
        return replace(self, rules=()).grid()

    def grid(self) -> Iterator[Configuration]:
        """Yield the configurations of the grid that every rule allows.

        Raises:
            InputError: a range without a step has no grid; or a rule cannot be computed where no other is broken.
        """
        return (values for values in self.walk() if values is not None)

    def walk(self) -> Iterator[Configuration | None]:
        """Yield what `grid` does, and None for each beginning of configurations that breaks a rule, to count steps."""
        return self._grid.walk()

    def size(self) -> int:
        """Return how many configurations the grid holds before any rule."""
        return sum(replace(self, rules=())._grid.count() or ())

    @property
    def is_countable(self) -> bool:
        """Whether `count` can tell what the rules leave with reasonable effort."""
        return self._counts is not None

    def count(self) -> tuple[int, Counter[str]]:
        """Return how many configurations the grid holds, and how many each rule rejected (the first that did).

        Raises:
            InputError: the rules read so many values together that this cannot be counted.
        """
        if self._counts is None:
            raise InputError(
                "rules",
                f"read so many values together that what they leave of {self.size():,} configurations is not countable",
                'search fewer values, or use algorithm = "random" with max_trials',
            )
        *rejected, kept = self._counts
        found = Counter({rule.text: 0 for rule in self.rules})
        for rule, number in zip(self.rules, rejected, strict=True):
            found[rule.text] += number
        return kept, found

    @cached_property
    def finite(self) -> FinitePart | None:
        """What can be counted of the space with little effort, whatever algorithm searches it."""
        return finite_part(self.parameters, self.domains, self.rules, self.groups)

    @property
    def configurations(self) -> int | None:
        """How many configurations the rules allow; None where there is no end of them, or no counting them."""
        return None if self.is_open or self.finite is None or self.finite.endless else self.finite.count

    @cached_property
    def _counts(self) -> list[int] | None:
        return self._grid.count(_MOST_EFFORT)

    @property
    def _grid(self) -> Grid:
        values: list[tuple[Parameter, tuple[Value, ...]]] = []
        for parameter in self.parameters:
            try:
                values.append((parameter, self.domains[parameter.name].grid()))
            except ValueError as error:
                raise InputError(parameter.name, str(error), 'give a list, a step, or algorithm = "random"') from error
        return Grid(values, self.rules, self.groups)

    def varying(self) -> tuple[str, ...]:
        """Return the names of the parameters that can take more than one value."""
        return tuple(
            p.name
            for p in self.parameters
            if isinstance(self.domains[p.name], Range) or len(self.domains[p.name].grid()) > 1
        )

    def fixed(self) -> Configuration:
        """Return the values of the parameters that cannot vary, of inactive ones too."""
        return {
            name: domain.values[0]
            for name, domain in self.domains.items()
            if isinstance(domain, Choice) and len(domain.values) == 1
        }

    def _ways(self, parameter: Parameter, fixed: Values) -> list[tuple[Condition, ...]]:
        """Return the ways in which a parameter is active beside what is fixed, without conditions on the latter."""
        found: list[tuple[Condition, ...]] = []
        for way in parameter.conditions:
            combined: list[tuple[Condition, ...]] = [()]
            for name, values in way:
                if name not in fixed:
                    more: list[tuple[Condition, ...]] = [((name, values),)]
                else:  # it counts only where it is active itself
                    more = self._ways(self._by_name[name], fixed) if fixed[name] in values else []
                combined = [(*one, *other) for one in combined for other in more]
            found += combined
        return [()] if () in found else list(dict.fromkeys(found))

    @cached_property
    def _by_name(self) -> dict[str, Parameter]:
        return {parameter.name: parameter for parameter in self.parameters}

    @cached_property
    def alternatives(self) -> frozenset[str]:
        """The varying parameters of which `hyperparameters` cannot tell where they are active, and what these decide.

        It declares them everywhere, so that `active` is asked.
        """
        return self._alternatives(self.fixed())

    def _alternatives(self, fixed: Values) -> frozenset[str]:
        found = set[str]()
        for parameter in self.parameters:
            ways = self._ways(parameter, fixed)
            if parameter.name not in fixed and (len(ways) > 1 or any(name in found for way in ways for name, _ in way)):
                found.add(parameter.name)
        return frozenset(found)

    def hyperparameters(self, *, varying_only: bool = False) -> keras_tuner.HyperParameters:
        """Declare the space as KerasTuner's users know it. Imports KerasTuner, and with it Keras.

        Args:
            varying_only: leave out what is fixed. KerasTuner's Bayesian oracle draws three random trials for each
                declared parameter before it learns from any, and counts fixed ones.
        """
        import keras_tuner
        from keras_tuner.engine import hyperparameters as kinds
        from keras_tuner.src.engine.conditions import Parent

        declared = keras_tuner.HyperParameters()
        fixed = self.fixed() if varying_only else {}
        alternatives = self._alternatives(fixed)
        for parameter in self.parameters:
            ways = self._ways(parameter, fixed)
            if parameter.name in fixed or not ways:
                continue
            # KerasTuner knows no "or": of what is active in several ways the oracle leaves out what is not.
            known = parameter.name not in alternatives
            conditions = [Parent(name, list(values)) for name, values in ways[0]] if known else []
            said = {"name": parameter.name, "conditions": conditions}
            domain = self.domains[parameter.name]
            if isinstance(domain, Range) and (domain.step is None or (domain.whole and not domain.log)):
                whole = int if domain.whole else float
                number = (kinds.Int if domain.whole else kinds.Float)(
                    min_value=whole(domain.low),
                    max_value=whole(domain.high),
                    step=None if domain.step is None else whole(domain.step),
                    sampling="log" if domain.log else "linear",
                    **said,
                )
                declared.merge([number])
            elif isinstance(domain, Choice) and len(domain.values) == 1:
                declared.merge([kinds.Fixed(value=domain.values[0], **said)])
            else:  # KerasTuner steps through real numbers to 0.30000000000000004, and not to their end (its #1001)
                declared.merge([kinds.Choice(values=list(domain.values), **said)])
        return declared


def nothing_left(rules: Sequence[Rule], among: str = "") -> InputError:
    """Return the error that rules leave no configuration, within what was looked at."""
    names = ", ".join(shown(rule.text) for rule in rules)
    return InputError("rules", f"leave no configuration{among} ({names})", "loosen a rule or widen the space")


def read_space(
    given: Mapping[str, object],
    rules: Mapping[str, object],
    accepted: Sequence[Parameter | Layered],
    defaults: Mapping[str, object],
    own: Mapping[str, Domain] = MappingProxyType({}),
    is_open: bool = False,
    sizeless: Collection[str] = (),
) -> Space:
    """Build the space of a search from what its file gives.

    Args:
        given: `[search.space]`, by parameter or by group (`filters` for every layer, `filters_2` for one).
        rules: `[search.rules]`, named rules and `where`.
        accepted: what the family and the recipe take.
        defaults: values for what `given` leaves out, from `[training]`; after them come the parameters' own.
        own: what is searched of parameters about which all of this is decided.
        is_open: there may be further parameters.
        sizeless: what the number of weights does not depend on.

    Raises:
        InputError: an unknown name, a wrong value or a rule that is not understood.
    """
    domains: dict[str, Domain] = {}
    parameters: list[Parameter] = []
    groups: dict[str, tuple[str, ...]] = {}
    known = {item.name for item in accepted}
    read: set[str] = set()

    def take(parameter: Parameter, *keys: str) -> None:
        key = next((key for key in keys if key in given), None)
        try:
            if parameter.name in own:
                domains[parameter.name] = own[parameter.name]
            elif key is not None:
                domains[parameter.name] = domain_of(given[key], parameter)
            elif parameter.name in defaults:
                domains[parameter.name] = Choice((parameter.check(defaults[parameter.name]),))
            else:
                domains[parameter.name] = Choice((parameter.default,))
        except ValueError as error:
            raise InputError(f"space.{key_name(key or parameter.name)}", str(error)) from error
        parameters.append(parameter)
        read.update(keys)

    for item in accepted:
        if isinstance(item, Layered):
            deepest = _largest(domains[item.depth])
            layers = item.expand(deepest)
            if item.first != item.name:
                groups[item.name] = tuple(layer.name for layer in layers)
            for layer in layers:
                take(layer, layer.name, item.name)
            read.add(item.name)
        else:
            take(item.given(domains), item.name)

    for key in given:
        if key not in read:
            raise InputError(f"space.{key_name(key)}", "no such parameter" + _too_deep(key, accepted, domains, known))
    names = {*domains, *groups, *known}
    sized = [parameter.name for parameter in parameters if parameter.name not in sizeless]
    return Space(tuple(parameters), domains, groups, tuple(_read_rules(rules, names, sized)), is_open)


def _largest(domain: Domain) -> int:
    return int(domain.high if isinstance(domain, Range) else max(int(v) for v in domain.values))


def _too_deep(key: str, accepted: Sequence[Parameter | Layered], domains: Mapping[str, Domain], known: set[str]) -> str:
    for item in accepted:
        if isinstance(item, Layered) and key.startswith(f"{item.name}_"):
            layer, deepest = key[len(item.name) + 1 :], _largest(domains[item.depth])
            if layer.isdecimal() and int(layer[:9]) > deepest:
                return f" here: {item.depth} is at most {deepest}"
    return "; " + suggestion(key, known)


def _read_rules(rules: Mapping[str, object], names: set[str], sized: Sequence[str]) -> Iterator[Rule]:
    for key, value in rules.items():
        place = f"rules.{key_name(key)}"
        if key == "where":
            texts = value if isinstance(value, list) else [value]
            if len(texts) > _MOST_RULES:
                raise InputError(
                    place, f"{len(texts):,} rules are more than {_MOST_RULES:,}", "join them, or use lists"
                )
            for text in texts:
                if not isinstance(text, str):
                    raise InputError(
                        place, f"{shown(text)} is not a rule", 'write where = ["dense_units >= last(filters)"]'
                    )
                yield _parsed(place, text, text, names, sized)
        elif key not in NAMED:
            raise InputError(place, "no such rule; " + suggestion(key, {*NAMED, "where"}))
        elif not isinstance(value, bool):
            raise InputError(place, f"{shown(value)} is not true or false")
        elif value:
            yield _parsed(place, NAMED[key], key, names, sized)


def _parsed(place: str, text: str, called: str, names: set[str], sized: Sequence[str]) -> Rule:
    try:
        return replace(parse_rule(text, names, sized), text=called)
    except ValueError as error:
        raise InputError(place, f"{shown(text)}: {error}") from error
