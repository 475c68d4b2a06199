"""Makes empty databases, and opens the ones that are written to."""

from __future__ import annotations

import errno
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from flowtui.store import cancelling, foreign, unreadable
from flowtui.store.checks import WriteGuard
from flowtui.store.database import BUSY_TIMEOUT_S, VM_STEPS_BETWEEN_CANCEL_CHECKS
from flowtui.store.errors import DatabaseBusy, DatabaseError, DatabaseReadOnly, DiskFull
from flowtui.store.files.fingerprint import DatabaseFiles
from flowtui.store.files.leftovers import remove_empty_log
from flowtui.store.schema import ddl
from flowtui.store.schema.rows import timestamp
from flowtui.store.transaction import NO_ROOM, is_busy, is_without_room

if TYPE_CHECKING:
    from sqlite_utils import Database

T = TypeVar("T")

RETRY_S = 0.005
"""The pause between two tries; a commit of the SDK takes about as long."""
_ERRORS = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What SQLite raises, and what Python raises where SQLite's own message is not UTF-8."""


def create_store(
    directory: Path,
    *,
    applied_at: datetime | None = None,
    durable: bool = True,
    logs: bool = True,
) -> None:
    """Make the folder and an empty meta.db in it, if they are missing.

    A meta.db that exists stays as it is, whatever its version.

    Args:
        directory: The store's folder.
        applied_at: What schema_migrations.applied_at says; now if not given.
        durable: Whether every commit waits for the disk.
        logs: Whether it has a write-ahead log, as luml-sdk's have.

    Raises:
        DatabaseError: The file cannot be written.
    """
    make_folder(directory)
    _create(
        directory / "meta.db",
        ddl.META_TABLES,
        ddl.META_MIGRATIONS_TABLE,
        ddl.META_VERSION,
        user_version=0,
        applied_at=applied_at,
        durable=durable,
        logs=logs,
    )


def create_experiment_db(
    path: Path,
    *,
    applied_at: datetime | None = None,
    durable: bool = True,
    logs: bool = True,
) -> None:
    """Make an empty exp.db and the folders above it, if they are missing.

    Args:
        path: The exp.db file.
        applied_at: What exp_schema_migrations.applied_at says; now if not given.
        durable: Whether every commit waits for the disk.
        logs: Whether it has a write-ahead log, as luml-sdk's have.

    Raises:
        DatabaseError: The file cannot be written.
    """
    make_folder(path.parent)
    _create(
        path,
        ddl.EXPERIMENT_TABLES,
        ddl.EXPERIMENT_MIGRATIONS_TABLE,
        ddl.EXPERIMENT_VERSION,
        user_version=ddl.EXPERIMENT_VERSION,
        applied_at=applied_at,
        durable=durable,
        logs=logs,
    )


