"""Every sentence of a report that states a fact is said where it holds, and not where it would be false.

`FACTS` has a row for each: what is said, a search of which it is true, and one of which it would be false. `ALWAYS`
holds what defines a word or a mark, or says where a file is. A test looks through the modules for sentences that stand
in neither.
"""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up import LAYERS, RAW, VIEW, Project, first, three_retrained
from recorded import whole
from written import words

import tuner.contents
import tuner.page
import tuner.report
from tuner.analysis.findings import Findings
from tuner.analysis.latency import Latency, Timing
from tuner.datasets.base import Dataset
from tuner.figures.style import report_style
from tuner.ledger.earlier import EarlierTrial
from tuner.ledger.events import Event, Stop
from tuner.ledger.ledger import SearchTrial
from tuner.ledger.requests import Change, Decision
from tuner.page.index import Listed, index_page
from tuner.report import SectionMaker, report_of
from tuner.report.cards import cards_section
from tuner.report.choice import published_protocol_note
from tuner.report.comparison import comparison_section, selection_section
from tuner.report.curves import curves_section
from tuner.report.firstlayer import first_layer_section
from tuner.report.images import samples_section
from tuner.report.markdown import report_markdown
from tuner.report.mistakes import mistakes_section
from tuner.report.network import network_section
from tuner.report.pivot import pivot_section
from tuner.report.provenance import provenance_section
from tuner.report.summary import verdict
from tuner.report.timing import introduction, timing_section, total_time
from tuner.report.trials import trials_section
from tuner.trial import Attempt, Record, Result

Scores = dict[str, list[float | None]]
Right = dict[str, list[int]]
Build = Callable[[Path, Dataset], Findings]
Say = Callable[[Findings], str]


def search(
    scores: Scores, right: Right | None = None, change: Callable[[Findings], Findings] | None = None, **raw: Any
) -> Build:
    """Return what makes a search with these scores of its trials, retrained with so many right answers."""

    def build(folder: Path, data: Dataset) -> Findings:
        made = Project(folder, data, {**RAW, "published": {"study": "S"}, **raw})
        for model, reached in scores.items():
            trials = made.searched(model, reached)
            for count in [(right or {}).get(model)] if (right or {}).get(model) else []:
                made.retrained(model, trials[0], [first(k) for k in count or []])
        found = made.findings()
        return change(found) if change else found

    return build


def of_three(*right: list[int]) -> Build:
    """Return what makes a search of three models that are retrained with so many right answers."""
    return lambda folder, data: three_retrained(folder, data, *right).findings()


def after_another(right: Right) -> Build:
    """Return what makes a search of an ANN in a ledger that holds another search with these retrainings."""

    def build(folder: Path, data: Dataset) -> Findings:
        earlier = Project(folder, data, name="earlier")
        for model, counts in right.items():
            earlier.retrained(model, earlier.searched(model, [0.5])[0], [first(count) for count in counts])
        earlier.ledger.close()
        return search({"ann": [0.5]}, {"ann": [40]})(folder, data)

    return build


def with_results(change: Callable[[Result], Result], role: str = "search") -> Callable[[Findings], Findings]:
    """Return what changes the results of a search's trials of one role."""

    def of(findings: Findings) -> Findings:
        search_trials = tuple(
            (search_trial, replace(record, result=change(record.result)) if search_trial.role == role else record)
            for search_trial, record in findings.search_trials
        )
        finals = {record.trial.id: record for search_trial, record in search_trials}
        chosen = tuple(replace(c, finals=tuple(finals[r.trial.id] for r in c.finals)) for c in findings.chosen)
        return replace(findings, search_trials=search_trials, chosen=chosen)

    return of


def timed(findings: Findings) -> Findings:
    """Note that each saved model was measured by itself."""
    for chosen in findings.chosen:
        Latency(Timing(1.5, 1.25, 2.0, 50), Timing(12.0, 11.0, 14.0, 50), "a CPU").write(chosen.artifact)
    return findings


def without_convolutions(result: Result) -> Result:
    return replace(result, layers=[layer for layer in result.layers if "Conv" not in layer["kind"]])


def unfinished(findings: Findings) -> Findings:
    return replace(findings, finished=False)


def ended(findings: Findings) -> Findings:
    """Return the same of a search that its hours ended."""
    return replace(findings, events=(Event("ended", 2.0, (Stop("ann", "blobs", 1, 2),)),))


def stopped(findings: Findings) -> Findings:
    """Return the same of a search of which somebody who watched it stopped a trial."""
    return replace(findings, decisions=(Decision(0, "stop", "ab" * 8, 1, trained=True),))


