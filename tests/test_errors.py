"""Errors say in one line whose fault it is, where it is and what to write instead."""

from __future__ import annotations

import errno
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from tuner.errors import (
    CheckError,
    InputError,
    LostError,
    ResourceError,
    TrialError,
    TunerError,
    one_line,
    resource_error_of,
    suggestion,
)


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("filtres", ["filters", "dropout"], "did you mean 'filters'?"),
        ("dense_unit", ["dense_depth", "dense_units"], "did you mean 'dense_units'?"),
        ("zzz", ["filters", "dropout"], "known: dropout, filters"),
        ("zzz", [], "nothing is known here"),
    ],
)
def test_a_misspelt_name_gets_the_nearest_known_one_or_else_all_of_them(
    name: str, known: list[str], expected: str
) -> None:
    assert suggestion(name, known) == expected


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("seed", "-1 is negative"), "seed: -1 is negative"),
        (("seed", "-1 is negative", "write 0"), "seed: -1 is negative; write 0"),
        (("", "nothing to do"), "nothing to do"),
    ],
)
def test_an_input_error_reads_place_problem_remedy(parts: tuple[str, ...], expected: str) -> None:
    assert str(InputError(*parts)) == expected


def test_an_outer_place_comes_in_front_of_the_inner_one() -> None:
    error = InputError("space.filters", "is empty", "give a list").inside("[[search]] 2").inside("cnn.toml")
    assert str(error) == "cnn.toml [[search]] 2 space.filters: is empty; give a list"


def test_an_input_error_survives_the_way_from_a_worker_process() -> None:
    error = InputError("family", "no module 'nets'", "put it in searches")
    back = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own bytes
    assert type(back) is InputError
    assert (back.place, back.problem, back.remedy) == (error.place, error.problem, error.remedy)
    assert str(back) == str(error)


def test_exit_codes_tell_wrong_input_from_a_failed_check() -> None:
    assert (InputError("seed", "wrong").exit_code, CheckError("differs").exit_code) == (2, 1)


def test_a_failed_trial_does_not_end_the_command() -> None:
    assert not issubclass(TrialError, TunerError)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("too small"), "ValueError: too small"),
        (ValueError("first\n  second\t third\r\n"), "ValueError: first second third"),
        (KeyError(), "KeyError"),
        (TypeError("not <function build at 0x7f01aB> of 0x10"), "TypeError: not <function build> of 0x10"),
        (ValueError("<KerasTensor name=keras_tensor_17>"), "ValueError: <KerasTensor name=keras_tensor>"),
    ],
)
def test_an_exception_becomes_one_line_with_its_type_in_front(error: Exception, expected: str) -> None:
    assert one_line(error) == expected


def test_an_exception_of_keras_loses_its_bold_print_and_its_list_of_arguments() -> None:
    text = "\x1b[1mno\nshape\x1b[0m\n\nArguments received by Loud.call():\n  • args=('<KerasTensor>',)"
    assert one_line(ValueError(text)) == "ValueError: no shape"


def test_of_a_long_exception_both_ends_are_kept() -> None:
    assert one_line(ValueError(f"{'x' * 100} the cause"), limit=30) == "ValueError: xxxxx … the cause"
    assert one_line(ValueError("x" * 8), limit=20) == "ValueError: xxxxxxxx"


@pytest.mark.parametrize(
    ("number", "helps"),
    [
        (errno.ENOSPC, "make room"),
        (errno.EDQUOT, "make room"),
        (errno.EFBIG, "ulimit -f"),
        (errno.EMFILE, "ulimit -n"),
        (errno.ENOMEM, "--workers"),
        (errno.EIO, "disk"),
    ],
)
def test_what_the_machine_lacks_is_said_with_what_helps(number: int, helps: str) -> None:
    found = resource_error_of(OSError(number, os.strerror(number), "runs/x.keras"))
    assert isinstance(found, ResourceError)
    assert found.exit_code == 1
    assert str(found).startswith(f"runs/x.keras: {os.strerror(number)}; ")
    assert helps in str(found)
    assert "start again" in str(found)


