"""Rows of a ledger that no run wrote are refused with what is wrong in them."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from tuner.rows import AS_JSON, PLAIN, Member, member_of, record_of
from tuner.trial import Record, Result, Trial

TRIAL = Trial("cnn", "blobs", "0123456789abcdef", {"units": 8, "rate": 0.5, "pool": "max", "bias": True}, 2, seed=0)
RESULT = Result("completed", parameters=10, history={"loss": [1.0, 0.5]}, files={"model": "ab" * 32})
MEMBER = ("cnn", "blobs", "search", 0, "0123456789abcdef")


def row(**changed: object) -> dict[str, Any]:
    """Return a good row of `trials`, with other columns where the test asks for them."""
    result = asdict(RESULT)
    fields = {"content": TRIAL.to_json(), **{name: result[name] for name in PLAIN}}
    return {**fields, **{name: json.dumps(result[name]) for name in AS_JSON}, **changed}


def content(**changed: object) -> str:
    return json.dumps({**json.loads(TRIAL.to_json()), **changed})


def test_a_row_is_the_record_that_was_written():
    assert record_of(TRIAL.id, row()) == Record(TRIAL, RESULT)
    assert record_of(TRIAL.id, row(transient=1)).result.transient is True
    kinds = {name: type(value) for name, value in record_of(TRIAL.id, row()).trial.values.items()}
    assert kinds == {"units": int, "rate": float, "pool": str, "bias": bool}


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"content": "{"}, "Invalid JSON"),
        ({"content": None}, "Invalid JSON"),
        ({"content": b"\xff"}, "Invalid JSON|valid"),
        ({"content": "[]"}, "Input should be an object"),
        ({"content": "[" * 100_000}, "recursion limit"),
        ({"content": content(epochs="3")}, "epochs: "),
        ({"content": content(role="../x")}, "role: "),
        ({"content": content(values={"units": [1]})}, "values"),
        ({"content": content(surprise=1)}, "surprise: "),
        ({"content": content(fingerprint="../../etc")}, r"the fingerprint '\.\./\.\./etc'"),
        ({"content": content(fingerprint="0" * 15)}, "the fingerprint"),
        ({"status": "splendid"}, "status: "),
        ({"parameters": "many"}, "parameters: "),
        ({"seconds": None}, "seconds: "),
        ({"history": '{"loss": "x"}'}, "history"),
        ({"history": None}, "Invalid JSON"),
        ({"layers": '{"x": 1}'}, "layers"),
        ({"files": '{"model": "../../../../x"}'}, "the SHA-256 of 'model'"),
        ({"files": json.dumps({"model": "AB" * 32})}, "the SHA-256 of 'model'"),
        ({"files": '{"model": 3}'}, "files"),
        ({"files": '{}, "status": "failed"'}, None),
    ],
)
def test_a_row_that_no_run_wrote_is_refused(changed, problem):
    if problem is None:  # whatever stands in a column, it is checked as a whole
        assert record_of(TRIAL.id, row(**changed)).result.status in ("completed", "failed")
        return
    with pytest.raises(ValueError, match=problem) as caught:
        record_of(TRIAL.id, row(**changed))
    assert len(str(caught.value)) < 400


def test_a_place_is_the_member_that_was_written():
    assert member_of(MEMBER) == Member(*MEMBER)
    assert member_of(("größe_2-a", *MEMBER[1:])).model == "größe_2-a"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (0, "../../evil"),
        (0, "a/b"),
        (0, ""),
        (0, ".."),
        (0, "x\n"),
        (0, None),
        (1, 3),
        (2, "../x"),
        (2, "searched"),
        (3, "0/../.."),
        (4, "../../evil"),
        (4, "0123456789ABCDEF"),
        (4, "0123456789abcdef/"),
        (4, None),
    ],
)
def test_a_place_whose_names_would_be_paths_is_refused(column, value):
    changed = list(MEMBER)
    changed[column] = value
    with pytest.raises(ValueError, match=f"^the {('model', 'data set', 'role', 'number', 'trial')[column]} "):
        member_of(tuple(changed))
