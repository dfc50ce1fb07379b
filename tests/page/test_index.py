"""The page of all reports: a table of all, a part for each with what its report says, links that lead somewhere."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from PIL import Image
from whole_page import Page

from tuner.contents.sections import Report
from tuner.publish.index import write_index
from tuner.publish.summary import Summary


def report(folder: Path, title: str = "Blobs & <b>", *files: str) -> None:
    """Write what a report leaves for the index: its summary, and these files."""
    folder.mkdir()
    pictures = [file for file in files if file.endswith(".png")]
    summary = Summary(
        title, ["On blobs, **CNN beats ANN by 2.6 points** of test accuracy."], "Budget: 3 epochs.",
        ["mean test accuracy ± sd", "blobs"], [["CNN", "0.9600"]], *pictures, caption="A picture", files=list(files),
    )  # fmt: skip
    (folder / "summary.json").write_bytes(summary.to_json())
    for file in ("report.md", *files):
        (folder / file).touch()


def written(reports: Path) -> Page:
    write_index(reports)
    return Page((reports / "index.html").read_text(encoding="utf-8"), Report("", "", [], "", None, []))


def test_it_lists_every_report_with_its_verdict_its_picture_and_its_page(tmp_path: Path) -> None:
    for name, files in (("b c", ["f1-blobs.png", "report.html"]), ("older", ["curves-blobs.png"])):
        report(tmp_path / name, "Blobs & <b>", *files)
    page = written(tmp_path)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "![A picture](b%20c/f1-blobs.png)" in text
    assert "![A picture](older/curves-blobs.png)" in text
    assert page.shown.count("CNN beats ANN by 2.6 points") == 2
    assert page.shown.count("Budget: 3 epochs.") == 2
    assert page.shown.count("0.9600") == 4, "in the table of all, and with each"
    assert "Blobs & <b>" in page.shown
    links = [given["href"] for tag, given in page.elements if tag == "a"]
    assert links[:2] == ["b%20c/report.html", "older/report.md"], "in the table of all"
    assert links[2:] == [
        "b%20c/report.html",
        "b%20c/report.html",
        "b%20c/report.md",
        "older/report.md",
        "older/report.md",
    ]
    assert [given["src"] for tag, given in page.elements if tag == "img"] == [
        "b%20c/f1-blobs.png",
        "older/curves-blobs.png",
    ]


def test_room_is_kept_for_a_picture_whose_file_tells_its_size(tmp_path: Path) -> None:
    for name in ("known", "unknown"):
        report(tmp_path / name, name, "f1-blobs.png")
    Image.new("L", (30, 20)).save(tmp_path / "known" / "f1-blobs.png")
    pictures = {given["src"]: given for tag, given in written(tmp_path).elements if tag == "img"}
    known, unknown = (pictures[f"{name}/f1-blobs.png"] for name in ("known", "unknown"))
    assert (known["width"], known["height"]) == ("30", "20")
    assert "width" not in unknown


def test_reports_of_one_study_stand_together_before_those_of_none(tmp_path: Path) -> None:
    for name, study in (("a", ""), ("b", "Study B"), ("c", "Study A"), ("d", "Study B")):
        report(tmp_path / name)
        summary = replace(Summary.read(tmp_path / name), title=f"Search {name}", study=study)
        (tmp_path / name / "summary.json").write_bytes(summary.to_json())
    page = written(tmp_path)
    heads = ["Study A", "Search c", "Study B", "Search b", "Search d", "Other searches", "Search a"]
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert [re.sub(r"[#\[ ]*([^\]]+).*", r"\1", line) for line in text.splitlines() if line.startswith("##")] == heads
    assert [re.sub(r"<[^>]+>", "", head) for head in page.headings] == heads


def test_a_folder_without_reports_has_an_index_too_without_a_script(tmp_path: Path) -> None:
    page = written(tmp_path)
    assert "0 searches" in page.shown
    assert "script" not in {tag for tag, _ in page.elements}


def test_the_newest_search_stands_first_and_those_that_do_not_tell_last_by_name(tmp_path: Path) -> None:
    for name, timing in (
        ("a", ""),
        ("b", "trial,ended\nx,2026-01-02T00:00:00+00:00\ny,2026-03-01T00:00:00+00:00\n"),
        ("c", "trial,ended\nx,2026-03-02T00:00:00+00:00\n"),
        ("d", None),
        ("e", "trial,seconds\nx,3\n"),
    ):
        report(tmp_path / name, name)
        if timing is not None:
            (tmp_path / name / "timing.csv").write_text(timing, encoding="utf-8")
    page = written(tmp_path)
    links = [given["href"] for tag, given in page.elements if tag == "a"]
    assert links[:5] == [f"{name}/report.md" for name in "cbade"]
    assert links[5::2] == [f"{name}/report.md" for name in "cbade"]
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert [line[4] for line in text.splitlines() if line.startswith("## [")] == list("cbade")


def test_a_report_without_a_summary_of_ours_is_listed_by_its_name(tmp_path: Path) -> None:
    for name, summary in (
        ("a", None),
        ("b", "no JSON"),
        ("c", '{"title": 3}'),
        ("d", '{"title": "x", "rows": [["1"]]}'),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.md").touch()
        if summary is not None:
            (tmp_path / name / "summary.json").write_text(summary)
    written(tmp_path)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## [a](a/report.md)", "## [b](b/report.md)", "## [c](c/report.md)", "## [x](d/report.md)",
    ]  # fmt: skip
    assert "|" not in text


def test_only_files_that_a_report_may_have_written_are_its_own() -> None:
    files = ["roc-blobs.png", "cnn.keras", "../x.png", "notes.txt", ".hidden.png", "/etc/x.csv"]
    assert Summary("x", files=files).own_files == {"roc-blobs.png", "cnn.keras"}
