"""What `tuner results` shows: the trials with what varies between them, and how the retrained ones did on the test set.

Free of pandas, to be quick.
"""

from __future__ import annotations

import statistics
import textwrap
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from tuner import columns as col
from tuner.analysis.ended import asked_in_words, by_in_words, ended_in_words
from tuner.analysis.penalties import LOSS_WITHOUT_PENALTIES, any_penalised, unpenalised_val_loss
from tuner.analysis.trial_table import epochs_in_words, trial_rows
from tuner.families import in_order
from tuner.ledger.events import Event
from tuner.ledger.ledger import SearchTrial
from tuner.protocol import ranked
from tuner.search_file.model import Search
from tuner.text import escape, shortened, visible_line
from tuner.trial import Record

#: No line is wider than this.
WIDTH = 120
#: Letters of a model's, a data set's or a parameter's name, before they are cut.
_NAME = 20
#: What a table that is too wide goes without, the first that is enough.
_UNPENALISED = f"val. {LOSS_WITHOUT_PENALTIES}"
_SPARED = (
    (),
    ("seconds",),
    ("seconds", "trial"),
    ("seconds", "trial", _UNPENALISED),
    ("seconds", "trial", _UNPENALISED, "parameters"),
)
_DASH = "–"
#: Losses from here on are written with a power of ten.
_LARGE = 1e5

SearchTrials = Sequence[tuple[SearchTrial, Record | None]]
Row = tuple[SearchTrial, Record]
Column = tuple[str, Callable[[Row], str]]


def retrained(search_trials: SearchTrials) -> dict[tuple[str, str], list[Record]]:
    """Return the completed retrainings of a search by model and data set."""
    found: dict[tuple[str, str], list[Record]] = {}
    for search_trial, record in search_trials:
        if search_trial.role == "final" and record is not None and record.completed:
            found.setdefault((search_trial.model, search_trial.dataset), []).append(record)
    return found


def result_rows(search_trials: SearchTrials, finished: bool = True) -> list[dict[str, object]]:
    """Return the finished search trials as rows, best first, each with how its retrainings scored on the test set.

    That is None for those that were not retrained on the data set on which they were chosen.
    """
    scores: dict[object, dict[str, object]] = {}
    for (_, dataset), finals in retrained(search_trials).items():
        content = _configuration(finals[0])
        mine = [r for m, r in search_trials if r and (m.role, m.dataset) == ("search", dataset)]
        for best in [r for r in ranked(mine) if _configuration(r) == content][:1]:
            mean, sd = _mean_and_sd(finals)
            scores[best.trial.id] = {col.RETRAINED_MEAN: mean, col.RETRAINED_SD: sd, col.REPEATS: len(finals)}
    untested = dict.fromkeys((col.RETRAINED_MEAN, col.RETRAINED_SD, col.REPEATS))
    return [row | scores.get(row[col.TRIAL], untested) for row in trial_rows(search_trials, finished)]


def _configuration(record: Record) -> tuple[object, ...]:
    """Return what a search trial and its retrainings have in common."""
    trial = record.trial
    values = {name: value for name, value in trial.values.items() if name not in trial.idle}
    return trial.family, trial.source, values, trial.epochs


def results_table(
    search: Search, search_trials: SearchTrials, finished: bool = True, ended: Event | None = None
) -> str:
    """Return the tables of a search as markdown, no line wider than `WIDTH`: its retrained models, and its trials.

    While it has not `finished`, trials that others went further than may still go on. `ended` is the event by which its
    hours ended it. What was added or changed by hand is told below.
    """
    parts = [_retrained_table(search, search_trials), _trials_table(search, search_trials, finished)]
    for decision in (one for model_search in search.model_searches for one in model_search.decided):
        parts.append(textwrap.fill(f"By hand: {visible_line(asked_in_words(decision))}.", WIDTH))
    if ended is not None:
        parts.append(f"Ended {by_in_words(ended)}: {visible_line(ended_in_words(search, ended))}.")
    return "\n\n".join(part for part in parts if part)


def _mean_and_sd(finals: Sequence[Record]) -> tuple[float, float | None]:
    scores = [record.result.test_accuracy or 0.0 for record in finals]
    return statistics.fmean(scores), statistics.stdev(scores) if len(scores) > 1 else None


