"""Writes into one SQLite file of a store: one short transaction, beside the SDK's own.

A connection is opened for the transaction and closed after it. It changes no pragma that outlives
it: a file in WAL mode is written through its log, and the last connection to close checkpoints it.

The schema may be anybody's: only tables without triggers are written, and a write that takes long
is undone, so that nobody waits for it.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

from flowtui.store import cancelling, errors, unreadable
from flowtui.store.checks import WriteGuard
from flowtui.store.database import (
    BUSY_TIMEOUT_S,
    VM_STEPS_BETWEEN_CANCEL_CHECKS,
    Database,
    decode,
)
from flowtui.store.files.file_systems import Sharing, kind
from flowtui.store.files.fingerprint import Fingerprint
from flowtui.store.files.leftovers import remove_empty_log

T = TypeVar("T")

RETRY_S = 0.005
"""The pause between two tries; a commit of the SDK takes about as long."""
CHECKPOINT_TRIES = 10
CHECKPOINT_WAIT_S = 0.02
"""A reader usually stays for less than the product of the two."""
NO_ROOM = "there is no room left on the disk of {}; free some and try again"


@dataclass(frozen=True, slots=True)
class Patience:
    """How a write waits for a busy store."""

    clock: Callable[[], float] = time.monotonic
    """Gives seconds, from any start."""
    sleep: Callable[[float], None] = time.sleep
    limit_s: float = BUSY_TIMEOUT_S
    work_s: float = 4.0
    """How long SQLite may work while it holds the lock; the SDK gives up after waiting for 5 s."""


PATIENCE = Patience()


def write(
    database: Database,
    change: Callable[[sqlite3.Connection], T],
    patience: Patience = PATIENCE,
) -> T:
    """Return what `change` returns, once everything that it wrote is on the disk.

    Args:
        database: The database, whose file must exist: it is never created.
        change: Takes a connection inside a transaction, which is undone if it raises. It is called
            again when the store was busy, so it must not keep anything between calls.
        patience: How long to try again on a busy store, and by which clock.

    Raises:
        DatabaseMissing, DatabaseDenied, DatabaseCorrupt: There is nothing to write into.
        DatabaseReadOnly: The file or its folder may not be written, or another machine may have
            it open.
        DatabaseBusy: Others held the database for all that time.
        DiskFull: There is no room left.
        DatabaseError: SQLite refused the write for another reason.
        ReadCancelled: Nobody waits for it any more (`cancelling`), and nothing was written.
    """
    if database.why_read_only:
        raise errors.DatabaseReadOnly(database.path, database.why_read_only)
    before = database.fingerprint(is_now=True)
    database.require_content(before)
    # Otherwise SQLite would open a read-only file and leave a log beside it that its owner cannot
    # use.
    if not os.access(database.path, os.W_OK):
        raise unreadable.read_only(database.label, database.path)
    if may_be_open_elsewhere(database):
        _require_alone(database, before)
    try:
        return _persevere(database, change, patience)
    finally:
        # If nobody else has the database open, closing the connection has checkpointed the log.
        if before.wal is None and database.sharing is not Sharing.SHARED:
            _checkpoint(database, patience)


def may_be_open_elsewhere(database: Database) -> bool:
    """Say whether another machine may have a database open, of whose locks nothing is sure."""
    return database.sharing is Sharing.SHARED and not database.is_held_here


def _require_alone(database: Database, found: Fingerprint) -> None:
    """Raise where another machine may have the database open, whose locks cannot be relied on."""
    where = f"{database.label} is on {kind(str(database.files.main)) or 'an unknown disk'}"
    if found.wal is not None:
        why = "somebody has it open, perhaps on another machine that shares this disk"
    elif database.goes_on():
        why = "its run is active, perhaps on another machine that shares this disk"
    else:
        return
    message = f"{where}, and {why}: nothing is written until the run has ended"
    raise errors.DatabaseReadOnly(database.path, message)


def _persevere(
    database: Database,
    change: Callable[[sqlite3.Connection], T],
    patience: Patience,
) -> T:
    deadline = patience.clock() + patience.limit_s
    while True:
        try:
            return _attempt(database, change, patience)
        except sqlite3.ProgrammingError:
            raise
        except unreadable.ERRORS as error:
            cancelling.check()
            if not is_busy(error):
                raise explained(database, error) from error
            if patience.clock() >= deadline:
                message = (
                    f"{database.label} was busy for {patience.limit_s:g} s: another process is"
                    " writing; try again"
                )
                raise errors.DatabaseBusy(database.path, message) from error
        patience.sleep(RETRY_S)


def _attempt(
    database: Database,
    change: Callable[[sqlite3.Connection], T],
    patience: Patience,
) -> T:
    with closing(_connect(database)) as connection:
        if may_be_open_elsewhere(database):
            # The index of the log is then in this process's memory, and not in a file that others
            # map.
            connection.execute("pragma locking_mode = exclusive")
        until = _Deadline(patience)
        connection.set_progress_handler(until, VM_STEPS_BETWEEN_CANCEL_CHECKS)
        connection.execute("begin immediate")
        guard = WriteGuard(connection)
        try:
            answer = change(connection)
            # Cancelling must not interrupt the commit.
            connection.set_progress_handler(None, 0)
            connection.execute("commit")
        except BaseException as error:
            connection.set_progress_handler(None, 0)
            # Some failures, such as a full disk, end the transaction by themselves.
            if connection.in_transaction:
                connection.execute("rollback")
            if guard.refusal:
                message = f"nothing is written into {database.label}: {guard.refusal}"
                raise errors.DatabaseReadOnly(database.path, message) from error
            if until.has_come:
                message = (
                    f"writing into {database.label} took more than {patience.work_s:g} s and was"
                    " undone, so that nobody waits for it: look at what its schema does on a write"
                )
                raise errors.DatabaseError(database.path, message) from error
            if isinstance(error, Exception):
                unreadable.raise_what_was_lost(error)
            raise
        return answer


class _Deadline:
    """Interrupts SQLite when it has been at work for too long."""

    def __init__(self, patience: Patience) -> None:
        self._clock = patience.clock
        self._at_s = patience.clock() + patience.work_s
        self.has_come = False

    def __call__(self) -> bool:
        self.has_come = self.has_come or self._clock() > self._at_s
        return self.has_come or cancelling.is_left()


def _connect(database: Database) -> sqlite3.Connection:
    # The mode keeps SQLite from creating a missing file. There is no timeout: the waiting is done
    # outside, where it can be measured.
    uri = f"{database.files.main.as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None)
    try:
        connection.text_factory = decode
        connection.execute("pragma foreign_keys = 1")
        # A schema is data too: its triggers must not call functions.
        connection.execute("pragma trusted_schema = 0")
        # It may be a view that has no end, or have a trigger that has none.
        connection.set_progress_handler(cancelling.is_left, VM_STEPS_BETWEEN_CANCEL_CHECKS)
    except BaseException:
        connection.close()
        raise
    return connection


def _checkpoint(database: Database, patience: Patience) -> None:
    """Checkpoint the log where a reader kept the write's own close from doing so.

    A copy of the file alone would otherwise lack what was written. While the SDK has the database
    open, the log belongs to it and stays.
    """
    for _ in range(CHECKPOINT_TRIES):
        try:
            if database.fingerprint().wal is None:
                return
            with closing(_connect(database)) as connection:
                connection.execute("select count(*) from sqlite_master").fetchone()
            if database.fingerprint().wal is None:
                return
        except (*unreadable.ERRORS, errors.DatabaseError) as error:
            if is_without_room(error):
                remove_empty_log(database.files)
            # What was written is safe in the log; only a copy of the file alone would lack it.
            return
        patience.sleep(CHECKPOINT_WAIT_S)


def is_busy(error: Exception) -> bool:
    """Say whether somebody else held a lock that was needed."""
    return _code(error) == sqlite3.SQLITE_BUSY


def _code(error: Exception) -> int:
    # The low byte is the primary code; the rest tells its variants apart.
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def explained(database: Database, error: Exception) -> errors.DatabaseError:
    """Return the error for a person that an error in writing means."""
    path, label, code = database.path, database.label, _code(error)
    if is_without_room(error):
        return errors.DiskFull(path, NO_ROOM.format(label))
    if not path.exists():
        return errors.DatabaseMissing(path, f"{label} is missing")
    if not isinstance(error, sqlite3.Error):
        return unreadable.explained(label, database.files, error)
    if unreadable.is_read_only(error, database.files.main):
        return unreadable.read_only(label, path)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or not path.is_file():
        return errors.DatabaseCorrupt(path, f"{label} is damaged: {unreadable.text(error)}")
    return errors.DatabaseError(path, f"{label} cannot be written: {unreadable.text(error)}")


def is_without_room(error: Exception) -> bool:
    """Say whether an error means that a disk is full.

    SQLite reports an I/O error where there is no room for the log's index.
    """
    is_full_index = getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_IOERR_SHMSIZE
    return is_full_index or _code(error) == sqlite3.SQLITE_FULL
