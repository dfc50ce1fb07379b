"""The ledger: what is written is read back, whatever happens in between."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import whole

from tuner.errors import InputError, ResourceError
from tuner.ledger.earlier import EarlierTrial
from tuner.ledger.events import Event
from tuner.ledger.ledger import Ledger, SearchTrial
from tuner.ledger.rows import CURVES
from tuner.ledger.schema import SCHEMA_VERSION
from tuner.trial import Attempt, Record, Result, Trial

TRIAL = Trial("cnn", "blobs", "0" * 16, {"units": 8, "rate": 0.1, "pool": "max", "bias": True}, epochs=2, seed=0)
RESULT = Result(
    "completed",
    parameters=1234,
    seconds=1.5,
    seconds_per_epoch=0.25,
    latency_ms=0.125,
    val_accuracy=0.75,
    val_loss=0.5,
    history={"loss": [1.0, 0.5], "accuracy": [0.25, 0.5], "val_loss": [1.25, 0.625], "val_accuracy": [0.5, 0.75]},
    files={"model": "ab" * 32, "predictions": "cd" * 32},
    best_epoch=2,
    environment={"keras": "3.12", "devices": ["cpu"], "threads": 2},
    layers=[{"name": "conv_1", "kind": "Conv2D", "shape": [26, 26, 8], "formula": "3·3·1·8 + 8", "inputs": ["scale"]}],
    watched={"conv_1": {"gradient_norm": [0.5, 0.25], "kernel": [{"low": -1.0, "high": 1.0, "counts": [1, 2]}] * 2}},
)


def trial(seed: int) -> Trial:
    return replace(TRIAL, seed=seed)


def record(seed: int, accuracy: float = 0.5) -> Record:
    return Record(trial(seed), whole(Result("completed", val_accuracy=accuracy)))


def search_trial(
    number: int, seed: int, model: str = "cnn", dataset: str = "blobs", role: str = "search"
) -> SearchTrial:
    return SearchTrial(model, dataset, role, number, trial(seed).id)


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path / "runs" / "ledger.sqlite") as opened:
        yield opened


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(Record(TRIAL, RESULT), id="completed"),
        pytest.param(Record(TRIAL.as_final(3), replace(RESULT, test_accuracy=0.5, test_loss=1.0)), id="final"),
        pytest.param(Record(TRIAL, Result("failed", "it's “out” of memory; DROP TABLE trials\n\0")), id="failed"),
        pytest.param(Record(replace(TRIAL, train_size=10, values={}), whole(Result("completed"))), id="bare"),
        pytest.param(Record(replace(TRIAL, watch=("first", "conv_2")), RESULT), id="watched"),
        pytest.param(
            Record(TRIAL.as_final(3, stop_after=2), replace(RESULT, test_accuracy=0.5, test_loss=1.0)),
            id="final that stops early",
        ),
    ],
)
def test_a_recorded_trial_is_read_back_as_it_was_after_closing_too(tmp_path, written):
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as ledger:
        ledger.record(written)
        assert ledger.get(written.trial.id) == written
    with Ledger(path) as ledger:
        assert ledger.get(written.trial.id) == written
        assert ledger.get(written.trial.id).trial.id == written.trial.id


def test_when_and_where_a_trial_ran_is_read_back_to_the_millisecond(ledger):
    attempt = Attempt(1_700_000_000.1254, 1_700_000_002.5, 3, "a node\udce9")
    ledger.record(record(0), attempt)
    ledger.record(record(1))
    ledger.open_search("s", "key", "{}")
    ledger.add("s", search_trial(0, 0), search_trial(1, 1), search_trial(2, 2))
    found = ledger.attempts("s")
    assert found.keys() == {trial(0).id, trial(1).id}
    assert found[trial(0).id] == Attempt(1_700_000_000.125, 1_700_000_002.5, 3, "a node?")
    assert found[trial(1).id].worker is None
    assert time.time() - found[trial(1).id].ended < 60
    assert time.time() - ledger.began("s") < 60
    assert (ledger.attempts("another"), ledger.began("another")) == ({}, None)


@pytest.mark.parametrize(
    "wrong", ["finished = 'soon'", "began = 'x'", "finished = '9999999-01-01'", "node = x'ff'", "began = ''"]
)
def test_a_time_that_no_run_wrote_is_refused(ledger, wrong):
    ledger.record(record(0))
    ledger.open_search("s", "key", "{}")
    ledger.add("s", search_trial(0, 0))
    with sqlite3.connect(ledger.path) as db:
        try:
            db.execute(f"UPDATE trials SET {wrong}")  # noqa: S608
        except sqlite3.IntegrityError:
            return  # the table itself takes no such thing
    db.close()
    with pytest.raises(InputError, match="holds what no run wrote"):
        ledger.attempts("s")


def test_a_row_under_the_name_of_another_trial_is_refused(ledger):
    ledger.record(record(0))
    ledger.open_search("s", "key", "{}")
    ledger.add("s", search_trial(0, 1))
    with sqlite3.connect(ledger.path) as db:
        db.execute("UPDATE trials SET trial = ?", (trial(1).id,))
    db.close()
    with pytest.raises(InputError, match=r"holds what no run wrote .*the content of another trial"):
        ledger.search_trials("s")
    with pytest.raises(InputError, match=r"holds what no run wrote .*the content of another trial"):
        ledger.get(trial(1).id)


def test_a_trial_that_is_not_recorded_is_none(ledger):
    assert ledger.get(TRIAL.id) is None


def test_a_trial_that_was_pruned_or_went_on_is_listed_once_as_far_as_it_was_trained(ledger):
    """Configurations 0 and 1 to epoch 1 of 2, then 1 to its end, then 2, and 0 further, which has not finished."""
    trainings = [(0, 1), (1, 1), (1, None), (2, 1), (0, None)]
    trials = [replace(TRIAL, values={"units": unit}, stop_after=epoch) for unit, epoch in trainings]
    ledger.open_search("s", "key", "{}")
    listed = [SearchTrial("cnn", "blobs", "search", number, one.id) for number, one in enumerate(trials)]
    final = trials[2].as_final(1, stop_after=1)
    ledger.add("s", *listed, SearchTrial("cnn", "blobs", "final", 0, final.id))
    for one in (*trials[:4], final):
        scored = {"test_accuracy": 0.5, "test_loss": 1.0} if one is final else {}
        curves = {name: curve[: one.last_epoch] for name, curve in RESULT.history.items()}
        ledger.record(Record(one, replace(RESULT, history=curves, best_epoch=None, watched={}, **scored)))
    found = ledger.search_trials("s")
    expected = [(0, trials[0]), (1, trials[2]), (3, trials[3]), (0, final)]
    assert [(place.number, record and record.trial) for place, record in found] == expected
    assert [place.trial for place, record in found if record] == [r.trial.id for _, r in found if r]
    assert len(ledger.all_search_trials("s")) == 6
    assert ledger.count_finished("s") == 3
    with sqlite3.connect(ledger.path) as db:  # as a stranger may have it
        db.execute("UPDATE trials SET content = '{' WHERE trial = ?", (trials[3].id,))
    db.close()
    assert ledger.count_finished("s") == 3


def test_of_two_records_of_one_trial_the_first_stays(ledger):
    ledger.record(record(0, 0.25))
    ledger.record(record(0, 0.75))
    ledger.record(Record(trial(0), Result("failed", "boom")))
    assert ledger.get(trial(0).id).result.val_accuracy == 0.25


def test_a_forgotten_trial_can_be_recorded_anew(ledger):
    ledger.record(record(0, 0.25))
    ledger.record(record(1, 0.5))
    ledger.forget_trial(trial(0).id)
    assert ledger.get(trial(0).id) is None
    assert ledger.get(trial(1).id) == record(1, 0.5)
    ledger.record(record(0, 0.75))
    assert ledger.get(trial(0).id).result.val_accuracy == 0.75


def test_members_stand_by_role_model_data_set_and_number_with_their_records(ledger):
    ledger.open_search("s", "key", "{}")
    proposed = [
        search_trial(10, 1),
        search_trial(9, 2),
        search_trial(0, 3, model="ann", dataset="other"),
        search_trial(0, 3, model="ann"),
        search_trial(0, 4, model="ann", role="final"),
    ]
    for one in proposed:
        ledger.add("s", one)
    ledger.record(record(2))
    ledger.record(record(3))
    assert ledger.search_trials("s") == [
        (proposed[3], record(3)),
        (proposed[2], record(3)),
        (proposed[1], record(2)),
        (proposed[0], None),
        (proposed[4], None),
    ]


def test_finished_search_trials_alone_are_counted(ledger):
    ledger.open_search("s", "key", "{}")
    ledger.add("s", search_trial(0, 0))
    ledger.add("s", search_trial(1, 1))
    ledger.add("s", search_trial(2, 2))
    ledger.add("s", search_trial(0, 3, role="final"))
    for seed in (0, 2, 3):
        ledger.record(record(seed))
    ledger.record(Record(trial(2), Result("failed", "boom")))
    assert ledger.count_finished("s") == 2
    assert ledger.count_finished("another") == 0


def test_enlisting_a_place_again_replaces_its_trial_and_no_other(ledger):
    ledger.open_search("s", "key", "{}")
    ledger.add("s", search_trial(0, 0))
    ledger.add("s", search_trial(1, 1))
    ledger.add("s", search_trial(0, 0))
    ledger.add("s", search_trial(1, 5))
    assert [one for one, _ in ledger.search_trials("s")] == [search_trial(0, 0), search_trial(1, 5)]


def test_a_search_opened_again_with_the_same_key_goes_on(ledger):
    ledger.open_search("s", "key", '{"title": "old"}')
    ledger.add("s", search_trial(0, 0))
    ledger.close_search("s")
    ledger.open_search("s", "key", '{"title": "new"}')
    assert [one for one, _ in ledger.search_trials("s")] == [search_trial(0, 0)]
    assert ledger.search_content("s") == '{"title": "new"}'


def test_a_search_opened_with_another_key_begins_anew_and_its_trials_stay(ledger):
    ledger.open_search("s", "key", "old")
    ledger.open_search("untouched", "key", "{}")
    for name in ("s", "untouched"):
        ledger.add(name, search_trial(0, 0))
    ledger.record(record(0))
    ledger.open_search("s", "another key", "new")
    assert ledger.search_trials("s") == []
    assert ledger.search_content("s") == "new"
    assert ledger.get(trial(0).id) == record(0)
    assert ledger.search_trials("untouched") == [(search_trial(0, 0), record(0))]


def test_the_earlier_trials_that_a_search_begins_with_are_its_own_until_it_begins_anew(ledger):
    earlier = [EarlierTrial("cnn", "blobs", trial(number).id, {"dropout": number / 4}) for number in range(3)]
    ledger.open_search("s", "key", "{}", earlier)
    assert ledger.earlier("s") == tuple(earlier)
    ledger.note("s", Event("lifted", None), anew=True)
    ledger.open_search("s", "key", "{}", earlier[:1])
    assert ledger.earlier("s") == tuple(earlier)
    assert [one.kind for one in ledger.events("s")] == ["lifted"]
    ledger.open_search("s", "another key", "{}")
    assert ledger.earlier("s") == ()


def test_other_searches_that_list_a_searchs_trials_are_told_by_trial(ledger):
    for name in ("s", "other", "third"):
        ledger.open_search(name, "key", "{}")
    ledger.add("s", *(search_trial(number, number) for number in range(3)))
    ledger.add("other", search_trial(0, 1), search_trial(1, 5))
    ledger.add("third", search_trial(0, 1), search_trial(1, 2))
    assert ledger.listed_elsewhere("s") == {trial(1).id: {"other", "third"}, trial(2).id: {"third"}}
    assert ledger.listed_elsewhere("nobody") == {}


def test_a_search_that_never_ran_has_no_content_and_no_members(ledger):
    assert ledger.search_content("s") is None
    assert ledger.search_trials("s") == []


def test_retrainings_of_what_is_no_longer_chosen_are_listed_no_more(ledger):
    for name in ("s", "t"):
        ledger.open_search(name, "key", "{}")
        ledger.add(name, *(SearchTrial("cnn", "d", role, 0, trial(1).id) for role in ("search", "final")))
        ledger.add(name, *(SearchTrial("ann", one, "final", 0, trial(2).id) for one in ("d", "e")))
    ledger.keep_retrainings("s", {("ann", "d")})
    listed = {name: {(one.model, one.dataset, one.role) for one, _ in ledger.all_search_trials(name)} for name in "st"}
    assert listed["t"] - listed["s"] == {("cnn", "d", "final"), ("ann", "e", "final")}
    assert listed["s"] == {("cnn", "d", "search"), ("ann", "d", "final")}


def test_a_trial_is_listed_elsewhere_where_another_search_lists_it(ledger):
    for name, seeds in (("mine", (0, 1)), ("other", (1, 2))):
        ledger.open_search(name, "key", "{}")
        for number, seed in enumerate(seeds):
            ledger.add(name, search_trial(number, seed))
    assert [ledger.is_listed_elsewhere(trial(seed).id, "mine") for seed in range(4)] == [False, True, True, False]


def test_a_forgotten_trial_is_gone_and_keeps_its_place_in_its_searches(ledger):
    ledger.open_search("mine", "key", "{}")
    ledger.add("mine", search_trial(0, 0))
    ledger.record(record(0))
    ledger.forget_trial(trial(0).id)
    assert ledger.get(trial(0).id) is None
    assert ledger.search_trials("mine") == [(search_trial(0, 0), None)]


def test_a_search_is_finished_when_it_is_closed_and_no_longer_when_it_is_opened_again(ledger):
    states = [ledger.is_finished("mine")]
    for step in (ledger.open_search, ledger.close_search, ledger.open_search):
        step("mine", *([] if step == ledger.close_search else ["key", "{}"]))
        states.append(ledger.is_finished("mine"))
    assert states == [False, False, True, False]


def _text(path: Path) -> None:
    path.write_text("trial,accuracy\n" * 100)


def _foreign(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE bookmarks (url TEXT)")
    db.close()


def _newer(path: Path) -> None:
    Ledger(path).close()
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()


def _damaged(path: Path) -> None:
    Ledger(path).close()
    content = bytearray(path.read_bytes())
    content[100:3000] = bytes(2900)
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (_text, "is not a ledger, or is damaged"),
        (_foreign, "is another program's database"),
        (_newer, f"is a ledger of version {SCHEMA_VERSION + 1}, and this is version {SCHEMA_VERSION}"),
        (_damaged, "is not a ledger, or is damaged"),
    ],
)
def test_a_file_that_is_no_ledger_of_ours_is_refused_and_stays_as_it_is(tmp_path, make, problem):
    path = tmp_path / "ledger.sqlite"
    make(path)
    before = path.read_bytes()
    with pytest.raises(InputError) as caught:
        Ledger(path)
    assert str(caught.value).startswith(f"{path}: {problem}")
    assert path.read_bytes() == before


def test_a_place_where_no_file_can_be_made_is_an_input_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        Ledger(tmp_path / "file" / "ledger.sqlite")


def test_an_empty_file_becomes_a_ledger(tmp_path):
    path = tmp_path / "ledger.sqlite"
    path.touch()
    with Ledger(path) as ledger:
        ledger.record(record(0))
    with Ledger(path) as ledger:
        assert ledger.get(trial(0).id) == record(0)


_HOLD = """
    import sys
    from pathlib import Path
    from tuner.errors import InputError, ResourceError
    from tuner.ledger.ledger import Ledger
    try:
        with Ledger(Path(sys.argv[1])) as ledger, ledger.sole_runner("s"):
            print("held", flush=True)
            sys.stdin.read()
    except InputError as error:
        print(error, flush=True)
