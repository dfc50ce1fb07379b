"""What the operating system is asked: how a disk is reached, and whether searches run here at all."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tuner.system.machine import file_system_of, is_shared, network_disk, started_at, still_runs

MOUNTS = r"""
22 28 0:20 / /proc rw,nosuid - proc proc rw
28 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 28 0:44 / /home rw,relatime shared:5 master:1 - nfs4 server:/home rw,vers=4.2,addr=10.0.0.1
41 40 0:45 / /home/me/scratch rw - xfs /dev/sdb rw
42 28 0:46 / /mnt/a\040disk rw - cifs //server/share rw
43 28 0:47 / /mnt/over rw - ext4 /dev/sdc rw
44 28 0:48 / /mnt/over rw - lustre mgs:/fs rw
45 28 0:49 / /mnt/ssh rw - fuse.sshfs me@there: rw
a line that is none
46 28 0:50 / /mnt/short
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/tmp/runs", "ext4"),  # noqa: S108  # nothing is written there
        ("/home", "nfs4"),
        ("/home/me/runs/ledger.sqlite", "nfs4"),
        ("/homes/me", "ext4"),
        ("/home/me/scratch/runs", "xfs"),
        ("/mnt/a disk/runs", "cifs"),
        ("/mnt/over/runs", "lustre"),
        ("/mnt/ssh/runs", "fuse.sshfs"),
        ("/mnt/short/runs", "ext4"),
    ],
)
def test_a_path_lies_on_the_deepest_mount_above_it_and_of_several_there_on_the_last(path: str, kind: str) -> None:
    assert file_system_of(path, MOUNTS) == kind


def test_without_a_mount_table_nothing_is_known() -> None:
    assert file_system_of("/home", "") == ""


@pytest.mark.parametrize(
    "kind", ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "fuse.new", "lustre", "ceph", "9p", "beegfs"]
)
def test_what_several_machines_may_write_to_is_shared(kind: str) -> None:
    assert is_shared(kind)


@pytest.mark.parametrize(
    "kind", ["", "ext4", "xfs", "btrfs", "tmpfs", "overlay", "fuseblk", "fuse.mergerfs", "zfs", "f"]
)
def test_a_disk_of_this_machine_is_not(kind: str) -> None:
    assert not is_shared(kind)


def test_links_are_followed_to_where_a_file_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "runs").symlink_to("there")
    table = tmp_path / "mountinfo"
    line = "1 0 0:1 / {} rw - {} x rw\n"
    table.write_text(line.format("/", "ext4") + line.format(tmp_path / "there", "nfs"))
    monkeypatch.setattr("tuner.system.machine._MOUNTS", table)
    assert network_disk(tmp_path / "runs" / "ledger.sqlite") == "nfs"
    assert network_disk(tmp_path / "ledger.sqlite") == ""
    monkeypatch.setattr("tuner.system.machine._MOUNTS", tmp_path / "none")
    assert network_disk(tmp_path / "runs") == ""


#: Takes away what Windows has not: modules, functions of `os`, signals.
WITHOUT_POSIX = """
import os, signal, sys
import multiprocessing.context  # the interpreter's own, which would look for what is taken away
from importlib.abc import MetaPathFinder

class Hidden(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name in ("fcntl", "resource", "pwd", "grp", "termios", "pty"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Hidden())
for name in "fork forkpty getuid geteuid sysconf sched_getaffinity mkfifo killpg O_NOFOLLOW O_NONBLOCK".split():
    delattr(os, name)
for name in ("SIGHUP", "SIGKILL", "SIGUSR1"):
    delattr(signal, name)
del multiprocessing.context.ForkServerProcess
"""


def without_posix(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_POSIX + textwrap.dedent(code)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
        env={
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "PATH": "",
            "HOME": str(folder),
            "MPLCONFIGDIR": str(folder.parent),
        },
        check=False,
    )


def test_the_package_is_imported_where_there_is_no_posix(tmp_path: Path) -> None:
    code = """
    import tuner, tuner.ledger.ledger, tuner.cli, tuner.system.interrupts
    import tuner.executors.local, tuner.executors.shipping
    tuner.results, tuner.run, tuner.load_findings
    from pathlib import Path
    with tuner.ledger.ledger.Ledger(Path("ledger.sqlite")) as ledger:
        ledger.open_search("mine", "key", "{}")
        print(ledger.is_finished("mine"))
    """
    answer = without_posix(tmp_path, code)
    assert (answer.stdout, answer.stderr, answer.returncode) == ("False\n", "", 0)


def test_a_search_that_is_started_where_nothing_can_be_forked_says_where_it_runs(tmp_path: Path) -> None:
    text = 'title = "x"\ndataset = "digits"\n[training]\nepochs = 1\n[[search]]\nfamily = "ann"\n'
    (tmp_path / "searches").mkdir()
    (tmp_path / "searches" / "mine.toml").write_text(text)
    code = """
    sys.argv = ["tuner", "run", "mine"]
    from tuner.cli import main
    main()
    """
    answer = without_posix(tmp_path, code)
    assert answer.stderr == (
        "tuner: this system: cannot train: trials run in forked processes, which Windows has not; run searches in WSL, "
        "the Windows Subsystem for Linux; what one has recorded can be read here\n"
    )
    assert answer.returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == ["searches"]


def test_a_process_that_left_a_note_still_runs_unless_its_number_is_another_ones() -> None:
    began = started_at(os.getpid())
    if began is None:
        pytest.skip("only Linux tells when a process began")
    assert still_runs(os.getpid(), time.time())
    assert still_runs(os.getpid(), began)
    assert not still_runs(os.getpid(), began - 60)  # then this process was not there yet
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert not still_runs(ended.pid, time.time())
