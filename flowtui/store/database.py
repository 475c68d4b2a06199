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

and on where it lies: on a file system that other machines share a log is never joined, but copied;
on an overlay it is joined only where its writer lives, since joining would copy it up. A database
that is too large to be copied is read as of its last checkpoint, and `remarks` says so.

All but a log that is joined are read without a lock, so that an answer counts only if the files are
the same after it as before. Whatever SQLite does not answer is asked of a child process:
`flowtui.store.files.asking` says why.
"""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TypeVar

from flowtui.store import bounded_json, cancelling, errors, foreign, unreadable
from flowtui.store.checks import ReadGuard
from flowtui.store.files import asking, fingerprint, shared
from flowtui.store.files.connecting import read_only, refuse_half_a_page
from flowtui.store.files.copies import PrivateCopy
from flowtui.store.files.file_systems import Sharing, kind, sharing
from flowtui.store.files.fingerprint import MTIME_GRAIN_NS, DatabaseFiles, Fingerprint, Route

T = TypeVar("T")

BUSY_TIMEOUT_S = 5.0
"""How long the SDK itself waits for a lock."""
RESTING_NS = 60_000_000_000
"""A log that was not written for this long may be what a killed writer left, or damaged."""
VM_STEPS_BETWEEN_CANCEL_CHECKS = 20_000
"""This many steps of SQLite's virtual machine take about 1 ms."""


