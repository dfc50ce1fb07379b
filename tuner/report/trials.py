"""The trials: ranked, summarised by depth, and the failed ones with their reasons."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from tuner import columns as col
from tuner.analysis.ended import hours_in_words
from tuner.analysis.findings import Findings
from tuner.analysis.penalties import LOSS_WITHOUT_PENALTIES, any_penalised, unpenalised_val_loss
from tuner.analysis.pruning import pruned
from tuner.analysis.selection import smallest_within, standard_error
from tuner.analysis.trial_table import column_names, epochs_in_words, trial_rows
from tuner.contents.cells import DASH, STUCK, number
from tuner.contents.sections import Content, Paragraph, Section, Table
from tuner.errors import CheckError
from tuner.families import in_order
from tuner.objective import ACCURACY, Objective
from tuner.protocol import ranked
from tuner.report.imported import UNTOLD
from tuner.search_file.model_search import ModelSearch
from tuner.space.parameters import Value
from tuner.text import escape, setting
from tuner.trial import Record

#: How many trials the report shows of each search; the others stand in trials.csv.
SHOWN = 100
#: The parameters whose groups are summarised where they vary.
DEPTHS = ("conv_depth", "dense_depth")


def varying(records: Sequence[Record]) -> list[str]:
    """Return the parameters that differ between trials, in the order of the families."""
    names = in_order(name for record in records for name in record.trial.values)
    return [name for name in names if len({record.trial.values.get(name) for record in records}) > 1]


def summary_by(trials: pd.DataFrame, parameter: str, score: str) -> pd.DataFrame:
    """Return number, mean, sample standard deviation, best and worst of a score for each value of a parameter.

    Args:
        trials: a row per trial.
        parameter: the column to group by.
        score: the column to summarise; rows without it are left out.
    """
    groups = trials.dropna(subset=[parameter, score]).groupby(parameter, sort=True)[score]
    return groups.agg(trials="count", mean="mean", sd="std", best="max", worst="min").reset_index()


def values_and_score(records: Sequence[Record], objective: Objective) -> pd.DataFrame:
    """Return the parameters of each trial and its score by an objective, a row a trial."""
    return pd.DataFrame([{**r.trial.values, objective.column: objective.of(r.result)} for r in records])


def trials_section(findings: Findings) -> Section | None:
    """Rank the trials of each search, of each depth by itself where that varies; all of them go into trials.csv."""
    contents: list[Content] = []
    stuck = False
    for model_search in findings.search.model_searches:
        for dataset in findings.search.datasets:
            order = ranked(findings.trials(model_search.name, dataset))
            if len(order) < 2:
                continue
            names = varying(order)
            fixed = _settings(_chosen_by_hand(model_search, order[0], leave_out=names))
            head = f"**{escape(model_search.label)} on {escape(dataset)}**"
            depth = next((name for name in DEPTHS if name in names), None)
            groups: dict[object, list[tuple[int, Record]]] = {}
            for rank, record in enumerate(order, start=1):
                groups.setdefault(record.trial.values.get(depth) if depth else None, []).append((rank, record))
            for value in sorted(groups, key=str):
                group = groups[value]
                of_depth = f", {depth} {setting(value)}" if len(groups) > 1 else ""
                more = f", the best {SHOWN} of {len(group)}" if len(group) > SHOWN else ""
                shown = varying([record for _, record in group]) or names
                if len(groups) > 1:
                    of_depth += "".join(
                        f", {text}" for text in _shared(group, [n for n in names if n not in (depth, *shown)])
                    )
                ranks = group[:SHOWN]
                contents.append(_ranking(findings, ranks, shown, f"{head}{of_depth}{more}", model_search.objective))
                stuck |= any(findings.stuck_at_chance(record) for _, record in group[:SHOWN])
            alike = (
                f"The same in all of {escape(model_search.label)}: {escape(fixed)}; " if fixed else "The same in all: "
            )
            rest = UNTOLD if findings.imported else "everything else at its default"
            told = f"{alike}{rest}. Ranks are among all trials of the search."
            contents += [Paragraph(told), *_near(findings, order, model_search.objective)]
            contents += [*_pruning(findings, model_search, dataset), *_ended(findings, model_search, dataset)]
    table_rows = trial_rows(findings.search_trials, findings.finished)
    if not table_rows:
        return None
    columns = [name for name in column_names(table_rows) if name not in col.CLOCKED]
    frame = pd.DataFrame(table_rows, columns=columns, dtype=object)  # whole numbers stay so
    none = Paragraph("No search has two completed trials on a data set, so that there is nothing to rank.")
    last = [*(["† never left chance."] if stuck else []), "Every trial: [trials.csv](trials.csv)."]
    return Section("trials", "Trials", [*(contents or [none]), *map(Paragraph, last)], {"trials.csv": frame})


def _near(findings: Findings, order: Sequence[Record], objective: Objective) -> list[Paragraph]:
    """Say what the standard error of scores is, and which smaller trial is within one of the best.

    Of accuracies of one split the section on the luck of the choice says which trials cannot be told from the best.
    """
    folds = findings.search.folds
    whole = [record for record in order if not record.trial.is_partial]
    if not whole or (whole[0].standard_error is None and objective is ACCURACY):
        return []
    try:
        error = standard_error(whole[0], objective, findings.workspace)
    except CheckError:  # what it answered is not there, or an objective of the user's own is not
        return []
    by_folds = whole[0].standard_error is not None
    if not (error > 0 or (by_folds and error == 0)):  # which few images, or a class of one, do not tell
        return []
    best, (small, _) = whole[0], smallest_within(whole, error)
    if by_folds:
        text = (
            f"A score is the mean over {folds} folds, ± its standard error, s / √{folds}: folds share most of their "
            "training images, so that it is only about right. "
        )
    else:
        text = (
            f"The standard error of the best score, {number(error)}, is that of a draw of the images that it was "
            "chosen on, by a bootstrap. "
        )
    if small.trial.id == best.trial.id:
        return [Paragraph(f"{text}No smaller trial is within one standard error of the best.")]
    names = varying([best, small])
    values = _settings({name: small.trial.values[name] for name in names if name in small.trial.values})
    return [
        Paragraph(
            f"{text}The smallest trial within one standard error of the best has {small.result.parameters or 0:,} "
            f"parameters in place of {best.result.parameters or 0:,} and scored {_scored(small)}: {escape(values)} "
            f"(trial {small.trial.id[:8]})."
        )
    ]


def _scored(record: Record) -> str:
    """Return a trial's score, with its standard error where it was cross-validated."""
    error = record.standard_error
    return number(record.score) + ("" if error is None else f" ± {number(error)}")


