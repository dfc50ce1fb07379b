"""What makes a comparison worth little, said in front of it: models that learned nothing, or hardly trained."""

from __future__ import annotations

import numpy as np

from tuner.analysis.chance import says_nothing
from tuner.analysis.findings import Chosen, Findings
from tuner.text import escape


def doubts_on(findings: Findings, dataset: str) -> list[str]:
    """Return a sentence, markdown, for each model on a data set that did not learn or was stopped at its beginning."""
    told = []
    for chosen in findings.on(dataset):
        told += [text for text in (_stuck(chosen), _stopped_at_once(findings, chosen)) if text]
    return told


def stuck_retrainings(chosen: Chosen) -> list[float]:
    """Return the test accuracies, ascending, of the retrainings whose answers tell no classes apart.

    See `says_nothing`, which is also what trials are held against on their validation images.
    """
    if _largest_share(chosen) == 1:
        return []
    pairs = zip(chosen.all_predictions, chosen.test_accuracies, strict=True)
    return sorted(float(score) for told, score in pairs if says_nothing(told.labels, told.predicted))


def _largest_share(chosen: Chosen) -> float:
    """Return the share of the largest class among the test images."""
    labels = chosen.predictions.labels
    return float(np.bincount(labels).max() / len(labels))


def _stuck(chosen: Chosen) -> str:
    accuracies, every = stuck_retrainings(chosen), len(chosen.finals)
    stuck = len(accuracies)
    if not stuck:
        return ""
    share = _largest_share(chosen)
    often = "is stuck at chance" if stuck == every else f"was stuck at chance in {stuck} of {every} retrainings"
    scores = ", ".join(f"{score:.4f}" for score in accuracies[:5])
    more = ", …" if stuck > 5 else ""
    return (
        f"On {escape(chosen.dataset)}, **{escape(chosen.label)} {often}**: no better than always naming the largest "
        f"class, within three standard errors (test accuracy {scores}{more}; share of that class {share:.4f})."
    )


def _stopped_at_once(findings: Findings, chosen: Chosen) -> str:
    """Tell of early stopping that chose the first epoch: nothing later was better on what it watches."""
    trial = chosen.saved.trial
    if trial.stop_after != 1 or trial.epochs == 1:
        return ""
    watched = str(trial.values.get("early_stopping", "what is watched"))
    chosen_on = findings.search.chosen_on(chosen.dataset)
    there = "" if chosen_on == chosen.dataset else f" on {escape(chosen_on)}"
    return (
        f"On {escape(chosen.dataset)}, **{escape(chosen.label)} was trained for 1 epoch of {trial.epochs:,}**: early "
        f"stopping chose the first epoch of its best trial{there}, after which `{watched}` did not improve, and "
        "retrainings end there. A lower learning rate may let it learn for longer."
    )
