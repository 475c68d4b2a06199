"""Writes into one SQLite file of a store: one short transaction, beside the SDK's own.

A connection is opened for the transaction and closed after it. It changes no pragma that outlives
it: a file in WAL mode is written through its log, and the last one to close folds the log in.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

from flowtui.store import cancelling, errors
from flowtui.store.database import (
    BUSY_TIMEOUT_S,
    VM_STEPS_BETWEEN_CANCEL_CHECKS,
    Database,
    decode,
)

T = TypeVar("T")

RETRY_S = 0.005
"""Between two tries; a commit of the SDK takes about as long."""
FOLD_TRIES = 10
FOLD_WAIT_S = 0.02
"""A reader stays for less than the product of the two as a rule."""
NO_ROOM = "there is no room left on the disk of {}; free some and try again"


@dataclass(frozen=True, slots=True)
class Patience:
    """How a write waits for a busy store."""

    clock: Callable[[], float] = time.monotonic
    """Seconds, from any start."""
    sleep: Callable[[float], None] = time.sleep
    limit_s: float = BUSY_TIMEOUT_S


PATIENCE = Patience()


def write(
    database: Database, change: Callable[[sqlite3.Connection], T], patience: Patience = PATIENCE
) -> T:
    """Return what `change` answers, once all that it wrote is on the disk.

    Args:
        database: An existing file; it is never created.
        change: Is given a connection inside a transaction, which is undone if it raises. It is
            called again when the store was busy, so it must not keep anything between calls.
        patience: How long to try again on a busy store, and by which clock.

    Raises:
        DatabaseMissing, DatabaseDenied, DatabaseCorrupt: there is nothing to write into.
        DatabaseReadOnly: the file or its folder may not be written.
        DatabaseBusy: others held the database for all that time.
        DiskFull: there is no room left.
        DatabaseError: SQLite refused the write for another reason.
        ReadCancelled: nobody waits for it any more (`cancelling`), and nothing was written.
    """
    if database.why_read_only:
        raise errors.DatabaseReadOnly(database.path, database.why_read_only)
    before = database.fingerprint()
    database.require_content(before)
    # SQLite would open a read-only file, and leave a log beside it that its owner cannot use.
    if not os.access(database.path, os.W_OK):
        raise _read_only(database)
    try:
        return _persevere(database, change, patience)
    finally:
        if before.wal is None:
            _fold(database, patience)


def _persevere(
    database: Database, change: Callable[[sqlite3.Connection], T], patience: Patience
) -> T:
    deadline = patience.clock() + patience.limit_s
    while True:
        try:
            return _attempt(database, change)
        except sqlite3.DatabaseError as error:
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


def _attempt(database: Database, change: Callable[[sqlite3.Connection], T]) -> T:
    with closing(_connect(database)) as connection:
        connection.execute("begin immediate")
        try:
            answer = change(connection)
            connection.execute("commit")
        except BaseException:
            # Some failures, a full disk among them, end the transaction by themselves.
            if connection.in_transaction:
                connection.execute("rollback")
            raise
        return answer


def _connect(database: Database) -> sqlite3.Connection:
    # The mode keeps SQLite from creating what is missing. No timeout: the waiting is done outside,
    # where it can be measured.
    uri = f"{database.path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None)
    try:
        connection.text_factory = decode
        connection.execute("pragma foreign_keys = 1")
        # A schema is data too: its triggers must not call functions.
        connection.execute("pragma trusted_schema = 0")
        # It may be a view that has no end, or have a trigger that has none.
        if (cancelled := cancelling.current()) is not None:
            connection.set_progress_handler(cancelled, VM_STEPS_BETWEEN_CANCEL_CHECKS)
    except BaseException:
        connection.close()
        raise
    return connection


def _fold(database: Database, patience: Patience) -> None:
    """Fold the log into the file where a reader kept the write's own close from doing so.

    A copy of the file alone would otherwise lack what was written. While the SDK has the database
    open the log is its own, and stays.
    """
    for _ in range(FOLD_TRIES):
        try:
            if database.fingerprint().wal is None:
                return
            with closing(_connect(database)) as connection:
                connection.execute("select count(*) from sqlite_master").fetchone()
            if database.fingerprint().wal is None:
                return
        except (sqlite3.DatabaseError, errors.DatabaseError):
            # What was written is safe in the log; only its place is not the tidiest.
            return
        patience.sleep(FOLD_WAIT_S)


def is_busy(error: sqlite3.DatabaseError) -> bool:
    """Say whether somebody else held a lock that was needed."""
    return _code(error) == sqlite3.SQLITE_BUSY


def _code(error: sqlite3.DatabaseError) -> int:
    # The low byte is the primary code; the rest tells its variants apart.
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def explained(database: Database, error: sqlite3.DatabaseError) -> errors.DatabaseError:
    """Return what an error of SQLite in writing means, for a person."""
    path, label, code = database.path, database.label, _code(error)
    if is_without_room(error):
        return errors.DiskFull(path, NO_ROOM.format(label))
    if not path.exists():
        return errors.DatabaseMissing(path, f"{label} is missing")
    folder_locked = not os.access(path.parent, os.W_OK)
    if code == sqlite3.SQLITE_READONLY or (code == sqlite3.SQLITE_CANTOPEN and folder_locked):
        return _read_only(database)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or not path.is_file():
        return errors.DatabaseCorrupt(path, f"{label} is damaged: {error}")
    return errors.DatabaseError(path, f"{label} cannot be written: {error}")


def _read_only(database: Database) -> errors.DatabaseReadOnly:
    message = (
        f"{database.label} is read-only for you; its owner can grant write access to the file"
        " and its folder"
    )
    return errors.DatabaseReadOnly(database.path, message)


def is_without_room(error: sqlite3.DatabaseError) -> bool:
    """Return whether an error says that a disk is full.

    Where it is the log's index that gets no room, SQLite speaks of I/O.
    """
    is_full_index = getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_IOERR_SHMSIZE
    return is_full_index or _code(error) == sqlite3.SQLITE_FULL
