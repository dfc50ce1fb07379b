"""Search files made for a data set: what they choose, that all of it builds and runs, and what is refused."""

from __future__ import annotations

import gc
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image
from small_project import tuner

from tuner.datasets import load_dataset
from tuner.datasets.groups import with_groups
from tuner.errors import InputError, ResourceError
from tuner.protocol import training_images
from tuner.running import new
from tuner.running.dryrun import dry_run, preview
from tuner.running.new import (
    LARGEST,
    LARGEST_PHOTOGRAPHS,
    MOST_IN_GRID,
    Look,
    file_text,
    guessed_groups,
    look_at,
    new_search,
    summary,
)
from tuner.search_file.file import load_search
from tuner.search_file.model import Search
from tuner.search_file.model_search import ModelSearch
from tuner.worker.probe import Built

SPECIES = ("ant", "bee")


@pytest.fixture(scope="module", autouse=True)
def _imports_are_no_garbage() -> Iterator[None]:
    """Otherwise clearing the session, which frees large networks, takes ten times as long as to build one."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of its own, as a user does."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("TUNER_DATA_DIR", raising=False)
    return folder


def photographs(
    root: Path,
    counts: dict[str, int],
    sizes: tuple[tuple[int, int], ...] = ((40, 50), (64, 48)),
    mode: str = "RGB",
    grey: bool = False,
) -> Path:
    """Write noise as pictures; `sizes` are widths and heights, taken in turn."""
    rng = np.random.default_rng(0)
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            width, height = sizes[number % len(sizes)]
            pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
            if grey:
                pixels = np.repeat(pixels[..., :1], 3, axis=-1)
            Image.fromarray(pixels).convert(mode).save(root / name / f"{number:03}.png")
    return root


def arrays(path: Path, shape: tuple[int, ...], classes: int = 10, train: int = 60, test: int = 0, **more: Any) -> Path:
    """Write an .npz of noise with labels 0, 1, … in turn."""
    rng = np.random.default_rng(0)
    test = test or classes
    whole: dict[str, Any] = {
        "x_train": rng.integers(0, 256, (train, *shape), dtype=np.uint8),
        "y_train": np.arange(train) % classes,
        "x_test": rng.integers(0, 256, (test, *shape), dtype=np.uint8),
        "y_test": np.arange(test) % classes,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **{**whole, **more})
    return path


def made(source: str, data_dir: Path | None = None) -> tuple[Search, str, Look]:
    """Write a search file, and return what it says, its text, and what was seen of the data."""
    path, look = new_search("mine", source, data_dir, force=True)
    text = path.read_text(encoding="utf-8")
    assert max(map(len, text.split("\n"))) <= 120 or len(look.source) > 20
    return load_search(path), text, look


def everything_builds(search: Search, look: Look) -> None:
    """Build all that is proposed by the families themselves, on the images that the search will see."""
    dataset = load_dataset(search.datasets[0], None, search.folder, search.image_size, search.channels)
    assert dataset.shape == look.shape
    for model_search in search.model_searches:
        configurations = preview(search, model_search)
        assert len(configurations) == model_search.planned() <= MOST_IN_GRID
        training_images(search.trial(model_search, look.source, "", configurations[0], None), dataset)
        kinds = {tuple((k, v) for k, v in values.items() if k != "dropout"): values for values in configurations}
        for values in kinds.values():  # a layer of dropout fits wherever its other self did
            with keras.StatelessScope(initialize_variables=False):  # nothing is drawn for its weights
                network = model_search.family.network(values, dataset.shape, len(dataset.class_names))
            assert network.output_shape == (None, len(dataset.class_names))
            assert network.count_params() < 40_000_000
            keras.backend.clear_session()


def families(search: Search) -> list[str]:
    return [model_search.path for model_search in search.model_searches]


def space(search: Search, family: str, name: str) -> tuple[object, ...]:
    model_search = next(model_search for model_search in search.model_searches if model_search.path == family)
    return model_search.space.domains[name].grid()


def test_colour_photographs_of_different_sizes_get_one_size_flips_and_a_resnet(here: Path) -> None:
    photographs(here / "photos", {"ant": 10, "bee": 10})
    search, text, look = made("photos")
    assert search.datasets == ("photos",)
    assert search.image_size == (48, 56)  # of medians 49 and 52
    assert "the files have 50x40 to 48x64" in text
    assert search.channels == 3
    assert search.raw["training"]["flip"] == "horizontal"
    assert families(search) == ["ann", "cnn", "resnet_cifar"]
    assert search.title == "ANN, CNN and ResNet (CIFAR) on photos"
    everything_builds(search, look)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        (((300, 200), (600, 400)), (64, 96)),
        (((224, 224),), (96, 96)),
        (((120, 90), (100, 90)), (56, 64)),
        (((40, 40), (40, 40)), None),
        (((5, 4), (6, 4)), (8, 8)),
        (((30, 2000), (32, 2000)), (64, 8)),
    ],
    ids=str,
)
def test_folders_are_brought_to_multiples_of_8_of_their_median_and_at_most_64_or_96(
    here: Path, sizes: tuple[tuple[int, int], ...], expected: tuple[int, int] | None
) -> None:
    photographs(here / "photos", dict.fromkeys(SPECIES, 4), sizes)
    search, text, look = made("photos")
    assert search.image_size == expected
    assert expected is None or max(expected) <= (LARGEST_PHOTOGRAPHS if min(sizes[0]) >= 96 else LARGEST)
    assert ("pretrained" in families(search)) == (min(sizes[0]) >= 96)
    assert expected is not None or "# image_size = [40, 40]" in text
    assert look.shape[:2] == (expected or (40, 40))


def test_large_photographs_get_a_pretrained_network_whose_features_are_computed_once(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photographs(here / "photos", {"ant": 10, "bee": 10}, ((160, 120),))
    search, text, look = made("photos")
    assert search.image_size == (72, 96)
    assert re.search(r"^# resize = \[48, 72\] +# image sizes to try; ", text, re.MULTILINE)
    assert families(search) == ["ann", "cnn", "pretrained"]
    assert space(search, "pretrained", "flip") == ("none",)
    assert space(search, "cnn", "flip") == ("horizontal",)
    real = new.build_all

    def without_network(search: Search, model_search: ModelSearch, *given: Any) -> list[Built]:
        if model_search.path == "pretrained":
            raise ResourceError("weights", "cannot be had", "connect")
        return real(search, model_search, *given)

    monkeypatch.setattr(new, "build_all", without_network)
    lines = list(summary(here / "searches" / "mine.toml", look))
    assert "Pretrained: 4 configurations (grid), which cannot be built: cannot be had; connect" in lines
    photographs(here / "scans", {"ant": 10, "bee": 10}, ((160, 120),), "L")
    assert families(made("scans")[0]) == ["ann", "cnn", "lenet"]


def test_train_and_test_folders_are_measured_too(here: Path) -> None:
    photographs(here / "d" / "train", dict.fromkeys(SPECIES, 4), ((30, 20), (40, 40)))
    photographs(here / "d" / "test", dict.fromkeys(SPECIES, 2), ((30, 20),))
    photographs(here / "d" / "thumbnails", dict.fromkeys(SPECIES, 9), ((8, 8),))
    assert made("d")[0].image_size == (24, 32)  # of 20, 40, 20 and 30, 40, 30, and those twice


@pytest.mark.parametrize(("mode", "grey"), [("L", False), ("RGB", True)])
def test_grey_pictures_become_grey_even_where_files_have_three_channels(here: Path, mode: str, grey: bool) -> None:
    photographs(here / "scans", dict.fromkeys(SPECIES, 6), ((32, 32), (40, 32)), mode, grey)
    search, text, look = made("scans")
    assert search.channels == 1
    assert families(search) == ["ann", "cnn", "lenet"]
    assert "# flip" in text
    assert "flip" not in search.raw["training"]
    assert load_dataset("scans", image_size=search.image_size, channels=1).shape == look.shape


def test_grey_28x28_images_of_10_classes_get_lenet_and_no_flips(here: Path) -> None:
    arrays(here / "letters.npz", (28, 28))
    search, text, look = made("letters.npz")
    assert families(search) == ["ann", "cnn", "lenet"]
    assert space(search, "cnn", "conv_depth") == (1, 2, 3)
    assert all(model_search.algorithm.name == "grid" for model_search in search.model_searches)
    assert "flip" not in search.raw["training"]
    assert "left out: the classes are called like digits or letters, which it spoils" in text
    assert "image_size" not in text
    assert "channels" not in text
    everything_builds(search, look)


@pytest.mark.parametrize("shape", [(1, 1), (3, 2, 3), (8, 8), (12, 200)], ids=str)
def test_networks_fit_tiny_images(here: Path, shape: tuple[int, ...]) -> None:
    arrays(here / "tiny.npz", shape, classes=3)
    search, _, look = made("tiny.npz")
    assert families(search) == ["ann", "cnn"]
    everything_builds(search, look)


@pytest.mark.parametrize("shape", [(300, 280, 3), (130, 520, 1), (64, 64)], ids=str)
def test_networks_stay_affordable_on_large_images(here: Path, shape: tuple[int, ...]) -> None:
    arrays(here / "large.npz", shape, classes=2, train=8)
    search, _, look = made("large.npz")
    model_search = search.model_searches[1]
    assert (model_search.path, model_search.algorithm.name, model_search.max_trials) == ("cnn", "random", 40)
    assert model_search.space.count()[0] > MOST_IN_GRID
    assert max(map(int, space(search, "cnn", "conv_depth"))) >= 5  # type: ignore[call-overload]
    assert space(search, "cnn", "head") == ("average" if shape[0] > 64 else "flatten",)
    everything_builds(search, look)


def test_two_classes_are_enough(here: Path) -> None:
    arrays(here / "two.npz", (10, 10), classes=2, train=10)
    search, _, look = made("two.npz")
    assert space(search, "cnn", "dense_units") == (32, 64)
    everything_builds(search, look)


def test_100_classes_widen_the_networks_and_leave_an_image_of_each_on_either_side(here: Path) -> None:
    arrays(here / "many.npz", (32, 32, 3), classes=100, train=300)
    search, _, look = made("many.npz")
    assert families(search) == ["ann", "cnn", "resnet_cifar"]
    assert search.validation == 0.34
    assert space(search, "ann", "dense_units") == (128, 256)
    assert space(search, "cnn", "filters_2") == (64, 128)
    assert space(search, "cnn", "dense_units") == (128, 256)
    everything_builds(search, look)


def test_too_few_images_for_the_classes_are_refused_before_anything_is_written(here: Path) -> None:
    arrays(here / "few.npz", (8, 8), classes=10, train=12)
    with pytest.raises(InputError, match="12 training images are too few"):
        new_search("mine", "few.npz")
    assert not (here / "searches").exists()


def test_uneven_classes_bring_an_objective_and_weights(here: Path) -> None:
    labels = np.array([0] * 50 + [1] * 9 + [2])
    arrays(here / "skewed.npz", (8, 8), classes=3, y_train=labels)
    _, text, _ = made("skewed.npz")
    assert "3 classes of 1 to 50 images.\n# Uneven: by accuracy the largest class would decide." in text
    written = tomllib.loads(text)
    assert written["objective"] == "macro_f1"
    assert written["training"]["class_weight"] == "balanced"
    arrays(here / "even.npz", (8, 8), classes=3)
    assert "Uneven" not in made("even.npz")[1]


def test_names_that_tell_of_subjects_bring_the_pattern_that_keeps_them_together(here: Path) -> None:
    folder = photographs(here / "scans", {"a": 12, "b": 12})
    for place, file in enumerate(sorted(folder.glob("*/*.png"))):
        file.rename(file.with_name(f"patient{place // 3}_{place % 3}.png"))
    _, look = new_search("mine", "scans")
    (line,) = guessed_groups(look)
    found = re.fullmatch(r"(.*)set (groups = .*) in the search file", line)
    assert found
    start, pattern = found.groups()
    assert start == (
        "scans: names tell of 8 subjects with several images each, such as patient0_: "
        "if these are pictures of one thing, "
    )
    grouped = with_groups(look.dataset, tomllib.loads(pattern)["groups"])
    by_group: dict[int, set[str]] = {}
    for split in ("train", "test"):
        for file, group in zip(look.dataset.files[split], grouped.groups[split].tolist(), strict=True):
            by_group.setdefault(group, set()).add(Path(file).name.split("_")[0])
    assert len(by_group) == 8
    assert all(len(names) == 1 for names in by_group.values())
    (folder / "a" / "patient0_0.png").rename(folder / "a" / "one.png")
    assert guessed_groups(new_search("other", "scans")[1])[0].endswith(
        "set groups to a pattern on these names in the search file"
    )
    assert guessed_groups(new_search("digits", "digits")[1]) == []


@pytest.mark.parametrize(
    ("images", "batch", "epochs"),
    [(400, 16, 60), (4_000, 32, 40), (29_999, 64, 30), (60_000, 128, 20)],
)
def test_batch_size_and_epochs_go_with_the_number_of_images(here: Path, images: int, batch: int, epochs: int) -> None:
    arrays(here / "some.npz", (4, 4), train=images)
    search, _, _ = made("some.npz")
    recipe = search.raw["training"]
    assert (recipe["batch_size"], recipe["epochs"], search.repeats) == (batch, epochs, 5)
    assert recipe["early_stopping"] == "val_loss"
    assert recipe["patience"] < epochs


@pytest.mark.parametrize(
    ("images", "side", "norm"),
    [(400, 64, (False, True)), (4_000, 64, (True,)), (400, 28, (False,)), (400, 32, (False, True))],
)
def test_deep_networks_on_few_images_are_tried_without_batch_normalisation_too(
    here: Path, images: int, side: int, norm: tuple[bool, ...]
) -> None:
    # 0.8 * 400 / 16 = 20 steps an epoch: a patience of 12 may end a training after 240; of 4,000 images after 800
    arrays(here / "some.npz", (side, side, 3), classes=3, train=images)
    assert space(made("some.npz")[0], "cnn", "batch_norm") == norm


def test_coloured_digits_are_not_flipped_and_photographs_with_numbers_for_names_are(here: Path) -> None:
    arrays(here / "house_numbers.npz", (32, 32, 3), classes=10)
    assert "flip" not in made("house_numbers.npz")[0].raw["training"]
    arrays(here / "letters.npz", (32, 32, 3), classes=3, class_names=np.array(["A", "B", "ß"]))
    assert "flip" not in made("letters.npz")[0].raw["training"]
    arrays(here / "photos.npz", (32, 32, 3), classes=3)
    assert made("photos.npz")[0].raw["training"]["flip"] == "horizontal"


@pytest.mark.parametrize(
    "name",
    [
        "Käfer und Bäume 蜂",
        'a "quoted" one',
        "back\\slash\\n",
        "it's",
        "{braces} %s",
        "tab\tand\nnewline",
        "\x7f\u2028",
        "#",
    ],
    ids=ascii,
)
def test_any_name_of_a_folder_is_found_again(here: Path, name: str) -> None:
    photographs(here / name, dict.fromkeys(SPECIES, 4), ((12, 12),))
    search, _, look = made(name)
    assert search.datasets == (name,)
    assert "\n" not in search.title
    dataset = load_dataset(search.datasets[0], None, search.folder, search.image_size, search.channels)
    assert dataset.fingerprint == look.dataset.fingerprint


def test_a_name_that_is_not_unicode_is_refused(here: Path) -> None:
    name = os.fsdecode(b"K\xe4fer")
    photographs(here / name, dict.fromkeys(SPECIES, 4), ((12, 12),))
    with pytest.raises(InputError, match="is not UTF-8"):
        new_search("mine", name)
    assert not list(here.glob("searches/*"))


def test_data_in_the_working_folder_is_named_from_there_and_other_data_by_its_whole_path(here: Path) -> None:
    arrays(here / "data" / "mine.npz", (8, 8))
    arrays(here / "searches" / "beside.npz", (8, 8))
    outside = arrays(here.parent / "outside.npz", (8, 8))
    assert made("data/mine.npz")[0].datasets == ("data/mine.npz",)
    assert made(str(here / "data" / "mine.npz"))[0].datasets == ("data/mine.npz",)
    assert made("../project/data/mine.npz")[0].datasets == ("data/mine.npz",)
    assert made("beside.npz")[0].datasets == ("beside.npz",)
    assert made("../outside.npz")[0].datasets == (str(outside.resolve()),)
    for source in ("data/mine.npz", "beside.npz", str(outside)):
        search, _, look = made(source)
        again = load_dataset(search.datasets[0], None, search.folder)
        assert again.fingerprint == look.dataset.fingerprint


def test_a_folder_called_like_a_known_data_set_is_not_taken_for_it(here: Path) -> None:
    photographs(here / "digits", dict.fromkeys(SPECIES, 4), ((12, 12),))
    assert made("digits")[2].shape == (8, 8, 1)
    for source in ("./digits", str(here / "digits")):
        search, _, look = made(source)
        assert search.datasets == ("./digits",)
        assert look.shape == (12, 12, 3)
        assert load_dataset("./digits", None, search.folder).shape == look.shape


def test_a_data_folder_is_looked_into_and_named_in_the_command_that_starts_the_search(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuner.running.new.build_all", lambda *_: [])
    data = here.parent / "my data"
    arrays(data / "mnist.npz", (28, 28))
    photographs(data / "flowers", dict.fromkeys(SPECIES, 4), ((20, 20), (30, 30)))
    arrays(here / "flowers" / "same.npz", (8, 8))
    arrays(data / "flowers" / "same.npz", (9, 9))
    search, _, look = made("mnist", data)
    assert (search.datasets, len(look.dataset.y_train)) == (("mnist",), 60)
    search, _, look = made("flowers", data)
    assert (search.datasets, search.image_size) == (("flowers",), (24, 24))
    *_, last = summary(Path("searches/mine.toml"), look, data)
    assert last == f"start: tuner run mine --data-dir '{data}'"
    shadowed = str((here / "flowers" / "same.npz").resolve())
    assert made(shadowed, data)[0].datasets == (shadowed,)


def test_every_alternative_in_a_comment_is_understood(here: Path) -> None:
    photographs(here / "photos", dict.fromkeys(SPECIES, 10), ((32, 32),))
    text = file_text("mine", look_at("photos", None, Path("searches")))
    alternatives = re.findall(r"^# (?:\w+ = |\[\w+\]).*", text, re.MULTILINE)
    assert len(alternatives) >= 10
    for line in alternatives:
        text = text.replace(f"\n{line}\n", f"\n{line[2:]}\n")
    Path("all.toml").write_text(text.replace('algorithm = "grid"', 'algorithm = "random"'), encoding="utf-8")
    search = load_search(Path("all.toml"))
    assert search.compare == ("photos",)
    assert search.raw["watch"] == ["first"]
    assert search.protocol == "published"
    assert all(model_search.max_trials for model_search in search.model_searches)


def test_what_is_printed_is_the_dry_run_of_the_file(here: Path) -> None:
    arrays(here / "mine.npz", (8, 8), classes=4)
    path, look = new_search("mine", "mine.npz")
    *model_searches, total, start = summary(path, look)
    search = load_search(path)
    found = dry_run(search, None)["trials"]
    expected = []
    for model_search in search.model_searches:
        sizes = [trial["parameters"] for trial in found if trial["family"] == model_search.path]
        span = f"{min(sizes):,} to {max(sizes):,}" if len(set(sizes)) > 1 else f"{sizes[0]:,}"
        expected.append(
            f"{model_search.label}: {len(sizes)} configurations ({model_search.algorithm.name}), {span} parameters"
        )
    assert model_searches == expected
    finals = 5 * len(model_searches)
    searched = f"{len(found)} to search, {finals} to retrain"
    assert total == f"{len(found) + finals} trainings of at most 60 epochs: {searched}"
    assert start == "start: tuner run mine"


def test_a_file_that_is_there_is_kept_unless_forced(here: Path) -> None:
    arrays(here / "mine.npz", (8, 8))
    (here / "searches").mkdir()
    old = here / "searches" / "mine.toml"
    old.write_text("old")
    with pytest.raises(InputError, match=r"searches/mine.toml: is there already; .*--force"):
        new_search("mine", "mine.npz")
    with pytest.raises(InputError, match="no data set"):
        new_search("mine", "nowhere", force=True)
    assert old.read_text() == "old"
    new_search("mine", "mine.npz", force=True)
    assert tomllib.loads(old.read_text(encoding="utf-8"))["dataset"] == "mine.npz"
    assert [path.name for path in old.parent.iterdir()] == ["mine.toml"]


@pytest.mark.parametrize("name", ["", "a/b", "../x", "-x", ".x", "x y", "ä", "x.toml", "x\n", "x" * 101])
def test_a_name_that_is_no_name_of_a_search_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="is no name of a search"):
        new_search(name, "digits")


def test_a_searches_folder_that_cannot_be_made_costs_one_line(here: Path) -> None:
    arrays(here / "mine.npz", (8, 8))
    (here / "searches").write_text("a file")
    with pytest.raises(InputError, match=r"searches/mine.toml: cannot be written"):
        new_search("mine", "mine.npz")


@pytest.mark.parametrize(
    ("source", "fragment"),
    [
        ("nowhere", "no data set, .npz file or folder is named 'nowhere'"),
        ("digitz", "did you mean 'digits'?"),
        ("notes.txt", "cannot be read as an .npz"),
        ("hollow", "a class folder without images"),
        ("empty", "has no class folders with images"),
        ("broken", "cannot be read as an image"),
        ("lonely.npz", "y_train has one class only"),
        ("partly.npz", "has no x_test"),
        (".", "no data set, .npz file or folder"),
        ("x" * 5000, "no data set, .npz file or folder"),
    ],
    ids=lambda text: text[:20],
)
def test_wrong_data_gets_the_words_of_its_loader_and_leaves_nothing(here: Path, source: str, fragment: str) -> None:
    (here / "notes.txt").write_text("no arrays")
    (here / "hollow" / "cats").mkdir(parents=True)
    (here / "empty").mkdir()
    photographs(here / "broken", dict.fromkeys(SPECIES, 4))
    (here / "broken" / "ant" / "bad.png").write_text("no picture")
    arrays(here / "lonely.npz", (8, 8), classes=1)
    np.savez(here / "partly.npz", x_train=np.zeros((4, 8, 8), np.uint8), y_train=np.arange(4), y_test=np.arange(4))
    with pytest.raises(InputError) as caught:
        new_search("mine", source)
    assert fragment in str(caught.value)
    assert not (here / "searches").exists()


def test_the_command_writes_the_file_and_refuses_in_one_line(here: Path) -> None:
    first = tuner(here, "new", "mine", "--data", "digits")
    assert first.returncode == 0, first.stderr
    lines = first.stdout.splitlines()
    assert lines[0] == "wrote searches/mine.toml"
    assert lines[1].startswith("ANN: 10 configurations (grid), ")
    assert lines[-1] == "start: tuner run mine"
    assert first.stderr == ""
    for arguments, fragment in (
        (["mine", "--data", "digits"], "--force"),
        (["other", "--data", "nowhere"], "'nowhere'"),
        (["no/name", "--data", "digits"], "is no name of a search"),
        (["other"], "Missing option '--data'"),
    ):
        answer = tuner(here, "new", *arguments)
        assert (answer.returncode, answer.stdout) == (2, "")
        assert len(answer.stderr.splitlines()) == 1
        assert fragment in answer.stderr


def test_other_commands_do_not_import_what_this_one_needs(here: Path) -> None:
    arrays(here / "mine.npz", (8, 8))
    new_search("mine", "mine.npz")
    code = (
        "import sys\nfrom tuner.cli import app\n"
        "for arguments in (['--help'], ['list']):\n"
        "    app(arguments, standalone_mode=False)\n"
        "print({'tensorflow', 'keras', 'numpy', 'PIL', 'tuner.running.new'} & set(sys.modules))\n"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines()[-1] == "set()", answer.stdout


@pytest.mark.slow
def test_the_file_runs_as_it_is(here: Path) -> None:
    arrays(here / "tiny.npz", (4, 4, 3), classes=2, train=20, test=6)
    assert tuner(here, "new", "tiny", "--data", "tiny.npz").returncode == 0
    places = ("--runs-dir", str(here / "r"), "--reports-dir", str(here / "reports"))
    answer = tuner(here, "run", "tiny", "--epochs", "1", "--repeats", "1", "--workers", "1", *places)
    assert answer.returncode == 0, answer.stderr
    assert (here / "reports" / "tiny" / "report.md").is_file()
    search = load_search(here / "searches" / "tiny.toml")
    rows = tuner(here, "results", "tiny", "--format", "csv", *places).stdout.splitlines()[1:]
    assert len(rows) >= sum(model_search.planned() for model_search in search.model_searches)
    assert all("completed" in row for row in rows)
