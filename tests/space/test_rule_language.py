"""The rule language by its properties: any text is a rule or refused, and a rule means what its tree does.

What a tree means is worked out here, by an evaluation that shares nothing with `tuner.space.rules`.
"""

from __future__ import annotations

import operator
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tuner.space.parameters import Value
from tuner.space.rules import Rule, parse_rule

#: What a configuration holds; `absent`, `w_4` and `v_1` are names that it does not.
VALUES: dict[str, Value] = {"a": 2, "b": -3, "c": 0.5, "word": "same", "flag": True, "w_1": 8, "w_2": 16, "w_3": 16}
STACKS = {"w": ("w_1", "w_2", "w_3", "w_4"), "v": ("v_1",)}
NAMES = (*VALUES, *STACKS, "absent", "w_4", "v_1")

# --- any text ---

_WORDS = "a w absent first last len min true not and or in is if else for lambda yield _ __import__ sum"
_SIGNS = "( ) [ ] { } , : . ; := == != < <= > >= + - * / // % ** << ~ @ = ' \" \\ # f' b' 0 1 2.5 1e999"
_PIECES = st.sampled_from([*_WORDS.split(), *_SIGNS.split(), "\n", "\t", "\x00", "é", " "])
_TEXTS = (
    st.text(max_size=60) | st.lists(_PIECES, max_size=25).map(" ".join) | st.lists(_PIECES, max_size=25).map("".join)
)


def answer(rule: Rule) -> bool | None:
    """Whether a rule allows `VALUES`; None where it cannot be computed."""
    try:
        return rule.allows(VALUES, STACKS)
    except ValueError as error:
        assert "\n" not in str(error)
        return None


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")  # Python's, about the odd text
@settings(deadline=None, max_examples=500, derandomize=True)
@given(_TEXTS)
def test_any_text_is_a_rule_that_answers_or_is_refused_in_a_line(text: str) -> None:
    try:
        rule = parse_rule(text, NAMES)
    except ValueError as error:
        assert len(str(error).splitlines()) == 1
        return
    assert rule.text == text
    assert rule.names <= set(NAMES)
    assert answer(rule) in (True, False, None)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(
    st.sampled_from(
        [
            *(("(", ")"), ("[", "]"), ("not ", ""), ("-", ""), ("abs(", ")"), ("min(1,", ")"), ("1+", ""), ("a<", "")),
            *(("a and ", ""), ("(a or ", ")"), ("a in [", "]"), ("len([", "])"), ("a-(", ")"), ("[[", "]]")),
        ]
    ),
    st.integers(1, 600),
)
def test_a_rule_of_any_depth_is_a_rule_that_answers_or_is_refused(pair: tuple[str, str], depth: int) -> None:
    text = pair[0] * depth + "a" + pair[1] * depth
    try:
        rule = parse_rule(text, NAMES)
    except ValueError:
        assert depth > 20  # which nobody would want to read
        return
    assert len(text) <= 500
    assert answer(rule) in (True, False, None)


# --- what a tree means ---

#: A node: its kind and its parts. Leaves are ("value", …) and ("name", …).
Tree = tuple[Any, ...]
ARITHMETIC = {
    "+": operator.add, "-": operator.sub, "*": operator.mul,
    "/": operator.truediv, "//": operator.floordiv, "%": operator.mod,
}  # fmt: skip
COMPARISONS = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "in": lambda one, many: one in many, "not in": lambda one, many: one not in many,
}  # fmt: skip
CALLS = ("len", "first", "last", "sum", "abs", "min", "max", "never_decrease", "never_increase")


class SilentError(Exception):
    """The expression comes to a parameter or a layer that the configuration does not have."""


