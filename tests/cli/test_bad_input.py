"""Wrong input through the real command line: an exit code, one line on stderr that names the place, nothing left.

Each row of a table is a project with something wrong in it, a command, and what the answer has to hold. The tables of
search files and of data are in `bad_searches.py` and `bad_data.py`.

A command is a process of its own with its own file descriptors and exit code, forked from one that has imported what
commands import (`command_line.py`): started one by one from a shell, the rows would take many minutes of imports.
`test_a_forked_command_is_the_same_as_a_real_one` holds rows of each kind against `python -m tuner`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from itertools import chain
from pathlib import Path

import pytest
from bad_data import DATA
from bad_input import (
    LEDGER,
    MODELS,
    Case,
    begun,
    computing_table,
    contents,
    cut_ledger,
    empty_folder,
    foreign_database,
    forged,
    future_version,
    held,
    image_bytes,
    ledger_with,
    ledger_with_a_damaged_page,
    link,
    looser_table,
    npz_bytes,
    own_network,
    parameters,
    photos,
    pipe,
    recursive_view,
    search_text,
    trigger,
    written,
)
from bad_runs import RUNS, publish
from bad_searches import FILES, NETWORKS, RULES
from command_line import CLI, KERAS, RUN, Answer, CommandServer, real_command
from made_up import make_strangers_project
from small_project import server

from tuner.datasets.folder import load_folder
from tuner.datasets.npz import load_npz
from tuner.search_file.file import load_search

GOOD = written("searches/wrong.toml", search_text())
COMMANDS = [
    Case("no command", ("Missing command", "--help"), (), ""),
    Case("unknown command", ("'rum'", "'run'"), (GOOD,), "rum wrong"),
    Case("unknown option", ("--epoch", "--epochs"), (GOOD,), "run wrong --epoch 3"),
    Case("no name", ("NAME", "--help"), (GOOD,), "run"),
    Case("two names", ("wronger", "--help"), (GOOD,), "run wrong wronger"),
    Case("an option without its value", ("--epochs",), (GOOD,), "run wrong --epochs"),
    Case("a search that is not there", ("wrnog", "no such search", "did you mean 'wrong'?"), (GOOD,), "run wrnog"),
    Case(
        "a path that is not there", ("searches/wrnog.toml", "searches/wrong.toml"), (GOOD,), "run searches/wrnog.toml"
    ),
    Case(
        "a split in place of its search",
        ("wrong#2", "is a split of the search wrong", "name wrong"),
        (GOOD,),
        "run wrong#2",
    ),
    Case(
        "a search named as a folder of reports",
        ("a", "reports stand in reports/a", "another name"),
        (written("searches/a.toml", search_text()), written("reports/a/digits/report.md", "# Digits")),
        "run a",
    ),
    Case("a folder in place of a name", ("searches", "no such search"), (GOOD,), "run searches"),
    Case("a folder as a path", ("./searches/", "searches is no search file"), (GOOD,), "run ./searches/"),
    Case("a name without letters", ("NAME",), (GOOD,), "run ''"),
    Case("another project's file", ("notes.txt",), (GOOD, written("notes.txt", "x")), "run ./notes.txt"),
    Case("no searches here", ("wrong", "no folder searches/"), (), "run wrong"),
    *[
        Case(f"{option} {value}", (option, says), (GOOD,), f"run wrong {option} {value}")
        for option, value, says in (
            ("--epochs", "0", "0 is not in the range"),
            ("--epochs", "-1", "-1 is not in the range"),
            ("--epochs", "many", "'many' is not a valid integer"),
            ("--epochs", "1.5", "'1.5' is not a valid integer"),
            ("--epochs", "1000000000000", "is not in the range"),
            ("--workers", "0", "0 is not in the range"),
            ("--workers", "1000000000", "is not in the range"),
            ("--train-size", "1", "1 is not in the range"),
            ("--test-size", "0", "0 is not in the range"),
            ("--repeats", "101", "101 is not in the range"),
            ("--executor", "nope", "known: local, ray"),
            ("--address", "nowhere --executor ray", "'nowhere' is not written as HOST:PORT"),
            ("--address", "127.0.0.1:1 --executor ray", "no Ray cluster answers at 127.0.0.1:1"),
            ("--address", "head:6379", "pass --executor=ray"),
            ("--cpus-per-trial", "0", "is not in the range"),
            ("--gpus-per-trial", "-1", "-1 is not from 0 to 1"),
            ("--gpus-per-trial", "1.5", "1.5 is not from 0 to 1: a trial computes on one GPU"),
            ("--gpus-per-trial", "2", "2 is not from 0 to 1: a trial computes on one GPU"),
            ("--gpus-per-trial", "2 --executor ray", "2 is not from 0 to 1: a trial computes on one GPU"),
            ("--gpus-per-trial", "nan", "nan is not from 0 to 1"),
            ("--gpus-per-trial", "one", "'one' is not a valid float"),
            ("--cpus-per-trial", "nan", "nan is no number of cores"),
            ("--cpus-per-trial", "1000", "a trial cannot take 1000 cores: this machine has"),
            ("--cpus-per-trial", "1e300", "is not in the range"),
            ("--workers", "1000", "1,000 are too many: this machine has"),
            ("--repeats", "1000000000000", "is not in the range"),
            ("--train-size", "1501", "1,501 is more than the 1,500 training images of digits; leave it out"),
            ("--train-size", "1000000000000000000000", "is more than the 1,500 training images"),
            ("--test-size", "298", "298 is more than the 297 test images of digits; leave it out"),
            ("--executor", "locl", "did you mean 'local'?"),
            ("--data-dir", "missing", "missing is not a folder"),
            ("--data-dir", "searches/wrong.toml", "is not a folder"),
            ("--runs-dir", "searches/wrong.toml", "is a file"),
            ("--runs-dir", "searches/wrong.toml/runs", "searches/wrong.toml"),
            ("--reports-dir", "searches/wrong.toml", "is a file"),
            ("--reports-dir", "searches/wrong.toml/reports", "searches/wrong.toml"),
            ("--train-size", "5", "5 of 1500 images"),
            ("--train-size", "12", "12 training images are too few"),
            ("--test-size", "5", "5 of 297 images"),
        )
    ],
    Case("a report that would be a file", ("reports/wrong", "--reports-dir"), (GOOD, written("reports/wrong", "x"))),
    Case("data folder of the environment", ("data-dir", "missing"), (GOOD,), environment={"TUNER_DATA_DIR": "missing"}),
    Case(
        "unknown backend",
        ("KERAS_BACKEND", "'tensorflwo'", "'tensorflow'"),
        (GOOD,),
        environment={"KERAS_BACKEND": "tensorflwo"},
    ),
    Case(
        "a backend that cannot train here",
        ("KERAS_BACKEND", "'torch'"),
        (GOOD,),
        environment={"KERAS_BACKEND": "torch"},
    ),
    Case("an unknown format", ("--format", "'xml'", "'csv'"), (GOOD,), "results wrong --format xml"),
    Case("predict without images", ("IMAGE", "--help"), (GOOD,), "predict model.keras"),
    Case("new without data", ("--data",), (GOOD,), "new mine"),
    Case("new with a bad name", ("NAME", "'a/b'", "letters"), (GOOD,), "new a/b --data digits"),
    Case("new with an ending", ("NAME", "'a.toml'", "without .toml"), (GOOD,), "new a.toml --data digits"),
    Case("new over a file", ("searches/wrong.toml", "there already", "--force"), (GOOD,), "new wrong --data digits"),
    Case("new with unknown data", ("'digitz'", "did you mean 'digits'?"), (GOOD,), "new mine --data digitz"),
    Case("new with a text file", ("notes.txt", ".npz"), (GOOD, written("notes.txt", "x")), "new mine --data notes.txt"),
    Case(
        "new where no folder can be",
        ("searches/mine.toml", "cannot be written"),
        (written("searches", "x"),),
        "new mine --data digits",
    ),
    Case(
        "new in a folder of no classes",
        ("photos", "no class folders"),
        (empty_folder("photos"),),
        "new mine --data photos",
    ),
]

RECORDED = [
    *[
        Case(
            f"{command} before any run",
            ("wrong", "has not been run here", "tuner run wrong"),
            (GOOD,),
            f"{command} wrong",
        )
        for command in ("results", "report", "compare", "verify")
    ],
    *[
        Case(
            f"{command} of another search",
            ("other", "has not been run here", "tuner run other"),
            (GOOD, written("searches/other.toml", search_text()), ledger_with()),
            f"{command} other",
        )
        for command in ("results", "report", "compare", "verify")
    ],
    *[
        Case(
            f"{command} of a name that no search has, {when}",
            ("wrnog", "no such search", "did you mean 'wrong'?"),
            given,
            f"{command} wrnog",
        )
        for command in ("results", "report", "compare", "verify")
        for when, given in (("before any run", (GOOD,)), ("after a run", (GOOD, ledger_with())))
    ],
    Case("results by path", ("searches/wrong.toml", "has not been run here"), (GOOD,), "results searches/wrong.toml"),
    *[
        Case(f"{command} with {what}", (LEDGER, *says), (GOOD, given), command)
        for command in ("run wrong", "results wrong", "list")
        for what, given, says in (
            (
                "a text file as ledger",
                written(LEDGER, "trial,accuracy\n" * 100),
                ("is not a ledger", "keep the file", "--runs-dir"),
            ),
            ("another program's database", foreign_database, ("another program's database", "--runs-dir")),
            ("half a ledger", cut_ledger(0.5), ("is damaged", "keep the file", "--runs-dir")),
            ("a ledger of a later version", ledger_with(future_version), ("version", "--runs-dir")),
            ("a view that never ends", ledger_with(recursive_view), ("'kept'", "no ledger of ours has", "--runs-dir")),
            ("a trigger", ledger_with(trigger), ("has the trigger 't'", "keep the file", "--runs-dir")),
            (
                "an index of its own",
                ledger_with(lambda db: db.execute("CREATE INDEX i ON trials (abs(seconds))")),
                ("has the index 'i'", "keep the file"),
            ),
            ("a table that takes anything", ledger_with(looser_table), ("'members' of other columns than ours",)),
            ("a table that computes", ledger_with(computing_table), ("in its table 'members', which ours has not",)),
            ("a table less", ledger_with(lambda db: db.execute("DROP TABLE trials")), ("lacks the table 'trials'",)),
            ("a pipe as ledger", pipe(LEDGER), ("is not a file", "pipes, devices")),
            ("a device as ledger", link(LEDGER, "/dev/zero"), ("is a link, and nothing is written through links",)),
            ("a link as ledger", link(LEDGER, "../other.sqlite"), ("is a link", "remove it")),
        )
    ],
    Case("verify of a search without a model", ("wrong", "no saved model"), (GOOD, begun()), "verify wrong", code=1),
    *[
        Case(
            f"{command} of a search that nobody can read: {content}",
            (LEDGER, "not as a run records it"),
            (GOOD, begun(content)),
            command,
        )
        for command in ("results wrong", "report wrong", "list")
        for content in ("no JSON", "[]", '{"name": "wrong"}')
    ],
    *[
        Case(
            f"{command} of a row that no run wrote: {change[:50]}",
            (LEDGER, "holds what no run wrote", *says),
            (GOOD, forged(change)),
            f"{command} wrong",
        )
        for command in ("results", "report", "compare", "verify", "export --to optuna --storage sqlite:///study.db")
        for change, *says in (
            ("UPDATE trials SET seconds = 9e999", "seconds: inf"),
            ("UPDATE trials SET layers = '[{}]'", "layers.0.name"),
            ("UPDATE members SET number = -1", "number -1"),
        )
    ],
    *[
        Case(
            f"{command} of a time that no run wrote: {change[:50]}",
            (LEDGER, "holds what no run wrote", "no time in UTC from 1970 to 2199"),
            (GOOD, forged(change)),
            f"{command} wrong",
        )
        for command in ("report", "verify", "export --to optuna --storage sqlite:///study.db")
        for change in (
            "UPDATE trials SET finished = '9999-12-31T23:59:59.999+00:00'",
            "UPDATE trials SET began = '0001-01-01T00:00:00.000+00:00'",
        )
    ],
    *[
        Case(f"run with a link: {path}", (path, "is a link, and nothing is written through links"), (GOOD, *given))
        for path, *given in (
            ("reports/wrong", link("reports/wrong", "../elsewhere"), empty_folder("elsewhere")),
            ("runs/models", link("runs/models", "../elsewhere"), empty_folder("elsewhere")),
            ("runs/data", link("runs/data", "/nowhere")),
            ("runs/locks", link("runs/locks", "../elsewhere"), empty_folder("elsewhere")),
        )
    ],
    Case(
        "run with a lock file that is a link",
        ("runs/locks/wrong.lock", "is a link"),
        (
            GOOD,
            ledger_with(),
            link("runs/locks/wrong.lock", "../../notes.txt"),
            written("notes.txt", "27 bytes of another file.\n"),
        ),
    ),
    Case(
        "run with a lock file that is a pipe",
        ("runs/locks/wrong.lock", "is not a file"),
        (GOOD, ledger_with(), pipe("runs/locks/wrong.lock")),
    ),
    Case(
        "report into a folder that is a link",
        ("reports/wrong", "is a link, and nothing is written through links"),
        (
            GOOD,
            begun(),
            link("reports/wrong", "../elsewhere"),
            empty_folder("elsewhere"),
        ),
        "report wrong",
    ),
    Case("a ledger with a damaged page", (LEDGER, "is damaged", "keep the file"), (GOOD, ledger_with_a_damaged_page)),
    Case("a folder as ledger", (LEDGER, "cannot be written"), (GOOD, empty_folder(LEDGER))),
    Case(
        "the same search started twice",
        ("wrong", "is being run by process", "wait for it"),
        (GOOD, ledger_with()),
        meanwhile=held,
    ),
]

PICTURE = written("a.png", image_bytes())
PREDICTED = [
    Case("no such model", ("none.keras", "no such model file"), (PICTURE,), "predict none.keras a.png"),
    Case("a folder as model", ("models", "is a folder"), (empty_folder("models"),), "predict models a.png"),
    *[
        Case(
            f"{what} as model",
            ("x.keras", "is not a .keras file", *says),
            (written("x.keras", content), PICTURE),
            "predict x.keras a.png",
        )
        for what, content, says in (("a text file", b"a model", ()), ("a picture", image_bytes(), ()))
    ],
    *[
        Case(
            f"a model of {what}",
            (f"{model}.keras", *says),
            (PICTURE,),
            f"predict {model}.keras a.png",
            models=(f"{model}.keras",),
        )
        for what, model, says in (
            ("code", "code", ("carries code",)),
            ("numbers", "numbers", ("(None, 10)", "not images")),
            ("infrared images", "infrared", ("image files", "takes 4 channels", "tuner.predict")),
            ("images of any size", "any_size", ("(None, None, None, 1)", "of one size")),
            ("two answers", "two_answers", ("answers of shape", "a probability per class")),
            ("weights that are no numbers", "nan", ("answers with NaN (6 of its 6 weights are NaN or infinite)",)),
            ("more weights than it holds", "hollow", ("describes a network of", "weights and holds")),
            ("values that no memory holds", "wide", ("GB of memory for one image, and at most 1 GB are given",)),
        )
    ],
    *[
        Case(
            f"{what} to predict",
            (image, *says),
            (given,),
            f"predict small.keras {image}",
            models=("small.keras",),
        )
        for what, image, given, says in (
            ("no image", "b.png", PICTURE, ("no such file or folder",)),
            ("a folder without images", "b.png", empty_folder("b.png"), ("has no image in it",)),
            ("a text file", "b.png", written("b.png", "a cat"), ("cannot be read as an image",)),
            ("half an image", "b.png", written("b.png", image_bytes((80, 80))[:-40]), ("broken",)),
            (
                "an image of real numbers",
                "b.png",
                written("b.png", image_bytes(mode="F", kind="tiff")),
                ("real numbers",),
            ),
        )
    ],
    Case(
        "one bad image of two",
        ("b.png", "cannot be read"),
        (PICTURE, written("b.png", "")),
        "predict small.keras a.png b.png",
        models=("small.keras",),
    ),
]
#: What a script may do to the streams of a command that then has to say what is wrong.
STREAMS = [
    Case(
        f"{command} with {what}",
        says,
        (GOOD,),
        command,
        streams=streams,
    )
    for what, streams in (
        ("a closed output", {1: "closed"}),
        ("a closed input", {0: "closed"}),
        ("an output that nobody reads", {1: "broken"}),
        ("no room for its output", {1: "full"}),
        ("closed streams but one", {0: "closed", 1: "closed"}),
    )
    for command, says in (
        ("run wrnog", ("did you mean 'wrong'?",)),
        ("results wrong", ("has not been run here",)),
        ("run wrong --epochs 0", ("--epochs",)),
    )
]
#: The tables, by what their commands import.
TABLES = {CLI: [*FILES, *RULES], RUN: [*COMMANDS, *RECORDED, *DATA, *RUNS, *STREAMS], KERAS: [*NETWORKS, *PREDICTED]}


Servers = Mapping[tuple[str, ...], CommandServer]


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with ExitStack() as stack:
        yield {modules: stack.enter_context(CommandServer(modules)) for modules in (CLI, RUN)} | {KERAS: server()}


@pytest.fixture(scope="module")
def models(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with models that Keras loads."""
    folder = tmp_path_factory.mktemp("models")
    saved = servers[KERAS].execute(folder, MODELS)
    assert saved.code == 0, saved.err
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, blobs_file: Path) -> Path:
    """What a finished search left: its ledger, its data and predictions, models of a few bytes with their cards."""
    folder = tmp_path_factory.mktemp("made")
    publish(folder, make_strangers_project(folder, blobs_file))
    return folder


