"""What makes a comparison worth little, said in front of it: models that learned nothing, or hardly trained."""

from __future__ import annotations

import numpy as np

from tuner.analysis.findings import Chosen, Findings, chance_among
from tuner.text import escape


def doubts_on(findings: Findings, dataset: str) -> list[str]:
    """Return a sentence, markdown, for each model on a data set that did not learn or was stopped at its beginning."""
    told = []
    for chosen in findings.on(dataset):
        told += [text for text in (_stuck(chosen), _stopped_at_once(findings, chosen)) if text]
    return told


def stuck_retrainings(chosen: Chosen) -> int:
    """Return how many retrainings are no better than always naming the largest class of the test images.

    See `chance_among`, which is also what trials are held against on their validation images.
    """
    limit = chance_among(chosen.predictions.labels)
    return int((chosen.test_accuracies <= limit).sum()) if _largest_share(chosen) < 1 else 0


def _largest_share(chosen: Chosen) -> float:
    """Return the share of the largest class among the test images."""
    labels = chosen.predictions.labels
    return float(np.bincount(labels).max() / len(labels))


def _stuck(chosen: Chosen) -> str:
    stuck, every = stuck_retrainings(chosen), len(chosen.finals)
    if not stuck:
        return ""
    share = _largest_share(chosen)
    often = "is stuck at chance" if stuck == every else f"was stuck at chance in {stuck} of {every} retrainings"
    scores = ", ".join(f"{score:.4f}" for score in sorted(chosen.test_accuracies)[:stuck][:5])
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
