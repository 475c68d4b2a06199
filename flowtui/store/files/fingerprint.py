"""The files of a database and their state on the disk: what is known without opening them."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

MTIME_GRAIN_NS = 20_000_000
"""Two writes closer than this may carry one mtime: kernels stamp files by the scheduler tick."""
WAL_HEADER_BYTES = 32
"""A log no longer than this has nothing in it. Where its writer was killed just after beginning it,
SQLite tries for 10 s to join it for reading, and gives up."""
CLOCK_SLACK_NS = 1_000_000_000
"""A stamp further ahead than this is from another machine's clock, and says nothing about now."""

FileState = tuple[int, int, int] | None
"""(inode, bytes, mtime in ns) of a file, None where there is none."""


class Route(Enum):
    """How a database is read; `flowtui.store.database` says when."""

    IMMUTABLE = auto()
    LIVE = auto()
    COPY = auto()
    CHECKPOINT = auto()


class DatabaseFiles(NamedTuple):
    """The paths of a database and of what SQLite keeps beside it."""

    main: Path
    wal: Path
    shm: Path
    journal: Path

    @classmethod
    def at(cls, path: Path) -> DatabaseFiles:
        """Return the files of the database at a path.

        SQLite follows links, and keeps its log beside what they lead to.
        """
        return _beside(os.path.realpath(path))


@lru_cache(256)
def _beside(real: str) -> DatabaseFiles:
    # Cached: a fingerprint is taken every second, and making paths takes longer than `stat`.
    return DatabaseFiles(*(Path(real + ending) for ending in ("", "-wal", "-shm", "-journal")))


def is_of_database(path: Path, store: Path) -> bool:
    """Say whether a file, by its real path, is a database of a store or kept beside one.

    Only SQLite may open such a file; an attachment of a run may have the path of one.
    """
    name = path.name
    for ending in ("-wal", "-shm", "-journal"):
        name = name.removesuffix(ending)
    folders = path.parts[len(store.parts) : -1]
    return name in ("meta.db", "exp.db") and "attachments" not in folders


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The state of a database's files; two that differ mean that something was written."""

    main: FileState
    wal: FileState
    journal: FileState
    taken_ns: int = field(compare=False)
    """When the files were looked at, by this machine's clock."""
    salts: str | None = None
    """The salts of the log in hex digits, if it was opened; a restarted log gets new ones."""

    def route(self, may_join: bool) -> Route:
        """Return how a database in this state is read.

        Args:
            may_join: Whether the log has an index, and this process may use it.
        """
        if self.journal is not None and self.journal[1] > 0:
            return Route.COPY
        if not self.has_log:
            return Route.IMMUTABLE
        return Route.LIVE if may_join else Route.COPY

    @property
    def has_log(self) -> bool:
        """Whether there is a log that may have something in it."""
        return self.wal is not None and self.wal[1] > WAL_HEADER_BYTES

    @property
    def is_empty(self) -> bool:
        files = (self.main, self.wal, self.journal)
        return all(file is None or file[1] == 0 for file in files)

    @property
    def size_bytes(self) -> int:
        """The size of a copy of the files."""
        return sum(file[1] for file in (self.main, self.wal, self.journal) if file is not None)

    @property
    def last_write_ns(self) -> int | None:
        """The latest stamp of the file and of a log that has something in it; None without any."""
        stamps = [file[2] for file in (self.main, self.wal if self.has_log else None) if file]
        return max(stamps, default=None)

    @property
    def is_settled(self) -> bool:
        """Whether any later write is sure to show in the next fingerprint."""
        stamps = [file[2] for file in (self.main, self.wal, self.journal) if file is not None]
        return not any(
            self.taken_ns - MTIME_GRAIN_NS <= stamp <= self.taken_ns + CLOCK_SLACK_NS
            for stamp in stamps
        )


def look(files: DatabaseFiles) -> Fingerprint:
    """Return the state of the files, without touching them.

    Raises:
        OSError: This user may not look at them.
        ValueError: No file can have this name.
    """
    # The time is taken first: a file that is written while this thread waits must not look settled.
    taken_ns = time.time_ns()
    return Fingerprint(_state(files.main), _state(files.wal), _state(files.journal), taken_ns)


def _state(path: Path) -> FileState:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
