"""Which file systems databases are on, and whether all who use a database share its memory there.

A log in WAL mode has an index in memory that all its users map, `-shm`. Another machine that has
the same folder mounted (NFS, Lustre, GPFS, BeeGFS, CIFS, sshfs) has its own memory, and so may a
virtual machine or a container: whoever joins the log there reads pages that are torn or out of
date. An overlay is local, but a file that is opened for writing, as SQLite opens a log that it
joins, is copied into its upper layer.
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
"""File systems whose locks all processes of one kernel see."""


class Sharing(Enum):
    """Who else may have a file open."""

    LOCAL = auto()
    """Processes of this machine."""
    LAYERED = auto()
    """Processes of this machine, on an overlay."""
    SHARED = auto()
    """Other machines too, or it is not known."""


def sharing(path: str) -> Sharing:
    """Return who may have a file open, by its real path; if in doubt, other machines too."""
    if sys.platform != "linux":
        # Only Linux lists its mounts like this.
        return Sharing.LOCAL
    found = kind(path)
    if found == "overlay":
        return Sharing.LAYERED
    return Sharing.LOCAL if found in _LOCAL else Sharing.SHARED


def is_local(path: str) -> bool:
    """Say whether a file, by its real path, is on a disk of this machine; False if in doubt."""
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
    """Return the file system of a file, by its real path; empty if it is not known."""
    try:
        mounts = _mounts(MOUNTS.read_bytes())
    except OSError:
        return ""
    wanted, best, found = os.fsencode(path), b"", ""
    for point, name in mounts:
        is_above = point == b"/" or wanted == point or wanted.startswith(point + b"/")
        # Of several mounts on one mount point, the last one counts.
        if is_above and len(point) >= len(best):
            best, found = point, name
    return found


@lru_cache(1)
def _mounts(table: bytes) -> list[tuple[bytes, str]]:
    """Return the mount point and the file system of each mount, from mountinfo (man 5 proc)."""
    mounts = []
    for line in table.splitlines():
        before, _, after = line.partition(b" - ")
        # Blanks in a path are escaped in octal.
        point = before.split(b" ")[4].decode("unicode_escape").encode("latin-1")
        mounts.append((point, after.split(b" ", 1)[0].decode("latin-1")))
    return mounts
