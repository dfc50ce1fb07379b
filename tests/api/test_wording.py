"""Errors in the words of who asked: every option that one names is an argument of a public function."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from bad_input import foreign_database

import tuner
from tuner.api.wording import _argument, in_pythons_words
from tuner.cli import app
from tuner.errors import CheckError, InputError, ResourceError, resource_error_of

PACKAGE = Path(tuner.__file__).parent
FUNCTIONS = [getattr(tuner, name) for name in tuner.__all__ if inspect.isfunction(getattr(tuner, name))]
ARGUMENTS = {name for function in FUNCTIONS for name in inspect.signature(function).parameters}
#: The command line itself, and what is done by commands alone.
COMMANDS_ALONE = ("cli/", "exporters/", "saved_models/", "watching/", "running/new.py")


@pytest.mark.parametrize(
    ("place", "remedy", "expected"),
    [
        ("runs/ledger.sqlite", "pass another --runs-dir", "runs/ledger.sqlite: is odd; pass another runs_dir="),
        ("--executor", "", "executor: is odd"),
        ("--data-dir or TUNER_DATA_DIR", "", "data_dir or TUNER_DATA_DIR: is odd"),
        ("digits", "use more (--train-size), or less", "digits: is odd; use more (train_size=), or less"),
        ("--address", "pass --executor=ray with it", "address: is odd; pass executor='ray' with it"),
        ("digits", "run: tuner run digits", "digits: is odd; run: tuner.run('digits')"),
        ("a b.toml", "run: tuner run a b.toml", "a b.toml: is odd; run: tuner.run('a b.toml')"),
        ("x", "see: ray status --address HOST:PORT", "x: is odd; see: ray status --address HOST:PORT"),
        ("x", "write it: tuner report x", "x: is odd; write it: tuner report x"),  # which no function does
        ("/a/--runs-dir/b", "did you mean '--runs-dir'?", "/a/--runs-dir/b: is odd; did you mean '--runs-dir'?"),
        ("space.a--b", "widen a--b", "space.a--b: is odd; widen a--b"),
    ],
)
def test_options_are_arguments_and_commands_are_functions(place: str, remedy: str, expected: str) -> None:
    with pytest.raises(InputError) as caught, in_pythons_words():
        raise InputError(place, "is odd", remedy)
    assert str(caught.value) == expected


def test_what_the_user_wrote_stays_as_it_is() -> None:
    with pytest.raises(InputError, match=r"^x: is --runs-dir$"), in_pythons_words():
        raise InputError("x", "is --runs-dir")


def test_what_the_machine_lacks_is_said_in_the_same_words() -> None:
    with pytest.raises(ResourceError) as caught, in_pythons_words():
        raise resource_error_of(OSError(24, "Too many open files", "runs/x")) or AssertionError
    assert str(caught.value) == (
        "runs/x: Too many open files; allow more open files (ulimit -n 4096), or pass a smaller workers=, and start "
        "again: nothing that finished is lost"
    )


def test_an_error_keeps_its_cause_and_its_place_in_the_code() -> None:
    def fails() -> None:
        raise InputError("--runs-dir", "is odd") from OSError("why")

    with pytest.raises(InputError) as caught, in_pythons_words():
        fails()
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.traceback[-1].name == "fails"


def test_other_errors_pass() -> None:
    for error in (CheckError("--runs-dir"), KeyboardInterrupt(), ValueError("--runs-dir")):
        with pytest.raises(type(error)) as caught, in_pythons_words():
            raise error
        assert caught.value is error


def test_functions_raise_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    foreign_database(tmp_path)
    with pytest.raises(InputError, match=r"is another program's database; pass another runs_dir=$"):
        tuner.results("digits")
    searched = Path(__file__).parents[2] / "searches" / "digits.toml"
    for arguments, said in (
        ({"executor": "cloud"}, "^executor: no executor is named 'cloud'"),
        ({"address": "head:6379"}, "^address: is that of a Ray cluster; pass executor='ray' with it$"),
        ({"runs_dir": searched}, r"^runs_dir: .*digits\.toml is no folder"),
        ({"data_dir": "nowhere"}, "^data_dir or TUNER_DATA_DIR: nowhere is not a folder$"),
    ):
        with pytest.raises(InputError, match=said):
            tuner.run(searched, **{"runs_dir": "fresh", **arguments})  # type: ignore[arg-type]


def strings(file: Path) -> Iterator[str]:
    """Yield the strings of a module that are no docstrings."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


def messages() -> Iterator[tuple[str, str]]:
    """Yield what modules say that raise errors, where a function leads to them, each with the module's name."""
    for file in PACKAGE.rglob("*.py"):
        name = file.relative_to(PACKAGE)
        if name.as_posix().startswith(COMMANDS_ALONE) or "tuner.errors" not in file.read_text("utf-8"):
            continue
        for text in strings(file):
            yield str(name), text


def test_every_option_that_an_error_names_is_an_argument_of_a_function() -> None:
    known = {option for command in app.commands.values() for parameter in command.params for option in parameter.opts}
    named = [
        (name, option) for name, text in messages() for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*(?!\w)", text)
    ]
    assert {option for _, option in named} >= {"--runs-dir", "--workers", "--executor"}  # something is looked at
    for name, option in named:
        assert option in known, f"{name} names {option}, which no command has"
        assert _argument(option.removeprefix("--")) in ARGUMENTS, f"{name} names {option}, which Python has not"


def test_every_command_that_an_error_names_is_a_function() -> None:
    named = [(name, command) for name, text in messages() for command in re.findall(r": tuner ([a-z]+)", text)]
    assert named
    for name, command in named:
        assert command in tuner.__all__, f"{name} names tuner {command}, which Python has not"
