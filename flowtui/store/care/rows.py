"""Rows of meta.db as they are stored, whatever their columns: read, set and inserted."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from flowtui.store.care.values import RawValue
from flowtui.store.database import table_columns
from flowtui.store.decoding import as_sql


def bind(value: RawValue) -> RawValue:
    """Return a value to bind where `placeholder` stands."""
    return as_sql(value) if isinstance(value, str) else value


def placeholder(value: RawValue) -> str:
    # A text with surrogates is bound as its bytes.
    return "cast(? as text)" if isinstance(value, str) else "?"


def select(
    connection: sqlite3.Connection, table: str, column: str, value: str
) -> list[dict[str, RawValue]]:
    """Return whole rows in the order of their rowids; none where there is no such table."""
    if column not in table_columns(connection, table):
        return []
    cursor = connection.execute(
        f"select * from {table} where {column} = cast(? as text) order by rowid", [as_sql(value)]
    )
    names = [described[0] for described in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def update(
    connection: sqlite3.Connection,
    table: str,
    changes: Iterable[tuple[str, Mapping[str, RawValue]]],
) -> None:
    """Set columns of rows, each given by its id."""
    by_sql: dict[str, list[list[RawValue]]] = {}
    for id_, values in changes:
        sets = ", ".join(f"{column} = {placeholder(value)}" for column, value in values.items())
        bound = [*map(bind, values.values()), as_sql(id_)]
        by_sql.setdefault(sets, []).append(bound)
    for sets, parameters in by_sql.items():
        sql = f"update {table} set {sets} where id = cast(? as text)"
        connection.executemany(sql, parameters)


def insert(
    connection: sqlite3.Connection,
    table: str,
    row: Mapping[str, RawValue],
    *,
    unless_there: bool = False,
) -> None:
    """Insert a row, without the columns that the table lacks."""
    known = table_columns(connection, table)
    present = {column: value for column, value in row.items() if column in known}
    verb = "insert or ignore" if unless_there else "insert"
    connection.execute(
        f"{verb} into {table} ({', '.join(present)})"
        f" values ({', '.join(map(placeholder, present.values()))})",
        list(map(bind, present.values())),
    )


def to_json(rows: Sequence[Mapping[str, RawValue]]) -> list[dict[str, object]]:
    """Return rows as values for JSON, from which `from_json` makes the same rows."""
    return [
        {
            column: {"hex": value.hex()} if isinstance(value, bytes) else value
            for column, value in row.items()
        }
        for row in rows
    ]


def from_json(rows: object) -> list[dict[str, RawValue]]:
    """Return the rows of a document that anybody may have written.

    Raises:
        ValueError: It is not what `to_json` makes.
    """
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("not a list of rows")
    return [{str(column): _raw(value) for column, value in row.items()} for row in rows]


def _raw(value: object) -> RawValue:
    if isinstance(value, dict) and isinstance(value.get("hex"), str):
        return bytes.fromhex(value["hex"])
    if value is None or isinstance(value, (int, float, str)):
        return value
    raise ValueError("not a value of a column")
