"""Several searches of one project that run at once, in processes of their own, on one ledger."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from small_project import ONE_TRIAL, make_project, start, tuner

#: What each tries; the first shares 8 with the second and 4 with the third, which shares 16 with the fourth.
UNITS = {"first": [4, 8], "second": [8, 12], "third": [4, 16], "fourth": [16, 20]}


def test_all_come_to_their_end_and_no_row_is_lost_or_written_twice(tmp_path: Path, blobs_npz: Path) -> None:
    make_project(tmp_path, blobs_npz)
    (tmp_path / "searches" / "small.toml").unlink()
    for name, units in UNITS.items():
        text = ONE_TRIAL.replace("dense_units = 4", f"dense_units = {units}")
        (tmp_path / "searches" / f"{name}.toml").write_text(text)
    running = {name: start(tmp_path, "run", name, "--workers", "1") for name in UNITS}
    for name, command in running.items():
        _, err = command.communicate()
        assert (name, command.poll(), "Traceback" in err) == (name, 0, False), err
        assert (tmp_path / "reports" / name / "report.md").is_file()
    rows = {name: json.loads(tuner(tmp_path, "results", name, "--format", "json").stdout) for name in UNITS}
    assert {name: sorted(row["dense_units"] for row in of) for name, of in rows.items()} == UNITS
    database = sqlite3.connect(tmp_path / "runs" / "ledger.sqlite")
    listed = database.execute("SELECT search, role, count(*) FROM members GROUP BY search, role").fetchall()
    assert sorted(listed) == sorted(
        (name, role, count) for name in UNITS for role, count in (("search", 2), ("final", 1))
    )
    values = database.execute(
        "SELECT json_extract(content, '$.values.dense_units') FROM trials WHERE content LIKE '%\"role\": \"search\"%'"
    ).fetchall()
    assert sorted(units for (units,) in values) == [4, 8, 12, 16, 20]
    ((unfinished,),) = database.execute("SELECT count(*) FROM searches WHERE finished IS NULL").fetchall()
    ((lost,),) = database.execute(
        "SELECT count(*) FROM members WHERE trial NOT IN (SELECT trial FROM trials)"
    ).fetchall()
    ((whole,),) = database.execute("PRAGMA integrity_check").fetchall()
    database.close()
    assert (unfinished, lost, whole) == (0, 0, "ok")
