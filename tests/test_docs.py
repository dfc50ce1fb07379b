"""The README, the pages beside it and those of docs/: commands exist, links lead somewhere, code does what is said."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import numpy as np
import pandas as pd
import pytest
from cells import run_cell
from made_up import RAW, Project, first
from matplotlib import pyplot

import tuner
from tuner.analysis.findings import Findings
from tuner.cli import app
from tuner.datasets.base import Dataset
from tuner.errors import TrialError
from tuner.families import FAMILIES
from tuner.families.base import Family
from tuner.oracles import ALGORITHMS
from tuner.recipe import RECIPE
from tuner.search_file.file import load_search
from tuner.search_file.schema import SearchFile, SearchTable
from tuner.space.space import read_space

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
BESIDE = [ROOT / f"{name}.md" for name in ("README", "ARCHITECTURE", "CONTRIBUTING", "SECURITY", "CHANGELOG")]
PAGES = sorted([*BESIDE, *DOCS.rglob("*.md")])
#: Files and folders of the repository in the code of sentences; what a user makes, as in runs/, is not there.
_PATH = re.compile(r"(?:tuner|tests|benchmarks|examples|searches|docs|\.ci)/[\w./-]*")
#: What a page names to say that it does not exist yet.
_TO_COME = {"tests/ROOM/test_MODULE.py", "tuner/ROOM/MODULE.py", "tuner/families/nin.py"}
_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
_DOTTED = re.compile(r"(?<![\w/.-])tuner(?:\.[A-Za-z_]\w*)+(?![\w-]*\.(?:md|toml))")
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


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


def strangers(code: str) -> Iterator[str]:
    """Yield what Python code asks of `tuner` that it has not: a name, or an argument of a function."""
    for node in ast.walk(ast.parse(code)):
        try:
            if isinstance(node, ast.Attribute):
                named(node)
            if isinstance(node, ast.Call) and callable(function := named(node.func)):
                given = {argument.arg: None for argument in node.keywords if argument.arg}
                inspect.signature(function).bind(*node.args, **given)
        except (AttributeError, TypeError) as error:
            yield f"{ast.unparse(node)}: {error}"


def named(node: ast.expr) -> object:
    """Return what dotted names that begin with `tuner` stand for; None for other code."""
    if isinstance(node, ast.Name):
        return tuner if node.id == "tuner" else None
    if isinstance(node, ast.Attribute) and (inside := named(node.value)) is not None:
        return getattr(inside, node.attr)
    return None


def inline_names(page: Path) -> list[str]:
    """Return the dotted names that begin with `tuner` in the code of sentences: `tuner.families.FAMILIES`."""
    return sorted({name for code in re.findall(r"`([^`]+)`", prose(page)) for name in _DOTTED.findall(code)})


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
def test_paths_in_sentences_are_files_or_folders(page: Path) -> None:
    codes = re.findall(r"`([^`\n]+)`", prose(page))
    named_there = {path for code in codes for path in [code.split(":")[0]] if _PATH.fullmatch(path)} - _TO_COME
    told = {path for path in named_there if "NAME" not in path and not path.startswith("searches/")}
    assert [path for path in sorted(told) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize(("page", "most"), [("README.md", 130), ("ARCHITECTURE.md", 150)])
def test_a_page_that_everybody_reads_is_short(page: str, most: int) -> None:
    assert len((ROOT / page).read_text(encoding="utf-8").splitlines()) <= most


def test_the_architecture_names_every_room_and_every_module_beside_them() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    package = ROOT / "tuner"
    rooms = sorted(place.parent.name for place in package.glob("*/__init__.py"))
    assert sorted(rows) == rooms
    beside = text.partition("modules stand beside the rooms")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", beside)) == {module.stem for module in package.glob("*.py")}


def test_the_architecture_tells_the_order_of_the_rooms_that_make_check_keeps() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    drawn = text.partition("## Which room may import which")[2].partition("```text\n")[2].partition("```")[0]
    told = [re.split(r"  +", line)[0] for line in drawn.replace("  |  ", ", ").splitlines()]
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (layers,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    kept = [re.sub(r" [:|] ", ", ", layer.replace("tuner.", "")) for layer in layers]
    assert told == [layer for layer in kept if layer != "__main__"]


@pytest.mark.parametrize(
    ("page", "title"),
    [("README.md", ""), ("docs/writing-a-search.md", ""), ("CONTRIBUTING.md", "nin")],
)
def test_a_whole_search_file_of_a_page_is_read_as_one(
    page: str, title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (text,) = [text for text in fenced(ROOT / page, "toml") if "title" in text]
    if title:
        monkeypatch.setitem(FAMILIES, title, worked_through())
    (tmp_path / "shown.toml").write_text(text, encoding="utf-8")
    assert load_search(tmp_path / "shown.toml").model_searches


@pytest.mark.slow
def test_the_family_that_is_worked_through_builds_and_counts_what_it_says() -> None:
    family = worked_through()
    for shape in ((8, 8, 1), (32, 30, 3)):
        (values,) = read_space({"blocks": 3, "batch_norm": True}, {}, [*family.parameters, *RECIPE], {}).grid()
        network = family.network(values, shape, 7)
        assert network.name == "nin"
        assert network.input_shape == (None, *shape)
        assert network.output_shape == (None, 7)
        kernels = [layer for layer in network.layers if layer.weights and "norm" not in layer.name]
        counted = sum(np.prod(layer.kernel.shape) * np.prod(layer.output.shape[1:-1], dtype=float) for layer in kernels)
        assert family.work(values, shape, 7) == counted
    with pytest.raises(TrialError, match="3x9"):
        family.network(values, (3, 9, 1), 7)


@every_page
def test_toml_is_toml_and_python_is_python(page: Path) -> None:
    for text in fenced(page, "toml"):
        tomllib.loads(text)
    for text in fenced(page, "python"):
        compile(text, page.name, "exec")


@every_page
def test_python_has_the_names_and_arguments_of_the_package(page: Path) -> None:
    for text in fenced(page, "python"):
        assert not list(strangers(text))


def test_python_in_sentences_works_in_a_new_process_that_has_imported_the_package_alone() -> None:
    names = [name for page in PAGES for name in inline_names(page)]
    assert "tuner.families.FAMILIES" in names
    code = "import sys, tuner\nfor name in sys.argv[1:]: eval(name)"
    ran = subprocess.run([sys.executable, "-c", code, *names], capture_output=True, text=True, check=False)
    assert not ran.stderr


@pytest.mark.slow
def test_a_built_in_family_is_searched_by_plain_keras_tuner_as_the_page_says(tmp_path: Path) -> None:
    """That a new process finds what the call names is what the test above looks at."""
    (call,) = re.findall(r"`(keras_tuner\.RandomSearch\(tuner\.families[^`]+)`", prose(DOCS / "own-network.md"))
    assert re.match(r"keras_tuner\.RandomSearch\((tuner\.[\w.]+)", call)[1] in inline_names(DOCS / "own-network.md")
    rest = f"objective='val_accuracy', max_trials=1, directory={str(tmp_path)!r}"
    scope = run_cell(f"import tuner\nimport keras_tuner\nfound = {call.replace('…', rest)}", {})
    assert type(scope["found"]).__name__ == "RandomSearch"


def test_the_readme_s_notebook_runs_from_top_to_bottom(
    tmp_path: Path, blobs: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = [text for text in fenced(ROOT / "README.md", "python") if "import tuner" in text]
    for name in ("digits", "mnist_cnn_vs_mlp"):
        made_up_search(tmp_path, blobs, name)
    (tmp_path / "searches").mkdir()
    shutil.copy(ROOT / "searches" / "digits.toml", tmp_path / "searches")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tuner.api.functions.run", trained_before)
    pyplot.switch_backend("agg")
    scope: dict[str, Any] = {}
    exec(code, scope)  # noqa: S102  # what the page tells its readers to run
    pyplot.close("all")
    assert [model_search.epochs for model_search in scope["search"].model_searches] == [4, 4]
    assert scope["found"].search.name == "digits"


def test_every_page_stands_in_the_index() -> None:
    for folder in (DOCS, DOCS / "decisions"):
        index = (folder / "README.md").read_text(encoding="utf-8")
        assert [page.name for page in folder.glob("*.md") if f"({page.name})" not in index] == ["README.md"]
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in BESIDE if f"(../{page.name})" not in index] == ["CHANGELOG.md"]


def test_the_index_of_the_decisions_has_their_titles() -> None:
    index = (DOCS / "decisions" / "README.md").read_text(encoding="utf-8")
    for page in (DOCS / "decisions").glob("*.md"):
        title = page.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        assert page.name == "README.md" or f"[{title}]({page.name})" in index


def test_the_glossary_has_a_line_a_term_in_order_and_every_term_in_italics_has_one() -> None:
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| (.+) \|$", text, re.MULTILINE)[2:]
    terms = [term for term, _ in rows]
    assert terms == sorted(terms, key=str.lower)
    single = {word.lower() for term in terms for word in term.split(", ")}
    told = {word.lower() for _, line in rows for word in re.findall(r"(?<!\*)\*([^*]+)\*", line)}
    assert sorted(word for word in told if word not in single and word.removesuffix("s") not in single) == []


def test_mistakes_in_a_page_would_be_found(tmp_path: Path) -> None:
    assert list(calls("cd x && tuner run NAME --workers 2 # tuner no\nray exec 'tuner list'")) == [
        ["run", "NAME", "--workers", "2"],
        ["list"],
    ]
    assert "no command" in problem(["rum", "NAME"])
    assert "--epoch" in problem(["run", "NAME", "--epoch", "2"])
    assert "Missing argument" in problem(["verify"])
    assert not problem(["run", "NAME", "--epochs", "2"])
    assert not list(strangers("other.run(); tuner.run('x', workers=1); tuner.RocDisplay.from_findings(x, lw=2).ax_"))
    wrong = "tuner.runn()", "tuner.run('x', worker=1)", "tuner.results()", "tuner.RocDisplay.from_finding(x)"
    assert [code for code in wrong if not list(strangers(code))] == []
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


def test_a_script_does_what_the_page_says(
    tmp_path: Path, blobs: Dataset, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "docs" / "how-to.md").read_text(encoding="utf-8")
    section = text.partition("## Search from a script or a notebook\n")[2].partition("\n## ")[0]
    code = "\n".join(body for language, body in _FENCE.findall(section) if language == "python")
    for name in ("digits", "zoo_mnist", "mnist_cnn_vs_mlp"):
        made_up_search(tmp_path, blobs, name)
    (tmp_path / "searches").mkdir()
    shutil.copy(ROOT / "searches" / "digits.toml", tmp_path / "searches")
    monkeypatch.chdir(tmp_path)
    loaded: list[str] = []
    monkeypatch.setitem(sys.modules, "keras", stand_in_for_keras(loaded))
    monkeypatch.setattr("tuner.api.functions.run", trained_before)
    pyplot.switch_backend("agg")
    scope: dict[str, Any] = {}
    exec(code, scope)  # noqa: S102  # what the page tells its readers to run
    pyplot.close("all")
    assert scope["trials"]["model"].tolist() == ["cnn", "cnn", "ann", "ann"]
    assert [axes.get_title(loc="left")[:3] for axes in scope["axes"]] == ["ANN", "CNN", "Mea"]
    assert (tmp_path / "digits.png").is_file()
    assert scope["both"]["search"].tolist() == ["zoo_mnist", "mnist_cnn_vs_mlp"] * 2
    assert loaded == ["reports/digits/cnn-blobs.keras"]
    (said,) = re.findall(r"print\(error\)  # (.*)", code)
    assert capsys.readouterr().out.splitlines()[-1] == said


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_a_search_without_a_file_does_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = fenced(DOCS / "without-a-file.md", "python")
    monkeypatch.chdir(tmp_path)
    scope: dict[str, Any] = {}
    for text in (first, second):
        run_cell(sooner(text, _SOONER_WITHOUT_A_FILE), scope)
    assert scope["found"].finished
    assert (tmp_path / "reports" / "build_model" / "report.md").is_file()
    assert scope["best"].input_shape == (None, 8, 8, 1)
    said = capsys.readouterr().out
    again = tomllib.loads(said[said.index("title") :])
    assert [table["family"].partition(":")[2] for table in again["search"]] == ["build_model", ""]


#: What a script of a page has more of than its test needs, and what of it is left: two trials, trained for an epoch.
_SOONER = {"epochs=5": "epochs=1", "max_trials=4": "max_trials=2", "n_trials=4": "n_trials=2", "[1e-2, 1e-3]": "[1e-2]"}
_SOONER_WITHOUT_A_FILE = {
    **_SOONER,
    '"epochs": 5': '"epochs": 1',
    "max_trials=4": "max_trials=2, repeats=1",
    "repeats=2": "repeats=1",
    "[1e-3, 1e-2]": "[1e-3]",
}


def sooner(text: str, changes: dict[str, str]) -> str:
    """Return a script with less to train."""
    for whole, less in changes.items():
        text = text.replace(whole, less)
    return text


#: Who our readers come from, and what their scripts need.
_FROM = {"kerastuner": "keras_tuner", "optuna": "optuna", "scikit-learn": "scikeras", "talos": "talos"}


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("origin", _FROM)
def test_a_script_of_ours_does_what_that_of_others_does(
    origin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, ours = fenced(DOCS / f"from-{origin}.md", "python")
    monkeypatch.chdir(tmp_path)
    scope: dict[str, Any] = {}
    if importlib.util.find_spec(_FROM[origin]):
        run_cell(sooner(theirs, {**_SOONER, "cv=3": "cv=2"}), scope)
    else:  # what ours takes over of it stands before the first function
        run_cell(re.sub(rf"^import {_FROM[origin]}$", "", theirs, flags=re.MULTILINE).partition("\ndef ")[0], scope)
    assert ours.count("epochs=5,") == 1
    run_cell(sooner(ours, {"epochs=5,": "epochs=1, repeats=1,", **_SOONER}), scope)
    found = scope["found"]
    assert found.finished
    assert len(found.trials()) == 2
    assert all(record.completed for record in found.trials())
    (report,) = (tmp_path / "reports").glob("*/report.md")
    assert "360" in report.read_text() or origin == "talos"


def test_what_the_page_for_scikit_learn_names_is_there() -> None:
    """Keys of search files and arguments of functions that stand on the right-hand side of its table."""
    text = (DOCS / "from-scikit-learn.md").read_text(encoding="utf-8")
    known = {
        name for function in (tuner.search, tuner.run, tuner.Search) for name in inspect.signature(function).parameters
    }
    known |= {*SearchFile.model_fields, *SearchTable.model_fields}
    rights = [row.rpartition(" | ")[2] for row in re.findall(r"^\| (.+) \|$", text, re.MULTILINE)]
    named = {
        name for right in rights for code in re.findall(r"`([^`]+)`", right) for name in re.findall(r"\b(\w+)=", code)
    }
    assert named - known == set()
    settings = {key for right in rights for key in re.findall(r'training=\{"(\w+)"', right)}
    assert named and settings
    assert settings <= {parameter.name for parameter in RECIPE}
    algorithms = {name for right in rights for name in re.findall(r'algorithm="(\w+)"', right)}
    assert algorithms <= set(ALGORITHMS)


def worked_through() -> Family:
    """Return the family of CONTRIBUTING.md, made of the code that stands there."""
    (code,) = [text for text in fenced(ROOT / "CONTRIBUTING.md", "python") if "(Family)" in text]
    scope: dict[str, Any] = {"__name__": "nin"}
    exec(code, scope)  # noqa: S102  # what the page tells its readers to write
    family: Family = scope["Nin"]()
    return family


def made_up_search(folder: Path, blobs: Dataset, name: str) -> None:
    project = Project(folder, blobs, {**RAW, "watch": []}, name=name)
    ann, cnn = project.searched("ann", [0.5, 0.6]), project.searched("cnn", [0.7, 0.8])
    project.retrained("ann", ann[1], [first(30), first(31)])
    project.retrained("cnn", cnn[1], [first(43), first(44)])
    project.ledger.close_search(name)


def trained_before(search: object, **arguments: object) -> Findings:
    """Stand in for `tuner.run` where all has been trained."""
    return tuner.load_findings("digits")


def stand_in_for_keras(loaded: list[str]) -> SimpleNamespace:
    """Return what notes the models that are loaded, which are made up, and takes seconds less to import."""

    def load_model(path: str) -> SimpleNamespace:
        loaded.append(path)
        return SimpleNamespace(input_shape=(None, 8, 8, 1), predict=lambda images, verbose: np.zeros((len(images), 3)))

    return SimpleNamespace(models=SimpleNamespace(load_model=load_model))
