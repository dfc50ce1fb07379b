"""A search, every value checked and frozen. `tuner.search_file.file` reads it; no training code in either."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner.errors import InputError
from tuner.families.custom import CustomFamily
from tuner.ledger.earlier import EarlierTrial
from tuner.ledger.ledger import Ledger
from tuner.ledger.requests import Decision
from tuner.objective import ACCURACY, Objective, OwnObjective
from tuner.search_file.contenders import SMALLEST, Choose, Contender, contenders_of, ensemble_of, members_of
from tuner.search_file.model_search import ModelSearch
from tuner.search_file.overrides import Overrides
from tuner.search_file.settings import with_settings
from tuner.search_file.tables import ReportOptions, StudyResults
from tuner.search_file.toml import toml_text
from tuner.space.parameters import Values
from tuner.system.files import file_part, remove_partials, write_whole
from tuner.trial import Protocol, Save, Trial

if TYPE_CHECKING:
    from tuner.datasets.base import Dataset


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
    choose: Choose = "best"
    #: Into how many folds the training images are divided to choose on; 0 where a share is held out.
    folds: int = 0
    #: A pattern that tells by the names of files which images are of one group; empty for none.
    groups: str = ""
    given: Given | None = field(default=None, repr=False)
    watch_retrainings: bool = False

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

    def with_decisions(self, decisions: Sequence[Decision]) -> Search:
        """Return the same with what was decided by hand, while it ran, about what its model searches propose."""
        searches = tuple(one.with_decisions(decisions) for one in self.model_searches)
        return replace(self, model_searches=searches)

    def with_earlier(self, earlier: Sequence[EarlierTrial]) -> Search:
        """Return the same whose lists of trials begin with these, of before its file changed, and no others."""
        return replace(self, model_searches=tuple(one.with_earlier(earlier) for one in self.model_searches))

    def as_recorded(self, ledger: Ledger) -> Search:
        """Return the same with what a ledger holds of what it proposes, beside its file."""
        return self.with_decisions(ledger.decisions(self.name)).with_earlier(ledger.earlier(self.name))

    def at_split(self, number: int) -> Search:
        """Return the same search on a further split of all images, which has trials of its own; 1 is the first."""
        return replace(self, name=self.file_name if number == 1 else f"{self.file_name}#{number}", split=number)

    @property
    def validates_on(self) -> str:
        """What trials are chosen on, in words."""
        if self.folds:
            return "held-out folds"
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
        if self.save != "best on validation":
            return 0.0
        return 1 / self.folds if self.folds else self.validation

    @property
    def all_datasets(self) -> tuple[str, ...]:
        """Every data set that is searched or compared on, in order, each once."""
        return tuple(dict.fromkeys((*self.datasets, *self.compare)))

    @cached_property
    def contenders(self) -> tuple[Contender, ...]:
        """The rows of the comparison that are of one model search, in order: its own, and one below each limit."""
        return tuple(contenders_of(self.model_searches, self.report.also_smaller_than))

    @cached_property
    def ensemble(self) -> Contender | None:
        """The row of the ensemble; None where none is asked for."""
        return ensemble_of(self.report.ensemble) if self.report.ensemble else None

    @cached_property
    def rows(self) -> tuple[Contender, ...]:
        """The rows of the comparison, in order, the ensemble's last."""
        return (*self.contenders, self.ensemble) if self.ensemble else self.contenders

    @cached_property
    def listed(self) -> tuple[Contender, ...]:
        """All under whose names trials may be listed: the rows of the comparison, and members of the ensemble."""
        return (*self.rows, *members_of(self.ensemble)) if self.ensemble else self.rows

    @property
    def most_retrained(self) -> int:
        """How many configurations are retrained on a data set of the comparison, at most.

        The first member of an ensemble is the best of all trials, which is a winner unless a smaller one is chosen.
        """
        members = self.ensemble.members - (self.choose != SMALLEST) if self.ensemble else 0
        return len(self.contenders) + members

    def contender(self, name: str) -> Contender:
        """Return that under whose name trials are listed, which must be there."""
        return next(contender for contender in self.listed if contender.name == name)

    def number(self, name: str) -> int:
        """Return the place of a row of the comparison among all, by which figures colour it; it must be there."""
        return [contender.name for contender in self.listed].index(name)

    def model_search(self, name: str) -> ModelSearch:
        """Return the model search that a row of the comparison is of, by the row's name; the ensemble is of none."""
        searched = self.contender(name).searched
        return next(model_search for model_search in self.model_searches if model_search.name == searched)

    def objective_of(self, name: str) -> Objective:
        """Return what a row of the comparison is chosen by, by the row's name.

        An ensemble, and a row that an earlier run listed and that is there no more, have the objective of the search.
        """
        searched = next((contender.searched for contender in self.listed if contender.name == name), "")
        return next((one.objective for one in self.model_searches if one.name == searched), self.objective)

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
                files = {slug.lower(), *(f"{one.name}-{slug}".lower() for one in self.rows)}
                if not files & taken:
                    break
            slugs[name] = slug
            taken |= files
        return slugs

    def trial(
        self,
        model_search: ModelSearch,
        dataset: str,
        fingerprint: str,
        values: Values,
        epochs: int | None,
        stop_after: int | None = None,
    ) -> Trial:
        """Return the search trial of one configuration.

        Args:
            model_search: whose space the configuration is of.
            dataset: its name.
            fingerprint: its content's.
            values: the configuration.
            epochs: where the oracle gives fewer than the recipe.
            stop_after: the epoch at which it is pruned, or goes on later.
        """
        reads = isinstance(model_search.family, CustomFamily) or model_search.family.files
        if reads and not model_search.source:
            raise RuntimeError(f"the code of {model_search.path} was not read; see ModelSearch.with_code")
        if isinstance(model_search.objective, OwnObjective) and not model_search.objective.source:
            raise RuntimeError(f"the code of {model_search.objective.name} was not read; see ModelSearch.with_code")
        callbacks = model_search.callbacks
        if callbacks is not None and not callbacks.source:
            raise RuntimeError(f"the code of {callbacks.path} was not read; see ModelSearch.with_code")
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
            stop_after=stop_after,
            folds=self.folds,
            callbacks=callbacks.code if callbacks else "",
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
            remove_partials(file.parent)
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
