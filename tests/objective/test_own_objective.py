"""An objective of the user's own, by dotted path: named by its code, tried, and told in one line where it fails."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from made_up import RAW, Project, first
from written import words

from tuner.datasets.base import Dataset
from tuner.errors import InputError, LostError, TrialError
from tuner.executors.shipping import Sender
from tuner.objective import OwnObjective, objective_of
from tuner.objective.own import own_objective
from tuner.report.comparison import comparison_frame, selection_section
from tuner.running.checks import with_code
from tuner.search_file.file import parse_search
from tuner.search_file.model import Search
from tuner.search_file.overrides import Overrides
from tuner.trial import Job, Trial
from tuner.worker.own_objective import Asked, try_objective

#: What is lost where a wrong answer costs as much as the classes lie apart.
CODE = """import numpy as np
from parts import distance

def cost(labels, probabilities):
    return np.mean(distance(labels, probabilities.argmax(axis=1)))
"""
PARTS = "def distance(a, b):\n    return abs(a - b)\n"
#: Three images of the classes 0, 1 and 2, taken for 0, 0 and 1: 0 + 1 + 1 of 3.
LABELS = np.array([0, 1, 2])
ANSWERS = np.eye(3, dtype=np.float32)[[0, 0, 1]]
NAMES = ("top", "middle", "bottom")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "own").mkdir()
    written(tmp_path / "own", metrics=CODE, parts=PARTS)
    for name in ("metrics", "parts"):  # which other tests may have imported from elsewhere
        sys.modules.pop(name, None)
    yield tmp_path / "own"
    for name in ("metrics", "parts"):
        sys.modules.pop(name, None)


def written(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)


def a_search(folder: Path, **more: object) -> Search:
    raw = {**RAW, "published": {"study": "S"}, "objective": "metrics:cost", "direction": "min", **more}
    return parse_search(raw, "small", folder, Overrides(), "")


def own(folder: Path) -> OwnObjective:
    return own_objective("metrics:cost", "min", folder)


def trial_of(search: Search) -> Trial:
    return search.trial(search.model_searches[0], "blobs", "0" * 16, {"dense_units": 4}, None)


def test_it_computes_what_the_function_returns_and_is_better_the_way_that_the_file_says(folder: Path) -> None:
    objective = own(folder)
    assert objective.score(LABELS, ANSWERS, NAMES) == pytest.approx(2 / 3)
    assert objective.gain(0.1) > objective.gain(0.2)
    upwards = own_objective("metrics:cost", "max", folder)
    assert upwards.gain(0.2) > upwards.gain(0.1)
    assert (objective.column, objective.test_column) == ("val_metrics:cost", "test_metrics:cost")
    assert (objective.words, objective.head) == ("validation cost", "val. cost")
    assert (objective.low, objective.high) == (None, None)


def test_a_function_of_an_installed_package_serves_as_it_is(tmp_path: Path) -> None:
    objective = own_objective("sklearn.metrics:log_loss", "min", tmp_path)
    answers = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.25, 0.25, 0.5]], np.float32)
    assert objective.score(LABELS, answers, NAMES) == pytest.approx(np.log(2))
    assert objective.code_folder() is None


def test_what_it_is_given_is_a_copy(folder: Path) -> None:
    written(folder, metrics="def cost(labels, answers):\n    answers[:] = 0\n    labels[:] = 0\n    return 1")
    given = ANSWERS.copy()
    assert own(folder).score(LABELS, given, NAMES) == 1
    assert (given == ANSWERS).all()


@pytest.mark.parametrize("edited", ["metrics", "parts"])
def test_a_trial_is_named_by_the_code_with_all_own_modules_that_it_imports(folder: Path, edited: str) -> None:
    read = with_code(a_search(folder))
    trial = trial_of(read)
    assert trial.objective == f"metrics:cost min {read.model_searches[0].objective.source}"  # type: ignore[attr-defined]
    known = objective_of(trial.objective)
    assert (known.name, known.direction, known.code) == ("metrics:cost", "min", trial.objective)
    assert Trial.from_json(trial.to_json()) == trial
    assert trial_of(with_code(a_search(folder))).id == trial.id
    assert trial_of(with_code(a_search(folder, direction="max"))).id != trial.id
    text = (folder / f"{edited}.py").read_text()
    written(folder, **{edited: text + "\nx = 1\n"})
    assert trial_of(with_code(a_search(folder))).id != trial.id
    assert with_code(read).model_searches[0].objective is read.model_searches[0].objective  # it is read once for a run
    written(folder, **{edited: text})
    assert trial_of(with_code(a_search(folder))).id == trial.id


def test_without_its_code_no_trial_is_made(folder: Path) -> None:
    with pytest.raises(RuntimeError, match="the code of metrics:cost was not read"):
        trial_of(a_search(folder))


def test_code_that_was_edited_is_not_taken_for_the_code_of_the_trials(folder: Path) -> None:
    read = with_code(a_search(folder)).model_searches[0].objective
    written(folder, parts=PARTS + "x = 1\n")
    with pytest.raises(LostError, match="metrics:cost: its code is not the code that trials were chosen by"):
        read.score(LABELS, ANSWERS, NAMES)


def test_a_function_that_is_edited_in_one_process_is_imported_anew(folder: Path) -> None:
    assert own(folder).with_source().score(LABELS, ANSWERS, NAMES) == pytest.approx(2 / 3)
    written(folder, parts="def distance(a, b):\n    return 2 * abs(a - b)\n")
    assert own(folder).with_source().score(LABELS, ANSWERS, NAMES) == pytest.approx(4 / 3)


WRONG = {
    "no module": ("", "nowhere:cost", "no module 'nowhere' for 'nowhere:cost'; put it in "),
    "a kind of a class misspelt": (
        "",
        "recal:bottom",
        "no module 'recal' for 'recal:bottom'; did you mean 'recall:bottom'?",
    ),
    "not importable": ("import numpy\n1 / 0", "metrics:cost", "cannot be imported (ZeroDivisionError: .*py line 2)"),
    "no Python": ("def cost(", "metrics:cost", "'metrics' cannot be imported (SyntaxError: "),
    "leaving": ("import sys\nsys.exit(3)", "metrics:cost", "'metrics' cannot be imported (SystemExit: 3"),
    "no such name": ("def costs(): ...", "metrics:cost", "metrics has no 'cost'; did you mean 'costs'?"),
    "not callable": ("cost = 3", "metrics:cost", "'metrics:cost' is no function score(labels, probabilities), but int"),
    "raises": ("def cost(a, b):\n    raise ValueError('no')", "metrics:cost", "metrics:cost raised ValueError: no"),
    "takes less": ("def cost(a): return 1", "metrics:cost", "metrics:cost raised TypeError: cost() takes 1 positional"),
    "NaN": ("def cost(a, b): return float('nan')", "metrics:cost", "metrics:cost returned nan of made-up prob"),
    "nothing": ("def cost(a, b): ...", "metrics:cost", "metrics:cost returned NoneType, not a number"),
    "a text": ("def cost(a, b): return '0.5'", "metrics:cost", "metrics:cost returned str, not a number"),
    "several numbers": ("def cost(a, b): return b", "metrics:cost", "metrics:cost returned ndarray, not a number"),
    "a hidden module": (
        "import importlib\nimportlib.import_module('parts')\ndef cost(a, b): return 1",
        "metrics:cost",
        "metrics:cost loads parts.py otherwise than by an import statement",
    ),
}


@pytest.mark.parametrize(("code", "path", "says"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_with_it_is_one_line_before_anything_is_trained(
    folder: Path, code: str, path: str, says: str
) -> None:
    written(folder, metrics=code)
    error = try_objective(Asked(path, "max", folder, LABELS, 3))
    assert isinstance(error, InputError)
    line = str(error)
    head, _, tail = says.partition(".*")
    assert line.startswith("objective: ")
    assert head in line
    assert tail in line
    assert "\n" not in line


def test_what_raises_is_not_called_by_the_dry_run_which_knows_no_labels(folder: Path) -> None:
    written(folder, metrics="def cost(a, b):\n    raise ValueError(len(a))")
    assert try_objective(Asked("metrics:cost", "max", folder, None, 0)) is None
    written(folder, metrics="cost = 3")
    assert try_objective(Asked("metrics:cost", "max", folder, None, 0)) is not None


def test_what_raises_in_training_fails_the_trial(folder: Path) -> None:
    written(folder, metrics="def cost(a, b):\n    raise ValueError('no')")
    with pytest.raises(TrialError, match="metrics:cost raised ValueError: no"):
        own(folder).score(LABELS, ANSWERS, NAMES)


def test_the_direction_is_said_of_an_objective_of_ones_own_alone(folder: Path) -> None:
    assert [one.objective.direction for one in a_search(folder).model_searches] == ["min", "min"]
    assert a_search(folder, direction=None).model_searches[0].objective.direction == "max"
    with pytest.raises(InputError, match="direction: is for an objective of your own: log_loss has its direction"):
        a_search(folder, objective="log_loss")
    with pytest.raises(InputError, match="direction: 'down' is not 'max' or 'min'"):
        a_search(folder, direction="down")
    ann, cnn = RAW["search"]  # type: ignore[misc]
    with pytest.raises(InputError, match=r"\[\[search\]\] 1 direction: needs an objective beside it"):
        a_search(folder, search=[{**ann, "direction": "min"}, cnn])
    mixed = a_search(folder, search=[ann, {**cnn, "objective": "sklearn.metrics:log_loss", "direction": "min"}])
    assert [one.name for one in mixed.objectives] == ["metrics:cost", "sklearn.metrics:log_loss"]


def test_it_travels_to_other_machines_with_what_it_imports(folder: Path, tmp_path: Path) -> None:
    sent: list[dict[str, object]] = []
    job = Job(trial_of(with_code(a_search(folder))), tmp_path / "data", tmp_path / "models", folder)
    sender = Sender(lambda files: sent.append(dict(files)) or len(sent))
    sender._data[job.data] = None  # which is not what this is about
    parcel = sender.pack(job)
    assert parcel.modules == 1
    assert sent[0].keys() >= {"metrics.py", "parts.py"}
    sender.close()


@pytest.fixture
def project(folder: Path, blobs: Dataset) -> Project:
    made = Project(folder, blobs, {**RAW, "published": {"study": "S"}, "objective": "metrics:cost", "direction": "min"})
    made.search = with_code(made.search)
    ann = made.searched("ann", [0.5, 0.3])
    cnn = made.searched("cnn", [0.5, 0.3, 0.9, 0.2, 0.4, 0.6])
    made.retrained("ann", ann[1], [first(30), first(32)])
    made.retrained("cnn", cnn[3], [first(40), first(42)])
    return made


def test_the_choice_and_the_report_follow_it(project: Project, blobs: Dataset) -> None:
    findings = project.findings()
    assert [chosen.winner.score for chosen in findings.chosen if chosen.winner] == [0.3, 0.2]
    section = selection_section(findings)
    assert section is not None
    said = words(section)
    assert "by cost, as the best of 2 trials" in said
    assert "retrained mean test cost ± sd" in said
    frame = comparison_frame(findings)
    for chosen, mean in zip(findings.chosen, frame["test_metrics:cost"], strict=True):
        by_hand = [np.abs(p.labels - p.predicted).mean() for p in chosen.all_predictions]
        assert mean == pytest.approx(np.mean(by_hand))


def test_a_report_without_the_code_as_it_was_says_what_is_not_known(project: Project, folder: Path) -> None:
    before = project.findings()
    assert "could not be scored" not in words(selection_section(before))
    written(folder, parts=PARTS + "x = 1\n")
    project.search = a_search(folder)  # as a report reads it
    findings = project.findings()
    assert [one.objective.code for one in findings.search.model_searches] == [
        one.objective.code for one in before.search.model_searches
    ]
    assert [chosen.winner.score for chosen in findings.chosen if chosen.winner] == [0.3, 0.2]


def test_scores_of_test_images_that_cannot_be_computed_are_told(project: Project, folder: Path) -> None:
    findings = project.findings()
    written(folder, parts=PARTS + "x = 1\n")
    lost = findings.objective_of("ann")
    assert isinstance(lost, OwnObjective)
    lost._function = None  # as in a process that has not asked for it yet
    said = words(selection_section(findings))
    told = "The test images could not be scored by metrics:cost: metrics:cost: its code is not the code"
    assert said.count(told) == 1
    assert comparison_frame(findings)["test_metrics:cost"].isna().all()
