"""A card of each saved model: what it is, what it was trained on, what it scored, and what it takes.

It stands in the report, and as JSON beside the model's file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tuner import columns as col
from tuner.analysis.class_metrics import CLASS_METRICS
from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.latency import milliseconds
from tuner.analysis.network_blocks import shape_text
from tuner.analysis.scoring import averages
from tuner.analysis.significance import accuracy_interval
from tuner.contents.cells import DASH, number, plus_minus, span
from tuner.contents.sections import Folded, Paragraph, Section, Table
from tuner.datasets.base import Dataset
from tuner.families import in_order
from tuner.protocol import training_images
from tuner.recipe import RECIPE
from tuner.report.ensemble import BY_MEMBERS, mean_in_words
from tuner.report.saving import LOOKED_AT, far_in_words, is_far, which_is_saved
from tuner.space.parameters import Value
from tuner.text import escape, setting

#: So many layers, or classes, are named; of more, how many there are.
_MOST_LAYERS, _MOST_CLASSES = 16, 20
#: Where a card says what its model was chosen by; a card of an earlier version has no such place.
CHOSEN_BY = "chosen_by"
#: Versions that a worker notes, and how the card calls them.
_SOFTWARE = {"keras": "Keras", "numpy": "NumPy", "python": "Python", "tuner": "tuner"}


def cards_section(findings: Findings) -> Section | None:
    """Describe each saved model in a table of its own, folded away."""
    if not findings.chosen:
        return None
    layers = (
        "every layer, " if all(chosen.saved.result.layers for chosen in findings.chosen if not chosen.ensemble) else ""
    )
    introduction = (
        f"A table for each saved model. `tuner verify {findings.search.name}` proves it: it loads the file with plain "
        "Keras, and compares its probabilities on the test images, and its card, with what is recorded. As JSON the "
        f"card stands beside the file, with the classes in the order of the output, {layers}the scores of each class, "
        "and times."
    )
    cards = [Folded(chosen.file_name, [_card(findings, chosen)]) for chosen in findings.chosen]
    return Section("cards", "Model cards", [Paragraph(introduction), *cards])


def _card(findings: Findings, chosen: Chosen) -> Table:
    trial, result = chosen.saved.trial, chosen.saved.result
    data = findings.data(chosen.dataset)
    interval = accuracy_interval(chosen.predictions.correct)
    ends = span(interval.low, interval.high, 4)
    macro = averages(chosen.predictions.class_metrics).iloc[0]
    network, recipe = _split(trial.values)
    tested = len(chosen.predictions.labels)
    rows = [
        ["model", f"{escape(chosen.label)}, {which_is_saved(chosen)}; trial {trial.id}"],
        *([["beware", f"it scores {far_in_words(chosen)}"]] if is_far(chosen) else []),
        ["file", f"`{chosen.file_name}`, SHA-256 {result.files['model']}"],
        ["card", f"[{card_name(chosen)}]({card_name(chosen)})"],
        ["data set", f"{escape(chosen.dataset)}, fingerprint {trial.fingerprint}"],
        ["classes", _classes(chosen.predictions.class_names)],
        ["input", f"raw pixels from 0 to 255, {shape_text(data.x_train.shape[1:])} (height, width, channels)"],
        *_own(result.environment),
        ["output", f"probabilities of the {len(chosen.predictions.class_names)} classes"],
        ["architecture", mean_in_words(chosen) if chosen.ensemble else _architecture(result.layers)],
        ["parameters", DASH if result.parameters is None else f"{result.parameters:,}"],
        ["hyperparameters", _settings(network)],
        ["recipe", _settings(recipe)],
        ["training", _training(chosen, data)],
        ["chosen by", _chosen_by_in_words(findings, chosen)],
        ["retrainings", _retrainings(chosen)],
        ["test accuracy", f"{chosen.predictions.accuracy:.4f} on {tested:,} images (95 % interval {ends})"],
        *([f"macro {metric.label}", number(macro[name])] for name, metric in CLASS_METRICS.items() if metric.prominent),
        ["each class", "[per_class.csv](per_class.csv)"],
        ["latency", "see [Time](#time)"],
        ["software", _software(result.environment)],
        ["hardware", _hardware(result.environment)],
    ]
    return Table(rows, ["what", "value"], text_columns=2)


def _chosen_by(findings: Findings, chosen: Chosen) -> dict[str, Any]:
    """Return what a model was chosen by: the objective, which way is better, and its score where it was chosen."""
    objective = findings.objective_of(chosen.model)
    dataset = findings.search.chosen_on(chosen.dataset)
    scores = [one.search_score for one in findings.on(dataset) if one.model == chosen.model]
    return {
        "objective": objective.name,
        "direction": objective.direction,
        "score": scores[0] if scores else None,
        "scored_on": findings.search.validates_on,
        "dataset": dataset,
    }


def _chosen_by_in_words(findings: Findings, chosen: Chosen) -> str:
    """Return the same in words, for example "log loss, the lower the better: 0.3100 on validation images"."""
    told = _chosen_by(findings, chosen)
    better = "higher" if told["direction"] == "max" else "lower"
    of = f" of {escape(told['dataset'])}" if told["dataset"] != chosen.dataset else ""
    label = escape(findings.objective_of(chosen.model).label)
    return f"{label}, the {better} the better: {number(told['score'])} on {told['scored_on']}{of}"


def _own(environment: Mapping[str, Any]) -> list[list[str]]:
    """Return what is told of a network of the user's own alone: how pixels are scaled, and what trains it."""
    told = {"scaling": "pixels ", "compiled": ""}
    names = {"scaling": "scaling", "compiled": "trained with"}
    return [
        [names[key], f"{front}{escape(str(environment[key]))}"] for key, front in told.items() if key in environment
    ]


