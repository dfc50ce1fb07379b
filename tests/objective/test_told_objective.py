"""What a user's own network tells of itself as an objective: how it is read and named, and what it is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_up import RAW

from tuner.errors import InputError, TrialError
from tuner.objective import ACCURACY, ToldObjective, objective_of
from tuner.search_file.file import parse_search
from tuner.search_file.overrides import Overrides
from tuner.trial import Result
from tuner.worker.engines import own_fit


def read(folder: Path, **given: object) -> ToldObjective:
    raw = {
        **RAW,
        "published": {"study": "S"},
        "search": [{"family": "mynet:build"}],
        "report": {},
        "watch": [],
        **given,
    }
    (folder / "mynet.py").write_text("def build(hp):\n    raise NotImplementedError\n")
    objective = parse_search(raw, "small", folder, Overrides(), "").objective
    assert isinstance(objective, ToldObjective)
    return objective


@pytest.mark.parametrize(
    ("form", "direction", "column", "label", "way"),
    [
        ("val_top_2", "max", "val_top_2", "top_2", "max"),
        ("val_squared-error", "min", "val_squared-error", "squared-error", "min"),
        ("returned", None, "val_returned", "returned score", "min"),
        ("returned", "max", "val_returned", "returned score", "max"),
        ("returned.mae", None, "val_returned.mae", "returned mae", "min"),
    ],
)
def test_it_is_read_and_a_trial_names_it(
    tmp_path: Path, form: str, direction: str | None, column: str, label: str, way: str
) -> None:
    objective = read(tmp_path, objective=form, **({"direction": direction} if direction else {}))
    assert (objective.column, objective.label, objective.direction) == (column, label, way)
    assert objective.code == f"{form} {way}"
    assert objective_of(objective.code) is objective
    assert objective.by_epoch == form.startswith("val_")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"objective": "val_top_2"}, "direction: val_top_2 has none of its own; add direction"),
        ({"objective": "val_accuracy", "direction": "max"}, "objective: 'val_accuracy' is called 'accuracy' here"),
        ({"objective": "val_macro_f1"}, "objective: 'val_macro_f1' is called 'macro_f1' here"),
        ({"objective": "val_loss", "direction": "min"}, "objective: 'val_loss' is called 'log_loss' here"),
        ({"objective": "val_top_2 max"}, "objective: 'val_top_2 max' is no objective"),
        ({"objective": "returned."}, "objective: 'returned.' is no objective"),
        ({"objective": "val_top_2", "direction": "up"}, "direction"),
    ],
)
def test_what_is_none_is_refused(tmp_path: Path, given: dict[str, str], says: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, **given)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nobody_else_computes_it(tmp_path: Path) -> None:
    objective = read(tmp_path, objective="val_top_2", direction="max")
    with pytest.raises(TrialError, match="only the network's own training tells val_top_2"):
        objective.score(np.array([0]), np.ones((1, 1), np.float32), ["one"])


def test_what_is_recorded_of_a_trial_is_its_score(tmp_path: Path) -> None:
    told = Result("completed", history={"val_top_2": [0.5, 0.9, 0.7], "val_returned": [3.0] * 3}, best_epoch=2)
    assert read(tmp_path, objective="val_top_2", direction="max").of(told) == 0.9
    returned = read(tmp_path, objective="returned")
    assert returned.of(told) == 3.0
    assert returned.gain_of(told) == -3.0


RETURNED = ToldObjective("returned", "min")
BY_KEY = ToldObjective("returned.mae", "min")


@pytest.mark.parametrize(
    ("returned", "objective", "score"),
    [
        (None, ACCURACY, None),
        (None, ToldObjective("val_mae", "min"), None),
        (0.5, RETURNED, 0.5),
        (np.float32(0.5), RETURNED, 0.5),
        (7, RETURNED, 7.0),
        ({"mae": 0.25, "other": 1}, BY_KEY, 0.25),
    ],
)
def test_a_score_is_taken_where_trials_are_chosen_by_it(
    returned: object, objective: object, score: float | None
) -> None:
    assert own_fit.score_of(returned, objective) == score  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("returned", "objective", "says"),
    [
        (0.5, ACCURACY, 'which trials are not chosen by; choose by it with objective = "returned"'),
        ({"mae": 0.5}, ToldObjective("val_mae", "min"), "which trials are not chosen by"),
        (None, RETURNED, "its fit returns nothing, and returned is a number"),
        ([0.5, 0.6], RETURNED, "its fit returns a list, and returned is a number"),
        ({"mae": 0.5}, RETURNED, "its fit returns a dict, and returned is a number"),
        ({"rmse": 0.5}, BY_KEY, "its fit returns rmse, and returned.mae is not in it"),
        (0.5, BY_KEY, "its fit returns float, and returned.mae is not in it"),
        (float("nan"), RETURNED, "its fit returned nan"),
    ],
)
def test_what_is_no_score_is_said(returned: object, objective: object, says: str) -> None:
    with pytest.raises(TrialError, match=says):
        own_fit.score_of(returned, objective)  # type: ignore[arg-type]