"""


def hold_elsewhere(path: Path) -> subprocess.Popen[str]:
    """Start a process that holds search `s` until its standard input ends, or says why it cannot."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_HOLD), str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_another_process_cannot_run_a_held_search_and_is_told_who_holds_it(ledger):
    with ledger.sole_runner("s"):
        answer, _ = hold_elsewhere(ledger.path).communicate("", timeout=600)
    assert answer.strip() == f"s: is being run by process {os.getpid()}; wait for it or stop it"


def test_a_process_that_is_killed_holds_its_search_no_longer(ledger):
    with hold_elsewhere(ledger.path) as process:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(InputError, match=f"is being run by process {process.pid};"), ledger.sole_runner("s"):
            pass
        process.kill()
        process.wait()
        with ledger.sole_runner("s"):
            pass


def test_a_search_that_is_let_go_can_be_held_again_and_others_can_be_held_beside_it(ledger):
    with Ledger(ledger.path) as second:
        with ledger.sole_runner("s"), second.sole_runner("another"):
            pass
        with pytest.raises(ZeroDivisionError), second.sole_runner("s"):
            raise ZeroDivisionError
        with ledger.sole_runner("s"), pytest.raises(InputError, match=f"process {os.getpid()};"):
            second.sole_runner("s").__enter__()


