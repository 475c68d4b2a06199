"""One SQLite file of a store, read without leaving a mark on it or on its writer.

Every question opens a connection of its own and closes it with the answer. A connection that is
kept open holds a shared lock, and the SDK's last close then cannot fold the write-ahead log into
the database: a finished run would stay spread over `exp.db` and `exp.db-wal`, and a copy of
`exp.db` alone would lack what was logged. Opening costs about 0.1 ms. A read that is under way
while the SDK closes has that effect too, until the next writer closes: so reads are kept short.

How a file is opened depends only on what lies beside it, so it is the same for every user:

    nothing, or an empty -wal   immutable=1; nothing is locked or created; a bare header is empty
    -wal and -shm               mode=ro with readonly_shm=1; joins the writer's log, creates nothing
    -wal without -shm           a writer died or the files were copied: read a private copy
    a filled -journal           a rollback is under way or due: read a private copy

The first and the last two take no lock, so their answer counts only if the files are the same
after it as they were before.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import TypeVar

from flowtui import temporary
from flowtui.store import cancelling, errors, foreign

T = TypeVar("T")

BUSY_TIMEOUT_S = 5.0
"""As long as the SDK itself waits for a lock."""
MTIME_GRAIN_NS = 20_000_000
"""Two writes closer than this may carry one mtime: kernels stamp files by the scheduler tick."""
SQLITE_HEADER_BYTES = 100
"""SQLite takes a shorter file for one that is still to be written."""
WAL_HEADER_BYTES = 32
"""A log no longer than this has nothing in it. Where a writer was killed on having begun one,
SQLite tries for 10 s to join it for reading, and gives up."""
CLOCK_SLACK_NS = 1_000_000_000
"""A stamp further ahead than this is from another machine's clock, and says nothing about now."""
VM_STEPS_BETWEEN_CANCEL_CHECKS = 20_000
"""About 1 ms of work in SQLite."""

_File = tuple[int, int, int] | None
"""(inode, bytes, mtime in ns) of a file, None where there is none."""


class Route(Enum):
    IMMUTABLE = auto()
    LIVE = auto()
    COPY = auto()


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The state of a database's files; two that differ mean that something was written."""

    main: _File
    wal: _File
    journal: _File
    taken_ns: int = field(compare=False)
    """When the files were looked at, by the clock that stamps them."""

    def route(self, has_shm: bool) -> Route:
        if self.journal is not None and self.journal[1] > 0:
            return Route.COPY
        if self.wal is None or self.wal[1] <= WAL_HEADER_BYTES:
            return Route.IMMUTABLE
        return Route.LIVE if has_shm else Route.COPY

    @property
    def is_empty(self) -> bool:
        files = (self.main, self.wal, self.journal)
        return all(file is None or file[1] == 0 for file in files)

    @property
    def last_write_ns(self) -> int | None:
        """The latest stamp of the file and of a log that has something in it; None without any."""
        is_log_empty = self.wal is None or self.wal[1] <= WAL_HEADER_BYTES
        stamps = [file[2] for file in (self.main, None if is_log_empty else self.wal) if file]
        return max(stamps, default=None)

    @property
    def is_settled(self) -> bool:
        """Whether a write after it was taken is sure to show in the next fingerprint."""
        stamps = [file[2] for file in (self.main, self.wal, self.journal) if file is not None]
        return not any(
            self.taken_ns - MTIME_GRAIN_NS <= stamp <= self.taken_ns + CLOCK_SLACK_NS
            for stamp in stamps
        )


