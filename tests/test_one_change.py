"""One file and one line: a kind that is added to a copy of the package so is everywhere at once, without anything else.

A family, an oracle, an objective, a metric of a class, a data set, a kind of file and a section of the report are added
to a copy of `tuner/`, each as a file and a name in its room's list; then a search that uses them all runs to its end.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]

FILES = {
    "families/twin.py": '''
"""`twin`: a dense layer, built as `ann` is."""

from tuner.families.ann import Ann


class Twin(Ann):
    """A twin of the dense network."""

    name = "twin"
    label = "Twin"
''',
    "oracles/backwards.py": '''
"""`backwards`: the grid from its end."""

from tuner.oracles.base import Algorithm, Oracle, Pause, Proposal


class BackwardsOracle(Oracle):
    """Proposes the last configuration first."""

    adaptive = False

    def __init__(self, space):
        self._left = list(space.grid())

    def propose(self):
        """Return the next one."""
        return Proposal(self._left.pop()) if self._left else Pause.EXHAUSTED

    def observe(self, number, score):
        """Nothing to learn."""


class Backwards(Algorithm):
    """The whole grid from its end."""

    name = "backwards"
    doc = "Every configuration, the last one first."
    max_trials = "refuses"

    def oracle(self, space, seed, max_trials, epochs, first=()):
        """Return a fresh oracle."""
        return BackwardsOracle(space)

    def planned(self, space, max_trials, epochs):
        """Return how many there are."""
        return space.count()[0]
''',
    "objective/doubt.py": '''
"""`doubt`: what lacks to certainty; the lower the better."""

from tuner.objective.base import Objective


class Doubt(Objective):
    """One minus the mean probability of the right class."""

    name, label, direction = "doubt", "mean doubt", "min"
    doc = "One minus the mean probability of the right class."

    def score(self, labels, probabilities, class_names):
        """Return it."""
        return float(1 - probabilities[range(len(labels)), labels].mean())
''',
    "analysis/class_metrics/specificity.py": '''
"""`specificity`: which share of the other classes' images is not taken for a class."""

from tuner.analysis.class_metrics.base import ClassMetric


class Specificity(ClassMetric):
    """The recall of the rest."""

    name, label = "specificity", "specificity"

    def of(self, one):
        """Return it."""
        return float((~one.predicted)[~one.positive].mean())
''',
    "datasets/stripes.py": '''
"""`stripes`: three classes of bright rows."""

from dataclasses import dataclass

import numpy as np

from tuner.datasets.base import checked_dataset
from tuner.datasets.source import NamedDataset


@dataclass(frozen=True)
class Stripes(NamedDataset):
    """Small images with a stripe."""

    name: str = "stripes"
    class_names: tuple = ("top", "middle", "bottom")
    shape: tuple = (8, 8, 1)

    def load(self):
        """Draw them."""
        rng = np.random.default_rng(0)
        arrays = {}
        for split, count in (("train", 60), ("test", 30)):
            labels = np.arange(count) % 3
            images = rng.integers(0, 60, (count, 8, 8))
            for image, label in zip(images, labels):
                image[label * 3 : label * 3 + 2] += 150
            arrays |= {f"x_{split}": images.astype(np.uint8), f"y_{split}": labels}
        return checked_dataset(self.name, arrays, self.class_names, "drawn")


STRIPES = Stripes()
''',
    "datasets/word.py": '''
"""A file that names a data set."""

from tuner.datasets.source import Kind
from tuner.datasets.stripes import STRIPES


class WordKind(Kind):
    """A text file called `.word`."""

    name = ".word file"
    doc = "a `.word` file"

    def takes(self, path):
        """Take one by its ending."""
        return path.suffix == ".word" and path.is_file()

    def load(self, path, reading):
        """Load what it names."""
        return STRIPES.load()
''',
    "report/tally.py": '''
"""How many trials there were."""

from tuner.contents.sections import Paragraph, Section


def tally_section(findings):
    """Count the trials."""
    return Section("tally", "Tally", [Paragraph(f"A tally of {len(findings.trials())} trials.")])