def test_who_writes_is_alone_from_the_beginning(ledger):
    """Else who reads before it writes would find that another one wrote meanwhile, and fail."""
    with contextlib.closing(sqlite3.connect(ledger.path, timeout=0, isolation_level=None)) as other:
        with ledger._transaction(), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")


#: Where a flush to disk costs nothing, which is what a ledger's transactions take their time for.
IN_MEMORY = Path("/dev/shm")  # noqa: S108
Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(st.sampled_from(["record", "add", "open"]), st.integers(0, 3), st.integers(0, 3)), max_size=10
)


def _apply(ledger: Ledger, step: Step) -> None:
    kind, first, second = step
    if kind == "record":
        ledger.record(record(first, second / 4))
    elif kind == "add":
        ledger.add("s", search_trial(first, second))
    else:
        ledger.open_search("s", "key" if first else "another key", f"content {second}")


def _final_state(path: Path, steps: list[Step], reopened: set[int]) -> object:
    """Take the steps, closing and opening the ledger again before those that are `reopened`; return what it holds."""
    ledger = Ledger(path)
    ledger.open_search("s", "key", "content")
    for number, step in enumerate(steps):
        if number in reopened:
            ledger.close()
            ledger = Ledger(path)
        _apply(ledger, step)
    state = ledger.search_trials("s"), ledger.search_content("s"), [ledger.get(trial(seed).id) for seed in range(4)]
    ledger.close()
    return state


