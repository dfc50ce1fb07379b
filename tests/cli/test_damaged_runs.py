"""What may lie in the place of files in `runs/` that a run writes: it is said in a line, or made again."""

from __future__ import annotations

from pathlib import Path

from bad_input import link, own_network, written
from small_project import tuner

OTHER = "27 bytes of another file.\n"


def test_nothing_is_written_through_a_log_of_workers_that_is_a_link(tmp_path: Path) -> None:
    case = own_network("a network that is none", "def build(hp):\n    return 'a net'\n")
    log = "runs/workers.log"
    for given in (*case.given, written("notes.txt", OTHER), link(log, "../notes.txt")):
        given(tmp_path)
    ran = tuner(tmp_path, *case.arguments)
    assert ran.returncode == 2
    said = f"tuner: {log}: is a link, and nothing is written through links; remove it"
    assert [line for line in ran.stderr.splitlines() if line.startswith("tuner: ")] == [said]
    assert "Traceback" not in ran.stderr
    assert (tmp_path / "notes.txt").read_text() == OTHER
    assert (tmp_path / log).is_symlink()
