"""Whether anybody holds a database open, which SQLite's own locks tell.

Every connection that has a database in WAL mode open holds a shared lock on byte 128 of its `-shm`
file for as long as it lives (SQLite calls it the dead man switch), and the kernel drops it with the
process, however that ends. Our own reads join that lock only where somebody else holds it, so they
never keep it alive for longer than the moment that they take.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from flowtui.store.files import asking
from flowtui.store.files.file_systems import is_local
from flowtui.store.files.fingerprint import DatabaseFiles


def held(databases: Sequence[Path]) -> list[bool | None]:
    """Return for each database whether somebody has it open in WAL mode.

    None where that cannot be known: on systems other than Linux, on a file system that other
    machines share, or for a file that this user may not read. False where there is no `-shm` file
    at all.
    """
    if sys.platform != "linux":
        return [None for _ in databases]
    real = [DatabaseFiles.at(path) for path in databases]
    asked = [str(files.shm) for files in real if is_local(str(files.main))]
    answers = dict(zip(asked, asking.held(asked), strict=True)) if asked else {}
    return [answers.get(str(files.shm)) for files in real]