def answer_to(case: Case, folder: Path, run: Callable[..., Answer]) -> Answer:
    """Set up a case in `folder`, run its command and check that the folder is as it was."""
    for given in case.given:
        given(folder)
    more = {"streams": case.streams} if case.streams else {}
    with case.meanwhile(folder):
        before = contents(folder)
        answer = run(folder, *case.arguments, environment=case.environment, **more)
        assert contents(folder) == before
    return answer


def check(case: Case, answer: Answer) -> None:
    assert "Traceback" not in answer.err
    assert len(answer.err.splitlines()) == 1, answer.err
    assert answer.err.startswith("tuner: ")
    assert answer.err.endswith("\n")
    assert [text for text in case.says if text not in answer.err] == [], answer.err
    assert answer.code == case.code
    assert answer.out == "" or case.command == "list"  # which tells of the good searches beside


@pytest.mark.parametrize("case", parameters(chain(*TABLES.values())))
def test_wrong_input_costs_one_line_and_leaves_nothing(
    case: Case, tmp_path: Path, servers: Servers, request: pytest.FixtureRequest
) -> None:
    for name in case.models:
        shutil.copy(request.getfixturevalue("models") / name, tmp_path)
    if case.made:
        shutil.copytree(request.getfixturevalue("made"), tmp_path, dirs_exist_ok=True)
    server = next(servers[modules] for modules, table in TABLES.items() if case in table)
    check(case, answer_to(case, tmp_path, server.run))


