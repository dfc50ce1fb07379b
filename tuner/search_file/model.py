"""A search, every value checked and frozen. `tuner.search_file.file` reads it; no training code in either."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from tuner.errors import InputError
from tuner.families.base import Family
from tuner.families.custom import CustomFamily
from tuner.families.declared import Declared
from tuner.objective import ACCURACY, Objective, OwnObjective
from tuner.oracles import Algorithm, Oracle
from tuner.recipe import left_to_build
from tuner.search_file.settings import with_settings
from tuner.search_file.toml import toml_text
from tuner.space.parameters import Values
from tuner.space.space import Configuration, Space
from tuner.system.files import file_part, write_whole
from tuner.trial import Protocol, Save, Trial

if TYPE_CHECKING:
    from tuner.datasets.base import Dataset


class FilePart(BaseModel):
    """A table of a search file: no unknown keys, no conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Share = Annotated[float, Field(ge=0, le=1)]


class StudyScore(FilePart):
    """A printed accuracy of one model on one data set, or its printed range; and what else was printed of it."""

    model: str = Field(description="Name of the `[[search]]` that repeats it.")
    dataset: str = Field(description="A data set of the file.")
    test_accuracy: Share | Annotated[list[Share], Field(min_length=2, max_length=2)] = Field(
        description="The accuracy on the test set; the lowest and the highest where a range is printed."
    )
    test_loss: float | None = Field(default=None, description="The loss on the test set.")
    parameters: int | None = Field(default=None, description="How many weights the network has.")
    megabytes: float | None = Field(default=None, description="Size of the saved model.")
    why: str = Field(default="", description="A sentence on why ours may differ, where the study tells.")

    @property
    def span(self) -> tuple[float, float]:
        """The lowest and the highest printed accuracy, which mostly are one number."""
        given = self.test_accuracy
        return (given[0], given[1]) if isinstance(given, list) else (given, given)


class StudyTrial(FilePart):
    """A printed accuracy of one model at some values of its parameters."""

    model: str = Field(description="Name of the `[[search]]` that repeats it.")
    values: dict[str, int | float | str | bool] = Field(
        min_length=1, description="Parameters with their values; it is held against the trials that have all of them."
    )
    accuracy: Share = Field(description="The accuracy that the study chose by.")
    dataset: str | None = Field(default=None, description="A data set of the file; the first unless given.")
    why: str = Field(default="", description="A sentence on why ours may differ, where the study tells.")


class StudyGroup(FilePart):
    """A printed mean and sample standard deviation of the accuracy of all trials with one value of a parameter."""

    parameter: str = Field(description="A parameter that the file searches.")
    value: int | float | str | bool = Field(description="Its value in these trials.")
    mean: Share = Field(description="Mean accuracy.")
    sd: float = Field(description="Sample standard deviation of the accuracy.")
    dataset: str | None = Field(default=None, description="A data set of the file; the first unless given.")


class StudyResults(FilePart):
    """Printed results of a study that the search repeats; the report sets ours beside them."""

    study: str = Field(description="What the report calls the study.")
    chosen_on_test_set: bool = Field(
        default=False, description="Whether the study chose its models on the images that it then reported."
    )
    runs: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="How many trainings are behind a printed number."
    )
    scores: list[StudyScore] = Field(default=[], description="Printed accuracies of the compared models.")
    trials: list[StudyTrial] = Field(default=[], description="Printed accuracies of single configurations.")
    groups: list[StudyGroup] = Field(default=[], description="Printed means over all trials with one value.")


class ReportOptions(FilePart):
    """What the report shows beyond what it shows of every search. None of it takes a training."""

    pivots: list[Annotated[list[str], Field(min_length=2, max_length=2)]] = Field(
        default=[],
        description='Pairs of parameters, `"model"` being one, each with a table of the best score by their values.',
    )
    curves: str | None = Field(
        default=None, description="A parameter for a figure of learning curves with a curve for each of its values."
    )
    reach: list[Annotated[float, Field(gt=0, lt=1)]] = Field(
        default=[], description="Accuracies: the report tells the epochs, and the time, to each."
    )
    matters: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.005,
        description="From which difference of test accuracies on it matters which of two models one takes.",
    )


def _whole(said: str, least: int, most: int | None = None) -> Any:
    """Return a field of `Overrides`: what the command line says of it, and how small and large it may be."""
    return field(default=None, metadata={"said": said, "least": least, "most": most})


