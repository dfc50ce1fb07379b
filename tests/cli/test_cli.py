"""What `tuner list` and the dry run print; what every command says of wrong input is in `test_bad_input.py`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from small_project import real_tuner, tuner

from tuner.cli import app
from tuner.errors import InputError
from tuner.ledger.ledger import Ledger
from tuner.search_file.file import embedded_searches, find_search

GOOD = {
    "top": 'title = "x"\ndataset = "digits"',
    "training": "epochs = 1",
    "search": 'family = "ann"',
    "space": "dense_units = [4, 8]",
    "rules": "",
    "end": "",
}


def search_file(**parts: str) -> str:
    text = {**GOOD, **parts}
    return (
        f"{text['top']}\n[training]\n{text['training']}\n[[search]]\n{text['search']}\n"
        f"[search.space]\n{text['space']}\n[search.rules]\n{text['rules']}\n{text['end']}\n"
    )


class TestWithoutASearchFolder:
    """What somebody sees who has just installed the package, in an empty folder."""

    def test_list_shows_what_comes_with_the_package_and_says_what_to_do_next(self, tmp_path: Path) -> None:
        answer = tuner(tmp_path, "list")
        assert answer.returncode == 0, answer.stderr
        assert [line.split()[0] for line in answer.stdout.splitlines()[:2]] == ["search", "digits"]
        assert "Run it: tuner run digits. A search of your own: tuner new NAME --data" in answer.stdout

    def test_the_embedded_search_is_the_one_of_the_repository(self) -> None:
        (embedded,) = embedded_searches()
        assert embedded.read_bytes() == (Path(__file__).parents[2] / "searches" / "digits.toml").read_bytes()

    def test_the_embedded_search_is_found_by_its_name(self, tmp_path: Path) -> None:
        answer = tuner(tmp_path, "run", "digits", "--epochs", "0")
        assert answer.returncode == 2
        assert "--epochs" in answer.stderr  # and not: no such search
        assert "did you mean 'digits'?" in tuner(tmp_path, "run", "digitz").stderr

    def test_a_search_file_of_ones_own_goes_before_it(self, tmp_path: Path) -> None:
        (tmp_path / "searches").mkdir()
        (tmp_path / "searches" / "digits.toml").write_text(search_file(top='title = "mine"\ndataset = "digits"'))
        assert find_search("digits", tmp_path / "searches") == tmp_path / "searches" / "digits.toml"
        listed = tuner(tmp_path, "list").stdout
        assert "mine" in listed
        assert "comes with the package" not in listed


def test_list_tells_of_wrong_searches_beside_the_good_ones(tmp_path: Path) -> None:
    (tmp_path / "searches").mkdir()
    (tmp_path / "searches" / "good.toml").write_text(search_file())
    (tmp_path / "searches" / "wrong.toml").write_text(search_file(top='titel = "x"'))
    answer = tuner(tmp_path, "list")
    assert answer.returncode == 2
    assert any(line.startswith("good") and " 2 " in line for line in answer.stdout.splitlines())
    assert "searches/wrong.toml titel" in answer.stderr


def test_list_passes_no_command_on_to_the_terminal_and_waits_for_no_pipe(tmp_path: Path) -> None:
    (tmp_path / "searches").mkdir()
    evil = r"\u001b[2J\u001b]0;x\u0007 \u202etitle"
    (tmp_path / "searches" / "evil.toml").write_text(search_file(top=f'title = "{evil}"\ndataset = "digits"'))
    os.mkfifo(tmp_path / "searches" / "pipe.toml")
    answer = tuner(tmp_path, "list")
    assert answer.returncode == 2
    assert "\x1b" not in answer.stdout + answer.stderr
    assert r"\x1b[2J\x1b]0;x\x07 \u202etitle" in answer.stdout
    assert "searches/pipe.toml: is not a file" in answer.stderr


def test_the_dry_run_prints_configurations_with_sizes_and_rejections(tmp_path: Path) -> None:
    (tmp_path / "searches").mkdir()
    rules = "where = ['dense_units < 8']"
    (tmp_path / "searches" / "good.toml").write_text(search_file(rules=rules))
    answer = tuner(tmp_path, "space", "good", "--json")
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert found["rejected"] == {"dense_units < 8": 1}
    (trial,) = found["trials"]
    assert (trial["family"], trial["dataset"], trial["parameters"]) == ("ann", "digits", 64 * 4 + 4 + 4 * 10 + 10)
    assert trial["values"]["dense_units"] == 4
    assert trial["values"]["learning_rate"] == 1e-3
    assert "1 rejected by dense_units < 8" in tuner(tmp_path, "space", "good").stdout
    assert not (tmp_path / "runs").exists()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with searches/, for commands that run in this process."""
    (tmp_path / "searches").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNER_DATA_DIR", raising=False)
    return tmp_path


