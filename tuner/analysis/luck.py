"""What is known of the choice of each model: how much it flatters, what is left between its two scores, and why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tuner.analysis.choice import Choice, choose_again, not_told_from_the_best
from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.per_image import gains_of
from tuner.analysis.validation_predictions import Answers
from tuner.objective import ACCURACY, Objective
from tuner.protocol import training_images
from tuner.trial import Record


@dataclass(frozen=True, eq=False)
class Luck:
    """A chosen model with what is known of its choice.

    `objective` is what it was chosen by. `choice` is None where there is nothing to resample: one trial, or one whose
    answers are lost. `alike` are the trials that cannot be told from the best, the best one first. `others` is how far
    other images and other seeds alone may move a score to either side, in 95 of 100 cases; `fitted` are the training
    images of search and retraining.
    """

    chosen: Chosen
    objective: Objective
    winner: Record
    trials: int
    answers: Answers
    choice: Choice | None
    alike: tuple[Record, ...]
    others: float
    fitted: tuple[int, int]

    @property
    def smallest(self) -> Record:
        """The trial with the fewest parameters that cannot be told from the best; of equal ones the best."""
        return min(self.alike, key=lambda record: record.result.parameters or 0)

    @property
    def mean(self) -> float:
        """The mean test score of the retrainings by what it was chosen by."""
        return self.chosen.mean if self.objective is ACCURACY else self.chosen.mean_and_sd(self.objective)[0]

    @property
    def score(self) -> float:
        """The search score."""
        return self.winner.score or 0.0

    @property
    def corrected(self) -> float | None:
        """The search score without the luck of the choice; None where that is not known."""
        if self.trials == 1:
            return self.score
        return None if self.choice is None else within(self.objective, self.objective.gain(self.choice.corrected))

    @property
    def rest(self) -> float | None:
        """How much better the retrained mean is than the corrected search score, more being better."""
        if self.corrected is None:
            return None
        return self.objective.gain(self.mean) - self.objective.gain(self.corrected)

    @property
    def more_data(self) -> tuple[float, float, float] | None:
        """What more training data brought, with its 95 % interval, if test images are as hard as those chosen on.

        None where that cannot be told, or where the retrainings had no more images.
        """
        before, after = self.fitted
        if self.rest is None or after <= before or not np.isfinite(self.others):
            return None
        return self.rest, self.rest - self.others, self.rest + self.others


def within(objective: Objective, score: float) -> float:
    """Return a score, or where pseudo-values take it beyond the ends of its objective, the end."""
    score = score if objective.low is None else max(score, objective.low)
    return score if objective.high is None else min(score, objective.high)


def lucks(findings: Findings) -> tuple[Luck, ...]:
    """Return what is known of the choice of each model that was searched here.

    Not of one that was chosen by an objective of which nothing is known image by image, a user's own or what is told by
    a network, nor by another than accuracy over folds: choosing again would compute it of a thousand samples of images
    for each trial. A model that was chosen for its size is none that was flattered like the best one.
    """
    return findings.once(_lucks)


def _lucks(findings: Findings) -> tuple[Luck, ...]:
    found = [
        _luck(findings, chosen, chosen.winner)
        for chosen in findings.chosen
        if chosen.winner and (chosen.selection is None or chosen.selection.is_best)
    ]
    return tuple(one for one in found if one is not None)


def _luck(findings: Findings, chosen: Chosen, winner: Record) -> Luck | None:
    objective = findings.objective_of(chosen.model)
    trials = sum(record.completed for record in findings.trials(chosen.model, chosen.dataset))
    answers = findings.answers(chosen.model, chosen.dataset)
    if answers.gains is None:
        return None
    choice, alike = None, tuple(answers.records[:1])
    if len(answers.records) > 1 and answers.records[0].trial.id == winner.trial.id:
        choice = choose_again(answers.gains)
        alike = tuple(answers.records[place] for place in not_told_from_the_best(answers.gains))
    data = findings.data(chosen.dataset)
    searched = next(iter(winner.trial.parts), winner.trial)
    fitted = tuple(len(training_images(trial, data)[0]) for trial in (searched, chosen.saved.trial))
    others = _others(findings, chosen, winner, answers)
    return Luck(chosen, objective, winner, trials, answers, choice, alike, others, (fitted[0], fitted[1]))


def _others(findings: Findings, chosen: Chosen, winner: Record, answers: Answers) -> float:
    """Return two standard errors, nearly, of the difference of two scores by other images and other seeds."""
    objective = findings.objective_of(chosen.model)
    images = [len(findings.chosen_on_images(winner.trial)), len(chosen.predictions.labels)]
    if objective is ACCURACY:
        spreads, sd = [chosen.mean * (1 - chosen.mean)] * 2, chosen.sd
    else:
        tested = gains_of(objective, chosen.predictions)
        kept = answers.gains[0] if answers.gains is not None and len(answers.gains) else tested
        spreads = [float("nan") if one is None else float(one.var()) for one in (kept, tested)]
        sd = chosen.mean_and_sd(objective)[1]
    same = winner.trial.protocol == "published"
    variance = 0.0 if same else sum(spread / n for spread, n in zip(spreads, images, strict=True))
    variance += (sd or 0.0) ** 2 * (1 + 1 / len(chosen.finals))  # the search trained with one seed
    return float(1.96 * np.sqrt(variance))
