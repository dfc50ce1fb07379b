"""A configuration that is added and a `max_trials` that is changed: decided once, and the same search ever after."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from observers import Silent
from rich.console import Console
from test_loop import CrashError, SimulatedExecutor, table

from tuner.errors import InputError
from tuner.ledger.ledger import Ledger
from tuner.ledger.requests import Change, Decision, Request
from tuner.running.control import Control
from tuner.running.loop import Runner
from tuner.running.planned import Prepared, all_search_proposals
from tuner.search_file.file import parse_search
from tuner.search_file.model import Search
from tuner.search_file.overrides import Overrides
from tuner.trial import Job, Record

#: 25 configurations: 2 + 3 ways of filters, times 5.
SPACE = {"conv_depth": [1, 2], "filters": [4, 8], "dense_units": [4, 8, 16, 32, 64]}
#: 25 that share one compiled step, so that they are trained in the order of their proposal.
ALIKE = {"dropout": [0.1, 0.2, 0.3, 0.4, 0.5], "learning_rate": [0.001, 0.002, 0.005, 0.01, 0.02]}
PREPARED = {"blobs": Prepared("f" * 16, Path(), (8, 8, 1), 3, 100)}
#: What each algorithm is asked for in the search file.
ENTRIES: dict[str, dict[str, Any]] = {
    "grid": {"algorithm": "grid"},
    "random": {"algorithm": "random", "max_trials": 10},
    "bayesian": {"algorithm": "bayesian", "max_trials": 12},
    "hyperband": {"algorithm": "hyperband", "max_trials": 14},
    "tpe": {"algorithm": "tpe", "max_trials": 12},
    "random, pruned": {"algorithm": "random", "max_trials": 9, "prune": "halving"},
    "bayesian, pruned": {"algorithm": "bayesian", "max_trials": 9, "prune": "halving"},
    "random, with folds": {"algorithm": "random", "max_trials": 8},
    "tpe, with folds": {"algorithm": "tpe", "max_trials": 12},
}


def search_of(algorithm: str, **more: Any) -> Search:
    entry = {"family": "cnn", "space": SPACE, **ENTRIES[algorithm], **more}
    if "filters" in entry["space"]:
        entry["rules"] = {"filters_never_decrease": True}
    folds = {"folds": 3} if algorithm.endswith("folds") else {}
    raw = {"title": "x", "dataset": "blobs", "training": {"epochs": 9}, "search": [entry], **folds}
    return parse_search(raw, "s", Path(), Overrides(), "0" * 16)


def add(**values: Any) -> Request:
    return Request("add", model="cnn", values=values)


def number(max_trials: int) -> Request:
    return Request("max_trials", model="cnn", max_trials=max_trials)


#: Every configuration with the most dense units, of which an algorithm has proposed some by then and others not.
ADDED = [
    add(conv_depth=2, filters_1=4, filters_2=8, dense_units=64),
    add(conv_depth=1, filters=8, dense_units=64),
    add(conv_depth=2, filters=8, dense_units=32),
    add(conv_depth=1, filters=4, dense_units=16),
    add(conv_depth=2, filters=4, dense_units=4),
]


class User(Silent):
    """Watches a search, and asks what is due at counts of finished trials, one thing at a time."""

    def __init__(self, path: Path, script: Sequence[tuple[int, Request]]) -> None:
        super().__init__()
        self._path, self._script = path, script

    def finished(self, record: Record, known: bool, node: str = "") -> None:
        super().finished(record, known, node)
        self.ask()

    def scored(self, record: Record) -> None:
        super().scored(record)
        self.ask()

    def ask(self) -> None:
        with Ledger(self._path) as ledger:
            asked = ledger._db.execute("SELECT count(*) FROM events WHERE kind = 'asked'").fetchone()[0]
            due = [request for count, request in self._script if count <= ledger.count_finished("s")]
            for request in due[asked:][:1]:
                ledger.ask("s", request)


def one_worker() -> SimulatedExecutor:
    return SimulatedExecutor(1, random.Random(0))  # noqa: S311


def run(
    path: Path, search: Search, script: Sequence[tuple[int, Request]] = (), executor: SimulatedExecutor | None = None
) -> User:
    """Run a search as `StartedSearch.search_trials` does, going on from what the ledger holds."""
    observer = User(path, script)
    with Ledger(path) as ledger:
        ledger.open_search("s", "key", "{}")
        search = search.with_decisions(ledger.decisions("s"))
        control = Control(search, ledger, Console(quiet=True))
        runner = Runner(
            "s", ledger, executor or one_worker(), lambda t: Job(t, Path(), Path()), observer, control=control
        )
        runner.drive("search", all_search_proposals(search, PREPARED, {}, control.left_out), None)
    return observer


def decisions(path: Path) -> list[Decision]:
    with Ledger(path) as ledger:
        return ledger.decisions("s")


def numbers(path: Path) -> list[int]:
    with Ledger(path) as ledger:
        return [one.number for one, _ in ledger.all_search_trials("s")]


@pytest.fixture
def _short_look_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuner.running.loop.LOOK_AHEAD", 6)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The ledger of an uninterrupted search of each algorithm in which everything was asked, as tests ask for it."""
    made: dict[str, Path] = {}

    def of(algorithm: str) -> Path:
        if algorithm not in made:
            path = tmp_path_factory.mktemp("whole") / "ledger.sqlite"
            run(path, search_of(algorithm), script(algorithm))
            made[algorithm] = path
        return made[algorithm]

    return of