def meaning(tree: Tree) -> Any:  # noqa: PLR0912  # a case for each kind of node
    """Return what an expression says of `VALUES`; raise `SilentError`, or what Python raises for wrong types."""
    match tree:
        case ("value", value):
            return value
        case ("name", name) if name in STACKS:
            return [VALUES[layer] for layer in STACKS[name] if layer in VALUES]
        case ("name", name):
            if name not in VALUES:
                raise SilentError
            return VALUES[name]
        case ("list", *items):
            return [meaning(item) for item in items]
        case ("not", inner):
            return not meaning(inner)
        case ("minus", inner):
            return -meaning(inner)
        case ("and", left, right):
            return bool(meaning(left)) and bool(meaning(right))
        case ("or", left, right):
            return bool(meaning(left)) or bool(meaning(right))
        case ("compare", left, *rest):
            one = meaning(left)
            for sign, right in rest:
                other = meaning(right)
                if not COMPARISONS[sign](one, other):
                    return False
                one = other
            return True
        case ("compute", sign, left, right):
            one, other = meaning(left), meaning(right)
            if not isinstance(one, int | float) or not isinstance(other, int | float):
                raise TypeError("arithmetic is for numbers")
            return ARITHMETIC[sign](one, other)
        case ("call", name, *arguments):
            return called(name, [meaning(argument) for argument in arguments])
    raise AssertionError(tree)


def called(name: str, arguments: list[Any]) -> Any:
    if name in ("first", "last", "min", "max") and arguments == [[]]:
        raise SilentError
    if name in ("min", "max"):
        items = arguments[0] if len(arguments) == 1 else arguments
        best = items[0]
        for item in items[1:]:
            if (item < best) if name == "min" else (item > best):
                best = item
        return best
    (items,) = arguments
    if name == "abs":
        return items if items >= 0 else -items
    count = sum(1 for _ in items)
    if name == "len":
        return count
    if name in ("first", "last"):
        return items[0 if name == "first" else count - 1]
    if name == "sum":
        total: Any = 0
        for item in items:
            total = total + item
        return total
    ordered = operator.le if name == "never_decrease" else operator.ge
    return all(ordered(items[place], items[place + 1]) for place in range(count - 1))


def verdict(tree: Tree) -> bool | None:
    """Whether an expression allows `VALUES`; None where it cannot be computed."""
    try:
        return bool(meaning(tree))
    except SilentError:
        return True
    except (TypeError, ValueError, LookupError, ArithmeticError):
        return None


#: How tightly a node holds its parts together; a part that does so less than this stands in brackets.
TIGHT = {"or": 1, "and": 2, "not": 3, "compare": 4, "compute+": 5, "compute*": 6, "minus": 7}


def written(tree: Tree, brackets: bool) -> str:
    """Return an expression as text: with brackets around everything, or only where it would mean another without."""

    def inner(part: Tree, least: int) -> str:
        text = written(part, brackets)
        atom = part[0] in ("name", "list", "call") or (part[0] == "value" and not text.startswith("-"))
        return text if atom or (tightness(part) >= least and not brackets) else f"({text})"

    own = tightness(tree)
    match tree:
        case ("value", bool() as value):
            return "true" if value else "false"
        case ("value", value):
            return repr(value)
        case ("name", name):
            return str(name)
        case ("list", *items):
            return f"[{', '.join(written(item, brackets) for item in items)}]"
        case ("not", part):
            return f"not {inner(part, own)}"
        case ("minus", part):
            return f"-{inner(part, own)}"
        case ("and" | "or" as joint, left, right):
            return f"{inner(left, own)} {joint} {inner(right, own + 1)}"
        case ("compare", left, *rest):
            return inner(left, own + 1) + "".join(f" {sign} {inner(right, own + 1)}" for sign, right in rest)
        case ("compute", sign, left, right):
            return f"{inner(left, own)} {sign} {inner(right, own + 1)}"
        case ("call", name, *arguments):
            return f"{name}({', '.join(written(argument, brackets) for argument in arguments)})"
    raise AssertionError(tree)


def tightness(tree: Tree) -> int:
    kind = f"compute{'+' if tree[1] in '+-' else '*'}" if tree[0] == "compute" else tree[0]
    return TIGHT.get(kind, TIGHT["minus"])


def names_in(tree: Tree) -> set[str]:
    if tree[0] == "name":
        return {tree[1]}
    return set[str]().union(*(names_in(part) for part in tree[1:] if isinstance(part, tuple) and part[0] != "value"))


def _named(*names: str) -> st.SearchStrategy[Tree]:
    return st.sampled_from(names).map(lambda name: ("name", name))


