"""Whether a process of this user has a file open, which only Linux tells."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from flowtui.store.files.file_systems import is_local

SILENT_S = 60.0
"""How long a file must have been silent before a process is looked for; most log more often."""
LOST_S = 86_400.0
"""How long it must have been silent where the process may be elsewhere, or another user's."""
_LOOK_EVERY_S = 20.0
_PROCESSES = Path("/proc")

_looked: tuple[float, frozenset[tuple[int, int]]] = (-1e9, frozenset())


def is_left(paths: Sequence[Path], written_at: datetime, now: datetime) -> bool:
    """Say whether it is taken that nobody writes some files any more.

    Args:
        paths: The files.
        written_at: When one of them was last written.
        now: The present moment.
    """
    silent_s = (now - written_at).total_seconds()
    if silent_s < SILENT_S:
        return False
    if silent_s > LOST_S:
        return True
    here = _states(paths)
    if here is None or sys.platform != "linux":
        return False
    return here.isdisjoint(_open_here())


def _states(paths: Sequence[Path]) -> frozenset[tuple[int, int]] | None:
    """Return (device, inode) of files of this user on local disks; None if they are not that."""
    found = set()
    for path in paths:
        try:
            state = os.stat(path)
        except OSError:
            continue
        if state.st_uid != os.getuid() or not is_local(os.path.realpath(path)):
            return None
        found.add((state.st_dev, state.st_ino))
    return frozenset(found)


def _open_here() -> frozenset[tuple[int, int]]:
    """Return (device, inode) of what this user's processes have open, some seconds old at most."""
    global _looked
    if time.monotonic() - _looked[0] > _LOOK_EVERY_S:
        found = set()
        for process in _PROCESSES.iterdir():
            if process.name.isdecimal() and process.name != str(os.getpid()):
                with suppress(OSError):
                    for descriptor in os.scandir(process / "fd"):
                        with suppress(OSError):
                            state = os.stat(descriptor.path)
                            found.add((state.st_dev, state.st_ino))
        _looked = time.monotonic(), frozenset(found)
    return _looked[1]
