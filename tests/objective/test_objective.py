"""An objective of a test's own: all that asks which trial is better asks it, whichever way is up."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up import RAW, Project, first
from numpy.typing import NDArray

from tuner.analysis.results_table import results_table
from tuner.analysis.scopes import scopes
from tuner.analysis.trial_table import column_names, trial_rows
from tuner.datasets.base import Dataset
from tuner.errors import InputError
from tuner.exporters import EXPORTERS, Recorded
from tuner.exporters.base import chosen_by
from tuner.ledger.rows import RowError, record_of
from tuner.objective import ACCURACY, FORMS, OBJECTIVES, Objective, objective_of
from tuner.oracles import Oracle, Pause, Proposal
from tuner.protocol import ranked
from tuner.publish.write import write_report
from tuner.recipe import Stopping
from tuner.running.dryrun import check_objective, dry_run
from tuner.running.proposals import Proposals
from tuner.search_file.file import parse_search
from tuner.search_file.model import Search
from tuner.search_file.overrides import Overrides
from tuner.trial import Record, Result

RAW_OWN = {
    **RAW,
    "search": [
        {"family": "ann", "space": {"dense_units": [2, 4, 8, 16, 32, 64]}},
        {"family": "cnn", "space": {"conv_depth": [1, 2], "filters": [2, 4], "padding": "same"}},
    ],
}
SCORES = {"ann": [0.5, 0.3, 0.7, 0.8, 0.4, 0.6], "cnn": [0.35, 0.9, None, 0.45, 0.55, 0.65]}


class Sureness(Objective):
    """The mean probability of the right class."""

    name, label, doc = "sureness", "mean certainty", "The mean probability of the right class."

    def score(self, labels: NDArray[np.int64], probabilities: NDArray[np.float32], class_names: Sequence[str]) -> float:
        return float(probabilities[np.arange(len(labels)), labels].mean())


class Cost(Sureness):
    """What is lacking to certainty, which is better the lower it is."""

    name, label, doc, direction = "cost", "mean cost", "What lacks to certainty.", "min"

    def score(self, labels: NDArray[np.int64], probabilities: NDArray[np.float32], class_names: Sequence[str]) -> float:
        return 1 - super().score(labels, probabilities, class_names)


@pytest.fixture(params=[Sureness(), Cost()], ids=lambda one: one.name)
def own(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Objective:
    objective: Objective = request.param
    monkeypatch.setitem(OBJECTIVES, objective.name, objective)
    return objective


@pytest.fixture
def project(tmp_path: Path, blobs: Dataset, own: Objective) -> Iterator[Project]:
    made = Project(tmp_path, blobs, {**RAW_OWN, "objective": own.name})
    trials = {model: made.searched(model, scores) for model, scores in SCORES.items()}
    for model, at in best_places(own).items():
        made.retrained(model, trials[model][at], [first(30), first(31)])
    yield made
    made.ledger.close()


def best_places(own: Objective) -> dict[str, int]:
    best = max if own.direction == "max" else min
    return {model: scores.index(best(s for s in scores if s is not None)) for model, scores in SCORES.items()}


def a_search(folder: Path, **more: object) -> Search:
    return parse_search({**RAW_OWN, **more}, "small", folder, Overrides(), "")


def test_the_choice_and_the_ranks_follow_it(project: Project, own: Objective) -> None:
    findings = project.findings()
    for chosen in findings.chosen:
        assert chosen.winner is not None
        assert chosen.winner.score == SCORES[chosen.model][best_places(own)[chosen.model]]
    scores = [record.score for record in ranked(findings.trials())]
    assert scores == sorted(scores, key=own.gain, reverse=True)  # type: ignore[type-var]
    assert len(scores) == 11


def test_the_table_of_results_has_its_column_beside_accuracy(project: Project, own: Objective) -> None:
    trials = project.ledger.search_trials(project.search.name)
    rows = [row for row in trial_rows(trials) if row["status"] == "completed"]
    assert {row["val_accuracy"] for row in rows} == {0.75}
    scores = [row[own.column] for row in rows]
    assert scores == sorted(scores, key=own.gain, reverse=True)  # type: ignore[arg-type]
    names = column_names(rows)
    assert names[names.index("val_loss") + 1] == own.column
    assert f"val. accuracy | {own.head} |" in results_table(project.search, trials)


@pytest.mark.usefixtures("undrawn")
def test_the_report_the_page_and_their_tables_follow_it(project: Project, own: Objective) -> None:
    findings = project.findings()
    folder = write_report(findings).parent
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert f"by {own.label}, as the best of 6 trials" in text
    assert f"| retrained mean test {own.label} ± sd |" in re.sub(" +", " ", text)
    assert f"Chosen by {own.label}; what is compared here is test accuracy." in text
    assert f"{own.label} on validation images:" in text  # by depth, and by pairs of parameters
    assert f"chosen by {own.label}, of which no luck is estimated." in text
    comparison = pd.read_csv(folder / "comparison.csv")
    assert comparison["search_score"].tolist() == [SCORES[m][k] for m, k in best_places(own).items()]
    # Made-up answers give the class that they name 0.8, and a wrong class 0.1 or none.
    by_hand = [np.mean([own.score(p.labels, p.probabilities, ()) for p in c.all_predictions]) for c in findings.chosen]
    assert comparison[f"test_{own.name}"].tolist() == pytest.approx(by_hand)
    assert own.column in pd.read_csv(folder / "trials.csv")
    page = (folder / "report.html").read_text(encoding="utf-8")
    (block,) = re.findall(r'<script[^>]* id="report"[^>]*>(.*?)</script>', page, re.DOTALL)
    data = json.loads(block)
    assert data["objective"]["column"] == own.column
    assert data["objective"]["direction"] == own.direction
    assert own.column in data["trials"]["columns"]
    assert own.column not in data["trials"]["parameters"]
    assert all(curve[own.column][:2] == [0.1, 0.2] for curve in data["curves"].values())
    (front,) = data["fronts"]  # all are of one size, so that the best one alone is on it
    best = ranked(findings.trials())[0]
    assert front["trials"] == [best.trial.id]


def test_what_matters_is_asked_for_it(project: Project, own: Objective) -> None:
    findings = project.findings()
    whole, *_ = scopes(findings, "blobs")
    assert whole.objective is own
    assert sorted(whole.scores) == sorted(s for scores in SCORES.values() for s in scores if s is not None)


def test_displays_call_it_by_its_words(project: Project, own: Objective) -> None:
    import tuner

    findings = project.findings()
    drawn = tuner.SliceDisplay.from_findings(findings, "dense_units")
    assert drawn.ax_.get_ylabel() == own.words
    curves = tuner.LearningCurvesDisplay.from_findings(findings, metric=own.name)
    assert len(curves.ax_.lines) == 2  # of two models, without what training never knew
    lines = tuner.ParallelCoordinatesDisplay.from_findings(findings)
    assert lines.ax_.get_xticklabels()[-1].get_text() == own.words
    drawn_last = [line.get_gid() for line in lines.ax_.lines if len(str(line.get_gid())) == 16][-1]
    assert drawn_last == ranked(findings.trials())[0].trial.id


def test_an_export_says_which_way_is_better(project: Project, own: Objective, tmp_path: Path) -> None:
    optuna = pytest.importorskip("optuna")
    storage = f"sqlite:///{tmp_path / 'study.db'}"
    assert list(EXPORTERS["optuna"](Recorded.read(project.ledger, "small"), storage))
    study = optuna.load_study(study_name="small/ann/blobs", storage=storage)
    assert study.direction.name == ("MAXIMIZE" if own.direction == "max" else "MINIMIZE")
    assert study.metric_names == [own.column]
    assert study.best_trial.number == best_places(own)["ann"]


class Listening(Oracle):
    """Keeps what it hears."""

    adaptive = True

    def __init__(self, count: int) -> None:
        self.heard: list[float | None] = []
        self._left = iter(range(count))

    def propose(self) -> Proposal | Pause:
        number = next(self._left, None)
        return Pause.EXHAUSTED if number is None else Proposal({"dense_units": 2 + number})

    def observe(self, number: int, score: float | None) -> None:
        self.heard.append(score)


def test_an_oracle_hears_what_is_higher_for_the_better(project: Project, own: Objective) -> None:
    entry, oracle = project.search.model_searches[0], Listening(4)
    records = project.findings().trials("ann")[:2]
    proposals = Proposals(
        "ann", "blobs", "search", oracle, lambda p: project.search.trial(entry, "blobs", "0" * 16, p.values, None), 1
    )
    for number, record in enumerate(records):
        proposals.next()
        proposals.finished(number, record)
    proposals.next()
    proposals.next()
    heard = [0.5, 0.3] if own.direction == "max" else [-0.5, -0.3]
    assert oracle.heard == heard


def test_early_stopping_can_watch_it(own: Objective) -> None:
    stopping = Stopping({"early_stopping": "objective", "patience": 1}, own)
    first_epochs = [0.4, 0.6] if own.direction == "max" else [0.6, 0.4]
    for score in (*first_epochs, 0.5):
        assert not stopping.over
        stopping.observe({own.column: score, "val_loss": 1.0, "val_accuracy": 0.5})
    assert stopping.best_epoch == 2
    assert stopping.over


@pytest.mark.slow
def test_a_worker_records_it_for_each_epoch_and_stops_by_it(
    tmp_path: Path, blobs: Dataset, own: Objective, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tuner.datasets.store import save_to_store
    from tuner.trial import ARTIFACTS, Job, artifact_path
    from tuner.worker import training as worker

    training = {"epochs": 4, "early_stopping": "objective", "patience": 1}
    search = a_search(tmp_path, objective=own.name, training=training)
    store = save_to_store(blobs, tmp_path / "store")
    (values, *_) = search.model_searches[0].space.grid()
    trial = search.trial(search.model_searches[0], "blobs", blobs.fingerprint, values, None)
    monkeypatch.setattr(worker, "set_up_process", lambda *_: None)  # the threads of this process are fixed by now
    result = worker.train(Job(trial, store, tmp_path / "models"))
    assert isinstance(result, Result)
    assert result.status == "completed", result.error
    curve = result.history[own.column]
    assert result.best_epoch == 1 + curve.index(max(curve, key=own.gain))
    assert Record(trial, result).score == curve[result.best_epoch - 1]
    path = artifact_path(tmp_path / "models", trial.id, result.files["validation"], ARTIFACTS["validation"])
    from tuner.protocol import validation_labels

    answers = np.load(path)["probabilities"].astype(np.float32)
    again = own.score(validation_labels(trial, blobs), answers, blobs.class_names)
    assert again == pytest.approx(curve[result.best_epoch - 1], abs=2e-3)  # 16 bits are kept of each


def test_a_trial_is_named_by_what_it_is_chosen_by_and_as_ever_by_accuracy(tmp_path: Path, own: Objective) -> None:
    plain, chosen = a_search(tmp_path), a_search(tmp_path, objective=own.name)

    def trial_of(search: Search) -> str:
        return search.trial(search.model_searches[0], "blobs", "0" * 16, {"dense_units": 2}, None).id

    assert trial_of(a_search(tmp_path, objective="accuracy")) == trial_of(plain) != trial_of(chosen)
    # Retrainings choose nothing, unless they hold images out to tell which is saved.
    trial = chosen.trial(chosen.model_searches[0], "blobs", "0" * 16, {"dense_units": 2}, None)
    other = plain.trial(plain.model_searches[0], "blobs", "0" * 16, {"dense_units": 2}, None)
    assert trial.as_final(1).id == other.as_final(1).id
    assert trial.as_final(1, hold_out=0.2).id != other.as_final(1, hold_out=0.2).id


def test_a_ledger_without_its_curve_or_with_one_that_nobody_knows_is_refused(project: Project, own: Objective) -> None:
    with sqlite3.connect(project.workspace.ledger) as ledger:
        ledger.row_factory = sqlite3.Row
        rows = [dict(row) for row in ledger.execute("SELECT * FROM trials WHERE val_accuracy IS NOT NULL")]
    ledger.close()
    kept = {
        name: value for name, value in rows[0].items() if name not in ("trial", "began", "finished", "worker", "node")
    }
    assert record_of(rows[0]["trial"], kept).score is not None
    history = json.loads(kept["history"])
    del history[own.column]
    with pytest.raises(RowError, match=f"the curves .*{own.column}"):
        record_of(rows[0]["trial"], {**kept, "history": json.dumps(history)})
    content = {**json.loads(kept["content"]), "objective": "nothing"}
    with pytest.raises(RowError, match="no objective is named 'nothing'"):
        record_of(rows[0]["trial"], {**kept, "content": json.dumps(content)})


def test_an_unknown_one_is_answered_with_those_that_are_known(tmp_path: Path) -> None:
    for unknown in ("luck", "f1:", "luck:a cat", ""):
        known = f"objective: '{unknown}' is no objective; known: accuracy, .*roc_auc:CLASS"
        with pytest.raises(InputError, match=known):
            a_search(tmp_path, objective=unknown)
    for unknown, near in (("macro_f2", "macro_f1"), ("acuracy", "accuracy"), ("recal:a cat", "recall:a cat")):
        with pytest.raises(InputError, match=f"objective: '{unknown}' is no objective; did you mean '{near}'"):
            a_search(tmp_path, objective=unknown)
    with pytest.raises(InputError, match="objective: 3 is no objective: 'accuracy', "):
        a_search(tmp_path, objective=3)


def test_a_class_that_the_data_set_has_not_is_refused_before_training(tmp_path: Path, blobs: Dataset) -> None:
    with pytest.raises(InputError, match="objective: 'botom' is no class of blobs; did you mean 'bottom'"):
        check_objective(a_search(tmp_path, objective="f1:botom"), "blobs", blobs.class_names)
    check_objective(a_search(tmp_path, objective="f1:bottom"), "blobs", blobs.class_names)


def test_the_dry_run_refuses_a_class_as_a_run_does(tmp_path: Path) -> None:
    for own, place in (
        ({}, "small.toml objective"),
        ({"objective": "recall:10"}, r"small.toml \[\[search\]\] 1 objective"),
    ):
        search = a_search(
            tmp_path, objective="accuracy" if own else "recall:10", dataset="mnist", published={"study": "S"},
            search=[{**RAW_OWN["search"][0], **own}],
        )  # fmt: skip
        with pytest.raises(InputError, match=f"{place}: '10' is no class of mnist; did you mean '1'"):
            dry_run(search, None)


EVERY = [*OBJECTIVES.values(), *(objective_of(form.replace("CLASS", "bee")) for form in FORMS)]


@pytest.mark.parametrize("objective", EVERY, ids=lambda one: one.name)
class TestEveryObjective:
    def test_is_found_by_the_name_that_trials_know_it_by(self, objective: Objective) -> None:
        assert objective_of(objective.code) is objective
        assert objective.doc.endswith(".")

    def test_prefers_right_answers_to_wrong_ones(self, objective: Objective) -> None:
        names, labels = ("ant", "bee", "cow"), np.array([0, 1, 2, 0, 1, 2])
        right = np.full((6, 3), 0.1, np.float32)
        right[np.arange(6), labels] = 0.8
        wrong = np.roll(right, 1, axis=1)
        scores = [objective.score(labels, answers, names) for answers in (right, wrong)]
        assert objective.gain(scores[0]) > objective.gain(scores[1])
        for score in scores:
            assert objective.low is None or score >= objective.low
            assert objective.high is None or score <= objective.high


def test_accuracy_by_hand() -> None:
    answers = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.5, 0.5]], np.float32)
    assert ACCURACY.score(np.array([0, 1, 1, 1]), answers, ("a", "b")) == 0.5  # of equal ones the first is named


#: Six images of three classes, of which the third has one: taken for 0, 0, 1, 1, 1, 0.
ANSWERS = np.array(
    [[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.3, 0.6, 0.1], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1], [0.5, 0.1, 0.4]], np.float32
)
LABELS = np.array([0, 0, 0, 1, 1, 2])
NAMES = ("ant", "bee", "cow")
BY_HAND = {
    "accuracy": 4 / 6,
    "balanced_accuracy": (2 / 3 + 1 + 0) / 3,
    # F1: 2·2 / (3 + 3), 2·2 / (2 + 3), and 0 of a class that occurs and is never named.
    "macro_f1": (2 / 3 + 4 / 5 + 0) / 3,
    # Pairs in order: of class 0 against the rest 8 of 9, of the others all.
    "macro_roc_auc": (8 / 9 + 1 + 1) / 3,
    # Class 0 by score: right, right, wrong, right.
    "macro_average_precision": ((1 + 1 + 3 / 4) / 3 + 1 + 1) / 3,
    "log_loss": -(np.log([0.8, 0.6, 0.3, 0.7, 0.8, 0.4]).sum()) / 6,
    "f1:ant": 2 / 3,
    "recall:ant": 2 / 3,
    "precision:bee": 2 / 3,
    "roc_auc:ant": 8 / 9,
    "precision:cow": 0.0,
}


@pytest.mark.parametrize("name", BY_HAND)
def test_each_by_hand(name: str) -> None:
    assert objective_of("" if name == "accuracy" else name).score(LABELS, ANSWERS, NAMES) == pytest.approx(
        BY_HAND[name], rel=1e-6
    )


def test_every_built_in_one_has_a_number_by_hand() -> None:
    assert set(OBJECTIVES) <= set(BY_HAND)
    assert {form.partition(":")[0] for form in FORMS} <= {name.partition(":")[0] for name in BY_HAND}


@pytest.mark.parametrize("name", ["macro_f1", "balanced_accuracy", "macro_roc_auc", "macro_average_precision"])
def test_a_class_that_does_not_occur_is_not_averaged_in(name: str) -> None:
    objective, four = OBJECTIVES[name], (*NAMES, "dog")
    answers = np.hstack([ANSWERS, np.zeros((6, 1), np.float32)])
    assert objective.score(LABELS, answers, four) == pytest.approx(BY_HAND[name])


@pytest.mark.parametrize("kind", [form.partition(":")[0] for form in FORMS])
def test_of_a_class_that_does_not_occur_there_is_no_score(kind: str) -> None:
    answers = np.hstack([ANSWERS, np.zeros((6, 1), np.float32)])
    assert np.isnan(objective_of(f"{kind}:dog").score(LABELS, answers, (*NAMES, "dog")))
    assert np.isnan(objective_of(f"{kind}:cat").score(LABELS, ANSWERS, NAMES))


def test_a_row_below_a_size_is_chosen_by_what_its_search_is_and_an_ensemble_by_the_whole(tmp_path: Path) -> None:
    ann, cnn = RAW["search"]
    raw = {
        **{name: part for name, part in RAW.items() if name != "published"},
        "search": [{**ann, "objective": "log_loss"}, cnn],
        "report": {"also_smaller_than": ["1 MB"], "ensemble": 2},
    }
    search = parse_search(raw, "small", tmp_path, Overrides(), "")
    found = {one.name: (search.objective_of(one.name).name, chosen_by(search, one.name)) for one in search.listed}
    lower = ("log_loss", {"objective": "log_loss", "direction": "min"})
    assert found["ann"] == found["ann-under-1MB"] == lower
    assert found["cnn"] == found["cnn-under-1MB"] == ("accuracy", {"objective": "accuracy", "direction": "max"})
    assert found["ensemble-of-2"][0] == search.objective_of("a-row-of-before").name == search.objective.name