def _retrained_table(search: Search, search_trials: SearchTrials) -> str:
    rows = []
    for (model, dataset), finals in retrained(search_trials).items():
        mean, sd = _mean_and_sd(finals)
        mean_text = f"{mean:.4f}" + ("" if sd is None else f" ± {sd:.4f}")
        scores = ", ".join(f"{record.result.test_accuracy or 0.0:.4f}" for record in finals)
        rows.append([_text(search.contender(model).label), _text(dataset), mean_text, shortened(scores, 40)])
    if not rows:
        return ""
    return "Retrained, accuracy on the test set:\n\n" + _markdown(
        rows, ["model", "data set", "mean ± sd", "each retraining"], 2
    )


def _trials_table(search: Search, search_trials: SearchTrials, finished: bool) -> str:
    rows = [
        (search_trial, record) for search_trial, record in search_trials if record and search_trial.role == "search"
    ]
    if not rows:
        return "No trial has finished."
    place = {record.trial.id: rank for rank, record in enumerate(ranked(record for _, record in rows))}
    rows.sort(key=lambda row: (place.get(row[1].trial.id, len(place)), row[0].model, row[0].number))
    columns = _fitting(search, rows, finished)
    text_columns = sum(head in ("model", "data set", _TOGETHER) for head, _ in columns)
    table = _markdown([[get(row) for _, get in columns] for row in rows], [head for head, _ in columns], text_columns)
    so_far = "" if finished else " so far"
    order = "best first" if place else "all of which failed"
    count = f"1 trial{so_far}" if len(rows) == 1 else f"{len(rows):,} trials{so_far}, {order}"
    return "\n\n".join([f"{count}:", table, *_reasons(rows), _rest(rows)])


#: The head of all parameters in one column.
_TOGETHER = "parameters that vary"


def _fitting(search: Search, rows: Sequence[Row], finished: bool) -> list[Column]:
    """Return the columns of these trials that a table of `WIDTH` has room for."""
    about, scores = _about(search), _scores(rows, finished)
    groups = _varying(rows)
    apart: list[Column] = [(_text(name), _value_of(names)) for name, names in groups.items()]
    for spared in _SPARED:
        columns = [*about, *apart, *(column for column in scores if column[0] not in spared)]
        if _width(columns, rows) <= WIDTH:
            return columns
    kept = [column for column in scores if column[0] not in _SPARED[-1]]
    room = WIDTH - _width([*about, *kept], rows) - 3
    return [*about, (_TOGETHER, _together(groups, room)), *kept]


def _about(search: Search) -> list[Column]:
    columns: list[Column] = []
    if len(search.model_searches) > 1:
        columns.append(("model", lambda row: _text(search.model_search(row[0].model).label)))
    if len(search.datasets) > 1:
        columns.append(("data set", lambda row: _text(row[0].dataset)))
    return columns


def _scores(rows: Sequence[Row], finished: bool) -> list[Column]:
    columns: list[Column] = []
    if any(r.result.best_epoch or r.trial.is_partial for _, r in rows) or len({r.trial.epochs for _, r in rows}) > 1:
        columns.append(("epochs", lambda row: epochs_in_words(row[1], finished)))
    unpenalised: list[Column] = []
    if any_penalised(record for _, record in rows):
        unpenalised.append((_UNPENALISED, lambda row: _score(unpenalised_val_loss(row[1]))))
    return [
        *columns,
        ("parameters", lambda row: _whole(row[1].result.parameters)),
        ("seconds", lambda row: _DASH if row[1].imported else f"{row[1].result.seconds:.1f}"),
        ("val. loss", lambda row: _score(row[1].result.val_loss)),
        *unpenalised,
        ("val. accuracy", lambda row: _score(row[1].result.val_accuracy) if row[1].completed else "failed"),
        *(
            (escape(shortened(visible_line(objective.head), 2 * _NAME)), lambda row: _score(row[1].score))
            for objective in dict.fromkeys(record.objective for _, record in rows)
            if objective.code
        ),
        *([("± error", lambda row: _score(row[1].standard_error))] if any(r.trial.folds for _, r in rows) else []),
        ("trial", lambda row: row[1].trial.id),
    ]


