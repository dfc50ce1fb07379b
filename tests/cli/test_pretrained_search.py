"""A search of pretrained networks from the command line: its heads, its report, and models that plain Keras reloads."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image
from small_project import ONE_TRIAL, recorded, trials, tuner
from test_damaged_runs import KINDS, OTHER

from tuner.worker.features import Backbone, Features

pytestmark = pytest.mark.slow

SEARCH = (
    ONE_TRIAL.replace('dataset = "blobs.npz"', 'dataset = "photos"')
    .replace("epochs = 1", "epochs = 2")
    .replace('family = "ann"', 'family = "pretrained"')
    .replace(
        "dense_units = 4",
        'backbone = "mobilenet"\nalpha = 0.25\nweights = "mine.weights.h5"\ndense_units = [0, 4]\ndropout = [0.0, 0.5]',
    )
    + '[search.rules]\nwhere = ["dense_units == 8 * dropout"]\n'
)
#: The same of one trial, where it matters that features are computed and read, and not of what heads.
ONE_HEAD = SEARCH.replace("dense_units = [0, 4]\ndropout = [0.0, 0.5]", "dense_units = 0\ndropout = 0.0")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small colour photographs, of which each class has a colour, and weights of a small backbone."""
    folder = tmp_path_factory.mktemp("pretrained")
    rng = np.random.default_rng(0)
    for place, name in enumerate(("red", "green", "blue")):
        (folder / "searches" / "photos" / name).mkdir(parents=True)
        for number in range(14):
            pixels = rng.integers(0, 90, (32, 32, 3))
            pixels[..., place] += 150
            Image.fromarray(pixels.astype(np.uint8)).save(folder / "searches" / "photos" / name / f"{number}.png")
    keras.utils.set_random_seed(0)
    network = keras.applications.MobileNet(include_top=False, weights=None, input_shape=(32, 32, 3), alpha=0.25)
    network.set_weights([one + rng.uniform(0, 0.05, one.shape) for one in network.get_weights()])
    network.save_weights(folder / "searches" / "mine.weights.h5")
    (folder / "searches" / "small.toml").write_text(SEARCH)
    return folder


def test_heads_are_searched_scored_verified_and_used(project: Path) -> None:
    shown = tuner(project, "space", "small")
    assert shown.returncode == 0, shown.stderr
    assert "219,315" in shown.stdout, "the parameters of the whole network: 218,544 and those of a softmax"
    ran = tuner(project, "run", "small")
    assert ran.returncode == 0, ran.stderr
    assert sorted((row["dense_units"], row["dropout"]) for row in trials(project)) == [(0, 0.0), (4, 0.5)]
    report = (project / "reports" / "small" / "report.md").read_text()
    assert "Pretrained" in report
    verified = tuner(project, "verify", "small")
    assert verified.returncode == 0, verified.stderr
    assert verified.stdout.endswith("; its 135 frozen arrays those of mine.weights.h5 bit for bit\n")
    (card,) = (project / "reports" / "small").glob("pretrained*.json")
    assert len(json.loads(card.read_text())["environment"]["frozen_sha256"]) == 64
    weights = project / "searches" / "mine.weights.h5"
    content = weights.read_bytes()
    weights.write_bytes(b"other weights under the same name")
    verified = tuner(project, "verify", "small")
    weights.write_bytes(content)
    assert verified.returncode == 0, verified.stderr
    assert verified.stdout.endswith("; its 135 frozen arrays by their recorded hash those of mine.weights.h5\n")
    (model,) = (project / "reports" / "small").glob("*.keras")
    image = project / "searches" / "photos" / "red" / "0.png"
    said = tuner(project, "predict", str(model), str(image))
    assert said.returncode == 0, said.stderr
    assert any(name in said.stdout for name in ("red", "green", "blue"))
    count = recorded(project)
    assert tuner(project, "run", "small").returncode == 0
    assert recorded(project) == count
    (about,) = (project / "runs" / "data").glob("*/about.json")
    assert json.loads(about.read_text())["state"], "by which the next run finds the folder decoded"