@pytest.mark.parametrize("command", ["run wrong", "space wrong", "new mine --data photos"])
def test_all_bad_images_of_a_folder_are_listed_below_the_line_and_many_are_counted(
    command: str, tmp_path: Path, servers: Servers
) -> None:
    written("searches/wrong.toml", search_text(dataset='dataset = "photos"'))(tmp_path)
    photos(*(written(f"photos/ant/x{n:02}\x1b.png", "x") for n in range(23)))(tmp_path)
    before = contents(tmp_path)
    answer = servers[RUN].run(tmp_path, *command.split())
    first, *others, last = answer.err.splitlines()
    assert answer.code == 2
    assert first.startswith("tuner: ")
    assert first.endswith("photos: 23 files cannot be used; mend or remove them, or leave them out with --skip-bad")
    assert [line.partition(": ")[0] for line in others] == [f"  ant/x{n:02}\\x1b.png" for n in range(20)]
    assert all("cannot be read as an image" in line for line in others)
    assert last == "  and 3 more"
    assert contents(tmp_path) == before


OTHER_IMAGES = """
import keras
def build(hp):
    return keras.Sequential([keras.Input((9, 9, 3)), keras.layers.Flatten(), keras.layers.Dense(10)])
"""


@pytest.mark.parametrize(
    "case",
    parameters(
        [
            own_network(
                "a network that is none", "def build(hp):\n    return 'a net'\n", "returned str, not a keras.Model"
            ),
            own_network("a network for other images", OTHER_IMAGES, "does not take images of shape (8, 8, 1)"),
        ]
    ),
)
def test_a_search_whose_trials_all_fail_says_why_in_its_last_line(case: Case, tmp_path: Path, servers: Servers) -> None:
    for given in case.given:
        given(tmp_path)
    answer = servers[KERAS].run(tmp_path, *case.arguments)
    *progress, last = answer.err.splitlines()
    assert "Traceback" not in answer.err
    assert progress[0].startswith("search: 1 trials")
    assert last.startswith("tuner: wrong: no trial of ")
    assert [text for text in case.says[1:] if text not in last] == []
    assert "see reports/wrong/report.md" in last
    assert answer.code == 1
    assert {path.name for path in tmp_path.iterdir()} == {"searches", "runs", "reports"}


