"""The reference of `import tuner` has all that is public, and is not out of date."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import tuner
from tuner.api import reference

ROOT = Path(__file__).parents[2]


def test_the_committed_page_is_what_make_docs_writes() -> None:
    assert (ROOT / reference.PAGE).read_text(encoding="utf-8") == reference.reference(), "run: make docs"


@pytest.mark.parametrize("name", tuner.__all__)
def test_what_is_public_has_a_heading_and_says_what_it_is(name: str) -> None:
    section = reference.reference().partition(f"\n### `{name}`\n")[2].partition("\n### ")[0]
    first = (getattr(tuner, name).__doc__ or "").strip().splitlines()[0]
    assert first in section


@pytest.mark.parametrize("name", ["load_search", "run", "RocDisplay", "SliceDisplay"])
def test_every_argument_that_a_docstring_explains_is_in_the_list(name: str) -> None:
    section = reference.reference().partition(f"\n### `{name}`\n")[2].partition("\n### ")[0]
    public = getattr(tuner, name)
    called = public if inspect.isfunction(public) else public.from_findings
    for argument in inspect.signature(called).parameters:
        assert f"\n- `{argument}`: " in section


def test_a_signature_too_long_for_a_line_has_a_line_for_each_argument() -> None:
    section = reference.reference().partition("\n### `run`\n")[2]
    assert "tuner.run(\n    search,\n    *,\n    executor='local',\n" in section
    assert "tuner.history(name, *, runs_dir='runs')\n" in reference.reference()