@pytest.fixture(scope="module")
def one_head(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose search of one trial has run to its end; tests copy it."""
    folder = tmp_path_factory.mktemp("one_head") / "p"
    shutil.copytree(project / "searches", folder / "searches")
    (folder / "searches" / "small.toml").write_text(ONE_HEAD)
    ran = tuner(folder, "run", "small")
    assert ran.returncode == 0, ran.stderr
    return folder


@pytest.fixture
def searched(one_head: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(one_head, tmp_path / "p"))


#: What lies in the place of features, of what tells of their backbone, and of the lock of who computes them.
INSTEAD = (
    ("a pipe", "a device", "text"),
    ("a huge file", "half of it", "a pipe"),
)


@pytest.mark.parametrize("kinds", INSTEAD, ids=str)
def test_features_are_computed_again_whatever_lies_in_their_place(searched: Path, kinds: tuple[str, ...]) -> None:
    """Of each way in which a run may find them; the next test has all kinds of things in each of these places."""
    before = trials(searched)
    (features,) = (searched / "runs" / "features").iterdir()
    files = [features / "train-0.npz", features / "about.json", features / "train-0.lock"]
    assert sorted(features.iterdir()) == sorted(files)
    for kind, file in zip(kinds, files, strict=True):
        KINDS[kind](file)
    ran = tuner(searched, "run", "small", "--fresh")
    assert (ran.returncode, "Traceback" in ran.stderr) == (0, False), ran.stderr
    assert trials(searched) == before


class Doubling:
    """What is asked of a backbone's network, that doubles four pixels."""

    def __call__(self, images: Any) -> Any:
        return images * 2.0

    def count_params(self) -> int:
        return 7


@pytest.mark.parametrize("lock", ["text", "a pipe", "an empty file"])
@pytest.mark.parametrize("piece", sorted(KINDS.keys() - {"a folder"}))
def test_of_whatever_kind_it_is(tmp_path: Path, piece: str, lock: str) -> None:
    folder = tmp_path / "runs" / "features" / f"{1:016x}-{1:016x}"
    images = np.arange(40, dtype=np.uint8).reshape(10, 4)
    for about in sorted(KINDS.keys() - {"a folder"}):
        shutil.rmtree(folder, ignore_errors=True)
        asked = Features(folder, Backbone(Doubling))
        assert asked.parameters() == 7
        asked.of("train", images)
        away = tmp_path / "runs" / "notes.txt"  # which a link leads to
        away.write_text(OTHER)
        (folder / "train-0.lock").touch()
        for kind, name in ((piece, "train-0.npz"), (about, "about.json"), (lock, "train-0.lock")):
            KINDS[kind](folder / name)
        again = Features(folder, Backbone(Doubling))
        assert again.parameters() == 7, about
        np.testing.assert_array_equal(again.of("train", images), images * 2, about)
        assert away.read_text() == OTHER, about
        for name in ("train-0.npz", "about.json"):
            assert (folder / name).is_file(), (about, name)
            assert not (folder / name).is_symlink(), (about, name)


#: What stands where a run computes features, and how its line names that.
IN_THE_WAY = (
    ("train-0.lock", "a folder", "Is a directory"),
    ("train-0.lock", "a link", "Too many levels of symbolic links"),
    ("train-0.npz", "a folder", "Is a directory"),
)


def test_what_stands_in_the_way_of_features_ends_a_run_in_a_line_that_helps(searched: Path) -> None:
    """One after the other: each is moved away, as the line has it, and in the end the search goes through."""
    before = trials(searched)
    (features,) = (searched / "runs" / "features").iterdir()
    (features / "train-0.npz").unlink()
    for name, kind, problem in IN_THE_WAY:
        file = features / name
        file.touch()
        KINDS[kind](file)
        ran = tuner(searched, "run", "small", "--fresh")
        said = [line for line in ran.stderr.splitlines() if line.startswith("tuner: ")]
        assert (ran.returncode, len(said), "Traceback" in ran.stderr) == (1, 1, False), (name, kind, ran.stderr)
        assert f"{name}: {problem}; move what stands there, and run the search again" in said[0], (name, kind)
        file.rename(searched / f"moved {kind} of {name}")
    assert tuner(searched, "run", "small").returncode == 0
    assert trials(searched) == before


def test_other_weights_under_the_same_name_are_other_trials(searched: Path) -> None:
    before = recorded(searched)
    assert before
    keras.utils.set_random_seed(1)
    network = keras.applications.MobileNet(include_top=False, weights=None, input_shape=(32, 32, 3), alpha=0.25)
    network.save_weights(searched / "searches" / "mine.weights.h5")
    ran = tuner(searched, "run", "small")
    assert ran.returncode == 0, ran.stderr
    assert recorded(searched) == 2 * before


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "searches/small.toml [[search]] 1 space.weights 'mine.weights.h5': is not there; put it at "),
        (
            b"none",
            "searches/small.toml [[search]] 1 family pretrained: MobileNet with weights = 'mine.weights.h5' cannot be "
            "built (a file fits one backbone at one alpha, without its last layer): ",
        ),
    ],
    ids=["missing", "broken"],
)
def test_weights_that_cannot_be_had_are_one_line_and_nothing_is_trained(
    content: bytes | None, says: str, project: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "p"
    shutil.copytree(project / "searches", folder / "searches")
    weights = folder / "searches" / "mine.weights.h5"
    weights.unlink()
    if content is not None:
        weights.write_bytes(content)
    ran = tuner(folder, "run", "small")
    assert ran.returncode == 2
    (line,) = [line for line in ran.stderr.splitlines() if not line.endswith("…")]
    assert line.startswith(f"tuner: {says}"), line
    assert not (folder / "runs" / "ledger.sqlite").exists()
