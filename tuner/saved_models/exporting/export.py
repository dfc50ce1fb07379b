"""Export of a search's saved models: converted, scored again on the test images, and held against what they came of."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.significance import mcnemar
from tuner.errors import CheckError, InputError
from tuner.protocol import test_images, training_images
from tuner.report.cards import card_json
from tuner.saved_models.exporting import Format, Quantize, converting
from tuner.saved_models.exporting.runtime import Asked, Runtime, runtime
from tuner.system.files import folder_inside, partial_of, publish, remove_partials, write_whole
from tuner.system.interrupts import INTERRUPTS
from tuner.system.scratch import scratch_folder
from tuner.system.waiting import doing
from tuner.text import visible_line
from tuner.untrusted.saved_model import checked_model
from tuner.workspace import check_has_report, written_into

#: So many training images show a converter which numbers a network computes with.
REPRESENTATIVE = 200
#: So many single images' times are taken.
CALLS = 100
#: The folder of exported models, in that of a report.
FOLDER = "exported"


@dataclass(frozen=True, eq=False)
class Measured:
    """A model as it was run on this machine, alone, on one thread.

    `probabilities` are its answers to the test images and `correct` whether they are right; `milliseconds` are what
    single images took, and `size` is that of its file or folder, in bytes.
    """

    path: Path
    size: int
    probabilities: NDArray[np.float32]
    correct: NDArray[np.bool_]
    milliseconds: tuple[float, ...]

    @property
    def accuracy(self) -> float:
        """The share of test images that it has right."""
        return float(self.correct.mean())

    @property
    def latency(self) -> tuple[float, float, float]:
        """What an image takes, in milliseconds: the median, and the quartiles."""
        low, median, high = np.percentile(self.milliseconds, (25, 50, 75))
        return float(median), float(low), float(high)


@dataclass(frozen=True, eq=False)
class Exported:
    """An exported model beside the float model in Keras that it came of."""

    chosen: Chosen
    of_keras: Measured
    here: Measured

    @property
    def changed(self) -> int:
        """How many test images it puts into another class."""
        ours, theirs = self.here.probabilities.argmax(axis=1), self.of_keras.probabilities.argmax(axis=1)
        return int((ours != theirs).sum())

    @property
    def p(self) -> float:
        """McNemar's mid-p that both err equally often."""
        return mcnemar(self.of_keras.correct, self.here.correct)

    @property
    def furthest(self) -> float:
        """How far its probabilities lie from those in Keras, at most."""
        return float(np.abs(self.here.probabilities - self.of_keras.probabilities).max())

    @property
    def told(self) -> str:
        """The model in one line."""
        median, low, high = self.here.latency
        score = f"{self.here.accuracy:.4f} on {len(self.here.correct):,} test images"
        apart = f"{self.here.accuracy - self.of_keras.accuracy:+.4f}, {self.changed:,} in another class, p {self.p:.3g}"
        size = f"{self.here.size / 1e6:.3f} MB, {median:.3g} ms an image ({low:.3g} to {high:.3g})"
        return f"{self.here.path}: {score} ({apart}), {size}"


@dataclass(frozen=True, eq=False)
class Exports:
    """What became of the saved models of a search: those that were exported, and why others were not."""

    exported: tuple[Exported, ...]
    refused: tuple[InputError, ...]

    def check(self, form: Format) -> None:
        """See that all could be exported.

        Raises:
            InputError: some could not.
        """
        if len(self.refused) == 1:
            raise self.refused[0]
        if self.refused:
            told = tuple(map(str, self.refused))
            raise InputError("", f"{len(told)} models cannot be exported to {form.label}", details=told)


def export_models(findings: Findings, form: Format, quantize: Quantize = "float") -> Exports:
    """Write every saved model of a search in another format, with its card, and score it again.

    The files lie in the folder `exported` of the search's report; exported again, they take the place of those before.
    A model that is not of Keras' own layers, or holds layers that the converter or what runs the format cannot take, is
    refused, and the others are exported all the same.

    Raises:
        InputError: an extra is missing; the format has no such numbers.
        CheckError: the search has no saved model.
    """
    check_has_report(findings.search, "export")
    form.check_quantizes(quantize)
    form.check_converts()
    if not findings.chosen:
        raise CheckError(f"{findings.search.name}: has no saved model to export")
    refused: dict[Chosen, InputError] = {}
    for chosen in findings.chosen:
        try:
            checked_model(chosen.artifact)
        except InputError as error:
            refused[chosen] = InputError(chosen.file_name, error.problem, error.remedy)
    with written_into(findings.workspace.reports):
        folder = folder_inside(findings.workspace.reports, findings.search.name, FOLDER)
        remove_partials(folder)
        with scratch_folder("export") as scratch:
            made = _converted(findings, form, quantize, scratch, refused)
            exported = _measured(findings, form, quantize, made, folder, scratch, refused) if made else []
    return Exports(tuple(exported), tuple(refused[chosen] for chosen in findings.chosen if chosen in refused))