def _ended(findings: Findings, model_search: ModelSearch, dataset: str) -> list[Paragraph]:
    """Say how far a model search came that the hours of the search ended."""
    stop = findings.stop_of(model_search.name, dataset)
    if stop is None or findings.ended is None or findings.ended.hours is None:
        return []
    within = hours_in_words(findings.ended.hours)
    told = f"{stop.after:,} of {stop.planned:,} configurations within {within}"
    return [Paragraph(f"Ended by the hours of the search: {told}.")]


def _pruning(findings: Findings, model_search: ModelSearch, dataset: str) -> list[Paragraph]:
    """Say how far the trials of a search that prunes were trained."""
    found = pruned(findings, model_search, dataset)
    if found is None or model_search.pruning is None:
        return []
    (first, several), *later = found.rungs
    steps = "".join(f", {count:,} to epoch {rung:,}" for rung, count in later)
    return [
        Paragraph(
            f"{'Pruned' if findings.finished else 'So far pruned'} by successive halving, about one of "
            f"{model_search.pruning.factor} going on from each rung: "
            f"{several:,} were trained to epoch {first:,}{steps}. That is {found.epochs:,} epochs instead of "
            f"{found.unpruned:,}. A trial that was pruned stands behind those that were not, and never is the best: "
            "its score is of fewer epochs."
        )
    ]