def changed(findings: Findings) -> Findings:
    """Return the same of a search whose max_trials somebody changed."""
    change = Change("blobs", 2, 0, True, limit=4)
    made = Decision(0, "max_trials", "", 1, model="ann", max_trials=4, instead_of=2, changes=(change,))
    return replace(findings, decisions=(made,))


def begun_now(findings: Findings) -> Findings:
    """Return the same of a search that began after its trials were recorded."""
    return replace(findings, began=time.time() + 1)


def began_between(findings: Findings) -> Findings:
    """Return the same of a search that began after its search trials, and before its retrainings."""
    roles = {record.trial.id: record.trial.role for _, record in findings.search_trials}
    ended = {trial: 100.0 if role == "search" else 300.0 for trial, role in roles.items()}
    attempts = {trial: Attempt(at - 1, at) for trial, at in ended.items()}
    return replace(findings, began=200.0, attempts=attempts)


def edited(*trials: str) -> Callable[[Findings], Findings]:
    """Return what makes of a search one that began with trials of before its file changed."""

    def of(findings: Findings) -> Findings:
        earlier = [EarlierTrial("ann", "blobs", trial, {"dense_units": 8}) for trial in trials]
        return replace(findings, search=findings.search.with_earlier(earlier))

    return of


def with_a_twin(findings: Findings) -> Findings:
    """Return the same with its first trial in two other searches, too."""
    (_, record), *_ = findings.search_trials
    return begun_now(replace(findings, elsewhere={record.trial.id: frozenset({"a|twin", "another"})}))


def refused(findings: Findings) -> Findings:
    return replace(findings, decisions=(Decision(0, "stop", "ab" * 8, 1, refused="it had ended"),))


def section(make: SectionMaker) -> Say:
    def say(findings: Findings) -> str:
        with report_style():
            made = make(findings)
        return words(made) if made else ""

    return say


def the_verdict(findings: Findings) -> str:
    return "\n".join(verdict(findings))


def the_report(findings: Findings) -> str:
    return report_markdown(report_of(findings))


def pruned(scores: list[float]) -> Build:
    """Return what makes a search of an ANN that prunes all trials but the last after the first of three epochs."""
    space = {"dense_units": [4, 8, 16]}
    ann = {"family": "ann", "space": space, "prune": "halving", "prune_factor": 2, "prune_first": 1}

    def build(folder: Path, data: Dataset) -> Findings:
        made = Project(folder, data, {**RAW, "search": [ann], "report": {}, "published": {"study": "S"}})
        model_search = made.search.model_searches[0]
        for number, (values, score) in enumerate(zip(model_search.space.grid(), scores, strict=True)):
            last = number == len(scores) - 1
            trial = made.search.trial(model_search, "blobs", data.fingerprint, values, None, None if last else 1)
            result = whole(Result("completed", val_accuracy=score, seconds=1.0), epochs=3 if last else 1)
            made.ledger.record(Record(trial, result))
            made.ledger.add("small", SearchTrial("ann", "blobs", "search", number, trial.id))
        return made.findings()

    return build


def few_images(count: int) -> Build:
    def build(folder: Path, data: Dataset) -> Findings:
        arrays = {"x_train": data.x_train[:count], "y_train": data.y_train[:count]}
        return search({"ann": [0.5]})(folder, replace(data, **arrays))

    return build


def layered(layers: list[dict[str, Any]]) -> Build:
    return search({"cnn": [0.9]}, {"cnn": [40]}, with_results(lambda r: replace(r, layers=layers), "final"))


def in_colour(folder: Path, data: Dataset) -> Findings:
    findings = search({"cnn": [0.9]}, {"cnn": [40]})(folder, data)
    (chosen,) = findings.chosen
    view = {**VIEW, "filters": np.repeat(VIEW["filters"], 3, axis=2)}
    return replace(findings, chosen=(replace(chosen, all_predictions=(replace(chosen.predictions, view=view),)),))


def deep(times: int) -> list[dict[str, Any]]:
    """Return a network with so many equal dense layers in a row."""
    dense = {"kind": "Dense", "shape": [8], "parameters": 72, "formula": "8·8 + 8", "activation": "relu"}
    layers = [{**LAYERS[0], "shape": [8], "name": "pixels"}]
    for k in range(times):
        layers.append({**dense, "name": f"dense_{k}", "inputs": [layers[-1]["name"]]})
    return [*layers, {**dense, "name": "out", "shape": [3], "parameters": 27, "inputs": [layers[-1]["name"]]}]


