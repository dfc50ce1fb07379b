"""The page of all reports: a part for each, with what its report says, and links that lead somewhere."""

from __future__ import annotations

from pathlib import Path

from whole_page import Page

from tuner.publish.index import write_index

REPORT = """# Blobs &amp; \\<b>

On blobs, **CNN beats ANN by 2.6 points** of test accuracy.

Budget: 3 epochs.

## Comparison

| mean test accuracy ± sd   |   blobs |
|:--------------------------|--------:|
| CNN                       |  0.9600 |
"""


def written(reports: Path) -> Page:
    write_index(reports)
    return Page((reports / "index.html").read_text(encoding="utf-8"), {})


def test_it_lists_every_report_with_its_verdict_its_picture_and_its_page(tmp_path: Path) -> None:
    for name, files in (("b c", ["f1-blobs.png", "report.html"]), ("older", ["curves-blobs.png"])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.md").write_text(REPORT, encoding="utf-8")
        for file in files:
            (tmp_path / name / file).touch()
    page = written(tmp_path)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "![F1 of each class](b%20c/f1-blobs.png)" in text
    assert "![Training curves](older/curves-blobs.png)" in text
    assert page.shown.count("CNN beats ANN by 2.6 points") == 2
    assert page.shown.count("Budget: 3 epochs.") == 2
    assert page.shown.count("0.9600") == 2
    assert "Blobs & <b>" in page.shown
    links = [given["href"] for tag, given in page.elements if tag == "a"]
    assert links == ["b%20c/report.html", "b%20c/report.html", "b%20c/report.md", "older/report.md", "older/report.md"]
    assert [given["src"] for tag, given in page.elements if tag == "img"] == [
        "b%20c/f1-blobs.png",
        "older/curves-blobs.png",
    ]


def test_a_folder_without_reports_has_an_index_too_and_none_has_a_script(tmp_path: Path) -> None:
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
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.md").write_text(REPORT.replace("Blobs", name), encoding="utf-8")
        if timing is not None:
            (tmp_path / name / "timing.csv").write_text(timing, encoding="utf-8")
    page = written(tmp_path)
    links = [given["href"] for tag, given in page.elements if tag == "a"]
    assert links[::2] == [f"{name}/report.md" for name in "cbade"]
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert [line[4] for line in text.splitlines() if line.startswith("## [")] == list("cbade")
