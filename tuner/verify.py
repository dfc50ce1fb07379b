"""Proof that the saved models are what the report says: reloaded with plain Keras, in a process of its own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from tuner.errors import CheckError, InputError, one_line
from tuner.findings import Chosen, Findings
from tuner.protocol import test_images
from tuner.report.cards import card_json, card_name
from tuner.text import shortened, visible_line
from tuner.untrusted.saved_model import checked_model
from tuner.untrusted.sizes import MOST_TEXT, read_at_most

_NONE = object()
#: How far a reloaded model's probabilities may lie from the recorded ones: other hardware rounds otherwise.
TOLERANCE = 1e-3

# Runs with `python -I`, and knows nothing of this package: only Keras, the model file and raw pixels.
_RELOAD = """
import json, sys
import keras, numpy as np
for job in json.load(open(sys.argv[1])):
    model = keras.models.load_model(job["model"])
    if getattr(model, "optimizer", None) is not None:
        sys.exit(job["model"] + " carries an optimizer")
    np.save(job["answers"], model.predict(np.load(job["images"]), batch_size=1000, verbose=0))
"""


def verify(findings: Findings) -> list[str]:
    """Reload every saved model of a report; compare its predictions, and its card, with what is recorded.

    Returns:
        A line per model that holds.

    Raises:
        CheckError: the first thing that does not hold.
    """
    folder = findings.places.reports / findings.search.name
    if not findings.chosen:
        raise CheckError(f"{findings.search.name}: has no saved model to verify")
    for chosen in findings.chosen:
        _check_file(folder / chosen.file_name, chosen.saved.result.files["model"], findings.search.name)
        _check_recorded(chosen)
        _check_card(findings, chosen, folder / card_name(chosen))
    for chosen in findings.chosen:
        _check_content(folder / chosen.file_name)
    with tempfile.TemporaryDirectory() as scratch:
        answers = _reload(findings, folder, Path(scratch))
    return [_compare(chosen, answer) for chosen, answer in zip(findings.chosen, answers, strict=True)]


def _check_file(path: Path, sha256: str, search: str) -> None:
    try:
        content = path.read_bytes()
    except OSError as error:
        remedy = f"write it again with: tuner report {search}"
        raise CheckError(f"{path}: cannot be read ({error.strerror}); {remedy}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise CheckError(f"{path}: is not the model that was recorded")


def _check_card(findings: Findings, chosen: Chosen, path: Path) -> None:
    """Compare a card with the records: with hash, data, recipe, seeds and scores."""
    remedy = f"write it again with: tuner report {findings.search.name}"
    try:
        told = json.loads(read_at_most(path, MOST_TEXT))
    except (InputError, ValueError, RecursionError) as error:
        raise CheckError(f"{path}: cannot be read ({one_line(error, 160)}); {remedy}") from error
    expected = json.loads(card_json(findings, chosen))
    if told != expected:
        names = told.keys() | expected.keys() if isinstance(told, dict) else ()
        wrong = [visible_line(name) for name in sorted(names) if told.get(name, _NONE) != expected.get(name, _NONE)]
        what = ", ".join(wrong) or "anything"
        raise CheckError(f"{path}: does not say what was recorded of {shortened(what, 200)}; {remedy}")


def _check_content(path: Path) -> None:
    """Look at a model before Keras does, which loads it as a reader of the report would."""
    try:
        saved = checked_model(path)
    except InputError as error:
        raise CheckError(str(error)) from error
    if saved.is_compiled:
        raise CheckError(f"{path}: carries an optimizer")


def _check_recorded(chosen: Chosen) -> None:
    recorded = chosen.saved.result.test_accuracy
    if recorded != chosen.predictions.accuracy:
        raise CheckError(
            f"{chosen.file_name}: the saved predictions score {chosen.predictions.accuracy:.6f}, and "
            f"{recorded:.6f} was recorded"
        )


def _reload(findings: Findings, folder: Path, scratch: Path) -> list[np.ndarray]:
    jobs = []
    for index, chosen in enumerate(findings.chosen):
        data = findings.data(chosen.dataset)
        images = scratch / f"images-{index}.npy"
        np.save(images, data.x_test[test_images(chosen.saved.trial, data.y_test)])
        model = (folder / chosen.file_name).resolve()
        jobs.append({"model": str(model), "images": str(images), "answers": str(scratch / f"answers-{index}.npy")})
    listed = scratch / "jobs.json"
    listed.write_text(json.dumps(jobs), encoding="utf-8")
    ran = subprocess.run(  # noqa: S603  # our own interpreter and script
        [sys.executable, "-I", "-c", _RELOAD, str(listed)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    if ran.returncode != 0:
        last = (ran.stderr.strip().splitlines() or ["no message"])[-1]
        raise CheckError(f"{findings.search.name}: plain Keras cannot reload the models: {last}")
    return [np.load(job["answers"]) for job in jobs]


def _compare(chosen: Chosen, answer: np.ndarray) -> str:
    recorded = chosen.predictions
    accuracy = float((answer.argmax(axis=1) == recorded.labels).mean())
    furthest = float(np.abs(answer - recorded.probabilities).max())
    if furthest > TOLERANCE:
        raise CheckError(
            f"{chosen.file_name}: reloaded, its probabilities lie up to {furthest:.2g} from the recorded ones "
            f"(accuracy {accuracy:.4f}, recorded {recorded.accuracy:.4f})"
        )
    return (
        f"{chosen.file_name}: {accuracy:.4f} on {len(answer):,} test images, as recorded and on its card "
        f"(probabilities within {furthest:.1g})"
    )