def script(algorithm: str) -> list[tuple[int, Request]]:
    """What is asked: configurations at several counts and, but of a grid, fewer trials and then more."""
    limits = [] if algorithm == "grid" else [(4, number(7)), (6, number(11))]
    added = [(1, ADDED[0]), (2, ADDED[1]), (5, ADDED[2]), (7, ADDED[3]), (8, ADDED[4])]
    return sorted([*added, (3, Request("skip", "0" * 16)), *limits], key=lambda one: one[0])


@pytest.mark.usefixtures("_short_look_ahead")
@pytest.mark.parametrize("algorithm", ENTRIES)
class TestAnyAlgorithm:
    @pytest.mark.parametrize("slots", [1, 3])
    def test_what_was_decided_gives_the_same_search_from_its_beginning_however_it_is_killed(
        self, algorithm: str, slots: int, tmp_path: Path, whole: Callable[[str], Path]
    ) -> None:
        with Ledger(tmp_path / "l") as ledger:
            ledger.open_search("s", "key", "{}")
        events = sqlite3.connect(whole(algorithm)).execute("SELECT * FROM events").fetchall()
        with sqlite3.connect(tmp_path / "l") as database:
            database.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", events)
        trained: list[str] = []
        for life in range(60):
            executor = SimulatedExecutor(slots, random.Random(life), crash_after=life % 4)  # noqa: S311
            try:
                run(tmp_path / "l", search_of(algorithm), (), executor)
                break
            except CrashError:
                pass
            finally:
                trained += executor.trained
        else:
            pytest.fail("the search never ended")
        assert table(tmp_path / "l") == table(whole(algorithm))
        assert numbers(tmp_path / "l") == numbers(whole(algorithm))
        assert len(trained) == len(set(trained)), "a trial was trained twice"

    def test_no_configuration_is_proposed_twice(self, algorithm: str, whole: Callable[[str], Path]) -> None:
        with Ledger(whole(algorithm)) as ledger:
            found = ledger.search_trials("s")
        if algorithm == "hyperband":  # which takes the good ones to more epochs
            return
        values = [str(sorted(record.trial.values.items())) for _, record in found if record]
        assert len(values) == len(set(values))

    def test_what_is_added_is_the_next_trial_and_stands_beside_max_trials(self, algorithm: str, tmp_path: Path) -> None:
        asked = list(enumerate(ADDED, start=2))
        run(tmp_path / "l", search_of(algorithm), asked)
        made = decisions(tmp_path / "l")
        granted = [one for one in made if not one.refused]
        assert granted
        assert all("of this search already; change a value" in one.refused for one in made if one.refused)
        with Ledger(tmp_path / "l") as ledger:
            places = {one.trial: one.number for one, _ in ledger.all_search_trials("s")}
            for place, one in enumerate(granted):
                (change,) = one.changes
                waited = sum(other.changes[0].proposed == change.proposed for other in granted[:place])
                assert change.values is not None
                record = ledger.get(change.trial)
                assert record is not None
                assert change.values.items() <= record.trial.values.items()
                if "pruned" in algorithm:  # further training of others may come in between
                    assert places[change.trial] >= change.proposed
                    assert record.trial.stop_after == 1
                    continue
                assert places[change.trial] == change.proposed + waited
                assert record.trial.epochs == 9
        total = ENTRIES[algorithm].get("max_trials", 25 - len(granted)) + len(granted)
        if "pruned" not in algorithm and algorithm != "hyperband":
            assert len(places) == total
        planned = search_of(algorithm).with_decisions(made).model_searches[0]
        assert planned.planned("blobs") == total
        assert planned.planned() == total - (len(granted) if algorithm != "grid" else 0)


