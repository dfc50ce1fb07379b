"""What is said of sizes to which a pretrained network brings images that were read smaller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tuner.running.checks import check_networks
from tuner.running.dryrun import data_of, dry_run
from tuner.running.resized import resize_notes
from tuner.search_file.file import parse_search
from tuner.search_file.overrides import Overrides


def notes(resize: Any, image_size: list[int] | None = None, family: str = "pretrained") -> list[str]:
    space = {"weights": "none", **({"resize": resize} if resize is not None else {})} if family == "pretrained" else {}
    raw = {
        "title": "Sizes",
        "dataset": "photos",
        "search": [{"family": family, "algorithm": "random", "max_trials": 2, "space": space}],
        "training": {"epochs": 2},
        **({"image_size": image_size} if image_size else {}),
    }
    search = parse_search(raw, "small", Path(), Overrides(), "0" * 16)
    return resize_notes(search, search.model_searches[0])


@pytest.mark.parametrize(
    ("resize", "image_size", "largest", "have"),
    [
        ([64, 160], [96, 96], 160, "96"),
        (97, [96, 96], 97, "96"),
        ([0, 80], [64, 96], 80, "64x96"),
        ({"min": 32, "max": 224}, [96, 96], 224, "96"),
    ],
    ids=str,
)
def test_a_size_above_image_size_is_told_with_the_one_to_set(
    resize: Any, image_size: list[int], largest: int, have: str
) -> None:
    assert notes(resize, image_size) == [
        f"Pretrained: resize {largest} makes more pixels of images that have {have}: "
        f"set image_size = [{largest}, {largest}]"
    ]


@pytest.mark.parametrize(
    ("resize", "image_size", "family"),
    [
        ([64, 96], [96, 96], "pretrained"),
        (0, [96, 96], "pretrained"),
        (None, [96, 96], "pretrained"),
        ([64, 160], None, "pretrained"),  # an array, or files that are read as large as they are
        (None, [96, 96], "cnn"),
    ],
    ids=str,
)
def test_where_there_are_pixels_enough_or_no_more_nothing_is_said(
    resize: Any, image_size: list[int] | None, family: str
) -> None:
    assert notes(resize, image_size, family) == []


def test_a_dry_run_tells_it_and_so_do_run_and_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name in ("ant", "bee"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(10):
            pixels = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{number}.png")
    space = {"backbone": "mobilenet", "alpha": 0.25, "weights": "none", "resize": [32, 48]}
    raw = {"title": "Sizes", "dataset": "photos", "search": [{"family": "pretrained", "space": space}]}
    said = "Pretrained: resize 48 makes more pixels of images that have 40: set image_size = [48, 48]"
    for side, notes in ((40, [said]), (48, [])):
        content = {**raw, "image_size": [side, side], "training": {"epochs": 2}}
        search = parse_search(content, "small", Path(), Overrides(), "0" * 16)
        assert dry_run(search, None)["notes"] == notes
        assert check_networks(search, {"photos": data_of(search, "photos", None)})[1] == notes
