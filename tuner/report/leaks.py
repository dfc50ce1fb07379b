"""What the chosen models score without the test images that are also training images, in words and as a table."""

from __future__ import annotations

from tuner.analysis.findings import Findings
from tuner.analysis.leaks import leaked, without_leaks
from tuner.contents.cells import plus_minus, signed
from tuner.contents.sections import Table
from tuner.datasets.remarks import number_of
from tuner.text import escape


def leaks_in_words(findings: Findings, dataset: str) -> list[str]:
    """Return a sentence, markdown, on the scores without leaked test images; nothing where no image is leaked."""
    left_out = len(leaked(findings, dataset))
    if not left_out or not findings.on(dataset):
        return []
    total = len(findings.on(dataset)[0].predictions.labels)
    held = "training or validation" if len(findings.copies(dataset).test_in_validation) else "training"
    are = f"is also a {held} image" if left_out == 1 else f"are also {held} images"
    beginning = f"On {escape(dataset)}, **{left_out:,} of {number_of(total, 'test image')} {are}**"
    told = [
        f"{escape(one.chosen.label)} {plus_minus(one.mean, one.sd)} in place of "
        f"{plus_minus(one.chosen.mean, one.chosen.sd)}"
        for one in without_leaks(findings, dataset)
    ]
    if not told:
        return [f"{beginning}: no other is left to score on."]
    pronoun = "it" if left_out == 1 else "them"
    return [f"{beginning}. Mean test accuracy without {pronoun}: {'; '.join(told)}."]


def leaks_table(findings: Findings, dataset: str) -> Table | None:
    """Return the mean test accuracy of each chosen model with and without leaked test images; None where none is."""
    rows = [
        [
            escape(one.chosen.label),
            plus_minus(one.chosen.mean, one.chosen.sd),
            plus_minus(one.mean, one.sd),
            signed(one.mean - one.chosen.mean),
        ]
        for one in without_leaks(findings, dataset)
    ]
    if not rows:
        return None
    left_out, total = len(leaked(findings, dataset)), len(findings.on(dataset)[0].predictions.labels)
    lead = (
        f"Mean test accuracy on {escape(dataset)}, ± standard deviation over retrainings, on all {total:,} test images "
        f"and on the {total - left_out:,} that are left without the {left_out:,} that models may have been trained on"
    )
    return Table(rows, ["model", f"all {total:,}", f"without the {left_out:,}", "difference"], lead=lead)