class Database:
    """Answers questions about one database file, from any thread."""

    def __init__(self, path: Path, label: str) -> None:
        self.path = path
        self.label = label
        """How messages name the file: relative to its store."""
        self.why_read_only = ""
        """Why it can never be written, for a person; empty where it may be."""
        self._wal = path.with_name(path.name + "-wal")
        self._shm = path.with_name(path.name + "-shm")
        self._journal = path.with_name(path.name + "-journal")
        self._copy_lock = threading.Lock()
        self._copy: tuple[Fingerprint, tempfile.TemporaryDirectory[str]] | None = None
        """The copy and what it is a copy of."""

    @property
    def has_shm(self) -> bool:
        """Whether the log has an index: it does while a writer is there, or after a kill."""
        return self._shm.exists()

    def fingerprint(self) -> Fingerprint:
        """Return the state of the files on disk, without touching them.

        Raises:
            DatabaseMissing: there is no such file.
            DatabaseDenied: the folder may not be searched by this user.
            DatabaseError: no file can have this name.
        """
        # Before the files: one that is written while this thread waits must not look settled.
        taken_ns = time.time_ns()
        try:
            main = _state(self.path)
            if main is None:
                raise errors.DatabaseMissing(self.path, f"{self.label} is missing")
            return Fingerprint(main, _state(self._wal), _state(self._journal), taken_ns)
        except PermissionError as error:
            raise self._denied() from error
        except OSError as error:
            message = f"{self.label} cannot be read: {error.strerror}"
            raise errors.DatabaseError(self.path, message) from error

    def read(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `question` answers from one consistent state of the database.

        Args:
            question: is given a read-only connection inside a read transaction. It may be asked
                again when the files changed under it, so it must not keep anything between calls.

        Raises:
            DatabaseError: by its kind, with a line for a person.
            ReadCancelled: nobody waits any more; see cancelling.py.
        """
        deadline = time.monotonic() + BUSY_TIMEOUT_S
        while True:
            before = self.fingerprint()
            self.require_content(before)
            failure: sqlite3.Error | None = None
            route = before.route(self.has_shm)
            try:
                with closing(self._connect(route, before)) as connection:
                    answer = question(connection)
            except sqlite3.Error as error:
                failure = error
            cancelling.check()
            if failure is None and route is Route.LIVE:
                return answer
            unchanged = self.fingerprint() == before
            if unchanged and failure is None and before.is_settled:
                return answer
            if unchanged and failure is not None:
                raise self._explain(failure) from failure
            if time.monotonic() > deadline:
                raise errors.DatabaseBusy(self.path, f"{self.label} is being rewritten; try again")
            time.sleep(MTIME_GRAIN_NS / 1e9)

    def require_content(self, found: Fingerprint) -> None:
        """Raise unless there are files to open, with something in them.

        SQLite would wait for the other end of a pipe, for ever.

        Raises:
            DatabaseCorrupt: something else is there, or nothing is in it.
            DatabaseDenied: this user may not look.
        """
        try:
            why_no_file = foreign.why_no_file((self.path, self._wal, self._shm, self._journal))
        except PermissionError as error:
            raise self._denied() from error
        if why_no_file:
            folder = self.label.rpartition("/")[0]
            where = f"{folder}/{why_no_file}" if folder else why_no_file
            raise errors.DatabaseCorrupt(self.path, where)
        if found.is_empty:
            raise errors.DatabaseCorrupt(self.path, f"{self.label} is empty: 0 bytes")

    def close(self) -> None:
        """Remove the private copy, if one was made."""
        with self._copy_lock:
            if self._copy is not None:
                self._copy[1].cleanup()
                self._copy = None

    def _connect(self, route: Route, fingerprint: Fingerprint) -> sqlite3.Connection:
        if route is Route.COPY:
            uri = f"{self._private_copy(fingerprint).as_uri()}?mode=ro&immutable=1"
        else:
            option = "immutable=1" if route is Route.IMMUTABLE else "readonly_shm=1"
            uri = f"{self.path.absolute().as_uri()}?mode=ro&{option}"
        connection = sqlite3.connect(
            uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        try:
            # Undecodable bytes survive as surrogates, which `plain()` shows for what they are.
            connection.text_factory = decode
            connection.execute("pragma query_only = 1")
            # A schema is data too: its views and triggers must not call functions.
            connection.execute("pragma trusted_schema = 0")
            if (cancelled := cancelling.current()) is not None:
                connection.set_progress_handler(cancelled, VM_STEPS_BETWEEN_CANCEL_CHECKS)
            connection.execute("begin")
            if route is Route.IMMUTABLE:
                _refuse_half_a_page(connection, fingerprint)
        except BaseException:
            connection.close()
            raise
        return connection

    def _private_copy(self, fingerprint: Fingerprint) -> Path:
        """Return the path of a copy of the files in this state, in one file that never changes."""
        with self._copy_lock:
            # What was copied while the files changed may be a copy of no state at all.
            is_current = self._copy is not None and self._copy[0] == fingerprint
            if self._copy is None or not is_current or not self._copy[0].is_settled:
                try:
                    folder = tempfile.TemporaryDirectory(prefix="flow-tui-")
                except OSError as error:
                    raise self._not_copied(error) from error
                try:
                    self._copy_into(Path(folder.name))
                except BaseException:
                    folder.cleanup()
                    raise
                if self._copy is not None:
                    self._copy[1].cleanup()
                self._copy = fingerprint, folder
            return Path(self._copy[1].name, self.path.name)

    def _copy_into(self, folder: Path) -> None:
        try:
            for source in (self.path, self._wal, self._journal):
                if source.exists():
                    shutil.copyfile(source, folder / source.name)
        except PermissionError as error:
            raise self._denied() from error
        except OSError as error:
            raise self._not_copied(error) from error
        # Folds the log in, or rolls the journal back, once; threads that each did would collide.
        with closing(sqlite3.connect(folder / self.path.name)) as connection:
            connection.execute("pragma journal_mode = delete")

    def _not_copied(self, error: OSError) -> errors.DatabaseError:
        return errors.DatabaseError(
            self.path,
            f"{self.label} must be copied to be read (its writer did not close it), "
            f"and that failed: {temporary.why_not(error)}",
        )

    def _explain(self, error: sqlite3.Error) -> errors.DatabaseError:
        text = str(error)
        lowered = text.lower()
        files = [file for file in (self.path, self._wal, self._shm) if file.exists()]
        if not all(os.access(file, os.R_OK) for file in files):
            return self._denied()
        if "locked" in lowered or "busy" in lowered:
            message = f"{self.label} is locked by another process; trying again may help"
            return errors.DatabaseBusy(self.path, message)
        if "not a database" in lowered:
            message = f"{self.label} is not a SQLite database: {foreign.what_it_is(self.path)}"
            return errors.DatabaseCorrupt(self.path, message)
        if "malformed" in lowered or "no such" in lowered:
            return errors.DatabaseCorrupt(self.path, f"{self.label} is damaged: {text}")
        return errors.DatabaseError(self.path, f"{self.label} cannot be read: {text}")

    def _denied(self) -> errors.DatabaseDenied:
        message = f"{self.label}: permission denied; its owner or group can grant read access"
        return errors.DatabaseDenied(self.path, message)


def table_columns(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    """Return the names of a table's columns, empty if there is no such table."""
    rows = connection.execute("select name from pragma_table_info(?)", (table,))
    return frozenset(name for (name,) in rows)


def _state(path: Path) -> _File:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _refuse_half_a_page(connection: sqlite3.Connection, fingerprint: Fingerprint) -> None:
    """Raise for a file that was cut off inside its last page, which SQLite fills with zeros."""
    if fingerprint.main is not None and fingerprint.main[1] < SQLITE_HEADER_BYTES:
        raise sqlite3.DatabaseError("file is not a database")
    # Reads the header: of what is no database at all, SQLite then says so.
    connection.execute("pragma schema_version").fetchone()
    (page_bytes,) = connection.execute("pragma page_size").fetchone()
    if fingerprint.main is not None and fingerprint.main[1] % page_bytes:
        raise sqlite3.DatabaseError("malformed, its last page is cut off")


def decode(raw: bytes) -> str:
    """Return stored text; bytes that are no UTF-8 survive as surrogates."""
    return raw.decode("utf-8", "surrogateescape")
