"""Classes of which no image is among those that trials are chosen on are told, or refused, before anything trains."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from small_project import tuner

from tuner.datasets.base import Dataset
from tuner.errors import InputError
from tuner.objective.one_class import OF_A_CLASS
from tuner.running.checked import checked_search
from tuner.running.dryrun import dry_run
from tuner.running.unseen import check_unseen, unseen_notes
from tuner.search_file.file import parse_search
from tuner.search_file.model import Search
from tuner.search_file.overrides import Overrides
from tuner.workspace import Workspace


def a_search(folder: Path, overrides: Overrides | None = None, **changed: Any) -> Search:
    raw = {
        "title": "x",
        "dataset": "blobs",
        "training": {"epochs": 1},
        "search": [{"family": "ann"}, {"family": "cnn"}],
        **changed,
    }
    return parse_search(raw, "small", folder, overrides or Overrides(), "")


@pytest.fixture
def unseen(blobs: Dataset) -> Dataset:
    """The same data with 30 validation images of its own, none of which is of the class `bottom`."""
    order = np.argsort(blobs.y_train != 2, kind="stable")
    return replace(blobs, x_train=blobs.x_train[order], y_train=blobs.y_train[order], validation_images=30)


def a_fourth_class(data: Dataset) -> Dataset:
    return replace(data, class_names=(*data.class_names, "left"))


@pytest.mark.parametrize("kind", OF_A_CLASS)
def test_a_class_to_choose_by_that_has_no_validation_image_is_refused(
    tmp_path: Path, unseen: Dataset, blobs: Dataset, kind: str
) -> None:
    check_unseen(a_search(tmp_path, objective=f"{kind}:top"), "blobs", unseen)
    check_unseen(a_search(tmp_path, objective=f"{kind}:bottom"), "blobs", blobs)
    with pytest.raises(InputError) as caught:
        check_unseen(a_search(tmp_path, objective=f"{kind}:bottom"), "blobs", unseen)
    assert str(caught.value) == (
        f"{tmp_path}/small.toml objective: no trial could be scored: blobs has no image of 'bottom' among its "
        "validation images; add images of it, or choose by another objective"
    )


def test_the_model_search_that_is_chosen_by_the_class_is_named(tmp_path: Path, unseen: Dataset) -> None:
    search = a_search(tmp_path, search=[{"family": "ann"}, {"family": "cnn", "objective": "recall:bottom"}])
    with pytest.raises(InputError, match=r"small.toml \[\[search\]\] 2 objective: no trial could be scored: blobs has"):
        check_unseen(search, "blobs", unseen)


def test_a_data_set_that_models_are_only_compared_on_chooses_nothing(tmp_path: Path, unseen: Dataset) -> None:
    search = a_search(tmp_path, objective="recall:bottom", compare={"datasets": ["blobs", "other"]})
    check_unseen(search, "other", unseen)


def test_with_folds_all_training_images_validate_and_a_class_of_few_is_in_each_fold(
    tmp_path: Path, blobs: Dataset
) -> None:
    by_bottom = a_search(tmp_path, objective="recall:bottom", folds=3)
    few = np.concatenate((np.flatnonzero(blobs.y_train != 2), np.flatnonzero(blobs.y_train == 2)[:3]))
    three = replace(blobs, x_train=blobs.x_train[few], y_train=blobs.y_train[few])
    check_unseen(by_bottom, "blobs", three)
    assert unseen_notes(by_bottom, {"blobs": three}) == []
    said = "blobs has no image of 'left' among its training images, which the folds divide; add images of it, or"
    with pytest.raises(InputError, match=said):
        check_unseen(a_search(tmp_path, objective="recall:left", folds=3), "blobs", a_fourth_class(blobs))


def test_the_published_protocol_looks_at_the_test_images(tmp_path: Path, blobs: Dataset) -> None:
    study = {"protocol": "published", "published": {"study": "A"}, "objective": "recall:bottom"}
    check_unseen(a_search(tmp_path, **study), "blobs", blobs)
    tested = blobs.y_test != 2
    lacking = replace(blobs, x_test=blobs.x_test[tested], y_test=blobs.y_test[tested])
    with pytest.raises(InputError, match="no image of 'bottom' among its test images, on which trials are chosen; add"):
        check_unseen(a_search(tmp_path, **study), "blobs", lacking)


def test_a_stand_in_that_leaves_the_only_image_out_is_named_as_the_remedy(tmp_path: Path, blobs: Dataset) -> None:
    one = np.concatenate((np.flatnonzero(blobs.y_train != 2), np.flatnonzero(blobs.y_train == 2)[:1]))
    data = replace(blobs, x_train=blobs.x_train[one], y_train=blobs.y_train[one])
    search = a_search(tmp_path, Overrides(train_size=20), objective="recall:bottom")
    remedy = "add images of it to the training images, give --train-size a larger number, or choose by another"
    with pytest.raises(InputError, match=remedy):
        check_unseen(search, "blobs", data)


@pytest.mark.parametrize("objective", ["accuracy", "macro_f1"])
def test_classes_that_count_in_no_score_are_told_in_a_line(
    tmp_path: Path, unseen: Dataset, blobs: Dataset, objective: str
) -> None:
    search = a_search(tmp_path, objective=objective)
    assert unseen_notes(search, {"blobs": blobs}) == []
    assert unseen_notes(search, {"blobs": unseen}) == [
        "blobs has no image of bottom among its validation images: counts in no score that trials are chosen by"
    ]
    many = replace(unseen, class_names=("top", "middle", "bottom", *(f"c{k}" for k in range(12))))
    (line,) = unseen_notes(search, {"blobs": many})
    assert "no image of bottom, c0, c1, c2, c3, c4, c5, c6, c7, c8 and 3 more among" in line


@pytest.fixture
def npz(tmp_path: Path, unseen: Dataset) -> Path:
    path, held = tmp_path / "few.npz", len(unseen.y_train) - 30
    np.savez(
        path,
        x_train=unseen.x_train[:held],
        y_train=unseen.y_train[:held],
        x_val=unseen.x_train[held:],
        y_val=unseen.y_train[held:],
        x_test=unseen.x_test,
        y_test=unseen.y_test,
        class_names=np.array(unseen.class_names),
    )
    return path


def test_a_run_its_plan_and_the_dry_run_refuse_before_anything_is_written(tmp_path: Path, npz: Path) -> None:
    (tmp_path / "searches").mkdir()
    file = tmp_path / "searches" / "few.toml"
    top = f'title = "x"\ndataset = "{npz.name}"\nobjective = "recall:bottom"\n'
    npz.rename(tmp_path / "searches" / npz.name)
    file.write_text(f'{top}[training]\nepochs = 1\n[[search]]\nfamily = "ann"\n')
    for command in ("run", "plan", "space"):
        answer = tuner(tmp_path, command, "searches/few.toml")
        assert answer.returncode != 0
        (line,) = (line for line in answer.stderr.splitlines() if line.startswith("tuner: "))
        assert "objective: no trial could be scored: few.npz has no image of 'bottom' among its validation" in line
    assert not (tmp_path / "runs" / "ledger.sqlite").exists()


def test_a_search_by_accuracy_has_the_note_among_those_that_a_run_begins_with(tmp_path: Path, npz: Path) -> None:
    search = a_search(tmp_path, dataset=npz.name)
    checked = checked_search(search, Workspace(tmp_path / "runs"), Console(file=io.StringIO()), skip_bad=False)
    assert checked.notes[0].startswith("few.npz has no image of bottom among its validation images: ")
    with pytest.raises(InputError, match="no image of 'bottom'"):
        dry_run(a_search(tmp_path, dataset=npz.name, objective="f1:bottom"), None)