def _converted(
    findings: Findings, form: Format, quantize: Quantize, scratch: Path, refused: dict[Chosen, InputError]
) -> dict[Chosen, Path]:
    """Convert saved models into a folder, all in one process; note those that cannot be, and pass over such."""
    wanted = [chosen for chosen in findings.chosen if chosen not in refused]
    jobs = []
    for number, chosen in enumerate(wanted):
        images = ""
        if quantize == "int8":
            images = str(scratch / f"training-{number}.npy")
            np.save(images, _representative(findings, chosen))
        out = scratch / f"{number}{form.suffix}"
        jobs.append({"model": str(chosen.artifact.resolve()), "format": form.name, "images": images, "out": str(out)})
    made: dict[Chosen, Path] = {}
    if not jobs:
        return made
    with _asked_to_convert(jobs) as asked:
        for chosen, job in zip(wanted, jobs, strict=True):
            with doing(f"converting {chosen.file_name} to {form.label}"):
                wrong = asked.hear()
            if wrong is None:
                wrong = asked.how_it_ended()
            if wrong:
                refused[chosen] = _refused(chosen, f"cannot be converted to {form.label} ({wrong})")
            else:
                made[chosen] = Path(job["out"])
    return made


def _refused(chosen: Chosen, problem: str) -> InputError:
    return InputError(chosen.file_name, visible_line(problem), "export it to another format")


@contextmanager
def _asked_to_convert(jobs: Sequence[dict[str, str]]) -> Iterator[Asked]:
    asked = Asked(converting)
    try:
        asked.tell(jobs)
        yield asked
    finally:
        asked.end()


def _representative(findings: Findings, chosen: Chosen) -> NDArray[np.uint8]:
    """Return some of the images that a model was trained on, the same each time."""
    data = findings.data(chosen.dataset)
    places = np.sort(np.asarray(training_images(chosen.saved.trial, data)[0]))
    some = np.random.default_rng(0).permutation(places)[:REPRESENTATIVE]
    return np.asarray(data.x_train[np.sort(some)])


def _measured(
    findings: Findings,
    form: Format,
    quantize: Quantize,
    made: Mapping[Chosen, Path],
    folder: Path,
    scratch: Path,
    refused: dict[Chosen, InputError],
) -> list[Exported]:
    """Run each converted model, and what it came of, and move it into its folder; note those that cannot be run."""
    found = []
    with _alone(scratch, "keras") as keras, _alone(scratch, "other") as other:
        for chosen, converted in made.items():
            INTERRUPTS.hear()
            with doing(f"scoring {chosen.file_name} in Keras and as {form.label}"):
                of_keras = _run(findings, chosen, keras, chosen.artifact, "keras")
                try:
                    here = _run(findings, chosen, other, converted, form.name)
                except InputError as error:
                    refused[chosen] = _refused(chosen, f"converted to {form.label}, it {error.problem}")
                    continue
            numbers = "" if quantize == "float" else f"-{quantize}"
            path = folder / f"{Path(chosen.file_name).stem}{numbers}{form.suffix}"
            _move(converted, path)
            card = card_json(findings, chosen).encode()
            write_whole(path.with_suffix(".json"), lambda partial, card=card: partial.write_bytes(card))  # type: ignore[misc]
            found.append(
                Exported(
                    chosen,
                    of_keras,
                    Measured(path, here.size, here.probabilities, here.correct, here.milliseconds),
                )
            )
    return found


@contextmanager
def _alone(scratch: Path, name: str) -> Iterator[Runtime]:
    """Start what runs models, with a folder of its own; it waits while another runs."""
    own = scratch / name
    own.mkdir()
    with runtime(own) as started:
        yield started


def _run(findings: Findings, chosen: Chosen, started: Runtime, path: Path, form: str) -> Measured:
    data = findings.data(chosen.dataset)
    images = np.asarray(data.x_test[test_images(chosen.saved.trial, data.y_test)])
    started.open(path, form)
    probabilities, milliseconds = started.answer(images, CALLS)
    labels = chosen.predictions.labels
    correct: NDArray[np.bool_] = probabilities.argmax(axis=1) == labels
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return Measured(path, sum(one.stat().st_size for one in files), probabilities, correct, tuple(milliseconds))


def _move(made: Path, path: Path) -> None:
    """Move a converted model to its place, where the one before lay."""
    with partial_of(path) as partial:
        if made.is_dir():
            shutil.copytree(made, partial)
            if path.is_symlink() or not path.is_dir():
                path.unlink(missing_ok=True)
            else:
                shutil.rmtree(path)
            partial.rename(path)
        else:
            shutil.copyfile(made, partial)
            publish(partial, path)


def table_of(exported: Sequence[Exported]) -> tuple[list[str], list[list[str]]]:
    """Return the table of exported models, each below the one in Keras that it came of: its header and its rows."""
    header = ["model", "MB", "ms an image", "quartiles", "test accuracy", "difference", "other class", "p", "furthest"]
    rows = []
    for one in exported:
        for measured in (one.of_keras, one.here):
            median, low, high = measured.latency
            name = one.chosen.file_name if measured is one.of_keras else measured.path.name
            row = [name, f"{measured.size / 1e6:.3f}", f"{median:.3g}", f"{low:.3g} to {high:.3g}"]
            row.append(f"{measured.accuracy:.4f}")
            if measured is one.here:
                difference = one.here.accuracy - one.of_keras.accuracy
                changed = f"{one.changed:,} of {len(measured.correct):,}"
                row += [f"{difference:+.4f}", changed, f"{one.p:.3g}", f"{one.furthest:.1g}"]
            rows.append(row + [""] * (len(header) - len(row)))
    return header, rows
