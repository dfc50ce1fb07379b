"""CIFAR-10 and CIFAR-100: records and pixels, fine and coarse labels, downloads, local archives and damage."""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tuner.datasets import DATASETS, cifar, load_dataset
from tuner.datasets.cifar import COARSE_NAMES, FINE_NAMES
from tuner.errors import InputError

Members = dict[str, bytes | None]

ARCHIVES = {
    "cifar10": "cifar-10-binary.tar.gz",
    "cifar100": "cifar-100-binary.tar.gz",
    "cifar100_coarse": "cifar-100-binary.tar.gz",
}
BATCHES = [f"cifar-10-batches-bin/data_batch_{number}.bin" for number in range(1, 6)]
TEST_BATCH = "cifar-10-batches-bin/test_batch.bin"
TRAIN, TEST = "cifar-100-binary/train.bin", "cifar-100-binary/test.bin"


def record(*labels: int, image: bytes | None = None) -> bytes:
    """Return a record: its label bytes, then the red, the green and the blue plane; noise without an image."""
    noise = np.random.default_rng(labels).integers(0, 256, 3072, dtype=np.uint8).tobytes()
    return bytes(labels) + (image or noise)


def cifar10(**changed: bytes | None) -> Members:
    """Return the members of a small CIFAR-10: batch n holds the labels 2 n - 2 and 2 n - 1."""
    members: Members = {"cifar-10-batches-bin/batches.meta.txt": b"airplane\n"}
    members |= {name: record(2 * k) + record(2 * k + 1) for k, name in enumerate(BATCHES)}
    members |= {TEST_BATCH: record(9) + record(0) + record(4)}
    return members | {f"cifar-10-batches-bin/{key}.bin": content for key, content in changed.items()}


def cifar100(**changed: bytes | None) -> Members:
    """Return the members of a small CIFAR-100: each record has its coarse label before its fine one."""
    members: Members = {"cifar-100-binary/fine_label_names.txt": b"apple\n"}
    members |= {TRAIN: record(4, 0) + record(1, 1) + record(5, 99) + record(19, 81)}
    members |= {TEST: record(5, 99) + record(4, 0)}
    return members | {f"cifar-100-binary/{key}.bin": content for key, content in changed.items()}


MEMBERS = {"cifar10": cifar10, "cifar100": cifar100, "cifar100_coarse": cifar100}