def of_values(count: int) -> Build:
    """Return a search over so many values of a parameter that the report draws a curve of each."""
    space = {"dense_units": [2 + k for k in range(count)]}
    raw = {"search": [{"family": "ann", "space": space}], "report": {"curves": "dense_units"}}
    return search({"ann": [0.5 + 0.004 * k for k in range(count)]}, **raw)


GRID = {"search": [{"family": "ann", "space": {"dense_units": [4, 8], "dropout": [0.0, 0.3]}}], "report": {}}
DEPTHS = {
    "search": [{"family": "ann", "space": {"dense_depth": [1, 2], "dense_units": [4, 8], "dropout": [0.0, 0.3]}}],
    "report": {},
}
BY_DEPTH = {"pivots": [["conv_depth", "filters_1"]]}
EARLY = with_results(lambda result: replace(result, best_epoch=2))
FOLDS = {"folds": 3}
PUBLISHED = {"protocol": "published"}
STUDY = {"published": {"study": "S", "chosen_on_test_set": True}}
BOTH: Right = {"ann": [40], "cnn": [40]}
CNN_BY_F1 = [RAW["search"][0], {**RAW["search"][1], "objective": "macro_f1"}]  # type: ignore[index]


def of_dropout(rate: float) -> dict[str, Any]:
    return {"search": [{"family": "ann", "space": {"dense_units": [4, 8], "dropout": rate}}], "report": {}}


def square(count: int) -> Build:
    """Return a search over so many values of one parameter by two of another."""
    space = {"dense_units": [2 + k for k in range(count)], "dropout": [0.0, 0.3]}
    raw = {"search": [{"family": "ann", "space": space}], "report": {"pivots": [["dense_units", "dropout"]]}}
    return search({"ann": [0.5 + 0.01 * k for k in range(2 * count)]}, **raw)


def classes(count: int) -> Build:
    def build(folder: Path, data: Dataset) -> Findings:
        names = tuple(f"class {k}" for k in range(count))
        return search({"ann": [0.5]})(folder, replace(data, y_train=np.arange(120) % count, class_names=names))

    return build


def held_out(findings: Findings) -> Findings:
    """Return the findings with retrainings that held images out."""
    chosen = tuple(
        replace(c, finals=tuple(replace(r, trial=replace(r.trial, hold_out=0.2)) for r in c.finals))
        for c in findings.chosen
    )
    return replace(findings, chosen=chosen)


def wider(filters: int) -> list[dict[str, Any]]:
    return [{**layer, "shape": [8, 8, filters]} if layer["kind"] == "Conv2D" else layer for layer in LAYERS]


def three_models(count: int) -> Build:
    """Return a search of so many models."""
    names = ("one", "two", "three")[:count]
    raw = {"search": [{"family": "ann", "name": name, "space": {"dense_units": 4 + k}} for k, name in enumerate(names)]}
    return search(
        {name: [0.5] for name in names}, {name: [30 + 5 * k] for k, name in enumerate(names)}, report={}, **raw
    )


AT_LIMIT = with_results(lambda result: replace(result, passed={"minutes": 1.0}))


def on(backend: str, device: str) -> Callable[[Findings], Findings]:
    return with_results(lambda result: replace(result, environment={"backend": backend, "device": device}))


def lacking_validation(build: Build) -> Build:
    """Return what makes a search on data whose own validation images have none of the third class."""

    def on_own(folder: Path, data: Dataset) -> Findings:
        order = np.argsort(data.y_train != 2, kind="stable")
        return build(
            folder, replace(data, x_train=data.x_train[order], y_train=data.y_train[order], validation_images=30)
        )

    return on_own


#: Losses by epoch of a network with penalties.
PENALISED = {
    **{name: [0.9, 0.7] for name in ("loss", "val_loss", "accuracy", "val_accuracy")},
    "unpenalised_loss": [0.8, 0.6],
    "val_unpenalised_loss": [0.8, 0.6],
}


#: What is said; by what; a search of which it is true, and one of which it would be false.
def of_sizes(small: float, large: float) -> Build:
    """Return what makes two trials with folds, the smaller one of which scored `small`, each ± 0.03 / √3 = 0.0173."""
    sized = with_results(lambda result: replace(result, parameters=1000 if result.val_accuracy == small else 2000))
    return search({"ann": [small, large]}, change=sized, **FOLDS)


