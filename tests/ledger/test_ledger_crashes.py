"""The ledger under any interleaving of two writers and of crashes: what was written is there, and nothing else is."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from other_process import finding
from recorded import whole

from tuner.ledger.ledger import Ledger, SearchTrial
from tuner.trial import Record, Result, Trial

#: Where a flush to disk costs nothing, which is what a ledger's transactions take their time for.
IN_MEMORY = Path("/dev/shm")  # noqa: S108
TRIAL = Trial("cnn", "blobs", "0" * 16, {"units": 8}, epochs=2, seed=0)
SEARCHES = ("s", "other")
SEEDS = range(4)


@dataclass(frozen=True)
class Crash:
    """Who takes a step, at which of SQLite's own steps it is killed, and which share of its log was written."""

    writer: int
    moment: int
    torn: float


WRITER, NAME, SEED = st.integers(0, 1), st.sampled_from(SEARCHES), st.sampled_from(SEEDS)
CRASH = st.builds(Crash, WRITER, st.integers(0, 60), st.floats(0, 1))


def trial(seed: int) -> Trial:
    return replace(TRIAL, seed=seed)


def record(seed: int, accuracy: float) -> Record:
    # Some results are larger than a page of the file, so that a transaction writes several.
    return Record(trial(seed), whole(Result("completed", val_accuracy=accuracy, error="x" * seed * 4500)))


def search_trial(number: int, seed: int) -> SearchTrial:
    return SearchTrial("cnn", "blobs", "search", number, trial(seed).id)


@dataclass(frozen=True)
class Expected:
    """What a ledger holds, by plain dictionaries."""

    records: dict[int, Record] = field(default_factory=dict)
    searches: dict[str, tuple[str, str, bool]] = field(default_factory=dict)
    search_trials: dict[str, dict[int, int]] = field(default_factory=dict)

    def state(self) -> dict[str, Any]:
        """Return it as `state_of` reads it from a ledger."""
        listed = {name: self.search_trials.get(name, {}) for name in SEARCHES}
        return {
            "records": [self.records.get(seed) for seed in SEEDS],
            "contents": [self.searches[name][1] if name in self.searches else None for name in SEARCHES],
            "finished": [name in self.searches and self.searches[name][2] for name in SEARCHES],
            "members": [
                [(search_trial(number, seed), self.records.get(seed)) for number, seed in sorted(places.items())]
                for places in listed.values()
            ],
            "counts": [sum(seed in self.records for seed in places.values()) for places in listed.values()],
            "elsewhere": [[seed in listed[other].values() for seed in SEEDS] for other in reversed(SEARCHES)],
        }


def state_of(ledger: Ledger) -> dict[str, Any]:
    """Return everything that a ledger answers."""
    return {
        "records": [ledger.get(trial(seed).id) for seed in SEEDS],
        "contents": [ledger.search_content(name) for name in SEARCHES],
        "finished": [ledger.is_finished(name) for name in SEARCHES],
        "members": [ledger.search_trials(name) for name in SEARCHES],
        "counts": [ledger.count_finished(name) for name in SEARCHES],
        "elsewhere": [[ledger.is_listed_elsewhere(trial(seed).id, name) for seed in SEEDS] for name in SEARCHES],
    }


