"""Text of strangers: a terminal obeys none of it, and markdown takes none of it for markup."""

from __future__ import annotations

import html
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tuner.text import both_ends, enumerated, escape, first_of, shortened, visible, visible_line

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, größe 日本 👍", "plain, größe 日本 👍"),
        ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("two\nlines\r\ttab\0", r"two\x0alines\x0d\x09tab\x00"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("a\u2028b\u2029", r"a\u2028b\u2029"),
        ("caf\udce9", r"caf\xe9"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
        ("👩\u200d🔬 می\u200cخواهم", "👩\u200d🔬 می\u200cخواهم"),
        ("no\xa0break", "no\xa0break"),
        (12, "12"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_by_its_escape(text, shown):
    assert visible(text) == shown
    assert visible(visible(text)) == shown


def test_a_line_is_one_line():
    assert visible_line(" a\n\n b\t\x1b[1mc \x85\u2028 ") == r"a b \x1b[1mc"


def test_long_text_is_cut():
    assert shortened("abc", 3) == "abc"
    assert shortened("abcd", 3) == "ab…"


def test_of_a_text_that_is_too_long_both_ends_can_be_kept() -> None:
    assert both_ends("where it was; what it was", 25) == "where it was; what it was"
    assert both_ends("where it was; whatever else; what it was", 25) == "where it was; … t it was"


@given(text=st.text(st.characters(codec=None), max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_is_shown_without_control_characters_and_can_be_written(text):
    shown = visible_line(text)
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in shown)
    shown.encode()


EVIL = [
    "![x](http://evil.example/x.png)",
    "[x](javascript:alert(1)) [y]: http://evil.example",
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "</details></td></table><!-- --> ]]> <?php ?>",
    "<http://evil.example> http://evil.example https://evil.example/a_b ftp://evil.example",
    "www.evil.example WWW.EVIL.EXAMPLE",
    "`code` ``more`` \\`x\\`",
    "*a* **b** _c_ __d__ ***e*** ~f~ ~~g~~",
    "a | b || c \\| d",
    "$x^2$ $$y$$ $`z`$",
    "# head\n## head",
    "x\n---\n===\n",
    "- item\n1. item\n> quote\n    code",
    "| a | b |\n|---|---|\n| c | d |",
    "&lt;b&gt; &amp; &#60;b&#62; &copy;",
    "\\ \\\\ \\[x\\](y)",
    "[^1]: note [^1]",
    "line  \nbreak\\\nbreak",
]


def plain_text(rendered: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", rendered))


@pytest.mark.parametrize("text", EVIL)
@pytest.mark.parametrize(
    ("place", "tags"),
    [
        ("{}", ["p"]),
        ("# {}", ["h1"]),
        ("- {}", ["ul", "li"]),
        ("The {} is it.", ["p"]),
        ("**{}** x", ["p", "strong"]),
        ("| {} |\n|:--|\n| {} |", ["table", "thead", "tr", "th", "tbody", "tr", "td"]),
    ],
    ids=["alone", "a heading", "in a list", "in a sentence", "bold", "in a table"],
)
def test_escaped_text_is_read_as_it_stands_wherever_it_stands(text, place, tags):
    beginning = "x " if place == "{}" else ""  # nothing of a user's begins a paragraph of a report
    rendered = MARKDOWN.render(place.replace("{}", beginning + escape(text)))
    assert re.findall(r"<([a-z0-9]+)", rendered) == tags
    told = " ".join(text.split())
    assert told in plain_text(rendered)


@given(text=st.text("[]()!<>&`*_~$|\\:/.-#w ab\n", max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_escaped_text_is_read_as_it_stands_in_a_cell(text):
    rendered = MARKDOWN.render(f"| x{escape(text)}x |\n|:--|\n| y |")
    assert re.findall(r"<([a-z0-9]+)", rendered) == ["table", "thead", "tr", "th", "tbody", "tr", "td"]
    assert f"x{' '.join(text.split())}x" in plain_text(rendered)


@pytest.mark.parametrize("text", ["http://evil.example", "see https://a.b/c", "www.evil.example", "x WWW.evil.example"])
def test_no_address_becomes_a_link_by_itself(text):
    """GitHub links `scheme://` and `www.` wherever they stand; an escape between keeps it from it."""
    assert not re.search(r"[a-z]://|\bwww\.[a-z]", escape(text), re.IGNORECASE)


@pytest.mark.parametrize(
    ("names", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_names_are_listed_as_in_a_sentence(names, text):
    assert enumerated(names) == text


@pytest.mark.parametrize(
    ("names", "text"),
    [([], ""), (["a", "b"], "a, b"), (["a", "b", "c"], "a, b and 1 more"), (["a"] * 1002, "a, a and 1,000 more")],
)
def test_of_many_names_the_first_are_listed(names, text):
    assert first_of(names, 2) == text