FACTS: list[tuple[str, Say, Build, Build]] = [
    ("A score is the mean over 3 folds, ± its standard error, s / √3: folds share most", section(trials_section),
     search({"ann": [0.5, 0.6]}, **FOLDS), search({"ann": [0.5, 0.6]})),
    ("The smallest trial within one standard error of the best has 1,000 parameters in place of 2,000 and scored 0.59",
     section(trials_section), of_sizes(0.59, 0.60), of_sizes(0.58, 0.60)),
    ("No smaller trial is within one standard error of the best.", section(trials_section),
     of_sizes(0.58, 0.60), of_sizes(0.59, 0.60)),
    ("of the best trial of each search on blobs, means over 3 folds", section(curves_section),
     search({"ann": [0.5]}, **FOLDS), search({"ann": [0.5]})),
    ("Models were chosen on the test set, and", published_protocol_note,
     search({"ann": [0.5, 0.6]}, {"ann": [40]}, **PUBLISHED), search({"ann": [0.5]}, {"ann": [40]}, **PUBLISHED)),
    ("Models and the epochs of early stopping were chosen", published_protocol_note,
     search({"ann": [0.5, 0.6]}, {"ann": [40]}, EARLY, **PUBLISHED),
     search({"ann": [0.5, 0.6]}, {"ann": [40]}, **PUBLISHED)),
    ("as the published study did", published_protocol_note,
     search({"ann": [0.5, 0.6]}, **PUBLISHED, **STUDY), search({"ann": [0.5, 0.6]}, **PUBLISHED)),
    ("Of one trial each nothing is chosen", published_protocol_note,
     search({"ann": [0.5]}, {"ann": [40]}, **PUBLISHED), search({"ann": [0.5, 0.6]}, {"ann": [40]}, **PUBLISHED)),
    ("> **Published protocol.**", the_report, search({"ann": [0.5]}, **PUBLISHED), search({"ann": [0.5]})),
    ("with every trial and the whole confusion matrices", the_report,
     search({"ann": [0.5]}, {"ann": [40]}), search({"ann": [0.5]})),
    ("; see the failed trials below.", the_verdict,
     search({"ann": [0.5], "cnn": [None]}, {"ann": [40]}), search({"ann": [0.5]}, {"ann": [40]})),
    ("If one model's seeds really vary several times as much as the other's, which three retrainings may hide",
     the_verdict, search({"ann": [0.5], "cnn": [0.5]}, {"ann": [20, 24, 22], "cnn": [25, 29, 27]}),
     search({"ann": [0.5], "cnn": [0.5]}, {"ann": [22, 22, 23], "cnn": [27, 35, 31]})),
    ("If, of several models that are retrained unequally often, those with the fewest retrainings vary most from seed",
     the_verdict, of_three([30, 32, 31], [24, 26], [4, 6, 5]), of_three([30, 32, 31], [24, 26, 25], [4, 6, 5])),
    ("On blobs, no completed model of CNN", the_verdict,
     search({"ann": [0.5]}, {"ann": [40]}), search({"ann": [0.5], "cnn": [0.6]}, BOTH)),
    ("; the failed trials stand below.", the_verdict, search({"ann": [None]}), search({})),
    ("No trial completed, so that", the_verdict, search({"ann": [None]}), search({"ann": [0.5]})),
    ("No retraining completed, so that", the_verdict, search({"ann": [0.5]}), search({"ann": [None]})),
    ("This search is unfinished: 1 of its trials is recorded", the_verdict,
     search({"ann": [0.5]}, change=unfinished), search({"ann": [0.5]})),
    ("This search is unfinished: 2 of its trials are recorded", the_verdict,
     search({"ann": [0.5, 0.6]}, change=unfinished), search({"ann": [0.5]}, change=unfinished)),
    ("How fast the saved models classify, measured one after another while nothing else of the run trained",
     section(timing_section), search({"ann": [0.5]}, {"ann": [40]}, timed), search({"ann": [0.5]}, {"ann": [40]})),
    ("On the front is a model where no other of its data set is as fast and as accurate, and better in one of the two",
     section(timing_section), search({"ann": [0.5]}, {"ann": [40]}, timed), search({"ann": [0.5]}, {"ann": [40]})),
    ("every layer, the scores of each class", section(cards_section), layered(LAYERS), layered([])),
    ("Training and validation (on the test set) of", section(curves_section),
     search({"ann": [0.5]}, **PUBLISHED), search({"ann": [0.5]})),
    ("The loss is what a network learns from: its error", section(curves_section),
     search({"ann": [0.5]}, change=with_results(lambda r: replace(r, history=PENALISED))), search({"ann": [0.5]})),
    ("Shown are the 8 best of 9 values.", section(curves_section), of_values(9), of_values(8)),
    ("the first 8 training images of each class", section(samples_section), few_images(120), few_images(21)),
    ("up to 8 training images of each class", section(samples_section), few_images(21), few_images(120)),
    ("Negative weights are blue, positive ones red.", section(first_layer_section),
     search({"cnn": [0.9]}, {"cnn": [40]}), in_colour),
    ("They have the colours that they answer to.", section(first_layer_section),
     in_colour, search({"cnn": [0.9]}, {"cnn": [40]})),
    ("all 2 mistakes on 45", section(mistakes_section),
     search({"ann": [0.5]}, {"ann": [43]}), search({"ann": [0.5]}, {"ann": [44]})),
    ("the one mistake on 45", section(mistakes_section),
     search({"ann": [0.5]}, {"ann": [44]}), search({"ann": [0.5]}, {"ann": [43]})),
    ("the 12 most confident of 13 mistakes", section(mistakes_section),
     search({"ann": [0.5]}, {"ann": [32]}), search({"ann": [0.5]}, {"ann": [33]})),
    ("there are no heat maps: none was kept", section(mistakes_section),
     search({"ann": [0.5]}, {"ann": [44]}), search({"cnn": [0.5]}, {"cnn": [44]})),
    ("there are no heat maps: its network has no convolution, whose feature maps they are made of",
     section(mistakes_section), search({"ann": [0.5]}, {"ann": [44]}, with_results(without_convolutions, "final")),
     search({"ann": [0.5]}, {"ann": [44]})),
    ("where it saw the class that it took each of these mistakes for, by Grad-CAM", section(mistakes_section),
     search({"cnn": [0.5]}, {"cnn": [44]}), search({"ann": [0.5]}, {"ann": [44]})),
    ("classified all 45 test images of blobs rightly", section(mistakes_section),
     search({"ann": [0.5]}, {"ann": [45]}), search({"ann": [0.5]}, {"ann": [44]})),
    ("What occurs n times in a row stands here once", section(network_section), layered(deep(5)), layered(deep(1))),
    ("0.9000 (best of 2)", section(pivot_section),
     search({"cnn": [0.7, 0.8, 0.9, 0.85]}, report=BY_DEPTH), search({"cnn": [0.7, 0.8, 0.9, None]}, report=BY_DEPTH)),
    ("– no trial has these values", section(pivot_section),
     search({"ann": [0.5, 0.6, 0.7]}, **GRID), search({"ann": [0.5, 0.6, 0.7, 0.8]}, **GRID)),
    ("† never left chance: no better than", section(pivot_section),
     search({"ann": [0.2, 0.6, 0.9, 0.9]}, **GRID), search({"ann": [0.9, 0.9, 0.9, 0.9]}, **GRID)),
    ("1 completed and 1 failed in the search; 2 retrainings completed and 0 failed", section(provenance_section),
     search({"ann": [0.5, None]}, {"ann": [40, 41]}), search({"ann": [0.5, 0.6]}, {"ann": [40, 41]})),
    ("scored 2 times, for 1 configuration, in this search", section(provenance_section),
     search({"ann": [0.5]}, {"ann": [40, 41]}), search({"ann": [0.5]}, {"ann": [40]})),
    ("not scored yet", section(provenance_section), search({"ann": [0.5]}), search({"ann": [0.5]}, {"ann": [40]})),
    ("and 1 other of this ledger (earlier)", section(provenance_section),
     after_another({"ann": [40]}), search({"ann": [0.5]}, {"ann": [40]})),
    ("The test images of blobs scored 2 configurations of this search. Who picks among all of them",
     section(provenance_section), search({"ann": [0.5], "cnn": [0.5]}, {"ann": [40], "cnn": [41]}),
     search({"ann": [0.5, 0.6]}, {"ann": [40, 41]})),
    ("Other searches of this ledger scored models on the test images of blobs too.", section(provenance_section),
     after_another({"cnn": [40]}), after_another({"ann": [40]})),
    ("Whether a trial reaches a limit of time or memory", section(provenance_section),
     search({"ann": [0.5, 0.6]}, change=AT_LIMIT),
     search({"ann": [0.5, 0.6]})),
    ("where trials of this search ran, that is not promised. TensorFlow", section(provenance_section),
     search({"ann": [0.5]}, change=on("tensorflow 2", "A100")),
     search({"ann": [0.5]}, change=on("tensorflow 2", "cpu"))),
    ("where trials of this search ran, that is not promised. XLA", section(provenance_section),
     search({"ann": [0.5]}, change=on("jax 0", "A100")),
     search({"ann": [0.5]}, change=on("tensorflow 2", "A100"))),
    ("is the same bytes when it is run again with this seed on such a machine, as far as", introduction,
     search({"ann": [0.5]}, change=AT_LIMIT), search({"ann": [0.5]})),
    (", the retrainings 2.0 s.", total_time, search({"ann": [0.5]}, {"ann": [40]}), search({"ann": [0.5]})),
    ("and the time until it first reached an accuracy on validation images", section(timing_section),
     search({"ann": [0.5]}, report={"reach": [0.2]}),
     search({"ann": [0.5]}, report={}, change=with_results(lambda r: replace(r, history={})))),
    ("No search has two completed trials on a data set", section(trials_section),
     search({"ann": [0.5, None]}), search({"ann": [0.5, 0.6]})),
    ("† never left chance.", section(trials_section), search({"ann": [0.2, 0.9]}), search({"ann": [0.9, 0.9]})),
    (", the best 100 of 101:", section(trials_section), of_values(101), of_values(100)),
    ("about one of 2 going on from each rung: 3 were trained to epoch 1, 1 to epoch 2, 1 to epoch 3. That is 5 epochs "
     "instead of 9.",
     section(trials_section), pruned([0.5, 0.6, 0.7]), search({"ann": [0.5, 0.6]})),
    ("dense_depth 1, dense_units 4:", section(trials_section),
     search({"ann": [0.5, 0.6, None, None, *[0.7] * 8]}, **DEPTHS), search({"ann": [0.5] * 12}, **DEPTHS)),
    ("The same in all of ANN: dropout 0.3; everything else", section(trials_section),
     search({"ann": [0.5, 0.6]}, **of_dropout(0.3)), search({"ann": [0.5, 0.6]}, **of_dropout(0.0))),
    ("Shown are the first 12 of 13 values of dense_units", section(pivot_section), square(13), square(12)),
    ("each of the first 20 of 21 classes", section(samples_section), classes(21), classes(20)),
    ("60 training images of 120, drawn by class, those for validation included", section(cards_section),
     search({"ann": [0.5]}, {"ann": [40]}), search({"ann": [0.5]}, {"ann": [40]}, **PUBLISHED)),
    (", 12 of them held out to tell which retraining is saved", section(cards_section),
     search({"ann": [0.5]}, {"ann": [40]}, held_out, save="best on validation"), search({"ann": [0.5]}, {"ann": [40]})),
    ("Shown are 2 of the 4 filters of CNN.", section(first_layer_section), layered(wider(4)), layered(wider(2))),
    ("The other pairs of models in words (2)", section(comparison_section), three_models(3), three_models(2)),
    ("1 search.", lambda f: index_page([Listed("a", "A", [], "", [], "", "", has_page=True)] * len(f.chosen)),
     search({"ann": [0.5]}, {"ann": [40]}), search({"ann": [0.5], "cnn": [0.6]}, BOTH)),
    (", by macro F1, as the best of 2 trials", section(selection_section),
     search({"ann": [0.5, 0.6]}, {"ann": [40]}, objective="macro_f1"), search({"ann": [0.5, 0.6]}, {"ann": [40]})),
    ("Chosen by macro F1; what is compared here is test accuracy.", the_verdict,
     search({"ann": [0.5], "cnn": [0.6]}, BOTH, objective="macro_f1"), search({"ann": [0.5], "cnn": [0.6]}, BOTH)),
    ("Chosen by macro F1; what is compared here is test accuracy.", section(comparison_section),
     search({"ann": [0.5], "cnn": [0.6]}, BOTH, objective="macro_f1"), search({"ann": [0.5], "cnn": [0.6]}, BOTH)),
    ("Chosen by macro F1; what is told here is test accuracy.", the_verdict,
     search({"ann": [0.5, 0.6]}, {"ann": [40]}, objective="macro_f1"),
     search({"ann": [0.5], "cnn": [0.6]}, BOTH, objective="macro_f1")),
    ("they have the same mean test accuracy (95 % interval", the_verdict,
     search({"ann": [0.5], "cnn": [0.6]}, {"ann": [40, 38], "cnn": [38, 40]}),
     search({"ann": [0.5], "cnn": [0.6]}, {"ann": [40, 38], "cnn": [39, 40]})),
    ("Chosen by different objectives, ANN by accuracy, CNN by macro F1; what", the_verdict,
     search({"ann": [0.5], "cnn": [0.6]}, BOTH, search=CNN_BY_F1),
     search({"ann": [0.5], "cnn": [0.6]}, BOTH, objective="macro_f1")),
    ("The scores of a row are of what its model was chosen by.", section(selection_section),
     search({"ann": [0.5], "cnn": [0.6]}, BOTH, search=CNN_BY_F1),
     search({"ann": [0.5], "cnn": [0.6]}, BOTH, objective="macro_f1")),
    ("2 trials of CNN have 0.6000 in accuracy: of equal ones", section(selection_section),
     search({"cnn": [0.6, 0.5, 0.6]}, {"cnn": [40]}), search({"cnn": [0.7, 0.5, 0.6]}, {"cnn": [40]})),
    ("On blobs, trials were chosen on no image of bottom, which counts in no score.", section(selection_section),
     lacking_validation(search({"ann": [0.5, 0.6]}, {"ann": [40]}, objective="macro_f1")),
     search({"ann": [0.5, 0.6]}, {"ann": [40]}, objective="macro_f1")),
    ("trials were chosen on no image of bottom", section(selection_section),
     lacking_validation(search({"ann": [0.5, 0.6]}, {"ann": [40]})), search({"ann": [0.5, 0.6]}, {"ann": [40]})),
    ("The search was ended by its hours: 1 of 2 configurations of ANN on blobs within 2 hours.", the_verdict,
     search({"ann": [0.5]}, {"ann": [40]}, ended), search({"ann": [0.5]}, {"ann": [40]})),
    ("Ended by the hours of the search: 1 of 2 configurations within 2 hours.", section(trials_section),
     search({"ann": [0.5, 0.6]}, change=ended), search({"ann": [0.5, 0.6]})),
    ("How far a search comes within its hours may differ from run to run.", section(provenance_section),
     search({"ann": [0.5]}, change=ended), search({"ann": [0.5]})),
    ("Configurations that were added by hand, and a max_trials that was changed", section(provenance_section),
     search({"ann": [0.5]}, change=changed), search({"ann": [0.5]}, change=stopped)),
    ("max_trials of ann changed from 2 to 4 after 1 recorded trial", section(provenance_section),
     search({"ann": [0.5]}, change=changed), search({"ann": [0.5]}, change=refused)),
    ("2 of 3 trials and retrainings were recorded before this search began", section(provenance_section),
     search({"ann": [0.5, 0.6]}, {"ann": [40]}, began_between), search({"ann": [0.5, 0.6]}, {"ann": [40]})),
    ("; 1 of them stands in another, a\\|twin, too", section(provenance_section),
     search({"ann": [0.5, 0.6]}, change=with_a_twin), search({"ann": [0.5, 0.6]}, change=begun_now)),
    ("Proposals began with 2 trials of this search as it was before its file changed; what learns from results learned "
     "from them.", section(provenance_section),
     search({"ann": [0.5]}, change=edited("ab" * 8, "cd" * 8)), search({"ann": [0.5]}, change=edited("ab" * 8))),
    ("A trial that was stopped or skipped by hand has neither failed nor a score", section(provenance_section),
     search({"ann": [0.5]}, change=stopped), search({"ann": [0.5]}, change=refused)),
]  # fmt: skip