@dataclass(frozen=True)
class Overrides:
    """Smaller stand-ins for a budget, from the command line; printed in every table that they shaped.

    A new one is a field here, which `tuner run` has as an option, and a parameter of `tuner.load_search`.
    """

    epochs: int | None = _whole("Epochs of every trial, instead of the search file's.", 1, 1_000_000)
    train_size: int | None = _whole("Use so many training images, drawn by class.", 2)
    test_size: int | None = _whole("Use so many test images, drawn by class.", 2)
    repeats: int | None = _whole("Retrainings of each winner, instead of the search file's.", 1, 100)
    settings: tuple[str, ...] = field(
        default=(),
        metadata={"said": "Any key of the search file, as training.batch_size=64 or search.cnn.lag=2; repeatable."},
    )

    @property
    def given(self) -> list[tuple[str, str]]:
        """What was given: options with their values, as one would type them."""
        numbers = [(option_name(name), str(value)) for name, value in self.content.items() if name != "settings"]
        return [*numbers, *((option_name("settings"), shlex.quote(setting)) for setting in self.settings)]

    @property
    def content(self) -> dict[str, Any]:
        """What was given, by the names of the fields."""
        return {name: value for name, value in vars(self).items() if value not in (None, ())}

    @property
    def recorded(self) -> dict[str, Any]:
        """What a search is named by and recorded with: the oldest fields, and newer ones where they were given."""
        return {name: value for name, value in vars(self).items() if name != "settings" or value}


def option_name(field_name: str) -> str:
    """Return what the command line calls a field of `Overrides`."""
    return "--set" if field_name == "settings" else f"--{field_name.replace('_', '-')}"


@dataclass(frozen=True)
class ModelSearch:
    """One `[[search]]`: a family with a space and the algorithm that searches it."""

    name: str
    family: Family
    path: str
    algorithm: Algorithm
    max_trials: int | None
    lag: int
    epochs: int
    watch: tuple[str, ...]
    space: Space
    #: The keys that the file names, and what a user's own `build(hp)` asks for.
    named: frozenset[str] = frozenset()
    #: Of a user's own network, the hash of its code as `with_code` read it: what its trials are named by.
    source: str = ""
    #: Configurations that are tried before any other.
    first: tuple[Configuration, ...] = ()
    #: What its trials are chosen by.
    objective: Objective = ACCURACY
    #: Whether a user's own `build` compiles its networks, as the dry build found.
    compiled: bool = False
    #: Of a user's own network, what its `build(hp)` asks for; None before that was read.
    declared: tuple[Declared, ...] | None = None
    #: A hash of what that adds to what the file says, a part of what names a list of trials; empty for nothing.
    added: str = ""

    @property
    def label(self) -> str:
        """How tables call it: the family's label, or the model search's own name."""
        return self.family.label if self.name == self.family.name else self.name

    def with_code(self) -> ModelSearch:
        """Return the same with a user's own code as it is now: a run reads it once, at its start.

        What it asks for is to be read anew.

        Raises:
            InputError: there is no such module.
        """
        objective = self.objective.with_source()
        if not isinstance(self.family, CustomFamily) or self.source:
            return replace(self, objective=objective)
        return replace(self, source=self.family.source_hash(), objective=objective, declared=None)

    @property
    def is_known(self) -> bool:
        """Whether `planned` tells something: of a grid over a user's network only once it was built."""
        return not (self.space.is_open and self.algorithm.lists_grid)

    def with_compiled(self, fits: bool) -> ModelSearch:
        """Return the same for a network that `build` compiles: without the parts of the recipe that it decides.

        Args:
            fits: whether it trains by a `fit` of its own, too.
        """
        left = left_to_build(self.named, fits)
        kept = tuple(parameter for parameter in self.space.parameters if parameter.name not in left)
        domains = {name: domain for name, domain in self.space.domains.items() if name not in left}
        first = tuple({name: value for name, value in one.items() if name not in left} for one in self.first)
        space = replace(self.space, parameters=kept, domains=domains)
        return replace(self, space=space, first=first, compiled=True)

    @property
    def is_counted(self) -> bool:
        """Whether `planned` knows what rules leave, and not only how many there are before rules."""
        return not self.algorithm.lists_grid or self.space.is_countable

    def planned(self) -> int:
        """Return how many search trials the model search will have on one data set.

        At most so many, for Hyperband, which goes on with fewer where trials fail; for a grid that has too many
        configurations to count what its rules leave; and for rules that random draws hardly ever obey.
        """
        return self.algorithm.planned(self.space, self.max_trials, self.epochs)

    def oracle(self, seed: int) -> Oracle:
        """Return a fresh oracle that proposes the model search's trials on one data set."""
        return self.algorithm.oracle(self.space, seed, self.max_trials, self.epochs, self.first)


