"""The functions of `import tuner` about what a search left: its saved models, and exports to other tools."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tuner import columns as col
from tuner.analysis.findings import Findings
from tuner.api.chosen import chosen_model
from tuner.api.functions import PathLike, Ran, load_findings
from tuner.api.wording import in_pythons_words
from tuner.errors import InputError, suggestion
from tuner.exporters import EXPORTERS, Recorded
from tuner.saved_models.exporting import FORMATS, format_of
from tuner.search_file.model import Search
from tuner.workspace import Workspace, search_name

if TYPE_CHECKING:
    import keras


@in_pythons_words()
def load_model(
    found: Ran,
    *,
    model: str | None = None,
    dataset: str | None = None,
    trust: str | Collection[str] = (),
    runs_dir: PathLike = "runs",
    reports_dir: PathLike = "reports",
) -> keras.Model:
    """Return a saved model, to be used with plain Keras: it takes raw pixels and gives a probability per class.

    The file is looked at before Keras loads it, in safe mode. `keras.models.load_model` loads it just as well.

    Args:
        found: what `run` returned, or a search that ran; or the path of a `.keras` file.
        model: the name of its `[[search]]`; by default the best.
        dataset: on which it was scored; by default the first of the comparison.
        trust: a module of yours, or several, by name, that may make a network again which no file can.
        runs_dir: where ledger and models are.
        reports_dir: where reports are written.

    Raises:
        InputError: there is no such model, or the file holds more than a plain network.
    """
    from tuner.saved_models.trusted import checked_or_trusted

    trusted = _names(trust)
    path = _model_file(found, model, dataset, trusted, runs_dir, reports_dir)[0]
    return checked_or_trusted(path, trusted)[1]()


@in_pythons_words()
def predict(
    found: Ran,
    images: PathLike | Iterable[PathLike] | NDArray[Any],
    *,
    model: str | None = None,
    dataset: str | None = None,
    skip_bad: bool = False,
    trust: str | Collection[str] = (),
    runs_dir: PathLike = "runs",
    reports_dir: PathLike = "reports",
) -> pd.DataFrame:
    """Return the class and the probabilities of images by a saved model, a row for each image.

    Args:
        found: what `run` returned, or a search that ran; or the path of a `.keras` file, or of an exported model.
        images: a file or a folder, several of them, or an array of images of the model's size.
        model: the name of its `[[search]]`; by default the best.
        dataset: on which it was scored; by default the first of the comparison.
        skip_bad: leave out files that are no images or are broken.
        trust: a module of yours, or several, by name, that may make a network again which no file can.
        runs_dir: where ledger and models are.
        reports_dir: where reports are written.

    Raises:
        InputError: there is no such model, or what is given are no images.
    """
    trusted = _names(trust)
    path, class_names = _model_file(found, model, dataset, trusted, runs_dir, reports_dir)
    from tuner.saved_models.predict import predict_array, predict_files

    if hasattr(images, "__array__"):
        answers = predict_array(path, np.asarray(images), _warn, trusted)
    else:
        files = [images] if isinstance(images, str | os.PathLike) else list(images)
        if strange := [one for one in files if not isinstance(one, str | os.PathLike)]:
            problem = f"holds {type(strange[0]).__name__}"
            raise InputError("images", problem, "give paths, or one array, as numpy.stack makes it of several")
        answers = predict_files(path, map(Path, files), skip_bad, _warn, trusted)
    if class_names:
        answers = replace(answers, class_names=class_names, no_card="")
    for line in (answers.no_card, *(f"left out {error.place}: {error.problem}" for error in answers.left_out)):
        if line:
            _warn(line)
    probabilities = answers.probabilities
    frame = pd.DataFrame(probabilities, columns=pd.Index(answers.columns[2:]))
    frame.insert(0, col.CONFIDENCE, probabilities.max(axis=1))
    frame.insert(0, col.PREDICTED_CLASS, [answers.class_names[place] for place in probabilities.argmax(axis=1)])
    if answers.images:
        frame.insert(0, col.FILE, [str(image) for image in answers.images])
    return frame


@in_pythons_words()
def export(
    name: Ran,
    to: str,
    storage: str | None = None,
    *,
    quantize: str | None = None,
    runs_dir: PathLike = "runs",
    reports_dir: PathLike = "reports",
) -> list[str]:
    """Write what is recorded of a search for another tool, or its saved models in another format.

    Return a line for each thing that was written; of a model, what it scores on the test images, and where it differs.

    Exported again, it takes the place of what was exported before.

    Args:
        name: of a search that ran, or itself, or what was found.
        to: "optuna", a study for each `[[search]]` on each data set; "mlflow", an experiment with a run a trial; or
            "litert", "onnx" or "savedmodel", the saved models as such.
        storage: the tool's database, such as "sqlite:///study.db", or MLflow's server, by its URL; of models nothing.
        quantize: the numbers that models compute with, "float", the default, or "int8".
        runs_dir: where ledger and models are.
        reports_dir: where reports are written, and exported models beside them.

    Raises:
        InputError: the search has not been run here; there is no such tool, or it is not installed.
    """
    if to not in EXPORTERS and to not in FORMATS:
        raise InputError("to", f"is {to!r}", suggestion(str(to), [*EXPORTERS, *FORMATS]))
    if to in FORMATS:
        if storage is not None:
            raise InputError("storage", f"is of no use with {to!r}", "exported models lie beside the report")
        if quantize not in (None, "float", "int8"):
            raise InputError("quantize", f"is {quantize!r}", suggestion(str(quantize), ["float", "int8"]))
        from tuner.saved_models.exporting.export import export_models

        findings = load_findings(name, runs_dir=runs_dir, reports_dir=reports_dir)
        found = export_models(findings, FORMATS[to], "int8" if quantize == "int8" else "float")
        if not found.exported:
            found.check(FORMATS[to])
        for error in found.refused:
            _warn(str(error))
        return [one.told for one in found.exported]
    if quantize is not None:
        raise InputError("quantize", f"is of no use with {to!r}, which takes trials", "leave it out")
    if not isinstance(storage, str) or not storage.strip():
        raise InputError("storage", "is empty", "give the address of a database")
    if isinstance(name, Findings):
        workspace, text = name.workspace, name.search.name
    else:
        workspace, text = Workspace(Path(runs_dir)), name.name if isinstance(name, Search) else os.fspath(name)
    with workspace.existing_ledger(text) as ledger:
        recorded = Recorded.read(ledger, search_name(text))
    return list(EXPORTERS[to](recorded, storage))


def _model_file(
    found: Ran,
    model: str | None,
    dataset: str | None,
    trusted: Collection[str],
    runs_dir: PathLike,
    reports_dir: PathLike,
) -> tuple[Path, tuple[str, ...]]:
    """Return the file of a saved model, with its class names where a search tells them and not a card.

    Where a module is trusted, that is the report's file, whose card names the module.
    """
    if isinstance(found, str | os.PathLike) and (Path(found).suffix == ".keras" or format_of(Path(found))):
        if model is not None or dataset is not None:
            raise InputError("model" if model else "dataset", f"is of no use: {os.fspath(found)} is one model's file")
        return Path(found), ()
    findings = load_findings(found, runs_dir=runs_dir, reports_dir=reports_dir)
    chosen = chosen_model(findings, model, dataset)
    reported = findings.workspace.reports / findings.search.name / chosen.file_name
    return reported if trusted else chosen.artifact, tuple(chosen.predictions.class_names)


def _names(trust: str | Collection[str]) -> Collection[str]:
    """Return names of modules, of which a single one may be given as it is."""
    return [trust] if isinstance(trust, str) else list(trust)


def _warn(line: str) -> None:
    warnings.warn(line, stacklevel=3)