def card_name(chosen: Chosen) -> str:
    """Return the name of the file beside a saved model that holds its card."""
    return Path(chosen.file_name).with_suffix(".json").name


def card_json(findings: Findings, chosen: Chosen) -> str:
    """Return the card of a saved model as JSON.

    What a clock measured stands under `timing` alone; a metric that is not defined is null. `trial` holds with
    `hyperparameters` and `recipe` the content that the trial's name is a hash of.
    """
    trial, result = chosen.saved.trial, chosen.saved.result
    content = json.loads(trial.to_json())
    network, recipe = _split(content.pop("values"))
    data = findings.data(chosen.dataset)
    scores = chosen.predictions.class_metrics
    held = {"validation_images": data.validation_images} if data.validation_images else {}
    counts = {"training_images": len(data.y_train), **held, "test_images": len(data.y_test)}
    bits = {"bits_before": data.bits} if data.bits != 8 else {}
    card = {
        "model": chosen.model,
        "dataset": chosen.dataset,
        "file": chosen.file_name,
        "sha256": result.files["model"],
        "class_names": chosen.predictions.class_names,
        "input": {"shape": data.x_train.shape[1:], "values": "raw pixels, 0 to 255", **bits},
        "data": {"source": data.source, **counts},
        "parameters": result.parameters,
        "architecture": result.layers,
        "hyperparameters": network,
        "recipe": recipe,
        "trial": {"id": trial.id, **content},
        CHOSEN_BY: _chosen_by(findings, chosen),
        "retrainings": [
            {"seed": one.trial.seed, "trial": one.trial.id, "test_accuracy": one.result.test_accuracy}
            for one in chosen.finals
        ],
        "saved": {
            "which": which_is_saved(chosen),
            "chosen_on": LOOKED_AT[chosen.save] if len(chosen.finals) > 1 else None,
            "mean_test_accuracy": chosen.mean,
            "is_far_from_mean": is_far(chosen),
        },
        "test_accuracy": result.test_accuracy,
        "test_images": len(chosen.predictions.labels),
        "per_class": [_defined(row) for row in scores.to_dict("records")],
        "averages": [_defined(row) for row in averages(scores).to_dict("records")],
        "environment": result.environment,
        "timing": {
            col.SECONDS: result.seconds,
            col.SECONDS_PER_EPOCH: result.seconds_per_epoch,
            col.LATENCY_MS: milliseconds(chosen.artifact, result),
        },
    }
    return json.dumps(card, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _defined(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        str(name): None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
    }


def _split(values: Mapping[str, Value]) -> tuple[dict[str, Value], dict[str, Value]]:
    """Return what of a trial's values is the network's, and what is the recipe's."""
    names = {parameter.name for parameter in RECIPE}
    network = {name: value for name, value in values.items() if name not in names}
    return network, {name: value for name, value in values.items() if name in names}


def _classes(names: Sequence[str]) -> str:
    if len(names) > _MOST_CLASSES:
        return f"{len(names)}: {escape(', '.join(names[:3]))} to {escape(names[-1])}"
    return f"{len(names)}: {escape(', '.join(names))}"


def _architecture(layers: Sequence[Mapping[str, Any]]) -> str:
    """Return the layers with weights in a line, or how many of each kind there are."""
    weighted = [layer for layer in layers if layer.get("parameters")]
    if not weighted:
        return DASH
    if len(weighted) <= _MOST_LAYERS:
        return escape(" → ".join(f"{layer['kind']} {shape_text(layer['shape'])}" for layer in weighted))
    kinds = [str(layer["kind"]) for layer in weighted]
    return escape(", ".join(f"{kinds.count(kind)} × {kind}" for kind in dict.fromkeys(kinds)))


def _settings(values: Mapping[str, Value]) -> str:
    return escape(", ".join(f"{name} = {setting(values[name])}" for name in in_order(values))) or DASH


def _training(chosen: Chosen, data: Dataset) -> str:
    """Return what the saved model was trained on, how long and with which seed."""
    trial = chosen.saved.trial
    fitted, held_out = training_images(trial, data)
    images, available = len(fitted) + (0 if held_out is None else len(held_out)), len(data.y_train)
    drawn = f" of {available:,}, drawn by class" if images < available else ""
    if chosen.ensemble:
        return f"{images:,} training images{drawn}, {BY_MEMBERS}; seed {trial.seed}"
    epochs = "1 epoch" if trial.last_epoch == 1 else f"{trial.last_epoch:,} epochs"
    stopped = f" of {trial.epochs:,}" if trial.last_epoch < trial.epochs else ""
    held = "" if trial.protocol == "published" else ", those for validation included"
    if held_out is not None:
        held = f", {len(held_out):,} of them held out to tell which retraining is saved"
    return f"{images:,} training images{drawn}{held}; {epochs}{stopped}, seed {trial.seed}"


def _retrainings(chosen: Chosen) -> str:
    seeds = ", ".join(str(record.trial.seed) for record in chosen.finals)
    if len(chosen.finals) == 1:
        return f"seed {seeds}"
    return f"seeds {seeds}: mean test accuracy {plus_minus(chosen.mean, chosen.sd)}"


def _software(environment: Mapping[str, Any]) -> str:
    named = [f"{name} {environment[key]}" for key, name in _SOFTWARE.items() if key in environment]
    return escape(", ".join([str(environment["backend"]), *named] if "backend" in environment else named)) or DASH


def _hardware(environment: Mapping[str, Any]) -> str:
    threads = environment.get("threads")
    with_threads = "" if threads is None else f", {threads} thread{'s' if threads != 1 else ''} per trial"
    return escape(f"{environment['device']}{with_threads}") if "device" in environment else DASH