def make_folder(path: Path) -> None:
    """Make a folder and those above it, if they are missing.

    Raises:
        DatabaseError: The folder cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DiskFull(path, NO_ROOM.format(path)) from error
        if error.errno == errno.EROFS:
            raise unreadable.read_only(str(path), path) from error
        message = f"the folder {path} cannot be made: {error.strerror}"
        raise DatabaseError(path, message) from error


def open_for_writing(path: Path, *, durable: bool = True, logs: bool = True) -> Database:
    """Open an existing database as the SDK does: WAL, foreign keys enforced, 5 s busy timeout.

    Without `logs` it has a rollback journal instead, which a disk that other machines share needs.

    Raises:
        DatabaseError: The file is missing, is not a database, or may not be written.
    """
    # Without this mode sqlite3 would make an empty file for a mistyped run.
    return _open(path, "rw", durable, logs)


@contextmanager
def writing(database: Database, path: Path) -> Iterator[sqlite3.Connection]:
    """Run the body as one transaction, which is undone if the body raises.

    Raises:
        DatabaseBusy: Somebody else held the database for longer than the busy timeout.
        DatabaseReadOnly: A view, or a trigger of a table, would do something else with the write.
        DatabaseError: SQLite refused the write; the text says why.
        ReadCancelled: Nobody waits for it any more (`cancelling`).
    """
    connection = database.conn
    guard: WriteGuard | None = None
    try:
        _patiently(lambda: connection.execute("BEGIN IMMEDIATE"))
        try:
            guard = WriteGuard(connection)
            yield connection
            _patiently(lambda: connection.execute("COMMIT"))
        except BaseException:
            # Some failures end the transaction by themselves.
            connection.rollback()
            raise
    except _ERRORS as error:
        cancelling.check()
        if guard is not None and guard.refusal:
            message = f"nothing is written into {path}: {guard.refusal}"
            raise DatabaseReadOnly(path, message) from error
        raise _explained(path, error) from error
    finally:
        if guard is not None:
            guard.leave()


def _create(
    path: Path,
    tables: Sequence[str],
    migrations_table: str,
    version: int,
    *,
    user_version: int,
    applied_at: datetime | None,
    durable: bool,
    logs: bool,
) -> None:
    is_there = path.exists() and path.stat().st_size > 0
    # Opening it reports a path that is not a file.
    if is_there and (not path.is_file() or _has_tables(path)):
        return
    when = timestamp(applied_at or datetime.now(UTC))
    with (
        closing(_open(path, "rwc", durable, logs)) as database,
        writing(database, path) as connection,
    ):
        for statement in tables:
            connection.execute(statement)
        connection.executemany(
            f"INSERT INTO {migrations_table} (version, applied_at) VALUES (?, ?)",
            [(number, when) for number in range(1, version + 1)],
        )
        connection.execute(f"PRAGMA user_version = {user_version}")


def _has_tables(path: Path) -> bool:
    """Say whether a database has tables; one that found no room while it was made has none."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    try:
        # Opened only to read, so that an existing file keeps its journal mode.
        with closing(sqlite3.connect(uri, uri=True, timeout=0)) as database:
            rows = _patiently(lambda: database.execute("SELECT 1 FROM sqlite_master LIMIT 1"))
            return rows.fetchone() is not None
    except sqlite3.DatabaseError as error:
        raise _explained(path, error) from error


def _open(path: Path, mode: str, durable: bool, logs: bool) -> Database:
    from sqlite_utils import Database

    if why_no_file := foreign.why_no_file([path]):
        raise DatabaseError(path, f"cannot write {path}: {why_no_file}")
    try:
        # There is no timeout, during which SQLite would ignore ctrl+c: the waiting is done outside.
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=0)
    except _ERRORS as error:
        raise _explained(path, error) from error
    try:
        if not durable:
            connection.execute("PRAGMA synchronous = OFF")
        journal = "WAL" if logs else "DELETE"
        _patiently(lambda: connection.execute(f"PRAGMA journal_mode = {journal}"))
        connection.execute("PRAGMA foreign_keys = ON")
        connection.set_progress_handler(cancelling.is_left, VM_STEPS_BETWEEN_CANCEL_CHECKS)
    except _ERRORS as error:
        connection.close()
        raise _explained(path, error) from error
    return Database(connection, recursive_triggers=False, execute_plugins=False)


def _patiently(ask: Callable[[], T]) -> T:
    """Return the answer, asking again while somebody else holds the database."""
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            return ask()
        except sqlite3.DatabaseError as error:
            if not is_busy(error) or time.monotonic() >= deadline:
                raise
        time.sleep(RETRY_S)


def _explained(path: Path, error: Exception) -> DatabaseError:
    if is_without_room(error):
        remove_empty_log(DatabaseFiles.at(path))
        return DiskFull(path, NO_ROOM.format(path))
    if unreadable.is_read_only(error, path.resolve()):
        return unreadable.read_only(str(path), path)
    kind = DatabaseBusy if is_busy(error) else DatabaseError
    return kind(path, f"cannot write {path}: {unreadable.text(error)}")
