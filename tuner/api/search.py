"""A search made in Python, without a file: `tuner.Search` by the keys of one, `tuner.search` in three lines."""

from __future__ import annotations

import difflib
import hashlib
import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tuner.analysis.findings import Findings
from tuner.api.data import TEST_SHARE, given_dataset, is_data
from tuner.api.functions import checked_overrides, run
from tuner.api.wording import in_pythons_words
from tuner.datasets.base import Dataset
from tuner.errors import InputError, shown, suggestion
from tuner.families.from_source import importable
from tuner.oracles import ALGORITHMS
from tuner.search_file.file import parse_search
from tuner.search_file.model import Given
from tuner.search_file.model import Search as CheckedSearch
from tuner.search_file.overrides import Overrides
from tuner.search_file.schema import NAME, SearchFile, SearchTable
from tuner.search_file.toml import plain
from tuner.search_file.words import homes
from tuner.system.files import folder_inside
from tuner.system.scratch import user_folder

#: Trials that `search` proposes, where the algorithm has to be told.
_TRIALS = 10
#: What `search` hands to `run`.
_OF_RUN = frozenset(inspect.signature(run).parameters) - {"search"}
_OF_TABLE = frozenset(SearchTable.model_fields) - {"family", "name", "epochs"}


@in_pythons_words()
def Search(  # noqa: N802  # it stands for the value that it returns
    name: str,
    *,
    dataset: Any,
    search: Sequence[Mapping[str, Any]] | Mapping[str, Any],
    training: Mapping[str, Any],
    title: str | None = None,
    test_share: float = TEST_SHARE,
    epochs: int | None = None,
    train_size: int | None = None,
    test_size: int | None = None,
    **keys: Any,
) -> CheckedSearch:
    """Return a search as a search file would describe it: the same keys, checked by the same rules.

    It has no file: `to_toml` writes one, which means the same. The trials are those of the file, too.

    Args:
        name: what its report and its trials are recorded under.
        dataset: a name or a path; or the data itself: `((x_train, y_train), (x_test, y_test))`, `(x, y)`, a dict of
            arrays as an `.npz` file has them, a `tf.data.Dataset` that fits in memory, or a pair of them. Several in
            a list of names, or in a dict of data by names; a single one that is given as data is called "data".
        search: a dict for each `[[search]]`, or a single one. Its `family` is a name or a path, or what builds the
            network itself: a function `build(hp)`, a class or an object, of a module, a script or a notebook's cell.
        training: what stands in `[training]`.
        title: the heading of the report; by default the name.
        test_share: of the images that are held out as the test set, drawn by class, where data has none.
        epochs: of every trial, instead of what `training` and `search` say.
        train_size: use so many training images, drawn by class.
        test_size: use so many test images, drawn by class.
        keys: whatever else stands at the top of a search file, such as `seed`, `repeats`, `objective` or `compare`.

    Raises:
        InputError: something in it is wrong, or a network uses what only this process has.
    """
    if not isinstance(name, str) or not re.fullmatch(NAME, name):
        problem = f"is {shown(name)}"
        raise InputError("name", problem, "up to 100 letters, digits, '.', '_' and '-', since its report is named so")
    overrides = checked_overrides(Overrides(epochs=epochs, train_size=train_size, test_size=test_size))
    given: dict[str, Dataset] = {}
    notes: list[str] = []
    code: dict[str, str] = {}
    roots: set[Path] = set()

    def named(data: Any) -> Any:
        """Return what a search file would call data, and keep what is none of its names."""
        if is_data(data):
            data = {"data": data}
        if isinstance(data, Mapping):
            for called, one in data.items():
                if is_data(one):
                    given[called], said = given_dataset(called, one, test_share)
                    notes.extend(said)
                else:
                    raise InputError(f"dataset {shown(called)}", "is no data", "name files and folders in a list")
            return list(data) if len(data) > 1 else next(iter(data), [])
        return data

    tables = []
    for index, table in enumerate([search] if isinstance(search, Mapping) else search, start=1):
        if not isinstance(table, Mapping):
            problem = f"is {shown(table)}"
            raise InputError(f"[[search]] {index}", problem, 'write a dict: {"family": "cnn", "space": {…}}')
        tables.append({key: value for key, value in table.items() if value is not None})
        if "family" in table:
            try:
                found = importable(table["family"])
            except InputError as error:
                raise error.inside(f"[[search]] {index}") from error
            tables[-1]["family"] = found.path
            code |= found.code
            roots |= {found.root} if found.root else set()
    top = {"title": name if title is None else title, "dataset": named(dataset), **keys}
    if isinstance(top.get("compare"), Mapping) and "datasets" in top["compare"]:
        datasets = named(top["compare"]["datasets"])
        top["compare"] = {**top["compare"], "datasets": [datasets] if isinstance(datasets, str) else datasets}
    top = {key: plain(value, key) for key, value in top.items() if value is not None}
    # In the order of a file, in which tables stand last.
    raw = {key: value for key, value in top.items() if not isinstance(value, Mapping)}
    raw["training"] = plain(training, "training")
    raw |= {key: value for key, value in top.items() if isinstance(value, Mapping)}
    raw["search"] = plain(tables, "search")
    ours = Given(given, code, tuple(notes))
    folder = _folder(code, roots)
    ours.write_code(folder)
    return replace(parse_search(raw, name, folder, overrides, ""), given=ours)


