"""What the operating system is asked: whether searches run on it, how much memory it has, how a file is kept.

Everything but a search runs wherever Python does, so that only POSIX systems are asked what only they know.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from tuner.errors import InputError
from tuner.system.files import is_alive

#: File systems that several machines may write to at once, by the names that Linux gives them.
_SHARED = """
9p acfs afs beegfs ceph cifs coda cvfs davfs exafs gfs gfs2 glusterfs gpfs lustre ncp ncpfs nfs nfs4 nfsd ocfs2 orangefs
panfs prl_fs pvfs2 smb2 smb3 smbfs vboxsf virtiofs vmhgfs wekafs
"""
#: What FUSE lays over a disk of this machine; all else that it brings, such as sshfs, comes over a network.
_LOCAL_FUSE = """
fuse.bindfs fuse.cryfs fuse.encfs fuse.exfat fuse.fuse-overlayfs fuse.gocryptfs fuse.mergerfs fuse.ntfs fuse.ntfs-3g
fuse.unionfs
"""
#: By so many seconds the system's word on when a process began may be off.
_SLACK = 5.0
#: Linux lists here what is mounted where; see proc_pid_mountinfo(5).
_MOUNTS = Path("/proc/self/mountinfo")


def check_system() -> None:
    """See that trials can be trained here at all.

    Raises:
        InputError: on Windows.
    """
    if not hasattr(os, "fork"):
        raise InputError(
            "this system",
            "cannot train: trials run in forked processes, which Windows has not",
            "run searches in WSL, the Windows Subsystem for Linux; what one has recorded can be read here",
        )


def memory_bytes() -> int:
    """Return how much memory this machine has; where the system does not say, as much as a small one has."""
    if not hasattr(os, "sysconf"):
        return 8_000_000_000
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def available_cores() -> int:
    """Return how many cores of this machine a process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def resident_bytes(process: int | None) -> int | None:
    """Return how much memory a process holds, shared pages included; None where the system does not say."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def busyness(computed: float = 0.2) -> float:
    """Return how many seconds pass for one that this process computes: 1 on a machine that does nothing else.

    Args:
        computed: how long it computes to see it, in seconds.
    """
    begun, busy = time.monotonic(), time.process_time()
    while time.process_time() - busy < computed:
        pass
    return max(1.0, (time.monotonic() - begun) / computed)


def started_at(process: int) -> float | None:
    """Return when a process of this machine began, in seconds since 1970, to a few seconds; only Linux tells."""
    try:
        fields = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()
        (booted,) = re.findall(rb"^btime (\d+)$", Path("/proc/stat").read_bytes(), re.MULTILINE)
        return int(booted) + int(fields[19]) / os.sysconf("SC_CLK_TCK")  # field 22 of proc_pid_stat(5)
    except (OSError, ValueError, IndexError):
        return None


def still_runs(process: int, since: float) -> bool:
    """Tell whether the process that had this number at a time still runs: the number may be another one's by now.

    Args:
        process: its number on this machine.
        since: when it left a note, for one, in seconds since 1970.
    """
    return is_alive(process) and (started_at(process) or 0.0) <= since + _SLACK


def network_disk(path: Path) -> str:
    """Return by which network file system a file or folder is reached; empty for a disk of this machine.

    Only Linux tells.
    """
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
    kind = file_system_of(os.path.realpath(path), mounts)
    return kind if is_shared(kind) else ""


def file_system_of(path: str, mounts: str) -> str:
    """Return the kind of file system on which an absolute path lies, by the text of a mount table; empty if unknown.

    Of several mounts above it the deepest counts, and of several on one folder the last, which hides the others.
    """
    best, kind = -1, ""
    for line in mounts.splitlines():
        before, dash, after = line.partition(" - ")
        fields = before.split(" ")
        if not dash or len(fields) < 6 or not after:
            continue
        point = _unescaped(fields[4])
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= best:
            best, kind = len(point), after.split(" ")[0]
    return kind


def is_shared(kind: str) -> bool:
    """Tell whether a file system of this kind may be written to by several machines."""
    return kind in _SHARED.split() or (kind.startswith("fuse.") and kind not in _LOCAL_FUSE.split())


def _unescaped(text: str) -> str:
    r"""Return a folder of the mount table as it is called: blanks and the like stand there as \040."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
