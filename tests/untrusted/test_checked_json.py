"""JSON that says two things, or no number, is refused; `true` is not 1."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import pytest
from pydantic import ValidationError
from pydantic_core import CoreSchema, core_schema

from tuner.untrusted.checked_json import adapter_of, same_json, strict_json


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'{"a": 1, "a": 2}', "it has the key 'a' twice"),
        (b'{"x": [{"sha256": "1", "b": 1, "sha256": "2"}]}', "it has the key 'sha256' twice"),
        (b'{"a": NaN}', "NaN is no number of JSON"),
        (b"[-Infinity]", "-Infinity is no number of JSON"),
        (b"{", "Expecting property name"),
        (b"\xff", "invalid start byte"),
        (b"[" * 100_000, "nested too deeply"),
        (b"1" * 5_000, "Exceeds the limit"),
    ],
)
def test_what_is_not_one_json_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        strict_json(content)


def test_what_says_one_thing_is_what_json_says() -> None:
    text = '{"a": [1, 1.5, true, null, "x"], "b": {"a": {}}}'
    assert strict_json(text) == strict_json(text.encode()) == json.loads(text)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1", "1", True),
        ("1", "true", False),
        ("0", "false", False),
        ("1", "1.0", False),
        ("0.0", "-0.0", True),
        ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}', True),
        ('{"a": 1}', '{"a": true}', False),
        ('{"a": 1}', '{"a": 1, "b": null}', False),
        ("[1, [2]]", "[1, [2]]", True),
        ("[1, [2]]", "[1, [2, 3]]", False),
        ("[1, 2]", "[2, 1]", False),
        ("null", "false", False),
        ('"1"', "1", False),
    ],
)
def test_two_values_are_the_same_by_kind_and_content(one: str, other: str, same: bool) -> None:
    assert same_json(json.loads(one), json.loads(other)) is same


class _Struck(str):
    """A pattern at which a signal strikes when pydantic's compiled code reads it."""

    __slots__ = ()

    def __str__(self) -> str:
        os.kill(os.getpid(), signal.SIGINT)
        return str.__str__(self)


class _OneLetter:
    @classmethod
    def __get_pydantic_core_schema__(cls, *_: object) -> CoreSchema:
        return core_schema.str_schema(pattern=_Struck("^a$"))


def test_an_interrupt_while_a_check_is_made_is_heard_and_the_check_stays_right() -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            adapter_of(_OneLetter)
        signal.signal(signal.SIGINT, lambda *_: None)
        assert adapter_of(_OneLetter).validate_python("a") == "a"
        with pytest.raises(ValidationError, match="should match pattern"):
            adapter_of(_OneLetter).validate_python("b")
    finally:
        signal.signal(signal.SIGINT, before)