def _call(names: tuple[str, ...], *arguments: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    return st.tuples(st.sampled_from(names), *arguments).map(lambda call: ("call", *call))


def _compared(first: st.SearchStrategy[Tree], signs: tuple[str, ...], most: int = 1) -> st.SearchStrategy[Tree]:
    rest = st.lists(st.tuples(st.sampled_from(signs), first), min_size=1, max_size=most)
    return st.builds(lambda one, others: ("compare", one, *others), first, rest)


def _larger_number(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    lists = _named("w", "w", "v") | st.lists(inner, max_size=3).map(lambda items: ("list", *items))
    return st.one_of(
        st.tuples(st.just("compute"), st.sampled_from(list(ARITHMETIC)), inner, inner),
        st.tuples(st.just("minus"), inner),
        _call(("len", "first", "last", "sum", "min", "max"), lists),
        _call(("abs",), inner),
        _call(("min", "max"), inner, inner),
    )


def _larger_condition(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    return st.tuples(st.sampled_from(["and", "or"]), inner, inner) | st.tuples(st.just("not"), inner)


_ORDERED = ("<", "<=", ">", ">=", "==", "!=")
_STACKED = _call(("len", "first", "last", "sum", "min", "max"), _named("w", "w", "w", "v"))
_NUMBERS = st.recursive(
    st.one_of(
        st.sampled_from([0, 1, 2, 3, 8, 16, 40, 0.5]).map(lambda v: ("value", v)),
        _named("a", "b", "c", "w_1", "w_2", "w_4"),
        _STACKED,
    ),
    _larger_number,
    max_leaves=3,
)
_LISTS = _named("w", "v") | st.lists(_NUMBERS, max_size=3).map(lambda items: ("list", *items))
_MEMBER = st.sampled_from(["in", "not in"])
_CONDITIONS = st.recursive(
    st.one_of(
        _compared(_NUMBERS, _ORDERED, most=2),
        _compared(_LISTS, _ORDERED),
        st.builds(lambda one, sign, many: ("compare", one, (sign, many)), _NUMBERS, _MEMBER, _LISTS),
        _call(("never_decrease", "never_increase"), _LISTS),
        _named("flag", "absent"),
    ),
    _larger_condition,
    max_leaves=2,
)


def _larger_of_any_kind(parts: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    return st.one_of(
        _larger_number(parts),
        _larger_condition(parts),
        _compared(parts, tuple(COMPARISONS), most=2),
        st.lists(parts, max_size=3).map(lambda items: ("list", *items)),
        _call(CALLS, parts),
    )


#: Conditions as users write them, and trees whose parts need not fit together.
TREES = _CONDITIONS | st.recursive(
    _named(*NAMES) | st.sampled_from([0, 2, 0.5, "same", "", "sam", True, False]).map(lambda v: ("value", v)),
    _larger_of_any_kind,
    max_leaves=6,
)


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@settings(deadline=None, max_examples=1500, derandomize=True)
@given(TREES)
def test_a_rule_means_what_its_tree_means_with_brackets_and_without(tree: Tree) -> None:
    texts = written(tree, brackets=True), written(tree, brackets=False)
    assume(max(map(len, texts)) <= 500)
    rules = [parse_rule(text, NAMES) for text in texts]
    assert [answer(rule) for rule in rules] == [verdict(tree)] * 2
    assert {rule.names for rule in rules} == {frozenset(names_in(tree))}


@settings(deadline=None, max_examples=300, derandomize=True)
@given(TREES)
def test_the_parts_of_a_rule_read_what_it_reads_and_say_what_it_says(tree: Tree) -> None:
    text = written(tree, brackets=False)
    assume(len(text) <= 500)
    rule = parse_rule(text, NAMES)
    parts = rule.parts(STACKS)
    layers = {layer for name in rule.names for layer in STACKS.get(name, ())}
    read = {name for reads, _ in parts for name in reads}
    assert read <= rule.names | layers
    assert read >= (rule.names & set(VALUES))
    said = []
    for _, groups in parts:
        try:
            said.append(rule.allows(VALUES, groups))
        except ValueError:
            said.append(None)
    if None not in said:
        assert all(said) is answer(rule)