class CrashingLedger(RuleBasedStateMachine):
    """Two open ledgers of one file, a model of what it holds, and crashes at any moment.

    A process that is killed leaves its files as they are: so a crash is a copy of the file and of SQLite's log beside
    it, without the shared memory, taken between transactions, at any step within one, or with the log half written.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=IN_MEMORY if IN_MEMORY.is_dir() else None))
        self.copies = 0
        self.expected = Expected()
        self.open_at(self.folder / "0" / "ledger.sqlite")

    def teardown(self) -> None:
        for ledger in self.ledgers:
            ledger.close()
        shutil.rmtree(self.folder)

    def open_at(self, path: Path) -> None:
        self.path = path
        self.ledgers = [Ledger(path), Ledger(path)]

    # --- what is on the disk ---

    def files(self) -> tuple[bytes, bytes]:
        """Return the content of the file and of the log."""
        log = self.path.with_name(self.path.name + "-wal")
        return self.path.read_bytes(), log.read_bytes() if log.is_file() else b""

    def revived(self, files: tuple[bytes, bytes]) -> Path:
        """Return where these contents lie as if a process had just been killed."""
        self.copies += 1
        path = self.folder / str(self.copies) / "ledger.sqlite"
        path.parent.mkdir()
        path.write_bytes(files[0])
        path.with_name(path.name + "-wal").write_bytes(files[1])
        return path

    def state_after_crash(self, files: tuple[bytes, bytes]) -> dict[str, Any]:
        path = self.revived(files)
        with Ledger(path, thorough=True) as ledger:
            state = state_of(ledger)
        shutil.rmtree(path.parent)
        return state

    def take(self, step: Callable[[Ledger], object], crash: Crash, **expected: Any) -> None:
        """Let a writer take a step, and crash while it does: each time it is all there or not at all."""
        before, old = self.expected.state(), self.files()
        during: list[tuple[bytes, bytes]] = []
        ticks = iter(range(1_000_000))
        database = self.ledgers[crash.writer]._db
        database.set_progress_handler(lambda: during.append(self.files()) if next(ticks) == crash.moment else None, 1)
        step(self.ledgers[crash.writer])
        database.set_progress_handler(None, 1)
        self.expected = replace(self.expected, **expected)
        after, new = self.expected.state(), self.files()
        if new[0] == old[0]:  # otherwise the log has been moved into the file
            cut = int(crash.torn * len(new[1]))
            during.append((new[0], new[1][:cut] + old[1][cut:]))
        for files in during:
            assert self.state_after_crash(files) in (before, after)

    @rule(seed=SEED, accuracy=st.sampled_from([0.25, 0.5, 0.75]), crash=CRASH)
    def a_trial_ends(self, seed: int, accuracy: float, crash: Crash) -> None:
        new = {seed: record(seed, accuracy)} | self.expected.records  # of two, the first stays
        self.take(lambda ledger: ledger.record(record(seed, accuracy)), crash, records=new)

    @rule(seed=SEED, crash=CRASH)
    def a_trial_is_forgotten(self, seed: int, crash: Crash) -> None:
        left = {other: one for other, one in self.expected.records.items() if other != seed}
        self.take(lambda ledger: ledger.forget_trial(trial(seed).id), crash, records=left)

    @rule(name=NAME, key=st.sampled_from("ab"), content=st.sampled_from("xy"), crash=CRASH)
    def a_search_is_opened(self, name: str, key: str, content: str, crash: Crash) -> None:
        search_trials = dict(self.expected.search_trials)
        if name not in self.expected.searches or self.expected.searches[name][0] != key:
            search_trials[name] = {}
        searches = self.expected.searches | {name: (key, content, False)}
        self.take(
            lambda ledger: ledger.open_search(name, key, content), crash, searches=searches, search_trials=search_trials
        )

    @rule(name=NAME, crash=CRASH)
    def a_search_is_closed(self, name: str, crash: Crash) -> None:
        searches = dict(self.expected.searches)
        if name in searches:
            searches[name] = (*searches[name][:2], True)
        self.take(lambda ledger: ledger.close_search(name), crash, searches=searches)

    @precondition(lambda self: self.expected.searches)
    @rule(data=st.data(), places=st.dictionaries(st.integers(0, 5), SEED, max_size=4), crash=CRASH)
    def trials_are_proposed(self, data: st.DataObject, places: dict[int, int], crash: Crash) -> None:
        name = data.draw(st.sampled_from(sorted(self.expected.searches)))
        search_trials = self.expected.search_trials | {name: self.expected.search_trials.get(name, {}) | places}
        listed = [search_trial(number, seed) for number, seed in places.items()]
        self.take(lambda ledger: ledger.add(name, *listed), crash, search_trials=search_trials)

    @rule(writer=WRITER)
    def a_writer_closes_and_opens(self, writer: int) -> None:
        self.ledgers[writer].close()
        self.ledgers[writer] = Ledger(self.path)

    @rule()
    def both_are_killed(self) -> None:
        path = self.revived(self.files())
        for ledger in self.ledgers:
            ledger.close()
        self.open_at(path)

    @invariant()
    def each_writer_reads_what_is_written(self) -> None:
        for ledger in self.ledgers:
            assert state_of(ledger) == self.expected.state()


TestCrashingLedger = CrashingLedger.TestCase
TestCrashingLedger.settings = settings(
    max_examples=40, stateful_step_count=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


_WRITER = """
    import json, sys, time
    from dataclasses import replace
    from pathlib import Path
    from recorded import whole
    from tuner.ledger.ledger import Ledger
    from tuner.trial import Record, Result, Trial

    trial = Trial("cnn", "blobs", "0" * 16, {"units": 8}, epochs=2, seed=0)
    mine, seen = int(sys.argv[2]), [None] * 60
    with Ledger(Path(sys.argv[1])) as ledger:
        print("ready", flush=True)
        sys.stdin.readline()
        for step in range(60):
            seed = (step + 20 * mine) % 60  # each begins elsewhere, and is the first with that
            ledger.record(Record(replace(trial, seed=seed), whole(Result("completed", val_accuracy=mine / 4))))
            time.sleep(0.005)  # so that the others have their turn
            seen[seed] = ledger.get(replace(trial, seed=seed).id).result.val_accuracy
            if not step:
                print("one", flush=True)
                sys.stdin.readline()
    print(json.dumps(seen))
"""


def test_processes_that_write_the_same_trials_at_once_all_read_the_same_records(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(_WRITER), str(path), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=finding(),
        )
        for number in range(3)
    ]
    for word in ("ready\n", "one\n"):
        for writer in writers:
            assert writer.stdout.readline() == word
        for writer in writers:
            writer.stdin.write("go\n")
            writer.stdin.flush()
    seen = [json.loads(writer.communicate(timeout=600)[0]) for writer in writers]
    with Ledger(path, thorough=True) as ledger:
        kept = [ledger.get(trial(seed).id).result.val_accuracy for seed in range(60)]
    assert seen == [kept] * 3
    assert set(kept) == {0.0, 0.25, 0.5}
