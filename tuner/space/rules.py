"""Rules that a configuration must obey: named ones, and free ones in a small expression language.

An expression is parsed into Python's syntax tree and compiled to closures, node by node, from a short list of
permitted nodes. Nothing of a search file is ever evaluated as Python.
"""

from __future__ import annotations

import ast
import operator
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tuner.errors import shown, suggestion
from tuner.space.parameters import Value, Values

Groups = Mapping[str, Sequence[str]]
_Scope = tuple[Values, Groups]
_Term = Callable[[_Scope], object]
_NUMBER = (int, float)

#: Rules that a search file switches on by name; each stands for an expression.
NAMED = {
    "filters_never_decrease": "never_decrease(filters)",
    "filters_never_increase": "never_increase(filters)",
    "dense_at_least_last_filters": "dense_units >= last(filters)",
}


#: What rules may say of the network that a configuration builds: how many weights it has, how many 10**6 bytes they
#: take as 32-bit numbers, and how many multiply-adds its convolutions and dense layers do for an image.
MEASURES = ("parameters", "megabytes", "multiply_adds")
#: Returns `MEASURES` of the network that values build; nothing of one that cannot be built.
Measure = Callable[[Values], Mapping[str, float]]


class _InactiveError(Exception):
    """A name in the rule is inactive in this configuration, so that the rule says nothing about it."""


@dataclass(frozen=True)
class Rule:
    """A condition on configurations.

    `text` is how the search file spells it, `names` are the parameters and groups in it. One that is `pairwise` holds
    of the layers of its only name if it holds of every two neighbours. One that is `measured` speaks of the network's
    size, and reads all that this depends on; `measure` tells it, and before that is known the rule is obeyed. It is
    `costly` where networks are built for that.
    """

    text: str
    _term: _Term
    names: frozenset[str]
    pairwise: bool = False
    measured: bool = False
    measure: Measure | None = None
    costly: bool = False

    def parts(self, groups: Groups) -> list[tuple[frozenset[str], Groups]]:
        """Return what the rule can be split into: the parameters that each part reads, and the groups to ask it with.

        Values obey the rule if they obey every part.
        """
        if self.pairwise and self.names <= groups.keys():
            return [(frozenset(pair), {name: pair}) for name in self.names for pair in pairwise(groups[name])]
        return [(self.reads(groups), groups)]

    def reads(self, groups: Groups) -> frozenset[str]:
        """Return the names in the rule, and the parameters behind those that name a group."""
        return self.names.union(*(groups.get(name, ()) for name in self.names))

    def allows(self, values: Values, groups: Groups) -> bool:
        """Whether the active `values` obey the rule; a rule about inactive parameters is obeyed.

        Raises:
            ValueError: the expression, which it names, cannot be computed for these values: a division by zero.
        """
        if self.measured:
            if self.measure is None:
                return True
            values = {**values, **self.measure(values)}
        try:
            return bool(self._term((values, groups)))
        except _InactiveError:
            return True
        except (TypeError, ValueError, LookupError, ArithmeticError) as error:
            read = self.reads(groups)
            told = ", ".join(f"{name} = {value!r}" for name, value in values.items() if name in read)
            where = f" for {told}" if told else ""
            raise ValueError(f"{shown(self.text)} cannot be computed{where}: {error}") from error


def _of_list(name: str, function: Callable[[Any], object], of_none: bool = True) -> Callable[..., object]:
    """Let a function take one list; unless `of_none`, it says nothing about a stack without layers."""

    def apply(items: object) -> object:
        if not isinstance(items, list | str):
            raise TypeError(f"{name} needs a list, such as filters, not {items!r}")
        if items == [] and not of_none:
            raise _InactiveError
        return function(items)

    return apply


def _of_some(name: str, function: Callable[..., object]) -> Callable[..., object]:
    """Let `min` or `max` take a list or several values, and say nothing about a stack without layers."""

    def apply(*values: object) -> object:
        return _of_list(name, function, of_none=False)(values[0]) if len(values) == 1 else function(*values)

    return apply


def _never(compare: Callable[[Any, Any], bool]) -> Callable[[Sequence[object]], bool]:
    return lambda items: all(compare(a, b) for a, b in pairwise(items))


def _is_in(value: Any, values: Any) -> bool:
    if not isinstance(values, list | str):
        raise TypeError(f"'in' needs a list, such as filters, not {values!r}")
    return value in values


def _absolute(value: object) -> object:
    if not isinstance(value, _NUMBER):
        raise TypeError(f"abs needs a number, not {value!r}")
    return abs(value)


def _on_numbers(operation: Callable[[Any, Any], object]) -> Callable[..., object]:
    """Refuse strings and lists, whose products could be of any size."""

    def apply(a: object, b: object) -> object:
        if not (isinstance(a, _NUMBER) and isinstance(b, _NUMBER)):
            raise TypeError(f"arithmetic needs numbers, not {a!r} and {b!r}")
        return operation(a, b)

    return apply


