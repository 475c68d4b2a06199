"""Makes empty databases, and opens the ones that are written to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flowtui.store import foreign, unreadable
from flowtui.store.checks import WriteGuard
from flowtui.store.errors import DatabaseBusy, DatabaseError, DatabaseReadOnly
from flowtui.store.schema import ddl
from flowtui.store.schema.rows import timestamp

if TYPE_CHECKING:
    from sqlite_utils import Database

_ERRORS = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What SQLite raises, and Python where SQLite's own message is no UTF-8."""


def create_store(
    directory: Path, *, applied_at: datetime | None = None, durable: bool = True
) -> None:
    """Makes the folder and an empty meta.db in it, where they are missing.

    A meta.db that is there stays as it is, whatever its version.

    Args:
        directory: The store's folder.
        applied_at: What schema_migrations.applied_at says; now if not given.
        durable: Whether every commit waits for the disk.

    Raises:
        DatabaseError: The file cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    _create(
        directory / "meta.db",
        ddl.META_TABLES,
        ddl.META_MIGRATIONS_TABLE,
        ddl.META_VERSION,
        user_version=0,
        applied_at=applied_at,
        durable=durable,
    )


def create_experiment_db(
    path: Path, *, applied_at: datetime | None = None, durable: bool = True
) -> None:
    """Makes an empty exp.db and the folders above it, where they are missing.

    Args:
        path: The exp.db file.
        applied_at: What exp_schema_migrations.applied_at says; now if not given.
        durable: Whether every commit waits for the disk.

    Raises:
        DatabaseError: The file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _create(
        path,
        ddl.EXPERIMENT_TABLES,
        ddl.EXPERIMENT_MIGRATIONS_TABLE,
        ddl.EXPERIMENT_VERSION,
        user_version=ddl.EXPERIMENT_VERSION,
        applied_at=applied_at,
        durable=durable,
    )


def open_for_writing(path: Path, *, durable: bool = True) -> Database:
    """Opens an existing database as the SDK does: WAL, foreign keys enforced, 5 s busy timeout.

    Raises:
        DatabaseError: The file is missing, is no database, or may not be written.
    """
    # The mode keeps sqlite3 from making an empty file where a run was mistyped.
    return _open(path, "rw", durable)


@contextmanager
def writing(database: Database, path: Path) -> Iterator[sqlite3.Connection]:
    """Runs the body as one transaction, which is undone if the body raises.

    Raises:
        DatabaseBusy: Somebody else held the database for longer than the busy timeout.
        DatabaseReadOnly: A view, or a trigger of a table, would do something else with the write.
        DatabaseError: SQLite refused the write; the text says why.
    """
    guard: WriteGuard | None = None
    try:
        with database.atomic():
            guard = WriteGuard(database.conn)
            yield database.conn
    except _ERRORS as error:
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
) -> None:
    if path.exists() and path.stat().st_size > 0:
        return
    when = timestamp(applied_at or datetime.now(UTC))
    with closing(_open(path, "rwc", durable)) as database, writing(database, path) as connection:
        for statement in tables:
            connection.execute(statement)
        connection.executemany(
            f"INSERT INTO {migrations_table} (version, applied_at) VALUES (?, ?)",
            [(number, when) for number in range(1, version + 1)],
        )
        connection.execute(f"PRAGMA user_version = {user_version}")


def _open(path: Path, mode: str, durable: bool) -> Database:
    from sqlite_utils import Database

    if why_no_file := foreign.why_no_file([path]):
        raise DatabaseError(path, f"cannot write {path}: {why_no_file}")
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True)
    except _ERRORS as error:
        raise _explained(path, error) from error
    try:
        if not durable:
            connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = ON")
    except _ERRORS as error:
        connection.close()
        raise _explained(path, error) from error
    return Database(connection, recursive_triggers=False, execute_plugins=False)


def _explained(path: Path, error: Exception) -> DatabaseError:
    # The low byte is the primary code; the rest tells SQLITE_BUSY's variants apart.
    busy = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
    kind = DatabaseBusy if busy else DatabaseError
    return kind(path, f"cannot write {path}: {unreadable.text(error)}")
