"""The recipe and the budget of every model in a table, and what a study left open: what it takes to repeat it."""

from __future__ import annotations

from collections.abc import Sequence

from tuner.analysis.findings import Findings
from tuner.contents.cells import DASH
from tuner.contents.sections import Content, Items, Section, Table
from tuner.recipe import RECIPE
from tuner.recipe.augmentation import AUGMENTATION
from tuner.recipe.mixing import MIXING
from tuner.recipe.optimizers import OPTIMIZER
from tuner.recipe.schedules import SCHEDULE
from tuner.search_file.model_search import ModelSearch
from tuner.space.parameters import Parameter, Value
from tuner.text import escape, setting
from tuner.trial import Record

#: So many values of a parameter are named; of more, the lowest and the highest.
_MOST_VALUES = 5
_DROPOUT = ("dropout", "conv_dropout", "dense_dropout")
#: Parameters that have a column, alone or with others.
_PLACED = {
    *(parameter.name for parameter in (*OPTIMIZER, *SCHEDULE, *AUGMENTATION, *MIXING)),
    *("batch_size", "epochs", "l2", *_DROPOUT),
}
_HEADS = (
    "model", "optimizer", "learning rate", "batch size", "epochs", "schedule", "augmentation", "dropout", "L2", "other",
    "trials", "retrainings",
)  # fmt: skip


def recipes_section(findings: Findings) -> Section | None:
    """Say how every model was trained, and what of it a study left open."""
    rows = [_row(findings, one) for one in findings.search.model_searches if findings.trials(one.name)]
    if not rows:
        return None
    about = (
        "Values that were searched are listed, the chosen one behind them. What has no column and is at its default is "
        "left out."
    )
    contents: list[Content] = [Table(rows, _HEADS, text_columns=10, about=about, lead="How each model was trained")]
    study = findings.search.published
    if study and study.assumptions:
        contents.append(Items([escape(text) for text in study.assumptions], "What the study left open:"))
    return Section("recipes", "Recipe and budget", contents)


def _row(findings: Findings, model_search: ModelSearch) -> list[str]:
    told = _Told(findings, model_search)
    retrainings = {len(one.finals) for one in findings.chosen if one.model == model_search.name}
    fitted = "early_stopping" in told.values and set(told.values["early_stopping"]) != {"off"}
    epochs = f"{'up to ' * fitted}{model_search.epochs:,}"
    compiled = next(
        (str(r.result.environment["compiled"]) for r in told.records if "compiled" in r.result.environment), ""
    )
    other = [f"{name} {told.of(name)}" for name in _others(told)]
    return [
        escape(model_search.label),
        ", ".join([told.of("optimizer"), *told.named(OPTIMIZER, "optimizer", "learning_rate")]),
        told.of("learning_rate"),
        told.of("batch_size"),
        epochs,
        ", ".join([told.of("schedule"), *told.named(SCHEDULE, "schedule")]),
        ", ".join(told.named((*AUGMENTATION, *MIXING))) or "none",
        ", ".join(told.named([p for p in model_search.space.parameters if p.name in _DROPOUT])) or "none",
        told.of("l2") if told.is_set("l2") else "none",
        ", ".join([*_own(model_search, compiled), *other]) or DASH,
        f"{len(told.records):,}",
        " or ".join(str(count) for count in sorted(retrainings)) or "0",
    ]


def _own(model_search: ModelSearch, compiled: str) -> list[str]:
    """Return what code of the user's own decides of a recipe."""
    own = [f"compiled by its build: {escape(compiled)}"] if compiled else []
    if model_search.callbacks is not None:
        own.append(f"callbacks of {escape(model_search.callbacks.path)}")
    return own


class _Told:
    """The values that the trials of a model had, and those of its chosen models."""

    def __init__(self, findings: Findings, model_search: ModelSearch) -> None:
        self.records: Sequence[Record] = findings.trials(model_search.name)
        self.values: dict[str, list[Value]] = {}
        for record in self.records:
            for name, value in record.trial.values.items():
                known = self.values.setdefault(name, [])
                if value not in known:
                    known.append(value)
        chosen = [one for one in findings.chosen if one.model == model_search.name and one.winner]
        self._chosen = [(one.dataset, one.saved.trial.values) for one in chosen]

    def of(self, name: str) -> str:
        """Return the values of a parameter, and the chosen one where there are several."""
        values = self.values.get(name, [])
        if not values:
            return DASH
        if len(values) == 1:
            return escape(setting(values[0]))
        numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        values = sorted(values, key=float) if numbers else sorted(values, key=str)
        several = f"{setting(values[0])} to {setting(values[-1])}" if numbers else f"{len(values)} values"
        listed = ", ".join(map(setting, values)) if len(values) <= _MOST_VALUES else several
        picked = {dataset: setting(of[name]) for dataset, of in self._chosen if name in of}
        if len(set(picked.values())) == 1:
            listed += f"; chosen {next(iter(picked.values()))}"
        elif picked:
            listed += f"; chosen {', '.join(f'{value} on {dataset}' for dataset, value in picked.items())}"
        return escape(listed)

    def is_set(self, name: str) -> bool:
        """Whether a parameter does anything in any of the trials."""
        return any(value not in (0, 0.0, "none") for value in self.values.get(name, []))

    def named(self, parameters: Sequence[Parameter], *but: str) -> list[str]:
        """Return what is set of some parameters, each with its name."""
        names = [p.name for p in parameters if p.name not in but and self.is_set(p.name)]
        return [f"{name.replace('_', ' ')} {self.of(name)}" for name in names]


def _others(told: _Told) -> list[str]:
    """Return the settings of the recipe that have no column of their own and are not at their default."""
    defaults = {parameter.name: parameter.default for parameter in RECIPE}
    return [
        name for name in told.values
        if name in defaults and name not in _PLACED and told.values[name] != [defaults[name]]
    ]  # fmt: skip
