"""Which file systems databases lie on, and whether what SQLite shares beside them is shared there.

A log in WAL mode has an index in memory that all its users map, `-shm`. Another machine that has
the same folder mounted (NFS, Lustre, GPFS, BeeGFS, CIFS, sshfs) has a memory of its own, and a
guest of a virtual machine or of a container's may have one, too: whoever joins the log there reads
pages that are torn or out of date. An overlay is local, but a file that is opened for writing, as
SQLite opens a log that it joins, is copied into its upper layer.
"""

from __future__ import annotations

import os
import sys
from enum import Enum, auto
from functools import lru_cache
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
_LOCAL = frozenset(
    "bcachefs btrfs erofs exfat ext2 ext3 ext4 f2fs fuseblk hfsplus iso9660 jfs nilfs2 ntfs3"
    " overlay ramfs reiserfs rootfs squashfs tmpfs ufs vfat xfs zfs".split()
)
"""File systems whose locks all processes of one kernel see, wherever they run."""


class Sharing(Enum):
    """Who else may have a file open."""

    LOCAL = auto()
    """Processes of this machine."""
    LAYERED = auto()
    """The same, on an overlay."""
    SHARED = auto()
    """Other machines, or nobody knows."""


def sharing(path: str) -> Sharing:
    """Return who may have a file open, by its real path; if in doubt, other machines."""
    if sys.platform != "linux":
        # Mounts of other systems are not known here.
        return Sharing.LOCAL
    found = kind(path)
    if found == "overlay":
        return Sharing.LAYERED
    return Sharing.LOCAL if found in _LOCAL else Sharing.SHARED


def is_local(path: str) -> bool:
    """Say whether a file, by its real path, is on a disk of this machine; if in doubt, no."""
    return kind(path) in _LOCAL


def is_mounted_read_only(path: Path) -> bool:
    """Say whether nobody can write where a file is, or is to be, since its disk is mounted so."""
    for place in (path, *path.parents):
        try:
            return bool(os.statvfs(place).f_flag & os.ST_RDONLY)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError):
            break
    return False


def kind(path: str) -> str:
    """Return the file system that a file is on, by its real path; empty if that is not known."""
    try:
        mounts = _mounts(MOUNTS.read_bytes())
    except OSError:
        return ""
    wanted, best, found = os.fsencode(path), b"", ""
    for point, name in mounts:
        is_above = point == b"/" or wanted == point or wanted.startswith(point + b"/")
        # Of several mounts on one point the last is in force.
        if is_above and len(point) >= len(best):
            best, found = point, name
    return found


@lru_cache(1)
def _mounts(table: bytes) -> list[tuple[bytes, str]]:
    """Return the place and the file system of each mount, out of mountinfo (man 5 proc)."""
    mounts = []
    for line in table.splitlines():
        before, _, after = line.partition(b" - ")
        # Blanks in a path are written in octal.
        point = before.split(b" ")[4].decode("unicode_escape").encode("latin-1")
        mounts.append((point, after.split(b" ", 1)[0].decode("latin-1")))
    return mounts
