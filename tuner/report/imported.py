"""What a report of imported trials says of where they come from, and of what it goes without."""

from __future__ import annotations

from tuner.analysis.findings import Findings
from tuner.contents.sections import Paragraph, Section, Table
from tuner.text import escape

#: What stands for all that is not listed of a trial.
UNTOLD = "what the project does not tell"
_MISSING = (
    ("predictions on test images", "comparison, verdict, precision, recall, F1, ROC, confusion, mistakes, calibration"),
    ("retrainings with other seeds", "means with their spread, intervals, what is due to luck"),
    ("images and labels", "sample images, look-alike classes, which trials never left chance"),
    ("saved models and their layers", "models with cards, drawings of networks, number of parameters, first layer"),
    ("when each trial began and ended", "time, and what matters for it"),
    ("seeds, versions, hardware, sizes of the data", "provenance"),
    ("by what algorithm trials were proposed", "whether they were drawn evenly, which importance cannot know"),
)
_CURVES = ("the score of every epoch", "training curves, epochs to an accuracy")


def imported_section(findings: Findings) -> Section:
    """Say which sections are missing, and why."""
    tool = escape(findings.imported)
    curves = any(record.result.history for record in findings.trials())
    rows = [list(row) for row in (*_MISSING, *(() if curves else (_CURVES,)))]
    told = (
        f"These trials were read from a project of {tool}: of each the values of its parameters, and validation "
        f"accuracy and loss at its best epoch. Nothing was trained here. What {tool} does not keep is not shown:"
    )
    epochs = (
        f"How many epochs a trial had, {tool} tells of Hyperband alone; of others the report says how many the trial "
        "with the latest best epoch had at least."
    )
    table = Table(rows, ["not kept", "missing in this report"], text_columns=2)
    return Section("imported", "What this report goes without", [Paragraph(told), table, Paragraph(epochs)])


def imported_verdict(findings: Findings) -> list[str]:
    """Return the best trial, and that nothing tells whether it is really better."""
    trials = findings.trials()
    best = max((r for r in trials if r.completed), key=lambda record: record.gain)
    return [
        f"Of {len(trials)} trials of {escape(findings.imported)}, the best has a validation accuracy of "
        f"{best.score:.4f} (trial {best.trial.id}). It was chosen on the images that it was scored on, and none was "
        "trained again: nothing tells whether it is really better."
    ]
