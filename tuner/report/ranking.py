"""A study's ranking of configurations against ours, and how much of a ranking is luck."""

from __future__ import annotations

from collections.abc import Sequence

from tuner.analysis.findings import Chosen, Findings
from tuner.analysis.ranking import agreement, luck
from tuner.contents.cells import p_text, signed
from tuner.contents.sections import Content, Paragraph, Table
from tuner.report.trials import DEPTHS
from tuner.search_file.tables import StudyTrial
from tuner.text import escape, setting


def ranking_against_ours(findings: Findings, pairs: list[tuple[StudyTrial, float]]) -> list[Content]:
    """Return how far a study's ranking of trials agrees with ours, of each depth by itself where trials have several.

    Args:
        findings: of our search.
        pairs: the printed trials that ours has, each with our score.
    """
    groups: dict[str, list[tuple[float, float]]] = {}
    for printed, score in pairs:
        depth = next((f", {name} {setting(printed.values[name])}" for name in DEPTHS if name in printed.values), "")
        label = findings.search.model_search(printed.model).label
        groups.setdefault(f"{label}{depth}", []).append((printed.accuracy, score))
    rows = []
    for name, scores in groups.items():
        if found := agreement(*zip(*scores, strict=True)):
            p = p_text(found.p).removeprefix("= ")
            rows.append([escape(name), found.configurations, signed(found.correlation, 2), p])
    if not rows:
        return []
    lead = (
        "The study's ranking against ours, by Spearman's rank correlation: 1 for the same order, 0 for none in common"
    )
    return [Table(rows, ["trials", "how many", "rank correlation", "p"], lead=lead)]


def luck_of_rankings(findings: Findings) -> list[Content]:
    """Return how much of a ranking of models by one training each is luck, where several are retrained."""
    told = []
    for dataset in findings.datasets:
        models = findings.on(dataset)
        found = luck(_by_seed(models))
        if found is None:
            continue
        told.append(
            "A seed that makes all models better or worse changes no ranking. Of what else varies between single "
            f"trainings of these {found.configurations} models on {escape(dataset)}, {100 * found.share:.0f} % lies "
            "between the models, and the rest is the luck of seeds: rankings that two seeds give agree by a rank "
            f"correlation of {signed(found.correlation, 2)} in the mean ({found.trainings} retrainings of each). What "
            f"a seed does to all of them alike is {100 * found.common:.0f} % of what it does."
        )
    return [Paragraph(" ".join(told))] if told else []


def _by_seed(models: Sequence[Chosen]) -> list[list[float]]:
    """Return the test accuracies of the retrainings of each model with the seeds that all were retrained with."""
    reached = [{r.trial.seed: a for r, a in zip(one.finals, one.test_accuracies, strict=True)} for one in models]
    seeds = [seed for seed in reached[0] if all(seed in one for one in reached)] if reached else []
    return [[float(one[seed]) for seed in seeds] for one in reached]
