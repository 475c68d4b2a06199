"""Who holds a database open: the question that SQLite's own locks answer.

Every connection that has a database in WAL mode open holds a shared lock on byte 128 of its `-shm`
file for as long as it lives (SQLite calls it the dead man switch), and the kernel drops it with the
process, however that ends. Our own reads join that lock only where somebody else holds it, so they
never keep it alive for longer than the moment that they take.

Asking means opening `-shm`, and closing it would drop the locks that SQLite holds on it in the same
process; so a small child process asks, about all files at once.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

CHILD = Path(__file__).with_name("holders_child.py")
PATIENCE_S = 5.0
"""A child takes 15 ms; on a machine that is out of breath nothing is known."""
MOUNTS = Path("/proc/self/mountinfo")
_LOCAL = frozenset(
    "bcachefs btrfs erofs exfat ext2 ext3 ext4 f2fs jfs nilfs2 overlay ramfs reiserfs tmpfs ufs"
    " vfat xfs zfs".split()
)
"""File systems whose locks all processes of one kernel see, wherever they run."""


def held(databases: Sequence[Path]) -> list[bool | None]:
    """Return for each database whether somebody has it open in WAL mode.

    None where that cannot be known: another system than Linux, a file system that other machines
    share, a file that this user may not read. False where there is no `-shm` file at all.
    """
    if sys.platform != "linux" or not sys.executable:
        return [None for _ in databases]
    # SQLite puts the file beside what a link leads to.
    real = [os.path.realpath(path) for path in databases]
    asked = [path for path in real if is_local(path)]
    answers = dict(zip(asked, _ask(asked), strict=True)) if asked else {}
    return [answers.get(path) for path in real]


def is_local(path: str) -> bool:
    """Say whether a file, by its real path, is on a disk of this machine; if in doubt, no."""
    try:
        mounts = _mounts(MOUNTS.read_bytes())
    except OSError:
        return False
    wanted, best, found = os.fsencode(path), b"", ""
    for point, kind in mounts:
        is_above = point == b"/" or wanted == point or wanted.startswith(point + b"/")
        # Of several mounts on one point the last is in force.
        if is_above and len(point) >= len(best):
            best, found = point, kind
    return found in _LOCAL


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


def _ask(paths: Sequence[str]) -> list[bool | None]:
    unknown: list[bool | None] = [None for _ in paths]
    question = b"\0".join(os.fsencode(path + "-shm") for path in paths)
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", CHILD],
            input=question,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return unknown
    meaning = {"held": True, "free": False}
    answers = [meaning.get(word) for word in done.stdout.decode("ascii", "replace").split()]
    return answers if len(answers) == len(paths) else unknown
