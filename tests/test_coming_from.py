"""The table of docs/coming-from.md: settings of KerasTuner, Optuna and Talos stand in it, and what it names exists."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import tuner
from tuner.recipe import RECIPE
from tuner.search_file.schema import SearchFile, SearchTable
from tuner.space.parameters import Parameter, domain_of
from tuner.space.rules import parse_rule

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "coming-from.md"
HERE, KERASTUNER, OPTUNA, TALOS = range(1, 5)

#: Arguments of Talos' classes and methods, as of 1.4 and 2.0.10; written down, since nothing here depends on Talos.
TALOS_SCAN = {
    "x", "y", "params", "model", "experiment_name", "x_val", "y_val", "val_split", "multi_input", "random_method",
    "seed", "performance_target", "fraction_limit", "round_limit", "time_limit", "boolean_limit", "reduction_method",
    "reduction_interval", "reduction_window", "reduction_threshold", "reduction_metric", "minimize_loss",
    "disable_progress_bar", "print_params", "clear_session", "save_weights", "save_models",
}  # fmt: skip
TALOS_ELSE: dict[str, set[str]] = {
    "Scan.best_model": set(), "Scan.evaluate_models": set(), "Evaluate.evaluate": {"x", "y", "folds"},
    "Predict.predict": {"x"}, "Deploy": set(), "Restore": set(),
    **{f"Analyze.{name}": set() for name in ("high", "low", "rounds", "rounds2high", "best_params", "table")},
    **{f"Analyze.{name}": set() for name in ("correlate", "plot_corr", "plot_bars", "plot_box")},
    "early_stopper": {"epochs", "monitor", "mode", "min_delta", "patience"}, "DistributeParamSpace": {"machines"},
    "ExperimentLog": set(), "TrainingPlot": set(), "PowerDraw": set(), "multi_gpu": set(), "parallel_gpu_jobs": set(),
}  # fmt: skip


@dataclass(frozen=True)
class Named:
    """What a cell names of a library: `of` is what is called, empty where an argument stands alone; or a plain name."""

    of: str
    arguments: frozenset[str]


def rows(text: str) -> list[list[str]]:
    """Return the rows of the table as cells, without its head and the lines that name a part of it."""
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if not row[0].startswith("**")]


def codes(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def named(cell: str) -> Iterator[Named]:
    """Yield what the code of a cell names: `f(a=)`, `f()` `a=`, `b=`, `a.b`, `C`, or `a=1` of whatever has it."""
    for part in cell.split(";"):
        of = ""
        for code in codes(part):
            called = re.match(r"([A-Za-z_][\w.]*)(?:\((.*)\))?$", code)
            arguments = frozenset(re.findall(r"\b(\w+)=", code))
            if called and (called[2] is not None or "." in code or (code[0].isupper() and not code.isupper())):
                of = called[1] if called[2] == "" else ""
                yield Named(called[1], arguments)
            elif arguments:
                yield Named(of, arguments)


def lacking(wanted: Mapping[str, Set[str]], column: int) -> list[str]:
    """Return which of `wanted`, arguments by what takes them, no row names, be it as one that stands alone."""
    told = [one for row in TABLE for one in named(row[column])]
    alone = {argument for one in told if not one.of for argument in one.arguments}
    return [
        f"{of}({argument}=)" if argument else of
        for of, arguments in wanted.items()
        for argument in (arguments or {""})
        if argument not in alone
        and not any(one.of == of and (not argument or argument in one.arguments) for one in told)
    ]


def unknown(column: int, arguments_of: Callable[[str], Set[str]], anywhere: Set[str]) -> list[str]:
    """Return what rows name of a library that it has not; `arguments_of` raises where there is nothing of that name."""
    wrong = []
    for one in (one for row in TABLE for one in named(row[column])):
        try:
            known = arguments_of(one.of) if one.of else anywhere
        except (AttributeError, KeyError) as error:
            wrong.append(f"{one.of}: {error}")
        else:
            wrong += [f"{one.of}({argument}=)" for argument in one.arguments - known]
    return wrong


def parameters(function: Any) -> set[str]:
    """Return the arguments that a function or class takes by name, but for `self`."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a property, or a module
        return set()
    return {one.name for one in found if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)} - {"self"}


def public(of: type) -> list[str]:
    return [name for name in dir(of) if not name.startswith("_")]


TABLE = rows(PAGE.read_text(encoding="utf-8"))


def test_a_row_has_five_cells_and_each_is_found_once() -> None:
    assert len(TABLE) > 90
    assert {len(row) for row in TABLE} == {5}
    assert all(cell for row in TABLE for cell in row)
    firsts = [row[0] for row in TABLE]
    assert [first for first in firsts if firsts.count(first) > 1] == []


def test_a_cell_is_short_enough_to_be_read_in_a_table() -> None:
    long = [cell for row in TABLE for cell in row if len(re.sub(r"\]\([^)]*\)", "", cell)) > 220]
    assert long == []


