"""Where a search reads and writes, and a search as it is recorded there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tuner.errors import InputError, resource_error_of, suggestion
from tuner.ledger.ledger import Ledger
from tuner.search_file.file import find_search, known_searches, load_search, saved_search, search_from_json
from tuner.search_file.model import Search
from tuner.system.files import check_no_link, is_a

#: The folders below `runs/` that a run writes to.
WRITTEN = ("models", "data", "checkpoints", "features", "locks", "progress", "tensorboard")


@dataclass(frozen=True)
class Workspace:
    """The folders that a search reads and writes."""

    runs: Path = Path("runs")
    reports: Path = Path("reports")
    data: Path | None = None

    @property
    def ledger(self) -> Path:
        """The ledger file."""
        return self.runs / "ledger.sqlite"

    @property
    def artifacts(self) -> Path:
        """The folder of models and predictions, named by their trial."""
        return self.runs / "models"

    @property
    def checkpoints(self) -> Path:
        """The folder of the states from which trainings go on."""
        return self.runs / "checkpoints"

    @property
    def progress(self) -> Path:
        """The folder where a run and its workers tell how far they are, for whoever watches."""
        return self.runs / "progress"

    @property
    def features(self) -> Path:
        """The folder of what frozen backbones made of images, a folder for each data set and backbone."""
        return self.runs / "features"

    @property
    def store(self) -> Path:
        """The folder of data sets laid out for workers."""
        return self.runs / "data"

    def store_of(self, fingerprint: str) -> Path:
        """The folder of one data set laid out for workers."""
        return self.store / fingerprint

    def check_writable(self, name: str) -> None:
        """See that there can be a ledger, and a report on the search `name`. Makes nothing.

        Raises:
            InputError: a file stands where a folder should be, or may not be written to.
        """
        for option, folder in (("--runs-dir", self.runs), ("--reports-dir", self.reports / name)):
            there = next((path for path in (folder, *folder.parents) if is_a(os.path.lexists, path)), Path())
            if not is_a(Path.is_dir, there) or not os.access(there, os.W_OK | os.X_OK):
                raise InputError(option, f"{there} is no folder that can be written to", "name another")
        for inside in (self.reports / name, *(self.runs / part for part in WRITTEN)):
            check_no_link(inside)
        self.check_report_folder(name)

    def check_report_folder(self, name: str) -> None:
        """See that the folder of a report on the search `name` is no folder of reports, as `reports/examples` is.

        Raises:
            InputError: reports stand in it.
        """
        folder = self.reports / name
        if is_a(Path.is_dir, folder) and any(folder.glob("*/report.md")):
            problem = f"reports stand in {folder}, where the report of this search would go"
            raise InputError(name, problem, "give the search file another name, or pass another --reports-dir")

    def open_ledger(self) -> Ledger | None:
        """Return the ledger if there is one; making one is for runs alone."""
        return Ledger(self.ledger) if is_a(os.path.lexists, self.ledger) else None

    def existing_ledger(self, name: str) -> Ledger:
        """Return the ledger, which must be there for what is asked about the search `name`.

        Raises:
            InputError: there is none.
        """
        ledger = self.open_ledger()
        if ledger is None:
            raise never_ran(name, why=f" (there is no {self.ledger})")
        return ledger


def search_name(name: str) -> str:
    """Return the name of a search that is given by its name or by the path of its file."""
    return Path(name).stem if name.endswith(".toml") else name


def never_ran(name: str, recorded: Sequence[str] = (), why: str = "") -> InputError:
    """Return the error of what is asked about a search that has not been run, or of a name that no search has.

    Args:
        name: of the search, or the path of its file.
        recorded: the searches that have been run.
        why: how it is known.
    """
    whole = name.partition("#")[0]
    try:
        find_search(whole)
    except InputError as error:
        if whole != search_name(whole):
            return error
        problem = "no such search, and none of this name has been run here"
        return InputError(name, f"{problem}{why}", suggestion(name, {*recorded, *known_searches()}))
    return InputError(name, f"has not been run here{why}", f"run: tuner run {whole}")


def check_has_report(search: Search, command: str) -> None:
    """See that a search has a report of its own, for a command that writes or reads one.

    Raises:
        InputError: it is a further split, of which the report of the whole search tells.
    """
    if search.split > 1:
        problem = f"is split {search.split} of {search.splits} of {search.file_name}, which has one report for all"
        raise InputError(search.name, problem, f"run: tuner {command} {search.file_name}")


def recorded_search(ledger: Ledger, name: str) -> Search:
    """Return a search as it last ran, with what was decided by hand about its proposals.

    Raises:
        InputError: it never ran, or what the ledger holds of it is not what a run writes.
    """
    content = ledger.search_content(name)
    if content is None:
        raise never_ran(name, ledger.search_names())
    try:
        search = search_from_json(content)
    except InputError as error:
        raise error.inside(f"{ledger.path}, search {name}") from error
    if search.name != name:  # which is where its report would go
        raise InputError(str(ledger.path), f"calls the search {name!r} {search.name!r} elsewhere", "move it away")
    return search.as_recorded(ledger)


def ran_as_it_is(ledger: Ledger, search: Search) -> bool:
    """Whether a search last ran with its file as it is now.

    Raises:
        InputError: what is recorded of it is damaged.
    """
    content = ledger.search_content(search.name)
    try:
        return content is not None and saved_search(content).raw == search.raw
    except InputError as error:
        raise error.inside(f"{ledger.path}, search {search.name}") from error


def as_described_now(recorded: Search, name: str) -> Search:
    """Return a recorded search with title, `[report]` and `[published]` as its file has them now.

    Only where the file differs in nothing else: what was not trained cannot be reported.
    """
    try:
        declared = {one.name: one.declared for one in recorded.model_searches if one.declared is not None}
        now = load_search(find_search(name.partition("#")[0]), recorded.overrides, declared)
    except InputError:
        return recorded
    before, after = (
        {key: value for key, value in search.raw.items() if key not in ("title", "report", "published")}
        for search in (recorded, now)
    )
    if before != after:
        return recorded
    return replace(recorded, title=now.title, report=now.report, published=now.published)


@contextmanager
def written_into(folder: Path) -> Iterator[None]:
    """Say what is wrong with a folder of reports where something cannot be written into it.

    Raises:
        InputError: it cannot be written.
        ResourceError: the disk is full.
    """
    try:
        yield
    except OSError as error:
        remedy = "pass another --reports-dir, or see who may write there"
        raise resource_error_of(error, str(folder)) or InputError(
            str(error.filename or folder), f"cannot be written ({error.strerror})", remedy
        ) from error
