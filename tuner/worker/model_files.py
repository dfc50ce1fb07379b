"""Saved models and predictions without what differs from one saving to the next: the same content, the same bytes."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

#: Members of a `.keras` file.
_CONFIG, _METADATA = "config.json", "metadata.json"
#: How Keras marks in a configuration what several layers share: by its address in memory.
_SHARED = "shared_object_id"


def make_reproducible(path: Path) -> None:
    """Rewrite a `.keras` or `.npz` file without dates, and with numbers in the place of addresses in memory.

    What is read back is the same; of shared objects Keras asks only which ones are the same.
    """
    with zipfile.ZipFile(path) as archive:
        members = [(member, archive.read(member)) for member in archive.infolist()]
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members:
            undated = zipfile.ZipInfo(member.filename)  # of 1980, when the dates of archives begin
            undated.compress_type = member.compress_type
            archive.writestr(undated, _reproducible(member.filename, content))


def _reproducible(name: str, content: bytes) -> bytes:
    if name == _METADATA:
        about = json.loads(content)
        about.pop("date_saved", None)
        return json.dumps(about).encode()
    if name == _CONFIG:
        return json.dumps(_numbered(json.loads(content), {})).encode()
    return content


def _numbered(part: Any, numbers: dict[int, int]) -> Any:
    """Return a part of a configuration whose shared objects are numbered from 1 in the order of their appearance."""
    if isinstance(part, dict):
        return {
            key: numbers.setdefault(value, len(numbers) + 1) if key == _SHARED else _numbered(value, numbers)
            for key, value in part.items()
        }
    return [_numbered(item, numbers) for item in part] if isinstance(part, list) else part