''',
}
#: By file the line that is added for the import, and the name that is put in front of another one in its list.
NAMES = {
    "families/__init__.py": ("from tuner.families.twin import Twin", "Ann(),", "Twin(), Ann(),"),
    "oracles/__init__.py": ("from tuner.oracles.backwards import Backwards", "(Grid(),", "(Backwards(), Grid(),"),
    "objective/__init__.py": ("from tuner.objective.doubt import Doubt", "(ACCURACY,", "(ACCURACY, Doubt(),"),
    "analysis/class_metrics/__init__.py": (
        "from tuner.analysis.class_metrics.specificity import Specificity",
        "(Precision(),",
        "(Precision(), Specificity(),",
    ),
    "datasets/__init__.py": (
        "from tuner.datasets.stripes import STRIPES\nfrom tuner.datasets.word import WordKind",
        "(DIGITS_8X8,",
        "(STRIPES, DIGITS_8X8,",
    ),
    "report/__init__.py": (
        "from tuner.report.tally import tally_section",
        "    provenance_section,\n",
        "    tally_section,\n    provenance_section,\n",
    ),
}
SEARCH = """
title = "One of each"
dataset = ["stripes", "mine.word"]
repeats = 1
objective = "doubt"
[training]
epochs = 3
early_stopping = "objective"
patience = 2
[[search]]
family = "twin"
algorithm = "backwards"
[search.space]
dense_units = 16
dropout = [0.0, 0.5]
"""
#: What a program of a user's sees: displays, the table of scores, the reference, an export; and what commands print.
LOOK = """
import json
import tuner
from click.testing import CliRunner
from tuner.cli import app
from tuner.search_file.reference import reference
from tuner.exporters.tensorboard import METRICS
from tuner.exporters import Recorded
from tuner.workspace import Workspace
from pathlib import Path

found = tuner.load_findings("one")
with Workspace(Path("runs"), Path("reports")).existing_ledger("one") as ledger:
    about = Recorded.read(ledger, "one").about()
print(json.dumps({
    "axis": tuner.SliceDisplay.from_findings(found, "dropout").ax_.get_ylabel(),
    "scores": list(tuner.scores(found)),
    "results": list(tuner.results("one")),
    "exported": about["objective"],
    "reference": reference(),
    "printed": [CliRunner().invoke(app, ["results", "one", *more]).stdout for more in ([], ["--format", "json"])],
}))
"""


def whole_copy(folder: Path) -> Path:
    """Copy the package and add one of each kind to it."""
    package = folder / "tuner"
    shutil.copytree(ROOT / "tuner", package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in FILES.items():
        (package / name).write_text(text.lstrip(), encoding="utf-8")
    for name, (line, before, after) in NAMES.items():
        text = (package / name).read_text(encoding="utf-8")
        assert text.count(before) == 1, (name, before)
        text = text.replace(before, after)
        (package / name).write_text(text.replace("\nfrom tuner", f"\n{line}\nfrom tuner", 1), encoding="utf-8")
    kinds = (package / "datasets" / "__init__.py").read_text(encoding="utf-8")
    assert kinds.count("(NpzKind(),") == 1
    kinds = kinds.replace("(NpzKind(),", "(WordKind(), NpzKind(),")
    (package / "datasets" / "__init__.py").write_text(kinds, encoding="utf-8")
    return folder


def test_one_of_each_kind_is_everywhere(tmp_path: Path) -> None:
    folder = whole_copy(tmp_path)
    (folder / "searches").mkdir()
    (folder / "searches" / "one.toml").write_text(SEARCH, encoding="utf-8")
    (folder / "mine.word").write_text("stripes", encoding="utf-8")

    def python(*arguments: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(folder), "MPLBACKEND": "agg"}
        ran = subprocess.run(
            [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    python("-m", "tuner", "run", "one", "--workers", "1")
    seen = json.loads(python("-c", LOOK).splitlines()[-1])
    table, in_json = seen["printed"]
    rows = json.loads(in_json)
    assert len(rows) == 4
    assert {row["family"] for row in rows} == {"twin"}
    for dataset in ("stripes", "mine.word"):
        doubts = [row["val_doubt"] for row in rows if row["dataset"] == dataset]
        assert doubts == sorted(doubts)  # the lowest is the best
        assert len(set(doubts)) > 1
    assert "| val. mean doubt |" in table

    report = folder / "reports" / "one"
    text = (report / "report.md").read_text(encoding="utf-8")
    assert "A tally of 4 trials." in text
    assert "| Twin" in text
    assert re.search(r"\| precision +\| +specificity +\|", text) or re.search(r"precision \| +specificity", text)
    assert "val. mean doubt" in text
    assert "macro specificity" in text  # in the card
    with (report / "per_class.csv").open(newline="", encoding="utf-8") as file:
        specificity = [float(row["specificity"]) for row in csv.DictReader(file)]
    assert specificity
    assert all(0 <= value <= 1 for value in specificity)
    with (report / "trials.csv").open(newline="", encoding="utf-8") as file:
        assert "val_doubt" in (csv.DictReader(file).fieldnames or [])

    page = (report / "report.html").read_text(encoding="utf-8")
    assert "A tally of 4 trials." in page
    assert '<th scope="colgroup" colspan="1">specificity</th>' in page
    (block,) = re.findall(r'<script[^>]* id="report"[^>]*>(.*?)</script>', page, re.DOTALL)
    data = json.loads(block)
    assert data["objective"]["words"] == "validation mean doubt"
    assert "val_doubt" in data["trials"]["columns"]

    assert seen["axis"] == "validation mean doubt"
    assert {"specificity", "specificity_mean"} <= set(seen["scores"])
    assert "val_doubt" in seen["results"]
    assert seen["exported"] == "val_doubt on validation images"
    for name in ("### `twin`", "`backwards`", "`doubt`", "`stripes`", "a `.word` file"):
        assert name in seen["reference"], name
