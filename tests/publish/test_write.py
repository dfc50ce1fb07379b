"""A folder of reports as it is written: the files that pages share, and what git sees of it."""

from __future__ import annotations

import json
import os
import re
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
from tuner.page.shared import LIBRARY, is_shared_file, plotting_library, reference, shared_files
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


def test_pages_share_style_and_scripts_beside_the_reports(project: Project) -> None:
    page = into(project.findings(), project.workspace.reports)
    for name, text in shared_files().items():
        assert (page.parent.parent / name).read_text(encoding="utf-8") == text
        assert f'="../{name}"' in page.read_text(encoding="utf-8")


def test_a_shared_file_that_was_damaged_is_written_again(project: Project) -> None:
    reports = project.workspace.reports
    reports.mkdir(parents=True, exist_ok=True)
    for name in shared_files():
        (reports / name).write_text("half", encoding="utf-8")
    into(project.findings(), reports)
    assert {name: (reports / name).read_text(encoding="utf-8") for name in shared_files()} == shared_files()


def test_a_page_that_is_a_single_file_holds_all_and_writes_nothing_beside_the_reports(project: Project) -> None:
    page = into(project.findings(), project.workspace.reports, single_file=True)
    for name, text in shared_files().items():
        assert text in page.read_text(encoding="utf-8")
        assert not (page.parent.parent / name).exists()


def test_of_shared_files_of_other_versions_those_stay_that_a_page_refers_to(project: Project) -> None:
    reports = project.workspace.reports
    used, unused = "page-00000000000000aa.js", ("page-00000000000000bb.js", "page-00000000000000bb.css")
    own = "page-of-mine.js"
    (reports / "older").mkdir(parents=True, exist_ok=True)
    (reports / "older" / "report.html").write_text(f"<script src={reference(used)}></script>", encoding="utf-8")
    for name in (used, *unused, "echarts-5.0.0.min.js", own):
        (reports / name).write_text("of another version", encoding="utf-8")
    (reports / "page-00000000000000cc.js").mkdir()
    (reports / "pipe").mkdir()
    os.mkfifo(reports / "pipe" / "report.html")
    into(project.findings(), reports)
    left = {path.name for path in reports.iterdir() if path.suffix in (".js", ".css")}
    assert left >= {used, own, *unused, *shared_files()}, "there is a page that cannot be read"
    (reports / "pipe" / "report.html").unlink()
    into(project.findings(), reports)
    left = {path.name for path in reports.iterdir() if path.suffix in (".js", ".css") and path.is_file()}
    assert left == {used, own, *shared_files()}
    into(project.findings(), reports, single_file=True)
    left = {path.name for path in reports.iterdir() if path.suffix in (".js", ".css") and path.is_file()}
    assert left == {used, own}, "the page that referred to the others holds them now"


def test_pictures_of_the_page_s_scripts_are_files_of_the_report(project: Project) -> None:
    folder = into(project.findings(), project.workspace.reports).parent
    told = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["files"]
    assert "images-blobs.png" in told
    assert (folder / "images-blobs.png").is_file()
    into(project.findings(), project.workspace.reports, single_file=True)
    assert not (folder / "images-blobs.png").exists()


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
    assert {f"reports/examples/{name}" for name in ("README.md", "index.html", *shared_files())} <= set(tracked)
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
def test_of_the_reports_of_this_repository_only_examples_are_committed_and_all_share_scripts() -> None:
    tracked = git("-C", str(ROOT), "ls-files", "reports").split()
    folders = {tuple(Path(name).parts[1:-1]) for name in tracked}
    assert {folder[0] for folder in folders if folder} == {"examples"}
    examples = ROOT / "reports" / "examples"
    assert f"reports/examples/{LIBRARY}" in tracked
    pages = [page.read_text(encoding="utf-8") for page in examples.glob("*/report.html")]
    shared = {Path(name).name for name in tracked if is_shared_file(Path(name).name)}
    for page in pages:
        assert {name for name in shared if reference(name) in page} >= {LIBRARY}
        assert set(re.findall(r'="[.][.]/([^"]+[.](?:js|css))"', page)) <= shared
        own = [text for kind, text in re.findall(r"<script([^>]*)>(.*?)</script>", page, re.S) if "json" not in kind]
        own += re.findall(r"<style[^>]*>(.*?)</style>", page, re.S)
        assert max(map(len, own)) < 1_000, "no page carries scripts or style"
        assert "data:image" not in page, "none carries images"
    assert all(any(reference(name) in page for page in pages) for name in shared), "none that no page refers to"
