"""A search of pretrained networks from the command line: its heads, its report, and models that plain Keras reloads."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image
from small_project import ONE_TRIAL, recorded, trials, tuner

pytestmark = pytest.mark.slow

SEARCH = (
    ONE_TRIAL.replace('dataset = "blobs.npz"', 'dataset = "photos"')
    .replace("epochs = 1", "epochs = 2")
    .replace('family = "ann"', 'family = "pretrained"')
    .replace(
        "dense_units = 4",
        'backbone = "mobilenet"\nalpha = 0.25\nweights = "mine.weights.h5"\ndense_units = [0, 4]\ndropout = [0.0, 0.5]',
    )
)


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
    assert len(trials(project)) == 4
    report = (project / "reports" / "small" / "report.md").read_text()
    assert "Pretrained" in report
    verified = tuner(project, "verify", "small")
    assert verified.returncode == 0, verified.stderr
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


def test_other_weights_under_the_same_name_are_other_trials(project: Path) -> None:
    before = recorded(project)
    assert before
    keras.utils.set_random_seed(1)
    network = keras.applications.MobileNet(include_top=False, weights=None, input_shape=(32, 32, 3), alpha=0.25)
    network.save_weights(project / "searches" / "mine.weights.h5")
    ran = tuner(project, "run", "small")
    assert ran.returncode == 0, ran.stderr
    assert recorded(project) == 2 * before


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
    import shutil

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
