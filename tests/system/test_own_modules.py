"""Which modules a user's network is made of, and their hash."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from tuner.errors import InputError
from tuner.families import get_family
from tuner.system.own_modules import hash_of, is_own, loaded_besides, own_modules


def write(folder: Path, **files: str) -> None:
    """Write files; `__` in a name stands for a slash."""
    for name, content in files.items():
        path = folder / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def source_of(folder: Path, module: str = "net") -> str:
    return get_family(f"{module}:build", folder).source_hash()  # type: ignore[attr-defined]


def test_the_hash_of_a_file_alone_is_the_hash_of_its_content(tmp_path: Path) -> None:
    content = "import sys\nimport keras, numpy as np\nfrom keras import layers\nfrom tuner.families import FAMILIES\n"
    write(tmp_path, net=content, unrelated="x = 1")
    assert source_of(tmp_path) == hashlib.sha256(content.encode()).hexdigest()[:16]


def test_an_empty_package_around_a_file_does_not_count_and_one_with_code_does(tmp_path: Path) -> None:
    write(tmp_path, nets__own="x = 1")
    (tmp_path / "nets" / "__init__.py").write_text('"""Networks."""\n')
    alone = hashlib.sha256(b"x = 1").hexdigest()[:16]
    assert source_of(tmp_path, "nets.own") == alone
    (tmp_path / "nets" / "__init__.py").write_text("WIDTH = 3\n")
    assert source_of(tmp_path, "nets.own") != alone


@pytest.mark.parametrize(
    ("statement", "helper"),
    [
        ("import blocks", "blocks"),
        ("import blocks as b, sys", "blocks"),
        ("from blocks import conv", "blocks"),
        ("from blocks import *", "blocks"),
        ("def build(hp):\n    import blocks", "blocks"),
        ("try:\n    import blocks\nexcept ImportError:\n    blocks = None", "blocks"),
        ("import parts.blocks", "parts__blocks"),
        ("from parts import blocks", "parts__blocks"),
        ("from parts.blocks import conv", "parts__blocks"),
        ("from parts.deeper.blocks import conv", "parts__deeper__blocks"),
    ],
)
def test_an_edit_of_a_module_that_is_imported_anyhow_is_seen(tmp_path: Path, statement: str, helper: str) -> None:
    write(tmp_path, net=statement, **{helper: "conv = 1"})
    before = source_of(tmp_path)
    assert source_of(tmp_path) == before
    write(tmp_path, **{helper: "conv = 2"})
    assert source_of(tmp_path) != before


def test_modules_that_are_imported_by_others_count_in_packages_and_circles_too(tmp_path: Path) -> None:
    write(
        tmp_path,
        net="from parts.a import f",
        parts__a="from . import b\nfrom .c import g\nfrom ..parts import d",
        parts__b="import net",
        parts__c="from .deeper import e",
        parts__d="",
        parts__deeper__e="from .. import a\nfrom ...nowhere import x",
    )
    found = own_modules("net", [tmp_path])
    assert found.keys() == {"net", "parts.a", "parts.b", "parts.c", "parts.d", "parts.deeper.e"}


def test_a_helper_in_the_working_folder_counts_and_the_search_file_s_folder_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, beside = tmp_path / "here", tmp_path / "beside"
    write(here, blocks="x = 1", others="y = 1")
    write(beside, net="import blocks, others", blocks="x = 2")
    monkeypatch.chdir(here)
    family = get_family("net:build", beside)
    assert {name: file.parent.name for name, file in family.own_modules().items()} == {  # type: ignore[attr-defined]
        "net": "beside",
        "blocks": "beside",
        "others": "here",
    }


def test_the_hash_does_not_depend_on_where_the_modules_lie(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write(tmp_path / name, net="import blocks", blocks="x = 1")
    assert source_of(tmp_path / "one") == source_of(tmp_path / "two")


def test_what_is_installed_is_not_the_user_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "site-packages", installed="x = 1")
    write(tmp_path, net="import installed")
    monkeypatch.syspath_prepend(tmp_path / "site-packages")
    assert own_modules("net", [tmp_path]).keys() == {"net"}
    for file in (
        sys.modules["keras"].__file__ if "keras" in sys.modules else None,
        pytest.__file__,
        subprocess.__file__,
    ):
        assert file is None or not is_own(Path(file))


def test_a_package_that_is_developed_elsewhere_is_the_user_s_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "src", elsewhere__nets="from elsewhere import blocks", elsewhere__blocks="x = 1")
    (tmp_path / "src" / "elsewhere" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path / "src")
    assert own_modules("elsewhere.nets", [tmp_path]).keys() == {"elsewhere", "elsewhere.nets", "elsewhere.blocks"}


def test_files_that_the_network_reads_count_by_their_names_and_content(tmp_path: Path) -> None:
    write(tmp_path, net="x = 1")
    (tmp_path / "parts").mkdir()
    (tmp_path / "weights.h5").write_bytes(b"1")
    (tmp_path / "parts" / "more.npy").write_bytes(b"2")

    def source(*files: str) -> str:
        return get_family("net:build", tmp_path, files).source_hash()  # type: ignore[attr-defined]

    both = source("weights.h5", "parts/more.npy")
    assert source() == source_of(tmp_path)
    assert len({source(), source("weights.h5"), source("parts/more.npy"), both}) == 4
    assert source("parts/more.npy", "weights.h5") == both, "in whichever order the search file names them"
    (tmp_path / "parts" / "more.npy").write_bytes(b"3")
    edited = source("weights.h5", "parts/more.npy")
    assert edited != both
    write(tmp_path, net="x = 2")
    assert source("weights.h5", "parts/more.npy") not in (edited, both)


@pytest.mark.parametrize(("name", "problem"), [("weights.h5", "is not there"), ("parts", "is not a file")])
def test_a_file_that_is_not_there_is_said_in_one_line(tmp_path: Path, name: str, problem: str) -> None:
    write(tmp_path, net="x = 1", parts__one="")
    with pytest.raises(InputError, match=f"files '{name}': {problem}; put it at .*{name}"):
        get_family("net:build", tmp_path, [name]).source_hash()  # type: ignore[attr-defined]


def test_a_file_that_is_no_python_counts_by_its_content(tmp_path: Path) -> None:
    write(tmp_path, net="import broken", broken="def (:")
    before = source_of(tmp_path)
    write(tmp_path, broken="def (::")
    assert source_of(tmp_path) != before
    assert hash_of("net", {"net": tmp_path / "net.py"}) == hashlib.sha256(b"import broken").hexdigest()[:16]


def test_modules_that_are_loaded_otherwise_than_by_a_statement_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        tmp_path, own_net_dynamic="import importlib\nimportlib.import_module('own_' + 'hidden')\n", own_hidden="x = 1"
    )
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    __import__("own_net_dynamic")
    known = own_modules("own_net_dynamic", [tmp_path])
    assert loaded_besides(before, known, [tmp_path]) == [(tmp_path / "own_hidden.py").resolve()]
    assert loaded_besides(sys.modules, known, [tmp_path]) == []
