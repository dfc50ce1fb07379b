"""The verdicts of the committed reports are those of today's rule, worked out anew from the numbers beside them.

Of a pair of models `pairs.csv` tells interval, p and the least difference to be shown, from which follow the standard
error and its degrees of freedom; `retrainings.csv` tells how the seeds of each model vary. What the seeds do not
explain of the standard error is by images. From these parts the rule has to give the same degrees of freedom, p and
verdict.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from tuner.analysis.significance import holm
from tuner.analysis.variance import combine, least_spread, lent, quantile
from tuner.contents.cells import p_text
from tuner.search_file.tables import ReportOptions

EXAMPLES = Path(__file__).parents[1] / "reports" / "examples"
REPORTS = sorted(file.parent for file in EXAMPLES.glob("*/pairs.csv"))
REGION = ReportOptions().matters


def judged(report: Path) -> list[pd.DataFrame]:
    """Return the pairs of each data set of a report that were judged together."""
    pairs = pd.read_csv(report / "pairs.csv").dropna(subset="p_value")
    return [together for _, together in pairs.groupby("dataset")]


def error_and_freedom(pair: pd.Series, pairs: int) -> tuple[float, float]:
    """Return the standard error of a difference and its degrees of freedom, as interval, p and least difference say."""
    half = pair.delta_ci_high - pair.delta if pair.delta_ci_high < 1 else pair.delta - pair.delta_ci_low

    def apart(df: float) -> float:
        error = half / quantile(df, 0.05)
        if pairs == 1:
            return float(2 * stats.t.sf(abs(pair.delta) / error, df) - pair.p_value)
        return float(quantile(df, 0.05 / pairs) * error / pair.least_shown - 1)

    df = optimize.brentq(apart, 0.3, 1e7)
    return float(half / quantile(df, 0.05)), float(df)


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
def test_every_committed_verdict_is_what_todays_rule_says(report: Path) -> None:
    retrainings = pd.read_csv(report / "retrainings.csv")
    images = pd.read_csv(report / "comparison.csv").groupby("dataset").test_size.first()
    for pairs in judged(report):
        dataset = pairs.dataset.iloc[0]
        mine = retrainings[retrainings.dataset == dataset].groupby("model", sort=False).test_accuracy
        spreads, counts = mine.var(ddof=1), mine.count()
        pool, freedom = lent(spreads.to_numpy(), counts.to_numpy() - 1) if len(counts) > 2 else (0.0, np.inf)
        alone = []
        for pair in pairs.itertuples():
            error, df = error_and_freedom(pair, len(pairs))
            both = [pair.model, pair.other_model]
            assert pair.delta == pytest.approx(mine.mean()[both[0]] - mine.mean()[both[1]], abs=1e-12)
            least = [least_spread(pool, counts[model]) for model in both]
            seeds = sum(max(spreads[m], low) / counts[m] for m, low in zip(both, least, strict=True))
            assert error**2 >= seeds * (1 - 1e-6), f"{both}: the seeds alone vary more"
            rest = max(error**2 - seeds, 0.0)
            expected = combine(
                [spreads[m] for m in both], [counts[m] for m in both], least, freedom, rest, images[dataset]
            )
            assert (error**2, df) == pytest.approx(tuple(map(float, expected)), rel=1e-3), (
                f"{both}: another rule gave these"
            )
            alone.append(2 * stats.t.sf(pair.delta / error, df))
        assert pairs.p_value.to_numpy() == pytest.approx(holm(alone), rel=1e-3, abs=1e-12)
        assert (pairs.really_better == "yes").tolist() == (pairs.p_value < 0.05).tolist()
        far = (pairs.delta_ci_low > REGION) | (pairs.delta_ci_high < -REGION)
        near = np.maximum(-pairs.delta_ci_low, pairs.delta_ci_high) < REGION
        assert pairs.matters.tolist() == np.select([far, near], ["yes", "no"], "cannot tell").tolist()


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
def test_a_claim_is_answered_with_the_p_of_its_pair(report: Path) -> None:
    if not (report / "claims.csv").exists():
        return
    pairs = pd.read_csv(report / "pairs.csv")
    p_of = {(row.model, row.other_model): row.p_value for row in pairs.itertuples()}
    claims = pd.read_csv(report / "claims.csv").fillna("")
    for claim in claims[claims.why.str.contains(r"is shown.*\(p ")].itertuples():
        found = [p for (a, b), p in p_of.items() for named in (f"{a} − {b} ", f"{b} − {a} ") if named in claim.ours]
        if len(found) == 1 and claim.ours.startswith(tuple(pairs.model)):  # and not "gap …" or "test loss …"
            assert f"(p {p_text(found[0])})" in claim.why


def test_a_verdict_of_another_rule_is_found(tmp_path: Path) -> None:
    report = EXAMPLES / "activations"
    for name in ("retrainings.csv", "comparison.csv", "pairs.csv"):
        table = pd.read_csv(report / name)
        if name == "pairs.csv":
            table.delta_ci_low -= 0.002
            table.delta_ci_high += 0.002
        table.to_csv(tmp_path / name, index=False)
    with pytest.raises(AssertionError):
        test_every_committed_verdict_is_what_todays_rule_says(tmp_path)
