"""Rows of a ledger that no run wrote are refused with what is wrong in them."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest
from recorded import whole, whole_final

from tuner.ledger.rows import AS_JSON, PLAIN, SearchTrial, attempt_of, record_of, search_of, search_trial_of
from tuner.trial import Record, Result, Trial

TRIAL = Trial("cnn", "blobs", "0123456789abcdef", {"units": 8, "rate": 0.5, "pool": "max", "bias": True}, 2, seed=0)
RESULT = whole(Result("completed", history={"loss": [1.0, 0.5]}, files={"model": "ab" * 32}))
FINAL = TRIAL.as_final(1)
FINAL_RESULT = whole_final(RESULT)
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


INFINITE, LONG = float("inf"), "9" * 5_000
NOTES = {"gradient_norm": [1.0], "kernel": [{"low": 0.0, "high": 1.0, "counts": [1]}]}
LAYER = {"name": "a", "kind": "Dense", "shape": [3]}


def watched(**changed: object) -> str:
    return json.dumps({"conv_1": {**NOTES, **changed}})


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"content": "{"}, "content: '{': Invalid JSON"),
        ({"content": None}, "content: None: "),
        ({"content": b"\xff"}, "content: b'.xff': "),
        ({"content": "\udcff"}, "content: .*: "),
        ({"content": "[]"}, "content: .*: "),
        ({"content": "[" * 100_000}, "content: '[^:]*…: Invalid JSON: recursion limit"),
        ({"content": content(epochs="3")}, "content.epochs: '3': "),
        ({"content": content(epochs=0)}, "content.epochs: 0: "),
        ({"content": content(epochs=10**12)}, "content.epochs: 1000000000000: "),
        ({"content": content().replace('"epochs": 2', f'"epochs": {LONG}')}, "content"),
        ({"content": content(role="../x")}, "content.role: '../x': "),
        ({"content": content(values={"units": [1]})}, "content.values.units"),
        ({"content": content(values={"units": INFINITE})}, "content.values.units"),
        ({"content": content(surprise=1)}, "content.surprise: 1: "),
        ({"content": content(fingerprint="../../etc")}, r"content.fingerprint: '\.\./\.\./etc': "),
        ({"content": content(fingerprint="0" * 15)}, "content.fingerprint: "),
        ({"content": content(split_seed=-1)}, "content.split_seed: -1: "),
        ({"content": content(seed=2**40)}, "content.seed: "),
        ({"content": content(validation=float("nan"))}, "content.validation: nan: "),
        ({"content": content(validation=1.0)}, "content.validation: 1.0: "),
        ({"content": content(train_size=0)}, "content.train_size: 0: "),
        ({"content": content(stop_after=True)}, "content.stop_after: True: "),
        ({"status": "splendid"}, "status: 'splendid': "),
        ({"error": b"x"}, "error: b'x': "),
        ({"transient": 2}, "transient: 2: "),
        ({"parameters": "many"}, "parameters: 'many': "),
        ({"parameters": -1}, "parameters: -1: "),
        ({"parameters": None}, "parameters: None: a run writes a number"),
        ({"seconds": None}, "seconds: None: "),
        ({"seconds": INFINITE}, "seconds: inf: "),
        ({"seconds_per_epoch": -1.0}, "seconds_per_epoch: -1.0: "),
        ({"latency_ms": INFINITE}, "latency_ms: inf: "),
        ({"val_accuracy": INFINITE}, "val_accuracy: inf: "),
        ({"val_accuracy": 1.5}, "val_accuracy: 1.5: "),
        ({"val_accuracy": None}, "val_accuracy: None: a run writes a number"),
        ({"val_loss": -INFINITE}, "val_loss: -inf: "),
        ({"val_loss": 1e300}, "val_loss: 1e.300: "),
        ({"test_accuracy": -0.5}, "test_accuracy: -0.5: "),
        ({"best_epoch": 0}, "best_epoch: 0: "),
        ({"best_epoch": 3}, "best_epoch: 3: a run writes at most 2"),
        ({"history": '{"loss": "x"}'}, "history.loss: 'x': "),
        ({"history": None}, "history: None: "),
        ({"history": "{}"}, "history: .*: a run writes the curves"),
        (
            {"history": json.dumps({"loss": [1.0], "val_loss": [1.0], "val_accuracy": [0.5]})},
            "history: .*: a run writes",
        ),
        ({"history": '{"loss": []}'}, "history.loss"),
        ({"history": '{"loss": [Infinity]}'}, "history.loss.0: inf: "),
        ({"history": '{"loss": [1.0, 2.0], "accuracy": [1.0]}'}, "history: .*: a run writes curves of one length"),
        (
            {"history": json.dumps(dict.fromkeys(RESULT.history, [0.5] * 3))},
            "history: 3: a run writes at most 2 epochs",
        ),
        ({"layers": '{"x": 1}'}, "layers"),
        ({"layers": "[{}]"}, "layers.0.name: nothing: "),
        ({"layers": json.dumps([{**LAYER, "shape": "3"}])}, "layers.0.shape: '3': "),
        ({"layers": json.dumps([{**LAYER, "shape": [-1]}])}, "layers.0.shape.0"),
        ({"layers": json.dumps([{**LAYER, "parameters": None}])}, "layers.0.parameters: None: "),
        ({"layers": json.dumps([{**LAYER, "formula": LONG}])}, "layers.0.formula: "),
        ({"watched": "[]"}, "watched: "),
        ({"watched": '{"conv_1": []}'}, "watched.conv_1: "),
        ({"watched": watched(gradient_norm=[])}, "watched.conv_1.gradient_norm: "),
        (
            {"watched": watched(gradient_norm=[1.0, 2.0])},
            "watched.conv_1: .2, 1.: a run writes as many norms as kernels",
        ),
        ({"watched": watched(kernel=[{}])}, "watched.conv_1.kernel.0.low: nothing: "),
        ({"watched": watched(kernel=[{"low": 1.0, "high": 0.0, "counts": []}])}, "watched: 1.0: a run writes no more"),
        (
            {"watched": watched(kernel=[{"low": 0.0, "high": INFINITE, "counts": []}])},
            "watched.conv_1.kernel.0.high: inf",
        ),
        (
            {"watched": watched(kernel=[{"low": 0.0, "high": 1.0, "counts": [-1]}])},
            "watched.conv_1.kernel.0.counts.0: -1",
        ),
        ({"environment": '{"device": "a GPU"}'}, "environment: .*the backend is one of"),
        ({"environment": '{"backend": ""}'}, "environment: .*the backend is one of"),
        ({"environment": '{"keras": NaN}'}, "environment.keras"),
        ({"passed": '{"hours": 1.0}'}, "passed.hours: 1.0: "),
        ({"passed": '{"minutes": -1.0}'}, "passed.minutes: -1.0: "),
        ({"files": '{"model": "../../../../x"}'}, "files.model: "),
        ({"files": json.dumps({"model": "AB" * 32})}, "files.model: "),
        ({"files": '{"model": 3}'}, "files.model: 3: "),
        ({"files": '{}, "status": "failed"'}, "files: "),
        ({"surprise": 1}, "surprise: 1: "),
    ],
)
def test_a_row_that_no_run_wrote_is_refused_with_trial_column_and_what_stands_there(changed, problem):
    with pytest.raises(ValueError, match=problem) as caught:
        record_of(TRIAL.id, row(**changed))
    assert str(caught.value).startswith(f"trial {TRIAL.id}, ")
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"test_accuracy": None}, "test_accuracy: None: a run writes a number, of a completed retraining"),
        ({"test_loss": None}, "test_loss: None: a run writes"),
        ({"files": json.dumps({"model": "ab" * 32})}, "files: .*: a run writes the files"),
    ],
)
def test_a_retraining_that_no_run_wrote_is_refused(changed, problem):
    result = asdict(FINAL_RESULT)
    fields = {"content": FINAL.to_json(), **{name: result[name] for name in PLAIN}}
    fields |= {"transient": 0, **{name: json.dumps(result[name]) for name in AS_JSON}}
    assert record_of(FINAL.id, fields) == Record(FINAL, FINAL_RESULT)
    with pytest.raises(ValueError, match=problem):
        record_of(FINAL.id, {**fields, **changed})


def test_a_gradient_that_overflowed_and_a_failed_trial_without_anything_are_rows_of_a_run():
    norms = {"gradient_norm": [INFINITE], "kernel": [{"low": 0.0, "high": 0.0, "counts": []}]}
    assert record_of(TRIAL.id, row(watched=json.dumps({"conv_1": norms}))).result.watched["conv_1"] == norms
    nothing = {"status": "failed", "parameters": None, "val_accuracy": None, "val_loss": None, "history": "{}"}
    assert record_of(TRIAL.id, row(**nothing)).result.status == "failed"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"finished": None}, "finished: None: "),
        ({"finished": "soon"}, "finished: 'soon': "),
        ({"finished": "2026-01-01T00:00:00"}, "finished: .*no time in UTC from 1970 to 2199"),
        ({"finished": "0001-01-01T00:00:00+00:00"}, "finished: .*no time in UTC"),
        ({"finished": "9999-12-31T23:59:59+00:00"}, "finished: .*no time in UTC"),
        ({"began": "9999-12-31T23:59:59.999+14:00"}, "began: .*no time in UTC"),
        ({"began": "2026-01-02T00:00:00+00:00"}, "began: .*: a run writes before it finished"),
        ({"seconds": INFINITE}, "seconds: inf: "),
        ({"worker": 0}, "worker: 0: "),
        ({"worker": 1.0}, "worker: 1.0: "),
        ({"node": None}, "node: None: "),
    ],
)
def test_a_time_and_a_place_that_no_run_wrote_are_refused(changed, problem):
    good = {"seconds": 1.0, "began": None, "finished": "2026-01-01T00:00:00.000+00:00", "worker": None, "node": ""}
    assert attempt_of(TRIAL.id, list(good.values())).seconds == 1.0
    with pytest.raises(ValueError, match=f"^trial {TRIAL.id}, {problem}"):
        attempt_of(TRIAL.id, list({**good, **changed}.values()))


@pytest.mark.parametrize(
    "changed", [{"started": "x"}, {"finished": "9999-12-31T23:59:59+00:00"}, {"key": None}, {"content": b""}]
)
def test_a_search_that_no_run_began_is_refused(changed):
    good = {"key": "0", "content": "{}", "started": "2026-01-01T00:00:00+00:00", "finished": None}
    assert search_of("mine", good)["content"] == "{}"
    (column,) = changed
    with pytest.raises(ValueError, match=f"^the search 'mine', {column}: "):
        search_of("mine", {**good, **changed})


def test_a_place_is_the_member_that_was_written():
    assert search_trial_of(MEMBER) == SearchTrial(*MEMBER)
    assert search_trial_of(("größe_2-a", *MEMBER[1:])).model == "größe_2-a"


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
        (3, -1),
        (4, "../../evil"),
        (4, "0123456789ABCDEF"),
        (4, "0123456789abcdef/"),
        (4, "0123456789abcdef\n"),
        (4, None),
    ],
)
def test_a_place_whose_names_would_be_paths_is_refused(column, value):
    changed = list(MEMBER)
    changed[column] = value
    with pytest.raises(ValueError, match=f", {('model', 'dataset', 'role', 'number', 'trial')[column]}: "):
        search_trial_of(tuple(changed))