@given(steps=STEPS, reopened=st.sets(st.integers(0, 9)))
@settings(max_examples=25, deadline=None)
def test_closing_and_opening_the_ledger_between_any_steps_changes_nothing(steps, reopened):
    with tempfile.TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as folder:
        straight = _final_state(Path(folder) / "straight.sqlite", steps, set())
        stopped = _final_state(Path(folder) / "stopped.sqlite", steps, reopened)
    assert stopped == straight


def test_a_second_reader_sees_each_record_at_once(ledger):
    with Ledger(ledger.path) as reader:
        ledger.record(record(0))
        assert reader.get(trial(0).id) == record(0)


def test_the_file_is_read_with_pandas_while_a_search_runs(ledger):
    ledger.open_search("s", "key", "{}")
    for seed, accuracy in enumerate((0.25, 0.75)):
        ledger.add("s", search_trial(seed, seed))
        ledger.record(record(seed, accuracy))
    db = sqlite3.connect(ledger.path)
    trials = pd.read_sql("SELECT * FROM trials ORDER BY val_accuracy DESC", db, index_col="trial")
    search_trials = pd.read_sql("SELECT * FROM members JOIN trials USING (trial)", db)
    db.close()
    assert trials.index.tolist() == [trial(1).id, trial(0).id]
    assert trials["val_accuracy"].tolist() == [0.75, 0.25]
    assert trials["status"].unique().tolist() == ["completed"]
    assert pd.to_datetime(trials["finished"]).dt.tz is not None
    assert len(search_trials) == 2


