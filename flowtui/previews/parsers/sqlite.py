"""The tables of a SQLite database: their columns, counts and first rows, as blocks.

It runs in a process of its own, on a file that SQLite may neither lock nor write (`immutable`).
Views, virtual tables and generated columns, which may run whatever the file says, are never asked.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote

from flowtui.previews.errors import PreviewFailed

if TYPE_CHECKING:
    from flowtui.store.values import JsonValue

EXTRA = ""
LIBRARIES = ("sqlite3",)
ROWS = 20
COLUMNS = 30
CELL_CHARS = 200
COUNTED_S = 0.4
"""How long rows are counted, in all tables together."""
MAX_TABLES = 5_000
_STEPS = 10_000
_Names: TypeAlias = list[str]


def in_child(path: Path, arguments: Mapping[str, JsonValue]) -> tuple[dict[str, JsonValue], bytes]:
    """Return the blocks of some tables, and what else there is after the last one."""
    position, count = arguments["position"], arguments["count"]
    assert isinstance(position, int)
    assert isinstance(count, int)
    try:
        address = f"file:{quote(str(path))}?mode=ro&immutable=1"
        with closing(sqlite3.connect(address, uri=True)) as database:
            _defend(database)
            tables, others = _names(database)
            first = max(len(tables) + position, 0) if position < 0 else min(position, len(tables))
            shown = tables[first : first + count]
            deadline = time.monotonic() + COUNTED_S
            blocks: list[JsonValue] = [
                block for name in shown for block in _table(database, name, deadline)
            ]
            if first + len(shown) == len(tables):
                blocks += [["heading", 1, "Not asked"]] if others else []
                blocks += [["item", text, 0, False] for text in others]
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        # A text that is not UTF-8 is a ValueError.
        raise PreviewFailed(f"The database cannot be read: {str(error).rstrip('.')}.") from error
    values: dict[str, JsonValue] = {"first": first, "count": len(shown), "total": len(tables)}
    return values, json.dumps(blocks).encode()


def _defend(database: sqlite3.Connection) -> None:
    database.execute("pragma trusted_schema = off")
    database.execute("pragma cell_size_check = on")
    database.execute("pragma temp_store = memory")
    database.text_factory = lambda data: data.decode("utf-8", "replace")
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 50_000_000)


def _names(database: sqlite3.Connection) -> tuple[_Names, _Names]:
    """Return the names of ordinary tables, and what else the schema has, in words."""
    tables: _Names = []
    others: _Names = []
    for kind, name, sql in database.execute(
        "select type, name, substr(sql, 1, 200) from sqlite_schema"
        f" where type in ('table', 'view', 'trigger') order by rowid limit {MAX_TABLES}"
    ):
        if kind == "table" and not str(sql).upper().startswith("CREATE VIRTUAL"):
            tables.append(name)
        else:
            others.append(f"{'virtual table' if kind == 'table' else kind} {name[:CELL_CHARS]}")
    return tables, others


def _table(database: sqlite3.Connection, name: str, deadline: float) -> Iterator[JsonValue]:
    yield ["heading", 1, name[:CELL_CHARS]]
    columns = [
        (str(row[1]), str(row[2]))
        for row in database.execute(f"pragma table_xinfo({_quoted(name)})")
        if not row[6]
    ]
    known = _count(database, name, deadline)
    number = (
        f"{known:,} {'row' if known == 1 else 'rows'}"
        if known is not None
        else "many rows, which are not counted"
    )
    width = f"{len(columns):,} {'column' if len(columns) == 1 else 'columns'}"
    yield ["paragraph", f"{number}, {width}"]
    some = columns[:COLUMNS]
    asked = ", ".join(_cell(column) for column, _ in some)
    rows = database.execute(f"select {asked} from {_quoted(name)} limit {ROWS}").fetchall()
    heads = [f"{column} {type_}".strip()[:CELL_CHARS] for column, type_ in some]
    cells: list[JsonValue] = [list(heads), *(list(row) for row in rows)]
    yield ["table", cells, (known if known is not None else len(rows)) + 1]


def _count(database: sqlite3.Connection, name: str, deadline: float) -> int | None:
    """Return how many rows a table has; None if counting them takes too long."""
    database.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
    try:
        ((count,),) = database.execute(f"select count(*) from {_quoted(name)}")
    except sqlite3.OperationalError as error:
        if "interrupted" not in str(error):
            raise
        return None
    finally:
        database.set_progress_handler(None, _STEPS)
    return int(count)


def _cell(column: str) -> str:
    name = _quoted(column)
    return (
        f"case typeof({name}) when 'blob' then 'blob of ' || length({name}) || ' bytes'"
        f" when 'null' then 'NULL' else substr(cast({name} as text), 1, {CELL_CHARS}) end"
    )


def _quoted(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'
