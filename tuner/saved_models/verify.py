"""Proof that the saved models are what the report says: reloaded with plain Keras, in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from tuner.analysis.findings import Chosen, Findings
from tuner.datasets.large import Rows, most_images, release, rows_at, rows_of
from tuner.errors import CheckError, InputError, one_line
from tuner.families.custom import CustomFamily
from tuner.protocol import test_images
from tuner.report.cards import CHOSEN_BY, card_json, card_name
from tuner.saved_models.frozen import frozen_in_words
from tuner.saved_models.reader import PlainKeras
from tuner.saved_models.trusted import made_again, remedy_of
from tuner.system.interrupts import INTERRUPTS
from tuner.system.scratch import scratch_folder
from tuner.system.waiting import doing
from tuner.text import shortened, visible_line
from tuner.untrusted.checked_json import same_json, strict_json
from tuner.untrusted.saved_model import SavedModel, checked_model, checked_weights
from tuner.untrusted.sizes import MOST_CARD, read_at_most, sha256_of
from tuner.workspace import check_has_report

_NONE = object()
#: How far a reloaded model's probabilities may lie from the recorded ones: other hardware rounds otherwise.
TOLERANCE = 1e-3


def verify(findings: Findings, reader: PlainKeras | None = None, trusted: Collection[str] = ()) -> list[str]:
    """Reload every saved model of a report; compare its predictions, and its card, with what is recorded.

    Of a pretrained network the arrays that were frozen are held against their source, bit for bit.

    Args:
        findings: of the search whose report it is.
        reader: a process to load the models in; otherwise one is started.
        trusted: modules that may make networks again which no file can; see `tuner.saved_models.trusted`.

    Returns:
        A line per model that holds.

    Raises:
        CheckError: the first thing that does not hold.
        InputError: the search is a further split, which has no report.
    """
    check_has_report(findings.search, "verify")
    folder = findings.workspace.reports / findings.search.name
    if not findings.chosen:
        raise CheckError(f"{findings.search.name}: has no saved model to verify")
    for chosen in findings.chosen:
        INTERRUPTS.hear()
        _check_file(folder / chosen.file_name, chosen.saved.result.files["model"], findings.search.name)
        _check_recorded(chosen)
        _check_card(findings, chosen, folder / card_name(chosen))
    models = {
        chosen: _checked_content(findings, chosen, folder / chosen.file_name, trusted) for chosen in findings.chosen
    }
    by_files = {chosen: model for chosen, model in models.items() if model.config}
    answers: dict[Chosen, np.ndarray] = {}
    with nullcontext(reader) if reader else PlainKeras() as plain, scratch_folder("verify") as scratch:
        if by_files:
            answers = _reload(findings, by_files, plain, scratch)
    for chosen, model in models.items():
        if chosen not in by_files:
            answers[chosen] = _made_again(findings, chosen, model)
    held = [
        _compare(chosen, model, answers[chosen], "" if chosen in by_files else f"made again by {_module(chosen)}, ")
        for chosen, model in models.items()
    ]
    frozen = [frozen_in_words(findings, chosen, model) for chosen, model in models.items()]
    return [f"{line}; {words}" if words else line for line, words in zip(held, frozen, strict=True)]


def _check_file(path: Path, sha256: str, search: str) -> None:
    try:
        found = sha256_of(path)
    except InputError as error:
        remedy = f"write it again with: tuner report {search}"
        raise CheckError(f"{path}: {error.problem}; {remedy}") from error
    if found != sha256:
        raise CheckError(f"{path}: is not the model that was recorded")


def _check_card(findings: Findings, chosen: Chosen, path: Path) -> None:
    """Compare a card with the records: with hash, data, recipe, seeds and scores."""
    remedy = f"write it again with: tuner report {findings.search.name}"
    try:
        told = strict_json(read_at_most(path, MOST_CARD))
    except (InputError, ValueError) as error:
        raise CheckError(f"{path}: cannot be read ({one_line(error, 160)}); {remedy}") from error
    expected = json.loads(card_json(findings, chosen))
    if isinstance(told, dict) and CHOSEN_BY not in told:
        del expected[CHOSEN_BY]
    if not same_json(told, expected):
        names = told.keys() | expected.keys() if isinstance(told, dict) else ()
        wrong = [
            visible_line(name)
            for name in sorted(names)
            if not same_json(told.get(name, _NONE), expected.get(name, _NONE))
        ]
        what = ", ".join(wrong) or "anything"
        raise CheckError(f"{path}: does not say what was recorded of {shortened(what, 200)}; {remedy}")


def _checked_content(findings: Findings, chosen: Chosen, path: Path, trusted: Collection[str]) -> SavedModel:
    """Look at a model before Keras does, which loads it as a reader of the report would, and return what it is.

    Of one that a trusted module makes again, the weights alone are looked at, and the rest is left empty.
    """
    module = _module(chosen)
    try:
        saved = checked_model(path)
    except InputError as error:
        if module not in trusted:
            known = InputError(error.place, error.problem, remedy_of(module)) if module else error
            raise CheckError(str(known)) from error
        try:
            return checked_weights(path)
        except InputError as other:
            raise CheckError(str(other)) from other
    if saved.is_compiled:
        raise CheckError(f"{path}: carries an optimizer")
    return saved


def _check_recorded(chosen: Chosen) -> None:
    recorded = chosen.saved.result.test_accuracy
    if recorded != chosen.predictions.accuracy:
        raise CheckError(
            f"{chosen.file_name}: the saved predictions score {chosen.predictions.accuracy:.6f}, and "
            f"{recorded:.6f} was recorded"
        )


def _module(chosen: Chosen) -> str:
    """Return the module of the user's own that builds a model; empty for one of a built-in family."""
    module, _, attribute = chosen.saved.trial.family.partition(":")
    return module if attribute else ""


