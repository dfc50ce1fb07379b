"""An interrupt that compiled code swallowed in one step of a command is heard at the next one, in each command."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from made_up import RAW, Project
from observers import Silent

from tuner import report
from tuner.executors import Executor, Outcome
from tuner.ledger.ledger import Ledger
from tuner.publish import write
from tuner.running import checked, dryrun
from tuner.running.loop import Runner
from tuner.running.proposals import listed_proposals
from tuner.running.search import started
from tuner.saved_models import verify
from tuner.search_file.file import parse_search
from tuner.search_file.overrides import Overrides
from tuner.system.interrupts import INTERRUPTS
from tuner.trial import Job, Result, Trial
from tuner.workspace import Workspace


@pytest.fixture(autouse=True)
def heeding() -> Iterator[None]:
    """Heed signals as a command does, and leave nothing asked of the tests after these."""
    with INTERRUPTS.heeded((signal.SIGINT,)):
        yield
    INTERRUPTS.asked = False


class Deaf:
    """Stands for a step whose compiled code drops what a callback raises; says how often it was taken."""

    def __init__(self, answer: object = None) -> None:
        self.answer, self.taken = answer, 0

    def __call__(self, *arguments: object, **options: object) -> Any:
        self.taken += 1
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        return self.answer


def interrupted(command: Callable[[], object], step: Deaf) -> None:
    with pytest.raises(KeyboardInterrupt):
        command()
    assert step.taken == 1


def test_a_run_hears_it_before_it_reads_the_next_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    step = Deaf()
    monkeypatch.setattr(checked, "checked_data", step)
    two = parse_search({**RAW, "dataset": ["blobs", "more"]}, "mine", tmp_path, Overrides(), "0" * 16)
    interrupted(lambda: started(two, Workspace(tmp_path), Console(quiet=True)).__enter__(), step)


def test_a_run_hears_it_before_it_submits_more(tmp_path: Path) -> None:
    trials = [Trial("cnn", "blobs", "f" * 16, {}, 1, seed) for seed in range(3)]
    step = Deaf([Outcome(trials[0].id, Result("failed", "x"))])

    class One(Executor):
        slots = 1

        def submit(self, key: str, argument: object, group: str = "", setting: str = "") -> None: ...

        def wait(self, timeout: float | None = None) -> Sequence[Outcome]:
            outcomes: Sequence[Outcome] = step()
            return outcomes

        def close(self) -> None: ...

    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.open_search("mine", "key", "{}")
        runner = Runner("mine", ledger, One(), lambda trial: Job(trial, tmp_path, tmp_path), Silent())
        interrupted(lambda: runner.drive("x", [listed_proposals("cnn", "blobs", trials)], None), step)
        assert ledger.get(trials[0].id) is not None, "what had finished is recorded"


def test_a_report_hears_it_before_it_makes_the_next_section(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    step = Deaf()
    monkeypatch.setattr(report, "SECTIONS", (step, step))
    findings = project.findings()
    interrupted(lambda: report.report_of(findings), step)


def test_a_report_hears_it_before_it_draws_the_next_section(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    step = Deaf(())

    class Drawn:
        heading = "A section"
        pictures = property(step)

    monkeypatch.setattr(write, "report_of", lambda findings: SimpleNamespace(sections=[Drawn(), Drawn()], tables={}))
    findings = project.findings()
    interrupted(lambda: write.write_report(findings), step)


def test_verify_hears_it_at_the_next_model(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    step = Deaf()
    monkeypatch.setattr(verify, "_check_file", step)
    for name in ("_check_recorded", "_check_card"):
        monkeypatch.setattr(verify, name, lambda *_: None)
    findings = project.findings()
    assert len(findings.chosen) > 1
    interrupted(lambda: verify.verify(findings), step)


def test_a_dry_run_hears_it_before_it_builds_the_next_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = Deaf([])
    monkeypatch.setattr(dryrun, "build_all", step)
    monkeypatch.setattr(dryrun, "shape_of", lambda *_: ((8, 8, 1), 3))
    for name in ("preview", "check_asked", "check_watch"):
        monkeypatch.setattr(dryrun, name, lambda *_: [])
    mine = parse_search(RAW, "mine", tmp_path, Overrides(), "0" * 16)
    interrupted(lambda: dryrun.dry_run(mine, None), step)