def test_what_does_not_exist_here_says_why_or_what_instead() -> None:
    lines = [row[HERE] for row in TABLE if "**none**" in row[HERE]]
    assert len(lines) > 20
    assert [line for line in lines if not re.search(r"\*\*none\*\*( needed| for others)?: \S+ \S+", line)] == []
    assert [row[0] for row in TABLE if re.search(r"\b(no|not) such\b|–$", row[HERE])] == []


def test_every_setting_of_kerastuner_stands_in_the_table() -> None:
    keras_tuner = pytest.importorskip("keras_tuner")
    import keras

    classes = ("RandomSearch", "GridSearch", "BayesianOptimization", "Hyperband", "SklearnTuner", "Tuner", "Objective")
    wanted = {name: parameters(getattr(keras_tuner, name)) for name in classes}
    wanted["Tuner"] |= parameters(keras_tuner.engine.base_tuner.BaseTuner)
    wanted["Oracle"] = parameters(keras_tuner.Oracle)
    hyperparameters = keras_tuner.HyperParameters
    wanted |= {f"hp.{name}": parameters(getattr(hyperparameters, name)) for name in public(hyperparameters)}
    wanted["search"] = parameters(keras.Model.fit)
    assert lacking(wanted, KERASTUNER) == []
    told = {one.of for row in TABLE for one in named(row[KERASTUNER])}
    told |= {code for row in TABLE for code in codes(row[KERASTUNER])}
    assert set(public(keras_tuner.Tuner)) - told == set()


def test_what_the_table_names_of_kerastuner_is_there() -> None:
    keras_tuner = pytest.importorskip("keras_tuner")
    import keras

    base = parameters(keras_tuner.Tuner) | parameters(keras_tuner.engine.base_tuner.BaseTuner)
    places = {"hp": keras_tuner.HyperParameters, "keras_tuner": keras_tuner, "keras": keras}

    def arguments_of(name: str) -> Set[str]:
        begin, _, rest = name.partition(".")
        if begin in places:
            found = places[begin]
            for part in rest.split("."):
                found = getattr(found, part)
            return set() if rest == "space" else parameters(found)
        for place in (keras_tuner, keras_tuner.Tuner, keras_tuner.errors, keras.callbacks):
            if hasattr(place, begin):
                found = getattr(place, begin)
                break
        else:
            raise KeyError(name)
        for part in rest.split(".") if rest else ():
            found = getattr(found, part)
        if name == "search":
            return parameters(keras.Model.fit)
        return parameters(found) | (base if inspect.isclass(found) and issubclass(found, keras_tuner.Tuner) else set())

    methods = [getattr(keras_tuner.HyperParameters, name) for name in ("Int", "Float", "Choice", "Boolean", "Fixed")]
    tuners = [
        getattr(keras_tuner, name) for name in ("RandomSearch", "GridSearch", "BayesianOptimization", "Hyperband")
    ]
    assert unknown(KERASTUNER, arguments_of, base.union(*map(parameters, (*methods, *tuners)))) == []


#: Samplers and pruners that something here is like, so that the table has each argument of theirs; of others the name.
LIKE_OURS = (
    "RandomSampler", "GridSampler", "TPESampler", "PartialFixedSampler", "HyperbandPruner", "MedianPruner",
    "PatientPruner", "PercentilePruner", "SuccessiveHalvingPruner", "ThresholdPruner", "WilcoxonPruner",
)  # fmt: skip
#: What others derive their own from.
BASES = {"BaseSampler", "BaseGASampler", "BasePruner"}


def test_every_setting_of_optuna_stands_in_the_table() -> None:
    optuna = pytest.importorskip("optuna")
    study, trial = optuna.study.Study, optuna.trial.Trial
    wanted = {"create_study": parameters(optuna.create_study)}
    for name in (*optuna.samplers.__all__, *optuna.pruners.__all__):
        if name[0].isupper() and name not in BASES:
            found = getattr(optuna.samplers, name, None) or getattr(optuna.pruners, name)
            wanted[name] = parameters(found) if name in LIKE_OURS else set()
    assert set(LIKE_OURS) <= set(wanted)
    for place, of in (("study", study), ("trial", trial)):
        for name in public(of):
            whole = name.startswith("suggest_") or name in ("optimize", "enqueue_trial", "report", "set_constraint")
            called = callable(getattr(of, name))
            wanted[name if called else f"{place}.{name}"] = parameters(getattr(of, name)) if whole else set()
    assert lacking(wanted, OPTUNA) == []


def test_what_the_table_names_of_optuna_is_there() -> None:
    optuna = pytest.importorskip("optuna")
    study, trial = optuna.study.Study, optuna.trial.Trial
    whole = {"study": study, "trial": trial, "optuna": optuna}
    places = (
        study,
        trial,
        optuna,
        optuna.samplers,
        optuna.pruners,
        optuna.storages,
        optuna.study,
        optuna.visualization,
    )

    def arguments_of(name: str) -> Set[str]:
        begin, _, rest = name.partition(".")
        if begin in whole:
            return parameters(getattr(whole[begin], rest))
        for place in (*places, optuna.importance):
            if hasattr(place, name):
                return parameters(getattr(place, name))
        raise KeyError(name)

    anywhere = parameters(optuna.samplers.TPESampler) | parameters(optuna.samplers.RandomSampler)
    assert unknown(OPTUNA, arguments_of, anywhere) == []


