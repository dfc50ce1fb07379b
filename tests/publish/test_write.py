"""A folder of reports as it is written: the library that pages share, and what git sees of it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from made_up import Project

import tuner
from tuner.analysis.findings import Findings
from tuner.cli import app
from tuner.page.render import LIBRARY, plotting_library
from tuner.publish.write import write_report
from tuner.running.options import RunOptions
from tuner.search_file.model import Search
from tuner.workspace import Workspace

pytestmark = pytest.mark.usefixtures("undrawn")
ROOT = Path(__file__).resolve().parents[2]


def into(findings: Findings, reports: Path, single_file: bool = False) -> Path:
    """Write the report below this folder; return its page."""
    workspace = replace(findings.workspace, reports=reports)
    return write_report(replace(findings, workspace=workspace), single_file).with_name("report.html")


def test_pages_share_one_library_beside_the_reports(project: Project) -> None:
    page = into(project.findings(), project.workspace.reports)
    assert (page.parent.parent / LIBRARY).read_text(encoding="utf-8") == plotting_library()
    assert f'<script src="../{LIBRARY}"></script>' in page.read_text(encoding="utf-8")


def test_a_library_that_was_damaged_is_written_again(project: Project) -> None:
    library = project.workspace.reports / LIBRARY
    library.parent.mkdir(parents=True, exist_ok=True)
    library.write_text("half", encoding="utf-8")
    into(project.findings(), project.workspace.reports)
    assert library.read_text(encoding="utf-8") == plotting_library()


def test_a_page_that_is_a_single_file_holds_the_library_and_writes_none(project: Project) -> None:
    page = into(project.findings(), project.workspace.reports, single_file=True)
    assert plotting_library() in page.read_text(encoding="utf-8")
    assert not (page.parent.parent / LIBRARY).exists()


def test_a_search_that_is_run_in_a_clone_changes_no_file_that_is_committed(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = tmp_path / "clone"
    clone.mkdir()
    shutil.copy(ROOT / ".gitignore", clone)
    findings = project.findings()
    monkeypatch.chdir(clone)
    committed = into(findings, Path("reports") / "examples")
    git("init", "-q")
    git("add", "-A")
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a report")
    tracked = git("ls-files").split()
    assert str(committed) in tracked
    assert {f"reports/examples/{name}" for name in ("README.md", "index.html", LIBRARY)} <= set(tracked)
    assert not [name for name in tracked if name.endswith(".keras")]
    page = into(findings, Workspace().reports)
    assert page.is_file()
    assert page != committed
    assert git("status", "--porcelain") == ""


@pytest.mark.parametrize("asked", [False, True])
def test_the_commands_run_and_report_and_the_function_write_the_page_that_is_asked_for(
    project: Project, asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    option = ["--single-file"] if asked else []
    findings, reports = project.findings(), project.workspace.reports
    monkeypatch.chdir(reports.parent)
    reported = CliRunner().invoke(app, ["report", "small", *option])
    assert reported.exit_code == 0, reported.output
    page = (reports / "small" / "report.html").read_text(encoding="utf-8")
    assert (plotting_library() in page) == asked

    got: list[bool] = []

    def ran(search: Search, workspace: Workspace, console: object, options: RunOptions) -> tuple[Findings, Path]:
        got.append(options.single_file)
        return findings, reports / "small" / "report.md"

    monkeypatch.setattr("tuner.running.search.run_search", ran)
    ran_by_command = CliRunner().invoke(app, ["run", "digits", *option])
    assert ran_by_command.exit_code == 0, ran_by_command.output
    tuner.run("digits", single_file=asked, progress=False)
    assert got == [asked, asked]


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no clone")
def test_of_the_reports_of_this_repository_only_examples_are_committed_and_all_share_a_library() -> None:
    tracked = git("-C", str(ROOT), "ls-files", "reports").split()
    folders = {tuple(Path(name).parts[1:-1]) for name in tracked}
    assert {folder[0] for folder in folders if folder} == {"examples"}
    assert f"reports/examples/{LIBRARY}" in tracked
    for page in (ROOT / "reports" / "examples").glob("*/report.html"):
        assert f'<script src="../{LIBRARY}"></script>' in page.read_text(encoding="utf-8"), page
        assert page.stat().st_size < (page.parents[1] / LIBRARY).stat().st_size, "no page carries it"