@pytest.mark.parametrize(("said", "say", "true", "false"), FACTS, ids=[said for said, *_ in FACTS])
def test_a_fact_is_said_where_it_holds_and_not_where_it_would_be_false(
    tmp_path: Path, blobs: Dataset, said: str, say: Say, true: Build, false: Build
) -> None:
    assert said in say(true(tmp_path / "true", blobs))
    assert said not in say(false(tmp_path / "false", blobs))


#: Words that are said whatever was found, since they define a word or a mark, name a column, or say where a file is.
ALWAYS = """
Every epoch of these trials. The weights of the filters. Every cell. Every layer of every model.
Each folder is written by; nothing in it is edited by hand.
Height and depth of a block follow height and width of its output.
The figures' numbers. Every trial. The table as numbers. Every parameter.
The best trial of each value of. First-layer filters of the models on.
a test image of each of classes and the first convolution's outputs for it after the activation.
As JSON the card stands beside the file. raw pixels from 0 to 255.
The times in this section were measured by a clock. The trials of the search took.
Of the best trial of each search: seconds per epoch, the median without the first, which compiles, where there are more.
Of the saved model: seconds per epoch, and milliseconds to classify one image by itself.
How much of the variation of the time per epoch each parameter has a part in.
Norm of the gradient that reaches the layer's kernel, over the first 256 training images, or all of fewer.
Distribution of the layer's weights by epoch, smoothed. Training accuracy is that of an epoch's steps, with dropout.
Training and validation accuracy of the best trials at their last epoch, or the one that counts, and the gap.
What the study says, and what ours says. the kernels of the first and of the last watched layer. layer, from the first
to the last. A line is the geometric mean over trainings; their range is shaded. first layer, mean over all epochs.
The saved models on the training images of, on which they were only compared. mean over all epochs.
everything else at its default. Ranks are among all trials of the search.
A trial that was pruned stands behind those that were not, and never is the best: its score is of fewer epochs.
F1 and ROC AUC of each class. What is needed to get the same numbers again. Mean test accuracy of the chosen models.
Search score and test score. Mean and standard deviation by depth. Every metric of every class. Failed trials with their
reasons. The chosen models on the test images.
loss (cross-entropy and penalties). The layers and their parameters. What the policy of the page says: default-src none.
All searches, those that repeat a study first; a heading sorts by its column. test images by true class (row) and
predicted class (column). the most frequent mistakes; all are in confusion_matrix.csv.
pass another reports dir, or see who may write there. writing the page report.html. writing the report, section of.
"""
#: Modules whose sentences have tests of their own.
ELSEWHERE = {
    "imported.py": "test_imported.py",
    "across.py": "test_report.py",
    "budget.py": "test_budget.py",
    "claims.py": "test_claims.py",
    "class_pairs.py": "test_class_pairs.py",
    "images.py": "test_own_validation.py",
    "leaks.py": "test_own_validation.py",
    "luck.py": "test_luck.py",
    "splits.py": "test_splits_section.py",
    "verdicts.py": "test_report.py",
    "choice.py": "test_choice.py",
    "sizes.py": "test_size_choice.py",
    "front.py": "test_front.py",
    "doubts.py": "test_doubts.py",
    "lookalikes.py": "test_lookalikes.py",
    "saving.py": "test_saving.py",
    "undefined.py": "test_undefined.py",
    "classes.py": "test_report.py",
    "comparison.py": "test_report.py",
    "convergence.py": "test_published_and_pivot.py",
    "provenance.py": "test_sentences.py",
    "ranking.py": "test_ranking.py",
    "recipes.py": "test_recipes.py",
    "study_margins.py": "test_recipes.py",
    "published.py": "test_published_and_pivot.py",
    "importance.py": "test_importance_section.py",
    "shares.py": "test_importance_section.py",
    "mistakes.py": "test_mistakes.py",
    "ensemble.py": "test_ensembles.py",
    "operating_points.py": "test_operating_points_section.py",
}


