"""The reference of the search file says what search files are checked against, all of it, and is not out of date."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tuner.families import FAMILIES
from tuner.recipe import RECIPE
from tuner.search_file import reference
from tuner.search_file.schema import SearchFile, SearchTable
from tuner.space.parameters import Parameter, domain_of

ROOT = Path(__file__).parents[2]
PARAMETERS = [*RECIPE, *(item for family in FAMILIES.values() for item in family.parameters)]


def _rows(page: str, heading: str) -> dict[str, list[str]]:
    """Return the cells of the table under a heading, by their first one."""
    section = page.partition(f"\n{heading}\n")[2].partition("\n#")[0]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in section.splitlines() if "|" in line]
    return {row[0].strip("`"): row for row in cells[2:]}


def test_the_committed_page_is_what_make_docs_writes() -> None:
    assert (ROOT / reference.PAGE).read_text(encoding="utf-8") == reference.reference(), "run: make docs"


def test_every_key_of_a_file_and_of_a_search_has_a_row_with_a_sentence() -> None:
    page = reference.reference()
    for heading, model in (
        ("## Top level", SearchFile),
        *((f"## `{name}`", table) for name, table in reference.TABLES),
    ):
        rows = _rows(page, heading)
        assert list(rows) == list(model.model_fields), heading
        assert all(row[-1].endswith(".") for row in rows.values()), heading


@pytest.mark.parametrize("name", FAMILIES)
def test_every_parameter_of_a_family_has_a_row_with_its_default(name: str) -> None:
    rows = _rows(reference.reference(), f"### `{name}`")
    assert list(rows) == [item.name for item in FAMILIES[name].parameters]
    if "batch_norm" in rows:
        assert rows["batch_norm"][2] == ("`true`" if name == "resnet_cifar" else "`false`")


@pytest.mark.parametrize("item", PARAMETERS, ids=lambda item: item.name)
def test_every_parameter_says_what_it_is(item: Parameter) -> None:
    assert getattr(item, "parameter", item).doc


def test_types_defaults_bounds_and_conditions_are_told() -> None:
    page = reference.reference()
    top, training, cnn = _rows(page, "## Top level"), _rows(page, "## `[training]`"), _rows(page, "### `cnn`")
    assert top["title"][1:3] == ["string", "required"]
    assert top["repeats"][1:3] == ["whole number from 1 to 100", "`5`"]
    assert top["validation"][1:3] == ["number above 0 below 1", "`0.2`"]
    assert top["image_size"][1:3] == ["list of 2: whole number from 1 to 4,096", "–"]
    assert (
        _rows(page, "## `[[search]]`")["algorithm"][1] == '`"grid"`, `"random"`, `"bayesian"`, `"hyperband"`, `"tpe"`'
    )
    assert training["epochs"][2] == "required"
    assert training["momentum"][1] == "number from 0 to 0.9999"
    assert training["momentum"][3].endswith('only where `optimizer` is `"sgd"`.')
    assert "`filters_1`, `filters_2`" in cnn["filters"][3]
    assert set(SearchTable.model_fields) == set(_rows(page, "## `[[search]]`"))


def test_what_the_page_says_of_ranges_is_what_a_range_does() -> None:
    rows = _rows(reference.reference(), "## Spaces")
    stepped, factors = (row for row in rows if "step" in row)
    width, rate = Parameter("width", 1), Parameter("rate", 1.0)
    assert rows[stepped][1].startswith("16, 32, 48, 64.")
    assert domain_of(tomllib.loads(f"v = {stepped}")["v"], width).grid() == (16, 32, 48, 64)
    assert domain_of(tomllib.loads(f"v = {factors}")["v"], rate).grid() == (1e-5, 1e-4, 1e-3, 1e-2)
    assert domain_of({"min": 1, "max": 3}, width).grid() == (1, 2, 3)
