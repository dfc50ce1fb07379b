"""`.npz` files of strangers: sizes are compared before anything is unpacked, and no more is unpacked than they say."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tuner.untrusted.arrays import read_arrays

GOOD = np.arange(12, dtype=np.uint8).reshape(3, 4)


def npy(array: NDArray[Any], shape: object = None, descr: object = None, version: int = 1) -> bytes:
    """Return an array as `.npy` has it, with another shape or type in its header where the test asks for it."""
    header = repr({"descr": descr or array.dtype.str, "fortran_order": False, "shape": shape or array.shape})
    text = (header + "\n").encode()
    length = struct.pack("<H", len(text)) if version == 1 else struct.pack("<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + length + text + array.tobytes()


def write(path: Path, packing: int = zipfile.ZIP_DEFLATED, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("version", [1, 2])
def test_arrays_are_read_as_numpy_reads_them(tmp_path, packing, version):
    path = write(tmp_path / "x.npz", packing, a=npy(GOOD, version=version), b=npy(GOOD * 2, version=version))
    found = read_arrays(path, 10_000)
    assert found.keys() == {"a", "b"}
    np.testing.assert_array_equal(found["a"], np.load(path)["a"])
    np.testing.assert_array_equal(found["b"], GOOD * 2)


def test_what_numpy_saves_is_read(tmp_path):
    arrays = {"f": np.asfortranarray(GOOD), "s": np.array(["a", "bc"]), "n": np.array(7), "e": GOOD[:0]}
    np.savez_compressed(tmp_path / "x.npz", **arrays)
    found = read_arrays(tmp_path / "x.npz", 10_000)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)


def test_only_what_is_asked_for_counts_and_is_read(tmp_path):
    path = write(tmp_path / "x.npz", a=npy(GOOD), large=npy(np.zeros(10**6, np.uint8)), junk=b"not an array")
    assert read_arrays(path, 10_000, ["a", "absent"]).keys() == {"a"}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(npy(GOOD, shape=(10**12,)), r"'a' has the shape \(1000000000000,\) of uint8", id="a larger shape"),
        pytest.param(npy(GOOD, shape=(3,)), r"'a' has the shape \(3,\) of uint8, and", id="a smaller shape"),
        pytest.param(npy(GOOD, shape=(-3, -4)), r"shape \(-3, -4\)", id="a negative shape"),
        pytest.param(npy(GOOD, shape=(2**40, 2**40, 0)), r"'a' has the shape", id="nothing of a huge shape"),
        pytest.param(npy(GOOD, descr="<U100000000"), "'a' has the shape", id="long strings"),
        pytest.param(npy(GOOD, descr="|O"), "Object arrays are pickles", id="a pickle"),
        pytest.param(npy(GOOD, descr=[("x", "|O")]), "Object arrays are pickles", id="a pickle in a record"),
        pytest.param(npy(GOOD, version=3), "has no header of a plain array", id="another version"),
        pytest.param(npy(GOOD)[:20], "has no header of a plain array", id="half a header"),
        pytest.param(b"", "has no header of a plain array", id="nothing"),
        pytest.param(
            b"\x93NUMPY\x02\x00\xff\xff\xff\x7f" + b" " * 10**7, "has no header of a plain array", id="a header of 2 GB"
        ),
        pytest.param(
            b"\x93NUMPY\x01\x00\xff\x20" + b"(" * 0x20FF, "has no header of a plain array", id="a header of brackets"
        ),
        pytest.param(
            b"\x93NUMPY\x01\x00\x20\x00" + b"__import__('os').abort()".ljust(32),
            "has no header of a plain array",
            id="code for a header",
        ),
    ],
)
def test_a_member_whose_header_does_not_fit_is_refused_without_the_memory_that_it_claims(
    tmp_path, peak_memory, content, problem
):
    path = write(tmp_path / "x.npz", a=content)
    with peak_memory(20_000_000), pytest.raises(ValueError, match=problem):
        read_arrays(path, 10**15)


def test_a_bomb_is_refused_by_its_size_before_it_is_unpacked(tmp_path, peak_memory):
    path = write(tmp_path / "x.npz", a=npy(np.zeros(300_000_000, np.uint8)))
    assert path.stat().st_size < 400_000
    with (
        peak_memory(5_000_000),
        pytest.raises(ValueError, match="its arrays take 300 MB unpacked, and at most 10 kB are read"),
    ):
        read_arrays(path, 10_000)


def test_many_arrays_count_together(tmp_path):
    path = write(tmp_path / "x.npz", a=npy(GOOD), b=npy(GOOD))
    with pytest.raises(ValueError, match=r"its arrays take \d+ bytes unpacked, and at most 100 bytes"):
        read_arrays(path, 100)


def test_no_more_is_unpacked_than_the_directory_says(tmp_path, peak_memory):
    """A member whose data go on for 200 MB behind what header, directory and checksum tell of."""
    content = npy(GOOD)
    path = write(tmp_path / "x.npz", a=content + bytes(200_000_000))
    raw = bytearray(path.read_bytes())
    told, whole = struct.pack("<I", len(content)), struct.pack("<I", len(content) + 200_000_000)
    sums = struct.pack("<I", zlib.crc32(content)), struct.pack("<I", zlib.crc32(content + bytes(200_000_000)))
    raw = raw.replace(whole, told).replace(sums[1], sums[0])
    path.write_bytes(raw)
    with peak_memory(5_000_000):
        found = read_arrays(path, 10_000)
    np.testing.assert_array_equal(found["a"], GOOD)


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_packing_that_takes_memory_of_its_own_is_refused(tmp_path, packing):
    with pytest.raises(ValueError, match="packed in a way that numpy does not write"):
        read_arrays(write(tmp_path / "x.npz", packing, a=npy(GOOD)), 10_000)


def test_two_arrays_of_one_name_are_refused(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.npy", npy(GOOD))
        archive.writestr("a", npy(GOOD * 2))
    with pytest.raises(ValueError, match="two arrays named 'a'"):
        read_arrays(buffer, 10_000)