def sentences(path: Path) -> Iterator[str]:
    """Yield the texts of a module that are five words or more, what is put into them as a blank.

    No docstrings, and neither scripts nor patterns.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)} - {
        id(node) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
    }
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if id(node) in inside or id(node) in told or not isinstance(node, ast.Constant | ast.JoinedStr):
            continue
        parts = node.values if isinstance(node, ast.JoinedStr) else [node]
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else " " for part in parts)
        prose = re.sub(r"\[[^\]]*\]\([^)]*\)", "", text)  # without links
        if len(re.findall(r"\b[A-Za-z]{2,}\b", prose)) >= 5 and not re.search(r"<|\w\(\"|\\\.", text):
            yield text


def pieces(text: str) -> set[tuple[str, ...]]:
    """Return every three words that stand together in a line of a text."""
    found = set()
    for line in text.split("\n"):
        told = re.findall(r"[A-Za-z†–]+", line)
        found |= {tuple(told[k : k + 3]) for k in range(len(told) - 2)}
    return found


def modules() -> list[Path]:
    rooms = [Path(str(room.__file__)).parent for room in (tuner.report, tuner.contents, tuner.page)]
    return [path for room in rooms for path in sorted(room.glob("*.py")) if path.name not in ELSEWHERE]


@pytest.mark.parametrize("path", modules(), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_every_sentence_has_a_case_in_which_it_would_be_false_or_always_holds(path: Path) -> None:
    known = pieces("\n".join([ALWAYS, *(said for said, *_ in FACTS)]))
    assert [text for text in sentences(path) if not pieces(text) & known] == []


def test_what_has_tests_elsewhere_is_there() -> None:
    for module, test in ELSEWHERE.items():
        assert any((Path(str(room.__file__)).parent / module).is_file() for room in (tuner.report, tuner.contents))
        assert any(Path(__file__).parents[1].rglob(test))
