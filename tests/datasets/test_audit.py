"""An audit: every image is looked at once, and what is wrong with a data set is told by the names of its images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tuner.datasets.audit import audit
from tuner.datasets.contact_sheet import write_contact_sheet
from tuner.datasets.looks import ALIKE
from tuner.errors import InputError


def picture(seed: int, size: tuple[int, int] = (80, 96)) -> Image.Image:
    """Return a photograph of a kind: soft blobs, unlike those of other seeds."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 6, 3)).astype(np.uint8))
    return coarse.resize(size[::-1], Image.Resampling.BICUBIC)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two classes of twelve in train, five in test, all of them different."""
    for split, count in (("train", 12), ("test", 5)):
        for place, name in enumerate(("cat", "dog")):
            (tmp_path / "photos" / split / name).mkdir(parents=True)
            for number in range(count):
                seed = 1000 * place + 100 * (split == "test") + number
                picture(seed).save(tmp_path / "photos" / split / name / f"{'abcdefghijkl'[number]}.png")
    return tmp_path / "photos"


def names(groups: object) -> list[list[str]]:
    return [[image.name for image in group] for group in groups]  # type: ignore[attr-defined]


def test_of_a_sound_folder_there_is_nothing_to_tell(photos: Path) -> None:
    found = audit(str(photos))
    assert len(found.images) == 34
    assert found.classes == ("cat", "dog")
    assert {split: dict(counts) for split, counts in found.counts.items()} == {
        "train": {"cat": 12, "dog": 12},
        "test": {"cat": 5, "dog": 5},
    }
    assert (found.bad, found.copies, found.alike, found.passed_over, found.subjects) == ((), (), (), (), {})
    assert found.wrong == 0


def test_copies_are_told_with_the_split_and_the_class_of_each(photos: Path) -> None:
    one = (photos / "train" / "cat" / "a.png").read_bytes()
    (photos / "test" / "cat" / "leaked.png").write_bytes(one)
    picture(1).save(photos / "train" / "dog" / "conflict.bmp")  # the same pixels in another file
    (photos / "train" / "dog" / "twice.png").write_bytes((photos / "train" / "dog" / "c.png").read_bytes())
    found = audit(str(photos))
    assert names(found.leaks) == [["train/cat/a.png", "test/cat/leaked.png"]]
    assert names(found.conflicts) == [["train/cat/b.png", "train/dog/conflict.bmp"]]
    assert len(found.copies) == 3
    assert found.wrong == 2, "an image that stands twice in training harms nobody"


def test_images_that_look_alike_are_told_in_pairs_and_copies_are_not(photos: Path) -> None:
    picture(0).resize((200, 180)).save(photos / "test" / "cat" / "larger.png")
    picture(1000).save(photos / "train" / "dog" / "worse.jpg", quality=30)
    (photos / "train" / "dog" / "copy.png").write_bytes((photos / "train" / "dog" / "b.png").read_bytes())
    found = audit(str(photos))
    assert names(found.alike_across) == [["train/cat/a.png", "test/cat/larger.png"]]
    assert ["train/dog/a.png", "train/dog/worse.jpg"] in names(found.alike)
    assert not [pair for pair in names(found.alike) if "train/dog/copy.png" in pair]
    for one, other in found.alike:
        assert ((one.looks or 0) ^ (other.looks or 0)).bit_count() <= ALIKE


def test_every_pair_of_few_different_bits_is_found(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    hashes = [int(rng.integers(0, 1 << 63)) for _ in range(10)]
    for number in range(24):  # with 0 to 5 bits turned, anywhere
        bits = rng.choice(64, number % 6, replace=False)
        hashes.append(hashes[number % 10] ^ sum(1 << int(bit) for bit in bits))
    given = iter(hashes)
    monkeypatch.setattr("tuner.datasets.audit.in_parallel", lambda function, items, what: map(function, items))
    monkeypatch.setattr("tuner.datasets.audit.looks_of", lambda pixels: next(given))
    found = audit(str(photos))
    looks = [image.looks or 0 for image in found.images]
    expected = sum(
        (one ^ other).bit_count() <= ALIKE for place, one in enumerate(looks) for other in looks[place + 1 :]
    )
    assert len(found.alike) == expected > 15


def test_all_files_that_cannot_be_used_are_listed_and_so_is_what_is_passed_over(photos: Path) -> None:
    (photos / "train" / "cat" / "broken.png").write_bytes(b"no picture")
    (photos / "train" / "dog" / "cut.png").write_bytes((photos / "train" / "dog" / "a.png").read_bytes()[:300])
    (photos / "train" / "dog" / "out.png").symlink_to("/etc/hostname")
    (photos / "train" / "cat" / "notes.txt").write_text("mine")
    (photos / "train" / "cat" / "deeper").mkdir()
    (photos / "labels.csv").write_text("mine")
    (photos / "train" / ".hidden").mkdir()
    found = audit(str(photos))
    assert {name for name, _ in found.bad} == {"train/cat/broken.png", "train/dog/cut.png", "train/dog/out.png"}
    assert set(found.passed_over) == {"train/cat/notes.txt", "train/cat/deeper", "labels.csv"}
    assert len(found.images) == 34
    assert found.wrong == 3


def test_names_with_a_number_at_their_end_tell_subjects_apart(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for place, name in enumerate(("ill", "well")):
            (tmp_path / split / name).mkdir(parents=True)
            for subject in range(4):
                for number in range(3):
                    seed = 500 * place + 50 * subject + 10 * (split == "test") + number
                    picture(seed).save(tmp_path / split / name / f"patient{name}{subject}x_{number}.png")
    found = audit(str(tmp_path))
    assert len(found.subjects) == 8
    assert {len(images) for images in found.subjects.values()} == {6}
    for path in tmp_path.glob("*/*/*.png"):  # all of one stem: a camera's numbers
        path.rename(path.with_name(f"IMG_{abs(hash(path.name)) % 10_000:04}.png"))
    assert audit(str(tmp_path)).subjects == {}


def test_arrays_are_told_by_their_places(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (20, 8, 8)).astype(np.uint8), np.arange(20) % 2
    x_test, y_test = rng.integers(0, 256, (6, 8, 8)).astype(np.uint8), np.arange(6) % 2
    x_test[3] = x[5]
    x[7] = x[4]
    np.savez(tmp_path / "a.npz", x_train=x, y_train=y, x_test=x_test, y_test=y_test, x_val=x[:2] // 2, y_val=y[:2])
    found = audit(str(tmp_path / "a.npz"))
    assert names(found.leaks) == [["train 5", "test 3"]]
    assert names(found.conflicts) == [["train 4", "train 7"]]
    assert sum(found.counts["val"].values()) == 2
    assert found.alike == (), "so small images all look alike"
    write_contact_sheet(found, tmp_path / "sheet.png")
    assert Image.open(tmp_path / "sheet.png").size[0] > 900


def test_a_contact_sheet_has_a_row_for_each_class(photos: Path, tmp_path: Path) -> None:
    found = audit(str(photos))
    write_contact_sheet(found, tmp_path / "sheet.png")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape[0] == 2 * (96 + 20 + 6) + 6
    colours = [len(np.unique(sheet[top : top + 60].reshape(-1, 3), axis=0)) for top in (40, 165)]
    assert min(colours) > 500, "there are photographs in both rows"
    (photos / "train" / "cat" / "a.png").unlink()
    write_contact_sheet(found, tmp_path / "sheet.png")
    with pytest.raises(InputError, match="cannot be written"):
        write_contact_sheet(found, tmp_path / "nowhere" / "sheet.png")


def test_what_is_no_data_set_is_refused_as_anywhere_else(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no data set, \.npz file or folder is named"):
        audit("nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="has no class folders with images"):
        audit(str(tmp_path / "empty"))
    (tmp_path / "all" / "a").mkdir(parents=True)
    (tmp_path / "all" / "a" / "x.png").write_bytes(b"none")
    with pytest.raises(InputError, match="has no image that can be used"):
        audit(str(tmp_path / "all"))
