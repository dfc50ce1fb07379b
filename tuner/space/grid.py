"""The grid of a space: walked lazily, and counted without a walk.

A step is a parameter that varies; what is fixed goes with the step that decides whether it is active, and is a step of
its own where several do. A rule is asked
as soon as all that it reads is decided, and a walk leaves out all that would follow a broken one. A count takes the
steps one by one and notes in how many ways each state is reached, a state being the first rule that is broken and the
values that are still to be read. It costs as much as there are states, however many configurations there are. Followed
backwards, the same notes give every allowed configuration a number.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tuner.errors import InputError
from tuner.space.parameters import Parameter, Value, Values
from tuner.space.rules import Groups, Rule

_Values = dict[str, Value]
_State = tuple[Value | None, ...]
#: How many ways lead to the values that are still to be read, None for inactive ones; by the number of the first rule
#: that is broken (of all rules, if none is) and by whether it is not broken but cannot be computed.
_Ways = dict[tuple[int, bool], dict[_State, int]]

#: For each state after a step, from which states before it that is reached, in how many ways there are these, and by
#: which options of the step.
_Back = dict[_State, list[tuple[_State, int, list[_Values]]]]

#: So many rules are asked in a step of a count that is worth its effort; more of them make it dearer.
_QUESTIONS = 10


@dataclass(frozen=True)
class _Question:
    """A rule, or a part of one, with its number and the parameters that it reads."""

    number: int
    rule: Rule
    groups: Groups
    reads: frozenset[str]


@dataclass(frozen=True)
class Numbered:
    """The configurations of a grid that its rules allow, each with a number from 0 to `count` - 1."""

    count: int
    _names: list[str]
    _back: list[_Back]

    def at(self, number: int) -> _Values:
        """Return the configuration with a number."""
        chosen: _Values = {}
        state: _State = ()
        for back in reversed(self._back):
            for before, ways, options in back[state]:
                if number < ways * len(options):
                    option, number = divmod(number, ways)
                    chosen.update(options[option])
                    state = before
                    break
                number -= ways * len(options)
        return {name: chosen[name] for name in self._names if name in chosen}


@dataclass(frozen=True)
class _Step:
    """A parameter that varies: its values, each with the fixed ones that go with it; what can be asked then."""

    parameter: Parameter
    options: list[_Values]
    questions: list[_Question] = field(default_factory=list)


class Grid:
    """Every combination of values, each parameter where it is active, that the rules allow; the last varies fastest.

    Args:
        parameters: parents before children, each with its values.
        rules: in the order in which they reject.
        groups: the parameters behind a name in a rule.
    """

    def __init__(
        self, parameters: Sequence[tuple[Parameter, Sequence[Value]]], rules: Sequence[Rule], groups: Groups
    ) -> None:
        self._allowed = len(rules)
        self._whole = [_Question(number, rule, groups, frozenset()) for number, rule in enumerate(rules)]
        self._names = [parameter.name for parameter, _ in parameters]
        self._steps = [_Step(Parameter("", 0), [{}])]  # its one option is what is the same in every configuration
        self._decided: dict[str, int] = {}
        for parameter, values in parameters:
            if len(values) == 1 and len(parameter.parents) < 2:
                position = max((self._decided.get(name, 0) for name in parameter.parents), default=0)
                for option in self._steps[position].options:
                    if parameter.is_active(option):
                        option[parameter.name] = values[0]
            else:
                position = len(self._steps)
                self._steps.append(_Step(parameter, [{parameter.name: value} for value in values]))
            self._decided[parameter.name] = position
        for number, rule in enumerate(rules):
            for reads, asked in rule.parts(groups):
                last = max((self._decided.get(name, 0) for name in reads), default=0)
                self._steps[last].questions.append(_Question(number, rule, asked, reads))

    def walk(self) -> Iterator[_Values | None]:
        """Yield each configuration that the rules allow, and None for each beginning that they do not.

        Raises:
            InputError: a rule cannot be computed where no other is broken.
        """
        chosen: _Values = {}

        def extend(position: int, doubted: bool) -> Iterator[_Values | None]:
            if position == len(self._steps):
                values = {name: chosen[name] for name in self._names if name in chosen}
                yield None if doubted and not self._allows(values) else values
                return
            step = self._steps[position]
            for option in step.options if step.parameter.is_active(chosen) else ({},):
                chosen.update(option)
                broken, error = _first_broken(step.questions, chosen, self._allowed)
                if broken == self._allowed or error:
                    yield from extend(position + 1, doubted or error is not None)
                else:
                    yield None
                for name in option:
                    del chosen[name]

        return extend(0, doubted=False)

    def _allows(self, values: Values) -> bool:
        """Ask every rule in its order: what one cannot compute, one before it may have rejected."""
        broken, error = _first_broken(self._whole, values, self._allowed)
        if error:
            raise error
        return broken == self._allowed

    def count(self, effort: float = math.inf) -> list[int] | None:
        """Return how many configurations each rule is the first to reject and, last, how many are left.

        None where there are more than `effort` ways from one state to another to follow.

        Raises:
            InputError: a rule cannot be computed for a configuration that no rule before it rejects.
        """
        ways = self._follow(effort, None)
        if ways is None:
            return None
        return [sum(ways.get((number, False), {}).values()) for number in range(self._allowed + 1)]

    def numbered(self, effort: float) -> Numbered | None:
        """Return the configurations that the rules allow, numbered; None where that takes more than `effort`.

        Raises:
            InputError: as for `count`.
        """
        back: list[_Back] = [defaultdict(list) for _ in self._steps]
        ways = self._follow(effort, back)
        if ways is None:
            return None
        return Numbered(ways.get((self._allowed, False), {}).get((), 0), self._names, back)

    def _follow(self, effort: float, back: list[_Back] | None) -> _Ways | None:
        """Return in how many ways each state after the last step is reached; note in `back` how allowed ones are."""
        ways: _Ways = {(self._allowed, False): {(): 1}}
        errors: dict[int, InputError] = {}
        read_from = [self._read_from(position) for position in range(len(self._steps) + 1)]
        ever_read = {name for lists in read_from for name in lists[-1]}.union(
            *(question.reads for step in self._steps for question in step.questions)
        )
        for position, (step, before, after) in enumerate(zip(self._steps, read_from, read_from[1:], strict=False)):
            alike: dict[tuple[tuple[str, Value], ...], list[_Values]] = defaultdict(list)
            for option in step.options:
                alike[tuple((n, v) for n, v in option.items() if n in ever_read)].append(option)
            options = [(dict(read), actual) for read, actual in alike.items()]
            following: _Ways = defaultdict(dict)
            for (first, failed), states in ways.items():
                for state, number in states.items():
                    known = {name: v for name, v in zip(before[first], state, strict=True) if v is not None}
                    active = step.parameter.is_active(known)
                    effort -= (len(options) if active else 1) * max(1, len(step.questions) / _QUESTIONS)
                    if effort < 0:
                        return None
                    for read, actual in options if active else [({}, [{}])]:
                        values = {**known, **read}
                        broken, error = _first_broken(step.questions, values, first)
                        if error:
                            errors.setdefault(broken, error)
                        failing = failed if broken == first else error is not None
                        reached, left = following[broken, failing], tuple(map(values.get, after[broken]))
                        reached[left] = reached.get(left, 0) + number * len(actual)
                        if back is not None and broken == self._allowed and not failing:
                            back[position][left].append((state, number, actual))
            ways = following
        for broken, failed in ways:
            if failed:
                raise errors[broken]
        return ways

    def _read_from(self, position: int) -> list[list[str]]:
        """Return what is decided before a step and read from it on, for each number below which rules count."""
        left = self._steps[position:]
        read = {name for step in left for name in step.parameter.parents}
        asked = sorted((question for step in left for question in step.questions), key=lambda question: question.number)
        lists: list[list[str]] = []
        following = 0
        for below in range(self._allowed + 1):
            known = len(read)
            while following < len(asked) and asked[following].number < below:
                read |= asked[following].reads
                following += 1
            if not lists or len(read) > known:  # thousands of rules mostly read the same
                lists.append([name for name in self._names if name in read and self._decided[name] < position])
            else:
                lists.append(lists[-1])
        return lists


def _first_broken(questions: Sequence[_Question], values: Values, below: int) -> tuple[int, InputError | None]:
    """Return the number of the first rule of the questions that is broken, or cannot be computed, which is an error.

    Only rules below the number `below` are asked, which is returned if all of them are obeyed.
    """
    for question in questions:
        if question.number >= below:
            break
        try:
            if not question.rule.allows(values, question.groups):
                return question.number, None
        except ValueError as error:
            return question.number, InputError("rule", str(error))
    return below, None
