"""A SQLite database as bytes."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

_PAGE_BYTES = 1024

Cell = str | int | float | None


def database(tables: Mapping[str, tuple[str, Sequence[Sequence[Cell]]]]) -> bytes:
    """Return a database with tables.

    Args:
        tables: By name, the columns as `create table` takes them, and the rows.

    Raises:
        OSError, sqlite3.Error: There is no room for a temporary file.
    """
    with TemporaryDirectory(prefix="flow-tui-demo-") as folder:
        path = Path(folder) / "made.sqlite"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"pragma page_size = {_PAGE_BYTES}")
            for name, (columns, rows) in tables.items():
                connection.execute(f'create table "{name}" ({columns})')
                places = ", ".join("?" * len(columns.split(",")))
                connection.executemany(f'insert into "{name}" values ({places})', rows)
            connection.commit()
        return path.read_bytes()