@pytest.mark.parametrize("error", [FileNotFoundError(errno.ENOENT, "x"), ValueError("x"), OSError("without a number")])
def test_other_errors_are_not_the_machines(error: Exception) -> None:
    assert resource_error_of(error) is None


def test_what_the_machine_lacks_is_found_behind_the_error_that_it_led_to() -> None:
    try:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        finally:
            raise ValueError("cannot close the file")
    except ValueError as error:
        assert str(resource_error_of(error, "runs/models")).startswith(
            "runs/models: No space left on device; make room"
        )


def test_whatever_is_wrong_with_a_file_that_a_run_laid_out_is_the_runs() -> None:
    error = FileNotFoundError(errno.ENOENT, "No such file or directory", "runs/models/x.keras")
    assert resource_error_of(error, own=(Path("runs/data"),)) is None
    found = resource_error_of(error, own=(Path("runs/data"), Path("runs/models")))
    assert isinstance(found, LostError)
    assert str(found) == (
        "runs/models/x.keras: No such file or directory; run the search again, which makes it anew: nothing that "
        "finished is lost"
    )


@pytest.mark.parametrize(
    ("number", "helps"),
    [
        (errno.EISDIR, "move what stands there"),
        (errno.ENOTEMPTY, "move what stands there"),
        (errno.EACCES, "let this user read and write there"),
        (errno.EROFS, "let this user read and write there"),
        (errno.ESTALE, "see to the network disk"),
    ],
)
def test_what_helps_with_a_file_of_the_runs_own_is_not_always_to_run_again(number: int, helps: str) -> None:
    error = OSError(number, os.strerror(number), "runs/models/x.keras")
    found = resource_error_of(error, own=(Path("runs/models"),))
    assert isinstance(found, LostError)
    assert str(found).startswith(f"runs/models/x.keras: {os.strerror(number)}; {helps}, and run the search again")


def error_of(act: Callable[[], object]) -> OSError:
    with pytest.raises(OSError) as caught:
        act()
    return caught.value


def test_what_stands_in_the_way_is_named_and_not_what_cannot_be_there(tmp_path: Path) -> None:
    (tmp_path / "features").write_text("no folder")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    (tmp_path / "part").write_text("whole")
    (tmp_path / "folder").mkdir()
    for act, named in [
        ((tmp_path / "features" / "a" / "b.npz").read_bytes, "features"),
        ((tmp_path / "round" / "b.npz").read_bytes, "round"),
        (lambda: (tmp_path / "part").rename(tmp_path / "folder"), "folder"),
        (lambda: (tmp_path / "gone").rename(tmp_path / "new"), "gone"),
    ]:
        found = resource_error_of(error_of(act), own=(tmp_path,))
        assert isinstance(found, LostError)
        assert found.place == str(tmp_path / named)


def test_what_numpy_says_of_a_full_disk_is_the_machines() -> None:
    found = resource_error_of(OSError("45 requested and 13 written"), "runs/data")
    assert str(found).startswith("runs/data: cannot be written (OSError: 45 requested and 13 written); make room, and")


def test_lost_data_survive_the_way_from_a_worker_process() -> None:
    error = LostError("runs/data/x", "is missing")
    back = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own bytes
    assert (type(back), str(back)) == (LostError, str(error))


def test_a_resource_error_survives_the_way_from_a_worker_process() -> None:
    error = ResourceError("runs/models", "No space left on device", "make room")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301  # our own bytes


def test_a_notebook_shows_one_line_instead_of_a_traceback() -> None:
    assert InputError("x", "is wrong")._render_traceback_() == ["InputError: x: is wrong"]
    assert CheckError("odd \x1b[31m")._render_traceback_() == ["CheckError: odd \\x1b[31m"]
