"""Which retraining's model is saved, on what it was chosen, and a warning where its score is far from the others'."""

from __future__ import annotations

from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.significance import accuracy_interval
from tuner.text import enumerated, escape

#: A saved model nearer than this to the mean of the retrainings is never told to be far from it.
NEAR = 0.01
#: How the warning's rule is told.
RULE = (
    "A saved model is far from the mean where it is a point or more away and the mean lies outside the saved model's "
    "own 95 % interval (Wilson's, over the test images)."
)
#: What each way to pick the saved model looks at; nothing for the first.
LOOKED_AT = {"first": None, "median": "test images", "best on validation": "held-out training images"}


def which_is_saved(chosen: Chosen) -> str:
    """Return which of its retrainings a saved model is, as a part of a sentence."""
    if len(chosen.finals) == 1:
        return "the only retraining"
    of = f"of {len(chosen.finals)} retrainings"
    if chosen.save == "median":
        return f"the one {of} with the median test accuracy"
    if chosen.save == "best on validation":
        return f"the best {of} on the training images that these held out"
    return f"the first {of}"


def saved_in_words(findings: Findings) -> str:
    """Return in sentences which retrainings were saved and what that means for the scores of the saved models."""
    search = findings.search
    if search.save == "median":
        text = (
            "Saved is the retraining with the median test accuracy (of an even number, the lower of the two in the "
            "middle). That is a choice on the test images: a saved model's own score is no independent estimate, and "
            "the means over all retrainings, which no choice touches, are."
        )
    elif search.save == "best on validation":
        text = (
            f"Each retraining held out {100 * search.held_out_of_retrainings:g} % of the training images, drawn by "
            "class, the same for all retrainings and other ones than the search chose on; saved is the one that was "
            "best on them. No test image had a part in that."
        )
    else:
        text = "Saved is the first retraining of each configuration, whatever it scored."
    return f"{text} {RULE}" if any(map(is_far, findings.chosen)) else text


def is_far(chosen: Chosen) -> bool:
    """Return whether a saved model's score tells little of the mean of its retrainings; `RULE` says when."""
    if len(chosen.finals) == 1 or abs(chosen.predictions.accuracy - chosen.mean) < NEAR:
        return False
    interval = accuracy_interval(chosen.predictions.correct)
    return not interval.low <= chosen.mean <= interval.high


def far_in_words(chosen: Chosen) -> str:
    """Return how far a saved model is from the mean of its retrainings, and where it stands among them."""
    own = chosen.predictions.accuracy
    worse, better = (int((chosen.test_accuracies < own).sum()), int((chosen.test_accuracies > own).sum()))
    rank = "the worst" if not worse else "the best" if not better else "neither the best nor the worst"
    return (
        f"{_points_off(chosen)} the mean of its retrainings ({own:.4f}, mean {chosen.mean:.4f}), {rank} of "
        f"{len(chosen.finals)}"
    )


def _points_off(chosen: Chosen) -> str:
    off = chosen.predictions.accuracy - chosen.mean
    return f"{100 * abs(off):.1f} points {'below' if off < 0 else 'above'}"


def warnings_on(findings: Findings, dataset: str) -> list[str]:
    """Return a sentence, markdown, on the saved models on a data set that are far from the mean of their retrainings.

    Nothing where all are near it. Of several, each is named with how far it is; its model card tells the rest.
    """
    far = [chosen for chosen in findings.on(dataset) if is_far(chosen)]
    if not far:
        return []
    if len(far) == 1:
        return [
            f"On {escape(dataset)}, beware of the **saved model of {escape(far[0].label)}**: it scores "
            f"{far_in_words(far[0])}."
        ]
    named = [f"{escape(chosen.label)} ({_points_off(chosen)} it)" for chosen in far]
    return [
        f"On {escape(dataset)}, beware of **{len(far)} saved models**, each of which scores far from the mean of its "
        f"retrainings: {enumerated(named)}."
    ]
