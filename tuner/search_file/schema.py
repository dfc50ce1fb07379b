"""What pydantic lets a search file, and a ledger's record of one, hold."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic.config import JsonDict

from tuner import columns as col
from tuner.errors import shown
from tuner.families.declared import Declared
from tuner.objective import FORMS, OBJECTIVES, OWN_FORM, TOLD_FORMS, ToldObjective, is_path, is_told, objective_of
from tuner.objective.own import Direction
from tuner.oracles import ALGORITHMS, PRUNINGS
from tuner.search_file.contenders import Choose
from tuner.search_file.overrides import Overrides
from tuner.search_file.tables import FilePart, ReportOptions, StudyResults
from tuner.trial import MOST_FOLDS, Protocol, Save

#: More epochs, trials or the like than anybody waits for.
MOST = 1_000_000
#: More configurations than anybody writes by hand.
MOST_GIVEN = 1_000
#: Larger images are no task for the networks here.
_LARGEST_SIDE = 4096


def _grey_or_colour(channels: int) -> int:
    if channels not in (1, 3):
        raise ValueError("is not 1 for grey or 3 for colour")
    return channels


def at_most_one_gpu(gpus: float) -> float:
    """Return how much of a GPU a trial takes: no trial computes on more than one, which would only stand reserved."""
    if not 0 <= gpus <= 1:  # so that NaN is refused too
        raise ValueError("is not from 0 to 1: a trial computes on one GPU, or shares it")
    return gpus


def _several_folds(folds: int) -> int:
    if folds < 2:
        raise ValueError("is not 2 or more: each fold is held out once, and the others are trained on")
    return folds


def _pattern(pattern: str) -> str:
    try:
        groups = re.compile(pattern).groups
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"is no regular expression: {error}") from error
    if not groups:
        raise ValueError(r"has no part in parentheses, which tells what images are of, such as patient_(\d+)")
    return pattern


def _short_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", name):
        raise ValueError("is no name: at most 40 letters, digits, '_' and '-'")
    if name in col.TAKEN:
        raise ValueError("is a column of the tables; give it another name")
    return name


def _list_of_names(given: object) -> object:
    if not isinstance(given, str | list):
        raise ValueError("is not a string, nor a list of strings")
    return [given] if isinstance(given, str) else given


def _known_algorithm(name: object) -> object:
    return _one_of(name, ALGORITHMS)


def _list_algorithms(schema: JsonDict) -> None:
    schema["enum"] = list(ALGORITHMS)


#: Metrics that Keras calls otherwise; each objective of ours is called by its own name.
_OF_KERAS = {"loss": "log_loss", **{name: name for name in OBJECTIVES}}


def _known_objective(name: object) -> object:
    if not isinstance(name, str):
        known = (*OBJECTIVES, *FORMS, OWN_FORM, *TOLD_FORMS)
        raise ValueError(f"is no objective: {_either([repr(one) for one in known])}")
    if is_told(name) and (ours := _OF_KERAS.get(name.removeprefix("val_"))):
        raise ValueError(f"is called {ours!r} here")
    if is_path(name) or is_told(name):
        return name
    try:
        if not isinstance(found := objective_of(name or " "), ToldObjective):  # of which this is how a trial names one
            return found.name
    except ValueError:
        pass
    raise ValueError(_no_objective(name))


def _no_objective(name: str) -> str:
    """Return in words that there is no such objective, and what may be meant."""
    kind, colon, class_name = name.partition(":")
    known = [form.partition(":")[0] for form in FORMS] if class_name else OBJECTIVES
    near = difflib.get_close_matches(kind, known, n=1, cutoff=0.6)
    if near:
        return f"is no objective; did you mean {f'{near[0]}{colon}{class_name}'!r}?"
    told = f"or what your own network tells as {' or '.join(TOLD_FORMS)}"
    return f"is no objective; known: {', '.join((*OBJECTIVES, *FORMS))}, a function of your own as {OWN_FORM}, {told}"


def _list_objectives(schema: JsonDict) -> None:
    schema["enum"] = [*OBJECTIVES, *FORMS, OWN_FORM, *TOLD_FORMS]


def _known_pruning(name: object) -> object:
    return _one_of(name, PRUNINGS)


def _one_of(name: object, known: Collection[str]) -> object:
    if name not in list(known):
        raise ValueError(f"is not {_either([repr(one) for one in known])}")
    return name


def _who_takes_max_trials() -> str:
    """Return in words which algorithms need, take or refuse `max_trials`."""
    names = {how: [f"`{a.name}`" for a in ALGORITHMS.values() if a.max_trials == how] for how in ("needs", "takes")}
    told = [f"{' and '.join(found)} {how.rstrip('s') if len(found) > 1 else how} it" for how, found in names.items()]
    return f"{', '.join(told)}, a grid tries all"


def _either(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else names[0]


def _distinct(names: list[str]) -> list[str]:
    for place, name in enumerate(names):
        if name in names[:place]:
            raise ValueError(f"names {shown(name)} twice")
    return names


Positive = Annotated[int, Field(ge=1, le=MOST)]
Names = Annotated[list[str], AfterValidator(_distinct)]
Side = Annotated[int, Field(ge=1, le=_LARGEST_SIDE)]


#: More splits of the images than anybody waits for.
MOST_SPLITS = 100


class Compare(FilePart):
    """What the winners are compared on: data sets, whichever they were chosen on, and several splits of the images."""

    datasets: Annotated[Names, Field(min_length=1)] | None = Field(
        default=None, description="Data sets to compare on; by default those of the search."
    )
    splits: Annotated[int, Field(ge=1, le=MOST_SPLITS)] = Field(
        default=1,
        description="How many times everything is done, search, choice and retraining, each time on another division "
        "of all images into as many training and test images; the first is the data set's own.",
    )


_WHICH_WAY = (
    "Which way an `objective` of your own beside it is better, as in `keras_tuner.Objective`: of a function `max`, the "
    "higher, unless it says `min`; of what a `fit` returns `min`, the lower, unless it says `max`; a metric needs it."
)


class SearchTable(FilePart):
    """One model of the comparison: a family, the space of its parameters, and the algorithm that searches it."""

    family: str = Field(description='A built-in family, or a network of your own as `"package.module:name"`.')
    files: Names = Field(
        default=[],
        description="Files that a network of your own reads, such as weights, in the search file's folder: a trial is "
        "named by their content, too.",
    )
    name: Annotated[str, AfterValidator(_short_name)] | None = Field(
        default=None,
        description="What tables and files call it, so that a family can stand in a file several times: at most 40 "
        "letters, digits, `_` and `-`. By default the family's name.",
    )
    algorithm: Annotated[str, BeforeValidator(_known_algorithm)] = Field(
        default="grid",
        description="What proposes trials; see [Algorithms](#algorithms).",
        json_schema_extra=_list_algorithms,
    )
    max_trials: Positive | None = Field(
        default=None,
        description=f"Trials to propose. {_who_takes_max_trials()}. Those that an edited search has of before count "
        "among them.",
    )
    try_first: Annotated[list[dict[str, Any]], Field(max_length=MOST_GIVEN)] = Field(
        default_factory=list,
        description="Configurations to try before any other, a table of values each, such as `{ dropout = 0.3, filters "
        "= 16 }`. They are of the space and count among `max_trials`; what the space fixes may be left out.",
    )
    prune: Annotated[str, BeforeValidator(_known_pruning)] | None = Field(
        default=None,
        description="`halving` trains every configuration a little, and only the best further; see "
        "[Pruning](#pruning).",
    )
    prune_factor: Annotated[int, Field(ge=2, le=100)] | None = Field(
        default=None, description="Of so many pruned configurations one goes on from each rung; 3 unless given."
    )
    prune_first: Positive | None = Field(
        default=None,
        description="After how many epochs trials are pruned first; unless given, so that they are pruned twice.",
    )
    lag: Positive | None = Field(
        default=None,
        description="Trial k is proposed from the results of the trials before k − lag, and of no others; 4 unless "
        "given, 16 where a search prunes and its algorithm does not learn. As many trials and one can run at a time.",
    )
    epochs: Positive | None = Field(default=None, description="Epochs of its trials, instead of `[training]`'s.")
    objective: Annotated[str, BeforeValidator(_known_objective)] | None = Field(
        default=None,
        description="What its trials are chosen by, instead of the file's `objective`.",
        json_schema_extra=_list_objectives,
    )
    direction: Direction | None = Field(default=None, description=_WHICH_WAY)
    callbacks: str | None = Field(
        default=None,
        description='Keras callbacks of your own, `"package.module:make"`, instead of those in `[training]`; empty for '
        "none; see [Callbacks](writing-a-search.md#callbacks-of-your-own).",
    )
    watch: Names | None = Field(
        default=None, description="Layers to watch, instead of the file's `watch`; an empty list for none."
    )
    space: dict[str, Any] = Field(
        default_factory=dict,
        description="Parameters of family and recipe with what is searched of each; see [Spaces](#spaces).",
    )
    rules: dict[str, Any] = Field(
        default_factory=dict, description="What every configuration must obey; see [Rules](#rules)."
    )


class SearchFile(FilePart):
    """A search file. What `[training]`, a space and rules hold is not for pydantic to say."""

    title: str = Field(min_length=1, description="The heading of the report.")
    dataset: Annotated[Names, BeforeValidator(_list_of_names)] = Field(
        min_length=1,
        description="Data sets to search on; a single one needs no list. Each a name, or a file or folder from "
        "`--data-dir`, the working folder or beside the search file; see [Data sets](#data-sets).",
    )
    seed: Annotated[int, Field(ge=0, lt=2**31 - 1000)] = Field(
        default=0, description="Seed of the split, of what is proposed and of training; retrainings count on from it."
    )
    protocol: Protocol = Field(
        default="holdout",
        description="`holdout` chooses on validation images and scores once on the test set; `published` chooses on "
        "the test set, as many studies did, and the report says so on top.",
    )
    repeats: Annotated[int, Field(ge=1, le=100)] = Field(
        default=5,
        description="Retrainings of each winner, each with a seed of its own; by fewer, verdicts err more often.",
    )
    save: Save = Field(
        default="first",
        description="Which retraining's model is saved: `first`, whatever it scored; `median`, that of the median test "
        "accuracy, which is a choice on the test images; `best on validation`, for which the retrainings hold out a "
        "part of the training images, the same for all, as large as `validation`.",
    )
    choose: Choose = Field(
        default="best",
        description="Which trial of each `[[search]]` is trained again: the `best`, or the `smallest within one "
        "standard error` of the best one's score, the one with the fewest parameters; see "
        "[Smaller models](writing-a-search.md#smaller-models).",
    )
    validation: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.2,
        description="Share of the training images that is held out to choose on, stratified by class; not for a data "
        "set with validation images of its own, which are chosen on as they are.",
    )
    folds: Annotated[int, AfterValidator(_several_folds), Field(le=MOST_FOLDS)] | None = Field(
        default=None,
        description="Instead of `validation`: into how many folds the training images are divided, stratified by "
        "class, for a cross-validation. A trial is trained once for each fold, on the others, and chosen by the mean "
        "of its scores; see [Folds](writing-a-search.md#folds).",
    )
    groups: Annotated[str, AfterValidator(_pattern)] | None = Field(
        default=None,
        description="A pattern on the names of a folder's files whose part in parentheses tells what images are of, "
        "such as `patient_(\\\\d+)`: images of one group never stand on two sides; see "
        "[Groups](writing-a-search.md#groups).",
    )
    objective: Annotated[str, BeforeValidator(_known_objective)] = Field(
        default="accuracy",
        description="What trials are chosen by; see [Objectives](#objectives).",
        json_schema_extra=_list_objectives,
    )
    direction: Direction | None = Field(default=None, description=_WHICH_WAY)
    image_size: Annotated[list[Side], Field(min_length=2, max_length=2)] | None = Field(
        default=None, description="Height and width to which the images of a folder are brought."
    )
    channels: Annotated[int, AfterValidator(_grey_or_colour)] | None = Field(
        default=None, description="1 to read the images of a folder as grey, 3 as colour."
    )
    max_trial_minutes: Annotated[float, Field(gt=0, le=MOST, allow_inf_nan=False)] | None = Field(
        default=None, description="A trial that trains longer is ended and fails."
    )
    max_trial_gb: Annotated[float, Field(gt=0, le=MOST, allow_inf_nan=False)] | None = Field(
        default=None, description="A trial whose process takes more memory is ended and fails."
    )
    cpus_per_trial: Annotated[float, Field(gt=0, le=1024, allow_inf_nan=False)] | None = Field(
        default=None, description="Cores that a trial takes, which says how many fit on a machine; 1 unless given."
    )
    gpus_per_trial: Annotated[float, AfterValidator(at_most_one_gpu)] | None = Field(
        default=None,
        description="How much of one GPU a trial takes; a fraction is also its share of the memory. 1 unless "
        "given where there is a GPU; more than 1 is refused.",
    )
    training: dict[str, Any] = Field(description="The recipe: how every network is trained.")
    search: list[SearchTable] = Field(min_length=1, description="The models that are compared, a `[[search]]` each.")
    compare: Compare | None = Field(default=None, description="Data sets to compare the winners on.")
    published: StudyResults | None = Field(default=None, description="Printed results to set beside ours.")
    watch: Names = Field(
        default_factory=list,
        description='Layers whose kernel and gradient are recorded after each epoch, by name, or `"first"`, or '
        '`"every"`.',
    )
    watch_retrainings: bool = Field(
        default=False,
        description="Watch these layers in the retrainings too, so that each is seen with several seeds.",
    )
    report: ReportOptions = Field(default=ReportOptions(), description="What the report shows beyond the usual.")


#: What a search may be called: its report, and what else is written of it, is named so.
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"


class SavedSearch(FilePart):
    """A search as `Search.to_json` writes it: the content of its file, and where and how it ran."""

    name: Annotated[str, Field(pattern=f"^{NAME}$")]
    raw: dict[str, Any]
    overrides: Overrides
    folder: str
    file_hash: Annotated[str, Field(pattern="^[0-9a-f]{0,64}$")]
    split: Annotated[int, Field(ge=1, le=MOST_SPLITS)] = 1
    declared: dict[str, tuple[Declared, ...]] = Field(default={})