def test_configurations_that_differ_in_the_recipe_have_the_size_of_their_network(here: Path) -> None:
    space = "dense_units = [4, 8]\nlearning_rate = [1e-3, 1e-2]\nbatch_size = [8, 16]"
    (here / "searches" / "good.toml").write_text(search_file(space=space))
    found = json.loads(CliRunner().invoke(app, ["space", "good", "--json"]).stdout)
    assert found["configurations"] == 8
    sizes = [64 * units + units + units * 10 + 10 for units in (4, 8)]
    assert [trial["parameters"] for trial in found["trials"]] == [sizes[0]] * 4 + [sizes[1]] * 4
    rates = [(trial["values"]["learning_rate"], trial["values"]["batch_size"]) for trial in found["trials"]]
    assert rates == [(1e-3, 8), (1e-3, 16), (1e-2, 8), (1e-2, 16)] * 2


def test_the_dry_run_shows_values_as_they_are_read_and_counts_with_all_their_digits(here: Path) -> None:
    space = "dropout = {min = 0.1, max = 0.6}\ndense_units = {min = 4, max = 8}"
    search = "family = 'ann'\nalgorithm = 'random'\nmax_trials = 3"
    (here / "searches" / "good.toml").write_text(search_file(search=search, space=space))
    shown = CliRunner().invoke(app, ["space", "good"]).stdout
    trials = json.loads(CliRunner().invoke(app, ["space", "good", "--json"]).stdout)["trials"]
    for line, trial in zip(shown.splitlines(), trials, strict=False):
        exact = trial["values"]["dropout"]
        assert len(str(exact)) > 10
        assert line.endswith(f"dense_units={trial['values']['dense_units']}, dropout={exact:.4g}")


def test_of_a_large_search_the_first_configurations_are_shown_and_all_are_counted(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "searches" / "large.toml").write_text(
        search_file(space="dense_units = {min = 1, max = 50000}", rules="where = ['dense_units != 2']")
        + "[[search]]\nfamily = 'ann'\nname = 'small'\n[search.space]\nlearning_rate = [0.1, 0.2, 0.3]\n"
    )
    monkeypatch.setattr("tuner.running.dryrun.FIRST_SHOWN", 2)
    lines = CliRunner().invoke(app, ["space", "large"]).stdout.splitlines()
    assert [line.rsplit("  ", 1)[1].split(", ")[0] for line in lines[:5]] == [
        "dense_units=1",
        "dense_units=3",
        *["dense_units=128"] * 3,
    ]
    assert lines[5:7] == ["50002 configurations, of which 5 are shown", "1 rejected by dense_units != 2"]
    assert "max_trials" in lines[7]
    found = json.loads(CliRunner().invoke(app, ["space", "large", "--json"]).stdout)
    assert (found["configurations"], len(found["trials"])) == (50_002, 5)
    assert found["rejected"] == {"dense_units != 2": 1}


def test_a_grid_that_cannot_be_counted_is_listed_with_what_it_has_at_most(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuner.space.space._MOST_EFFORT", 100)
    space = "dense_units = {min = 1, max = 1000}\nbatch_size = {min = 1, max = 1000}"
    (here / "searches" / "large.toml").write_text(
        search_file(space=space, rules="where = ['dense_units * batch_size % 7 == 1']")
    )
    (row,) = CliRunner().invoke(app, ["list"]).stdout.splitlines()[1:]
    assert row.split()[:4] == ["large", "ANN", "digits", "<=1000000"]
    refusal = CliRunner().invoke(app, ["space", "large"]).exception
    assert isinstance(refusal, InputError)
    assert "searches/large.toml [[search]] 1 rules: read so many values together" in str(refusal)
    assert "1,000,000 configurations" in str(refusal)


def test_list_names_the_file_of_a_rule_that_cannot_be_computed(here: Path) -> None:
    (here / "searches" / "good.toml").write_text(search_file())
    (here / "searches" / "wrong.toml").write_text(search_file(rules="where = ['1 / (dense_units - 8) < 0']"))
    answer = CliRunner().invoke(app, ["list"])
    assert [line.split()[0] for line in answer.stdout.splitlines()] == ["search", "good", "wrong"]
    assert "searches/wrong.toml rule: '1 / (dense_units - 8) < 0' cannot be computed" in str(answer.exception)


def test_list_closes_its_ledger_whatever_is_wrong(here: Path) -> None:
    for name, text in (("good", search_file()), ("wrong", "no search file")):
        (here / "searches" / f"{name}.toml").write_text(text)
    Ledger(here / "runs" / "ledger.sqlite").close()
    answer = CliRunner().invoke(app, ["list"])
    assert isinstance(answer.exception, InputError)  # whose traceback keeps what the command held
    assert [file.name for file in (here / "runs").iterdir()] == [
        "ledger.sqlite"
    ]  # SQLite's own go with the last reader


def test_ctrl_c_while_the_command_is_being_imported_ends_it_without_a_word(tmp_path: Path) -> None:
    # `-m` looks into the current folder first: this stands in for what the command line imports.
    (tmp_path / "click.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    answer = real_tuner(tmp_path, "list")
    assert (answer.returncode, answer.stdout, answer.stderr) == (130, "", "")