@dataclass(frozen=True, eq=False)
class Given:
    """What a search that was made in Python holds itself, where a search file names files.

    Args:
        datasets: by the names that the search calls them.
        code: the text of each module that was made of functions of a notebook or a script, by the module's name.
        notes: lines on them that the user should read.
    """

    datasets: Mapping[str, Dataset]
    code: Mapping[str, str]
    notes: tuple[str, ...] = ()

    def write_code(self, folder: Path) -> None:
        """Write the modules into a folder, where they are not there."""
        for name, text in self.code.items():
            _write_text(folder / f"{name}.py", text)


@dataclass(frozen=True)
class Search:
    """A search file with its overrides, every value checked; or the same made in Python, which may hold its data."""

    name: str
    title: str
    datasets: tuple[str, ...]
    seed: int
    protocol: Protocol
    repeats: int
    save: Save
    validation: float
    image_size: tuple[int, int] | None
    channels: int | None
    epochs: int
    threads: int
    model_searches: tuple[ModelSearch, ...]
    compare: tuple[str, ...]
    published: StudyResults | None
    report: ReportOptions
    max_trial_minutes: float | None
    max_trial_gb: float | None
    cpus_per_trial: float | None
    gpus_per_trial: float | None
    overrides: Overrides
    folder: Path
    file_hash: str
    #: Keras' backend, as it was set when the search was read.
    backend: str
    raw: Mapping[str, Any] = field(repr=False)
    splits: int = 1
    split: int = 1
    given: Given | None = field(default=None, repr=False)

    @cached_property
    def key(self) -> str:
        """A hash of what is searched, overrides included: the same key has the same trials in the same order."""
        content = {"raw": self.raw, "overrides": self.overrides.recorded, "backend": self.backend}
        # Keys are not sorted: the order of a space's parameters is the order of its grid.
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]

    @property
    def content(self) -> Mapping[str, Any]:
        """What the search file says, with what the command line set in its place; `raw` is the file alone."""
        return with_settings(self.raw, self.overrides.settings)

    def __repr__(self) -> str:
        labels = ", ".join(model_search.label for model_search in self.model_searches)
        return f"<Search {self.name!r}: {labels} on {', '.join(self.all_datasets)}>"

    @property
    def file(self) -> Path:
        """The search file."""
        return self.folder / f"{self.file_name}.toml"

    @property
    def place(self) -> str:
        """Where it is written, for errors: its file, or the call that made it."""
        return str(self.file) if self.given is None else f"tuner.Search({self.file_name!r})"

    @property
    def file_name(self) -> str:
        """The name of its file, which is its own but for a further split, `digits#2`."""
        return self.name.partition("#")[0]

    def at_split(self, number: int) -> Search:
        """Return the same search on a further split of all images, which has trials of its own; 1 is the first."""
        return replace(self, name=self.file_name if number == 1 else f"{self.file_name}#{number}", split=number)

    @property
    def validates_on(self) -> str:
        """What trials are chosen on, in words."""
        return "the test set" if self.protocol == "published" else "validation images"

    @property
    def objective(self) -> Objective:
        """What all models are chosen by; where they are not by the same, accuracy, by which they are compared."""
        return self.objectives[0] if len(self.objectives) == 1 else ACCURACY

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What models are chosen by, each once, in the order of the file."""
        return tuple(dict.fromkeys(model_search.objective for model_search in self.model_searches))

    @property
    def held_out_of_retrainings(self) -> float:
        """The share of the training images that retrainings do not fit, to tell which one is saved."""
        return self.validation if self.save == "best on validation" else 0.0

    @property
    def all_datasets(self) -> tuple[str, ...]:
        """Every data set that is searched or compared on, in order, each once."""
        return tuple(dict.fromkeys((*self.datasets, *self.compare)))

    def model_search(self, name: str) -> ModelSearch:
        """Return the model search of this name, which must be there."""
        return next(model_search for model_search in self.model_searches if model_search.name == name)

    def chosen_on(self, dataset: str) -> str:
        """Return the data set on which the models that are compared on `dataset` were chosen."""
        return dataset if dataset in self.datasets else self.datasets[0]

    @cached_property
    def slugs(self) -> dict[str, str]:
        """Each data set's name as part of a file name: letters, digits, '.', '_' and '-'.

        No two are alike, and no two files of `MODEL-SLUG` are called alike either, whether or not case counts.
        """
        slugs: dict[str, str] = {}
        taken: set[str] = set()
        for name in self.all_datasets:
            plain = file_part(Path(name).name.removesuffix(".npz"), "data")[:100]
            for number in count(1):
                slug = plain if number == 1 else f"{plain}-{number}"
                files = {slug.lower(), *(f"{model_search.name}-{slug}".lower() for model_search in self.model_searches)}
                if not files & taken:
                    break
            slugs[name] = slug
            taken |= files
        return slugs

    def trial(
        self, model_search: ModelSearch, dataset: str, fingerprint: str, values: Values, epochs: int | None
    ) -> Trial:
        """Return the search trial of one configuration; `epochs` where the oracle gives fewer than the recipe."""
        if isinstance(model_search.family, CustomFamily) and not model_search.source:
            raise RuntimeError(f"the code of {model_search.path} was not read; see ModelSearch.with_code")
        if isinstance(model_search.objective, OwnObjective) and not model_search.objective.source:
            raise RuntimeError(f"the code of {model_search.objective.name} was not read; see ModelSearch.with_code")
        whole = model_search.space.completed(values)
        return Trial(
            family=model_search.path,
            dataset=dataset,
            fingerprint=fingerprint,
            values=whole,
            idle=tuple(p.name for p in model_search.space.parameters if p.is_idle(whole)),
            epochs=epochs or model_search.epochs,
            seed=self.seed,
            protocol=self.protocol,
            validation=self.validation,
            objective=model_search.objective.code,
            split_seed=self.seed,
            train_size=self.overrides.train_size,
            test_size=self.overrides.test_size,
            threads=self.threads,
            backend=self.backend,
            watch=model_search.watch,
            source=model_search.source,
        )

    def to_json(self) -> str:
        """Return all that `search_from_json` needs, for the ledger."""
        declared = {one.name: [asdict(d) for d in one.declared] for one in self.model_searches if one.declared}
        return json.dumps(
            {
                "name": self.file_name,
                **({"split": self.split} if self.split > 1 else {}),
                "raw": self.raw,
                "overrides": self.overrides.recorded,
                "folder": str(self.folder),
                "file_hash": self.file_hash,
                **({"declared": declared} if declared else {}),
            }
        )

    def to_toml(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the search as the text of a search file, which means the same.

        Args:
            path: of a file to write it to; data sets and networks that are no files yet are written beside it.

        Raises:
            InputError: something else is there already.
        """
        options = " ".join(f"{name} {value}" for name, value in self.overrides.given)
        text = (f"# Run it with {options}\n" if options else "") + toml_text(self.raw)
        if path is not None:
            file = Path(path)
            file.parent.mkdir(parents=True, exist_ok=True)
            _write_text(file, text)
            if self.given is not None:
                from tuner.datasets.npz import save_npz  # and with it NumPy, of which `tuner list` knows nothing

                self.given.write_code(file.parent)
                for name, dataset in self.given.datasets.items():
                    save_npz(dataset, file.parent / f"{name}.npz")
        return text


def _write_text(path: Path, text: str) -> None:
    """Write a file, unless it is there as it would be.

    Raises:
        InputError: another is there.
    """
    content = text.encode()
    if os.path.lexists(path):
        if path.is_file() and path.read_bytes() == content:
            return
        raise InputError(str(path), "is there already, and is another", "take another name, or remove it")
    write_whole(path, lambda partial: partial.write_bytes(content))


def backend_name() -> str:
    """Return Keras' backend as Keras will choose it, without importing Keras."""
    name = os.environ.get("KERAS_BACKEND")
    if name:
        return name
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    try:
        return str(json.loads((home / "keras.json").read_text(encoding="utf-8")).get("backend", "tensorflow"))
    except (OSError, ValueError, AttributeError):
        return "tensorflow"