def _folder(code: Mapping[str, str], roots: set[Path]) -> Path:
    """Return the folder that workers import the user's modules from, besides the working folder.

    What was made of functions lies in a folder of this user's, and nowhere that others may write: it is executed.
    """
    if code:
        content = "\0".join(f"{name}\0{text}" for name, text in sorted(code.items()))
        folder = folder_inside(user_folder(), "code", hashlib.sha256(content.encode()).hexdigest()[:16])
        roots = roots | {folder}
    if len(roots) > 1:
        there = " and ".join(sorted(map(str, roots)))
        raise InputError("family", f"modules are imported from {there}", "keep them in the working folder")
    return next(iter(roots), Path())


@in_pythons_words()
def search(
    build: Any,
    x: Any,
    y: Any = None,
    x_test: Any = None,
    y_test: Any = None,
    *,
    epochs: int,
    name: str | None = None,
    algorithm: str = "random",
    max_trials: int | None = None,
    space: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
    class_names: Sequence[str] | None = None,
    test_share: float = TEST_SHARE,
    **options: Any,
) -> Findings:
    """Search one network on arrays, retrain the best, score and report. Called again, go on from what is recorded.

    That is `run` of a `Search` with one `[[search]]`.

    Args:
        build: a function `build(hp)`, a HyperModel, or the name of a family.
        x: images; or a path or a `tf.data.Dataset`, without `y`.
        y: their labels.
        x_test: images that nothing is chosen on; where there are none, a part of `x` is held out.
        y_test: their labels.
        epochs: of every trial.
        name: what report and trials are recorded under; by default what `build` is called.
        algorithm: what proposes trials.
        max_trials: how many; by default 10, or as many as the algorithm has.
        space: parameters of network and recipe with what is searched of each.
        training: what else stands in `[training]`, such as `batch_size` or `optimizer`.
        class_names: names of the labels 0, 1, …
        test_share: of the images that are held out as the test set, drawn by class, where none is given.
        options: what else `run` or `Search` take, or a `[[search]]`, such as `workers`, `seed` or `rules`.

    Raises:
        InputError: the search cannot run as given.
        CheckError: no trial completed; the report has been written all the same.
        ResourceError: the machine lacks something; the next call goes on.
    """
    if "dataset" in options or "search" in options:
        raise InputError("dataset" if "dataset" in options else "search", "is no argument here", "use tuner.Search")
    named = {*_NAMED, *_OF_TABLE, *_OF_RUN, *SearchFile.model_fields}
    for option in options:
        if option not in named and not homes(option) and difflib.get_close_matches(option, named, cutoff=0.6):
            raise InputError(option, f"no such key; {suggestion(option, named)}")
    needs = algorithm in ALGORITHMS and ALGORITHMS[algorithm].max_trials == "needs"
    table = {
        "family": build,
        "algorithm": algorithm,
        "max_trials": _TRIALS if max_trials is None and needs else max_trials,
        **{key: options.pop(key) for key in sorted(_OF_TABLE & options.keys())},
        "space": space,
    }
    of_run = {key: options.pop(key) for key in sorted(_OF_RUN & options.keys())}
    called = importable(build).path.rpartition(":")[2].strip("_") if name is None else name
    made = Search(
        called,
        dataset=_data(x, y, x_test, y_test, class_names),
        search=table,
        training={"epochs": epochs, **(training or {})},
        test_share=test_share,
        **options,
    )
    return run(made, **of_run)


#: What `search` names among its arguments.
_NAMED = frozenset(inspect.signature(search).parameters) - {"options"}


def _data(x: Any, y: Any, x_test: Any, y_test: Any, class_names: Sequence[str] | None) -> Any:
    """Return what `Search` takes for the data that `search` is given."""
    if y is None:
        beside = {"x_test": x_test, "y_test": y_test, "class_names": class_names}
        for option, value in beside.items():
            if value is not None:
                raise InputError(option, "is of no use without y", "give the labels of x")
        if hasattr(x, "__array__"):
            raise InputError("y", "is missing", "give the labels of x")
        return x
    arrays = {"x_train": x, "y_train": y, "x_test": x_test, "y_test": y_test, "class_names": class_names}
    return {name: value for name, value in arrays.items() if value is not None}