#: What may be called in an expression.
FUNCTIONS: dict[str, Callable[..., object]] = {
    "first": _of_list("first", operator.itemgetter(0), of_none=False),
    "last": _of_list("last", operator.itemgetter(-1), of_none=False),
    "len": _of_list("len", len),
    "min": _of_some("min", min),
    "max": _of_some("max", max),
    "sum": _of_list("sum", sum),
    "abs": _absolute,
    "never_decrease": _of_list("never_decrease", _never(operator.le)),
    "never_increase": _of_list("never_increase", _never(operator.ge)),
}
_BINARY: dict[type[ast.operator], Callable[..., object]] = {
    ast.Add: _on_numbers(operator.add),
    ast.Sub: _on_numbers(operator.sub),
    ast.Mult: _on_numbers(operator.mul),
    ast.Div: _on_numbers(operator.truediv),
    ast.FloorDiv: _on_numbers(operator.floordiv),
    ast.Mod: _on_numbers(operator.mod),
}
_COMPARE: dict[type[ast.cmpop], Callable[..., bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: _is_in,
    ast.NotIn: lambda a, b: not _is_in(a, b),
}
_LONGEST = 500


def parse_rule(text: str, names: Collection[str], sized: Collection[str] = ()) -> Rule:
    """Parse an expression over the parameters and groups in `names`, such as `dense_units >= last(filters)`.

    `sized` are the parameters that the network's size depends on. A parameter that is called like one of `MEASURES` is
    meant by that name.

    It may use comparisons, `and`, `or`, `not`, `in`, `+ - * / // %`, numbers, strings, `true`, `false`, lists and
    the functions first, last, len, min, max, sum, abs, never_decrease and never_increase.

    Raises:
        ValueError: with what in the expression is not understood.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"the rule is longer than {_LONGEST} characters")
    try:
        with warnings.catch_warnings(action="ignore"):  # of Python's, about expressions that look strange to it
            tree = ast.parse(text.strip(), mode="eval")
        term = _compile(tree.body, {*names, *MEASURES})
    except (SyntaxError, RecursionError, MemoryError):
        raise ValueError("the rule is not an expression like 'dense_units >= last(filters)'") from None
    told = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    found = frozenset(told & set(names))
    if told & set(MEASURES) - set(names):
        return Rule(text, term, found.union(sized), measured=True)
    match tree.body:
        case ast.Call(func=ast.Name(id="never_decrease" | "never_increase"), args=[ast.Name(id=name)]) if name in found:
            return Rule(text, term, found, pairwise=True)
    return Rule(text, term, found)


def _compile(node: ast.expr, names: Collection[str]) -> _Term:
    match node:
        case ast.Constant(value=bool() | int() | float() | str() as constant):
            return lambda scope: constant
        case ast.Name(id="true" | "false" as word):
            return lambda scope: word == "true"
        case ast.Name(id=name):
            if name not in names:
                raise ValueError(f"no parameter is named {name!r}; {suggestion(name, names)}")
            return _lookup(name)
        case ast.List(elts=items) | ast.Tuple(elts=items):
            parts = [_compile(item, names) for item in items]
            return lambda scope: [part(scope) for part in parts]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = _compile(operand, names)
            return lambda scope: not inner(scope)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = _compile(operand, names)
            return lambda scope: -inner(scope)  # type: ignore[operator]  # a wrong type is caught in `allows`
        case ast.BoolOp(op=joint, values=operands):
            terms = [_compile(operand, names) for operand in operands]
            every = all if isinstance(joint, ast.And) else any
            return lambda scope: every(term(scope) for term in terms)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            do, a, b = _BINARY[type(op)], _compile(left, names), _compile(right, names)
            return lambda scope: do(a(scope), b(scope))
        case ast.Compare(left=left, ops=ops, comparators=rights) if all(type(op) in _COMPARE for op in ops):
            sides = [_compile(side, names) for side in (left, *rights)]
            tests = [_COMPARE[type(op)] for op in ops]
            return _chain(tests, sides)
        case ast.Call(func=ast.Name(id=called), args=arguments, keywords=[]):
            function, inputs = _function(called, len(arguments)), [_compile(argument, names) for argument in arguments]
            return lambda scope: function(*(each(scope) for each in inputs))
    raise ValueError(f"{shown(ast.unparse(node))} is not part of the rule language")


def _function(called: str, arguments: int) -> Callable[..., object]:
    """Return the function of this name, which takes so many arguments."""
    if called not in FUNCTIONS:
        raise ValueError(f"no function is named {called!r}; {suggestion(called, FUNCTIONS)}")
    if arguments != 1 and (called not in ("min", "max") or not arguments):
        what = "a number" if called == "abs" else "a list"
        more = " or several values" if called in ("min", "max") else ""
        given = f"not {arguments} arguments" if arguments else "and is given none"
        raise ValueError(f"{called} takes {what}{more}, {given}")
    return FUNCTIONS[called]


def _chain(tests: Sequence[Callable[..., bool]], sides: Sequence[_Term]) -> _Term:
    """Compare neighbouring sides, of which there mostly are two."""
    if len(tests) == 1:
        (test,), (a, b) = tests, sides
        return lambda scope: test(a(scope), b(scope))
    return lambda scope: all(test(x(scope), y(scope)) for test, (x, y) in zip(tests, pairwise(sides), strict=True))


def _lookup(name: str) -> _Term:
    def look(scope: _Scope) -> Value | list[Value]:
        values, groups = scope
        if name in values:
            return values[name]
        if name in groups:
            return [values[member] for member in groups[name] if member in values]
        raise _InactiveError

    return look