@pytest.mark.parametrize("algorithm", ENTRIES)
def test_a_kill_after_each_decision_gives_the_search_to_which_the_same_came_without_a_kill(
    algorithm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = search_of(algorithm, space=ALIKE)
    rates = [0.02, 0.001, 0.01, 0.005, 0.002]
    adds = [add(dropout=0.5 - place / 10, learning_rate=rate) for place, rate in enumerate(rates)]
    script = [*enumerate(adds, start=1), (6, number(7)), (7, number(9)), (8, Request("skip", "0" * 16))]
    run(tmp_path / "whole", search, script)
    granted = {one.what for one in decisions(tmp_path / "whole") if not one.refused}
    assert granted == {"grid": set()}.get(algorithm, {"add", "max_trials"})
    decide, kills = Ledger.decide, 0

    def decide_and_die(self: Ledger, *arguments: Any) -> None:
        decide(self, *arguments)
        raise CrashError

    monkeypatch.setattr(Ledger, "decide", decide_and_die)
    for _ in range(20):
        try:
            run(tmp_path / "killed", search, script)
            break
        except CrashError:
            kills += 1
    assert kills == len(script)
    assert decisions(tmp_path / "killed") == decisions(tmp_path / "whole")
    assert table(tmp_path / "killed") == table(tmp_path / "whole")


class TestAdding:
    def test_what_is_added_is_trained_before_all_that_waits(self, tmp_path: Path) -> None:
        executor = one_worker()
        run(tmp_path / "l", search_of("random"), list(enumerate(ADDED, start=3)), executor)
        granted = [one for one in decisions(tmp_path / "l") if not one.refused]
        assert granted
        assert [executor.trained.index(one.changes[0].trial) for one in granted] == [one.after for one in granted]

    @pytest.mark.parametrize(
        ("values", "line"),
        [
            (
                {"dense_units": 5},
                "dense_units: 5 is not among the values that are searched; take one of 4, 8, 16, 32, 64",
            ),
            ({"dense_units": "8"}, "dense_units: '8' is not a whole number"),
            ({"dense_units": 1e400}, "dense_units: inf is not a whole number"),
            ({"dense_units": 10**400}, "dense_units: the number is too large"),
            ({"dropout": 0.3}, "dropout: 0.3 is not among the values that are searched; take one of 0"),
            ({"units": 4}, "units: no such parameter; did you mean 'dense_units'?"),
            ({"filters_2": 4}, "filters_2: has no part in this configuration; remove it"),
            (
                {"conv_depth": 2, "filters_1": 8, "filters_2": 4},
                "breaks the rule 'filters_never_decrease'; change the values or the rule",
            ),
        ],
    )
    def test_what_the_space_has_not_is_refused_in_the_words_of_try_first(
        self, tmp_path: Path, values: dict[str, Any], line: str
    ) -> None:
        request = add(**{"conv_depth": 1, "filters_1": 4, "dense_units": 64, **values})
        run(tmp_path / "l", search_of("random"), [(1, request)])
        (decision,) = decisions(tmp_path / "l")
        assert decision.refused == line
        assert decision.changes == ()
        assert len(table(tmp_path / "l")) == 10

    def test_what_is_asked_twice_is_added_once_even_before_it_is_proposed(self, tmp_path: Path) -> None:
        with Ledger(tmp_path / "l") as ledger:
            ledger.open_search("s", "key", "{}")
            for _ in range(2):
                ledger.ask("s", ADDED[0])
        run(tmp_path / "l", search_of("tpe"), [])
        first, second = decisions(tmp_path / "l")
        trial = first.changes[0].trial
        assert second.refused == f"it is trial {trial} of this search already; change a value"
        assert len(table(tmp_path / "l")) == 13

    def test_what_another_wrote_into_a_ledger_is_refused_where_the_space_has_it_not(self, tmp_path: Path) -> None:
        run(tmp_path / "l", search_of("tpe"), [(1, ADDED[0])])
        with sqlite3.connect(tmp_path / "l") as database:
            database.execute(
                "UPDATE events SET content = replace(content, '\"dense_units\": 64', '\"dense_units\": 5')"
            )
        with pytest.raises(InputError, match="what was added to cnn by hand: dense_units: 5 is not among the values"):
            run(tmp_path / "l", search_of("tpe"))

    def test_another_name_of_a_search_is_refused(self, tmp_path: Path) -> None:
        request = Request("add", model="cn", values={})
        run(tmp_path / "l", search_of("random"), [(1, request)])
        assert decisions(tmp_path / "l")[0].refused == "cn: no [[search]] of this name; did you mean 'cnn'?"


class TestMaxTrials:
    def test_more_trials_are_those_that_a_file_with_the_number_has(self, tmp_path: Path) -> None:
        observer = run(tmp_path / "l", search_of("random"), [(4, number(16))])
        run(tmp_path / "file", search_of("random", max_trials=16))
        assert table(tmp_path / "l") == table(tmp_path / "file")
        assert len(table(tmp_path / "l")) == 16
        assert observer.more == 6
        (decision,) = decisions(tmp_path / "l")
        change = Change("blobs", 10, 0, True, limit=16)
        assert decision == Decision(0, "max_trials", "", 4, False, "", "cnn", None, 16, 10, (change,))

    def test_fewer_trials_leave_out_the_last_ones_that_nobody_has_begun(self, tmp_path: Path) -> None:
        observer = run(tmp_path / "l", search_of("random"), [(4, number(7))])
        assert len(table(tmp_path / "l")) == 7
        (decision,) = decisions(tmp_path / "l")
        (change,) = decision.changes
        assert change.limit == 10  # of which three are left out
        assert len(change.left_out) == 3
        assert sorted(observer.without) == sorted(change.left_out)
        assert observer.more == 0
        assert not {one.trial for one, _, _ in table(tmp_path / "l")} & set(change.left_out)  # type: ignore[attr-defined]

    def test_fewer_and_then_more_are_so_many_in_the_end(self, tmp_path: Path) -> None:
        run(tmp_path / "l", search_of("random"), [(4, number(7)), (6, number(12))])
        assert len(table(tmp_path / "l")) == 12

    @pytest.mark.parametrize("algorithm", ["bayesian", "tpe", "random, pruned", "random, with folds"])
    def test_every_algorithm_ends_at_the_number(self, algorithm: str, tmp_path: Path) -> None:
        for name, most in (("more", 14), ("fewer", 7)):
            run(tmp_path / name, search_of(algorithm), [(2, number(most))])
            with Ledger(tmp_path / name) as ledger:
                assert len(ledger.search_trials("s")) == most

    @pytest.mark.parametrize(
        ("algorithm", "asked", "line"),
        [
            ("grid", 5, "max_trials: a grid has none: it tries all; skip trials that are too many"),
            ("random", 10, "max_trials: is 10 already; take another number"),
            ("random", 0, "max_trials: is not a number from 1 to 1,000,000; take another one"),
            ("random", -3, "max_trials: is not a number from 1 to 1,000,000; take another one"),
            ("random", 10**30, "max_trials: is not a number from 1 to 1,000,000; take another one"),
            ("random", 3, "max_trials: 4 trials have begun on blobs; take 4 or more"),
        ],
    )
    def test_what_makes_no_sense_is_refused_in_one_line(
        self, algorithm: str, asked: int, line: str, tmp_path: Path
    ) -> None:
        run(tmp_path / "l", search_of(algorithm), [(4, number(asked))])
        assert [one.refused for one in decisions(tmp_path / "l")] == [line]

    def test_hyperband_without_a_number_has_none_to_change(self, tmp_path: Path) -> None:
        search = search_of("hyperband", max_trials=None)
        run(tmp_path / "l", search, [(4, number(5))])
        assert decisions(tmp_path / "l")[0].refused == (
            "max_trials: CNN has none: hyperband ends by itself; skip trials that are too many"
        )

    def test_what_comes_after_the_search_is_refused(self, tmp_path: Path) -> None:
        search = search_of("random")
        run(tmp_path / "l", search)
        with Ledger(tmp_path / "l") as ledger:
            ledger.ask("s", number(20))
            ledger.ask("s", ADDED[0])
            control = Control(search, ledger, Console(quiet=True))
            for _ in range(3):
                assert not control.heed("retraining", lambda: [], lambda trial: False).changed
        assert [one.refused for one in decisions(tmp_path / "l")] == ["the search had ended already"] * 2
