"""The committed reports, and what our pages tell of them: links lead somewhere, scores and times are theirs."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "reports" / "examples"
REPORTS = sorted(EXAMPLES.glob("*/report.md"))
#: Pages that tell findings, each with a link to the report whose numbers they are.
TELLING = (ROOT / "README.md", ROOT / "docs" / "studies.md", ROOT / "docs" / "photographs.md")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
#: A mean with its standard deviation.
_SPREAD = re.compile(r"[01]\.\d{4} ± 0\.\d{4}")
#: A page says of which search it speaks by its target of `make`, or by a link to its report.
_SEARCH = re.compile(r"make (search)\b(?!-)|search-([a-z]\w*)|reports/examples/(\w+)/report\.md")
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_UNITS = {"second": 1, "s": 1, "minute": 60, "min": 60, "hour": 3600, "h": 3600}
#: How long a search is said to take.
_TIME = re.compile(
    r"about (an?|\d+|NUMBERS) (second|minute|hour)s? on two cores".replace("NUMBERS", "|".join(_NUMBERS))
)
#: How long the trials of a search took, one after another, as its report says it.
_TOOK = re.compile(
    r"\nThe trials of the search took ([\d.,]+) (\w+) in their workers(?:, the retrainings ([\d.,]+) (\w+))?\."
)
#: A score, or a difference of scores, as reports write them.
_SCORE = re.compile(r"(?<![\w.])[01]\.\d{3,}(?!\w|\.\d)")


def links(page: Path) -> Iterator[str]:
    """Yield the links and pictures of a page that lead to files beside it."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".html":
        text = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
        found = [html.unescape(link) for link in re.findall(r'(?:href|src)="([^"]+)"', text)]
    else:
        found = _LINK.findall(text)
    yield from (link for link in found if not re.match(r"[a-z]+:|#", link))


def lost(page: Path) -> list[str]:
    """Return the links of a page that lead nowhere in a fresh clone, in which git leaves out saved models."""
    targets = {link: page.parent / unquote(link.partition("#")[0]) for link in links(page)}
    return [link for link, target in targets.items() if target.suffix == ".keras" or not target.exists()]


@pytest.mark.parametrize(
    "page", [*EXAMPLES.glob("*.*"), *EXAMPLES.glob("*/report.*")], ids=lambda p: f"{p.parent.name}/{p.name}"
)
def test_no_link_of_a_committed_report_leads_nowhere_in_a_fresh_clone(page: Path) -> None:
    if page.suffix in (".md", ".html"):
        assert lost(page) == []


def told(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each section of a page that links reports, with the searches of these."""
    for section in re.split(r"^## ", page.read_text(encoding="utf-8"), flags=re.MULTILINE):
        if searches := re.findall(r"reports/examples/(\w+)/report\.md", section):
            yield section, searches


def strangers(section: str, searches: list[str]) -> list[str]:
    """Return the scores in a section that stand in none of the reports that it links."""
    reports = " ".join((EXAMPLES / name / "report.md").read_text(encoding="utf-8") for name in searches)
    known, spread = set(_SCORE.findall(reports)), _SPREAD.findall(" ".join(section.split()))
    alone = [score for score in _SCORE.findall(section) if not any(one.startswith(score) for one in known)]
    return [*alone, *(one for one in spread if one not in reports)]


@pytest.mark.parametrize("page", TELLING, ids=lambda page: page.name)
def test_the_numbers_of_findings_are_those_of_the_reports_that_they_link(page: Path) -> None:
    wrong = {of.splitlines()[0]: found for of, searches in told(page) if (found := strangers(of, searches))}
    assert not wrong, "run the search again, or write what its report says now"


def test_a_number_that_no_report_has_would_be_found() -> None:
    name = REPORTS[0].parent.name
    score = next(one for one in _SCORE.findall(REPORTS[0].read_text(encoding="utf-8")) if len(one) == 6)
    assert strangers(f"It reaches {score}, and {score}.", [name]) == []
    assert strangers(f"It reaches {score} ±\n  {score}.", [name]) == [f"{score} ± {score}"]
    assert strangers("It reaches 1.234567 and 0.012399871.", [name]) == ["1.234567", "0.012399871"]


def test_every_committed_report_is_told_of_on_the_page_on_studies_or_is_no_study() -> None:
    text = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
    missing = [path.parent.name for path in REPORTS if f"examples/{path.parent.name}/report.md" not in text]
    assert set(missing) <= {"digits", "uneven_classes", "trash_photos", "weather_photos"}


def durations(text: str) -> Iterator[tuple[str, str, float]]:
    """Yield how long a page says that a search takes on two cores: its name, the words, the seconds."""
    for found in _TIME.finditer(" ".join(text.split())):
        before = " ".join(text.split())[: found.start()]
        *_, (embedded, target, linked) = _SEARCH.findall(before)
        count = (
            1 if found[1] in ("a", "an") else _NUMBERS.index(found[1]) + 1 if found[1] in _NUMBERS else int(found[1])
        )
        yield "digits" if embedded else target or linked, found[0], float(count * _UNITS[found[2]])


def worker_seconds(name: str) -> float:
    """Return how long the trials and retrainings of a committed report took, one after another."""
    report = (EXAMPLES / name / "report.md").read_text(encoding="utf-8")
    (took,) = _TOOK.findall(report)
    pairs = zip(took[::2], took[1::2], strict=True)
    return sum(float(number.replace(",", "")) * _UNITS[unit] for number, unit in pairs if unit)


def is_about(seconds: float, name: str) -> bool:
    """Tell whether two cores may have taken about so long: half of what one by one takes, or more with what waits."""
    whole = worker_seconds(name)
    return 0.8 * whole / 2 <= seconds <= 1.25 * whole


def test_a_search_takes_about_as_long_as_pages_say() -> None:
    pages = [ROOT / "README.md", ROOT / "Makefile", *sorted((ROOT / "docs").rglob("*.md"))]
    said = [one for page in pages for one in durations(page.read_text(encoding="utf-8"))]
    assert {name for name, *_ in said} == {"digits", "fashion_ann_vs_cnn"}
    wrong = [f"{name}: {words}" for name, words, seconds in said if not is_about(seconds, name)]
    assert not wrong, "write what the section on time of its report says"


def test_a_time_that_a_report_contradicts_would_be_found() -> None:
    assert worker_seconds("fashion_ann_vs_cnn") == pytest.approx(12_355.9, rel=0.02)  # the sum of its timing.csv
    text = "`make search` takes about a minute\non two cores, make search-zoo_mnist about 2 hours on two cores"
    assert list(durations(text)) == [
        ("digits", "about a minute on two cores", 60.0),
        ("zoo_mnist", "about 2 hours on two cores", 7200.0),
    ]
    assert not is_about(3600, "fashion_ann_vs_cnn")
    assert not is_about(5 * 3600, "fashion_ann_vs_cnn")