def write(folder: Path, name: str, **changed: bytes | None) -> Path:
    """Write the archive of a data set; `test_batch=…` and so on give a member other bytes or leave it out."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ARCHIVES[name]
    with tarfile.open(path, "w:gz") as archive:
        for member, content in MEMBERS[name](**changed).items():
            if content is not None:
                info = tarfile.TarInfo(member)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return path


@pytest.mark.parametrize(
    ("name", "y_train", "y_test"),
    [
        ("cifar10", list(range(10)), [9, 0, 4]),
        ("cifar100", [0, 1, 99, 81], [99, 0]),
        ("cifar100_coarse", [4, 1, 5, 19], [5, 4]),
    ],
)
def test_an_archive_is_downloaded_and_read_in_order(tmp_path, mirrored, name, y_train, y_test):
    write(tmp_path / "published", name)
    mirrored(DATASETS[name], tmp_path / "published")
    dataset = load_dataset(name)
    assert dataset.name == name
    assert (dataset.shape, dataset.class_names) == (DATASETS[name].shape, DATASETS[name].class_names)
    assert dataset.class_names == DATASETS[name].class_names
    assert dataset.y_train.tolist() == y_train
    assert dataset.y_test.tolist() == y_test
    assert dataset.source == f"{ARCHIVES[name]} from localhost"
    assert dataset.x_train.flags.c_contiguous


def test_the_names_of_the_classes_are_in_the_order_of_their_labels():
    assert DATASETS["cifar10"].class_names[3] == "cat"
    assert (FINE_NAMES[0], FINE_NAMES[19], FINE_NAMES[81], FINE_NAMES[99]) == ("apple", "cattle", "streetcar", "worm")
    assert (COARSE_NAMES[4], COARSE_NAMES[11]) == ("fruit_and_vegetables", "large_omnivores_and_herbivores")
    assert list(FINE_NAMES) == sorted(FINE_NAMES)  # the published labels are in the order of the alphabet
    assert list(COARSE_NAMES) == sorted(COARSE_NAMES)


@pytest.mark.parametrize(
    ("name", "key", "labels", "label"),
    [
        ("cifar10", "data_batch_1", (3,), 3),
        ("cifar100", "train", (8, 42), 42),
        ("cifar100_coarse", "train", (8, 42), 8),
    ],
)
def test_a_pixel_has_its_red_green_and_blue_in_its_row_and_column(tmp_path, no_download, name, key, labels, label):
    image = bytearray(3072)
    image[0 * 1024 + 5 * 32 + 7] = 10  # red, the sixth row, the eighth column
    image[1 * 1024 + 5 * 32 + 7] = 20  # green
    image[2 * 1024 + 5 * 32 + 7] = 30  # blue
    image[2 * 1024 + 0 * 32 + 31] = 255  # blue, the upper right corner
    before = MEMBERS[name]()[BATCHES[0] if name == "cifar10" else TRAIN] or b""
    place = len(before) // (len(labels) + 3072)
    write(tmp_path, name, **{key: before + record(*labels, image=bytes(image))})
    dataset = load_dataset(name, data_dir=tmp_path)
    picture = dataset.x_train[place]
    assert dataset.y_train[place] == label
    assert picture[5, 7].tolist() == [10, 20, 30]
    assert picture[0, 31].tolist() == [0, 0, 255]
    assert np.count_nonzero(picture) == 4


def test_every_byte_of_a_record_is_where_it_belongs(tmp_path, no_download):
    image = np.random.default_rng(1).integers(0, 256, 3072, dtype=np.uint8)
    write(tmp_path, "cifar10", test_batch=record(2, image=image.tobytes()))
    picture = load_dataset("cifar10", data_dir=tmp_path).x_test[0]
    for channel, row, column in np.ndindex(3, 32, 32):
        assert picture[row, column, channel] == image[1024 * channel + 32 * row + column]


def test_fine_and_coarse_labels_belong_to_the_same_images(tmp_path, no_download):
    write(tmp_path, "cifar100")
    fine, coarse = (load_dataset(name, data_dir=tmp_path) for name in ("cifar100", "cifar100_coarse"))
    np.testing.assert_array_equal(fine.x_train, coarse.x_train)
    np.testing.assert_array_equal(fine.x_test, coarse.x_test)
    assert fine.class_names[fine.y_test[0]] == "worm"
    assert coarse.class_names[coarse.y_test[0]] == "household_electrical_devices"
    assert fine.fingerprint != coarse.fingerprint


def test_a_download_stays_in_the_cache_for_both_kinds_of_labels(tmp_path, keras_cache, mirrored):
    path = write(tmp_path / "published", "cifar100")
    for name in ("cifar100", "cifar100_coarse"):
        mirrored(DATASETS[name], path.parent)
    load_dataset("cifar100")
    path.unlink()
    assert load_dataset("cifar100_coarse").y_train.tolist() == [4, 1, 5, 19]
    assert [file.name for file in keras_cache.iterdir()] == ["cifar-100-binary.tar.gz"]


@pytest.mark.parametrize("name", ARCHIVES)
@pytest.mark.parametrize(
    ("present", "problem"),
    [pytest.param(True, "hash does not match", id="another MD5"), pytest.param(False, "URL fetch", id="not there")],
)
def test_a_download_that_fails_is_one_line_with_the_remedy(tmp_path, mirrored, name, present, problem):
    if present:
        write(tmp_path, name)
    mirrored(DATASETS[name], tmp_path, md5="0" * 32)
    with pytest.raises(InputError) as caught:
        load_dataset(name)
    text = str(caught.value)
    assert text.startswith(f"{name}: the download of {ARCHIVES[name]} failed (")
    assert problem in text
    assert text.endswith(f"; go online, or pass --data-dir with {name}.npz in it (or the {ARCHIVES[name]})")
    assert "\n" not in text


def test_a_download_that_came_damaged_is_tried_again(tmp_path, mirrored):
    write(tmp_path, "cifar10")
    mirrored(DATASETS["cifar10"], tmp_path, md5="0" * 32)
    with pytest.raises(InputError):
        load_dataset("cifar10")
    write(tmp_path, "cifar10", test_batch=record(5))
    mirrored(DATASETS["cifar10"], tmp_path)
    assert load_dataset("cifar10").y_test.tolist() == [5]


@pytest.mark.parametrize("name", ARCHIVES)
def test_the_archive_in_the_data_dir_is_read_in_place_of_a_download(tmp_path, no_download, name):
    write(tmp_path, name)
    dataset = load_dataset(name, data_dir=tmp_path)
    assert dataset.name == name
    assert dataset.class_names == DATASETS[name].class_names
    assert dataset.source == ARCHIVES[name]


def test_an_npz_file_and_class_folders_come_before_the_archive(tmp_path, no_download):
    write(tmp_path, "cifar10")
    (tmp_path / "cifar10").mkdir()
    assert load_dataset("cifar10", data_dir=tmp_path).source == "cifar-10-binary.tar.gz"
    for name in ("ant", "bee"):
        (tmp_path / "cifar10" / name).mkdir()
        for number in range(5):
            Image.new("RGB", (4, 4), (9, number, 9)).save(tmp_path / "cifar10" / name / f"{number}.png")
    assert load_dataset("cifar10", data_dir=tmp_path).source == "folder cifar10 of .png files"
    x, y = np.zeros((4, 3, 3), np.uint8), np.array([0, 1, 0, 1])
    np.savez(tmp_path / "cifar10.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    assert load_dataset("cifar10", data_dir=tmp_path).source == "cifar10.npz"


@pytest.mark.parametrize(
    ("name", "changed", "problem"),
    [
        pytest.param("cifar10", {"data_batch_4": None}, f"has no {BATCHES[3]}", id="no fourth batch"),
        pytest.param("cifar10", {"test_batch": None}, f"has no {TEST_BATCH}", id="no test batch"),
        pytest.param("cifar100", {"train": None}, f"has no {TRAIN}", id="no train"),
        pytest.param("cifar100_coarse", {"test": None}, f"has no {TEST}", id="no test"),
        pytest.param(
            "cifar10", {"data_batch_2": record(1)[:-1]}, f"{BATCHES[1]} has 3072 bytes, which is no", id="a byte less"
        ),
        pytest.param(
            "cifar100",
            {"test": record(1, 1) + b"\0"},
            f"{TEST} has 3075 bytes, which is no multiple of 3074, a record's",
            id="a byte more",
        ),
        pytest.param("cifar10", {"data_batch_5": b""}, f"{BATCHES[4]} is empty", id="an empty batch"),
        pytest.param(
            "cifar10",
            {"data_batch_1": record(1) + record(10)},
            f"{BATCHES[0]} has the label 10 in record 2, but there are 10 classes",
            id="label",
        ),
        pytest.param("cifar100", {"train": record(1, 100)}, f"{TRAIN} has the label 100 in record 1", id="fine label"),
        pytest.param("cifar100", {"train": record(20, 1)}, f"{TRAIN} has the label 20 in record 1", id="coarse label"),
        pytest.param("cifar100", {"test": record(1, 7)}, "y_test has the label 7, which y_train", id="unseen label"),
    ],
)
def test_a_wrong_archive_is_refused_with_its_path_and_what_is_wrong_in_it(
    tmp_path, no_download, name, changed, problem
):
    path = write(tmp_path, name, **changed)
    with pytest.raises(InputError) as caught:
        load_dataset(name, data_dir=tmp_path)
    assert str(caught.value).startswith(f"{path}: {problem}")
    assert "\n" not in str(caught.value)


def test_a_member_that_is_a_link_or_a_folder_is_not_a_member(tmp_path, no_download):
    path = tmp_path / "cifar-100-binary.tar.gz"
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE):
        with tarfile.open(path, "w:gz") as archive:
            info = tarfile.TarInfo(TRAIN)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        with pytest.raises(InputError, match=rf"cifar-100-binary\.tar\.gz: has no {TRAIN}"):
            load_dataset("cifar100", data_dir=tmp_path)


def test_a_sparse_member_which_says_to_be_larger_than_it_is_is_not_a_member(tmp_path, no_download):
    path = tmp_path / "cifar-100-binary.tar.gz"
    info = tarfile.TarInfo(TRAIN)
    info.pax_headers = {"GNU.sparse.map": "0,1", "GNU.sparse.size": str(10**12), "GNU.sparse.major": "0"}
    info.size = 1
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info, io.BytesIO(b"x"))
    with pytest.raises(InputError, match=f"has no {TRAIN}"):
        load_dataset("cifar100", data_dir=tmp_path)


def test_members_that_lead_elsewhere_are_passed_over_and_nothing_is_written(tmp_path, no_download):
    path = write(tmp_path / "data", "cifar100")
    content = gzip.decompress(path.read_bytes())
    outside = io.BytesIO()
    with tarfile.open(fileobj=outside, mode="w") as archive:
        for name in ("../escaped.bin", str(tmp_path / "absolute.bin")):
            info = tarfile.TarInfo(name)
            info.size = 4
            archive.addfile(info, io.BytesIO(b"evil"))
    members = outside.getvalue()[: 4 * 512]  # without the end, so that the good archive follows
    path.write_bytes(gzip.compress(members + content))
    before = sorted(tmp_path.rglob("*"))
    assert load_dataset("cifar100", data_dir=tmp_path / "data").y_train.tolist() == [0, 1, 99, 81]
    assert sorted(tmp_path.rglob("*")) == before


def test_an_archive_is_unpacked_no_further_than_a_published_one_reaches(tmp_path, no_download, monkeypatch):
    path = write(tmp_path, "cifar10")
    monkeypatch.setattr(cifar, "MOST_ARCHIVE", 100_000)
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + bytes(200_000)))
    with pytest.raises(InputError, match=r"cifar-10-binary\.tar\.gz: is larger than 100 kB unpacked"):
        load_dataset("cifar10", data_dir=tmp_path)


def test_an_archive_of_very_many_members_is_refused(tmp_path, no_download):
    path = tmp_path / "cifar-10-binary.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for number in range(101):
            archive.addfile(tarfile.TarInfo(f"{number}"))
    with pytest.raises(InputError, match="has more than 100 members"):
        load_dataset("cifar10", data_dir=tmp_path)


def test_a_member_that_is_longer_than_the_archive_is_refused(tmp_path, no_download):
    path = tmp_path / "cifar-100-binary.tar.gz"
    info = tarfile.TarInfo(TRAIN)
    info.size = 10**9
    path.write_bytes(gzip.compress(info.tobuf() + bytes(2000)))
    with pytest.raises(InputError, match=r"breaks off within|cannot be read as a \.tar\.gz archive"):
        load_dataset("cifar100", data_dir=tmp_path)


def test_the_archive_of_pickles_is_not_looked_at(tmp_path, mirrored):
    class Mischief:
        def __reduce__(self):
            return Path.touch, (tmp_path / "ran",)

    data = tmp_path / "data"
    data.mkdir()
    with tarfile.open(data / "cifar-10-python.tar.gz", "w:gz") as archive:
        content = pickle.dumps(Mischief())
        info = tarfile.TarInfo("cifar-10-batches-py/data_batch_1")
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    write(tmp_path / "published", "cifar10")
    mirrored(DATASETS["cifar10"], tmp_path / "published")
    assert load_dataset("cifar10", data_dir=data).source == "cifar-10-binary.tar.gz from localhost"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"I am no archive", id="text"),
        pytest.param(b"\x1f\x8b\x08" + bytes(60), id="no compression"),
    ],
)
def test_a_file_that_is_no_archive_is_refused(tmp_path, no_download, content):
    path = tmp_path / "cifar-10-binary.tar.gz"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_dataset("cifar10", data_dir=tmp_path)
    assert str(caught.value).startswith(f"{path}: cannot be read as a .tar.gz archive (")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("share", np.linspace(0.01, 0.999, 15).round(3).tolist())
@pytest.mark.parametrize("damage", ["cut off", "a byte changed"])
def test_an_archive_that_is_damaged_anywhere_is_refused(tmp_path, no_download, share, damage):
    path = write(tmp_path, "cifar10")
    content = bytearray(path.read_bytes())
    position = int(share * len(content))
    if damage == "cut off":
        del content[position:]
    else:
        content[position] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_dataset("cifar10", data_dir=tmp_path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_damage_behind_the_last_member_is_found_by_the_checksum(tmp_path, no_download):
    path = write(tmp_path, "cifar10")
    content = bytearray(path.read_bytes())
    content[-8] ^= 0xFF  # the checksum that gzip keeps at the end
    path.write_bytes(content)
    with pytest.raises(InputError, match="CRC check failed"):
        load_dataset("cifar10", data_dir=tmp_path)
