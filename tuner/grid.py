"""The grid of a space: walked lazily, and counted without a walk.

A step is a parameter that varies; what is fixed goes with the step that decides whether it is active. A rule is asked
as soon as all that it reads is decided, and a walk leaves out all that would follow a broken one. A count takes the
steps one by one and notes in how many ways each state is reached, a state being the first rule that is broken and the
values that are still to be read. It costs as much as there are states, however many configurations there are.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tuner.errors import InputError
from tuner.parameters import Parameter, Value, Values
from tuner.rules import Groups, Rule

_Values = dict[str, Value]
#: How many ways lead to the values that are still to be read, None for inactive ones; by the number of the first rule
#: that is broken (of all rules, if none is) and by whether it is not broken but cannot be computed.
_Ways = dict[tuple[int, bool], dict[tuple[Value | None, ...], int]]


@dataclass(frozen=True)
class _Question:
    """A rule, or a part of one, with its number and the parameters that it reads."""

    number: int
    rule: Rule
    groups: Groups
    reads: frozenset[str]


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
            if len(values) == 1:
                position = self._decided.get(parameter.when[0], 0) if parameter.when else 0
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
        ways: _Ways = {(self._allowed, False): {(): 1}}
        errors: dict[int, InputError] = {}
        read_from = [self._read_from(position) for position in range(len(self._steps) + 1)]
        ever_read = {name for lists in read_from for name in lists[-1]}.union(
            *(question.reads for step in self._steps for question in step.questions)
        )
        for step, before, after in zip(self._steps, read_from, read_from[1:], strict=False):
            alike = Counter(tuple((n, v) for n, v in option.items() if n in ever_read) for option in step.options)
            options = [(dict(option), times) for option, times in alike.items()]
            following: _Ways = defaultdict(dict)
            for (first, failed), states in ways.items():
                for state, number in states.items():
                    known = {name: v for name, v in zip(before[first], state, strict=True) if v is not None}
                    active = step.parameter.is_active(known)
                    effort -= len(options) if active else 1
                    if effort < 0:
                        return None
                    for option, times in options if active else [({}, 1)]:
                        values = {**known, **option}
                        broken, error = _first_broken(step.questions, values, first)
                        if error:
                            errors.setdefault(broken, error)
                        reached = following[broken, failed if broken == first else error is not None]
                        read = tuple(map(values.get, after[broken]))
                        reached[read] = reached.get(read, 0) + number * times
            ways = following
        for broken, failed in ways:
            if failed:
                raise errors[broken]
        return [sum(ways.get((number, False), {}).values()) for number in range(self._allowed + 1)]

    def _read_from(self, position: int) -> list[list[str]]:
        """Return what is decided before a step and read from it on, for each number below which rules count."""
        left = self._steps[position:]
        parents = {step.parameter.when[0] for step in left if step.parameter.when}
        lists = []
        for below in range(self._allowed + 1):
            asked = [question.reads for step in left for question in step.questions if question.number < below]
            read = parents.union(*asked)
            lists.append([name for name in self._names if name in read and self._decided[name] < position])
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