def test_every_argument_of_talos_stands_in_the_table_and_what_it_names_is_there() -> None:
    assert len(TALOS_SCAN) == 27
    assert lacking({"Scan": TALOS_SCAN, **TALOS_ELSE}, TALOS) == []
    known = {
        "Scan": TALOS_SCAN,
        **TALOS_ELSE,
        "scan.data": set(),
        "scan.round_history": set(),
        "scan.round_times": set(),
    }
    assert unknown(TALOS, {**known, "talos.autom8": set()}.__getitem__, TALOS_SCAN) == []


def ours(cell: str) -> Iterator[tuple[str, Any]]:
    """Yield the arguments that the code of a cell gives, with their values; None where it gives none."""
    for code in codes(cell):
        if re.fullmatch(r"\w+=", code):
            yield code[:-1], None
        elif re.match(r"\w+=", code):
            call = ast.parse(f"dict({code})", mode="eval").body
            assert isinstance(call, ast.Call)
            yield from ((one.arg, ast.literal_eval(one.value)) for one in call.keywords if one.arg)


GIVEN = [(row[0], key, value) for row in TABLE for key, value in ours(row[HERE])]


def test_every_key_that_stands_under_here_is_one_with_a_value_that_it_takes() -> None:
    of_run = {
        name for function in (tuner.search, tuner.run, tuner.Search) for name in inspect.signature(function).parameters
    }
    settings = {parameter.name: parameter for parameter in RECIPE}
    assert len(GIVEN) > 60
    written = {key for row in TABLE for code in codes(row[HERE]) for key in re.findall(r"\b(\w+)=", code)}
    assert written - {*of_run, *SearchFile.model_fields, *SearchTable.model_fields} == set()
    for want, key, value in GIVEN:
        assert key in {*of_run, *SearchFile.model_fields, *SearchTable.model_fields}, f"{want}: {key}"
        if value is None:
            continue
        if key in SearchTable.model_fields:
            SearchTable.model_validate({"family": "ann", key: value})
        if key in SearchFile.model_fields:
            whole = {"title": "x", "dataset": "x", "training": {}, "search": [{"family": "ann"}], key: value}
            SearchFile.model_validate(whole)
        if key == "training":
            assert set(value) <= {*settings, "callbacks"}, want
            assert [
                settings[name].check(one) for name, one in value.items() if name in settings
            ] or "callbacks" in value
        for name, one in value.items() if key == "space" else ():
            domain_of(one, settings.get(name) or Parameter(name, example(one)))
        for rule in value["where"] if key == "rules" else ():
            parse_rule(rule, {"units"})


def example(raw: Any) -> Any:
    """Return one of the values that a space gives."""
    return raw["min"] if isinstance(raw, dict) else raw[0] if isinstance(raw, list) else raw


def test_a_parameter_s_name_in_a_space_is_not_mistaken_for_a_key() -> None:
    assert list(ours('stays; `space={"units": [1]}`, `hours=`, `hp.Int(x=)`')) == [
        ("space", {"units": [1]}),
        ("hours", None),
    ]


def test_the_page_says_which_versions_it_speaks_of() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    said = re.findall(r"of KerasTuner ([\d.]+), of Optuna ([\d.]+) and", PAGE.read_text(encoding="utf-8"))
    assert [f"keras-tuner=={keras_tuner} optuna=={optuna}".split() for keras_tuner, optuna in said] == [
        [line for line in lines if line.startswith(("keras-tuner==", "optuna=="))]
    ]


@pytest.mark.parametrize("origin", ["kerastuner", "optuna", "talos"])
def test_a_page_with_a_script_has_no_row_of_its_own_and_leads_to_the_table(origin: str) -> None:
    text = (ROOT / "docs" / f"from-{origin}.md").read_text(encoding="utf-8")
    assert not re.search(r"^\|", text, re.MULTILINE)
    assert "](coming-from.md)" in text


def test_mistakes_in_the_table_would_be_found() -> None:
    assert list(named("`f(a=, b=1)`, `x.y`, `Name`, `seed=0`, a `word`")) == [
        Named("f", frozenset({"a", "b"})), Named("x.y", frozenset()), Named("Name", frozenset()),
        Named("", frozenset({"seed"})),
    ]  # fmt: skip
    assert list(named("`f()` `a=`, `b=`; `c=`")) == [
        Named("f", frozenset()), Named("f", frozenset({"a"})), Named("f", frozenset({"b"})),
        Named("", frozenset({"c"})),
    ]  # fmt: skip
    assert lacking({"Scan": {"x", "params", "gone"}, "Other": set()}, TALOS) == ["Scan(gone=)", "Other"]
    wrong = unknown(TALOS, {**TALOS_ELSE, "Predict.predict": set()}.__getitem__, TALOS_SCAN - {"seed"})
    assert {"(seed=)", "Predict.predict(x=)"} <= set(wrong)
    assert any(one.startswith("scan.data") for one in wrong)
