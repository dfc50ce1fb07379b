"""What the corrected resampled t-test of `[compare] splits` covers, by simulation; a part of `benchmarks.statistics`.

Two equally good ways to a model share a pool of images. What one has more right than the other in a split is

    D_j = mean over tested images of u_i + mean over training images of v_i + luck_j

where u_i says how much better the first model takes to image i, v_i how much image i helps it to learn, and luck_j is
of the seeds and of the choice. u and v belong to the images, so that splits share them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import table
from tuner.analysis.splits import corrected

#: Images of a pool, and how many of them a split tests on.
POOL, TESTED = 1_000, 200
SPLITS = (5, 10)
#: Names of what varies beside the test images, with the sd of luck and of the training images' part, both in sds of the
#: mean over tested images.
KINDS = {"nothing": (0.0, 0.0), "seeds and choice": (1.0, 0.0), "training images too": (1.0, 0.5)}


def differences(kind: str, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return what the first model has more right in each of so many splits of one pool."""
    luck, learned = KINDS[kind]
    unit = 1 / np.sqrt(TESTED)
    u = rng.standard_normal(POOL)
    v = rng.standard_normal(POOL) * learned * unit * np.sqrt(POOL - TESTED)
    found: NDArray[np.float64] = luck * unit * rng.standard_normal(count)
    for split in range(count):
        order = rng.permutation(POOL)
        found[split] += u[order[:TESTED]].mean() + v[order[TESTED:]].mean()
    return found


def splits_table(sets: int) -> str:
    """Return how often the corrected interval, and the plain t interval of the same differences, hold 0."""
    rows = []
    for kind in KINDS:
        for count in SPLITS:
            rng = np.random.default_rng([4, count, *kind.encode()])
            drawn = [differences(kind, count, rng) for _ in range(sets)]
            judged = [corrected(found, TESTED, POOL - TESTED) for found in drawn]
            plain = [corrected(found, 0, POOL) for found in drawn]
            shares = [100 * float(np.mean([one.low <= 0 <= one.high for one in these])) for these in (judged, plain)]
            rows.append([kind, str(count), *(f"{share:.1f}" for share in shares)])
    heads = ["varies beside the test images", "splits", "corrected t", "plain t"]
    return (
        f"## Several splits\n\n`[compare] splits = k`: two equally good models, {POOL:,} images of which each split "
        f"tests on {TESTED}: in how many of 100 pools the 95 % interval of their difference over k splits holds 0. "
        "*Corrected t* is Nadeau and Bengio's (`tuner/analysis/splits.py`); *plain t* takes the k differences for "
        "independent.\n\n"
        + table(heads, rows)
        + "\n\nThe correction is made for what splits share of their images. It allows too much for luck, which they "
        "do not share, and too little for what they share of their training images, of which it does not know."
    )
