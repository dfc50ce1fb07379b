"""`tuner check` from the command line: what it says, in which order, and how it ends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from tuner.cli import app
from tuner.errors import CheckError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for place, (name, count) in enumerate((("cat", 30), ("dog", 8))):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for number in range(count):
            coarse = Image.fromarray(rng.integers(0, 256, (6, 6, 3)).astype(np.uint8))
            coarse.resize((64 + place, 50)).save(tmp_path / "pets" / name / f"{number}.png")
    return tmp_path / "pets"


def checked(*arguments: object) -> tuple[int, list[str]]:
    ran = CliRunner().invoke(app, ["check", *map(str, arguments)])
    return ran.exit_code, ran.output.splitlines()


def test_counts_come_first_and_a_sound_folder_ends_well(folder: Path) -> None:
    code, lines = checked(folder)
    assert code == 0
    assert lines == [
        f"{folder}: 38 images of 50x64 to 50x65 pixels in 2 classes, of which a fifth of each class becomes the "
        "test set",
        "  cat 30, dog 8",
        "images of several sizes: run refuses them unless the search file has image_size, which tuner new writes",
        "classes of fewer than 20 images to train on: dog 8",
        "uneven: the largest class has 3.8 times as many images as the smallest; by accuracy the largest decides, so "
        'choose by another objective, such as "macro_f1"',
    ]


def test_what_should_be_mended_is_listed_and_ends_in_exit_code_1(folder: Path, tmp_path: Path) -> None:
    (folder / "dog" / "broken.jpg").write_bytes(b"none")
    (folder / "dog" / "a cat.png").write_bytes((folder / "cat" / "3.png").read_bytes())
    (folder / "cat" / "Thumbs.db").write_bytes(b"")
    sheet = tmp_path / "sheet.png"
    ran = CliRunner().invoke(app, ["check", str(folder), "--sheet", str(sheet)])
    text = ran.output
    assert isinstance(ran.exception, CheckError)
    assert str(ran.exception) == f"{folder}: 2 things to mend"
    assert "1 file cannot be used:\n  dog/broken.jpg: cannot be read as an image" in text
    assert "1 image stands in two classes:\n  cat/3.png (cat) = dog/a cat.png (dog)\n" in text
    assert "1 thing is passed over:\n  cat/Thumbs.db\n" in text
    assert sheet.is_file()
    assert f"wrote {sheet}" in text


def test_a_class_that_run_refuses_is_told_and_so_are_folders_that_programs_left(folder: Path) -> None:
    folder.rename(folder.with_name("train"))
    folder.mkdir()
    folder.with_name("train").rename(folder / "train")
    for place, name in enumerate(("cat", "dog", "cow")):
        (folder / "test" / name).mkdir(parents=True)
        Image.new("RGB", (64, 50), (place, 200, 0)).save(folder / "test" / name / "0.png")
    for left in (folder / "train" / ".ipynb_checkpoints", folder / "train" / "cat" / ".ipynb_checkpoints"):
        left.mkdir()
        (left / "0-checkpoint.png").write_bytes((folder / "train" / "cat" / "0.png").read_bytes())
    (folder / "train" / ".DS_Store").write_bytes(b"x")
    ran = CliRunner().invoke(app, ["check", str(folder)])
    assert str(ran.exception) == f"{folder}: 1 thing to mend"
    lines = ran.output.splitlines()
    refused = lines.index("1 thing for which run refuses it:")
    assert lines[refused + 1] == "  test/cow: a class that the train folder does not have"
    over = lines.index("2 things are passed over:")
    assert lines[over + 1 : over + 3] == ["  train/.ipynb_checkpoints", "  train/cat/.ipynb_checkpoints"]


def test_a_known_data_set_is_audited_too() -> None:
    code, lines = checked("digits")
    assert code == 0, lines
    assert lines[0].startswith("digits: 1,797 images of 8x8 pixels in 10 classes: 1,")
    assert lines[-1] == "images of fewer than 48 pixels a side are not compared by their looks"
