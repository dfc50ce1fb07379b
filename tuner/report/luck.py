"""What the choice did to the score of the best trial, and which trials cannot be told from it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tuner import columns as col
from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.luck import Luck, lucks, within
from tuner.contents.cells import DASH, number, signed
from tuner.contents.sections import Content, Items, Paragraph, Section, Table
from tuner.families import in_order
from tuner.objective import ACCURACY
from tuner.objective.log_loss import LogLoss
from tuner.report.trials import varying
from tuner.text import enumerated, escape, setting
from tuner.trial import Record


def luck_section(findings: Findings) -> Section | None:
    """Set apart what makes retrained means differ from search scores, and name what cannot be told from the best.

    Where no luck is estimated it says of which models, and why.
    """
    found = lucks(findings)
    untold = _not_estimated(findings, found)
    if not found:
        return Section("luck", "Luck of the choice", [Items(untold)]) if untold else None
    contents: list[Content] = [
        Paragraph(" ".join([_explanation(findings), *_on_objectives(found)])),
        _table(found),
        Items([*_nothing_chosen(found), *[_alike_in_words(one) for one in found if one.trials > 1], *untold]),
        Paragraph("The same as numbers: [choice.csv](choice.csv)."),
    ]
    return Section("luck", "Luck of the choice", contents, {"choice.csv": choice_frame(findings)})


def _not_estimated(findings: Findings, found: Sequence[Luck]) -> list[str]:
    """Return of each model that was searched for here and of which no luck is estimated why that is."""
    told = [one.chosen for one in found]
    untold = [chosen for chosen in findings.chosen if chosen.winner and chosen not in told]
    return [
        f"{escape(chosen.label)} on {escape(chosen.dataset)}: chosen {_otherwise(findings, chosen)}, of which no luck "
        "is estimated."
        for chosen in untold
    ]


def _otherwise(findings: Findings, chosen: Chosen) -> str:
    for_size = chosen.selection is not None and not chosen.selection.is_best
    return "for its size" if for_size else f"by {escape(findings.objective_of(chosen.model).label)}"


def _table(found: Sequence[Luck]) -> Table:
    by = {one.objective for one in found}
    alike = len(by) == 1
    what = escape(found[0].objective.label) if alike else "score"
    heads = [
        "model", "data set", *([] if alike else ["chosen by"]), "trials", f"search score, {what}" if alike else
        "search score", "luck of the choice", "without it", "training images", f"retrained mean test {what}",
        "the rest", "other images and seeds alone", "more training data, if images are as hard",
    ]  # fmt: skip
    return Table([_row(one, alike) for one in found], heads, text_columns=2 if alike else 3)


def _row(one: Luck, alike: bool) -> list[str]:
    before, after = one.fitted
    return [
        escape(one.chosen.label),
        escape(one.chosen.dataset),
        *([] if alike else [escape(one.objective.label)]),
        f"{one.trials:,}",
        number(one.score),
        "nothing was chosen" if one.trials == 1 else signed(one.choice.luck if one.choice else None),
        number(one.corrected),
        f"{before:,}" if before == after else f"{before:,} → {after:,}",
        number(one.mean),
        signed(one.rest),
        f"± {one.others:.4f}" if np.isfinite(one.others) else DASH,
        _more_data(one),
    ]


def _more_data(one: Luck) -> str:
    if one.fitted[1] <= one.fitted[0]:
        return "no more"
    if one.more_data is None:
        return DASH
    brought, low, high = map(signed, one.more_data)
    return f"{brought} ({low} to {high})"


def _explanation(findings: Findings) -> str:
    same = findings.search.protocol == "published"
    rest = "other seeds" if same else "more training data, other images and other seeds"
    text = (
        "The best of several trials is partly the luckiest on the images that it was chosen on. How much of its score "
        "that is, is estimated by choosing again, 1,000 times, on images drawn with replacement, and scoring the one "
        "chosen on the images that were not drawn (Tsamardinos and others, 2018). What then still lies between the "
        f"search score and the retrained mean, the rest, is due to {rest}. "
    )
    if same:
        return text + "The last column is how far other seeds alone may move it, in 95 of 100 cases."
    return text + (
        "How far other images and seeds alone may move it, in 95 of 100 cases, stands beside it. A rest beyond "
        "that is hardly luck: one above 0 is what more training data brought, one below 0 means that the test images "
        "are harder than those that were chosen on. No record tells these two apart, since a retraining has more data "
        "and other images at once. What more data brought stands in the last column, with its 95 % interval, for test "
        "images that are as hard as those chosen on; it looks smaller where the best trial also had a lucky seed."
    )


def _on_objectives(found: Sequence[Luck]) -> list[str]:
    """Return what is different of objectives other than accuracy, in sentences."""
    told = []
    if any(one.objective is not ACCURACY and not isinstance(one.objective, LogLoss) for one in found):
        told.append(
            "A score other than accuracy is taken for the mean of what each image adds to it, its jackknife "
            "pseudo-value, when it is chosen again."
        )
    if any(one.objective.direction == "min" for one in found):
        told.append("Luck and rest are above 0 where they are for the better, also where less is better.")
    return told


def _nothing_chosen(found: Sequence[Luck]) -> list[str]:
    """Return a sentence of each data set on the models of which one trial completed."""
    said = []
    for dataset in dict.fromkeys(one.chosen.dataset for one in found if one.trials == 1):
        labels = [escape(one.chosen.label) for one in found if one.trials == 1 and one.chosen.dataset == dataset]
        each, whose = ("of each ", "their scores") if len(labels) > 1 else ("", "its score")
        said.append(
            f"{enumerated(labels)} on {escape(dataset)}: one trial {each}completed, so that nothing was chosen and no "
            f"luck of a choice is in {whose}."
        )
    return said


def _alike_in_words(one: Luck) -> str:
    name = f"{escape(one.chosen.label)} on {escape(one.chosen.dataset)}"
    if one.choice is None:
        if one.answers.undefined:
            return (
                f"{name}: without some image the best trial's score, or that of all others, is not defined, so that "
                "nothing can be said of the choice."
            )
        lost = "the best trial's answers to what it was chosen on are" if one.answers.records else "no answers are"
        return f"{name}: {lost} not there any more, or were never kept, so that nothing can be said of the choice."
    count, looked_at = len(one.alike), len(one.answers.records)
    if count == 1:
        text = (
            f"{name}: each of the other {looked_at - 1:,} trials is shown to be worse than the best one, as they were "
            "trained: once each, so that another seed may turn that round."
        )
    else:
        small = one.smallest
        text = f"{name}: {count:,} of {looked_at:,} trials cannot be told from the best, itself included. "
        if small.trial.id == one.winner.trial.id:
            text += "None of them is smaller than the best."
        else:
            text += (
                f"The smallest of them has {small.result.parameters:,} parameters in place of "
                f"{one.winner.result.parameters:,} and scored {number(small.score)}: "
                f"{_settings(one, small)} (trial {small.trial.id[:8]})."
            )
    if one.answers.missing:
        several = one.answers.missing > 1
        who = f"{one.answers.missing:,} trials" if several else "One trial"
        text += f" {who} whose answers are not there {'are' if several else 'is'} left out."
    if one.answers.undefined:
        text += f" Left out are {one.answers.undefined:,} whose score is not defined without some image."
    if one.answers.worse:
        why = "no answers are kept" if one.objective is ACCURACY else "nothing is compared"
        text += f" Of the worst {one.answers.worse:,} {why}."
    return text


def _settings(one: Luck, record: Record) -> str:
    """Return the parameters of a trial that vary among those it was chosen from."""
    names = [name for name in varying(one.answers.records) if name in record.trial.values]
    return escape(", ".join(f"{name} {setting(record.trial.values[name])}" for name in in_order(names)))


#: Columns of what more training data brought, and its interval.
_MORE_DATA = ("more_training_data", "more_training_data_low", "more_training_data_high")


def choice_frame(findings: Findings) -> pd.DataFrame:
    """Return a row for each model that was searched here; what is not known is empty."""
    rows = []
    found = lucks(findings)
    named = any(one.objective is not ACCURACY for one in found)
    for one in found:
        choice, told, gain = one.choice, one.choice is not None, one.objective.gain
        reach = [gain(choice.interval.low), gain(choice.interval.high)] if choice else []
        ends = sorted(within(one.objective, end) for end in reach) or (None, None)
        rows.append(
            {
                col.MODEL: one.chosen.model,
                col.DATASET: one.chosen.dataset,
                **({"chosen_by": one.objective.name} if named else {}),
                col.TRIALS: one.trials,
                "trials_compared": len(one.answers.records),
                "answers_missing": one.answers.missing,
                col.SEARCH_SCORE: one.score,
                "luck": choice.luck if choice else 0.0 if one.trials == 1 else None,
                "without_luck": one.corrected if choice else None,
                col.INTERVAL_LOW: ends[0],
                col.INTERVAL_HIGH: ends[1],
                "training_images_search": one.fitted[0],
                "training_images_retrained": one.fitted[1],
                col.RETRAINED_MEAN: one.mean,
                "other_images_and_seeds": one.others,
                **dict(zip(_MORE_DATA, one.more_data or (None,) * 3, strict=True)),
                "not_told_from_the_best": len(one.alike) if told else None,
                "smallest_trial": one.smallest.trial.id if told else None,
                "smallest_parameters": one.smallest.result.parameters if told else None,
            }
        )
    return pd.DataFrame(rows)
