"""Events of a search as rows of a ledger: what nobody wrote is refused with its place, in every field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tuner.ledger.earlier import Earlier, EarlierTrial
from tuner.ledger.events import Event, Stop
from tuner.ledger.requests import Decision, Request, told_of
from tuner.ledger.rows import RowError

AT, TRIAL = "2026-01-01T00:00:00.000+00:00", "ab" * 8
MOMENT = 1767225600.0
WROTE: list[tuple[str, Any]] = [
    ("ended", Event("ended", 2.0, (Stop("cnn", "blobs", 4, 5),), MOMENT)),
    ("lifted", Event("lifted", None, at=MOMENT)),
    ("asked", Request("stop", TRIAL)),
    ("decided", Decision(2, "stop", TRIAL, 5, trained=True)),
    ("asked", Request("report")),
    ("decided", Decision(4, "report", "", 7, refused="it had ended")),
    ("ended", Event("ended", None, (Stop("cnn", "blobs", 4, 5, 1),), MOMENT, (TRIAL,))),
    ("earlier", Earlier((EarlierTrial("cnn", "blobs", TRIAL, {"dropout": 0.5, "batch_norm": True, "filters": 8}),))),
]
ROWS = [(number, kind, AT, one.content()) for number, (kind, one) in enumerate(WROTE)]


def test_events_are_what_was_written() -> None:
    assert told_of("s", ROWS) == list(enumerate(one for _, one in WROTE))


#: Number of a row, the way to a part of its content, what a stranger writes there (... takes it away), what is said.
CONTENTS = [
    (0, "hours", 0, "content.hours"),
    (0, "hours", float("inf"), "content.hours: inf"),
    (0, "stops", None, "content.stops"),
    (0, "stops.0.model", "../x", "content.stops.0.model: '../x'"),
    (0, "stops.0.dataset", 1, "content.stops.0.dataset: 1"),
    (0, "stops.0.after", -1, "content.stops.0.after: -1"),
    (0, "stops.0.after", 10**9, "content.stops.0.after: 1000000000"),
    (0, "stops.0.planned", 1 << 53, "content.stops.0.planned"),
    (0, "stops.0.surprise", 1, "content.stops.0.surprise: 1"),
    (6, "stops.0.left_out", 10**9, "content.stops.0.left_out: 1000000000"),
    (6, "left_out.0", "../x", "content.left_out.0: '../x'"),
    (2, "what", "end", "content.what: 'end'"),
    (2, "trial", "", "content: .*names what it is about"),
    (2, "trial", ..., "content.trial: nothing"),
    (4, "trial", TRIAL, "content: .*names what it is about"),
    (2, "surprise", 1, "content.surprise: 1"),
    (3, "what", "skipped", "content.what: 'skipped'"),
    (3, "trial", "", "content: .*names what it is about"),
    (3, "trial", "../x", "content.trial"),
    (3, "asked", -1, "content.asked: -1"),
    (3, "asked", 1, "content.asked: 1: a run writes the number of a request before it"),
    (3, "asked", 3, "content.asked: 3: a run writes the number of a request before it"),
    (3, "asked", 4, "content.asked: 4: a run writes the number of a request before it"),
    (3, "after", 9007199254740991, "content.after: 9007199254740991"),
    (3, "after", -1, "content.after: -1"),
    (3, "after", 1.0, "content.after: 1.0"),
    (3, "trained", 1, "content.trained: 1"),
    (5, "refused", None, "content.refused: None"),
    (5, "refused", "x" * 10_001, "content.refused"),
    (5, "surprise", 1, "content.surprise: 1"),
    (7, "trials", None, "content.trials: None"),
    (7, "trials.0.model", "../x", "content.trials.0.model: '../x'"),
    (7, "trials.0.dataset", 1, "content.trials.0.dataset: 1"),
    (7, "trials.0.trial", "", "content.trials.0.trial: ''"),
    (7, "trials.0.values", None, "content.trials.0.values: None"),
    (7, "trials.0.values.dropout", "x" * 10_001, "content.trials.0.values.dropout"),
    (7, "trials.0.values.dropout", [0.5], "content.trials.0.values.dropout"),
    (7, "trials.0.surprise", 1, "content.trials.0.surprise: 1"),
    (7, "surprise", 1, "content.surprise: 1"),
]


@pytest.mark.parametrize(("number", "way", "value", "said"), CONTENTS)
def test_content_that_nobody_wrote_is_refused(number: int, way: str, value: object, said: str) -> None:
    content = json.loads(ROWS[number][3])
    *parts, last = (int(part) if part.isdigit() else part for part in way.split("."))
    place = content
    for part in parts:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    _refused(number, 3, json.dumps(content), said)


@pytest.mark.parametrize("number", range(len(ROWS)))
@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        (0, -1, "number: -1"),
        (0, 99, "number: 99"),
        (1, "odd", "kind: 'odd'"),
        (2, "x", "at: 'x'"),
        (2, "", "at: ''"),
        (2, "0001-01-01T00:00:00+00:00", "at: .*no time in UTC"),
        (2, None, "at: None"),
        (3, "", "content: ''"),
        (3, "[]", "content"),
        (3, "{}", "content"),
        (3, "[" * 100_000, "content: .*recursion limit"),
        (3, b"\xff", "content"),
    ],
)
def test_a_column_that_nobody_wrote_is_refused(number: int, column: int, value: object, said: str) -> None:
    _refused(number, column, value, said)


def test_a_row_that_is_gone_is_missed() -> None:
    with pytest.raises(RowError, match=r"number: 2: a run writes 1$"):
        told_of("s", [ROWS[0], *ROWS[2:]])


def _refused(number: int, column: int, value: object, said: str) -> None:
    rows: list[tuple[Any, ...]] = list(ROWS)
    rows[number] = tuple(value if place == column else one for place, one in enumerate(rows[number]))
    with pytest.raises(RowError, match=f"(of|to|on) the search 's', {said}") as caught:
        told_of("s", rows)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)