#: Names like those of half-written files, of processes that there cannot be.
NO_PROCESS = (
    "99999999999999999999",
    "2147483648",
    "4294967297",
    "0",
    "-1",
    "1e9",
    "0x10",
    "\u0663",
    "x",
    "",
    "1" * 200,
)


def test_files_that_are_named_by_no_process_block_no_search_and_stay(tmp_path: Path, servers: Servers) -> None:
    case = own_network("a network that is none", "def build(hp):\n    return 'a net'\n")
    names = [f"{place}/.partial-{number}-x" for place in ("runs/models", "runs/data") for number in NO_PROCESS]
    for given in (*case.given, *(written(name, "a stranger's") for name in names)):
        given(tmp_path)
    answer = servers[KERAS].run(tmp_path, *case.arguments)
    assert answer.code == 1
    assert "Traceback" not in answer.err
    assert answer.err.splitlines()[-1].startswith("tuner: wrong: no trial of ")
    assert {name: (tmp_path / name).read_text() for name in names} == dict.fromkeys(names, "a stranger's")


#: Rows of each kind: of click's errors and of ours, with and without the modules that train.
ALSO_REAL = (
    "misspelt parameter",
    "unknown option",
    "--epochs 0",
    "a search that is not there",
    "results before any run",
    "a folder as ledger",
    "new over a file",
    "no y_test",
    "unknown backend",
)


@pytest.mark.parametrize("case", parameters(case for case in chain(*TABLES.values()) if case.name in ALSO_REAL))
def test_a_forked_command_is_the_same_as_a_real_one(case: Case, tmp_path: Path, servers: Servers) -> None:
    answers = []
    for name, run in (("forked", servers[RUN].run), ("real", real_command)):
        (tmp_path / name).mkdir()
        answers.append(answer_to(case, tmp_path / name, run))
    assert answers[0] == answers[1]
    check(case, answers[1])


def test_the_tables_hold_hundreds_of_inputs_each_of_its_own() -> None:
    names = [case.name for case in chain(*TABLES.values())]
    assert len(names) == len(set(names)) >= 600


def test_what_the_rows_spoil_is_right_before(tmp_path: Path) -> None:
    for given in (GOOD, written("data.npz", npz_bytes()), photos()):
        given(tmp_path)
    assert load_search(tmp_path / "searches" / "wrong.toml").model_searches[0].planned() == 1
    assert load_npz(tmp_path / "data.npz").shape == (8, 8, 1)
    assert load_folder(tmp_path / "photos").class_names == ("ant", "bee")
