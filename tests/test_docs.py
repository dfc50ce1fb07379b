"""The pages of docs/ and the README: commands exist as written, links lead somewhere, code does what is said."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pandas as pd
import pytest
from made_up import RAW, Project

from tuner.cli import app
from tuner.datasets.base import Dataset

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def fenced(page: Path, language: str) -> list[str]:
    return [body for found, body in _FENCE.findall(page.read_text(encoding="utf-8")) if found == language]


def prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def calls(text: str) -> Iterator[list[str]]:
    """Yield the arguments of each call of `tuner` in shell code."""
    for line in text.splitlines():
        for found in re.findall(r"(?:^|[ '(])tuner ([a-z][^&|']*)", line.partition(" #")[0]):
            yield found.split()


def problem(arguments: list[str]) -> str:
    """Return what the command line would say of these arguments, without running the command."""
    command = app.commands.get(arguments[0])
    if command is None:
        return f"no command {arguments[0]}"
    try:
        command.make_context(arguments[0], arguments[1:])
    except click.UsageError as error:
        return error.format_message()
    return ""


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.*)$", _FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def lost(page: Path, text: str) -> list[str]:
    """Return the links of a page that lead to no file, or to no heading of it."""
    found = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            found.append(link)
    return found


@every_page
def test_fenced_commands_are_commands_with_their_options(page: Path) -> None:
    for text in (*fenced(page, "sh"), *fenced(page, "bash"), *fenced(page, "yaml")):
        for arguments in calls(text):
            assert not problem(arguments), f"tuner {' '.join(arguments)}: {problem(arguments)}"


@every_page
def test_commands_in_sentences_have_the_options_that_are_named(page: Path) -> None:
    for name, rest in re.findall(r"`tuner ([a-z]+)([^`]*)`", prose(page)):
        known = {option for parameter in app.commands[name].params for option in parameter.opts} | {"--help"}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known, f"tuner {name}{rest}"


@every_page
def test_targets_of_make_exist(page: Path) -> None:
    rules = re.findall(r"^([a-z%-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    known = re.compile("|".join(rule.replace("%", r"[\w-]+") for rule in rules))
    shell = "\n".join(fenced(page, "sh"))
    for target in re.findall(r"(?:^|`)make ([\w-]+)", f"{shell}\n{prose(page)}", re.MULTILINE):
        assert known.fullmatch(target), target


@every_page
def test_relative_links_lead_to_files_and_headings(page: Path) -> None:
    assert not lost(page, prose(page))


@every_page
def test_toml_is_toml_and_python_is_python(page: Path) -> None:
    for text in fenced(page, "toml"):
        tomllib.loads(text)
    for text in fenced(page, "python"):
        compile(text, page.name, "exec")


def test_every_page_stands_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f"({page.name})" not in index] == ["README.md"]


def test_mistakes_in_a_page_would_be_found(tmp_path: Path) -> None:
    assert list(calls("cd x && tuner run NAME --workers 2 # tuner no\nray exec 'tuner list'")) == [
        ["run", "NAME", "--workers", "2"],
        ["list"],
    ]
    assert "no command" in problem(["rum", "NAME"])
    assert "--epoch" in problem(["run", "NAME", "--epoch", "2"])
    assert "Missing argument" in problem(["verify"])
    assert not problem(["run", "NAME", "--epochs", "2"])
    page = tmp_path / "page.md"
    page.write_text("# The `[one]` heading\n")
    links = "[a](#the-one-heading) [b](#other) [c](page.md) [d](gone.md) [e](https://example.org/gone)"
    assert lost(page, links) == ["#other", "gone.md"]


def test_the_ledger_is_read_with_pandas_as_the_page_says(
    tmp_path: Path, blobs: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project(tmp_path, blobs, {**RAW, "watch": []}, name="digits")
    project.searched("ann", [0.5, 0.75])
    project.searched("cnn", [0.25, None])
    (code,) = [text for text in fenced(ROOT / "docs" / "how-to.md", "python") if "sqlite3" in text]
    monkeypatch.chdir(tmp_path)
    scope: dict[str, pd.DataFrame] = {}
    exec(code, scope)  # noqa: S102  # what the page tells its readers to run
    assert scope["searched"].groupby("model")["dense_units"].agg(list).to_dict()["ann"] == [4, 8]
    assert scope["searched"]["val_accuracy"].max() == 0.75
    assert scope["curves"]["val_accuracy"].tolist() == [0.1, 0.2, 0.3]