# --- a ledger of an earlier version ---

OLD_HISTORY = {name: [1.0, 0.5] for name in CURVES}
#: As version 1 made its tables.
VERSION_1 = """
CREATE TABLE trials (
    trial TEXT PRIMARY KEY, content TEXT NOT NULL, status TEXT NOT NULL, error TEXT NOT NULL,
    transient INTEGER NOT NULL, parameters INTEGER, seconds REAL NOT NULL, seconds_per_epoch REAL, latency_ms REAL,
    val_accuracy REAL, val_loss REAL, test_accuracy REAL, test_loss REAL, history TEXT NOT NULL, files TEXT NOT NULL,
    environment TEXT NOT NULL, finished TEXT NOT NULL
) STRICT;
CREATE TABLE searches (
    name TEXT PRIMARY KEY, key TEXT NOT NULL, content TEXT NOT NULL, started TEXT NOT NULL, finished TEXT
) STRICT;
CREATE TABLE members (
    search TEXT NOT NULL REFERENCES searches(name) ON DELETE CASCADE, model TEXT NOT NULL, dataset TEXT NOT NULL,
    role TEXT NOT NULL, number INTEGER NOT NULL, trial TEXT NOT NULL,
    PRIMARY KEY (search, model, dataset, role, number)
) STRICT;
PRAGMA application_id = 1953853029;
PRAGMA user_version = 1;
"""