class Database:
    """Answers questions about one database file, from any thread."""

    def __init__(self, path: Path, label: str, goes_on: Callable[[], bool] = lambda: False) -> None:
        """Take the path of a file, which need not exist.

        Args:
            path: The file; it may be a link.
            label: How messages name it: relative to its store.
            goes_on: Whether somebody, on any machine, may be writing it; asked before a write where
                locks do not tell.
        """
        self.path = path
        self.label = label
        self.goes_on = goes_on
        self.why_read_only = ""
        """Why it can never be written, for a person; empty where it may be."""
        self.lacking: Callable[[], tuple[str, ...]] = tuple
        """Returns sentences about what was missing already where it was taken from."""
        self.own_moves: deque[int] = deque(maxlen=1_000)
        """How far own writes have moved the mark of annotations; see annotations/marks.py."""
        self.is_held_here = False
        """Whether this process made it and keeps it open, so that no other machine writes it."""
        self._has_long = False
        """Whether a value was met that is too long to be read without asking for its size."""
        self._copy = PrivateCopy(label)
        self._shared = shared.SharedFiles()
        self._sharing: tuple[Path, Sharing] | None = None
        self._held_inode: int | None = None
        """The state of a log that was once found to have a living writer."""
        self._joined: tuple[Fingerprint, bool] | None = None
        """The state of a log that is not being written, and whether it matches its index."""

    @property
    def files(self) -> DatabaseFiles:
        """The current paths of the file and of what SQLite keeps beside it, links followed."""
        return DatabaseFiles.at(self.path)

    @property
    def sharing(self) -> Sharing:
        """Who else may have the file open."""
        return self._sharing_of(self.files)

    @property
    def has_shm(self) -> bool:
        """Whether the log has an index, as it does while a writer lives or after it was killed."""
        return self.files.shm.exists()

    def fingerprint(self, is_now: bool = False) -> Fingerprint:
        """Return the state of the files on disk, without touching them.

        Where other machines share the files and write them, it is some seconds old, as every answer
        then is, unless `is_now` asks for the present one.

        Raises:
            DatabaseMissing: There is no such file.
            DatabaseDenied: This user may not search the folder.
            DatabaseError: No file can have this name.
        """
        return self._look(is_now)[1]

    def remarks(self) -> tuple[str, ...]:
        """Return sentences about what is missing from every answer, and why.

        Raises:
            DatabaseError: As `fingerprint` does.
        """
        files, found = self._look()
        if self._route(files, found) is not Route.CHECKPOINT:
            return self.lacking()
        return (
            *self.lacking(),
            shared.without_what_came_later(self.label, kind(str(files.main)), found),
        )

    def read(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `question` answers from one consistent state of the database.

        Args:
            question: Takes a read-only connection inside a read transaction. It may be called again
                when the files changed under it, so it must not keep anything between calls.

        Raises:
            DatabaseError: The database cannot be read; the kind says why.
            ReadCancelled: Nobody waits any more; see cancelling.py.
        """
        give_up_s = time.monotonic() + BUSY_TIMEOUT_S
        is_failing = False
        while True:
            files, before = self._look()
            self._require_content(files, before)
            route = self._route(files, before)
            failure: Exception | None = None
            guard = None
            cancelling.forget_lost()
            try:
                with closing(self._connect(files, route, before)) as connection:
                    guard = ReadGuard(connection, VM_STEPS_BETWEEN_CANCEL_CHECKS)
                    answer = question(connection)
            except sqlite3.ProgrammingError:
                raise
            except unreadable.ERRORS as error:
                failure = error
            cancelling.check()
            if guard is not None and guard.refusal:
                raise errors.DatabaseError(self.path, f"{self.label}: {guard.refusal}")
            if failure is None and self._is_consistent(files, route, before):
                return answer
            if bounded_json.is_too_long(failure) and not self._has_long:
                self._has_long = True
                continue
            if route is Route.LIVE and unreadable.is_no_log_to_join(failure):
                self._joined = before, False
                continue
            if failure is not None:
                unreadable.raise_what_was_lost(failure)
                if self._is_certain(files, before, is_second=is_failing):
                    raise unreadable.explained(self.label, files, failure) from failure
            is_failing = failure is not None
            if time.monotonic() > give_up_s:
                raise errors.DatabaseBusy(self.path, f"{self.label} is being rewritten; try again")
            time.sleep(self._pause_s(files, is_failing))

    def require_content(self, found: Fingerprint) -> None:
        """Raise unless there is a regular file to open, with something in it.

        SQLite would wait for ever for the other end of a pipe.

        Raises:
            DatabaseCorrupt: It is not a regular file, or it is empty.
            DatabaseDenied: This user may not look at it.
        """
        self._require_content(self.files, found)

    def close(self) -> None:
        """Remove the private copy, if one was made."""
        self._copy.forget()

    def _look(self, is_now: bool = False) -> tuple[DatabaseFiles, Fingerprint]:
        try:
            files = self.files
            if self._sharing_of(files) is Sharing.SHARED:
                found = (self._shared.look if is_now else self._shared.fingerprint)(files)
            else:
                found = fingerprint.look(files)
        except PermissionError as error:
            raise unreadable.denied(self.label, self.files) from error
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise errors.DatabaseError(self.path, f"{self.label} cannot be read: {why}") from error
        if found.main is None:
            raise errors.DatabaseMissing(self.path, f"{self.label} is missing")
        return files, found

    def _require_content(self, files: DatabaseFiles, found: Fingerprint) -> None:
        try:
            why_no_file = foreign.why_no_file((self.path, files.wal, files.shm, files.journal))
        except PermissionError as error:
            raise unreadable.denied(self.label, files) from error
        if why_no_file:
            folder = self.label.rpartition("/")[0]
            where = f"{folder}/{why_no_file}" if folder else why_no_file
            raise errors.DatabaseCorrupt(self.path, where)
        if found.is_empty:
            raise errors.DatabaseCorrupt(self.path, f"{self.label} is empty: 0 bytes")

    def _sharing_of(self, files: DatabaseFiles) -> Sharing:
        if self._sharing is None or self._sharing[0] is not files.main:
            self._sharing = files.main, sharing(str(files.main))
        return self._sharing[1]

    def _route(self, files: DatabaseFiles, found: Fingerprint) -> Route:
        where = self._sharing_of(files)
        may_join = where is not Sharing.SHARED and files.shm.exists()
        if where is Sharing.LAYERED and may_join:
            may_join = self._is_held(files, found)
        may_join = may_join and self._log_matches_index(files, found)
        route = found.route(may_join)
        is_too_large = found.size_bytes > shared.COPY_LIMIT_BYTES
        if route is Route.COPY and where is Sharing.SHARED and found.has_log and is_too_large:
            return Route.CHECKPOINT
        return route

    def _log_matches_index(self, files: DatabaseFiles, found: Fingerprint) -> bool:
        """Say whether a log matches its index; one that is being written does."""
        if self._joined is None or self._joined[0] != found:
            last_ns = found.last_write_ns or 0
            if not found.has_log or found.taken_ns - last_ns < RESTING_NS:
                return True
            self._joined = found, asking.agree(files)
        return self._joined[1]

    def _is_held(self, files: DatabaseFiles, found: Fingerprint) -> bool:
        """Say whether a log has, or had, a writer, so that it is in the upper layer already."""
        inode = None if found.wal is None else found.wal[0]
        if inode != self._held_inode and asking.held([str(files.shm)]) == [True]:
            self._held_inode = inode
        return inode == self._held_inode

    def _is_consistent(self, files: DatabaseFiles, route: Route, before: Fingerprint) -> bool:
        """Say whether what was read is valid, that is, of one state of the files."""
        is_shared = self._sharing_of(files) is Sharing.SHARED
        if route is Route.LIVE or (route is Route.COPY and is_shared):
            return True
        after = self.fingerprint(is_now=True)
        if route is Route.CHECKPOINT:
            # What is added to the log meanwhile does not matter.
            return (after.main, after.salts) == (before.main, before.salts)
        return after == before and before.is_settled

    def _is_certain(self, files: DatabaseFiles, before: Fingerprint, is_second: bool) -> bool:
        """Say whether a failure comes from the content of the files and not from the moment."""
        if self._sharing_of(files) is not Sharing.SHARED:
            return self.fingerprint() == before
        if not is_second:
            self._copy.forget()
            self.fingerprint(is_now=True)
        return is_second

    def _pause_s(self, files: DatabaseFiles, is_failing: bool) -> float:
        is_shared = self._sharing_of(files) is Sharing.SHARED
        return shared.SECOND_LOOK_S if is_shared and is_failing else MTIME_GRAIN_NS / 1e9

    def _connect(
        self, files: DatabaseFiles, route: Route, found: Fingerprint
    ) -> sqlite3.Connection:
        if route is Route.COPY:
            connection = self._connect_to_copy(files, found)
        else:
            option = "readonly_shm=1" if route is Route.LIVE else "immutable=1"
            connection = read_only(files.main, option, BUSY_TIMEOUT_S)
        try:
            # Undecodable bytes survive as surrogates, which `plain()` shows as such bytes.
            connection.text_factory = decode
            bounded_json.prepare(connection, reads_long=self._has_long)
            connection.execute("pragma query_only = 1")
            # A schema is data too: its views and triggers must not call functions.
            connection.execute("pragma trusted_schema = 0")
            # A view may never end, and without this no signal would be handled while it runs.
            connection.set_progress_handler(cancelling.is_left, VM_STEPS_BETWEEN_CANCEL_CHECKS)
            connection.execute("begin")
            if route in (Route.IMMUTABLE, Route.CHECKPOINT):
                refuse_half_a_page(connection, found)
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect_to_copy(self, files: DatabaseFiles, found: Fingerprint) -> sqlite3.Connection:
        is_shared = self._sharing_of(files) is Sharing.SHARED
        began_s = time.monotonic()
        connection, of = self._copy.connected(
            files,
            found,
            is_shared,
            cancelling.is_left,
            partial(read_only, option="immutable=1", timeout_s=BUSY_TIMEOUT_S),
        )
        if is_shared:
            self._shared.copied(of, time.monotonic() - began_s)
        return connection


def table_columns(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    """Return the names of a table's columns, empty if there is no such table."""
    rows = connection.execute("select name from pragma_table_info(?)", (table,))
    return frozenset(name for (name,) in rows)


def decode(raw: bytes) -> str:
    """Return stored text; bytes that are not valid UTF-8 survive as surrogates."""
    return raw.decode("utf-8", "surrogateescape")
