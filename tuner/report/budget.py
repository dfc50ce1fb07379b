"""The budget of a search in words, for every table that it shaped."""

from __future__ import annotations

from tuner.datasets import DATASETS
from tuner.findings import Findings
from tuner.report.base import escape
from tuner.search import Search


def budget(findings: Findings) -> str:
    """Return what the trials were trained with: epochs, images, protocol, and what the command line changed.

    Of a well-known data set that was read from image files of the user's, which may be lossy copies, it says so.
    """
    search = findings.search
    given = search.overrides
    sizes = {len(findings.data(name).y_train) for name in findings.seen_datasets}
    images = " or ".join(f"{size:,}" for size in sorted({min(size, given.train_size or size) for size in sizes}))
    share = "" if search.protocol == "published" else f", {search.validation:.0%} of them held out during the search"
    lengths = sorted({entry.epochs for entry in search.entries})
    epochs = "1 epoch" if lengths == [1] else f"{' or '.join(map(str, lengths))} epochs"
    copies = [
        f"; {escape(name)} from a {escape(source)}"
        for name in findings.seen_datasets
        if name in DATASETS and (source := findings.data(name).source).startswith("folder")
    ]
    text = f"{epochs}, {images or 'no'} training images{share}, {search.protocol} protocol{''.join(copies)}"
    return text + smaller_budget(search)


def smaller_budget(search: Search) -> str:
    """Return what is other than the search file says, as the end of a sentence; empty where nothing is."""
    given = search.overrides
    options = {
        "--epochs": given.epochs,
        "--train-size": given.train_size,
        "--test-size": given.test_size,
        "--repeats": given.repeats,
    }
    smaller = " ".join(f"{option} {value}" for option, value in options.items() if value)
    return f"; other than the search file says: {smaller}" if smaller else ""