def _together(groups: Mapping[str, Sequence[str]], room: int) -> Callable[[Row], str]:
    """Return what writes all parameters into one cell of so many letters."""

    def cell(row: Row) -> str:
        told = [f"{name} {value}" for name, names in groups.items() if (value := _values(row, names))]
        return _text(", ".join(told), room)

    return cell


def _reasons(rows: Sequence[Row]) -> list[str]:
    """Return why trials failed, a line for each reason, the most frequent first."""
    counts = Counter(visible_line(record.result.error) for _, record in rows if not record.completed)
    heads = {reason: f"- {count:,} failed: " for reason, count in counts.most_common()}
    lines = [head + _text(reason, WIDTH - len(head)) for reason, head in heads.items()]
    return ["\n".join(lines)] if lines else []


def _varying(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Return the parameters that differ between trials of one model, those of a stack's layers under one name."""
    seen: dict[tuple[str, str], set[object]] = {}
    for search_trial, record in rows:
        for name, value in record.trial.values.items():
            seen.setdefault((search_trial.model, name), set()).add((type(value), value))
    every = in_order(name for _, name in seen)
    groups: dict[str, list[str]] = {}
    for name in every:
        stem, _, layer = name.rpartition("_")
        groups.setdefault(stem if layer.isdecimal() and stem else name, []).append(name)
    varies = {name for (_, name), values in seen.items() if len(values) > 1}
    return {stem if len(names) > 1 else names[0]: names for stem, names in groups.items() if varies.intersection(names)}


def _rest(rows: Sequence[Row]) -> str:
    """Return in a sentence what is the same in all trials of what shapes a budget, and where the rest is."""
    same = []
    ours = not any(record.imported for _, record in rows)
    for name in (col.EPOCHS, *([col.SEED] if ours else []), col.TRAIN_SIZE):
        values = {getattr(record.trial, name) for _, record in rows}
        if len(values) == 1 and (value := values.pop()) is not None:
            same.append(f"{name} {value:,}" if name != col.SEED else f"{name} {value}")
    text = f"The same in all: {', '.join(same)}. " if same else ""
    return f"{text}Every column: --all, or --format csv."


def _width(columns: Sequence[Column], rows: Sequence[Row]) -> int:
    """Return how wide a table is: a bar and two blanks go with each column, and a bar ends the line."""
    return 1 + sum(3 + max(3, len(head), *(len(get(row)) for row in rows)) for head, get in columns)


def _markdown(rows: Sequence[Sequence[str]], heads: Sequence[str], text_columns: int) -> str:
    """Return a table in markdown with no blank more than it needs; numbers stand to the right."""
    widths = [max(3, *map(len, column)) for column in zip(heads, *rows, strict=True)]
    marks = [":" + "-" * (w - 1) if k < text_columns else "-" * (w - 1) + ":" for k, w in enumerate(widths)]
    lines = []
    for cells in (heads, marks, *rows):
        padded = [
            f"{c:<{w}}" if k < text_columns else f"{c:>{w}}" for k, (c, w) in enumerate(zip(cells, widths, strict=True))
        ]
        lines.append(f"| {' | '.join(padded)} |")
    return "\n".join(lines)


def _text(text: object, most: int = _NAME) -> str:
    """Return text of a user's for a cell, of at most so many letters as it is written: what is escaped is longer."""
    line = visible_line(text)
    for letters in range(most, 0, -1):
        if len(escaped := escape(shortened(line, letters))) <= most:
            return escaped
    return ""


def _value_of(names: Sequence[str]) -> Callable[[Row], str]:
    return lambda row: _text(_values(row, names)) or _DASH


def _values(row: Row, names: Sequence[str]) -> str:
    """Return the values of a parameter, of each layer that a trial has."""
    given = row[1].trial.values
    return " ".join(_setting(given[name]) for name in names if name in given)


def _setting(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _whole(value: int | None) -> str:
    return _DASH if value is None else f"{value:,}"


def _score(value: float | None) -> str:
    if value is None:
        return _DASH
    return f"{value:.4f}" if value < _LARGE else f"{value:.4g}"