def _images(findings: Findings, chosen: Chosen) -> Rows:
    data = findings.data(chosen.dataset)
    return rows_at(data.x_test, test_images(chosen.saved.trial, data.y_test))


def _pieces(images: Rows, size: int) -> Iterator[tuple[slice, np.ndarray]]:
    for start in range(0, len(images), size):
        here = slice(start, start + size)
        yield here, np.asarray(images[here])


def _write(images: Rows, path: Path) -> None:
    """Write images as `np.save` does; of many that take much room no more than a block comes into memory."""
    written = np.lib.format.open_memmap(path, "w+", images.dtype, tuple(images.shape))
    for here, piece in _pieces(images, rows_of(images.shape[1:], images.dtype)):
        written[here] = piece
        release(written)
    written.flush()


def _made_again(findings: Findings, chosen: Chosen, model: SavedModel) -> np.ndarray:
    """Return the answers of a network that a trusted module makes again, with the saved weights."""
    trial, images = chosen.saved.trial, _images(findings, chosen)
    files = tuple(chosen.saved.result.environment.get("files", ()))
    family, classes = CustomFamily(trial.family, findings.search.folder, files), len(chosen.predictions.class_names)
    try:
        network = made_again(model.path, family, trial.source, trial.values, images.shape[1:], classes)
        batch = most_images(images.shape[1:])
        size = rows_of(images.shape[1:], images.dtype, batch)
        parts = [network.predict(piece, batch_size=batch, verbose=0) for _, piece in _pieces(images, size)]
    except InputError as error:
        raise CheckError(str(error)) from error
    answers: np.ndarray = np.concatenate(parts)
    return answers


def _reload(
    findings: Findings, models: Mapping[Chosen, SavedModel], reader: PlainKeras, scratch: Path
) -> dict[Chosen, np.ndarray]:
    jobs = []
    for index, (chosen, model) in enumerate(models.items()):
        images = scratch / f"images-{index}.npy"
        _write(_images(findings, chosen), images)
        files = {"model": model.path.resolve(), "images": images, "answers": scratch / f"answers-{index}.npy"}
        about = {"shown": str(model.path), "numbers": model.numbers}
        jobs.append({**{name: str(path) for name, path in files.items()}, **about})
    with doing(f"importing plain Keras, and loading {len(jobs)} models"):
        wrong = reader.answer(jobs)
    if wrong:
        raise CheckError(f"{findings.search.name}: plain Keras cannot reload the models: {wrong}")
    return {chosen: np.load(scratch / f"answers-{index}.npy") for index, chosen in enumerate(models)}


def _compare(chosen: Chosen, model: SavedModel, answer: np.ndarray, how: str) -> str:
    recorded = chosen.predictions
    accuracy = float((answer.argmax(axis=1) == recorded.labels).mean())
    furthest = float(np.abs(answer - recorded.probabilities).max())
    if not furthest <= TOLERANCE:  # nor is NaN
        raise CheckError(
            f"{chosen.file_name}: reloaded, its probabilities lie up to {furthest:.2g} from the recorded ones "
            f"(accuracy {accuracy:.4f}, recorded {recorded.accuracy:.4f})" + (f"; {model.doubt}" if model.doubt else "")
        )
    return (
        f"{chosen.file_name}: {accuracy:.4f} on {len(answer):,} test images, as recorded and on its card "
        f"({how}probabilities within {furthest:.1g})" + (f"; but {model.doubt}" if model.doubt else "")
    )
