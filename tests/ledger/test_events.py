"""Events of a search in the ledger: kept in their order, forgotten with the list of trials, checked as read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tuner.errors import InputError
from tuner.ledger.events import Event, Stop, in_force, limits_of
from tuner.ledger.ledger import Ledger, SearchTrial

ENDED = Event("ended", 2.0, (Stop("cnn", "blobs", 12, 65), Stop("ann", "blobs", 1, 4)), at=1_700_000_000.25)
LIFTED = Event("lifted", None, at=1_700_000_001.0)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.open_search("s", "key", "{}")
        ledger.add("s", SearchTrial("cnn", "blobs", "search", 0, "0" * 16))
        yield ledger


def test_events_come_back_in_their_order_and_the_last_one_counts(ledger: Ledger) -> None:
    assert ledger.events("s") == []
    ledger.note("s", ENDED)
    assert ledger.events("s") == [ENDED]
    assert limits_of(ledger.events("s")) == {("cnn", "blobs"): 12, ("ann", "blobs"): 1}
    ledger.note("s", LIFTED)
    assert ledger.events("s") == [ENDED, LIFTED]
    assert in_force(ledger.events("s")) is None
    assert limits_of(ledger.events("s")) == {}


def test_a_search_goes_on_with_its_events_and_another_one_under_its_name_without(ledger: Ledger) -> None:
    ledger.note("s", ENDED)
    ledger.open_search("s", "key", "{}")
    assert ledger.events("s") == [ENDED]
    ledger.open_search("s", "another", "{}")
    assert ledger.events("s") == []


def test_a_list_of_trials_begins_anew_where_an_event_says_so(ledger: Ledger) -> None:
    ledger.note("s", ENDED)
    assert len(ledger.search_trials("s")) == 1
    ledger.note("s", LIFTED, anew=True)
    assert ledger.search_trials("s") == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("kind", "begun"),
        ("at", "soon"),
        ("content", "{"),
        ("content", json.dumps({"hours": -1, "stops": []})),
        ("content", json.dumps({"hours": 1.0, "stops": [{"model": "../x", "dataset": "", "after": 1, "planned": 1}]})),
        ("content", json.dumps({"hours": 1.0, "stops": [], "more": 1})),
    ],
)
def test_an_event_that_no_run_wrote_is_refused_in_one_line(ledger: Ledger, column: str, value: str) -> None:
    ledger.note("s", ENDED)
    ledger._db.execute(f"UPDATE events SET {column} = ?", (value,))  # noqa: S608
    with pytest.raises(InputError, match=f"an event of the search 's', {column}") as refused:
        ledger.events("s")
    assert "\n" not in str(refused.value)
