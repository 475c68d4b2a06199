"""Adds a file to a run's attachments, as the SDK would, and replaces none."""

from __future__ import annotations

import os
import shutil
import sqlite3
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile

from flowtui import temporary
from flowtui.store.database import Database, table_columns
from flowtui.store.errors import DatabaseError, DiskFull
from flowtui.store.schema.rows import timestamp
from flowtui.store.transaction import NO_ROOM, write

_MOST_NAMES = 1_000


def keep_file(database: Database, folder: Path, name: str, source: Path) -> str:
    """Copy a file into a run, and return the name that it has there.

    The file is whole before its row is there, and gone again where that cannot be written.

    Args:
        database: The run's exp.db.
        folder: That of its attachments.
        name: Its name; if that is taken, a number is put before the suffix.
        source: The file.

    Raises:
        DatabaseError: It cannot be written; see `transaction.write`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = _copied(folder, name, source)
    except OSError as error:
        if temporary.is_full(error):
            raise DiskFull(folder, NO_ROOM.format(folder)) from error
        message = f"{folder} cannot be written: {error.strerror or error}"
        raise DatabaseError(folder, message) from error
    try:
        write(database, partial(_add_row, path))
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise
    return path.name


def _copied(folder: Path, name: str, source: Path) -> Path:
    with NamedTemporaryFile(dir=folder, prefix=".") as copy, open(source, "rb") as file:
        shutil.copyfileobj(file, copy)
        copy.flush()
        stem, suffix = os.path.splitext(name)
        for number in range(1, _MOST_NAMES):
            path = folder / (name if number == 1 else f"{stem}-{number}{suffix}")
            with suppress(FileExistsError):
                # A name that is taken, by a link to nowhere as well, is left alone.
                os.link(copy.name, path)
                path.chmod(0o644)
                return path
    raise FileExistsError(f"too many files are called {name}")


def _add_row(path: Path, connection: sqlite3.Connection) -> None:
    values = {
        "id": str(uuid.uuid4()),
        "name": path.name,
        "file_path": path.name,
        "created_at": timestamp(datetime.now(UTC)),
        "size": path.stat().st_size,
    }
    present = table_columns(connection, "attachments")
    known = {column: value for column, value in values.items() if column in present}
    columns, marks = ", ".join(known), ", ".join("?" * len(known))
    connection.execute(
        f"insert into attachments ({columns}) values ({marks})", tuple(known.values())
    )
