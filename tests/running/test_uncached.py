"""What is said of parameters that keep a pretrained network's heads from learning on features computed once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tuner.running.dryrun import preview
from tuner.running.uncached import uncached_notes
from tuner.search_file.file import parse_search
from tuner.search_file.overrides import Overrides

LATER = "otherwise all images go through the backbone in every epoch, which takes longer"


def notes(family: str, **space: Any) -> list[str]:
    raw = {
        "title": "Heads",
        "dataset": "digits",
        "search": [{"family": family, "space": space}],
        "training": {"epochs": 2},
    }
    search = parse_search(raw, "small", Path(), Overrides(), "0" * 16)
    (model_search,) = search.model_searches
    return uncached_notes(model_search, preview(search, model_search))


@pytest.mark.parametrize(
    ("space", "names", "who"),
    [
        ({"flip": "horizontal"}, "flip", "no head is"),
        ({"mixup": [0.0, 0.2], "rotation": [0.0, 0.1]}, "mixup, rotation", "of 4 heads 1 are"),
        ({"fine_tune": [0.0, 0.3]}, "fine_tune", "of 2 heads 1 are"),
        ({"fine_tune": 0.3, "head_epochs": [0, 1]}, "fine_tune", "of 2 heads 1 are"),
        ({"precision": "mixed_bfloat16"}, "precision", "no head is"),
    ],
    ids=str,
)
def test_what_keeps_heads_from_features_is_named(space: dict[str, Any], names: str, who: str) -> None:
    (line,) = notes("pretrained", weights="none", **space)
    assert line == f"Pretrained: because of {names}, {who} trained on features that are computed once; {LATER}"


@pytest.mark.parametrize(
    ("family", "space"),
    [
        ("pretrained", {"weights": "none", "flip": "none", "mixup": 0.0}),
        ("pretrained", {"weights": "none", "fine_tune": 0.3, "head_epochs": 1}),
        ("cnn", {"flip": "horizontal"}),
    ],
    ids=str,
)
def test_where_nothing_does_nothing_is_said(family: str, space: dict[str, Any]) -> None:
    assert notes(family, **space) == []