def _shared(group: Sequence[tuple[int, Record]], names: Sequence[str]) -> list[str]:
    """Return the parameters of these that a group of trials has, each with the one value that it has there."""
    values = group[0][1].trial.values
    return [f"{escape(name)} {escape(setting(values[name]))}" for name in names if name in values]


def _ranking(
    findings: Findings, ranks: Sequence[tuple[int, Record]], names: Sequence[str], lead: str, objective: Objective
) -> Table:
    accuracy = [] if objective is ACCURACY else [ACCURACY]
    penalised = any_penalised(record for _, record in ranks)
    rows = [
        [
            rank,
            *[escape(setting(record.trial.values[n])) if n in record.trial.values else DASH for n in names],
            epochs_in_words(record, findings.finished)
            if record.result.best_epoch or record.trial.is_partial
            else record.trial.epochs,
            DASH if record.result.parameters is None else f"{record.result.parameters:,}",
            number(record.result.val_loss),
            *([number(unpenalised_val_loss(record))] if penalised else []),
            *[number(one.of(record.result)) for one in accuracy],
            _scored(record) + (STUCK if findings.stuck_at_chance(record) else ""),
        ]
        for rank, record in ranks
    ]
    scores = [escape(one.head) for one in (*accuracy, objective)]
    losses = ["val. loss", *([f"val. {LOSS_WITHOUT_PENALTIES}"] if penalised else [])]
    heads = ["", *map(escape, names), "epochs", "parameters", *losses, *scores]
    return Table(rows, heads, text_columns=0, lead=lead)


def _settings(values: dict[str, Value]) -> str:
    return ", ".join(f"{name} {setting(values[name])}" for name in in_order(values))


def depth_section(findings: Findings) -> Section | None:
    """Summarise the trials by their depth, where it varies."""
    contents = []
    for model_search in findings.search.model_searches:
        objective = model_search.objective
        ends = ("best", "worst") if objective.direction == "max" else ("worst", "best")
        for dataset in findings.search.datasets:
            records = findings.whole_trials(model_search.name, dataset)
            for parameter in DEPTHS:
                if parameter not in varying(records):
                    continue
                summary = summary_by(values_and_score(records, objective), parameter, objective.column)
                rows = [
                    [setting(r[parameter]), r["trials"], *[number(r[n]) for n in ("mean", "sd", *ends)]]
                    for r in summary.to_dict("records")
                ]
                lead = (
                    f"**{escape(model_search.label)} on {escape(dataset)}**, {escape(objective.label)} on "
                    f"{findings.search.validates_on}"
                )
                heads = [parameter, "trials", "mean", "sd", "best", "worst"]
                contents.append(Table(rows, heads, text_columns=0, lead=lead))
    return Section("depth", "Mean and standard deviation by depth", contents) if contents else None


def failures_section(findings: Findings) -> Section | None:
    """List the failed trials with their reasons."""
    if not findings.failed:
        return None
    rows = [
        [
            escape(m.model),
            escape(m.dataset),
            m.role,
            r.trial.id,
            escape(r.result.error),
            escape(_settings(_told_apart(findings, m.model, r))),
        ]
        for m, r in findings.failed
    ]
    heads = ["model", "data set", "role", "trial", "reason", "configuration"]
    return Section("failures", "Failed trials", [Table(rows, heads, text_columns=6)])


def _told_apart(findings: Findings, model: str, record: Record) -> dict[str, Value]:
    """Return the values of a trial of a row, or of an ensemble's member, that are not at their parameter's default."""
    search = findings.search
    if search.contender(model).searched:
        return _chosen_by_hand(search.model_search(model), record)
    alike = next((one for one in search.model_searches if one.path == record.trial.family), None)
    return _chosen_by_hand(alike, record) if alike else dict(record.trial.values)


def _chosen_by_hand(model_search: ModelSearch, record: Record, leave_out: Sequence[str] = ()) -> dict[str, Value]:
    """Return the values of a trial that are not at their parameter's default."""
    defaults = {parameter.name: parameter.default for parameter in model_search.space.parameters}
    return {n: v for n, v in record.trial.values.items() if n not in leave_out and v != defaults.get(n)}