@pytest.fixture
def version_1(tmp_path: Path) -> Path:
    """A ledger as version 1 left it: three trials, one failed, in a search that is not finished."""
    path = tmp_path / "ledger.sqlite"
    with sqlite3.connect(path) as db:
        db.executescript(VERSION_1)
        db.execute("INSERT INTO searches VALUES ('s', 'key', '{}', '2026-01-01T00:00:00+00:00', NULL)")
        for number in range(3):
            one = replace(TRIAL, seed=number)
            content = json.loads(one.to_json())
            del content["stop_after"], content["watch"]  # which version 1 did not know
            row = [one.id, json.dumps(content), "completed", "", 0, 1234, 1.5, 0.25, None, number / 4, 0.5, None, None]
            if number == 2:
                row[2:4] = "failed", "boom"
            row += [
                json.dumps(OLD_HISTORY),
                json.dumps({"model": "ab" * 32}),
                '{"keras": "3.12"}',
                "2026-01-01T00:00:00+00:00",
            ]
            db.execute("INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            db.execute("INSERT INTO members VALUES ('s', 'cnn', 'blobs', 'search', ?, ?)", (number, one.id))
    db.close()
    return path


def test_a_ledger_of_version_1_keeps_its_trials_and_its_searches(version_1: Path) -> None:
    with Ledger(version_1) as ledger:
        search_trials = ledger.search_trials("s")
        assert [one for one, _ in search_trials] == [search_trial(number, number) for number in range(3)]
        assert ledger.search_content("s") == "{}"
        attempt = ledger.attempts("s")[trial(0).id]
        assert (attempt.seconds, attempt.worker, attempt.node) == (1.5, None, "")
    for number, (_, found) in enumerate(search_trials):
        assert found is not None
        assert found.trial == trial(number)
        assert found.trial.id == trial(number).id
        expected = Result(
            "completed" if number < 2 else "failed",
            "" if number < 2 else "boom",
            parameters=1234,
            seconds=1.5,
            seconds_per_epoch=0.25,
            val_accuracy=number / 4,
            val_loss=0.5,
            history=OLD_HISTORY,
            files={"model": "ab" * 32},
            environment={"keras": "3.12"},
        )
        assert found.result == expected
        assert (expected.best_epoch, expected.layers, expected.watched) == (None, [], {})


def test_a_ledger_of_version_1_takes_everything_that_a_new_one_takes(version_1: Path) -> None:
    with Ledger(version_1) as ledger:
        ledger.record(Record(trial(9), RESULT))
    with Ledger(version_1) as ledger:
        assert ledger.get(trial(9).id) == Record(trial(9), RESULT)
        assert ledger.get(trial(0).id).result.val_accuracy == 0.0


def test_a_ledger_of_version_1_becomes_what_a_new_one_is(version_1: Path, tmp_path: Path) -> None:
    def made_of(path: Path) -> tuple[object, ...]:
        Ledger(path).close()
        with sqlite3.connect(path) as db:
            tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            columns = {name: db.execute(f"PRAGMA table_info({name})").fetchall() for name in tables}
            (version,) = db.execute("PRAGMA user_version").fetchone()
        db.close()
        return columns, version

    assert made_of(version_1) == made_of(tmp_path / "new.sqlite")
    assert made_of(version_1)[1] == SCHEMA_VERSION


def test_a_ledger_that_cannot_be_brought_up_to_date_stays_as_it_is(version_1: Path) -> None:
    with sqlite3.connect(version_1) as db:
        db.execute("ALTER TABLE trials ADD COLUMN layers TEXT")  # which is in the way
    db.close()
    with pytest.raises(InputError, match="is not a ledger, or is damaged"):
        Ledger(version_1)
    with sqlite3.connect(version_1) as db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(trials)")]
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
    db.close()
    assert "best_epoch" not in columns


# --- what goes wrong on the way ---


def test_a_full_disk_is_said_in_a_line_and_loses_nothing(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l") as ledger:
        ledger.record(Record(trial(0), RESULT))
        (pages,) = ledger._db.execute("PRAGMA page_count").fetchone()
        ledger._db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(ResourceError, match="make room"):
            for number in range(1, 1000):
                ledger.record(Record(trial(number), RESULT))
        assert not ledger._db.in_transaction
        ledger._db.execute("PRAGMA max_page_count = 100000")
        ledger.record(Record(trial(number), RESULT))
        assert ledger._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert all(ledger.get(trial(kept).id) is not None for kept in range(number + 1))


def test_a_ledger_that_is_damaged_inside_is_named_where_it_is_read(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l") as ledger:
        ledger.open_search("s", "key", "{}")
        for number in range(300):
            ledger.record(Record(trial(number), RESULT))
            ledger.add("s", SearchTrial("cnn", "d", "search", number, trial(number).id))
    content = bytearray((tmp_path / "l").read_bytes())
    content[8192:] = bytes(byte ^ 0x5A for byte in content[8192:])
    (tmp_path / "l").write_bytes(content)
    with Ledger(tmp_path / "l") as ledger, pytest.raises(InputError, match=r"l: is not a ledger, or is damaged .*mend"):
        ledger.search_trials("s")
    assert (tmp_path / "l").read_bytes() == content


@pytest.mark.parametrize("column", ["content", "history"])
def test_a_row_that_is_not_ours_is_named_where_it_is_read(tmp_path: Path, column: str) -> None:
    with Ledger(tmp_path / "l") as ledger:
        ledger.record(Record(trial(0), RESULT))
        ledger._db.execute(f"UPDATE trials SET {column} = 'no JSON'")  # noqa: S608
        with pytest.raises(InputError, match=f"holds what no run wrote .trial {trial(0).id}, {column}: 'no JSON'"):
            ledger.get(trial(0).id)


def test_another_program_that_holds_the_ledger_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Ledger(tmp_path / "l").close()
    monkeypatch.setattr("tuner.ledger.ledger._PATIENCE", 0.05)
    other = sqlite3.connect(tmp_path / "l", isolation_level=None)
    with Ledger(tmp_path / "l") as ledger:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ResourceError, match="held by another program"):
            ledger.record(Record(trial(0), RESULT))
        other.execute("ROLLBACK")
        ledger.record(Record(trial(0), RESULT))
        assert ledger.get(trial(0).id) is not None
    other.close()


def test_a_clock_that_jumps_back_changes_neither_order_nor_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = iter(range(23, 0, -1))
    monkeypatch.setattr("tuner.ledger.ledger._now", lambda: f"2026-01-01T{next(hours):02d}:00:00+00:00")
    with Ledger(tmp_path / "l") as ledger:
        ledger.open_search("s", "key", "{}")
        for number in range(5):
            ledger.record(Record(trial(number), RESULT))
            ledger.add("s", SearchTrial("cnn", "d", "search", number, trial(number).id))
        ledger.close_search("s")
        assert [search_trial.number for search_trial, _ in ledger.search_trials("s")] == [0, 1, 2, 3, 4]
        assert ledger.is_finished("s")


# --- on a network disk, and what is not ours ---


def journal_of(path: Path) -> str:
    db = sqlite3.connect(path)
    ((mode,),) = db.execute("PRAGMA journal_mode").fetchall()
    db.close()
    return str(mode)


def test_on_a_network_disk_a_rollback_journal_is_kept_and_on_one_of_this_machine_a_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Ledger(tmp_path / "l") as ledger:
        ledger.record(record(0))
        assert ledger.network_disk == ""
    assert journal_of(tmp_path / "l") == "wal"
    monkeypatch.setattr("tuner.ledger.ledger.network_disk", lambda path: "nfs4")
    with Ledger(tmp_path / "l") as ledger, Ledger(tmp_path / "l") as second:
        assert ledger.network_disk == "nfs4"
        ledger.record(record(1))
        assert second.get(trial(0).id) == record(0)
        assert second.get(trial(1).id) == record(1)
        assert not list(tmp_path.glob("l-*"))  # no log, and no memory that two machines cannot share
    assert journal_of(tmp_path / "l") == "delete"


def test_a_ledger_in_use_by_a_log_is_not_taken_to_be_safe_on_a_network_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuner.ledger.ledger._PATIENCE", 0.05)
    with Ledger(tmp_path / "l") as ledger:
        ledger.record(record(0))
        monkeypatch.setattr("tuner.ledger.ledger.network_disk", lambda path: "nfs4")
        with pytest.raises(ResourceError, match="held by another program"):
            Ledger(tmp_path / "l")


@pytest.mark.parametrize("ending", ["-wal", "-journal", "-shm"])
@pytest.mark.parametrize("make", [lambda path: path.symlink_to("other"), os.mkfifo])
def test_nothing_is_written_through_a_link_or_a_pipe_beside_the_ledger(tmp_path: Path, ending: str, make) -> None:
    Ledger(tmp_path / "l").close()
    (tmp_path / "other").write_bytes(b"27 bytes of another program")
    make(tmp_path / f"l{ending}")
    with pytest.raises(InputError, match=f"l{ending}: is (a link|not a file)"):
        Ledger(tmp_path / "l")
    assert (tmp_path / "other").read_bytes() == b"27 bytes of another program"


@pytest.mark.parametrize("note", ["27 bytes of another file.", "", "12345678901", "\x1b[2J", "-1"])
def test_what_is_no_number_of_a_process_is_not_shown_as_one(ledger: Ledger, note: str) -> None:
    with Ledger(ledger.path) as second, ledger.sole_runner("s"):
        (ledger.path.parent / "locks" / "s.holder").write_text(note)
        with pytest.raises(InputError, match="is being run by process unknown;"), second.sole_runner("s"):
            pass


def test_a_holder_that_is_a_link_is_replaced_and_what_it_leads_to_stays(ledger: Ledger) -> None:
    other = ledger.path.parent / "other"
    other.write_text("27 bytes of another file.")
    (ledger.path.parent / "locks").mkdir()
    (ledger.path.parent / "locks" / "s.holder").symlink_to(other)
    with ledger.sole_runner("s"):
        assert (ledger.path.parent / "locks" / "s.holder").read_text() == str(os.getpid())
    assert other.read_text() == "27 bytes of another file."


def test_a_ledger_that_sqlite_has_analysed_is_ours(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l") as ledger:
        ledger.record(record(0))
        ledger._db.execute("ANALYZE")
    with Ledger(tmp_path / "l") as ledger:
        assert ledger.get(trial(0).id) == record(0)


def test_ten_thousand_trials_are_read_and_checked_in_seconds(tmp_path: Path) -> None:
    with Ledger(IN_MEMORY / f"{os.getpid()}.sqlite" if IN_MEMORY.is_dir() else tmp_path / "l") as ledger:
        try:
            ledger._db.execute("PRAGMA synchronous = OFF")
            ledger.open_search("s", "key", "{}")
            for seed in range(1_000):
                ledger.record(record(seed))
            ledger.add("s", *(search_trial(seed, seed) for seed in range(1_000)))
            begun = time.process_time()
            for _ in range(10):
                assert len(ledger.search_trials("s")) == 1_000
            assert time.process_time() - begun < 10
        finally:
            for path in ledger.path.parent.glob(f"{ledger.path.name}*"):
                path.unlink()
